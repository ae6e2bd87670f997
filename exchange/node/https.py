"""HTTPS from files that may be renewed while the node runs: the next handshake has the new certificate."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kernel import telemetry

_log: Final = telemetry.get_logger("exchange")


class RenewedFiles:
    """Looks at the files of a certificate and its key with each handshake; what was good is kept until both are."""

    def __init__(self, files: tuple[Path, ...], read: Callable[[], ssl.SSLContext]) -> None:
        """Read the files by `read`, which raises OSError (ssl.SSLError) when they cannot be used."""
        self._files = files
        self._read = read
        self._seen = self._stamps()
        self._context = read()
        self.context = read()  # what the listener begins each handshake with
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

    def _stamps(self) -> tuple[tuple[int, int], ...] | None:
        try:
            return tuple((one.st_mtime_ns, one.st_ino) for one in (file.stat() for file in self._files))
        except OSError:  # being replaced, or in a folder that is shut to this account: next time
            return None
