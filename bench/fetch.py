"""A small HTTP/1.1 client on raw sockets, the same for every server that a bench compares: it reads and throws away."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from bench.peers import Server

T = TypeVar("T")
BUFFER_BYTES = 1024 * 1024
HEAD_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its body counted; the first bytes kept."""

    status: int
    body_bytes: int
    head: bytes


class Client:
    """One keep-alive connection."""

    def __init__(self, server: Server) -> None:
        self._base = urlsplit(server.dicomweb)
        self._token = server.token
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        assert self._base.hostname is not None
        assert self._base.port is not None
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection((self._base.hostname, self._base.port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str, accept: str) -> Answer:
        """Get a resource below the base URL."""
        return self._ask("GET", path, [f"Accept: {accept}", "Accept-Encoding: gzip"])

    def post(
        self, path: str, content_type: str, body: Sequence[bytes], accept: str = "application/dicom+json"
    ) -> Answer:
        """Post a body, given in pieces, to a resource below the base URL."""
        length = sum(map(len, body))
        fields = [f"Content-Type: {content_type}", f"Content-Length: {length}", f"Accept: {accept}"]
        return self._ask("POST", path, fields, body)

    def _ask(self, method: str, path: str, fields: list[str], body: Sequence[bytes] = ()) -> Answer:
        lines = [f"{method} {self._base.path}{path} HTTP/1.1", f"Host: {self._base.netloc}", *fields]
        lines += [f"Authorization: Bearer {self._token}"] if self._token else []
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        for piece in body:
            self._socket.sendall(piece)
        head, rest = b"", b""
        while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MAX:
            head += self._receive()
        head, _, rest = head.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        status = int(head.split(b" ", 2)[1])
        if fields.get(b"transfer-encoding") == b"chunked":
            return Answer(status, self._chunked(rest), rest[:HEAD_BYTES_MAX])
        if b"content-length" not in fields and fields.get(b"connection") == b"close":
            return Answer(status, self._to_the_end(rest), rest[:HEAD_BYTES_MAX])
        length = int(fields.get(b"content-length", b"0"))
        left = length - len(rest)
        while left > 0:
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise ConnectionError("the server hung up")
            left -= count
        return Answer(status, length, rest[:HEAD_BYTES_MAX])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _to_the_end(self, rest: bytes) -> int:
        """Read a body that ends with the connection, as Orthanc's of a series; the next request gets a new one."""
        total = len(rest)
        while count := self._socket.recv_into(self._buffer):
            total += count
        self._socket.close()
        self._connect()
        return total

    def _receive(self) -> bytes:
        count = self._socket.recv_into(self._buffer)
        if not count:
            raise ConnectionError("the server hung up")
        return bytes(self._buffer[:count])

    def _chunked(self, waiting: bytes) -> int:
        """Read a chunked body (RFC 9112 7.1) and return its length; chunks are skipped, not joined."""
        total = 0
        while True:
            while b"\r\n" not in waiting:
                waiting += self._receive()
            line, _, waiting = waiting.partition(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            total += size
            left = size + 2 - len(waiting)
            if left <= 0:
                waiting = waiting[size + 2 :]
            while left > 0:
                piece = self._socket.recv_into(self._buffer)
                if not piece:
                    raise ConnectionError("the server hung up")
                waiting = bytes(self._buffer[left:piece]) if piece > left else b""
                left -= piece
            if not size:
                return total


def get_all(server: Server, paths: list[str], accept: str, connections: int) -> tuple[float, int]:
    """Get every path once over some connections; return the seconds and the bytes of all bodies."""
    return _each(server, paths, connections, lambda client, path: client.get(path, accept))


def post_all(
    server: Server, path: str, content_type: str, bodies: Sequence[Sequence[bytes]], connections: int
) -> float:
    """Post every body once to a path over some connections; return the seconds."""
    return _each(server, bodies, connections, lambda client, body: client.post(path, content_type, body))[0]


def _each(
    server: Server, items: Sequence[T], connections: int, ask: Callable[[Client, T], Answer]
) -> tuple[float, int]:
    clients = [Client(server) for _ in range(connections)]
    counts = [0] * connections
    failures: list[str] = []

    def work(number: int) -> None:
        try:
            for item in items[number::connections]:
                answer = ask(clients[number], item)
                if answer.status != 200:
                    failures.append(f"{answer.status} {answer.head[:300]!r}")
                    return
                counts[number] += answer.body_bytes
        except (OSError, ValueError) as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begun
    for client in clients:
        client.close()
    if failures:
        raise RuntimeError(f"{server.name}: {failures[0]}")
    return elapsed, sum(counts)


def count_json(server: Server, path: str) -> int:
    """Return how many items a JSON answer has, to see that servers gave the same."""
    request = urllib.request.Request(server.dicomweb + path, headers={"Accept": "application/dicom+json"})
    if server.token:
        request.add_header("Authorization", f"Bearer {server.token}")
    with urllib.request.urlopen(request, timeout=120) as answer:
        return len(json.load(answer))
