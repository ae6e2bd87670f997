"""What a service answers, unpacked within a bound: httpx unpacks all of a piece at once, and that may be gigabytes."""

import zlib
from collections.abc import Iterator
from typing import Final

import httpx

ACCEPTED: Final = "gzip"  # as Accept-Encoding
_PLAIN: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_BITS: Final = zlib.MAX_WBITS + 16


def unpacked(response: httpx.Response, most: int) -> Iterator[bytes]:
    """Yield the body of an answer; a piece that would be longer than `most` ends after `most` + 1 bytes.

    Whoever adds them up and takes no more than `most` loses nothing. No more than `most` packed bytes are taken, either:
    some that never end unpack to nothing.

    Raises
    ------
    httpx.HTTPError
        It breaks off, is packed otherwise than in ACCEPTED, damaged, or too long as it is packed.
    """
    packed = response.headers.get("content-encoding", "").strip().lower()
    if packed in _PLAIN:
        yield from response.iter_raw()
        return
    if packed not in _GZIP:
        raise httpx.DecodingError("packed otherwise than it was asked for")
    stream, came = zlib.decompressobj(_GZIP_BITS), 0
    for piece in response.iter_raw():
        came += len(piece)
        try:
            content = stream.decompress(piece, most + 1)
        except zlib.error:
            raise httpx.DecodingError("packed, and damaged") from None
        yield content
        if stream.unused_data:
            raise httpx.DecodingError("packed, and more follows")
        if came > most:
            raise httpx.DecodingError(f"packed, and longer than {most} bytes")
    if came and not stream.eof:  # an answer without a body may say that it is packed
        raise httpx.DecodingError("packed, and not whole")
