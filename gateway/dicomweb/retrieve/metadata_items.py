"""Metadata as items, one an instance, in bounded memory: for XML, and for who wants another transfer syntax's colors.

A stored instance's metadata tell of its stored frames. With `transfer-syntax` in Accept they say what the instance
would say in that transfer syntax: Photometric Interpretation and Planar Configuration may be others (PS3.5 8.2).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from kernel.dicom.transcoding.frames import can_transcode
from kernel.dicom.transcoding.header import color_in

Item = dict[str, Any]


def items_of(pieces: Iterable[bytes]) -> Iterator[Item]:
    """Yield the items of a JSON array that comes in pieces, each of whole items (`Metadata.pieces`)."""
    for piece in pieces:
        content = piece.strip(b"[],")
        if content:
            yield from msgspec.json.decode(b"[" + content + b"]", type=list[Item])


def as_json(items: Iterable[Item]) -> Iterator[bytes]:
    """Yield a JSON array."""
    separator = b"["
    for item in items:
        yield separator + msgspec.json.encode(item)
        separator = b","
    yield b"]" if separator == b"," else b"[]"


def recolored(items: Iterable[Item], stored: Mapping[str, str], target: str) -> Iterator[Item]:
    """Yield items as they would be in transfer syntax `target`; `stored`: that of each SOP Instance UID."""
    for item in items:
        source = stored.get(_value(item, "00080018") or "", target)
        if source != target and can_transcode(source, target) and (_value(item, "00280002") or 1) > 1:
            color = color_in(_value(item, "00280004") or "", 3, source, target)
            item["00280004"] = {"vr": "CS", "Value": [color]}
            if color != "YBR_FULL_422":
                item["00280006"] = {"vr": "US", "Value": [0]}
        yield item


def _value(item: Item, tag: str) -> Any:
    values = item.get(tag, {}).get("Value")
    return values[0] if values else None
