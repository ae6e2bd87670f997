"""What `vienanh doctor` looks at before the stores are opened: TLS, addresses, clock, disk and limits."""

import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from exchange.node import certificates, machine
from exchange.node.beside import is_served
from exchange.node.origin import EVERYWHERE
from exchange.node.supervise import FILES_BESIDE
from gateway.dimse.upper_layer.tls import ServerTls
from kernel.config import Config
from kernel.errors import ExchangeError

_PROGRAM = Path(__file__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `wrong` is empty when it is in order."""

    what: str
    wrong: str = ""
    note: str = ""


def of_machine(config: Config, now: datetime) -> Iterator[Finding]:
    """Look at what surrounds a node."""
    data = config.node.data.absolute()
    yield Finding("clock", machine.clock_fault(data, _PROGRAM, now))
    yield _dimse_tls(config, now)
    yield _exposure(config)
    yield _https(config, now)
    yield _addresses(config)
    yield Finding("open files", machine.few_open_files(config.http.connections_max + FILES_BESIDE))
    yield _disk(config, next(folder for folder in (data, *data.parents) if folder.exists()))


def _dimse_tls(config: Config, now: datetime) -> Finding:
    dimse = config.dimse
    try:
        if ServerTls.of(dimse) is None or dimse.tls_certificate is None or dimse.tls_key is None:
            return Finding("DICOM TLS", note="not configured")
    except ExchangeError as error:
        return Finding("DICOM TLS", str(error))
    faults = list(certificates.faults(dimse.tls_certificate.read_bytes(), dimse.tls_key.read_bytes(), "", now))
    if dimse.tls_ca is not None:
        faults += [f"tls_ca: {fault}" for fault in certificates.authority_faults(dimse.tls_ca.read_bytes(), now)]
    return Finding("DICOM TLS", "; ".join(faults), f"port {dimse.tls_port}, client certificates {dimse.tls_clients}")


def _exposure(config: Config) -> Finding:
    protected = config.http.tls_certificate is not None or config.http.trusted_proxies
    wrong = (
        ""
        if _is_loopback(config.http.host) or protected
        else "HTTP without TLS beyond loopback: set http.tls_certificate or a proxy"
    )
    return Finding(f"HTTP on {config.http.host}:{config.http.port}", wrong)


def _https(config: Config, now: datetime) -> Finding:
    certificate, key = config.http.tls_certificate, config.http.tls_key
    if certificate is None or key is None:
        return Finding("TLS", note="not configured")
    try:
        faults = list(certificates.faults(certificate.read_bytes(), key.read_bytes(), _asked_for(config), now))
        if not faults:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        faults = [f"OpenSSL refuses them: {error.reason}"]
    except OSError as error:
        return Finding("TLS", f"{error.filename}: {error.strerror}")
    return Finding("TLS", f"{certificate} and {key}: {'; '.join(faults)}" if faults else "", str(certificate))


def _asked_for(config: Config) -> str:
    """Return what browsers ask for: the public address, or the one that is listened on when it is one."""
    if config.http.public_url:
        return urlsplit(config.http.public_url).hostname or ""
    host = config.http.host
    return "" if _is_loopback(host) or host in EVERYWHERE else host


def _addresses(config: Config) -> Finding:
    """Look whether what a node listens on is free, unless it runs, which has them."""
    if is_served(config):
        return Finding("addresses", note="a node runs on this folder")
    http, dimse, hl7 = config.http, config.dimse, config.hl7
    wanted = [("HTTP", http.host, http.port, "http.port")]
    if dimse.enabled and dimse.plain:
        wanted.append(("DIMSE", dimse.host, dimse.port, "dimse.port"))
    if dimse.enabled and dimse.tls_port is not None:
        wanted.append(("DICOM TLS", dimse.host, dimse.tls_port, "dimse.tls_port"))
    if hl7.enabled:
        wanted.append(("HL7", hl7.host, hl7.port, "hl7.port"))
    return Finding("addresses", "; ".join(machine.taken_addresses(wanted)), "free")


def _disk(config: Config, folder: Path) -> Finding:
    """Look at the room before the stores are opened, which may fail for want of it."""
    free = shutil.disk_usage(folder).free
    reserve = config.archive.free_bytes_min
    wrong = "" if free > reserve else f"{free >> 20} MiB are free, the reserve is {reserve >> 20} MiB: nothing is taken"
    return Finding("disk", wrong or machine.few_names(folder), f"{free >> 20} MiB free")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
