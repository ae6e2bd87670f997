"""What is compressed within values: zlib, gzip and zip members, streams of PDFs.

Part of the residue check: shares no code with the engine or the profiles.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Final

PIECE_BYTES_MAX: Final = 8 * 1024 * 1024  # of one stream, inflated; the rest of a longer one is not looked at
CHUNK_BYTES: Final = 128  # fed at a time: of a damaged stream no more than this is lost before the damage
SMALLEST_BYTES: Final = 4  # inflated; less names nobody

# A zlib stream begins with two bytes that are a multiple of 31, deflate and a window of 1 to 32 KiB (RFC 1950 2.2).
_FLAGS = {cmf: bytes(flg for flg in range(256) if (cmf << 8 | flg) % 31 == 0) for cmf in range(0x28, 0x80, 0x10)}
_ZLIB = (re.escape(bytes((cmf,))) + b"[" + re.escape(flags) + b"]" for cmf, flags in _FLAGS.items())
_BEGINNINGS = re.compile(b"|".join((*_ZLIB, rb"\x1f\x8b\x08", rb"PK\x03\x04")))
_ZLIB_HEADER_BYTES = 2
_STORED, _RESERVED = 0, 3  # kinds of a block (RFC 1951 3.2.3)
_ZIP_HEADER_BYTES = 30
_DEFLATED = b"\x08\x00"


def inflated(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (offset in `content`, inflated bytes) of every stream that can be inflated."""
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
    elif not _may_begin(content, start + _ZLIB_HEADER_BYTES):
        return b"", 0
    machine, parts, size = zlib.decompressobj(wbits), list[bytes](), 0
    stream = memoryview(content)[start + skipped :]
    used = 0
    try:
        while used < len(stream) and not machine.eof and size < PIECE_BYTES_MAX:
            chunk = stream[used : used + CHUNK_BYTES]
            parts.append(machine.decompress(chunk, PIECE_BYTES_MAX - size))
            used, size = used + len(chunk), size + len(parts[-1])
    except zlib.error:
        pass  # what came before it counts
    return b"".join(parts), skipped + used - len(machine.unused_data)


def _may_begin(content: bytes, at: int) -> bool:
    """Whether a block of deflate may begin there: most text that looks like a stream ends here."""
    head = content[at : at + 5]
    kind = head[0] >> 1 & 3 if len(head) == 5 else _RESERVED
    return kind != _RESERVED and (kind != _STORED or (head[1] ^ head[3], head[2] ^ head[4]) == (0xFF, 0xFF))
