"""Overlay planes (PS3.3 C.9.2) of an instance whose pixels are looked at: what is drawn stays, what is written goes.

A plane stays only when all of it is understood, and when nothing is read on it any more after what was read was taken
off. Its description, label and every other word go; a plane that is not kept goes whole, as the Basic Profile wants.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.pixels.finder import Finder
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values
from kernel.dicom.transcoding.header import Change
from kernel.errors import LimitExceeded, MalformedInstance

PLANES_MAX: Final = 16  # of an instance (PS3.5 7.6: groups 6000 to 601E)
FRAMES_MAX: Final = 8  # of a plane: each is looked at
PIXELS_MAX: Final = 64 * 1024 * 1024  # of a plane, all frames
LOOKS: Final = 3  # at a plane; what still shows text at the last goes
MARGIN_SHARE: Final = 8  # a box grows by this part of its height

# By element number: the VR, and what a value may be that stays as it is.
_KEPT: Final[Mapping[int, tuple[str, re.Pattern[bytes]]]] = {
    0x0010: ("US", re.compile(rb".{2}", re.DOTALL)),  # Rows
    0x0011: ("US", re.compile(rb".{2}", re.DOTALL)),  # Columns
    0x0015: ("IS", re.compile(rb" *\d{1,4} *")),  # Number of Frames in Overlay
    0x0040: ("CS", re.compile(rb"[GR] ?")),  # Type
    0x0050: ("SS", re.compile(rb".{4}", re.DOTALL)),  # Origin
    0x0051: ("US", re.compile(rb".{2}", re.DOTALL)),  # Image Frame Origin
    0x0100: ("US", re.compile(rb"\x01\x00")),  # Bits Allocated
    0x0102: ("US", re.compile(rb"\x00\x00")),  # Bit Position
}
_NEEDED: Final = frozenset({0x0010, 0x0011, 0x0040, 0x0050, 0x0100, 0x0102})
_FRAMES, _ROWS, _COLUMNS, _DATA = 0x0015, 0x0010, 0x0011, 0x3000
_WORDS: Final = re.compile(rb"[A-Za-z0-9]{5,}")  # bytes that are letters rather than a drawing


@dataclass(frozen=True, slots=True)
class _Plane:
    """One overlay: the elements that say how it lies, by tag, and its bits of shape (frames, rows, columns)."""

    group: int
    described: Mapping[int, Change]
    bits: NDArray[np.uint8]


def overlays_kept(header: Header, finder: Finder, long_side: int) -> dict[int, Change]:
    """Return the elements of the planes that may stay, cleaned, by tag; none when there are none."""
    kept: dict[int, Change] = {}
    for plane in _planes(header):
        try:
            bits = _without_text(plane.bits, finder, long_side)
        except (MalformedInstance, LimitExceeded):  # nobody knows what is on it
            continue
        if bits is not None and bits.any():
            data = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
            kept |= {**plane.described, plane.group << 16 | _DATA: ("OW", data + b"\0" * (len(data) % 2))}
    return kept


def _planes(header: Header) -> Iterator[_Plane]:
    for number in range(PLANES_MAX):
        plane = _plane(header, 0x6000 + 2 * number)
        if plane is not None:
            yield plane


def _plane(header: Header, group: int) -> _Plane | None:
    """Return a plane that is understood and on which something is drawn."""
    values, described = Values(header), dict[int, Change]()
    for number, (vr, pattern) in _KEPT.items():
        tag = group << 16 | number
        raw = header.raw(tag)
        if raw and pattern.fullmatch(raw):
            described[tag] = (vr, raw)
        elif raw or number in _NEEDED:
            return None
    rows, columns = (values.unsigned(group << 16 | number) or 0 for number in (_ROWS, _COLUMNS))
    frames = values.integer(group << 16 | _FRAMES) or 1
    count, data = frames * rows * columns, header.raw(group << 16 | _DATA)
    if not 0 < count <= PIXELS_MAX or frames > FRAMES_MAX or len(data) * 8 < count or _WORDS.search(data):
        return None
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little")
    return _Plane(group, described, bits.reshape(frames, rows, columns)) if bits.any() else None


def _without_text(bits: NDArray[np.uint8], finder: Finder, long_side: int) -> NDArray[np.uint8] | None:
    """Return a plane without what is read on it; None when there is still something at the last look."""
    clean = bits.copy()
    for frame in clean:
        for _ in range(LOOKS):
            found = [box for box, kind in finder.find(frame * np.uint8(255), long_side) if kind != "mark"]
            for box in found:
                margin = max(2, (box.bottom - box.top) // MARGIN_SHARE)
                top, left, bottom, right = box.grown(margin, margin).within(*frame.shape)
                frame[top:bottom, left:right] = 0
            if not found:
                break
        else:
            return None
    return clean
