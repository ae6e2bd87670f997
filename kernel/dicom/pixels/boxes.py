"""Rectangles of pixels: cut, joined, and turned inside out. Arithmetic alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, Self


class Box(NamedTuple):
    """A rectangle of pixels of one frame, counted from zero; `bottom` and `right` are the first outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def is_empty(self) -> bool:
        """Whether no pixel is in it."""
        return self.bottom <= self.top or self.right <= self.left

    @property
    def area(self) -> int:
        """The number of its pixels."""
        return max(0, self.bottom - self.top) * max(0, self.right - self.left)

    def within(self, rows: int, columns: int) -> Self:
        """Return what of it is in a frame."""
        return type(self)(
            min(max(self.top, 0), rows),
            min(max(self.left, 0), columns),
            min(max(self.bottom, 0), rows),
            min(max(self.right, 0), columns),
        )

    def grown(self, rows: int, columns: int) -> Self:
        """Return it with a margin above and below, and left and right."""
        return type(self)(self.top - rows, self.left - columns, self.bottom + rows, self.right + columns)

    def touches(self, other: "Box") -> bool:
        """Whether any pixel is in both."""
        return (
            self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right
        )

    def holds(self, other: "Box") -> bool:
        """Whether all of `other` is in it."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and other.bottom <= self.bottom
            and other.right <= self.right
        )


def outside(boxes: Sequence[Box], rows: int, columns: int) -> tuple[Box, ...]:
    """Return rectangles that cover what is outside of all `boxes` in a frame: one for each gap of each band of rows."""
    inside = [box for box in (one.within(rows, columns) for one in boxes) if not box.is_empty]
    edges = sorted({0, rows, *(edge for box in inside for edge in (box.top, box.bottom))})
    found: list[Box] = []
    for top, bottom in pairwise(edges):
        spans = merged((box.left, box.right) for box in inside if box.top <= top < box.bottom)
        starts = [0, *(end for _, end in spans)]
        ends = [*(start for start, _ in spans), columns]
        found += [Box(top, left, bottom, right) for left, right in zip(starts, ends, strict=True) if left < right]
    return tuple(found)


def runs(boxes: Iterable[Box], columns: int) -> tuple[tuple[int, int], ...]:
    """Return the pixels in any of `boxes` as (first, end) of runs in reading order, as long as they can be."""
    each = (
        (row * columns + box.left, row * columns + box.right) for box in boxes for row in range(box.top, box.bottom)
    )
    return tuple(merged(each))


def joined(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Return boxes without those that another holds, in reading order."""
    largest: list[Box] = []
    for box in sorted(set(boxes), key=lambda one: -one.area):
        if not box.is_empty and not any(other.holds(box) for other in largest):
            largest.append(box)
    return tuple(sorted(largest))


def fused(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Return the hulls of boxes that touch, in reading order; none of them touches another."""
    hulls: list[Box] = []
    for box in boxes:
        whole = box
        while near := [one for one in hulls if one.touches(whole)]:
            hulls = [one for one in hulls if one not in near]
            tops, lefts, bottoms, rights = zip(whole, *near, strict=True)
            whole = Box(min(tops), min(lefts), max(bottoms), max(rights))
        hulls.append(whole)
    return tuple(sorted(hulls))


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that meet as one."""
    return list(_merged(spans))


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if last is not None and start <= last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last
