"""Neighbouring elements that are the same in slice after slice are known again by one look, and replaced as one.

Which they are is learnt: what stood at a tag in the last slice and stands there again is treated together with its
neighbours of which the same is true, and so it stays until one of them changes. A stretch is known again by all its
bytes alone, so it holds only elements whose bytes tell how they are to be read; and the private elements of a group all
or none, because what becomes of one is decided by another (PS3.5 7.8.1).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from anonymizer.elements.memory import Memory, Stretch
from kernel.dicom.scanning.elements import UNDEFINED, Element

STRETCHES_MAX: Final = 256  # of one study
STRETCH_BYTES_MAX: Final = 8_192  # a longer one is parted
SEEN_MAX: Final = 512  # tags of one study; what comes after the first slices is hardly ever new

_START, _END = 2, 5  # of an `Element`, by position: attribute look-ups are most of the work here


class Part(NamedTuple):
    """Neighbouring elements [first, last) that share a fate."""

    first: int
    last: int
    known: Stretch | None  # the stretch that they are
    is_steady: bool  # they stood there in the last slice, too: worth remembering


def is_ordered(tags: Sequence[int]) -> bool:
    """Whether tags ascend, as they should: then the elements of a group are neighbours."""
    return list(tags) == sorted(tags)


def parts_of(elements: Sequence[Element], end: int, view: memoryview, memory: Memory) -> Iterator[Part]:
    """Yield how elements in order, which end at `end`, part into stretches that are known, and others."""
    first = index = size = 0
    steady = False
    while index < len(elements):
        known = _known(elements, index, end, view, memory)
        last = index + (known.elements if known else _unit(elements, index))
        begin, stop = elements[index][_START], elements[last - 1][_END]
        same = known is None and _is_steady(
            elements[index:last], bytes(view[begin : min(stop, begin + STRETCH_BYTES_MAX + 1)]), memory
        )
        if first < index and (known or same != steady or (steady and size + stop - begin > STRETCH_BYTES_MAX)):
            yield Part(first, index, None, steady)
            first, size = index, 0
        if known:
            yield Part(index, last, known, is_steady=False)
            first = last
        else:
            steady, size = same, size + stop - begin
        index = last
    if first < index:
        yield Part(first, index, None, steady)


def remember(memory: Memory, elements: Sequence[Element], stretch: Stretch) -> None:
    """Remember what became of elements together; when there is too much, begin again."""
    if len(memory.stretches) >= STRETCHES_MAX:
        memory.stretches.clear()
    memory.stretches[elements[0].tag] = stretch


def _known(elements: Sequence[Element], index: int, end: int, view: memoryview, memory: Memory) -> Stretch | None:
    stretch = memory.stretches.get(elements[index][0])
    if stretch is None:
        return None
    start = elements[index][_START]
    stop, last = start + len(stretch.content), index + stretch.elements
    if (
        last > len(elements)
        or stop > end
        or elements[last - 1][_END] != stop
        or bytes(view[start:stop]) != stretch.content
    ):
        return None
    return None if _parts_a_group(elements, index) or _parts_a_group(elements, last) else stretch


def _unit(elements: Sequence[Element], index: int) -> int:
    """Return how many elements from `index` on are judged together: those of a private group, or one."""
    group = elements[index][0] >> 16
    if not group & 1:
        return 1
    return next((at for at in range(index, len(elements)) if elements[at][0] >> 16 != group), len(elements)) - index


def _parts_a_group(elements: Sequence[Element], index: int) -> bool:
    """Whether the elements before and at `index` are of one private group."""
    if not 0 < index < len(elements):
        return False
    group = elements[index][0] >> 16
    return bool(group & 1) and elements[index - 1][0] >> 16 == group


def _is_steady(unit: Sequence[Element], content: bytes, memory: Memory) -> bool:
    """Whether the same stood there in the last slice; what stands there now is noted."""
    tag = unit[0][0]
    if len(content) > STRETCH_BYTES_MAX:
        return False
    if memory.seen.get(tag) == content:
        return all(_says_how_to_read_it(element, content, unit[0].start, memory) for element in unit)
    if len(memory.seen) >= SEEN_MAX:
        memory.seen.clear()
    memory.seen[tag] = content
    return False


def _says_how_to_read_it(element: Element, content: bytes, start: int, memory: Memory) -> bool:
    """Whether an element is what its own bytes say, wherever it stands (see `kernel.dicom.scanning.walker` for those that are not)."""
    if element.length == UNDEFINED or element.implicit != memory.implicit:
        return False
    at = element.start - start + 4
    return memory.implicit or content[at : at + 2] == element.vr.encode()
