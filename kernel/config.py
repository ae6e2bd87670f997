"""The settings of a node: one frozen tree, from defaults, then a TOML file, then `VIENANH_...` variables.

Each field says its unit and reason in `doc`; the table in docs/operating.md is made from here. Every error names the
key and where the value came from. A secret is never a field: a field names the file that holds one.
`[[source]]`, `[[station]]`, `[[destination]]` and `[[rule]]` are kept as read; `gateway.peers`, `consult.stations` and
`routing.rules` give them meaning.
"""

import dataclasses
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from kernel.errors import InvalidConfiguration

ENVIRONMENT_PREFIX = "VIENANH_"
MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE

Role = Literal["site", "hub", "both"]
T = TypeVar("T")


def _setting(default: T, doc: str) -> T:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Who this node is."""

    role: Role = _setting("both", "site: takes studies and sends them on; hub: where they are read; both: one machine")
    site: str = _setting("LOCAL", "this node's own site code; part of every identity it gives (letters, digits, - _)")
    name: str = _setting("Viễn Ảnh", "the hospital's name on screen")
    data: Path = _setting(Path("data"), "folder of blobs, database, keys and sockets; one node only")


@dataclass(frozen=True, slots=True)
class DimseConfig:
    """The DIMSE listener (PS3.7, PS3.8)."""

    enabled: bool = _setting(True, "whether to listen for DIMSE associations")
    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 for the hospital's network")
    port: int = _setting(11112, "TCP port; 0 takes a free one")
    plain: bool = _setting(True, "whether to listen on `port`, in the clear")
    tls_port: int | None = _setting(None, "TCP port for DICOM TLS (PS3.15 annex B; 2762 is usual); empty: none")
    tls_certificate: Path | None = _setting(None, "PEM certificate chain of the TLS port, read again when it changes")
    tls_key: Path | None = _setting(None, "PEM private key of tls_certificate")
    tls_ca: Path | None = _setting(None, "PEM authorities that client certificates must come from")
    tls_clients: Literal["off", "optional", "required"] = _setting("off", "whether TLS clients show a certificate")
    user_identity: Literal["off", "accepted", "required"] = _setting(
        "off", "user identity of callers (PS3.7 D.3.3.7): name and password of an account, or a signed token"
    )
    jwt_key_file: Path | None = _setting(None, "PEM public key (or secret of HS256) that tokens are verified with")
    jwt_algorithm: Literal["RS256", "ES256", "HS256"] = _setting("RS256", "the one algorithm of tokens")
    jwt_audience: str = _setting("", "what tokens must name as their audience (aud)")
    jwt_issuer: str = _setting("", "what tokens must name as their issuer (iss); empty: any")
    ae_title: str = _setting("VIENANH", "this node's AE title, 1 to 16 characters (PS3.5 6.2)")
    processes: int = _setting(
        0, "listener processes sharing the port; 0: none on one or two cores (threads of the node instead), else 2"
    )
    check_called_ae_title: bool = _setting(False, "refuse associations that call another AE title")
    accept_unknown_callers: bool = _setting(True, "take studies from callers that no [[source]] names")
    unknown_caller_services: tuple[str, ...] = _setting(
        ("store",), "what callers that no [[source]] names may ask for, beyond C-ECHO"
    )
    accept_private_sop_classes: bool = _setting(True, "take SOP classes that the standard does not list")
    associations_max: int = _setting(64, "associations at once; more are rejected as a local limit")
    source_associations_max: int = _setting(48, "... of one source, or of all unnamed callers together")
    source_instances_max: int = _setting(8, "instances of one source on their way in at once; further ones wait")
    pdu_bytes_max: int = _setting(131072, "largest P-DATA PDU we ask a sender for, bytes (PS3.8 D.1)")
    instance_bytes_max: int = _setting(16 * GIBIBYTE, "largest instance, bytes")
    negotiation_timeout_s: float = _setting(15.0, "seconds a caller has to send A-ASSOCIATE-RQ (PS3.8 ARTIM)")
    bytes_per_second_min: int = _setting(512, "least speed of a message that is waited for longer than a minute")
    idle_timeout_s: float = _setting(120.0, "seconds an association may be silent before it is aborted")


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The HTTP listener: DICOMweb, the reading room, health and metrics."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8080, "TCP port; 0 takes a free one")
    tls_certificate: Path | None = _setting(None, "PEM certificate chain; with tls_key makes the node speak HTTPS")
    tls_key: Path | None = _setting(None, "PEM private key of tls_certificate")
    trusted_proxies: tuple[str, ...] = _setting((), "addresses whose X-Forwarded-For and -Proto are believed")
    public_url: str = _setting("", "origin that browsers see when behind a proxy, such as https://anh.example.vn")
    body_bytes_max: int = _setting(64 * GIBIBYTE, "largest request body (STOW-RS), bytes")
    instance_bytes_max: int = _setting(16 * GIBIBYTE, "largest instance in a body, bytes")
    parts_max: int = _setting(100_000, "most parts in one STOW-RS body")
    requests_max: int = _setting(256, "requests served at once; more are answered 503")
    connections_max: int = _setting(2048, "open connections; more are answered 503 and closed")
    connections_per_address_max: int = _setting(512, "open connections of one address that is no trusted proxy")
    body_timeout_s: float = _setting(120.0, "seconds a request body may be silent, or an answer not taken")


@dataclass(frozen=True, slots=True)
class Hl7Config:
    """Orders by HL7 v2 over MLLP."""

    enabled: bool = _setting(False, "whether to listen for HL7 v2 orders (ORM^O01, OMI^O23, ADT^A08, ADT^A40)")
    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 for the hospital's network")
    port: int = _setting(2575, "TCP port (MLLP); 0 takes a free one")
    address: tuple[str, ...] = _setting(("127.0.0.0/8", "::1/128"), "addresses and networks that may send orders")
    charset: Literal["", "cp1258", "tcvn3"] = _setting(
        "", "how to read undeclared text that is not UTF-8; empty: Latin-1"
    )
    connections_max: int = _setting(16, "connections at once; more are closed")
    message_bytes_max: int = _setting(MEBIBYTE, "largest message, bytes")
    message_timeout_s: float = _setting(30.0, "seconds a message may take from its first byte to its last")
    idle_timeout_s: float = _setting(3600.0, "seconds a connection may be silent between messages")


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Where rows are kept."""

    url: str = _setting("", "empty: SQLite in the data folder; or postgresql+psycopg://USER@HOST/NAME")
    password_file: Path | None = _setting(None, "file whose first line is the database password")
    group_max: int = _setting(256, "most changes that share one commit")


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """Blobs and the index."""

    free_bytes_min: int = _setting(2 * GIBIBYTE, "bytes of free disk kept in reserve; below it nothing is taken")
    quarantine_bytes_max: int = _setting(4 * GIBIBYTE, "bytes of refused instances kept for a person to look at")
    quiet_s: float = _setting(60.0, "seconds without a new instance after which a study counts as complete, at last")
    commitment_digests: bool = _setting(True, "storage commitment reads every byte and compares digests first")
    results_max: int = _setting(1000, "most matches that one search returns (Warning header beyond)")
    timezone: str = _setting("+0700", "offset from UTC of stored dates and times, such as +0700")
    deletion: Literal["off", "admin", "scope"] = _setting(
        "admin", "who may delete: off nobody, admin administrators, scope also who has the right dicomweb:delete"
    )
    retention_days: float = _setting(
        0.0, "days since the last instance of a study before who is no admin may delete it"
    )


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Who may see what, and for how long."""

    session_hours: float = _setting(12.0, "hours until a browser session must sign in again")
    session_idle_minutes: float = _setting(60.0, "minutes without a request after which a session ends")
    attempts_max: int = _setting(8, "failed sign-ins per account, and four times that per address, before throttling")
    attempts_window_s: float = _setting(900.0, "seconds over which failed sign-ins are counted")
    password_length_min: int = _setting(12, "shortest password, characters")


@dataclass(frozen=True, slots=True)
class AnonymizerConfig:
    """Pseudonymisation at the site."""

    profile: str = _setting("tele-read", "the profile of destinations that name none")
    profiles: Path | None = _setting(None, "folder of the site's own profiles, one TOML file each")
    key_file: Path | None = _setting(None, "file of the site's key; empty: site.key in the data folder, made once")
    clean_pixels: bool = _setting(
        True, "find text in pixels and mask it, for profiles that say so; false: such kinds wait for a person"
    )
    pixel_zones: Path | None = _setting(None, "file of the zones in which the site's devices write, TOML")


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """Delivery."""

    workers: int = _setting(2, "local workers that de-identify")
    batch_instances: int = _setting(16, "most instances in one delivery request; STAT overtakes between them")
    batch_bytes: int = _setting(8 * MEBIBYTE, "bytes after which a batch is closed")
    lease_s: float = _setting(60.0, "seconds after which the job of a silent worker is given to another")
    backoff_base_s: float = _setting(2.0, "first pause after a failed delivery, seconds; doubles each time")
    backoff_cap_s: float = _setting(300.0, "longest pause between attempts, seconds")
    request_timeout_s: float = _setting(120.0, "seconds a destination may be silent")
    returns_from: tuple[str, ...] = _setting(
        (), "names of peers (token, or calling AE title) whose objects about released studies are re-identified here"
    )


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What is told about the node's work; never a patient's identity."""

    format: Literal["console", "json"] = _setting("console", "console for people, json for machines")
    level: Literal["debug", "info", "warning", "error"] = _setting("info", "least level that is written")


@dataclass(frozen=True, slots=True)
class Config:
    """A node's whole configuration."""

    node: NodeConfig = field(default_factory=NodeConfig)
    dimse: DimseConfig = field(default_factory=DimseConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    hl7: Hl7Config = field(default_factory=Hl7Config)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)
    access: AccessConfig = field(default_factory=AccessConfig)
    anonymizer: AnonymizerConfig = field(default_factory=AnonymizerConfig)
    routing: RoutingConfig = field(default_factory=RoutingConfig)
    log: LogConfig = field(default_factory=LogConfig)
    source: tuple[Mapping[str, Any], ...] = ()
    station: tuple[Mapping[str, Any], ...] = ()
    destination: tuple[Mapping[str, Any], ...] = ()
    rule: tuple[Mapping[str, Any], ...] = ()
    origin: str = field(default="defaults", metadata={"doc": "where the file part was read, for error messages"})


SECTIONS: Mapping[str, type] = {
    "node": NodeConfig,
    "dimse": DimseConfig,
    "http": HttpConfig,
    "hl7": Hl7Config,
    "database": DatabaseConfig,
    "archive": ArchiveConfig,
    "access": AccessConfig,
    "anonymizer": AnonymizerConfig,
    "routing": RoutingConfig,
    "log": LogConfig,
}
TABLES = ("source", "station", "destination", "rule")


def load(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """Read the configuration: defaults, then `file`, then `VIENANH_SECTION_FIELD` variables.

    Raises
    ------
    InvalidConfiguration
        Names the key, and the file or variable that gave it.
    """
    document = _read(file) if file else {}
    origin = str(file) if file else "defaults"
    settings: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    tables: dict[str, Any] = dict.fromkeys(TABLES, ())
    for name, content in document.items():
        if name in SECTIONS:
            settings[name] = dict(_section(name, content, origin))
        elif name in TABLES:
            tables[name] = _table(name, content, origin)
        else:
            raise InvalidConfiguration(source=origin, key=name, reason=f"no such section; there are {_list_sections()}")
    for name, key, text, variable in _from_environment(os.environ if environment is None else environment):
        settings[name][key] = _convert(_hint(name, key), text, variable, key)
    sections: dict[str, Any] = {name: SECTIONS[name](**values) for name, values in settings.items()}
    return checked(Config(**sections, **tables, origin=origin))


def describe() -> Iterator[tuple[str, str, str, str]]:
    """Yield (key, variable, default, doc) of every setting, for the operating manual and `vienanh config`."""
    for name, section in SECTIONS.items():
        for item in dataclasses.fields(section):
            variable = f"{ENVIRONMENT_PREFIX}{name}_{item.name}".upper()
            yield f"{name}.{item.name}", variable, str(item.default), str(item.metadata["doc"])


def _list_sections() -> str:
    return ", ".join([*SECTIONS, *TABLES])


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfiguration(source=file, key="file", reason=error.strerror or "cannot be read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(source=file, key="file", reason=f"not TOML: {error}") from error


def _section(name: str, content: Any, origin: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, dict):
        raise InvalidConfiguration(source=origin, key=name, reason="must be a table, [" + name + "]")
    for key, value in cast("dict[str, Any]", content).items():
        try:
            hint = _hint(name, key)
        except KeyError:
            known = ", ".join(item.name for item in dataclasses.fields(SECTIONS[name]))
            raise InvalidConfiguration(
                source=origin, key=f"{name}.{key}", reason=f"no such key; there are {known}"
            ) from None
        yield key, _convert(hint, value, origin, f"{name}.{key}")


def _table(name: str, content: Any, origin: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in cast("list[Any]", content)):
        raise InvalidConfiguration(source=origin, key=name, reason=f"must be a list of tables, [[{name}]]")
    return tuple(cast("list[dict[str, Any]]", content))


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    known = {variable: key.split(".", 1) for key, variable, _, _ in describe()}
    sections = tuple(f"{ENVIRONMENT_PREFIX}{name.upper()}_" for name in SECTIONS)
    for variable, text in environment.items():
        if variable in known:
            section, key = known[variable]
            yield section, key, text, variable
        elif variable.startswith(sections):
            raise InvalidConfiguration(source="environment", key=variable, reason="no such setting")


def _hint(section: str, key: str) -> Any:
    return typing.get_type_hints(SECTIONS[section])[key]


def _convert(hint: Any, value: Any, source: str, key: str) -> Any:
    """Turn a TOML value, or the text of a variable, into what the field's type says."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if value in ("", None) else _convert(arguments[0], value, source, key)
    if origin is Literal:
        if value in arguments:
            return value
        raise InvalidConfiguration(source=source, key=key, reason=f"must be one of {', '.join(map(str, arguments))}")
    if origin is tuple:
        parts: Any = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list):
            raise InvalidConfiguration(source=source, key=key, reason="must be a list")
        return tuple(_convert(arguments[0], part, source, key) for part in cast("list[Any]", parts) if part != "")
    try:
        return _scalar(hint, value)
    except (TypeError, ValueError, KeyError):
        expected = {bool: "true or false", int: "a whole number", float: "a number"}.get(hint, "text")
        raise InvalidConfiguration(source=source, key=key, reason=f"must be {expected}") from None


def _scalar(hint: Any, value: Any) -> Any:
    if hint is bool:
        if isinstance(value, str):
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[value.lower()]
        if not isinstance(value, bool):
            raise TypeError
        return value
    if isinstance(value, bool) or (hint in (str, Path) and not isinstance(value, str | Path)):
        raise TypeError
    if hint is int and isinstance(value, float):
        raise TypeError
    converted = cast("Callable[[Any], Any]", hint)(value)
    if isinstance(converted, float) and not math.isfinite(converted):
        raise ValueError
    return converted


_POSITIVE = ("_max", "_s", "_hours", "_minutes", "_bytes", "_instances", "workers", "_min")


def checked(config: Config) -> Config:
    """Return `config`, having checked what a type cannot say. Raises InvalidConfiguration."""

    def refuse(key: str, reason: str) -> typing.NoReturn:
        raise InvalidConfiguration(source=config.origin, key=key, reason=reason)

    for name, section in SECTIONS.items():
        for item in dataclasses.fields(section):
            value = getattr(getattr(config, name), item.name)
            if item.name.endswith(_POSITIVE) and isinstance(value, int | float) and value <= 0:
                refuse(f"{name}.{item.name}", "must be more than zero")
            if item.name in ("port", "tls_port") and value is not None and not 0 <= value <= 65535:
                refuse(f"{name}.{item.name}", "must be 0 to 65535")
    if (
        not config.node.site
        or not all(c.isalnum() or c in "-_" for c in config.node.site)
        or len(config.node.site) > 32
    ):
        refuse("node.site", "must be 1 to 32 letters, digits, - or _")
    if not re.fullmatch(r"[+-](0\d|1[0-4])[0-5]\d", config.archive.timezone):
        refuse("archive.timezone", "must be an offset from UTC such as +0700")
    title = config.dimse.ae_title
    if not 1 <= len(title.strip()) <= 16 or "\\" in title or not title.isascii() or not title.isprintable():
        refuse("dimse.ae_title", "must be 1 to 16 printable ASCII characters without a backslash")
    _check_tls(config.dimse, refuse)
    if (config.http.tls_certificate is None) != (config.http.tls_key is None):
        refuse("http.tls_certificate", "tls_certificate and tls_key go together")
    return config


def _check_tls(dimse: DimseConfig, refuse: Callable[[str, str], typing.NoReturn]) -> None:
    if dimse.tls_port is not None and (dimse.tls_certificate is None or dimse.tls_key is None):
        refuse("dimse.tls_port", "needs tls_certificate and tls_key")
    if dimse.tls_clients != "off" and dimse.tls_ca is None:
        refuse("dimse.tls_clients", "needs tls_ca")
    if not dimse.plain and dimse.tls_port is None:
        refuse("dimse.plain", "without it a tls_port is needed")
    if dimse.jwt_key_file is not None and not dimse.jwt_audience:
        refuse("dimse.jwt_audience", "is missing: tokens of others would be taken")
