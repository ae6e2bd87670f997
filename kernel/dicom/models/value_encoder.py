"""One element's values of DICOM JSON (PS3.18 annex F) as the bytes of its VR (PS3.5 6.2), for whoever writes data sets.

What a value may be is decided here alone; what becomes of one that may not, and everything around it, is the writers'.
"""

import binascii
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from kernel.dicom.vocabulary.dictionary import BULK_VRS, NUMBER_FORMATS

_DS_CHARACTERS_MAX: Final = 16
_NUL_PADDED: Final = BULK_VRS | {"UI"}


def encoded(vr: str, values: Sequence[Any], *, order: str = "<", codec: str = "utf-8") -> bytes:
    """Return values, not padded; `order` is that of `struct`.

    Raises
    ------
    TypeError, ValueError, AttributeError, OverflowError, struct.error
        A value is none of its VR, or the VR is binary.
    UnicodeEncodeError
        The codec has no such character.
    """
    if code := NUMBER_FORMATS.get(vr):
        number = float if vr in ("FL", "FD") else _integer
        return struct.pack(f"{order}{len(values)}{code}", *map(number, values))
    if vr == "AT":
        tags = [int(value, 16) for value in values]
        return b"".join(struct.pack(order + "HH", one >> 16, one & 0xFFFF) for one in tags)
    if vr in BULK_VRS and values:
        raise ValueError(vr)
    make = _TEXTS.get(vr, _text)
    return "\\".join(["" if value is None else make(value) for value in values]).encode(codec)


def inline(text: Any) -> bytes:
    """Return what InlineBinary says, not padded; raises ValueError or TypeError when it is no base64."""
    return binascii.a2b_base64(_text(text), strict_mode=True)


def padding(vr: str, length: int) -> bytes:
    """Return what a value of so many bytes lacks to even (PS3.5 6.2)."""
    return (b"\0" if vr in _NUL_PADDED else b" ") * (length % 2)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _decimal(value: Any) -> str:
    """Return a DS of at most 16 characters (PS3.5 6.2), as exact as they allow."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError
    text = repr(value)
    if len(text) <= _DS_CHARACTERS_MAX:
        return text
    texts = (f"{value:.{digits}g}" for digits in range(16, 0, -1))
    return next(text for text in texts if len(text) <= _DS_CHARACTERS_MAX)


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else str(_integer(value))


def _name(value: Any) -> str:
    """Return a PN of up to three component groups; empty ones at the end are left out (PS3.5 6.2.1.1)."""
    parts = [value.get(group) or "" for group in ("Alphabetic", "Ideographic", "Phonetic")]
    return "=".join(map(_text, parts)).rstrip("=")


_TEXTS: Final[dict[str, Callable[[Any], str]]] = {"DS": _decimal, "IS": _whole, "PN": _name}
