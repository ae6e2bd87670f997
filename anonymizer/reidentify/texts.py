"""Documents that are text (a CDA, JSON, RTF, a note), led back: the name as their kind writes it, UIDs, times of a CDA. Pure.

A PDF is not text (`anonymizer.reidentify.pdf`).
"""

import codecs
import html
import json
import re
from dataclasses import replace
from typing import Final

from anonymizer.reidentify.way_back import WayBack

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TIME: Final = (
    re.compile(  # the elements of a CDA that a de-identification moves (`anonymizer.content.clinical_document`)
        r"(<(?:\w+:)?(?:effectiveTime|time|low|high|center|availabilityTime)\b[^<>]*?\svalue\s*=\s*[\"'])"
        r"(\d{8}(?:\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?)(?=[\"'])"
    )
)


def text_of(document: bytes) -> str:
    """Return a document as text: UTF-16 if it begins so, or else UTF-8, in which no byte is lost."""
    codec, errors = _codec(document)
    if codec != "utf-8":
        document += b"\0" * (len(document) % 2)  # taken for padding by whoever cut it off
    return document.decode(codec, errors)


def text_led_back(document: bytes, way: WayBack) -> bytes:
    """Return a document that is text with the patient and study as they are here.

    That the dates of a CDA left moved is told by what it came in, or by itself, if it has the moved Study Date.
    """
    text = text_of(document)
    start = text[:64].lstrip("\ufeff \r\n\t")
    if start.startswith("<"):
        moved = way.dates_came_moved or way.has_moved_any(value[:8] for _, value in _TIME.findall(text))
        new = replace(way, dates_came_moved=moved).text(text, html.escape(way.person))
        new = _TIME.sub(lambda found: found[1] + way.date(found[2]), new) if moved else new
    elif start.startswith(("{\\rtf", "{\\urtf")):
        new = way.text(text, "".join(map(_in_rtf, way.person)))
    elif start.startswith(("{", "[")):
        new = way.text(text, json.dumps(way.person, ensure_ascii=False)[1:-1])
    else:
        new = way.text(text)
    return document if new == text else new.encode(*_codec(document))


def _codec(document: bytes) -> tuple[str, str]:
    """Return the encoding of a document without the mark it begins with, which stays a character, and what bad bytes become."""
    if document.startswith(_UTF_16):
        return ("utf-16-le" if document.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"), "surrogatepass"
    return "utf-8", "surrogateescape"


def _in_rtf(character: str) -> str:
    """Return a character as it stands in RTF; one of Vietnamese names is below U+8000."""
    return character if character.isascii() and character not in "\\{}" else f"\\u{ord(character)}?"
