"""The scanner's walk: elements, sequences, items and fragments of one encoding (PS3.5 7.1, 7.5, A.4).

The two loops over elements are the hottest code of the exchange; everything rare is in methods of its own. Recursion
goes one level of sequences down at a time and is bounded by `Limits.depth_max`.
"""

import struct
from collections.abc import Iterator
from typing import Final

from kernel.dicom.scanning.elements import UNDEFINED, Buffer, Element, Item
from kernel.dicom.vocabulary.dictionary import (
    BULK_VRS,
    LONG_VRS,
    PIXEL_DATA_TAGS,
    PIXEL_REPRESENTATION,
    PLAIN_VR_OF,
    SHORT_VRS,
    VR_OF,
    ambiguous_vr,
    private_vr,
    vr_of_unknown,
)
from kernel.dicom.vocabulary.limits import Limits, exceeded, malformed
from kernel.errors import LimitExceeded, MalformedInstance

FRAME_GROUPS: Final = 0x52009230  # Per-Frame Functional Groups Sequence (PS3.3 C.7.6.16)
_SHORT: Final = {vr.encode(): vr for vr in SHORT_VRS}
_LONG: Final = {vr.encode(): vr for vr in LONG_VRS}
_VRS: Final = _SHORT | _LONG
_UN_BYTES_MAX: Final = 0xFFFF  # a longer UN is truly unknown: no short VR could have held it (PS3.5 6.2.2)

_new = tuple.__new__  # half the price of Element(...)


class Walker:
    """One pass over one buffer, and what its nested data sets share."""

    __slots__ = (
        "_budget",
        "_creators",
        "_header",
        "_item",
        "_length",
        "_limits",
        "_prefix",
        "apart",
        "buffer",
        "bulk_bytes",
        "complete",
        "pixels",
    )

    def __init__(self, buffer: Buffer, limits: Limits, *, prefix: bool = False, little_endian: bool = True) -> None:
        order = "<" if little_endian else ">"
        self.buffer = buffer
        self.pixels: Element | None = None  # the pixel data of the data set itself
        self.apart: Element | None = None  # Per-Frame Functional Groups that were passed
        self.complete = True  # False: the buffer is a prefix that ends inside the pixel data
        self.bulk_bytes = 0  # of values that no reader of headers touches
        self._limits = limits
        self._prefix = prefix
        self._budget = limits.elements_max
        self._creators: dict[int, _Creators] = {}  # by depth
        self._header = struct.Struct(order + "HH2sH").unpack_from
        self._item = struct.Struct(order + "HHI").unpack_from
        self._length = struct.Struct(order + "I").unpack_from

    # --- the data set -------------------------------------------------------------------------------------------------

    def data_set(self, offset: int, end: int, *, implicit: bool) -> tuple[list[Element], int]:
        """Walk a whole data set; return its elements without the pixel data, and where the last of them ends.

        What follows the pixel data is elements, or padding, or garbage that readers agree to overlook.
        """
        elements, stop = self._level(offset, end, implicit=implicit)
        if self.pixels is None or not self.complete:
            return elements, stop
        if stop < end and not self.is_padding(stop, end):
            try:
                after, after_stop = self._level(stop, end, implicit=implicit)
            except (MalformedInstance, struct.error, IndexError):
                after, after_stop = [], stop
            elements += after
            stop = after_stop
        if end - stop > self._limits.trailing_bytes_max:
            raise malformed(f"{end - stop} bytes after the pixel data that are no elements")
        return elements, stop

    def _level(self, offset: int, end: int, *, implicit: bool) -> tuple[list[Element], int]:
        if implicit:
            return self.implicit(offset, end, 0, delimited=False)
        return self.explicit(offset, end, 0, delimited=False)

    # --- elements -----------------------------------------------------------------------------------------------------

    def explicit(self, offset: int, end: int, depth: int, *, delimited: bool) -> tuple[list[Element], int]:
        """Walk elements with VR from `offset`; return them and where they end.

        That is `end`; or the item delimiter when `delimited`; or, at depth 0, after the pixel data or before padding.
        """
        buffer, unpack, new, shorts = self.buffer, self._header, _new, _SHORT
        elements: list[Element] = []
        append = elements.append
        last, spent = end - 8, 0
        for _ in range(self._budget + 1):
            if offset > last:
                self._spend(elements, spent)
                self._check_end(offset, end, depth, delimited=delimited)
                return elements, offset
            group, number, code, length = unpack(buffer, offset)
            vr = shorts.get(code)
            if vr is not None:
                value = offset + 8
                stop = value + length
                if stop > end:
                    raise malformed(f"element ({group:04X},{number:04X}) is longer than what holds it")
                append(new(Element, (group << 16 | number, vr, offset, value, length, stop, depth, None, False)))
                offset = stop
                continue
            spent = self._spend(elements, spent)
            element = self._long(offset, end, depth, elements)
            if element is None:
                self._check_stop(offset, end, depth, delimited=delimited)
                return elements, offset
            if element is self.pixels:
                return elements, element.end
            append(element)
            offset = element.end
        raise self._too_many()

    def implicit(
        self, offset: int, end: int, depth: int, *, delimited: bool, signed: bool = False
    ) -> tuple[list[Element], int]:
        """Walk elements without VR, as `explicit`. `signed`: Pixel Representation of the data set that holds this."""
        buffer, unpack, new, plain = self.buffer, self._item, _new, PLAIN_VR_OF
        elements: list[Element] = []
        append = elements.append
        last, spent = end - 8, 0
        for _ in range(self._budget + 1):
            if offset > last:
                self._spend(elements, spent)
                self._check_end(offset, end, depth, delimited=delimited)
                return elements, offset
            group, number, length = unpack(buffer, offset)
            tag = group << 16 | number
            vr = plain.get(tag)
            if vr is not None and length != UNDEFINED:
                value = offset + 8
                stop = value + length
                if stop > end:
                    raise malformed(f"element ({group:04X},{number:04X}) is longer than what holds it")
                append(new(Element, (tag, vr, offset, value, length, stop, depth, None, True)))
                offset = stop
                continue
            spent = self._spend(elements, spent)
            element = self._rare(offset, end, depth, elements, signed=signed)
            if element is None:
                self._check_stop(offset, end, depth, delimited=delimited)
                return elements, offset
            if element is self.pixels:
                return elements, element.end
            if tag == PIXEL_REPRESENTATION and length:
                signed = buffer[element.value_offset] == 1
            append(element)
            offset = element.end
        raise self._too_many()

    def looks_explicit(self, offset: int, end: int) -> bool:
        """Whether the element at `offset` of a data set declared implicit has a VR all the same."""
        if offset + 8 > end:
            return False
        group, number, length = self._item(self.buffer, offset)
        vr = _VRS.get(bytes(self.buffer[offset + 4 : offset + 6]))
        if vr is None or group == 0xFFFE:
            return False
        return vr == VR_OF.get(group << 16 | number) or offset + 8 + length > end

    def looks_implicit(self, offset: int, end: int) -> bool:
        """Whether the element at `offset` of a data set declared explicit has no VR."""
        if offset + 8 > end:
            return False
        _, _, length = self._item(self.buffer, offset)
        code = bytes(self.buffer[offset + 4 : offset + 6])
        return not (code.isalpha() and code.isupper()) and offset + 8 + length <= end

    # --- the rare ones ------------------------------------------------------------------------------------------------

    def _long(self, offset: int, end: int, depth: int, elements: list[Element]) -> Element | None:
        """Walk an explicit element with a 32-bit length (PS3.5 7.1.2); None at an item delimiter or padding."""
        group, number, code, _ = self._header(self.buffer, offset)
        vr = _LONG.get(code)
        if vr is None:
            return self._odd(offset, end, depth, elements)
        value = offset + 12
        if value > end:
            raise malformed(f"element ({group:04X},{number:04X}) has no length")
        (length,) = self._length(self.buffer, offset + 8)
        tag = group << 16 | number
        element = Element(tag, vr, offset, value, length, value + length, depth, None, implicit=False)
        if tag in PIXEL_DATA_TAGS and vr != "SQ":
            return self._pixel_data(element, end)
        if tag == FRAME_GROUPS and vr == "SQ" and depth == 0 and self._limits.apart_bytes_max:
            return self._passed(element, end)
        if vr == "SQ" or (vr == "UN" and length == UNDEFINED):
            return self._sequence(element, end, implicit=vr == "UN")
        return self._known(element, end, elements) if vr == "UN" else self._value(element, end)

    def _known(self, element: Element, end: int, elements: list[Element]) -> Element:
        """Walk an element that somebody encoded as UN although the dictionary knows its VR (PS3.5 6.2.2)."""
        vr = self._vr_of(element.tag, elements, element.depth, signed=False)
        if vr == "SQ" and element.end <= end and self._begins_with_item(element.value_offset, element.length):
            try:
                return self._sequence(element, end, implicit=True)
            except MalformedInstance:
                pass  # the dictionary is wrong about it
        known = vr != "SQ" and element.length <= _UN_BYTES_MAX
        return self._value(element._replace(vr=vr) if known else element, end)

    def _odd(self, offset: int, end: int, depth: int, elements: list[Element]) -> Element | None:
        """Walk what has no known VR in an explicit data set: a delimiter, padding, an implicit element, a later VR."""
        group, number, code, short = self._header(self.buffer, offset)
        tag = group << 16 | number
        if not (code.isalpha() and code.isupper()):
            (length,) = self._length(self.buffer, offset + 4)
            if group in (0, 0xFFFE) or length == UNDEFINED or offset + 8 + length <= end:
                return self._rare(offset, end, depth, elements, signed=False)
        elif offset + 12 <= end and short == 0:  # PS3.5 6.2: a VR that is not known yet has the long form
            (length,) = self._length(self.buffer, offset + 8)
            value = offset + 12
            if value + length <= end:
                return self._value(
                    Element(tag, "UN", offset, value, length, value + length, depth, None, implicit=False), end
                )
        value = offset + 8
        return self._value(Element(tag, "UN", offset, value, short, value + short, depth, None, implicit=False), end)

    def _rare(self, offset: int, end: int, depth: int, elements: list[Element], *, signed: bool) -> Element | None:
        """Walk an implicit element that is not plain; None at an item delimiter or padding."""
        group, number, length = self._item(self.buffer, offset)
        if group == 0xFFFE and number == 0xE00D:
            return None
        if group == 0 and depth == 0 and self.is_padding(offset, end):
            return None
        if group in (0, 0xFFFE):
            raise malformed(f"({group:04X},{number:04X}) where an element should be")
        tag, value = group << 16 | number, offset + 8
        if tag in PIXEL_DATA_TAGS:
            vr = VR_OF[tag] if tag != 0x7FE00010 else "OB" if length == UNDEFINED else "OW"
            return self._pixel_data(
                Element(tag, vr, offset, value, length, value + length, depth, None, implicit=True), end
            )
        vr = self._vr_of(tag, elements, depth, signed=signed)
        if vr == "SQ" and group & 1 and length != UNDEFINED and not self._begins_with_item(value, length):
            vr = "UN"
        element = Element(tag, vr, offset, value, length, value + length, depth, None, implicit=True)
        if tag == FRAME_GROUPS and depth == 0 and self._limits.apart_bytes_max:
            return self._passed(element, end)
        if vr == "SQ" or length == UNDEFINED:
            return self._sequence(element, end, implicit=True, signed=signed)
        return self._value(element, end)

    def _vr_of(self, tag: int, elements: list[Element], depth: int, *, signed: bool) -> str:
        vr = VR_OF.get(tag) or vr_of_unknown(tag)
        if vr == "UN" and tag >> 16 & 1:
            creators = self._creators.get(depth)
            if creators is None or creators.elements is not elements:
                creators = self._creators[depth] = _Creators(elements)
            return private_vr(tag, creators.of(tag, self.buffer))
        return vr if len(vr) == 2 else ambiguous_vr(vr, signed=signed)

    def _value(self, element: Element, end: int) -> Element:
        """Check an element with a plain value."""
        if element.length == UNDEFINED or element.end > end:
            raise malformed(f"element {_named(element)} is longer than what holds it")
        if element.vr in BULK_VRS:
            self.bulk_bytes += element.length
        return element

    def _pixel_data(self, element: Element, end: int) -> Element:
        """Pass pixel data: that of the data set, or an icon's in a sequence."""
        own = element.depth == 0
        if own and self.pixels is not None:
            raise malformed("a second pixel data element")
        if element.length == UNDEFINED:
            element = element._replace(end=self._fragments(element.value_offset, end, quiet=own and self._prefix))
        elif own and self._prefix and element.end > end:
            self.complete = False
            element = element._replace(end=end)
        else:
            self._value(element, end)
        if own:
            self.pixels = element
        return element

    def _fragments(self, offset: int, end: int, *, quiet: bool) -> int:
        """Pass an offset table and fragments (PS3.5 A.4); return where their delimiter ends."""
        for _ in range(self._limits.fragments_max + 2):
            if offset + 8 > end:
                break
            group, number, length = self._item(self.buffer, offset)
            if group == 0xFFFE and number == 0xE0DD:
                return offset + 8
            if group != 0xFFFE or number != 0xE000 or length == UNDEFINED:
                raise malformed(f"({group:04X},{number:04X}) among the fragments of the pixel data")
            offset += 8 + length
        else:
            raise exceeded("fragments_max", self._limits.fragments_max + 1, self._limits.fragments_max)
        if not quiet:
            raise malformed("the pixel data ends inside a fragment, or without its delimiter")
        self.complete = False
        return end

    # --- sequences ----------------------------------------------------------------------------------------------------

    def _sequence(self, element: Element, end: int, *, implicit: bool, signed: bool = False) -> Element:
        """Walk the items of a sequence; `implicit`: their elements have no VR."""
        undefined = element.length == UNDEFINED
        if not undefined and element.end > end:
            raise malformed(f"sequence {_named(element)} is longer than what holds it")
        if element.depth >= self._limits.depth_max:
            raise exceeded("depth_max", element.depth + 1, self._limits.depth_max)
        items: list[Item] = []
        offset = element.value_offset
        end = end if undefined else element.end
        while undefined or offset < end:
            if offset + 8 > end:
                raise malformed(f"sequence {_named(element)} ends without its delimiter")
            group, number, length = self._item(self.buffer, offset)
            if group == 0xFFFE and number == 0xE0DD and (undefined or offset + 8 == end):
                return element._replace(vr="SQ", items=tuple(items), end=offset + 8)
            if group != 0xFFFE or number != 0xE000:
                raise malformed(f"({group:04X},{number:04X}) where an item of {_named(element)} should be")
            self._pay(1)
            items.append(self._one_item(offset, length, end, element.depth + 1, implicit=implicit, signed=signed))
            offset = items[-1].end
        return element._replace(vr="SQ", items=tuple(items))

    def _passed(self, element: Element, end: int) -> Element:
        """Pass a sequence whose items are read one by one by whoever wants them; nothing of them is kept."""
        if self.apart is not None:
            raise malformed(f"a second {_named(element)}")
        if element.length != UNDEFINED and element.end > end:
            raise malformed(f"sequence {_named(element)} is longer than what holds it")
        budget, self._budget = self._budget, self._limits.apart_elements_max
        stop = element.value_offset
        for item in self.items(element, end, skim=True):
            stop = item.end
            if stop - element.value_offset > self._limits.apart_bytes_max:
                raise exceeded("apart_bytes_max", stop - element.value_offset, self._limits.apart_bytes_max)
        self._budget = budget
        self.apart = element._replace(vr="SQ", end=stop + 8 if element.length == UNDEFINED else stop)
        self.bulk_bytes += self.apart.end - element.value_offset
        return self.apart

    def items(self, element: Element, end: int, *, skim: bool) -> Iterator[Item]:
        """Yield the items of a sequence, and keep none; `skim`: those that tell their length are not looked into."""
        undefined = element.length == UNDEFINED
        offset, end = element.value_offset, end if undefined else element.value_offset + element.length
        while undefined or offset < end:
            if offset + 8 > end:
                raise malformed(f"sequence {_named(element)} ends without its delimiter")
            group, number, length = self._item(self.buffer, offset)
            if undefined and group == 0xFFFE and number == 0xE0DD:
                return
            if group != 0xFFFE or number != 0xE000:
                raise malformed(f"({group:04X},{number:04X}) where an item of {_named(element)} should be")
            self._pay(1)
            if skim and length != UNDEFINED:
                stop = offset + 8 + length
                if stop > end:
                    raise malformed("an item is longer than its sequence")
                item = Item(offset, offset + 8, length, stop, stop, ())
            else:
                item = self._one_item(offset, length, end, element.depth + 1, implicit=element.implicit, signed=False)
            yield item
            offset = item.end

    def _one_item(self, start: int, length: int, end: int, depth: int, *, implicit: bool, signed: bool) -> Item:
        value = start + 8
        delimited = length == UNDEFINED
        if not delimited:
            if value + length > end:
                raise malformed("an item is longer than its sequence")
            end = value + length
        if implicit and not self.looks_explicit(value, end):
            elements, stop = self.implicit(value, end, depth, delimited=delimited, signed=signed)
        else:
            elements, stop = self.explicit(value, end, depth, delimited=delimited)
        return Item(start, value, length, stop, stop + 8 if delimited else end, tuple(elements))

    def _begins_with_item(self, value: int, length: int) -> bool:
        return length == 0 or bytes(self.buffer[value : value + 4]) == b"\xfe\xff\x00\xe0"

    # --- ends and bounds ----------------------------------------------------------------------------------------------

    def is_padding(self, offset: int, end: int) -> bool:
        """Whether nothing but zeros follows."""
        return end - offset <= self._limits.trailing_bytes_max and not any(self.buffer[offset:end])

    def _check_end(self, offset: int, end: int, depth: int, *, delimited: bool) -> None:
        if delimited:
            raise malformed("an item ends without its delimiter")
        if offset != end and not (depth == 0 and self.is_padding(offset, end)):
            raise malformed(f"{end - offset} bytes that are no element")

    def _check_stop(self, offset: int, end: int, depth: int, *, delimited: bool) -> None:
        """Refuse an item delimiter but where an item waits for one, or at the very end of an item."""
        if delimited or (depth and offset + 8 == end) or (not depth and self.is_padding(offset, end)):
            return
        raise malformed("an item delimiter without its item")

    def _spend(self, elements: list[Element], spent: int) -> int:
        self._pay(len(elements) - spent)
        return len(elements)

    def _too_many(self) -> LimitExceeded:
        return exceeded("elements_max", self._limits.elements_max + 1, self._limits.elements_max)

    def _pay(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise self._too_many()


class _Creators:
    """The private creators of one data set (PS3.5 7.8.1), looked for only once however many elements ask."""

    __slots__ = ("_names", "_seen", "elements")

    def __init__(self, elements: list[Element]) -> None:
        self.elements = elements
        self._seen = 0
        self._names: dict[int, str] = {}

    def of(self, tag: int, buffer: Buffer) -> str:
        for element in self.elements[self._seen :]:
            if element.tag & 0x1FF00 == 0x10000 and element.tag & 0xFF >= 0x10 and element.length <= 64:
                value = bytes(buffer[element.value_offset : element.value_offset + element.length])
                self._names[element.tag] = value.decode("latin-1").strip(" \0")
        self._seen = len(self.elements)
        return self._names.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF, "")


def _named(element: Element) -> str:
    return f"({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})"
