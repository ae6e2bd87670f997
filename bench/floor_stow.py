r"""The least that a STOW-RS receiver must do to keep the archive's promise: what is left is the machine's.

    python -m bench.floor_stow PORT FOLDER [--unsafe] [--processes N]

A body's parts go from the socket, parted at the boundary, to what must be durable (promise.py), each flushed while the next
comes; the rows of a body share a commit; 200. No header is read but the request's, nothing is checked, counted, logged or
routed, and whatever came is believed: this is no receiver. `--unsafe` leaves every flush out. With `--processes`, so many
more receive, each connection in the next of them, and this one commits what they hand it over Unix sockets.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.promise import Arriving, Index, Row, new_folder
from kernel.archive.blobs.flushing import Flushing

BUFFER_BYTES = 4 << 20
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
BOUNDARY = re.compile(rb'(?i)\r\ncontent-type: .*boundary="?([^";\r]+)')
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 2\r\n\r\n{}"
Commit = Callable[[Sequence[Row]], None]


class Connection:
    """One keep-alive connection."""

    def __init__(self, connection: socket.socket, folder: Path, commit: Commit, *, safe: bool) -> None:
        self._socket = connection
        self._folder = folder
        self._commit = commit
        self._safe = safe
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._begin = self._end = 0  # of what is in the buffer and was not used

    def run(self) -> None:
        """Take bodies until the sender goes, even within one."""
        with self._socket, contextlib.suppress(ConnectionError):
            while self._take():
                self._socket.sendall(OK)

    def _take(self) -> bool:
        while (head_end := self._buffer.find(b"\r\n\r\n", self._begin, self._end)) < 0:
            if not self._receive(BUFFER_BYTES):
                return False
        head = bytes(self._view[self._begin : head_end + 2])
        length, boundary = LENGTH.search(head), BOUNDARY.search(head)
        if length is None or boundary is None:  # somebody looks whether this is here
            self._begin = head_end + 4
            return True
        left = int(length[1]) - (self._end - head_end - 4)
        self._begin = head_end + 2  # the line's end belongs to the first delimiter
        self._body(b"\r\n--" + boundary[1], left)
        return True

    def _body(self, delimiter: bytes, left: int) -> None:
        arriving: Arriving | None = None
        arrived: list[tuple[Arriving, Flushing | None]] = []
        while True:
            at = self._buffer.find(delimiter, self._begin, self._end)
            content_end = at if at >= 0 else max(self._end - len(delimiter) + 1, self._begin)
            if arriving is not None and content_end > self._begin:
                arriving.write(self._view[self._begin : content_end])
                self._begin = content_end
            if at >= 0 and arriving is not None:
                arrived.append((arriving, arriving.finish()))
                arriving = None
            behind = at + len(delimiter)
            if at >= 0 and self._buffer.startswith(b"--", behind, self._end):
                break
            head_end = self._buffer.find(b"\r\n\r\n", behind, self._end) if at >= 0 else -1
            if head_end >= 0:
                arriving, self._begin = Arriving(self._folder, safe=self._safe), head_end + 4
            else:
                left -= self._more(left)
        self._begin = self._end
        while left:
            left -= self._more(left)
            self._begin = self._end
        self._keep(arrived)

    def _keep(self, arrived: list[tuple[Arriving, Flushing | None]]) -> None:
        for _, flushing in arrived:
            if flushing is not None:
                with flushing:
                    flushing.wait()
        self._commit([(one.digest, one.size_bytes, one.digest) for one, _ in arrived])

    def _more(self, most: int) -> int:
        count = self._receive(most)
        if not count:
            raise ConnectionError("the body ends before its last delimiter")
        return count

    def _receive(self, most: int) -> int:
        """Put the next bytes behind what was not used; return how many, 0 when the sender went."""
        kept = self._end - self._begin
        self._view[:kept] = self._view[self._begin : self._end]
        self._begin, self._end = 0, kept
        count = self._socket.recv_into(self._view[kept : kept + most])
        self._end += count
        return count


def _serve(connection: socket.socket, folder: Path, commit: Commit, *, safe: bool) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one = Connection(connection, folder, commit, safe=safe)
    threading.Thread(target=one.run, daemon=True).start()


# --- more processes ---------------------------------------------------------------------------------------------------


def _work(channel: socket.socket, folder: Path, *, safe: bool) -> None:
    """Receive over the connections that come through the channel, each with the socket to its committer."""
    while descriptors := socket.recv_fds(channel, 1, 2)[1]:
        connection, owner = (socket.socket(fileno=descriptor) for descriptor in descriptors)

        def commit(rows: Sequence[Row], owner: socket.socket = owner) -> None:
            owner.send(json.dumps(rows).encode())
            owner.recv(1)

        _serve(connection, folder, commit, safe=safe)


def _own(worker: socket.socket, index: Index) -> None:
    """Commit what the receiver of one connection hands over."""
    while message := worker.recv(1 << 20):
        index.commit(json.loads(message))
        worker.send(b"1")


def _start(folder: Path, *, safe: bool) -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            _work(theirs, folder, safe=safe)
        finally:
            os._exit(0)
    theirs.close()
    return ours


def main() -> int:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unsafe", action="store_true", help="flush nothing")
    parser.add_argument("--processes", type=int, default=0, metavar="N", help="receive in so many more processes")
    options = parser.parse_args()
    folder, safe = options.folder, not options.unsafe
    new_folder(folder)
    workers = [_start(folder, safe=safe) for _ in range(options.processes)]
    index = Index(folder / "index.db", safe=safe)
    with socket.create_server(("127.0.0.1", options.port), backlog=16) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        turn = 0
        while True:
            connection, _ = listener.accept()
            if not workers:
                _serve(connection, folder, index.commit, safe=safe)
                continue
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with connection, theirs:
                socket.send_fds(workers[turn % len(workers)], [b"1"], [connection.fileno(), theirs.fileno()])
            threading.Thread(target=_own, args=(ours, index), daemon=True).start()
            turn += 1


if __name__ == "__main__":
    sys.exit(main())
