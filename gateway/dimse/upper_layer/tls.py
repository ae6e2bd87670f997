"""DICOM over TLS: contexts of the BCP 195 profile, both sides, and what a client's certificate says (PS3.15 annex B).

TLS 1.2 and 1.3 with ephemeral keys and authenticated encryption only, as RFC 9325 4.2 recommends; no compression, no
renegotiation, no downgrade. Who asks for less is not served.
"""

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

from gateway.dimse.upper_layer.sockets import SecureLink
from gateway.peers import Certificate
from kernel import telemetry
from kernel.config import DimseConfig
from kernel.errors import InvalidConfiguration

# Of TLS 1.2, in our order of preference (RFC 9325 4.2 and its 128 and 256 bit kin); those of TLS 1.3 are all good.
CIPHERS: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
CLIENTS: Final = MappingProxyType({"off": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED})
SEALED: Final = "the key is sealed with a password; a node cannot be asked for it"
_SHORT: Final[Mapping[str, str]] = {  # names of attributes as people write them (RFC 4514 3)
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "countryName": "C",
}

_log = telemetry.get_logger("gateway.dimse")


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What a TLS listener works with."""

    certificate: Path
    key: Path
    ca: Path | None
    clients: Literal["off", "optional", "required"]

    @classmethod
    def of(cls, config: DimseConfig) -> "ServerFiles | None":
        """Return the files of the configuration, None without a TLS port."""
        if config.tls_port is None or config.tls_certificate is None or config.tls_key is None:
            return None
        return cls(config.tls_certificate, config.tls_key, config.tls_ca, config.tls_clients)

    def context(self) -> ssl.SSLContext:
        """Read the files.

        Raises
        ------
        OSError
            One cannot be read, is no certificate or key, or they do not go together (ssl.SSLError).
        """
        context = _restricted(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        load_chain(context, self.certificate, self.key)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 0  # associations are few, and every one proves its client anew
        if self.ca is not None:
            context.load_verify_locations(self.ca)
        context.verify_mode = CLIENTS[self.clients]
        return context

    def seen(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when a file does."""
        stats = [file.stat() for file in (self.certificate, self.key, self.ca) if file is not None]
        return tuple((one.st_mtime_ns, one.st_ino) for one in stats)


class ServerTls:
    """The TLS of a listener; reads its files again when they change."""

    @classmethod
    def of(cls, config: DimseConfig) -> "ServerTls | None":
        """Read the files of the configuration; None without a TLS port.

        Raises
        ------
        InvalidConfiguration
            They cannot be used.
        """
        files = ServerFiles.of(config)
        if files is None:
            return None
        try:
            return cls(files)
        except OSError as error:  # ssl.SSLError is one
            why = getattr(error, "reason", None) or f"{error.filename}: {error.strerror}"
            reason = f"it, tls_key or tls_ca cannot be used: {why}"
            raise InvalidConfiguration(source=files.certificate, key="dimse.tls_certificate", reason=reason) from None

    def __init__(self, files: ServerFiles) -> None:
        """Read the files. Raises OSError."""
        self._files = files
        self._lock = threading.Lock()
        self._seen = files.seen()
        self._context = files.context()

    def accept(self, connection: socket.socket, timeout_s: float) -> SecureLink:
        """Shake hands with who calls; `connection` is used up.

        Raises
        ------
        OSError
            The peer does not speak TLS as the profile wants it, proves nothing, or is silent.
        """
        connection.settimeout(timeout_s)  # of the whole handshake
        secured = self._current().wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return _shaken(secured, timeout_s)

    def _current(self) -> ssl.SSLContext:
        with self._lock, contextlib.suppress(OSError):  # being replaced, or shut to this account: next time
            seen = self._files.seen()
            if seen != self._seen:
                self._seen = seen
                try:
                    self._context = self._files.context()
                except OSError as error:  # what was good is kept
                    _log.error("tls_files_unusable", error=getattr(error, "reason", None) or type(error).__name__)
                else:
                    _log.info("tls_files_read")
            return self._context
        return self._context


class UnusableFiles(Exception):
    """A file to call with cannot be used; says which, and why."""


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How to call over TLS: whom to believe, as whom, and which name the peer must have."""

    ca_file: Path | None = None  # None: the authorities of the machine
    certificate: Path | None = None
    key: Path | None = None
    name: str = ""  # in the peer's certificate; empty: the host that is called

    def connect(self, connection: socket.socket, host: str, timeout_s: float) -> SecureLink:
        """Shake hands with who was called; `connection` is used up.

        Raises
        ------
        UnusableFiles
            A file cannot be read, or is not what it should be.
        OSError
            The peer is not who it should be.
        """
        context = _restricted(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        if self.ca_file is None:
            context.load_default_certs()
        else:
            with _named(self.ca_file):
                context.load_verify_locations(self.ca_file)
        if self.certificate is not None:
            with _named(self.certificate, self.key):
                load_chain(context, self.certificate, self.key)
        connection.settimeout(timeout_s)
        secured = context.wrap_socket(connection, server_hostname=self.name or host, do_handshake_on_connect=False)
        return _shaken(secured, timeout_s)


@contextlib.contextmanager
def _named(*files: Path | None) -> Generator[None]:
    """Say which files they are that OpenSSL cannot use; of one that is not there it does not say so itself."""
    try:
        for file in files:
            if file is not None:
                file.open("rb").close()
        yield
    except ssl.SSLError as error:
        told = " with ".join(str(file) for file in files if file is not None)
        raise UnusableFiles(f"{told} cannot be used: {error.reason or 'not in PEM'}") from None
    except OSError as error:
        raise UnusableFiles(f"{error.filename} cannot be read: {error.strerror}") from None


def certificate_of(link: SecureLink) -> Certificate | None:
    """Return what the peer proved, None when it showed no certificate."""
    encoded = link.secured.getpeercert(binary_form=True)
    if encoded is None:
        return None
    told = link.secured.getpeercert() or {}
    subject = cast("tuple[tuple[tuple[str, str], ...], ...]", told.get("subject", ()))
    names = frozenset((_SHORT.get(key, key), value) for part in subject for key, value in part)
    return Certificate(hashlib.sha256(encoded).hexdigest(), names)


def load_chain(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Give a context its certificate and key. A key that is sealed is refused: OpenSSL would ask for it on the terminal.

    Raises
    ------
    OSError
        One cannot be read, is no certificate or key, is sealed, or they do not go together (ssl.SSLError).
    """
    context.load_cert_chain(certificate, key, _sealed)


def _sealed() -> str:
    error = ssl.SSLError(SEALED)
    error.reason = SEALED
    raise error


def _restricted(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(CIPHERS))
    return context


def _shaken(secured: ssl.SSLSocket, timeout_s: float) -> SecureLink:
    try:
        secured.do_handshake()
        link = SecureLink(secured)
        link.bear(receive_s=timeout_s)
    except BaseException:
        secured.close()
        raise
    return link
