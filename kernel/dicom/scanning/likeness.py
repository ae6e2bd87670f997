"""The header of a slice is laid out as that of another: then its elements are where those are, and nobody walks it again.

Where elements begin and end is told by their tags, VRs and lengths, and by the values of very few of them. When two
instances of one size have all of these bytes in common, the scanner finds the same in both, so what it found in the first
is given again (`kernel.dicom.scanning.scanner`). Only native pixel data to the end of the instance is remembered: nothing but
its length is read of it.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.scanning.elements import UNDEFINED, Buffer, Element, Header
from kernel.dicom.vocabulary.dictionary import PIXEL_REPRESENTATION

LAYOUTS_MAX: Final = 32
LAYOUT_BYTES_MAX: Final = 32 * 1024  # of a header; a longer one is walked each time

_Key = tuple[int, int, str]  # size of the whole buffer, where the data set begins, transfer syntax as declared


class _Layout:
    """A header as it was scanned, and which of its bytes may differ."""

    __slots__ = ("_encoded", "_fixed", "_header")

    def __init__(self, header: Header, encoded: bytes) -> None:
        self._header = header
        self._encoded = np.frombuffer(encoded, np.uint8)
        self._fixed: NDArray[np.bool_] | None = None  # made when the second of its size is met

    def again(self, buffer: Buffer) -> Header | None:
        """Return the header of another buffer of the same size; None when it is laid out otherwise."""
        start, fixed = self._header.start, self._fixed
        if fixed is None:
            fixed = self._fixed = _fixed(self._header, len(self._encoded))
        given = np.frombuffer(buffer, np.uint8, len(self._encoded), start)
        if ((given != self._encoded) & fixed).any():
            return None
        return self._header.over(buffer)


class Layouts:
    """The layouts that were met last."""

    def __init__(self) -> None:
        self._known: dict[_Key, _Layout] = {}
        self._remembering = threading.Lock()

    def again(self, buffer: Buffer, offset: int, syntax: str) -> Header | None:
        """Return the header of an instance that is laid out as one before it; None: it must be walked."""
        known = self._known.get((len(buffer), offset, syntax))
        return known.again(buffer) if known else None

    def remember(self, header: Header, syntax: str) -> None:
        """Remember a header that was scanned as a whole, if another may be laid out as it is."""
        pixels, size = header.pixel_data, len(header.buffer)
        if pixels is None or pixels.length == UNDEFINED or pixels.end != size or header.end != size:
            return
        if header.reencoded or not header.complete or pixels.value_offset - header.start > LAYOUT_BYTES_MAX:
            return
        key = size, header.start, syntax
        encoded = bytes(header.buffer[header.start : pixels.value_offset])
        with self._remembering:
            self._known.pop(key, None)
            while len(self._known) >= LAYOUTS_MAX:
                del self._known[next(iter(self._known))]
            self._known[key] = _Layout(header.over(b""), encoded)


def _fixed(header: Header, size: int) -> NDArray[np.bool_]:
    """Return which bytes of a header say where its elements are: all but plain values."""
    fixed = np.ones(size, np.bool_)
    for first, last in _values(header.elements):
        fixed[first - header.start : last - header.start] = False
    return fixed


def _values(elements: Sequence[Element]) -> Iterator[tuple[int, int]]:
    """Yield where values are that no reader of headers looks at."""
    for element in elements:
        for item in element.items or ():
            yield from _values(item.elements)
        if element.items is None and not _tells(element):
            yield element.value_offset, element.end


def _tells(element: Element) -> bool:
    """Whether the value may decide how something is read: of unknown VR, a creator, a Pixel Representation, fragments."""
    tag = element.tag
    return (
        element.vr == "UN"
        or element.length == UNDEFINED
        or tag == PIXEL_REPRESENTATION
        or (bool(tag >> 16 & 1) and tag & 0xFFFF <= 0xFF)
    )
