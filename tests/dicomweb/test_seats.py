"""Whose bodies are received at once: a bound for all, and one for each caller, so that nobody keeps the others out."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.dicomweb.http.seats import Seats
from gateway.dicomweb.service import STORES_OF_ONE_MAX
from kernel.access import Principal
from kernel.errors import Busy
from tests.dicomweb.conftest import Node, body_of, running_node
from tests.dicomweb.test_direct import connected, request_of
from tests.dicomweb.test_stow import raw_request, until
from tests.dicomweb.test_wado import url_of
from tests.support.builders import a_ct, as_file


def a_caller(name: str) -> Principal:
    return Principal(name, "token", frozenset(), frozenset())


def test_one_caller_has_some_of_the_seats_and_all_callers_together_no_more_than_there_are():
    seats = Seats(3, most_of_one=2, what="testing")
    with ExitStack() as sitting:
        for name in ("a", "a", "b"):
            sitting.enter_context(seats.taken(a_caller(name)))
        for name in ("a", "b", "c"):
            with pytest.raises(Busy, match="testing"), seats.taken(a_caller(name)):
                pass

    with ExitStack() as sitting:
        for name in ("a", "a"):
            sitting.enter_context(seats.taken(a_caller(name)))
        with pytest.raises(Busy), seats.taken(a_caller("a")):
            pass
        sitting.enter_context(seats.taken(a_caller("b")))


def test_a_site_whose_bodies_never_end_keeps_no_other_site_out(node: Node):
    stalled, other = node.a_token("dicomweb:store", site="BV7"), node.a_token("dicomweb:store", site="BV8")
    body = body_of([as_file(a_ct(rows=512, columns=512))])
    with ExitStack() as connections:
        for _ in range(STORES_OF_ONE_MAX):
            connections.enter_context(raw_request(node, length=len(body), sent=body[:-1000], token=stalled))
        assert until(lambda: len(node.stages()) == STORES_OF_ONE_MAX)

        refused = node.store(a_ct(), token=stalled)

        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        assert node.store(a_ct(), token=other).status_code == 200
    assert until(lambda: node.store(a_ct(), token=stalled).status_code == 200)


def test_a_caller_who_takes_its_answers_slowly_has_half_of_the_seats_and_no_more(tmp_path: Path):
    large = a_ct(rows=2048, columns=4096)  # 16 MiB: more than the kernel holds for a client who takes nothing
    with running_node(tmp_path, http={"requests_max": 4}) as node, ExitStack() as connections:
        node.store(large)
        other = node.a_token("dicomweb:read")
        slow = [connections.enter_context(connected(node, receive_bytes=65536)) for _ in range(2)]
        for connection in slow:
            connection.sendall(request_of(node, url_of(large)))
            assert connection.recv(12) == b"HTTP/1.1 200"

        refused = node.get("/dicom-web/studies")

        assert (refused.status_code, refused.json()["code"]) == (503, "Busy")
        assert refused.headers["retry-after"] == "10"
        assert node.get("/dicom-web/studies", token=other).status_code == 200
        slow[0].close()
        assert until(lambda: node.get("/dicom-web/studies").status_code == 200)


def test_the_only_seat_of_a_node_is_anybodys(tmp_path: Path):
    with running_node(tmp_path, http={"requests_max": 1}) as node:
        assert node.get("/dicom-web/studies").status_code == 200
