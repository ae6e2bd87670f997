"""Where studies may go: the `[[destination]]` tables of the configuration, read strictly.

A destination is any DICOMweb or DIMSE receiver. Every error names the file, the table's number and the key.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, cast
from urllib.parse import urlsplit

from kernel.errors import InvalidConfiguration

DESTINATIONS_MAX = 500
NAME_CHARACTERS_MAX = 64
NO_PROFILE = "none"  # send as received; for receivers inside the same hospital
BUILT_IN_PROFILES = ("basic", "tele-read", "research")

Kind = Literal["stow", "dimse"]


@dataclass(frozen=True, slots=True)
class Destination:
    """One receiver. `url` and `token_file` are of `stow`; `host`, `port`, the AE titles and TLS of `dimse`."""

    name: str
    kind: Kind
    profile: str
    url: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None
    host: str = ""
    port: int = 0
    ae_title: str = ""
    calling_ae_title: str = ""
    tls: bool = False  # of `dimse`: DICOM TLS, with `certificate` and `key` as our own
    tls_name: str = ""  # in the peer's certificate; empty: `host`
    certificate: Path | None = None
    key: Path | None = None
    commit: bool = False  # ask it to commit to keep what was delivered (PS3.4 J, PS3.18 13)
    availability: bool = False  # of `dimse`: tell it that a study is complete here (PS3.4 R)


_TLS = ("tls", "tls_name", "ca_file", "certificate", "key")
_KEYS: Mapping[Kind, tuple[str, ...]] = {
    "stow": ("name", "kind", "profile", "url", "token_file", "ca_file", "commit"),
    "dimse": (
        "name",
        "kind",
        "profile",
        "host",
        "port",
        "ae_title",
        "calling_ae_title",
        "commit",
        "availability",
        *_TLS,
    ),
}
_REQUIRED: Mapping[Kind, tuple[str, ...]] = {"stow": ("url",), "dimse": ("host", "port", "ae_title")}


def parse_destinations(
    tables: tuple[Mapping[str, Any], ...],
    origin: str,
    default_profile: str,
    default_calling: str,
    profiles: Collection[str] = BUILT_IN_PROFILES,
) -> dict[str, Destination]:
    """Read every `[[destination]]`; the result keeps their order. `profiles` may be named beside NO_PROFILE.

    Raises
    ------
    InvalidConfiguration
        Names `origin` and the key as `destination[2].url`, tables counted from one.
    """
    if len(tables) > DESTINATIONS_MAX:
        raise InvalidConfiguration(source=origin, key="destination", reason=f"more than {DESTINATIONS_MAX}")
    found: dict[str, Destination] = {}
    for number, table in enumerate(tables, start=1):
        destination = _Reader(number, table, origin, (*profiles, NO_PROFILE)).read(default_profile, default_calling)
        if destination.name in found:
            raise InvalidConfiguration(
                source=origin, key=f"destination[{number}].name", reason=f"'{destination.name}' is there twice"
            )
        found[destination.name] = destination
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    number: int
    table: Mapping[str, Any]
    origin: str
    profiles: tuple[str, ...]

    def refuse(self, key: str, reason: str) -> NoReturn:
        raise InvalidConfiguration(source=self.origin, key=f"destination[{self.number}].{key}", reason=reason)

    def read(self, default_profile: str, default_calling: str) -> Destination:
        kind = cast("Kind", self.text("kind"))
        if kind not in _KEYS:
            self.refuse("kind", f"must be {' or '.join(_KEYS)}")
        for key in self.table:
            if key not in _KEYS[kind]:
                self.refuse(key, f"no such key; a {kind} destination has {', '.join(_KEYS[kind])}")
        for key in _REQUIRED[kind]:
            if key not in self.table:
                self.refuse(key, f"missing; a {kind} destination needs {', '.join(_REQUIRED[kind])}")
        profile = self.text("profile", default_profile)
        if profile not in self.profiles:
            self.refuse("profile", f"no such profile; there are {', '.join(self.profiles)}")
        self.check_tls()
        return Destination(
            name=self.name(),
            kind=kind,
            profile=profile,
            url=self.url() if kind == "stow" else "",
            token_file=self.path("token_file"),
            ca_file=self.path("ca_file"),
            host=self.text("host", ""),
            port=self.port() if kind == "dimse" else 0,
            ae_title=self.ae_title("ae_title", "") if kind == "dimse" else "",
            calling_ae_title=self.ae_title("calling_ae_title", default_calling) if kind == "dimse" else "",
            tls=self.table.get("tls", False),
            tls_name=self.text("tls_name", ""),
            certificate=self.path("certificate"),
            key=self.path("key"),
            commit=self.flag("commit", profile),
            availability=self.flag("availability", profile),
        )

    def flag(self, key: str, profile: str) -> bool:
        value: Any = self.table.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, "must be true or false")
        if value and profile != NO_PROFILE:
            self.refuse(key, f'needs profile = "{NO_PROFILE}": the destination knows the study by other UIDs')
        return value

    def check_tls(self) -> None:
        tls = self.table.get("tls", False)
        if not isinstance(tls, bool):
            self.refuse("tls", "must be true or false")
        if ("certificate" in self.table) != ("key" in self.table):
            self.refuse("certificate", "certificate and key go together")
        for key in _TLS[1:]:
            if self.table.get("kind") == "dimse" and key in self.table and not tls:
                self.refuse(key, "needs tls = true")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if value is None:
            self.refuse(key, "missing")
        if not isinstance(value, str):
            self.refuse(key, "must be text")
        return value

    def name(self) -> str:
        name = self.text("name")
        if not 1 <= len(name) <= NAME_CHARACTERS_MAX or not all(c.isalnum() or c in "-_." for c in name):
            self.refuse("name", f"must be 1 to {NAME_CHARACTERS_MAX} letters, digits, - _ or .")
        return name

    def url(self) -> str:
        url = self.text("url").rstrip("/")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            self.refuse("url", "not a URL")
        if not usable or parts.query or parts.fragment:
            self.refuse("url", "must be the http or https base URL of a DICOMweb service, without a query")
        if parts.username or parts.password:
            self.refuse("url", "must not carry a secret; name a file with token_file")
        return url

    def path(self, key: str) -> Path | None:
        text = self.text(key, "")
        return Path(text) if text else None

    def port(self) -> int:
        port: Any = self.table["port"]
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
            self.refuse("port", "must be 1 to 65535")
        return port

    def ae_title(self, key: str, default: str) -> str:
        title = self.text(key, default).strip()
        if not 1 <= len(title) <= 16 or "\\" in title or not title.isascii() or not title.isprintable():
            self.refuse(key, "must be 1 to 16 printable ASCII characters without a backslash (PS3.5 6.2)")
        return title
