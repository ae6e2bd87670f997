"""What the scanner finds: elements, items and the header that holds them. Spans into a buffer; no values are copied.

Offsets count from the start of `Header.buffer`. To write an unchanged element again, copy `buffer[start:end]`. To give
a sequence (or any element with a 32-bit length field) another length, copy `buffer[start:value_offset - 4]` and append
the length: that holds for implicit elements, for explicit long forms, and for a UN of undefined length, which is shown
as a sequence whose elements are implicit (PS3.5 6.2.2 note 2).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from mmap import mmap
from typing import Any, Final, NamedTuple, TypeVar

Told = TypeVar("Told")
Buffer = bytes | bytearray | memoryview | mmap

UNDEFINED: Final = 0xFFFFFFFF  # the length of what ends with a delimiter (PS3.5 7.1.1)


class Element(NamedTuple):
    """One data element (PS3.5 7.1). A tuple because a received instance makes hundreds of them."""

    tag: int  # group << 16 | element
    vr: str  # as encoded; from the dictionary when implicit or UN; "SQ" whenever `items` is not None
    start: int  # of the tag
    value_offset: int
    length: int  # of the value in bytes, or UNDEFINED
    end: int  # after the value and its delimiter
    depth: int  # 0 in the data set itself, 1 in an item of it, ...
    items: "Sequence[Item] | None"  # of a sequence; None for every other element, encapsulated pixel data too
    implicit: bool  # how this element's own header is encoded

    @property
    def is_private(self) -> bool:
        """Whether the group is odd (PS3.5 7.8)."""
        return bool(self.tag >> 16 & 1)


class Item(NamedTuple):
    """One item of a sequence (PS3.5 7.5)."""

    start: int  # of the item tag
    value_offset: int  # of the first element
    length: int  # of the content in bytes, or UNDEFINED
    content_end: int  # after the last element
    end: int  # after the item delimiter, if there is one
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where the pixel data is in the scanned bytes; not read.

    Offsets count from the start of the buffer given to `scan`, or of the inflated data set if that was deflated.
    """

    tag: int  # (7FE0,0010), or Float (7FE0,0008) or Double Float (7FE0,0009) Pixel Data
    vr: str
    start: int  # of the element: the header before it is [0, start)
    value_offset: int
    length: int  # in bytes, or UNDEFINED: encapsulated (PS3.5 A.4)
    end: int  # after the value and its delimiter; the buffer's end when the value lies beyond it

    @classmethod
    def of(cls, element: Element) -> "PixelData":
        """Make the location of a pixel data element."""
        return cls(element.tag, element.vr, element.start, element.value_offset, element.length, element.end)

    @property
    def is_encapsulated(self) -> bool:
        """Whether the value is a sequence of fragments."""
        return self.length == UNDEFINED


@dataclass(slots=True)
class Header:
    """All elements of a data set but its pixel data, which has its own place here. Always little endian.

    When `reencoded` the data set was deflated or big endian, and `buffer` is not what was given: to rewrite such an
    instance, make it explicit little endian first (`reencode.to_explicit_little_endian`) and scan that.
    """

    buffer: Buffer  # what the offsets of elements mean: the scanned bytes, or their re-encoded header
    elements: tuple[Element, ...]  # of the data set itself, in the order found, without the pixel data
    start: int  # of the first element
    end: int  # after the last element; what follows in the buffer is padding
    implicit: bool  # found, not declared: senders mix them up
    pixel_data: PixelData | None
    complete: bool  # False: the buffer ends inside the pixel data, what follows it is unknown
    reencoded: bool
    frame_groups_apart: Element | None = None  # passed by `scanner.scan_apart`: not among the elements
    _index: dict[int, Element] = field(init=False, repr=False)
    _told: dict[Callable[..., Any], Any] = field(
        init=False, repr=False, compare=False
    )  # what the layout told, by who asked

    def __post_init__(self) -> None:
        self._index = {element.tag: element for element in self.elements}
        self._told = {}

    def over(self, buffer: Buffer) -> "Header":
        """Return the header of another buffer in which everything is at the same place."""
        other = Header.__new__(Header)  # a quarter of what `replace` takes, which makes the index anew
        other.buffer, other.elements = buffer, self.elements
        other._index, other._told = self._index, self._told  # noqa: SLF001 (of the same class)
        other.start, other.end, other.implicit = self.start, self.end, self.implicit
        other.pixel_data, other.complete, other.reencoded = self.pixel_data, self.complete, self.reencoded
        other.frame_groups_apart = self.frame_groups_apart
        return other

    def told_by_layout(self, ask: Callable[[tuple[Element, ...]], Told]) -> Told:
        """Return what `ask` makes of the elements, which reads no value: asked once of all headers laid out alike."""
        if ask not in self._told:
            self._told[ask] = ask(self.elements)
        return self._told[ask]

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements)

    @property
    def index(self) -> Mapping[int, Element]:
        """Top-level elements by tag; the last one of a repeated tag, as pydicom does."""
        return self._index

    def get(self, tag: int) -> Element | None:
        """Return the top-level element of `tag`."""
        return self._index.get(tag)

    def value(self, element: Element) -> bytes:
        """Return the encoded value of an element that is no sequence and has a defined length."""
        return bytes(self.buffer[element.value_offset : element.value_offset + element.length])

    def raw(self, tag: int) -> bytes:
        """Return the encoded value of a top-level element; empty if it is absent, a sequence or encapsulated."""
        element = self._index.get(tag)
        if element is None or element.items is not None or element.length == UNDEFINED:
            return b""
        return self.value(element)

    def walk(self) -> Iterator[Element]:
        """Yield every element, those in items after the sequence that holds them."""
        stack: list[Iterator[Element]] = [iter(self.elements)]
        while stack:
            element = next(stack[-1], None)
            if element is None:
                stack.pop()
                continue
            yield element
            if element.items:
                stack.append(chain.from_iterable(item.elements for item in element.items))

    def resolve(self, path: str) -> Element | None:
        """Return the element of a path such as `00091010/0/00091011`: tags in hexadecimal, item numbers from zero."""
        parts = path.split("/")
        elements = self.elements
        try:
            for position in range(0, len(parts) - 1, 2):
                sequence = _named(elements, parts[position])
                if sequence is None or sequence.items is None:
                    return None
                elements = sequence.items[_number(parts[position + 1])].elements
        except (IndexError, ValueError):
            return None
        return _named(elements, parts[-1]) if len(parts) % 2 else None


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text[:9])


def _named(elements: tuple[Element, ...], text: str) -> Element | None:
    if len(text) != 8:
        return None
    try:
        tag = int(text, 16)
    except ValueError:
        return None
    return next((element for element in reversed(elements) if element.tag == tag), None)
