"""DICOM JSON (PS3.18 annex F) encoded as a data set, Explicit VR Little Endian (PS3.5 7.1.2, A.2, A.4), in pieces.

For instances that are sent as JSON or XML: what `json_model` makes of a data set comes back here, and bulk data is read
where it was spooled, never into memory as a whole. Texts are written as UTF-8 and the data set says so. Sequences and
items have undefined lengths, so that nothing is encoded twice. Group 2 and group lengths are left out.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, Protocol, cast

from kernel.dicom.models.value_encoder import encoded, inline, padding
from kernel.dicom.scanning.elements import UNDEFINED
from kernel.dicom.vocabulary.dictionary import LONG_VRS, SHORT_VRS, VR_OF
from kernel.dicom.vocabulary.limits import LIMITS, Limits, exceeded, malformed

PIXEL_DATA: Final = 0x7FE00010
VALUE_BYTES_MAX: Final = 0xFFFFFFFE
_CHARSET: Final = 0x00080005
_ITEM: Final = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
_ITEM_END: Final = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
_SEQUENCE_END: Final = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
_UTF8: Final = struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", 10) + b"ISO_IR 192"

Json = dict[str, Any]


class Bulk(Protocol):
    """The bytes of a value that came apart from its data set."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Yield them in pieces of bounded size."""
        ...


BulkSource = Callable[[str], Sequence[Bulk]]
"""Returns what a BulkDataURI names: one value, or one for each frame; raises MalformedInstance when it is not there."""


def encode(model: Json, bulk: BulkSource, *, encapsulated: bool = False, limits: Limits = LIMITS) -> Iterator[bytes]:
    """Yield the encoded data set of a DICOM JSON object.

    Parameters
    ----------
    bulk
        Where bulk data is.
    encapsulated
        Whether top-level Pixel Data is compressed: each of its values becomes a fragment (PS3.5 A.4).

    Raises
    ------
    MalformedInstance
        A value is not what its VR wants, or bulk data is missing. Raised while iterating.
    LimitExceeded
        `depth_max` or `elements_max`.
    """
    return _Encoder(bulk, limits, encapsulated=encapsulated).data_set(model, 0)


class _Encoder:
    def __init__(self, bulk: BulkSource, limits: Limits, *, encapsulated: bool) -> None:
        self._bulk = bulk
        self._limits = limits
        self._encapsulated = encapsulated
        self._count = 0

    def data_set(self, model: Any, depth: int) -> Iterator[bytes]:
        if depth > self._limits.depth_max:
            raise exceeded("depth_max", depth, self._limits.depth_max)
        has_charset = depth > 0
        for tag, one in _elements(model):
            if not has_charset and tag >= _CHARSET:
                has_charset = True
                yield _UTF8
            if tag & 0xFFFF == 0 or tag >> 16 == 2 or tag == _CHARSET:
                continue
            self._counted()
            yield from self._element(tag, one, depth)

    def _element(self, tag: int, one: Json, depth: int) -> Iterator[bytes]:
        vr = one.get("vr", VR_OF.get(tag))
        if not isinstance(vr, str) or (vr not in SHORT_VRS and vr not in LONG_VRS):
            raise _wrong(tag, "it has no known VR")
        if vr == "SQ":
            yield from self._sequence(tag, one, depth)
        elif "BulkDataURI" in one:
            values = self._bulk(str(one["BulkDataURI"]))
            if self._encapsulated and tag == PIXEL_DATA and depth == 0:
                yield from _fragments(values)
            else:
                yield from _bulk_value(tag, vr, values)
        elif "InlineBinary" in one:
            yield _plain(tag, vr, _decoded(tag, one["InlineBinary"]))
        else:
            yield _plain(tag, vr, _encoded(tag, vr, _values(tag, one)))

    def _sequence(self, tag: int, one: Json, depth: int) -> Iterator[bytes]:
        items = _values(tag, one)
        yield _header(tag, "SQ", UNDEFINED if items else 0)
        for item in items:
            self._counted()
            yield _ITEM
            yield from self.data_set({} if item is None else item, depth + 1)
            yield _ITEM_END
        if items:
            yield _SEQUENCE_END

    def _counted(self) -> None:
        self._count += 1
        if self._count > self._limits.elements_max:
            raise exceeded("elements_max", self._count, self._limits.elements_max)


def _elements(model: Any) -> list[tuple[int, Json]]:
    if not isinstance(model, dict):
        raise malformed("a data set in its JSON is no object")
    found: list[tuple[int, Json]] = []
    for key, one in cast("dict[str, Any]", model).items():
        try:
            tag = int(key, 16) if len(key) == 8 and key.isalnum() else -1
        except ValueError:
            tag = -1
        if tag < 0 or not isinstance(one, dict):
            raise malformed("a key in its JSON is no tag, or its element no object")
        found.append((tag, cast("Json", one)))
    found.sort(key=_by_tag)
    if any(one[0] == other[0] for one, other in pairwise(found)):
        raise malformed("an element occurs twice")
    return found


def _by_tag(pair: tuple[int, Json]) -> int:
    return pair[0]


def _values(tag: int, one: Json) -> list[Any]:
    values = one.get("Value", [])
    if not isinstance(values, list):
        raise _wrong(tag, "its values are no list")
    return cast("list[Any]", values)


def _encoded(tag: int, vr: str, values: list[Any]) -> bytes:
    try:
        return encoded(vr, values)
    except (TypeError, ValueError, AttributeError, OverflowError, struct.error):
        raise _wrong(tag, f"a value is none of {vr}") from None


def _decoded(tag: int, text: Any) -> bytes:
    try:
        return inline(text)
    except (TypeError, ValueError):
        raise _wrong(tag, "its InlineBinary is not base64") from None


def _plain(tag: int, vr: str, value: bytes) -> bytes:
    value += padding(vr, len(value))
    return _header(tag, vr, len(value)) + value


def _bulk_value(tag: int, vr: str, values: Sequence[Bulk]) -> Iterator[bytes]:
    size = sum(value.size_bytes for value in values)
    yield _header(tag, vr, size + size % 2)
    for value in values:
        yield from value.chunks()
    yield padding(vr, size)


def _fragments(values: Sequence[Bulk]) -> Iterator[bytes]:
    """Yield encapsulated pixel data: an empty Basic Offset Table, then each frame as one fragment."""
    yield _header(PIXEL_DATA, "OB", UNDEFINED) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    for value in values:
        size = value.size_bytes + value.size_bytes % 2
        if size > VALUE_BYTES_MAX:
            raise exceeded("VALUE_BYTES_MAX", size, VALUE_BYTES_MAX)
        yield struct.pack("<HHI", 0xFFFE, 0xE000, size)
        yield from value.chunks()
        yield b"\0" * (value.size_bytes % 2)
    yield _SEQUENCE_END


def _header(tag: int, vr: str, length: int) -> bytes:
    if vr in LONG_VRS:
        if length != UNDEFINED and length > VALUE_BYTES_MAX:
            raise exceeded("VALUE_BYTES_MAX", length, VALUE_BYTES_MAX)
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    if length > 0xFFFF:
        raise _wrong(tag, f"{length} bytes are too long for {vr}")
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)


def _wrong(tag: int, reason: str) -> Exception:
    return malformed(f"({tag >> 16:04X},{tag & 0xFFFF:04X}): {reason}")
