"""The `[[source]]` tables of the configuration, read into profiles.

[[source]]
name = "ct-1"                     # how logs and rules call it
calling = ["CT_ALPHA"]            # calling AE titles; absent: any
called = ["VIENANH"]              # called AE titles; absent: any
address = ["10.1.2.0/24"]         # addresses or networks; absent: any
certificate = ["sha256:6b…", "CN=ct-1,O=BV"]  # TLS client certificates by digest or names in the subject
site = "BVTINH"                   # whose patients these are; absent: this node's own site
charset = "cp1258"                # how to read text that declares no character set
services = ["store", "find"]      # what it may ask for; absent: store, commit, mpps
sites = ["BVTINH", "BVHUYEN"]     # whose studies it may find and retrieve; "*": all; absent: its own site's
sop_classes = ["CT Image Storage"]  # what it may store, by name or UID; absent: all
modalities = ["CT", "SR"]         # what it may store, by Modality; absent: all
labels = "show"                   # it finds and retrieves labels of slides, too; absent: it does not
missing_identifiers = "fill"      # UIDs that it leaves out are made here; absent: refuse
associations_max = 4              # at once; absent: the node's own bound
instances_max = 2                 # on their way in at once; absent: dimse.source_instances_max
bytes_per_second = 10_000_000     # read from it; absent: as fast as it sends
port = 104                        # where it listens: it is told there of storage commitment
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from gateway.addresses import WANTED, read_network
from gateway.peers import SERVICES, Profile, ServiceName, Source, Sources, as_service
from kernel.config import Config
from kernel.dicom.vocabulary.charset import FALLBACKS
from kernel.dicom.vocabulary.syntaxes import STORAGE_CLASSES
from kernel.errors import InvalidConfiguration

T = TypeVar("T")

SOURCES_MAX: Final = 4096
ALL: Final = "*"
PORT_MAX: Final = 65535
_TEXTS: Final = ("name", "site", "charset", "missing_identifiers", "labels")
_CHOICES: Final = {"charset": tuple(FALLBACKS), "missing_identifiers": ("refuse", "fill"), "labels": ("hide", "show")}
_LISTS: Final = ("calling", "called", "address", "certificate", "services", "sites", "sop_classes", "modalities")
_NUMBERS: Final = ("associations_max", "instances_max", "bytes_per_second", "port")
_KEYS: Final = (*_TEXTS, *_LISTS, *_NUMBERS)
_DIGEST: Final = "sha256:"


def sources(config: Config) -> Sources:
    """Read the tables.

    Raises
    ------
    InvalidConfiguration
        Names the table and the key.
    """
    if len(config.source) > SOURCES_MAX:
        raise InvalidConfiguration(source=config.origin, key="source", reason=f"more than {SOURCES_MAX} tables")
    profiles = [
        _Table(entry, f"source[{number}]", config).profile() for number, entry in enumerate(config.source, start=1)
    ]
    return Sources(profiles, _unknown(config) if config.dimse.accept_unknown_callers else None)


def _unknown(config: Config) -> Source:
    services: set[ServiceName] = {"echo"}
    for name in config.dimse.unknown_caller_services:
        try:
            services.add(as_service(name))
        except ValueError:
            reason = f"must be some of {', '.join(sorted(SERVICES))}"
            raise InvalidConfiguration(
                source=config.origin, key="dimse.unknown_caller_services", reason=reason
            ) from None
    return Source("", config.node.site, services=frozenset(services))


@dataclass(frozen=True, slots=True)
class _Table:
    entry: Mapping[str, Any]
    where: str
    config: Config

    def profile(self) -> Profile:
        self._check_keys()
        entry, site = self.entry, self.entry.get("site") or self.config.node.site
        services = self._each("services", as_service, f"must be some of {', '.join(sorted(SERVICES))}")
        sites = self._list("sites")
        certificates = self._each("certificate", _certificate, 'must be such as "sha256:<64 digits>" or "CN=ct-1"')
        source = Source(
            name=entry["name"],
            site=site,
            fallback_charset=entry.get("charset"),
            sites=None if ALL in sites else frozenset(sites),
            sop_classes=self._each("sop_classes", _sop_class, "must be UIDs, or names as docs/conformance.md has them")
            or None,
            fills_identifiers=entry.get("missing_identifiers") == "fill",
            sees_labels=entry.get("labels") == "show",
            modalities=frozenset(self._list("modalities")) or None,
            **({"services": services | {"echo"}} if "services" in entry else {}),
            **{key: entry[key] for key in _NUMBERS if key in entry},
        )
        return Profile(
            source=source,
            calling=frozenset(self._list("calling")),
            called=frozenset(self._list("called")),
            networks=tuple(self._each("address", read_network, WANTED)),
            digests=frozenset(one for one in certificates if isinstance(one, str)),
            subjects=tuple(one for one in certificates if not isinstance(one, str)),
        )

    def _refused(self, key: str, reason: str) -> InvalidConfiguration:
        return InvalidConfiguration(source=self.config.origin, key=f"{self.where}.{key}", reason=reason)

    def _check_keys(self) -> None:
        for key, value in self.entry.items():
            if key not in _KEYS:
                raise self._refused(key, f"no such key; there are {', '.join(_KEYS)}")
            if key in _TEXTS and not isinstance(value, str):
                raise self._refused(key, "must be text")
            if key in _NUMBERS and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise self._refused(key, "must be a whole number of at least 1")
            if key == "port" and isinstance(value, int) and value > PORT_MAX:
                raise self._refused(key, f"must be at most {PORT_MAX}")
            if key in _CHOICES and value not in _CHOICES[key]:
                raise self._refused(key, f"must be one of {', '.join(_CHOICES[key])}")
        if not self.entry.get("name"):
            raise self._refused("name", "is missing")

    def _list(self, key: str) -> tuple[str, ...]:
        value = self.entry.get(key, ())
        texts = cast("Sequence[Any]", value if isinstance(value, list | tuple) else (value,))
        if not all(isinstance(text, str) and text for text in texts):
            raise self._refused(key, "must be text or a list of texts")
        return tuple(texts)

    def _each(self, key: str, read: Callable[[str], T], reason: str) -> frozenset[T]:
        try:
            return frozenset(read(text) for text in self._list(key))
        except ValueError:
            raise self._refused(key, reason) from None


def _sop_class(text: str) -> str:
    if text in _UIDS:
        return _UIDS[text]
    if not text or not set(text) <= set("0123456789."):
        raise ValueError(text)
    return text


_UIDS: Final = {name: uid for uid, name in STORAGE_CLASSES.items()}


def _certificate(text: str) -> str | frozenset[tuple[str, str]]:
    """Return the digest that a certificate must have, or the names that its subject must hold."""
    if text.startswith(_DIGEST):
        digest = text.removeprefix(_DIGEST).replace(":", "").lower()
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(text)
        return digest
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key.strip() and separator and value.strip() for key, separator, value in pairs):
        raise ValueError(text)
    return frozenset((key.strip().upper(), value.strip()) for key, _, value in pairs)
