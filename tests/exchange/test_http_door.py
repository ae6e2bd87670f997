"""The HTTP listener bounds heads and connections before any request is read."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from exchange.node import http_door
from exchange.node.http_door import HEAD_BYTES_MAX, HEADERS_MAX, Door
from exchange.node.seated import Seated
from exchange.node.supervise import uvicorn_settings
from gateway.addresses import read_network
from kernel.config import HttpConfig
from kernel.errors import InvalidConfiguration
from tests.support.nodes import wait_until

SOON_S = 10.0


@contextmanager
def a_listener(send_bytes: int = 0, seats: int = 8, **bounds) -> Iterator[SimpleNamespace]:
    """Run an application behind a door of its own; the kernel keeps `send_bytes` of answers, 0 for what it likes."""
    door = Door(**{"requests_max": 8, "connections_max": 64, "connections_per_address_max": 32} | bounds)
    begun, release = threading.Event(), threading.Event()

    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def waiting(_: Request) -> PlainTextResponse:
        begun.set()
        await asyncio.to_thread(release.wait, SOON_S)
        return PlainTextResponse("done")

    async def large(_: Request) -> StreamingResponse:
        return StreamingResponse(bytes(1024 * 1024) for _ in range(64))

    async def events(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("open")
        await websocket.receive()

    app = Starlette(
        routes=[
            Route("/", echo, methods=["GET", "POST"]),
            Route("/wait", waiting),
            Route("/large", large),
            WebSocketRoute("/events", events),
        ]
    )
    seated = Seated(app, seats, door.trusted_proxies)
    config = uvicorn.Config(seated, http=door.connection, ws="websockets-sansio", lifespan="off", log_config=None)  # type: ignore[arg-type]  # as in exchange/node/supervise.py
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    if send_bytes:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        port = listening.getsockname()[1]
        yield SimpleNamespace(port=port, url=f"http://127.0.0.1:{port}", door=door, begun=begun, release=release)
    finally:
        release.set()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def listener() -> Iterator[SimpleNamespace]:
    with a_listener() as one:
        yield one


def answer_to(port: int, *pieces: bytes) -> bytes:
    """Send pieces as long as the listener takes them; return all that it says until it closes."""
    with socket.create_connection(("127.0.0.1", port), SOON_S) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        said = b""
        try:
            while more := line.recv(65536):
                said += more
        except ConnectionResetError:
            pass
        return said


@contextmanager
def asking(url: str) -> Iterator[list[str]]:
    """Ask in a thread; the answer is in the list afterwards."""
    answer: list[str] = []
    thread = threading.Thread(target=lambda: answer.append(httpx.get(url, timeout=SOON_S).text))
    thread.start()
    try:
        yield answer
    finally:
        thread.join()


HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize("begin", [HEAD + b"x: ", HEAD + b"x", b"GET /"], ids=["a value", "a name", "a path"])
def test_a_head_without_an_end_is_cut_off_at_its_bound(listener, begin):
    half = b"a" * (HEAD_BYTES_MAX // 2)

    said = answer_to(listener.port, begin, half, half, half, half)

    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")  # empty when it was closed under what was still sent


def test_a_head_just_over_its_bound_is_told_so(listener):
    said = answer_to(listener.port, HEAD + b"x: " + b"a" * (HEAD_BYTES_MAX - len(HEAD) - 3), b"a")

    assert said.startswith(b"HTTP/1.1 431 ")


def test_as_many_header_fields_as_may_be_are_taken_and_one_more_is_not(listener):
    def request(count: int) -> bytes:
        fields = b"".join(b"x-%d: 1\r\n" % number for number in range(count - 2))
        return b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + fields + b"\r\n"

    assert answer_to(listener.port, request(HEADERS_MAX)).startswith(b"HTTP/1.1 200 ")
    assert answer_to(listener.port, request(HEADERS_MAX + 1)).startswith(b"HTTP/1.1 431 ")


def test_a_trailer_without_an_end_is_cut_off(listener):
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: "

    said = answer_to(listener.port, head, *[b"a" * HEAD_BYTES_MAX] * 16)

    assert b"200 OK" not in said


def test_a_long_body_in_small_chunks_is_not_taken_for_a_head(listener):
    body = [b"ab"] * HEAD_BYTES_MAX  # 5 bytes around every 2

    response = httpx.post(listener.url, content=iter(body))

    assert (response.status_code, response.text) == (200, str(2 * HEAD_BYTES_MAX))


def test_who_does_not_finish_a_head_in_time_is_told_so_and_closed():
    with a_listener(head_s=0.2) as listener:
        silent = answer_to(listener.port)
        slow = answer_to(listener.port, HEAD)
        with socket.create_connection(("127.0.0.1", listener.port), SOON_S) as line:  # again, on a kept connection
            line.sendall(HEAD + b"\r\n")
            first = line.recv(65536)
            line.sendall(b"G")
            second = line.recv(65536)

    assert silent.startswith(b"HTTP/1.1 408 ")
    assert slow.startswith(b"HTTP/1.1 408 ")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 408 ")


def test_a_request_may_take_longer_than_its_head():
    with a_listener(head_s=0.1) as listener, asking(f"{listener.url}/wait") as answer:
        assert listener.begun.wait(SOON_S)
        assert answer_to(listener.port).startswith(b"HTTP/1.1 408 ")  # that long a head would have had
        listener.release.set()

    assert answer == ["done"]


def test_who_takes_nothing_of_an_answer_is_cut_off_and_who_takes_it_slowly_is_not():
    with a_listener(silence_s=1.2) as listener:
        with socket.create_connection(("127.0.0.1", listener.port), SOON_S) as line:
            line.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            wait_until(lambda: listener.door.open)
            wait_until(lambda: not listener.door.open)
        with httpx.stream("GET", f"{listener.url}/large") as answer:
            begun_s, taken = time.monotonic(), 0
            for piece in answer.iter_bytes(4 * 1024 * 1024):
                taken += len(piece)
                threading.Event().wait(0.09)
            lasted_s = time.monotonic() - begun_s

    assert (taken, lasted_s > 1.2) == (64 * 1024 * 1024, True)


def taken_slowly(listener: SimpleNamespace, most: int) -> int:
    """Take an answer by and by, a piece of it always within the time; return how much came before it was cut off."""
    taken = 0
    with socket.create_connection(("127.0.0.1", listener.port), SOON_S) as line:
        line.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        try:
            while taken < most and (piece := line.recv(12 * 1024)):
                taken += len(piece)
                threading.Event().wait(0.02)
        except ConnectionResetError:
            pass
    return taken


def test_who_takes_some_of_a_long_piece_all_the_time_goes_on_unless_it_is_less_than_the_least_speed(monkeypatch):
    with a_listener(silence_s=1.0, send_bytes=64 * 1024) as listener:
        enough = taken_slowly(listener, 1 << 20)  # a piece, in more than 1 s
        monkeypatch.setattr(http_door, "RATE_BYTES_S_MIN", 1 << 30)
        too_little = taken_slowly(listener, 4 << 20)

    assert enough >= 1 << 20
    assert too_little < 4 << 20


def test_one_address_has_half_of_the_seats_however_slowly_it_takes_its_answers():
    with a_listener(seats=4, connections_per_address_max=32) as listener, ExitStack() as sitting:
        for _ in range(2):
            line = sitting.enter_context(socket.create_connection(("127.0.0.1", listener.port), SOON_S))
            line.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            assert line.recv(12) == b"HTTP/1.1 200"

        refused = httpx.get(listener.url)

        assert (refused.status_code, refused.json()["code"]) == (503, "Busy")
        assert "retry-after" in refused.headers
        line.close()
        wait_until(lambda: httpx.get(listener.url).status_code == 200)


def test_a_trusted_proxy_that_does_not_say_for_whom_it_asks_may_have_every_seat_but_no_more():
    with a_listener(seats=2, trusted_proxies=(read_network("127.0.0.0/8"),)) as listener, ExitStack() as sitting:
        for _ in range(2):
            line = sitting.enter_context(socket.create_connection(("127.0.0.1", listener.port), SOON_S))
            line.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            assert line.recv(12) == b"HTTP/1.1 200"

        assert httpx.get(listener.url).status_code == 503


def test_connections_that_ask_nothing_keep_nobody_from_asking():
    with a_listener(requests_max=2, connections_per_address_max=32) as listener, ExitStack() as held:
        for _ in range(20):
            held.enter_context(socket.create_connection(("127.0.0.1", listener.port), SOON_S))

        assert httpx.get(listener.url).status_code == 200


def test_one_address_has_its_share_of_the_places_and_gets_them_back():
    with a_listener(connections_per_address_max=2) as listener:
        with ExitStack() as held:
            lines = [
                held.enter_context(socket.create_connection(("127.0.0.1", listener.port), SOON_S)) for _ in range(2)
            ]
            for line in lines:
                line.sendall(HEAD + b"\r\n")
                assert line.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert answer_to(listener.port).startswith(b"HTTP/1.1 503 ")
        wait_until(lambda: not listener.door.open)

        assert httpx.get(listener.url).status_code == 200


def test_a_trusted_proxy_may_have_all_places_but_no_more():
    bounds = {"connections_max": 3, "connections_per_address_max": 1, "trusted_proxies": (read_network("127.0.0.0/8"),)}
    with a_listener(**bounds) as listener, ExitStack() as held:
        for _ in range(3):
            line = held.enter_context(socket.create_connection(("127.0.0.1", listener.port), SOON_S))
            line.sendall(HEAD + b"\r\n")
            assert line.recv(65536).startswith(b"HTTP/1.1 200 ")

        assert answer_to(listener.port).startswith(b"HTTP/1.1 503 ")


def test_more_requests_than_may_be_under_way_are_asked_to_come_back():
    with a_listener(requests_max=1) as listener:
        with asking(f"{listener.url}/wait"):
            assert listener.begun.wait(SOON_S)
            refused = httpx.get(listener.url)
            listener.release.set()

        assert refused.status_code == 503
        assert httpx.get(listener.url).status_code == 200


def test_a_websocket_gives_its_place_back():
    with a_listener() as listener, connect(f"ws://127.0.0.1:{listener.port}/events") as events:
        assert events.recv() == "open"
        assert not listener.door.open


def test_what_is_no_http_is_refused(listener):
    assert answer_to(listener.port, b"\x02\x00\x00\x00A-ASSOCIATE\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_two_hosts_are_refused_as_it_is_not_known_which_is_meant(listener):
    twice = b"GET / HTTP/1.1\r\nHost: node\r\nhost: elsewhere\r\n\r\n"

    assert answer_to(listener.port, twice).startswith(b"HTTP/1.1 400 ")


def test_trusted_proxies_are_addresses_or_networks():
    settings = uvicorn_settings(HttpConfig(trusted_proxies=("10.0.0.1", "10.1.2.3/24")), app=None)
    assert settings.forwarded_allow_ips == ["10.0.0.1/32", "10.1.2.0/24"]
    with pytest.raises(InvalidConfiguration, match=r"trusted_proxies.*such as 10\.1\.2\.0/24"):
        uvicorn_settings(HttpConfig(trusted_proxies=("proxy.example.vn",)), app=None)
