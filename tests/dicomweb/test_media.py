"""Media types as peers write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dicomweb.http import media
from gateway.dicomweb.http.media import parse_accept, parse_media_type
from kernel.errors import ExchangeError, InvalidRequest, LimitExceeded


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("application/dicom", "application/dicom", {}),
        ('Multipart/Related; Type="application/dicom"; Boundary=x', "multipart/related", {"type": "application/dicom", "boundary": "x"}),
        ("multipart/related;type=application/dicom;boundary=a=b", "multipart/related", {"type": "application/dicom", "boundary": "a=b"}),
        (r'a/b; c="d;e,\"f\""; ', "a/b", {"c": 'd;e,"f"'}),
        ("application/octet-stream; transfer-syntax=*", "application/octet-stream", {"transfer-syntax": "*"}),
    ],
)  # fmt: skip
def test_a_media_type_is_read(text, name, parameters):
    assert parse_media_type(text)[:2] == (name, parameters)


def test_the_ranges_of_accept_come_best_first_and_equals_in_their_order():
    ranges = parse_accept('image/png;q=0.5, multipart/related; type="image/jpeg, x"; q=0.9, image/jpeg, */*;q=0, a/b')

    assert [(r.name, r.quality) for r in ranges] == [
        ("image/jpeg", 1.0), ("a/b", 1.0), ("multipart/related", 0.9), ("image/png", 0.5), ("*/*", 0.0)
    ]  # fmt: skip
    assert ranges[2].parameters == {"type": "image/jpeg, x"}


@pytest.mark.parametrize("text", ["", "image", "image/", "a/b c", "a/b; q=2", "a/b; q=x"])
def test_what_is_no_media_type_is_refused(text):
    with pytest.raises(InvalidRequest, match=r"media type|quality"):
        parse_media_type(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("a/" + "b" * media.HEADER_CHARS_MAX, "HEADER_CHARS_MAX"),
        ("a/b," * (media.RANGES_MAX + 1), "RANGES_MAX"),
        ("a/b" + "".join(f";p{i}=1" for i in range(media.PARAMETERS_MAX + 1)), "PARAMETERS_MAX"),
    ],
    ids=["length", "ranges", "parameters"],
)
def test_each_bound_is_reached(text, limit):
    with pytest.raises(LimitExceeded, match=limit):
        parse_accept(text)


@given(st.text(st.sampled_from('ab/;=q,"\\*.0 1-'), max_size=80) | st.text(max_size=80))
def test_no_text_makes_it_raise_anything_but_our_errors(text):
    with suppress(ExchangeError):
        parse_accept(text)
