"""The settings of a node: one frozen tree of defaults; `kernel.config_reading` reads a file and variables into it.

Each field says its unit and reason in `doc`; the table in docs/operating.md is made from here. A secret is never a
field: a field names the file that holds one.
`[[source]]`, `[[station]]`, `[[destination]]` and `[[rule]]` are kept as read; `gateway.peers`, `consult.stations` and
`routing.rules` give them meaning.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

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
    tls_certificate: Path | None = _setting(
        None, "PEM certificate chain, read again when it changes; with tls_key makes the node speak HTTPS"
    )
    tls_key: Path | None = _setting(None, "PEM private key of tls_certificate")
    trusted_proxies: tuple[str, ...] = _setting(
        (), "addresses and networks whose X-Forwarded-For and -Proto are believed"
    )
    public_url: str = _setting("", "origin that browsers see when behind a proxy, such as https://anh.example.vn")
    body_bytes_max: int = _setting(64 * GIBIBYTE, "largest request body (STOW-RS), bytes")
    instance_bytes_max: int = _setting(16 * GIBIBYTE, "largest instance in a body, bytes")
    parts_max: int = _setting(100_000, "most parts in one STOW-RS body")
    requests_max: int = _setting(256, "requests served at once, half of them one caller's; more are answered 503")
    connections_max: int = _setting(2048, "open connections; more are answered 503 and closed")
    connections_per_address_max: int = _setting(512, "open connections of one address that is no trusted proxy")
    body_timeout_s: float = _setting(
        120.0, "seconds a request body may be silent, or an answer be taken at less than 256 bytes/s"
    )


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
    slides_bytes_max: int = _setting(20 * GIBIBYTE, "bytes of tiles that were made of slides and are kept on disk")
    keep_vendor_files: bool = _setting(
        False, "keep the files of vendors' slides beside what was made of them; they show labels"
    )
    quiet_s: float = _setting(60.0, "seconds without a new instance after which a study counts as complete, at last")
    tiers_bytes_max: int = _setting(
        16 * GIBIBYTE, "bytes of lossless copies from which thin lines get pictures in steps; 0: none are kept"
    )
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
    draft_days: float = _setting(30.0, "days that marks somebody drew and did not save are kept as a draft")
    shared_issuers: tuple[str, ...] = _setting(
        (), "issuers whose patient numbers mean one person at every site: that person's priors are shown across sites"
    )


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


def describe() -> Iterator[tuple[str, str, str, str]]:
    """Yield (key, variable, default, doc) of every setting, for the operating manual and `vienanh config`."""
    for name, section in SECTIONS.items():
        for item in dataclasses.fields(section):
            variable = f"{ENVIRONMENT_PREFIX}{name}_{item.name}".upper()
            yield f"{name}.{item.name}", variable, str(item.default), str(item.metadata["doc"])
