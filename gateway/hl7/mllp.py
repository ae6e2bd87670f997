"""The Minimal Lower Layer Protocol (HL7 v2 Transport Specification, MLLP release 1): bytes in, messages out. No sockets.

A message travels as 0x0B message 0x1C 0x0D. Some senders leave out the last byte, and some put line ends between
messages; both are taken. Anything else between messages is not MLLP.
"""

from typing import Final

from kernel.errors import InvalidRequest, LimitExceeded

START: Final = b"\x0b"
END: Final = b"\x1c"


def framed(message: bytes) -> bytes:
    """Return a message as it travels."""
    return START + message + END + b"\r"


class Deframer:
    """Takes what comes and gives whole messages; keeps at most one message and one piece."""

    def __init__(self, message_bytes_max: int) -> None:
        self._max = message_bytes_max
        self._buffer = bytearray()
        self._inside = False

    @property
    def inside(self) -> bool:
        """Whether a message has begun and is not whole."""
        return self._inside

    def receive(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now, in order.

        Raises
        ------
        LimitExceeded
            A message is longer than it may be; there is no way on from here.
        InvalidRequest
            Something else than a message began.
        """
        messages: list[bytes] = []
        position = 0
        while position < len(data):
            if not self._inside:
                self._begin(data[position : position + 1])
                position += 1
                continue
            end = data.find(END, position)
            piece = data[position : len(data) if end < 0 else end]
            if len(self._buffer) + len(piece) > self._max:
                raise LimitExceeded(
                    limit="hl7.message_bytes_max", value=len(self._buffer) + len(piece), bound=self._max
                )
            self._buffer += piece
            position += len(piece) + 1
            if end >= 0:
                messages.append(bytes(self._buffer))
                self._buffer.clear()
                self._inside = False
        return messages

    def _begin(self, first: bytes) -> None:
        if first == START:
            self._inside = True
        elif first not in (b"\r", b"\n"):
            raise InvalidRequest(reason="not MLLP: a message does not begin with 0x0B")
