"""Byte ranges as RFC 9110 has them, and what a stranger may not do with them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dicomweb.http.content_coding import chosen
from gateway.dicomweb.http.ranges import RANGES_MAX, Span, spans_of
from gateway.dicomweb.retrieve.rendering import rendering_of
from kernel.dicom.pictures.viewport import SIDE_MAX
from kernel.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("bytes=0-0", [Span(0, 1)]),
        ("bytes=0-99", [Span(0, 100)]),
        ("bytes=0-", [Span(0, 100)]),
        ("bytes=90-1000", [Span(90, 100)]),
        ("bytes=-10", [Span(90, 100)]),
        ("bytes=-1000", [Span(0, 100)]),
        ("Bytes = 1-2 , 5-6", [Span(1, 3), Span(5, 7)]),
        ("bytes=0-9,200-300", [Span(0, 10)]),
        ("bytes=100-", []),
        ("bytes=-0", []),
        ("bytes=0-99,0-99", []),  # more than there is
        ("bytes=" + ",".join(["1-1"] * (RANGES_MAX + 1)), []),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=١-٢", None),
        ("bytes=", None),
        ("bytes", None),
        ("items=0-1", None),
        ("bytes=" + "1" * 5000 + "-", None),
    ],
)
def test_a_range_header_is_read(text, spans):
    assert spans_of(text, 100) == spans


@given(st.text(st.sampled_from("bytes=0123456789-, \tx١"), max_size=60), st.integers(0, 1000))
def test_whatever_a_range_header_says_no_byte_outside_is_given_and_none_too_often(text, total):
    spans = spans_of(text, total)

    assert all(0 <= span.start < span.stop <= total for span in spans or [])
    assert sum(span.stop - span.start for span in spans or []) <= total


@given(
    st.fixed_dictionaries(
        {
            name: st.text(st.sampled_from("0123456789,.-+einfa linearsgmodptchqu%²"), max_size=40)
            for name in ("window", "viewport", "quality", "annotation", "iccprofile")
        }
    )
)
def test_whatever_is_asked_of_a_picture_is_within_bounds_or_refused(query):
    try:
        how = rendering_of(query)
    except InvalidRequest:
        return
    assert how.viewport is None or (1 <= how.viewport.columns <= SIDE_MAX and 1 <= how.viewport.rows <= SIDE_MAX)
    assert how.quality is None or 1 <= how.quality <= 100
    assert how.window is None or (math.isfinite(how.window.center) and 0 < how.window.width < math.inf)


@given(st.text(st.sampled_from("gzip,zstd;q=01.*x- identity"), max_size=60))
def test_whatever_coding_is_accepted_one_of_ours_is_chosen(header):
    assert chosen(header) in {"gzip", "zstd", "identity"}
