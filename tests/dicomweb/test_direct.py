"""Stored bytes straight from the files to the socket: the same bytes, for fast, slow and vanishing clients."""

import asyncio
import http.client
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.dicomweb.http import direct
from gateway.dicomweb.http.answers import Streamed
from gateway.dicomweb.http.direct import Direct, Parts
from gateway.dicomweb.http.spans import FileSpan
from kernel.errors import BlobMissing
from tests.dicomweb.conftest import Node
from tests.dicomweb.test_wado import url_of
from tests.support.builders import a_ct, a_ct_series
from tests.support.nodes import wait_until


@pytest.fixture
def turns(monkeypatch) -> list[direct.Turn]:
    """What each turn brought: that bytes went this way at all."""
    seen: list[direct.Turn] = []
    real = Parts.push

    def push(self, connection):
        turn = real(self, connection)
        seen.append(turn)
        return turn

    monkeypatch.setattr(Parts, "push", push)
    return seen


def request_of(node: Node, path: str, more: str = "") -> bytes:
    host = node.url.removeprefix("http://")
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {node.token}\r\n{more}\r\n".encode()


def connected(node: Node, receive_bytes: int = 0) -> socket.socket:
    host, port = node.url.removeprefix("http://").split(":")
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(20)
    connection.connect((host, int(port)))
    return connection


def test_a_study_goes_straight_from_the_files_whole_and_in_order(node, turns):
    slices = list(a_ct_series(6, rows=512, columns=512))
    node.store(*slices)
    path = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"

    answers = [node.get(path) for _ in range(2)]

    assert sum(turn.sent for turn in turns) == sum(int(one.headers["content-length"]) for one in answers)
    assert all(ds.PixelData in answers[0].content for ds in slices)
    assert len(answers[0].content) == len(answers[1].content)


def test_the_connection_is_good_for_the_next_request(node, turns):
    ds = a_ct(rows=1024, columns=1024)
    node.store(ds)
    host, port = node.url.removeprefix("http://").split(":")
    headers = {"Authorization": f"Bearer {node.token}", "Accept": "application/dicom"}
    with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as client:
        for path in (url_of(ds), url_of(ds) + "/metadata", url_of(ds), url_of(ds) + "/frames/1"):
            asked = {**headers, "Accept": "*/*"} if path != url_of(ds) else headers
            client.request("GET", path, headers=asked)
            answer = client.getresponse()
            assert answer.status == 200
            assert len(answer.read()) == int(answer.headers["content-length"])

    assert sum(turn.is_last for turn in turns) == 2


def test_two_requests_at_once_on_one_connection_are_answered_one_after_the_other(node, turns):
    ds = a_ct(rows=1024, columns=1024)
    node.store(ds)
    with closing(connected(node)) as connection:
        connection.sendall(request_of(node, url_of(ds)) + request_of(node, url_of(ds), "Connection: close\r\n"))
        content = b""
        while chunk := connection.recv(1 << 20):
            content += chunk

    assert content.count(ds.PixelData) == content.count(b"HTTP/1.1 200 OK") == 2


def test_a_slow_client_gets_everything_by_and_by(node, turns):
    slices = list(a_ct_series(10, rows=1024, columns=1024))
    for ds in slices:
        node.store(ds)
    path = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"
    with closing(connected(node, receive_bytes=65536)) as connection:
        connection.sendall(request_of(node, path, "Connection: close\r\n"))
        wait_until(lambda: any(turn.is_full for turn in turns), what="a full connection")
        size = 0
        while chunk := connection.recv(65536):
            size += len(chunk)

    assert size > 10 * len(slices[0].PixelData)


def test_a_client_that_vanishes_leaves_nothing_behind(node, turns):
    slices = list(a_ct_series(20, rows=1024, columns=1024))
    for ds in slices:
        node.store(ds)
    path = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"
    before = open_files()
    for _ in range(5):
        with closing(connected(node, receive_bytes=65536)) as connection:
            connection.sendall(request_of(node, path))
            connection.recv(65536)

    assert node.get(f"{url_of(slices[0])}/metadata").status_code == 200
    for _ in range(200):
        if open_files() <= before:
            break
        threading.Event().wait(0.05)
    assert open_files() <= before


def test_a_client_that_takes_nothing_is_dropped(tmp_path, turns):
    content = tmp_path / "blob"
    content.write_bytes(b"x" * (32 << 20))
    with served(FileSpan(content, 0, 32 << 20), silence_s=0.3) as url, closing(connected_to(url)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        threading.Event().wait(1)  # what the kernel holds for the client is full by then, and nobody takes it
        size = 0
        while chunk := connection.recv(1 << 20):
            size += len(chunk)

    assert size < 32 << 20


def test_a_client_that_takes_less_than_the_least_speed_is_dropped_though_it_takes_some(tmp_path, monkeypatch):
    content = tmp_path / "blob"
    content.write_bytes(b"x" * (32 << 20))
    monkeypatch.setattr(direct, "RATE_BYTES_S_MIN", 1 << 40)  # more than this client's

    with served(FileSpan(content, 0, 32 << 20), silence_s=0.3) as url, closing(connected_to(url)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        size = 0
        while chunk := connection.recv(1 << 18):  # never silent for so long
            size += len(chunk)
            threading.Event().wait(0.02)

    assert size < 32 << 20


def test_a_file_that_is_shorter_than_it_was_ends_the_connection(tmp_path, turns):
    content = tmp_path / "blob"
    content.write_bytes(b"x" * (1 << 20))
    with served(FileSpan(content, 0, 2 << 20)) as url, closing(connected_to(url)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        size = 0
        while chunk := connection.recv(1 << 20):
            size += len(chunk)

    assert (1 << 20) < size < (2 << 20)


def test_a_file_that_is_not_there_is_told_before_anything_was_promised(tmp_path):
    with pytest.raises(BlobMissing):
        Parts([b"head", FileSpan(tmp_path / "nothing", 0, 10)]).begin()


def test_small_answers_go_the_usual_way(node, turns):
    ds = a_ct()
    node.store(ds)

    assert node.get(url_of(ds)).status_code == 200
    assert turns == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class served:  # noqa: N801 (reads as a word)
    """One answer on loopback, by uvicorn with asyncio's own loop."""

    def __init__(self, span: FileSpan, silence_s: float = 20) -> None:
        self._threads = ThreadPoolExecutor(2)

        async def app(scope, receive, send):
            await Streamed({}, [span], self._threads, silence_s)(scope, receive, send)

        config = uvicorn.Config(
            Direct(Starlette(routes=[Route("/", app_of(app))])), lifespan="off", log_config=None, loop="asyncio"
        )
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> int:
        self._thread.start()
        return self._socket.getsockname()[1]

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._threads.shutdown()


class app_of:  # noqa: N801 (reads as a word)
    """An ASGI application as an endpoint."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        with suppress(BlobMissing):
            await self._app(scope, receive, send)


def connected_to(port: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.settimeout(20)
    connection.connect(("127.0.0.1", port))
    return connection


def test_no_descriptor_is_closed_under_a_turn_when_its_request_is_cancelled():
    begun, may_end, seen = threading.Event(), threading.Event(), list[int]()

    class Turning(Parts):
        def push(self, connection):
            begun.set()
            may_end.wait(20)
            seen.append(connection.fileno())
            return direct.Turn(0, is_full=False, is_last=True)

    async def cancelled() -> None:
        loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor(1)
        ours, theirs = socket.socketpair()
        transport = SimpleNamespace(
            set_write_buffer_limits=lambda **_: None, get_extra_info=lambda _: ours, is_closing=lambda: False
        )
        flow = SimpleNamespace(drain=lambda: asyncio.sleep(0))
        cycle = SimpleNamespace(transport=transport, flow=flow, disconnected=False, expected_content_length=0)
        sending = asyncio.ensure_future(direct.Line(cycle).send(Turning([]), threads, 20))
        assert await loop.run_in_executor(None, begun.wait, 20)
        sending.cancel()
        await asyncio.wait({sending}, timeout=0.1)
        may_end.set()
        with suppress(asyncio.CancelledError):
            await sending
        threads.shutdown()
        ours.close()
        theirs.close()

    thread = threading.Thread(target=asyncio.run, args=[cancelled()])  # another test's loop may be in this one
    thread.start()
    thread.join(60)

    assert len(seen) == 1
    assert seen[0] >= 0
