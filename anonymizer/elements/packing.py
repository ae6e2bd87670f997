"""Sequences put together again from what became of their items (PS3.5 7.5): with delimiters, or with new lengths."""

import struct
from collections.abc import Iterable, Sequence

from kernel.dicom.scanning.elements import UNDEFINED, Element, Item

Chunk = bytes | memoryview
Chunks = list[Chunk]

_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\x00\x00\x00\x00"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
_UNDEFINED = struct.pack("<I", UNDEFINED)


def packed(view: memoryview, element: Element, contents: Sequence[Chunks | None]) -> Chunks | None:
    """Return a sequence with the new contents of its items, in the form that each had; None when nothing changes.

    Parameters
    ----------
    view
        The bytes that the element's offsets mean.
    contents
        Of each item in turn: the new content, or None where it stays.
    """
    if all(content is None for content in contents):
        return None
    parts: Chunks = []
    for item, content in zip(element.items or (), contents, strict=True):
        if content is None:
            parts.append(view[item.start : item.end])
        elif item.length == UNDEFINED:
            parts += [_ITEM + _UNDEFINED, *content, _ITEM_END]
        else:
            parts += [_ITEM + struct.pack("<I", _size(content)), *content]
    head = view[element.start : element.value_offset - 4]
    if element.length == UNDEFINED:
        return [head, _UNDEFINED, *parts, _SEQUENCE_END]
    return [head, struct.pack("<I", _size(parts)), *parts]


def packed_in_turn(view: memoryview, element: Element, contents: Iterable[tuple[Item, Chunks | None]]) -> Chunks | None:
    """Return what `packed` does for a sequence of so many items that none of them is to be kept while it is made."""
    new, changes = bytearray(), False
    for item, content in contents:
        if content is None:
            new += view[item.start : item.end]
            continue
        changes = True
        new += _ITEM
        new += _UNDEFINED if item.length == UNDEFINED else struct.pack("<I", _size(content))
        for chunk in content:
            new += chunk
        if item.length == UNDEFINED:
            new += _ITEM_END
    if not changes:
        return None
    head = view[element.start : element.value_offset - 4]
    if element.length == UNDEFINED:
        return [head, _UNDEFINED, memoryview(new), _SEQUENCE_END]
    return [head, struct.pack("<I", len(new)), memoryview(new)]


def as_chunks(new: bytes | None) -> Chunks | None:
    """Return one new element as chunks: none of them when it is gone, None when it stays as it was."""
    return None if new is None else [new] if new else []


def _size(chunks: Chunks) -> int:
    return sum(map(len, chunks))
