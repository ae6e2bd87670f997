"""What is compressed within values: zlib, gzip and zip members, streams of PDFs. Bounded, whatever is packed in what.

Part of the residue check: shares no code with the engine or the profiles.
"""

import contextlib
import re
import zlib
from collections.abc import Iterator
from typing import Final

from kernel.errors import LimitExceeded

PIECE_BYTES_MAX: Final = 8 * 1024 * 1024  # of one stream, inflated; the rest of a longer one is not looked at
ALL_BYTES_MAX: Final = 64 * 1024 * 1024  # of one instance
PIECES_MAX: Final = 1_000
CHUNK_BYTES: Final = 128  # fed at a time: of a damaged stream no more than this is lost before the damage
DEPTH_MAX: Final = 3  # of streams within streams
SMALLEST_BYTES: Final = 4  # inflated; less names nobody

# A zlib stream begins with two bytes that are a multiple of 31, deflate and a window of 1 to 32 KiB (RFC 1950 2.2).
_FLAGS = {cmf: bytes(flg for flg in range(256) if (cmf << 8 | flg) % 31 == 0) for cmf in range(0x28, 0x80, 0x10)}
_ZLIB = (re.escape(bytes((cmf,))) + b"[" + re.escape(flags) + b"]" for cmf, flags in _FLAGS.items())
_BEGINNINGS = re.compile(b"|".join((*_ZLIB, rb"\x1f\x8b\x08", rb"PK\x03\x04")))
_ZIP_HEADER_BYTES = 30
_DEFLATED = b"\x08\x00"


def inflated(output: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in `output`, inflated bytes) of every stream that can be inflated, streams within them too.

    Raises
    ------
    LimitExceeded
        There is more than may be looked at: hold the instance.
    """
    pieces = size = 0
    waiting: list[tuple[int | None, bytes, int]] = [(None, output, 0)]
    while waiting:
        origin, content, depth = waiting.pop()
        for offset, piece in _streams(content):
            pieces, size = pieces + 1, size + len(piece)
            if pieces > PIECES_MAX or size > ALL_BYTES_MAX:
                raise LimitExceeded(limit="compressed within values", value=size, bound=ALL_BYTES_MAX)
            place = offset if origin is None else origin
            yield place, piece
            if depth + 1 < DEPTH_MAX:
                waiting.append((place, piece, depth + 1))


def _streams(content: bytes) -> Iterator[tuple[int, bytes]]:
    end = 0
    for match in _BEGINNINGS.finditer(content):
        start, beginning = match.start(), match[0]
        if start < end:
            continue
        piece, used = _inflate(content, start, beginning)
        if len(piece) >= SMALLEST_BYTES:
            end = start + used
            yield start, piece


def _inflate(content: bytes, start: int, beginning: bytes) -> tuple[bytes, int]:
    """Return what inflates from `start` and how many bytes it took; nothing when it is no stream.

    Of a damaged stream the intact beginning: a reader that forgives would show it.
    """
    skipped, wbits = 0, zlib.MAX_WBITS
    if beginning == b"PK\x03\x04":
        header = content[start : start + _ZIP_HEADER_BYTES]
        if len(header) < _ZIP_HEADER_BYTES or header[8:10] != _DEFLATED:
            return b"", 0
        skipped = _ZIP_HEADER_BYTES + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        wbits = -zlib.MAX_WBITS
    elif beginning[0] == 0x1F:
        wbits = zlib.MAX_WBITS | 16
    machine, parts, size = zlib.decompressobj(wbits), list[bytes](), 0
    stream = memoryview(content)[start + skipped :]
    used = 0
    with contextlib.suppress(zlib.error):
        while used < len(stream) and not machine.eof and size < PIECE_BYTES_MAX:
            chunk = stream[used : used + CHUNK_BYTES]
            parts.append(machine.decompress(chunk, PIECE_BYTES_MAX - size))
            used, size = used + len(chunk), size + len(parts[-1])
    return b"".join(parts), skipped + used - len(machine.unused_data)
