"""The element scanner: one bounded pass over an encoded data set (PS3.5 7), which never touches pixel data.

Index attributes, DICOM JSON and the anonymizer's rewriting are built on its result, so that a header is parsed once.
Explicit and implicit VR little endian are read as they are; deflated and big endian headers are first re-encoded by
`kernel.dicom.scanning.reencode`. What senders get wrong and readers agree on is taken: an implicit element or item among
explicit ones, an explicit data set declared implicit or the reverse, unknown VRs, odd lengths, padding after the end.
Anything else is a `MalformedInstance`; no other exception leaves this module but `LimitExceeded`.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, overload

from kernel.dicom.scanning import reencode
from kernel.dicom.scanning.elements import Buffer, Element, Header, Item, PixelData
from kernel.dicom.scanning.likeness import Layouts
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.dicom.scanning.walker import Walker
from kernel.dicom.vocabulary.limits import LIMITS, LIMITS_APART, MEBIBYTE, Limits, exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import LimitExceeded

__all__ = ["LIMITS", "Limits", "items_apart", "scan", "scan_apart", "scan_every_frame"]

EVERY_FRAME_BYTES_MAX: Final = 64 * MEBIBYTE  # of frames' groups that are gone through several times, and written anew
APART_BYTES_MIN: Final = 8 * MEBIBYTE  # of frames' groups that are surely more elements than a header may have

_layouts = Layouts()


def scan(
    buffer: Buffer, transfer_syntax_uid: str, *, offset: int = 0, limits: Limits = LIMITS, prefix: bool = False
) -> Header:
    """Find every element of the data set that begins at `offset` and fills the rest of `buffer`.

    Parameters
    ----------
    buffer
        The instance, or its data set alone; a memory map of a file of any size does, for only headers are read.
    transfer_syntax_uid
        As declared. One that is not in `SYNTAXES` is read as explicit little endian (PS3.5 A.4).
    prefix
        The buffer is only the beginning of the instance and may end inside the pixel data (not before it).

    Raises
    ------
    MalformedInstance
        The bytes are no data set, or it is truncated.
    LimitExceeded
        The header goes over one of `limits`.
    """
    may_be_like = limits is LIMITS and not prefix
    if may_be_like and (header := _layouts.again(buffer, offset, transfer_syntax_uid)):
        return header
    try:
        header = _scan(buffer, transfer_syntax_uid, offset, limits, prefix=prefix)
    except (struct.error, IndexError):
        raise malformed("it ends inside an element") from None
    if may_be_like:
        _layouts.remember(header, transfer_syntax_uid)
    return header


def scan_apart(buffer: Buffer, transfer_syntax_uid: str, *, offset: int = 0) -> Header:
    """Find every element as `scan` does, but take a slide that tells of more frames than a header may.

    Its Per-Frame Functional Groups are then no elements of the header but `frame_groups_apart`: for what can do without
    them, or reads them by `items_apart`. What must see every element (de-identification, the search after it) uses
    `scan_every_frame`, or `scan`, which refuses such a slide.

    Raises
    ------
    As `scan`.
    """
    header = None
    if len(buffer) - offset > APART_BYTES_MIN:
        header = scan(buffer, transfer_syntax_uid, offset=offset, limits=LIMITS_APART)
        apart = header.frame_groups_apart
        if apart is None or (_is_slide(header) and apart.end - apart.start > APART_BYTES_MIN):
            return header
    try:
        return scan(buffer, transfer_syntax_uid, offset=offset)
    except LimitExceeded:
        header = header or scan(buffer, transfer_syntax_uid, offset=offset, limits=LIMITS_APART)
        if not _is_slide(header):
            raise
        return header


def scan_every_frame(buffer: Buffer, transfer_syntax_uid: str, *, offset: int = 0) -> Header:
    """Find every element as `scan` does, also of a slide that `scan_apart` takes: nothing is left out of the header.

    The items of its Per-Frame Functional Groups are then read anew whenever somebody goes through them, and not kept.

    Raises
    ------
    As `scan`.
    """
    header = scan_apart(buffer, transfer_syntax_uid, offset=offset)
    apart = header.frame_groups_apart
    if apart is None:
        return header
    if apart.end - apart.start > EVERY_FRAME_BYTES_MAX:
        raise exceeded("EVERY_FRAME_BYTES_MAX", apart.end - apart.start, EVERY_FRAME_BYTES_MAX)
    groups = apart._replace(items=_ReadAnew(header))
    elements = sorted((*header.elements, groups), key=lambda element: element.start)
    return replace(header, elements=tuple(elements), frame_groups_apart=None)


class _ReadAnew(Sequence[Item]):
    """The items of a header's `frame_groups_apart`; whoever goes through them may meet a refusal."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._count = sum(1 for _ in _items_apart(header, skim=True))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        return _items_apart(self._header)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        """Return one item or several: what is before them is read, once."""
        numbers = range(self._count)[index]
        if isinstance(numbers, int):
            return next(islice(self, numbers, None))
        if not numbers:
            return []
        first, last = sorted((numbers[0], numbers[-1]))
        found = list(islice(self, first, last + 1, abs(numbers.step)))
        return found if numbers.step > 0 else found[::-1]


def _is_slide(header: Header) -> bool:
    return header.raw(0x00080016).strip(b" \0") == WHOLE_SLIDE.encode()


def items_apart(header: Header) -> Iterator[tuple[Element, ...]]:
    """Yield the elements of each item of a header's `frame_groups_apart`, one item after another.

    Raises
    ------
    MalformedInstance, LimitExceeded
        They are damaged, or too many.
    """
    return (item.elements for item in _items_apart(header))


def _items_apart(header: Header, *, skim: bool = False) -> Iterator[Item]:
    element = header.frame_groups_apart
    if element is None:
        return
    limits = replace(LIMITS_APART, elements_max=LIMITS_APART.apart_elements_max)
    walker = Walker(header.buffer, limits)
    try:
        yield from walker.items(element, element.end, skim=skim)
    except (struct.error, IndexError):
        raise malformed("it ends inside an element") from None


def _scan(buffer: Buffer, transfer_syntax_uid: str, offset: int, limits: Limits, *, prefix: bool) -> Header:
    syntax = SYNTAXES.get(transfer_syntax_uid)
    if syntax is not None and syntax.deflated:
        inflated, whole = reencode.inflate(buffer, offset, limits.header_bytes_max)
        header = _little_endian(inflated, 0, limits, implicit=False, prefix=prefix or not whole)
        header.reencoded = True
        return header
    if transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN:
        encoded, pixels, complete = reencode.little_endian_header(buffer, offset, limits, prefix=prefix)
        header = _little_endian(encoded, 0, limits, implicit=False, prefix=False)
        header.pixel_data, header.complete, header.reencoded = pixels, complete, True
        return header
    implicit = transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN
    return _little_endian(buffer, offset, limits, implicit=implicit, prefix=prefix)


def _little_endian(buffer: Buffer, offset: int, limits: Limits, *, implicit: bool, prefix: bool) -> Header:
    walker = Walker(buffer, limits, prefix=prefix)
    end = len(buffer)
    implicit = not walker.looks_explicit(offset, end) if implicit else walker.looks_implicit(offset, end)
    elements, stop = walker.data_set(offset, end, implicit=implicit)
    pixels = walker.pixels
    header_bytes = (pixels.start if pixels else stop) - offset - walker.bulk_bytes
    if header_bytes > limits.header_bytes_max:
        raise exceeded("header_bytes_max", header_bytes, limits.header_bytes_max)
    return Header(
        buffer=buffer,
        elements=tuple(element for element in elements if element is not walker.apart)
        if walker.apart
        else tuple(elements),
        start=offset,
        end=stop,
        implicit=implicit,
        pixel_data=PixelData.of(pixels) if pixels else None,
        complete=walker.complete,
        reencoded=False,
        frame_groups_apart=walker.apart,
    )
