"""A slide's tile index on disk: kept beside the slide and memory-mapped.

A magic number, the length of a header in JSON, the header, and the numbers of each level at multiples of 8 bytes.
"""

import base64
import json
import secrets
import struct
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from wsi.limits import PROFILE_BYTES_MAX, at_most, malformed
from wsi.tile_index import Associated, Glass, Level, OnGlass, SlideIndex

MAGIC: Final = b"VATILES4"
HEADER_BYTES_MAX: Final = 16 * 1024 * 1024
_ALIGNMENT: Final = 8
_NUMBERS: Final = (("<u8", 8), ("<u4", 4), ("<u2", 2))  # offsets, lengths, files


def save(index: SlideIndex, path: Path) -> None:
    """Write an index beside its slide; whole, or not at all."""
    header = json.dumps(_described(index)).encode()
    parts = [MAGIC, struct.pack("<Q", len(header)), header]
    size = sum(map(len, parts))
    for level in index.levels:
        for numbers, (kind, _) in zip((level.offsets, level.lengths, level.files), _NUMBERS, strict=True):
            padding = b"\0" * (-size % _ALIGNMENT)
            body = numbers.astype(kind).tobytes()
            parts += [padding, body]
            size += len(padding) + len(body)
    unnamed = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")  # several may make the same one
    try:
        unnamed.write_bytes(b"".join(parts))
        unnamed.replace(path)
    finally:
        unnamed.unlink(missing_ok=True)


def load(path: Path) -> SlideIndex:
    """Open an index; its numbers stay in the file until they are asked for.

    Raises
    ------
    MalformedSlide
        It is no index, or was cut off.
    """
    content = np.asarray(np.memmap(path, np.uint8, mode="r"))  # a plain array of the map: its items cost a tenth
    if bytes(content[:8]) != MAGIC or len(content) < 16:
        raise malformed("its index is not one")
    (length,) = struct.unpack("<Q", bytes(content[8:16]))
    at_most("bytes of an index's header", length, HEADER_BYTES_MAX)
    if 16 + length > len(content):
        raise malformed("its index was cut off")
    described = json.loads(bytes(content[16 : 16 + length]))
    position = 16 + length
    levels: list[Level] = []
    for values in described["levels"]:
        count = values.pop("count")
        numbers: list[np.ndarray] = []
        for kind, width in _NUMBERS:
            position += -position % _ALIGNMENT
            if position + count * width > len(content):
                raise malformed("its index was cut off")
            numbers.append(content[position : position + count * width].view(kind))
            position += count * width
        values["tables"] = base64.b64decode(values["tables"])
        levels.append(Level(**values, offsets=numbers[0], lengths=numbers[1], files=numbers[2]))
    mpp = described["mpp"]
    return SlideIndex(
        vendor=described["vendor"],
        mpp=(mpp[0], mpp[1]) if mpp else None,
        objective=described["objective"],
        icc_profile=base64.b64decode(described["icc_profile"]),
        levels=tuple(levels),
        acquired_at=datetime.fromisoformat(described["acquired_at"]) if described["acquired_at"] else None,
        associated=tuple(Associated(**one) for one in described["associated"]),
        on_glass=_on_glass(described["on_glass"]),
        focal_planes=tuple(described["focal_planes"]),
        optical_paths=tuple(described["optical_paths"]),
        glass=_glass(described["glass"]),
        derivation=described["derivation"],
    )


def _glass(described: dict[str, Any]) -> Glass:
    return Glass(described["container"], tuple(described["specimens"]), tuple(described["stains"]))


def _on_glass(described: dict[str, Any] | None) -> OnGlass | None:
    if described is None:
        return None
    origin = described["origin_mm"]
    return OnGlass(tuple(described["orientation"]), (origin[0], origin[1]) if origin else None)


def _described(index: SlideIndex) -> dict[str, Any]:
    at_most("bytes of a colour profile", len(index.icc_profile), PROFILE_BYTES_MAX)
    return {
        "vendor": index.vendor,
        "mpp": index.mpp,
        "objective": index.objective,
        "icc_profile": base64.b64encode(index.icc_profile).decode(),
        "acquired_at": index.acquired_at.isoformat() if index.acquired_at else None,
        "levels": [_described_level(level) for level in index.levels],
        "associated": [asdict(one) for one in index.associated],
        "on_glass": asdict(index.on_glass) if index.on_glass else None,
        "focal_planes": index.focal_planes,
        "optical_paths": index.optical_paths,
        "glass": asdict(index.glass),
        "derivation": index.derivation,
    }


def _described_level(level: Level) -> dict[str, Any]:
    names = ("width", "height", "tile_width", "tile_height", "coding", "colour", "planes", "paths")
    return {
        **{name: getattr(level, name) for name in names},
        "tables": base64.b64encode(level.tables).decode(),
        "count": len(level.offsets),
    }
