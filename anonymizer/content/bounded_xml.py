"""XML from strangers: one encoding, no DTD, bounded in size, depth and number of elements."""

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT_BYTES_MAX: Final = 4 * 1024 * 1024
ELEMENTS_MAX: Final = 100_000
DEPTH_MAX: Final = 100
CHUNK_CHARACTERS: Final = 65_536  # parsed at a time: bounds are kept while it is read

_ENCODING: Final = re.compile(r"^\s*<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)")
_MARKUP: Final = re.compile(r"<!(?!--|\[CDATA\[)")


def parsed(content: bytes) -> ET.Element | None:
    """Return the root of a UTF-8 document, comments and processing instructions left out; None when it is none.

    A document with a DTD, in another encoding, or over a bound is none.
    """
    if len(content) > DOCUMENT_BYTES_MAX:
        return None
    try:
        text = content.rstrip(b"\0 \r\n").decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    declared = _ENCODING.match(text)
    if _MARKUP.search(text) or (declared and declared[1].lower() not in {"utf-8", "us-ascii"}):
        return None
    try:
        return _read(text)
    except ET.ParseError:
        return None


def _read(text: str) -> ET.Element | None:
    parser = ET.XMLPullParser(("start", "end"))
    depth = elements = 0
    root: ET.Element | None = None
    for at in range(0, len(text), CHUNK_CHARACTERS):
        parser.feed(text[at : at + CHUNK_CHARACTERS])
        for event, element in cast("Iterator[tuple[str, ET.Element]]", parser.read_events()):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            elements += event == "start"
            if depth > DEPTH_MAX or elements > ELEMENTS_MAX:
                return None
    parser.close()
    return root
