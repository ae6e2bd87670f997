"""Calling a peer: whom and as whom, the connection, and all the ways in which it cannot be had or is lost."""

import socket
import ssl
from dataclasses import dataclass

from gateway.dimse.upper_layer.pdu import AssociateReject
from gateway.dimse.upper_layer.sockets import Link, is_silence
from gateway.dimse.upper_layer.tls import ClientTls
from routing.transport import Cause

SILENT = "timeout"


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
    link = Link(connection) if target.tls is None else _secured(connection, target, target.tls)
    link.bear(receive_s=target.request_timeout_s, send_s=target.request_timeout_s)
    return link


def rejected(answer: AssociateReject) -> Lost:
    """Say what a rejection means. Transient: later; by the service's user: a person must change a title; by the provider: another protocol."""
    cause = Cause.FULL if answer.result == 2 else Cause.AUTHENTICATION
    status = f"reject {answer.result}/{answer.source}/{answer.reason}"
    return Lost(cause, status, f"the peer rejects the association (PS3.8 table 9-21: {status})")


def broken(error: OSError) -> Lost:
    """Say how a connection broke."""
    if is_silence(error):
        return Lost(Cause.LINK, SILENT, "the peer was silent for too long")
    return Lost(Cause.LINK, "lost", f"connection lost: {error.strerror or type(error).__name__}")


def _secured(connection: socket.socket, target: Target, tls: ClientTls) -> Link:
    try:
        return tls.connect(connection, target.host, target.request_timeout_s)
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
