"""A large body straight from the socket: the same instances, for fast, slow, vanishing and refused senders."""

import http.client
import json
import socket
from contextlib import closing
from pathlib import Path

import pytest

from gateway.dicomweb.http import direct_body
from gateway.dicomweb.http.direct_body import Turns
from kernel.archive.tables import instance
from tests.dicomweb.conftest import MULTIPART, Node, body_of, running_node
from tests.support.builders import a_ct, a_ct_series, as_file
from tests.support.nodes import wait_until

LARGE = {"rows": 512, "columns": 512}


@pytest.fixture
def turns(monkeypatch) -> list[int]:
    """How many bytes each turn brought: that a body went this way at all."""
    seen: list[int] = []
    real = Turns.run

    def run(self, patience_s):
        before = self.left
        try:
            return real(self, patience_s)
        finally:
            seen.append(before - self.left)

    monkeypatch.setattr(Turns, "run", run)
    return seen


def head_of(node: Node, length: int, more: str = "") -> bytes:
    fields = {"Host": "node", "Authorization": f"Bearer {node.token}", "Content-Length": str(length), **MULTIPART}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST /dicom-web/studies HTTP/1.1\r\n{lines}{more}\r\n".encode()


def connected(node: Node) -> socket.socket:
    host, port = node.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.read()


def stored_in(content: bytes) -> int:
    return len(json.loads(content)["00081199"]["Value"])


def test_a_large_body_is_read_from_its_socket_and_the_connection_serves_on(node, turns):
    slices = list(a_ct_series(6, **LARGE))
    host, port = node.url.removeprefix("http://").split(":")
    headers = {"Authorization": f"Bearer {node.token}", **MULTIPART}

    with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as client:
        for group in (slices[:4], slices[4:]):
            client.request("POST", "/dicom-web/studies", body_of([as_file(ds) for ds in group]), headers)
            answer = client.getresponse()
            assert (answer.status, stored_in(answer.read())) == (200, len(group))
        client.request("GET", "/dicom-web/studies", headers=headers)
        found = client.getresponse()

        assert (found.status, len(json.loads(found.read()))) == (200, 1)
    assert sum(turns) > 2_000_000
    assert len(node.rows(instance)) == 6


def test_a_small_body_comes_the_usual_way(node, turns):
    assert node.store(a_ct()).status_code == 200
    assert turns == []


def test_requests_that_are_sent_ahead_are_answered_in_their_order(node, turns):
    bodies = [body_of([as_file(ds)]) for ds in a_ct_series(3, **LARGE)]

    with connected(node) as connection:
        connection.sendall(b"".join(head_of(node, len(body)) + body for body in bodies))
        answers = [answer_of(connection) for _ in bodies]

    assert [status for status, _ in answers] == [200] * 3
    assert len(node.rows(instance)) == 3
    assert turns


def test_a_sender_that_waits_to_be_asked_is_asked(node, turns):
    body = body_of([as_file(a_ct(**LARGE))])

    with connected(node) as connection:
        connection.sendall(head_of(node, len(body), "Expect: 100-continue\r\n"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        status, content = answer_of(connection)

    assert (status, stored_in(content)) == (200, 1)
    assert turns


def test_what_is_whole_is_stored_while_a_slow_sender_rests(node, turns):
    body = body_of([as_file(ds) for ds in a_ct_series(2, **LARGE)])
    most = len(body) * 3 // 4

    with connected(node) as connection:
        connection.sendall(head_of(node, len(body)) + body[:most])
        wait_until(lambda: len(node.rows(instance)) == 1)
        for place in range(most, len(body), 50_000):
            connection.sendall(body[place : place + 50_000])
        status, content = answer_of(connection)

    assert (status, stored_in(content)) == (200, 2)
    assert sum(turns) > 200_000


def test_a_sender_that_goes_leaves_what_was_whole_and_no_stage(node, turns):
    body = body_of([as_file(ds) for ds in a_ct_series(2, **LARGE)])

    with connected(node) as connection:
        connection.sendall(head_of(node, len(body)) + body[: len(body) * 3 // 4])
        wait_until(lambda: turns)

    wait_until(lambda: len(node.rows(instance)) == 1)
    wait_until(lambda: node.stages() == [])


def test_a_sender_that_falls_silent_is_told_and_let_go(tmp_path: Path, turns):
    body = body_of([as_file(a_ct(**LARGE))])

    with running_node(tmp_path / "node", http={"body_timeout_s": 0.2}) as node, connected(node) as connection:
        connection.sendall(head_of(node, len(body)) + body[: len(body) // 2])
        status, content = answer_of(connection)

    assert (status, b"silent for 0.2 s" in content) == (408, True)
    assert turns


def test_a_sender_that_brings_too_little_is_told_and_let_go(tmp_path: Path, turns, monkeypatch):
    monkeypatch.setattr(direct_body, "RATE_BYTES_S_MIN", 1e9)
    body = body_of([as_file(a_ct(**LARGE))])

    with running_node(tmp_path / "node", http={"body_timeout_s": 0.2}) as node, connected(node) as connection:
        connection.sendall(head_of(node, len(body)))
        for number in range(0, 20_000, 100):
            before = len(turns)
            connection.sendall(body[number : number + 100])
            wait_until(lambda before=before: len(turns) > before or node.stages() == [])
            connection.setblocking(False)
            try:
                if connection.recv(1, socket.MSG_PEEK):
                    break
            except BlockingIOError:
                pass
            finally:
                connection.settimeout(20)
        status, _ = answer_of(connection)

    assert status == 408


def test_a_body_that_is_refused_half_way_is_told_why(tmp_path: Path, turns):
    body = body_of([as_file(ds) for ds in a_ct_series(6, **LARGE)])

    with running_node(tmp_path / "node", http={"parts_max": 2}) as node, connected(node) as connection:
        connection.sendall(head_of(node, len(body)) + body[: len(body) * 3 // 4])
        status, content = answer_of(connection)

        assert (status, json.loads(content)["detail"]) == (413, "parts exceeded: 3 is more than 2.")
        assert len(node.rows(instance)) == 2
        assert node.stages() == []
    assert turns


def test_the_rest_of_a_body_that_is_no_good_is_read_and_the_connection_serves_on(node, turns):
    part, good = as_file(a_ct(**LARGE)), body_of([as_file(a_ct(**LARGE))])
    bad = b"--BOUNDARY\r\n\r\n" + part + b"\r\n--BOUNDARY\r\nno header\r\n\r\n" + part * 4

    with connected(node) as connection:
        connection.sendall(head_of(node, len(bad)) + bad)
        status, content = answer_of(connection)
        connection.sendall(head_of(node, len(good)) + good)
        next_status, next_content = answer_of(connection)

    assert (status, json.loads(content)["detail"]) == (
        400,
        "The request is not valid: a header of a part is not `name: value`.",
    )
    assert (next_status, stored_in(next_content)) == (200, 1)
    assert sum(turns) < len(bad) + len(good) - 2_000_000


def test_a_turn_ends_so_that_other_senders_have_theirs(node, turns, monkeypatch):
    monkeypatch.setattr(direct_body, "TURN_BYTES", 300_000)
    slices = list(a_ct_series(4, **LARGE))

    assert node.store(*slices).status_code == 200

    assert max(turns) < 300_000 + direct_body.READ_BYTES
    assert len(node.rows(instance)) == 4
