"""Content codings (RFC 9110 8.4.1, 12.5.3): gzip and zstd of texts and lists, never of pixels that are compressed."""

import re
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import zstandard

IDENTITY: Final = "identity"
CODINGS: Final = ("gzip", "zstd")  # the first that a client likes best; answers are kept in gzip
ITEMS_MAX: Final = 32  # of one Accept-Encoding header; further ones are not looked at
WORTH_BYTES: Final = 2048  # what is smaller is sent as it is
_ZSTD_LEVEL: Final = 1
_GZIP_LEVEL: Final = 1
_GZIP_BITS: Final = 31
_QUALITY: Final = re.compile(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", re.ASCII)


@lru_cache(maxsize=256)
def chosen(accept_encoding: str) -> str:
    """Return the coding that a client likes best of ours; identity when it accepts none of them."""
    liked = _qualities(accept_encoding)
    anything = liked.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: liked.get(coding, anything))
    quality = liked.get(best, anything)
    return best if quality > 0 and quality >= liked.get(IDENTITY, 0.0) else IDENTITY


def _qualities(accept_encoding: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in accept_encoding.lower().split(",", ITEMS_MAX)[:ITEMS_MAX]:
        name, _, parameter = item.partition(";")
        match = _QUALITY.fullmatch(parameter)
        name = name.strip().removeprefix("x-")
        found[name] = min(float(match[1]), 1.0) if match else 1.0
    return found


def coded(data: bytes, coding: str) -> bytes:
    """Return a whole body in a coding."""
    return b"".join(coded_chunks([data], coding))


def coded_chunks(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield chunks in a coding, as they come."""
    if coding == IDENTITY:
        yield from chunks
        return
    if coding == "zstd":
        stream = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    else:
        stream = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_BITS)
    for chunk in chunks:
        if packed := stream.compress(chunk):
            yield packed
    yield stream.flush()
