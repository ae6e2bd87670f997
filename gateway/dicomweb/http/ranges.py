"""Byte ranges of an answer (RFC 9110 14): one as it is, several as multipart/byteranges, none of it as 416.

Only what is known to the byte has ranges: stored instances, single frames, bulk data. Anything else ignores the header,
as the RFC allows.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Final, NamedTuple

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer, Made, Piece, size_of, streamed
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.spans import FileSpan

RANGES_MAX: Final = 32  # in one request; more are answered 416
_DIGITS_MAX: Final = 18
_RANGE: Final = re.compile(r"\s*(\d*)-(\d*)\s*", re.ASCII)


class Span(NamedTuple):
    """Bytes of the whole, from `start` to before `stop`."""

    start: int
    stop: int


class Sending(NamedTuple):
    """With what an answer is streamed."""

    threads: Executor
    silence_s: float
    boundary: bytes  # of several ranges


def ranged(request: Mapping[str, str], headers: Mapping[str, str], pieces: Sequence[Piece], how: Sending) -> ASGIApp:
    """Return the whole, or the part of it that the Range header asks for; `headers` has the ETag that If-Range names."""
    total = size_of(pieces)
    if total is None:
        return streamed(headers, pieces, how.threads, how.silence_s)
    headers = {**headers, "Accept-Ranges": "bytes"}
    spans = _asked(request, headers.get("ETag", ""), total)
    if spans is None:
        return streamed(headers, pieces, how.threads, how.silence_s)
    if not spans:
        return Answer(416, {"Content-Range": f"bytes */{total}", "Accept-Ranges": "bytes"})
    if len(spans) == 1:
        headers |= {"Content-Range": _content_range(spans[0], total)}
        return streamed(headers, _cut(pieces, spans[0]), how.threads, how.silence_s, status=206)
    kind = {"Content-Type": headers["Content-Type"]} if "Content-Type" in headers else {}
    several: list[Piece] = []
    for span in spans:
        several.append(part_head(how.boundary, kind | {"Content-Range": _content_range(span, total)}))
        several += [*_cut(pieces, span), PART_TAIL]
    headers |= {"Content-Type": f"multipart/byteranges; boundary={how.boundary.decode()}"}
    return streamed(headers, [*several, body_tail(how.boundary)], how.threads, how.silence_s, status=206)


def spans_of(text: str, total: int) -> list[Span] | None:
    """Read a Range header of something of `total` bytes; None: not to be obeyed, empty: nothing of it is there.

    More than RANGES_MAX ranges, or ranges that ask for more bytes than there are, are as good as none.
    """
    unit, _, ranges = text.partition("=")
    parts = ranges.split(",", RANGES_MAX)
    if unit.strip().lower() != "bytes" or not ranges.strip():
        return None
    if len(parts) > RANGES_MAX:
        return []
    spans: list[Span] = []
    for part in parts:
        match = _RANGE.fullmatch(part)
        if match is None or match[1] == match[2] == "" or len(match[0]) > 2 * _DIGITS_MAX:
            return None
        first, last = match[1], match[2]
        start = int(first) if first else max(0, total - int(last))
        stop = min(int(last) + 1, total) if first and last else total
        if first and last and int(last) < start:
            return None
        if start < total and stop > start and (first or int(last)):
            spans.append(Span(start, stop))
    return spans if sum(span.stop - span.start for span in spans) <= total else []


def _asked(request: Mapping[str, str], etag: str, total: int) -> list[Span] | None:
    text = request.get("range", "")
    condition = request.get("if-range", "").strip()
    if not text or (condition and (condition != etag or etag.startswith("W/"))):
        return None
    return spans_of(text, total)


def _content_range(span: Span, total: int) -> str:
    return f"bytes {span.start}-{span.stop - 1}/{total}"


def _cut(pieces: Sequence[Piece], wanted: Span) -> list[Piece]:
    """Return what of the pieces lies within `wanted`."""
    found: list[Piece] = []
    position = 0
    for piece in pieces:
        assert not isinstance(piece, Made)
        size = len(piece) if isinstance(piece, bytes) else piece.size_bytes
        start, stop = max(wanted.start - position, 0), min(wanted.stop - position, size)
        if start < stop:
            whole = isinstance(piece, bytes)
            found.append(piece[start:stop] if whole else FileSpan(piece.path, piece.offset + start, stop - start))
        position += size
    return found
