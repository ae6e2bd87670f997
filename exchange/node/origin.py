"""Where a person opens a node that listens on every address: a name that its certificate has, or this computer's own address.

No packet is sent, and no name server is asked: the system only says by which of its addresses it would reach others.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509

from exchange.node.certificates import names_of
from kernel.config import HttpConfig

EVERYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 (compared with)
_ELSEWHERE: Final = (  # of networks for documentation: nobody is there (RFC 5737, RFC 3849)
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)
_DEFAULTS: Final = {"http": 80, "https": 443}


def local_origin(http: HttpConfig, port: int) -> str:
    """Return the origin for programs of this computer."""
    return _origin(http, "127.0.0.1" if http.host in EVERYWHERE else http.host, port)


def told_origin(http: HttpConfig, port: int, own_address: Callable[[], str]) -> str:
    """Return the origin that a person can open: as configured, else as the certificate or this computer is called."""
    if http.public_url:
        return http.public_url.rstrip("/")
    if http.host not in EVERYWHERE:
        return local_origin(http, port)
    return _origin(http, _certified(http.tls_certificate) or own_address(), port)


def told_host(host: str, own_address: Callable[[], str]) -> str:
    """Return the host that a modality is told of a listener."""
    return own_address() if host in EVERYWHERE else host


def own_address() -> str:
    """Return the address by which others reach this computer; its loopback address where it is on no network."""
    for family, elsewhere in _ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((elsewhere, 9))
            return str(unsent.getsockname()[0])
    return "127.0.0.1"


def _origin(http: HttpConfig, host: str, port: int) -> str:
    scheme = "https" if http.tls_certificate else "http"
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}" + ("" if port == _DEFAULTS[scheme] else f":{port}")


def _certified(certificate: Path | None) -> str:
    """Return the first name, or address, that a certificate is for; empty when it has none that one could open."""
    if certificate is None:
        return ""
    with suppress(OSError, ValueError):
        names, addresses = names_of(x509.load_pem_x509_certificates(certificate.read_bytes())[0])
        reached = [one for one in names if one != "localhost" and not one.startswith("*")]
        return next(iter(reached + [one for one in addresses if _is_reached(one)]), "")
    return ""


def _is_reached(address: str) -> bool:
    try:
        return not ip_address(address).is_loopback
    except ValueError:  # a network is no address
        return False
