"""UIDs in the objects of a PDF: plain, in UTF-16, in hexadecimal, or parted by the spacing of a page. Pure.

Strings of a PDF are bytes in parentheses or hexadecimal between angles, in a simple encoding or UTF-16 (ISO 32000-1 7.3.4,
7.9.2); on a page a line may be parted between its letters (9.4.3).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

_UID: Final = re.compile(rb"(?<![0-9.])2\.25\.[1-9][0-9]{0,38}(?![0-9]|\.[0-9])")  # as `anonymizer.reidentify.way_back`
_WIDE: Final = re.compile(rb"(?:\0[0-9.]){6,64}")  # digits and dots in UTF-16
_HEXADECIMAL: Final = re.compile(rb"<([0-9A-Fa-f\s]{12,})>")
_PARTED: Final = re.compile(rb"\)\s*(?:-?[0-9.]+\s*)?\(")  # `(2.25)-20(.17)`, between the letters of a line


def uids_of(content: bytes) -> frozenset[str]:
    """Return the UIDs that a de-identification may have made, wherever a reader of the object would see them."""
    plain = _HEXADECIMAL.sub(lambda match: b"(" + _bytes_of(match[1]) + b")", content).replace(b"\0", b"")
    found = {*_UID.findall(plain), *_UID.findall(_PARTED.sub(b"", plain))}
    return frozenset(uid.decode("ascii") for uid in found)


def with_uids(content: bytes, uids: Mapping[str, str]) -> bytes:
    """Return the object with the UIDs that stand in whole strings put back."""

    def plain(part: bytes) -> bytes:
        return _UID.sub(lambda match: uids.get(match[0].decode("ascii"), "").encode("ascii") or match[0], part)

    def wide(part: bytes) -> bytes:
        return _WIDE.sub(lambda match: _widened(plain(match[0][1::2])), part)

    return _HEXADECIMAL.sub(lambda match: _again(match, lambda part: wide(plain(part))), wide(plain(content)))


def _again(match: re.Match[bytes], lead_back: Callable[[bytes], bytes]) -> bytes:
    old = _bytes_of(match[1])
    new = lead_back(old)
    return match[0] if new == old else b"<" + new.hex().encode("ascii") + b">"


def _bytes_of(digits: bytes) -> bytes:
    bare = b"".join(digits.split())
    return bytes.fromhex((bare + b"0" * (len(bare) % 2)).decode("ascii"))


def _widened(text: bytes) -> bytes:
    return text.decode("ascii").encode("utf-16-be")
