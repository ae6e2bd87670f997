"""Private attributes that are known to be safe (PS3.15 E.3.10): by the creator of their block, never by its number."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from anonymizer.profiles.profile import table
from kernel.dicom.scanning.elements import Element

CREATOR_BYTES_MAX: Final = 64  # of an LO
CREATOR: Final = "creator"  # in place of a VR: the text is one of the table's, so it stays

_BYTES: Final[Mapping[str, int]] = {"FD": 8, "FL": 4, "SL": 4, "SS": 2, "UL": 4, "US": 2}  # of one number
_DECIMAL: Final = re.compile(rb"[0-9eE.+\\ -]{0,256}")
_CREATORS_FIRST, _CREATORS_LAST = 0x10, 0xFF


class PrivateBlocks:
    """The private blocks of one data set; their creators are looked for once they are asked for."""

    __slots__ = ("_elements", "_safe", "_view")

    def __init__(self, elements: Sequence[Element], view: memoryview) -> None:
        self._elements = elements
        self._view = view
        self._safe: Mapping[int, str] | None = None

    def safe_vr(self, tag: int) -> str:
        """Return the VR that a private element may be kept with, CREATOR for that of its block, or empty: it goes."""
        if self._safe is None:
            self._safe = self._found()
        return self._safe.get(tag, "")

    def _found(self) -> Mapping[int, str]:
        private = [element for element in self._elements if element.tag & 0x10000]
        creators = {
            element.tag: bytes(self._view[element.value_offset : element.value_offset + element.length])
            .strip(b" \0")
            .decode("latin-1")
            for element in private
            if _CREATORS_FIRST <= element.tag & 0xFFFF <= _CREATORS_LAST and element.length <= CREATOR_BYTES_MAX
        }
        safe: dict[int, str] = {}
        for element in private:
            block = element.tag & 0xFFFF0000 | element.tag >> 8 & 0xFF
            vr = _safe().get((element.tag >> 16, creators.get(block, ""), element.tag & 0xFF))
            if vr and element.tag & 0xFFFF > _CREATORS_LAST:
                safe[element.tag], safe[block] = vr, CREATOR
        return safe


@cache
def _safe() -> Mapping[tuple[int, str, int], str]:
    rows = table("safe_private.json")["rows"]
    return {(int(row["group"], 16), row["creator"], int(row["element"], 16)): row["vr"] for row in rows}


def holds(vr: str, value: bytes) -> bool:
    """Whether a value can be one of `vr`: numbers that are none, and bytes of any meaning, are not kept."""
    if vr in {"DS", "IS"}:
        return _DECIMAL.fullmatch(value.strip(b" \0")) is not None
    if vr in _BYTES:
        return len(value) % _BYTES[vr] == 0
    return vr in {"CS", "LO", "SH"}
