"""Calling a peer: whom and as whom, the connection, and all the ways in which it cannot be had or is lost."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.dimse.upper_layer.pdu import AssociateReject
from gateway.dimse.upper_layer.sockets import Link, is_silence
from gateway.dimse.upper_layer.tls import ClientTls, UnusableFiles
from routing.transport import Cause

SILENT = "timeout"
_REJECTED: Final[Mapping[tuple[int, int], str]] = MappingProxyType(  # by source and reason, PS3.8 table 9-21
    {
        (1, 1): "it gives no reason; look at its log",
        (1, 2): "it takes this for no DICOM (application context)",
        (1, 3): "it does not know our AE title; look there at which may call, and from which address",
        (1, 7): "it has not the AE title that it was called by; look at how it is written",
        (2, 1): "it gives no reason; look at its log",
        (2, 2): "it speaks another version of the protocol",
        (3, 1): "it is busy now",
        (3, 2): "it has as many associations as it takes",
    }
)


class Lost(Exception):
    """The association cannot be had, or is gone."""

    def __init__(self, cause: Cause, status: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Target:
    """Where to call, as whom, and how long to bear silence."""

    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str
    request_timeout_s: float
    tls: ClientTls | None = None  # None: in the clear


def connected(target: Target) -> Link:
    """Connect, over TLS where the target says so. Raises Lost."""
    try:
        connection = socket.create_connection((target.host, target.port), timeout=target.request_timeout_s)
    except OSError as error:
        raise Lost(Cause.LINK, "connect", f"no connection: {error.strerror or type(error).__name__}") from None
    except UnicodeError:  # of IDNA: a part of the name that is empty, or too long
        raise Lost(Cause.LINK, "connect", "no connection: the host's name is none") from None
    link = Link(connection) if target.tls is None else _secured(connection, target, target.tls)
    link.bear(receive_s=target.request_timeout_s, send_s=target.request_timeout_s)
    return link


def rejected(answer: AssociateReject) -> Lost:
    """Say what a rejection means. Transient: later; by the service's user: a person must change a title; by the provider: another protocol."""
    cause = Cause.FULL if answer.result == 2 else Cause.AUTHENTICATION
    status = f"reject {answer.result}/{answer.source}/{answer.reason}"
    words = _REJECTED.get((answer.source, answer.reason), "a reason of its own; look at its log")
    return Lost(cause, status, f"the peer rejects the association ({status}): {words}")


def broken(error: OSError) -> Lost:
    """Say how a connection broke."""
    if is_silence(error):
        return Lost(Cause.LINK, SILENT, "the peer was silent for too long")
    return Lost(Cause.LINK, "lost", f"connection lost: {error.strerror or type(error).__name__}")


def _secured(connection: socket.socket, target: Target, tls: ClientTls) -> Link:
    try:
        return tls.connect(connection, target.host, target.request_timeout_s)
    except UnusableFiles as error:
        raise Lost(Cause.AUTHENTICATION, "tls", str(error)) from None
    except ssl.SSLError as error:
        # who refuses us, or is not who it should be, does so again: a person must look at the certificates
        raise Lost(
            Cause.AUTHENTICATION, "tls", f"no TLS with the peer: {error.reason or type(error).__name__}"
        ) from None
    except OSError as error:
        raise Lost(Cause.LINK, "tls", f"no TLS with the peer: {error.strerror or type(error).__name__}") from None
    finally:
        connection.close()  # nothing is left in it when the handshake succeeded


def gone() -> Lost:
    """Say that a service was at work when the association ended."""
    return Lost(Cause.LINK, "closed", "the association ended")
