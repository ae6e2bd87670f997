"""What text is left in a de-identified instance: for a person who looks at each distinct string once."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from kernel.dicom.scanning.elements import Element, Header
from kernel.dicom.vocabulary.charset import decode, parse_charsets

TEXT_CHARACTERS_MAX: Final = 2_000  # shown of one value
_SHOWN: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_CHARSET: Final = 0x00080005


class Survivor(NamedTuple):
    """One text and where it stands."""

    tag: int
    text: str


def survivors(header: Header) -> Iterator[Survivor]:
    """Yield every text of an instance but UIDs, dates and numbers, nested ones included."""
    charsets = parse_charsets(header.raw(_CHARSET))
    yield from _of(header, header.elements, charsets)


def _of(header: Header, elements: tuple[Element, ...], charsets: tuple[str, ...]) -> Iterator[Survivor]:
    own = next((element for element in elements if element.tag == _CHARSET and element.items is None), None)
    if own is not None:
        charsets = parse_charsets(header.value(own))
    for element in elements:
        if element.items is not None:
            for item in element.items:
                yield from _of(header, item.elements, charsets)
        elif element.vr in _SHOWN and element.length:
            text = decode(header.value(element), charsets).strip(" \0")
            if text:
                yield Survivor(element.tag, text[:TEXT_CHARACTERS_MAX])
