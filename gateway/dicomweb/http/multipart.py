r"""multipart/related without sockets: bytes in, events out (RFC 2046 5.1, RFC 2387), in bounded memory.

    body        = [preamble CRLF] delimiter part *(delimiter part) close-delimiter [epilogue]
    delimiter   = CRLF "--" boundary *(SP / TAB) CRLF      (the very first may lack its CRLF)
    part        = *(header CRLF) CRLF *OCTET

The parser keeps at most one chunk that it was given and HEADER_BYTES_MAX besides. Part data come out as views of the
chunk that was fed, uncopied, valid until the next chunk is fed. What is in a part is not its business.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final, NamedTuple

from gateway.dicomweb.http.media import MediaType
from kernel.errors import InvalidRequest, LimitExceeded

BOUNDARY_CHARS_MAX: Final = 200  # RFC 2046 5.1.1 allows 70; Orthanc's DICOMweb plug-in sends 73
HEADER_BYTES_MAX: Final = 16 * 1024  # of one part's headers
PREAMBLE_BYTES_MAX: Final = 64 * 1024
PADDING_BYTES_MAX: Final = 64  # white space behind a boundary
PARTS_MAX: Final = 100_000

_DELIMITED: Final = re.compile(rb"--|[ \t]{0,%d}\r\n" % PADDING_BYTES_MAX)
_UNDECIDED: Final = re.compile(rb"-|[ \t]{0,%d}\r?" % PADDING_BYTES_MAX)
_FOLDED: Final = re.compile(r"\r\n[ \t]+")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BOUNDARY: Final = re.compile(r"[!-~ ]*[!-~]")


class PartBegin(NamedTuple):
    """A part begins; header names are lower case."""

    headers: Mapping[str, str]


class PartData(NamedTuple):
    """Some bytes of the present part, never none; the view is valid until the next chunk is fed."""

    data: memoryview


class PartEnd(NamedTuple):
    """The present part is complete."""


Event = PartBegin | PartData | PartEnd


class _State(Enum):
    PREAMBLE = "before the first boundary"
    HEADERS = "within the headers of a part"
    CONTENT = "within a part"
    EPILOGUE = "after the last boundary"


def boundary_of(media_type: MediaType) -> bytes:
    """Return the boundary of a multipart media type.

    Raises
    ------
    InvalidRequest
        It is missing, or not 1 to BOUNDARY_CHARS_MAX printable ASCII characters.
    """
    boundary = media_type.parameters.get("boundary", "")
    if len(boundary) > BOUNDARY_CHARS_MAX or not _BOUNDARY.fullmatch(boundary):
        raise InvalidRequest(reason=f"the boundary must be 1 to {BOUNDARY_CHARS_MAX} printable characters")
    return boundary.encode("ascii")


class MultipartParser:
    """The parser of one body: iterate over `feed(chunk)` for every chunk, then call `finish()`."""

    def __init__(self, boundary: bytes, *, parts_max: int = PARTS_MAX) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._parts_max = parts_max
        self._parts = 0
        self._preamble_bytes = 0
        self._state = _State.PREAMBLE
        self._kept = b"\r\n"  # so that a delimiter at the very beginning needs no case of its own
        self._skip = 2  # bytes ahead that may begin a delimiter but are no content

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take the next bytes; yield what they complete, in order. Must be iterated to its end.

        Raises
        ------
        InvalidRequest
            Not a multipart body; the events before were yielded first.
        LimitExceeded
            HEADER_BYTES_MAX, PREAMBLE_BYTES_MAX or the number of parts.
        """
        data, position = self._kept + chunk, 0
        while self._state is not _State.EPILOGUE:
            if self._state is _State.HEADERS:
                end = _headers_end(data, position)
                if end < 0:
                    break
                yield PartBegin(_headers(data[position:end]))
                # The blank line is no content, but a part without any may lend it to the delimiter that follows.
                position, self._skip, self._state = end, 2, _State.CONTENT
            else:
                start, end = self._find_delimiter(data, position)
                yield from self._content(data, position, start)
                position = start
                if end < 0:
                    break
                if self._state is _State.CONTENT:
                    yield PartEnd()
                self._begin(_State.EPILOGUE if data.endswith(b"--", start, end) else _State.HEADERS)
                position = end
        self._kept = b"" if self._state is _State.EPILOGUE else data[position:]

    def finish(self) -> None:
        """Say that the body has ended.

        Raises
        ------
        InvalidRequest
            The closing boundary has not been seen: the body was cut.
        """
        if self._state is not _State.EPILOGUE:
            raise InvalidRequest(reason=f"the multipart body is not complete: it ends {self._state.value}")

    def _find_delimiter(self, data: bytes, position: int) -> tuple[int, int]:
        """Return where the next delimiter begins and ends; (where content surely ends, -1) when more is needed."""
        search = position
        while (start := data.find(self._delimiter, search)) >= 0:
            behind = start + len(self._delimiter)
            if match := _DELIMITED.match(data, behind):
                return start, match.end()
            if _UNDECIDED.fullmatch(data, behind):
                return start, -1
            search = start + 2  # a longer boundary, or content that looks like one
        tail = data.rfind(b"\r", max(position, len(data) - len(self._delimiter) + 1))
        if tail >= 0 and self._delimiter.startswith(data[tail:]):
            return tail, -1
        return len(data), -1

    def _content(self, data: bytes, start: int, end: int) -> Iterator[PartData]:
        skipped = min(self._skip, end - start)
        self._skip -= skipped
        start += skipped
        if start == end:
            return
        if self._state is _State.CONTENT:
            yield PartData(memoryview(data)[start:end])
            return
        self._preamble_bytes += end - start
        if self._preamble_bytes > PREAMBLE_BYTES_MAX:
            raise LimitExceeded(limit="PREAMBLE_BYTES_MAX", value=self._preamble_bytes, bound=PREAMBLE_BYTES_MAX)

    def _begin(self, state: _State) -> None:
        self._state = state
        self._parts += state is _State.HEADERS
        if self._parts > self._parts_max:
            raise LimitExceeded(limit="parts", value=self._parts, bound=self._parts_max)


def _headers_end(data: bytes, position: int) -> int:
    """Return where the blank line after the headers begins, or -1 when more is needed."""
    if data.startswith(b"\r\n", position):
        return position
    end = data.find(b"\r\n\r\n", position, position + HEADER_BYTES_MAX)
    if end < 0 and len(data) - position >= HEADER_BYTES_MAX:
        raise LimitExceeded(limit="HEADER_BYTES_MAX", value=len(data) - position, bound=HEADER_BYTES_MAX)
    return end + 2 if end >= 0 else -1


def _headers(block: bytes) -> Mapping[str, str]:
    text = _FOLDED.sub(" ", block.decode("latin-1"))
    headers: dict[str, str] = {}
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        if not line:
            continue
        if not colon or not _HEADER_NAME.fullmatch(name) or not value.isprintable():
            raise InvalidRequest(reason="a header of a part is not `name: value`")
        headers.setdefault(name.lower(), value.strip())
    return headers


# --- writing ----------------------------------------------------------------------------------------------------------

PART_TAIL: Final = b"\r\n"  # after the content of every part


def part_head(boundary: bytes, headers: Mapping[str, str]) -> bytes:
    """Return what comes before the content of a part."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"--%b\r\n%b\r\n" % (boundary, lines.encode("latin-1"))


def body_tail(boundary: bytes) -> bytes:
    """Return what comes after the last part."""
    return b"--%b--\r\n" % boundary
