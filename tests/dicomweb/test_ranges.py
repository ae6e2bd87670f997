"""Byte ranges as RFC 9110 has them, and what a stranger may not do with them."""

import pytest

from gateway.dicomweb.ranges import RANGES_MAX, Span, spans_of


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
