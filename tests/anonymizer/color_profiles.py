"""Builders of ICC profiles, tag by tag."""

import struct
from collections.abc import Mapping

CURVE = b"curv" + struct.pack(">II", 0, 1) + b"\x02\x00"
XYZ = b"XYZ " + struct.pack(">Iiii", 0, 63189, 65536, 54061)


def a_profile(tags: Mapping[bytes, bytes], *, behind: bytes = b"", identifier: bytes = bytes(16)) -> bytes:
    """Return an RGB display profile with these tags, and bytes that no tag names behind them."""
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for signature, content in tags.items():
        table += signature + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data) + len(behind)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    return (header + bytes(44) + identifier).ljust(128, b"\0") + table + data + behind


def a_text_tag(kind: bytes, text: bytes) -> bytes:
    """Return a text, or the description of a profile of version 2 in letters, UTF-16 and Macintosh's code."""
    if kind != b"desc":
        return kind + bytes(4) + text + b"\0"
    wide = (text.decode() + "\0").encode("utf-16-be")
    letters = struct.pack(">I", len(text) + 1) + text + b"\0"
    return (
        b"desc" + bytes(4) + letters + struct.pack(">II", 0, len(text) + 1) + wide + b"\0\0\x0c" + text.ljust(67, b"\0")
    )


def mluc(text: str, *, count: int = 2) -> bytes:
    """Return a text in several languages."""
    wide = text.encode("utf-16-be")
    start = 16 + 12 * count
    records = (struct.pack(">4sII", b"viVN", len(wide), start + at * len(wide)) for at in range(count))
    return b"mluc" + struct.pack(">III", 0, count, 12) + b"".join(records) + wide * count
