"""Blocking sockets: timeouts that cost no system call each time, and sending in parts."""

import socket
import struct

SHORTEST_WAIT_S = 0.001  # a timeout of zero would mean none


def set_timeout(connection: socket.socket, option: int, seconds: float) -> None:
    """Set SO_RCVTIMEO or SO_SNDTIMEO: a call that takes longer raises BlockingIOError."""
    microseconds = int(max(seconds, SHORTEST_WAIT_S) * 1_000_000)
    connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", *divmod(microseconds, 1_000_000)))


def send_parts(connection: socket.socket, *parts: bytes | memoryview) -> None:
    """Send all of it, several parts in one call."""
    waiting = [memoryview(part) for part in parts if len(part)]
    while waiting:
        sent = connection.sendmsg(waiting)
        while waiting and sent >= len(waiting[0]):
            sent -= len(waiting.pop(0))
        if sent:
            waiting[0] = waiting[0][sent:]
