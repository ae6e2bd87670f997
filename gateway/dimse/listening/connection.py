"""One caller's connection: its socket, the protocol core on it, bytes in and out, and how it ended (PS3.8 9.2).

The socket blocks; its timeouts are the kernel's (SO_RCVTIMEO), so a receive is one system call. One buffer serves for the
whole association; data sets go from it to the service without a copy.
"""

import contextlib
import mmap
import socket
import ssl
from typing import TYPE_CHECKING

from gateway.dimse.scp.services import PeerGone
from gateway.dimse.upper_layer.acceptor import Acceptor
from gateway.dimse.upper_layer.indications import Event
from gateway.dimse.upper_layer.pdu import AbortReason
from gateway.dimse.upper_layer.sockets import Link, is_silence
from gateway.dimse.upper_layer.states import State
from gateway.dimse.upper_layer.tls import ServerTls, certificate_of
from gateway.peers import Certificate
from kernel.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024  # touched as far as one receive fills it
CLOSING_S = 2.0  # how long a peer has to close after a release, a rejection or an abort (ARTIM)


class Connection:
    """A socket that somebody called, and the upper layer above it."""

    def __init__(self, connection: socket.socket) -> None:
        self.link = Link(connection)
        self.upper = Acceptor()
        self.ending = "closed by the peer"
        self._buffer = memoryview(b"")
        self._heard: Iterator[Event] = iter(())  # what is left of the bytes that came last

    def secure(self, tls: ServerTls, timeout_s: float) -> Certificate | None:
        """Shake hands and return what the peer proved (PS3.15 annex B). Raises PeerGone."""
        try:
            link = tls.accept(self.link.socket, timeout_s)
        except OSError as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else type(error).__name__
            self.ending = f"no TLS ({reason})"
            self.upper.state = State.CLOSED
            raise PeerGone from None
        self.link = link
        return certificate_of(link)

    def receive(self, *, wait: bool = True) -> int | None:
        """Take in what comes next and return how many bytes, 0 at the end; None when nothing has come and not `wait`."""
        if not self._buffer:
            self._buffer = memoryview(mmap.mmap(-1, RECEIVE_BUFFER_BYTES))  # a bytearray would be written with zeros
        count = self.link.receive(self._buffer, amid=self.upper.busy) if wait else self.link.poll(self._buffer)
        if count:
            self._heard = self.upper.receive(self._buffer[:count])
        return count

    def event(self) -> Event | None:
        """Return the next event of what came, None when there is no more; views in it are good until the next receive."""
        return next(self._heard, None)

    def transmit(self, *parts: bytes | memoryview) -> None:
        """Send bytes. Raises PeerGone."""
        try:
            self.link.send(*parts)
        except OSError as error:
            self.broken(error)
            raise PeerGone from None

    def flush(self) -> None:
        """Send what the upper layer has to say. Raises PeerGone."""
        data = self.upper.outgoing()
        if data:
            self.transmit(data)

    def abort(self, ending: str, reason: AbortReason | None) -> None:
        """Abort, if that is still possible; raises nothing."""
        self.ending = ending
        self.upper.abort(reason)
        with contextlib.suppress(OSError):
            self.link.send(self.upper.outgoing())

    def broken(self, error: OSError) -> None:
        """Note how the connection ended; a peer that is only silent is told."""
        if is_silence(error):
            self.abort("silent", AbortReason.NOT_SPECIFIED)
        else:
            self.ending = f"connection lost ({error.errno})"

    def close(self, clock: Clock) -> None:
        """Let the peer read our last word before the connection goes: it closes, or CLOSING_S pass."""
        if self.upper.state is State.AWAITING_CLOSE:
            with contextlib.suppress(OSError):
                self.link.end(socket.SHUT_WR)
                scrap = memoryview(bytearray(64 * 1024))
                deadline_s = clock.monotonic_s() + CLOSING_S
                while (left_s := deadline_s - clock.monotonic_s()) > 0:
                    self.link.bear(receive_s=left_s)
                    if not self.link.receive(scrap):
                        break
        self.link.close()
