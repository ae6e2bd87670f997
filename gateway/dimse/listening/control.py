"""What the node's process and its listener processes say to each other, over a local socket that keeps message borders.

Connections travel as descriptors beside an `Adopt`. Only two processes of one node speak here, never a stranger.
"""

import socket
import threading
from dataclasses import dataclass, field

import msgspec

from kernel.telemetry import Tally

MESSAGE_BYTES_MAX = 64 * 1024


class Adopt(msgspec.Struct, tag=True, frozen=True):
    """To a listener process: serve this connection; `refuse` when the node has too many."""

    address: str
    refuse: bool
    secure: bool = False  # whether TLS is spoken


class Stop(msgspec.Struct, tag=True, frozen=True):
    """To a listener process: let messages under way end, then leave."""

    timeout_s: float


class Ready(msgspec.Struct, tag=True, frozen=True):
    """From a listener process: connections may come."""


class Closed(msgspec.Struct, tag=True, frozen=True):
    """From a listener process: one connection is closed."""


class Counted(msgspec.Struct, tag=True, frozen=True):
    """From a listener process: what `kernel.telemetry` counted there so far."""

    tally: Tally


Message = Adopt | Stop | Ready | Closed | Counted

_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
_encoder = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class Channel:
    """One end. Many threads may send, one receives."""

    end: socket.socket
    _sending: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: Message, connection: socket.socket | None = None) -> None:
        """Send a message, and a connection with it.

        Raises
        ------
        OSError
            The other process is gone.
        """
        descriptors = [] if connection is None else [connection.fileno()]
        with self._sending:
            socket.send_fds(self.end, [_encoder.encode(message)], descriptors)

    def receive(self) -> tuple[Message, socket.socket | None] | None:
        """Wait for the next message; None when the other process is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.end, MESSAGE_BYTES_MAX, 1)
        except OSError:
            return None
        if not data:
            return None
        connection = socket.socket(fileno=descriptors[0]) if descriptors else None
        return _decoder.decode(data), connection


def channels() -> tuple[Channel, Channel]:
    """Make the two ends."""
    first, second = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(first), Channel(second)
