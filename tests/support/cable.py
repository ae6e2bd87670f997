"""The line between two nodes as something a test can pull: a TCP relay on loopback."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

PIECE_BYTES = 16 * 1024


class Cable:
    """Relays connections to a port. Pulled, it carries nothing and tells nobody, as a cable does."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._pull_after: int | None = None
        self.carried = 0  # bytes towards the port
        self.pulled = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def pull_after(self, more: int) -> None:
        """Pull it when so many further bytes went towards the port."""
        self._pull_after = self.carried + more

    def plug_in(self, port: int | None = None) -> None:
        """Carry again, to another port if one is given; what was on the way when it was pulled is lost."""
        self._to = port or self._to
        self._pull_after = None
        self.pulled.clear()
        self._whole.set()

    def close(self) -> None:
        self._listening.close()
        self._whole.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        if not self._whole.is_set():
            self._whole.wait()
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            near.close()
            return
        back = threading.Thread(target=self._carry, args=(far, near, False), daemon=True)
        back.start()
        self._carry(near, far, True)

    def _carry(self, source: socket.socket, sink: socket.socket, is_towards: bool) -> None:
        try:
            while piece := source.recv(PIECE_BYTES):
                if not self._whole.is_set():
                    break
                sink.sendall(piece)
                if is_towards:
                    self.carried += len(piece)
                    if self._pull_after is not None and self.carried >= self._pull_after:
                        self._whole.clear()
                        self.pulled.set()
                        break
        except OSError:
            pass
        if not self._whole.is_set():
            self._whole.wait()  # nobody hears of it before
        for end in (source, sink):
            end.close()


@contextmanager
def a_cable(port: int) -> Generator[Cable]:
    """A cable to a port, gone at the end."""
    made = Cable(port)
    try:
        yield made
    finally:
        made.close()
