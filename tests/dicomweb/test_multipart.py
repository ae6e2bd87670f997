"""The multipart parser: properties first, then what real peers send, then every bound."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dicomweb.http import multipart
from gateway.dicomweb.http.media import MediaType, parse_media_type
from gateway.dicomweb.http.multipart import (
    PART_TAIL,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    body_tail,
    boundary_of,
    part_head,
)
from kernel.errors import ExchangeError, InvalidRequest, LimitExceeded


def parse(chunks, boundary=b"b", **limits):
    """Parts as (headers, content), and the error's text or None, however the body is cut."""
    parser = MultipartParser(boundary, **limits)
    parts, ended = [], 0
    try:
        for chunk in chunks:
            for event in parser.feed(chunk):
                match event:
                    case PartBegin(headers):
                        parts.append((dict(headers), bytearray()))
                    case PartData(data):
                        assert len(data) > 0
                        parts[-1][1].extend(data)
                    case PartEnd():
                        ended += 1
        parser.finish()
    except ExchangeError as error:
        return [(headers, bytes(content)) for headers, content in parts[:ended]], (
            error.code,
            error.fields.get("limit"),
        )
    assert ended == len(parts)
    return [(headers, bytes(content)) for headers, content in parts], None


def body_of(parts, boundary=b"b"):
    return b"".join(part_head(boundary, headers) + content + PART_TAIL for headers, content in parts) + body_tail(
        boundary
    )


def cut(body, cuts):
    edges = [0, *sorted(min(c, len(body)) for c in cuts), len(body)]
    return [body[a:b] for a, b in pairwise(edges)]


boundaries = st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70).map(str.encode)
# Contents made of what confuses a parser: pieces of delimiters.
contents = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", b"b", b"\r\n-", b"\x00", b"DICM", b" ", b"\t"]),
    max_size=12,
).map(b"".join)
headers = st.dictionaries(
    st.sampled_from(["content-type", "content-location", "x-a"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
)
anything = st.lists(
    st.sampled_from([b"--b", b"\r\n", b"--", b"\r\n--b", b"\r\n--b--", b"a: b", b":", b" ", b"\x00\xff", b"b", b"\r"]),
    max_size=30,
).map(b"".join)
cuts = st.lists(st.integers(0, 300), max_size=12)


@given(boundary=boundaries, parts=st.lists(st.tuples(headers, contents), min_size=1, max_size=5), cuts=cuts)
@settings(max_examples=300)
def test_what_is_written_is_read_back_however_it_is_cut(boundary, parts, cuts):
    parts = [(h, c) for h, c in parts if b"\r\n--" + boundary not in b"\r\n" + c + b"\r\n"]

    body = body_of(parts, boundary) if parts else b"--%b--" % boundary

    assert parse(cut(body, cuts), boundary) == (parts, None)


@given(body=anything, cuts=cuts)
@settings(max_examples=500)
def test_any_bytes_give_the_same_parts_and_the_same_error_however_they_are_cut(body, cuts):
    whole = parse([body])

    assert parse(cut(body, cuts)) == whole
    assert parse([body[i : i + 1] for i in range(len(body))]) == whole


@given(body=st.binary(max_size=400), cuts=cuts)
def test_no_bytes_make_it_raise_anything_but_our_errors(body, cuts):
    parse(cut(b"--b\r\n" + body, cuts))


def test_a_chunk_without_a_delimiter_comes_out_as_a_view_and_is_not_copied():
    parser = MultipartParser(b"b")
    list(parser.feed(b"--b\r\n\r\n"))
    list(parser.feed(b"x"))
    chunk = bytes(65536)

    (event,) = parser.feed(chunk)

    assert isinstance(event, PartData)
    assert event.data.obj is chunk


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"preamble\r\n--b\r\nA: 1\r\n\r\nx\r\n--b--epilogue\r\n--b\r\n", [({"a": "1"}, b"x")]),
        (b"--b  \t\r\n\r\nx\r\n--b--", [({}, b"x")]),
        (b"--b\r\nA: 1\r\n\r\n--b--", [({"a": "1"}, b"")]),
        (b"--b\r\nA: 1\r\n\r\n\r\n--b--", [({"a": "1"}, b"")]),
        (b"--b\r\nA: 1;\r\n  z=2\r\n\r\nx\r\n--b--", [({"a": "1; z=2"}, b"x")]),
        (b"--b\r\n\r\n\r\n--bc\r\nx\r\n--b--", [({}, b"\r\n--bc\r\nx")]),
        (b"--b--", []),
    ],
    ids=[
        "preamble, epilogue",
        "padding",
        "empty part",
        "empty part, both lines",
        "folded",
        "longer boundary",
        "no part",
    ],
)
def test_the_grammar_of_rfc_2046(body, parts):
    assert parse([body]) == (parts, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "ends before the first boundary"),
        (b"<html>not found</html>", "ends before the first boundary"),
        (b"--b\r\nA: 1", "ends within the headers of a part"),
        (b"--b\r\nA: 1\r\n\r\nDICM", "ends within a part"),
        (b"--b\r\nno colon\r\n\r\n--b--", "not `name: value`"),
        (b"--b\r\nA\x00: 1\r\n\r\n--b--", "not `name: value`"),
        (b"--b\r\nA: \x00\r\n\r\n--b--", "not `name: value`"),
    ],
)
def test_a_broken_body_is_refused_with_what_is_wrong(body, message):
    parser = MultipartParser(b"b")

    def read():
        list(parser.feed(body))
        parser.finish()

    with pytest.raises(InvalidRequest, match=message):
        read()


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b"--b\r\nA: " + b"x" * multipart.HEADER_BYTES_MAX + b"\r\n\r\n--b--", "HEADER_BYTES_MAX"),
        (b"--b\r\n" + b"A: 1\r\n" * 4000, "HEADER_BYTES_MAX"),
        (b"x" * (multipart.PREAMBLE_BYTES_MAX + 1), "PREAMBLE_BYTES_MAX"),
        (b"\r\n--b\r\n\r\n" * 4, "parts"),
    ],
    ids=["one long header", "many headers", "preamble", "parts"],
)
def test_each_bound_is_reached(body, limit):
    parser = MultipartParser(b"b", parts_max=3)

    with pytest.raises(LimitExceeded, match=limit):
        list(parser.feed(body))


def test_headers_of_exactly_the_bound_are_taken():
    value = "x" * (multipart.HEADER_BYTES_MAX - len("A: \r\n\r\n"))

    assert parse([b"--b\r\nA: " + value.encode() + b"\r\n\r\n--b--"]) == ([({"a": value}, b"")], None)


@pytest.mark.parametrize("text", ["", "x" * 201, "a b ", "\x07", "ranh-giới"])
def test_a_boundary_outside_rfc_2046_is_refused(text):
    with pytest.raises(InvalidRequest, match="boundary must be 1 to 200"):
        boundary_of(MediaType("multipart/related", {"boundary": text}))


def test_a_boundary_somewhat_longer_than_rfc_2046_allows_is_taken_as_orthanc_sends_one():
    boundary = "89bd5997-9b10-48f9-aa9f-9f42475435d1-89bd5997-9b10-48f9-aa9f-9f42475435d1"

    assert boundary_of(MediaType("multipart/related", {"boundary": boundary})) == boundary.encode()


def test_the_boundary_is_read_from_a_quoted_parameter():
    media_type = parse_media_type('multipart/related; type="application/dicom"; boundary="=_x y"')

    assert boundary_of(media_type) == b"=_x y"
