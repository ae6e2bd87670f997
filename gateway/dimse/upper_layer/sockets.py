"""A connected socket as associations use it: blocking, with timeouts; in the clear here, over TLS in `tls`."""

import contextlib
import select
import socket
import ssl
import struct

SHORTEST_WAIT_S = 0.001  # a timeout of zero would mean none
FEW_BYTES = 1024  # less than a segment has: the peer may be holding back what follows


class Link:
    """A TCP connection. Its timeouts are the kernel's, so that a receive is one system call."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = 0  # bytes, the last time
        connection.settimeout(None)
        with contextlib.suppress(OSError):  # it is gone already: who receives will notice
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self, buffer: memoryview, *, amid: bool = False) -> int:
        """Wait for bytes; 0 at the end. `amid`: the rest of a message is awaited.

        Many peers write a message in two parts and leave TCP_NODELAY off, as DCMTK does: they send the second when the
        first was acknowledged (RFC 896), which a receiver puts off for 40 ms (RFC 1122 4.2.3.2). Here it is at once.
        """
        if amid and self._received < FEW_BYTES:
            with contextlib.suppress(OSError):  # it is gone already: as below
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._received = self.socket.recv_into(buffer)
        return self._received

    def bear(self, *, receive_s: float, send_s: float | None = None) -> None:
        """Set how long a call may take; one that takes longer raises what `is_silence` knows."""
        _set_timeout(self.socket, socket.SO_RCVTIMEO, receive_s)
        if send_s is not None:
            _set_timeout(self.socket, socket.SO_SNDTIMEO, send_s)

    def poll(self, buffer: memoryview) -> int | None:
        """Take what has come; None when nothing has."""
        try:
            return self.socket.recv_into(buffer, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    def send(self, *parts: bytes | memoryview) -> None:
        """Send all of it, several parts in one call."""
        waiting = [memoryview(part) for part in parts if len(part)]
        while waiting:
            sent = self.socket.sendmsg(waiting)
            while waiting and sent >= len(waiting[0]):
                sent -= len(waiting.pop(0))
            if sent:
                waiting[0] = waiting[0][sent:]

    @property
    def alive(self) -> bool:
        """Whether the peer still holds its end and has said nothing unasked."""
        watch = select.poll()  # not select(2), which knows no more than 1024 descriptors
        watch.register(self.socket, select.POLLIN)
        return not watch.poll(0)

    def end(self, how: int) -> None:
        """End reading (SHUT_RD, which wakes who waits) or writing (SHUT_WR); from any thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, how)  # an SSLSocket's own would also forget that it is one

    def close(self) -> None:
        """Close at once."""
        self.socket.close()


class SecureLink(Link):
    """A TLS connection; the timeouts are Python's, as OpenSSL would only try again."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        super().__init__(connection)
        self.secured = connection

    def bear(self, *, receive_s: float, send_s: float | None = None) -> None:
        """Set how long a call may take."""
        del send_s
        self.secured.settimeout(max(receive_s, SHORTEST_WAIT_S))

    def poll(self, buffer: memoryview) -> int | None:
        """Take what has come; None when nothing whole has."""
        patience_s = self.secured.gettimeout()
        self.secured.settimeout(0.0)
        try:
            return self.secured.recv_into(buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        finally:
            self.secured.settimeout(patience_s)

    def send(self, *parts: bytes | memoryview) -> None:
        """Send all of it."""
        self.secured.sendall(b"".join(parts))


def is_silence(error: OSError) -> bool:
    """Whether an error says only that the peer took too long."""
    return isinstance(error, BlockingIOError | TimeoutError)


def _set_timeout(connection: socket.socket, option: int, seconds: float) -> None:
    microseconds = int(max(seconds, SHORTEST_WAIT_S) * 1_000_000)
    connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", *divmod(microseconds, 1_000_000)))
