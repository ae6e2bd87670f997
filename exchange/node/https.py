"""HTTPS from files that may be renewed while the node runs: the next handshake has the new certificate.

TLS 1.2 and 1.3 with Python's choice of suites: ephemeral keys, and authenticated encryption before all else. uvicorn's
own context has of TLS 1.2 those of 1999 alone.
"""

import ssl
from pathlib import Path
from typing import Final

from gateway.dimse.upper_layer.tls import load_chain
from kernel import telemetry
from kernel.config import HttpConfig
from kernel.errors import InvalidConfiguration

_log: Final = telemetry.get_logger("exchange")


class RenewedFiles:
    """Looks at the files of a certificate and its key with each handshake; what was good is kept until both are."""

    @classmethod
    def of(cls, http: HttpConfig) -> "RenewedFiles | None":
        """Read the files of the configuration; None without them.

        Raises
        ------
        InvalidConfiguration
            They cannot be used.
        """
        certificate, key = http.tls_certificate, http.tls_key
        if certificate is None or key is None:
            return None
        try:
            return cls(certificate, key)
        except OSError as error:  # ssl.SSLError is one
            reason = f"it or tls_key cannot be used: {getattr(error, 'reason', None) or error.strerror}"
            raise InvalidConfiguration(source=certificate, key="http.tls_certificate", reason=reason) from None

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files. Raises OSError."""
        self._certificate, self._key = certificate, key
        self._seen = self._stamps()
        self._context = self._read()
        self.context = self._read()  # what the listener begins each handshake with
        self.context.sni_callback = self._chosen

    def _chosen(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Give a handshake the context of the files as they are now; called for each, also for one without a name."""
        del name, context
        seen = self._stamps()
        if seen is not None and seen != self._seen:
            self._seen = seen
            try:
                self._context = self._read()
            except OSError as error:  # one of the two is still the old one, or worse
                _log.error("tls_files_unusable", error=getattr(error, "reason", None) or type(error).__name__)
            else:
                _log.info("tls_files_read")
        connection.context = self._context

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_chain(context, self._certificate, self._key)
        return context

    def _stamps(self) -> tuple[tuple[int, int], ...] | None:
        try:
            return tuple((one.st_mtime_ns, one.st_ino) for one in (self._certificate.stat(), self._key.stat()))
        except OSError:  # being replaced, or in a folder that is shut to this account: next time
            return None
