"""Words within an ICC profile, of an attribute or of a frame: where they stand, so that they can be made blank in place.

What tells colors stays: the header, the table of tags, and each tag that a transform reads, if it holds numbers (ICC.1
9 and 10). All else goes: texts and descriptions, private tags, and what no tag names. A text keeps its type and its
form, so that it reads as an empty one.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from kernel.dicom.vocabulary.limits import exceeded, malformed

BLANK: Final = b"\0"
TAGS_MAX: Final = 250
PROFILE_BYTES_MAX: Final = 16 * 1024 * 1024
PROFILES_KEPT: Final = 16  # frames of one device have the same
_HEADER_BYTES, _TAG_BYTES = 128, 12
_IDENTIFIER: Final = (84, 100)  # the profile's digest, which is none any more; 0: it was not counted
_RESERVED: Final = 100  # from here on the header is empty

# Tags that a transform or a viewer reads, and types that hold numbers alone.
_OF_COLORS: Final = frozenset(
    b"A2B0 A2B1 A2B2 A2B3 B2A0 B2A1 B2A2 B2A3 D2B0 D2B1 D2B2 D2B3 B2D0 B2D1 B2D2 B2D3 rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC "
    b"wtpt bkpt chad chrm gamt pre0 pre1 pre2 lumi meas tech view ciis clro clot cicp rig0 rig2 calt".split()
)
_OF_NUMBERS: Final = frozenset(
    b"XYZ curv para mft1 mft2 mAB mBA mpet sf32 uf32 ui08 ui16 ui32 ui64 fl16 fl32 fl64 chrm meas view sig dtim clro "
    b"cicp".split()
)
_NAMED_COLORS: Final = b"ncl2"  # of which the name is the color


class Stretch(NamedTuple):
    """Bytes of a profile."""

    position: int
    length: int


def is_profile(content: bytes) -> bool:
    """Whether bytes have a profile's signature; no reader takes them for one without."""
    return content[36:40] == b"acsp"


def without_words(profile: bytes) -> bytes:
    """Return the profile with its words blank; bytes that are none come back all blank.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It is not understood.
    """
    new = bytearray(profile)
    for position, length in words_in(profile):
        new[position : position + length] = BLANK * length
    return bytes(new)


@lru_cache(maxsize=PROFILES_KEPT)
def words_in(profile: bytes) -> tuple[Stretch, ...]:
    """Return the stretches where words may stand, ascending, that are not blank; errors as `without_words`."""
    if len(profile) > PROFILE_BYTES_MAX:
        raise exceeded("PROFILE_BYTES_MAX", len(profile), PROFILE_BYTES_MAX)
    kept = sorted(_kept(profile)) if is_profile(profile) else []
    found: list[Stretch] = []
    position = 0
    for start, end in [*kept, (len(profile), len(profile))]:
        if position < start and profile[position:start].strip(b"\0 "):
            found.append(Stretch(position, start - position))
        position = max(position, end)
    if found and kept and any(profile[slice(*_IDENTIFIER)]):
        found.append(Stretch(_IDENTIFIER[0], _IDENTIFIER[1] - _IDENTIFIER[0]))
    return tuple(sorted(found))


def _kept(profile: bytes) -> Iterator[tuple[int, int]]:
    """Yield first byte and end of what stays."""
    count = _number(profile, _HEADER_BYTES)
    table = _HEADER_BYTES + 4
    if count > TAGS_MAX:
        raise exceeded("TAGS_MAX", count, TAGS_MAX)
    if len(profile) < table + count * _TAG_BYTES:
        raise malformed("a color profile ends within its table of tags")
    yield 0, _RESERVED
    yield _HEADER_BYTES, table + count * _TAG_BYTES
    for at in range(table, table + count * _TAG_BYTES, _TAG_BYTES):
        start = _number(profile, at + 4)
        end = start + _number(profile, at + 8)
        if end > len(profile) or end - start < 8:
            raise malformed("a tag of a color profile has an impossible place")
        signature, kind = profile[at : at + 4].rstrip(b" "), profile[start : start + 4].rstrip(b" ")
        if signature in _OF_COLORS and kind in _OF_NUMBERS:
            yield start, end
        elif kind == _NAMED_COLORS or (signature in _OF_COLORS and signature not in {b"tech", b"calt"}):
            raise malformed("a color profile tells colors in a form that is not known")
        else:
            yield from _form(profile[start:end], kind, start)


def _form(tag: bytes, kind: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield what stays of a tag of words: its type, and how many words there are and where."""
    yield start, start + 4
    if kind == b"desc":
        yield start + 8, start + 12
    elif kind == b"mluc" and 16 + _number(tag, 8) * _number(tag, 12) <= len(tag):
        yield start + 8, start + 16 + _number(tag, 8) * _number(tag, 12)


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "big")
