"""Answers of other services that are packed: what a few bytes become is bounded before it is there."""

import gzip
import zlib
from collections.abc import Iterator

import httpx
import pytest

from gateway.dicomweb.client.finding import Service, search
from gateway.dicomweb.client.unpacking import unpacked
from kernel.errors import InvalidRequest
from tests.dicomweb.scripted import Scripted

ANSWER = b'[{"0020000D": {"vr": "UI", "Value": ["1.2.3"]}}]' * 50


def answer(packing: str, *pieces: bytes) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Encoding": packing} if packing else {}, content=iter(pieces))


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("packing", ["gzip", "x-gzip", " GZIP", "identity", ""])
def test_an_answer_is_unpacked_in_whatever_pieces_it_comes(packing):
    content = gzip.compress(ANSWER) if "gzip" in packing.lower() else ANSWER

    assert b"".join(unpacked(answer(packing, *cut(content, 7)), len(ANSWER))) == ANSWER


def test_an_answer_without_a_body_may_say_that_it_is_packed():
    assert list(unpacked(answer("gzip"), 1000)) == []


def test_no_piece_becomes_longer_than_the_bound():
    bomb = gzip.compress(bytes(20_000_000))

    assert len(bomb) < 20_000
    assert len(next(unpacked(answer("gzip", bomb), 1000))) == 1001


def test_packed_bytes_that_never_end_and_unpack_to_nothing_are_given_up():
    head, nothing = gzip.compress(b"", mtime=0)[:10], b"\0\0\0\xff\xff"  # an empty stored block (RFC 1951 3.2.4)

    with pytest.raises(httpx.DecodingError, match="packed, and longer than 1000 bytes"):
        assert b"".join(unpacked(answer("gzip", head, *[nothing * 20] * 10), 1000)) == b""


@pytest.mark.parametrize(
    ("packing", "content"),
    [
        ("gzip", gzip.compress(ANSWER)[:-9]),
        ("gzip", gzip.compress(ANSWER) + b"more"),
        ("gzip", ANSWER),
        ("deflate", zlib.compress(ANSWER)),
        ("gzip, gzip", gzip.compress(gzip.compress(ANSWER))),
    ],
    ids=["cut off", "more behind", "not packed", "another packing", "packed twice"],
)
def test_what_is_damaged_or_was_not_asked_for_is_an_error_of_the_answer(packing, content):
    with pytest.raises(httpx.DecodingError):
        b"".join(unpacked(answer(packing, content), 10_000))


def test_a_search_gives_up_an_answer_that_unpacks_beyond_its_bound(scripted, monkeypatch):
    monkeypatch.setattr("gateway.dicomweb.client.finding.ANSWER_BYTES_MAX", 1000)
    Scripted.answer = (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(1_000_000)))

    with pytest.raises(InvalidRequest, match="the answer has more than 1000 bytes"):
        list(search(Service(f"http://127.0.0.1:{scripted.server_port}", 5.0), "STUDY", [], most=1))

    ((_, headers, _),) = Scripted.seen
    assert headers["Accept-Encoding"] == "gzip"
