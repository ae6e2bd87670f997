"""The ports of a DIMSE listener: one in the clear, one for TLS, and the threads that accept on them."""

import contextlib
import socket
import threading
from collections.abc import Callable

from kernel.config import DimseConfig
from kernel.listening import cannot_listen

BACKLOG = 128
SOCKET_BUFFER_BYTES = 1024 * 1024
OUT_OF_DESCRIPTORS_S = 0.1  # to let some associations end

Taken = Callable[[socket.socket, str, bool], None]  # a connection, the peer's address, whether TLS is spoken


class Ports:
    """What is listened on."""

    def __init__(self, config: DimseConfig) -> None:
        """Bind and listen; port 0 takes a free one.

        Raises
        ------
        InvalidConfiguration
            The address or a port cannot be had.
        """
        self._closed = threading.Event()
        self._plain = _open(config, config.port, "dimse.port") if config.plain else None
        try:
            secure = config.tls_port
            self._secure = None if secure is None else _open(config, secure, "dimse.tls_port")
        except BaseException:
            self.close()
            raise

    @property
    def plain(self) -> int:
        """The port in the clear; the one for TLS when there is no other."""
        taken = self._plain or self._secure
        assert taken is not None
        return taken.getsockname()[1]

    @property
    def secure(self) -> int | None:
        """The port for TLS."""
        return None if self._secure is None else self._secure.getsockname()[1]

    def accept(self, taken: Taken) -> None:
        """Give every connection to `taken`, from a thread for each port, until `close`."""
        for listening in (self._plain, self._secure):
            if listening is not None:
                arguments = (listening, taken, listening is self._secure)
                threading.Thread(target=self._run, args=arguments, name="dimse-accept", daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._closed.set()
        for listening in (self._plain, getattr(self, "_secure", None)):
            if listening is not None:
                with contextlib.suppress(OSError):
                    listening.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
                listening.close()

    def _run(self, listening: socket.socket, taken: Taken, secure: bool) -> None:  # noqa: FBT001 (a thread's argument)
        while not self._closed.is_set():
            try:
                connection, peer = listening.accept()
            except OSError:
                self._closed.wait(OUT_OF_DESCRIPTORS_S)
            else:
                taken(connection, str(peer[0]), secure)


def _open(config: DimseConfig, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with contextlib.ExitStack() as undone:
        try:
            listening = undone.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)  # connections inherit it
            listening.bind((config.host, port))
            listening.listen(BACKLOG)
        except OSError as error:
            raise cannot_listen(config.host, port, setting, error) from error
        undone.pop_all()
    return listening
