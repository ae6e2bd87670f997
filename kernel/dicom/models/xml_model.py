"""The Native DICOM Model as XML, written from DICOM JSON (PS3.19 A.1, PS3.18 8.7.3.1); read by `xml_reader`.

JSON is what the archive keeps, and both models say the same: one value is one `Value`, an item an `Item`, bulk data is
named by its URI. A private element is written as `gggg00ee` with its creator's name (PS3.19 table A.1.5-2), unless two
blocks of one group have the same creator, when only the whole tag tells them apart.

A character that XML 1.0 cannot carry, such as a form feed, becomes U+FFFD; everything else comes back as it was.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from kernel.dicom.vocabulary.dictionary import KEYWORD_OF

NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
COMPONENTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")

_HEAD: Final = f'<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">'
_TAIL: Final = "</NativeDicomModel>"
_NOT_IN_XML: Final = {code: "\ufffd" for code in (*range(0x20), 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"}
_TEXT: Final = _NOT_IN_XML | {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_ATTRIBUTE: Final = _TEXT | {ord('"'): "&quot;", ord("\t"): "&#9;", ord("\n"): "&#10;"}

Json = dict[str, Any]


def to_xml(model: bytes | Json) -> bytes:
    """Return one data set as an XML document in UTF-8; `model` is its DICOM JSON object, as bytes or decoded."""
    content: Json = msgspec.json.decode(model) if isinstance(model, bytes) else model
    return "".join((_HEAD, *_data_set(content), _TAIL)).encode("utf-8")


def _data_set(model: Json) -> Iterator[str]:
    creators = _creators(model)
    for key, one in model.items():
        yield _opening(key, one["vr"], creators.get(key[:4] + key[4:6]) if creators else None)
        if "Value" in one:
            yield from _values(one["vr"], one["Value"])
        elif "InlineBinary" in one:
            yield f"<InlineBinary>{one['InlineBinary']}</InlineBinary>"
        elif "BulkDataURI" in one:
            yield f'<BulkData uri="{one["BulkDataURI"].translate(_ATTRIBUTE)}"/>'
        yield "</DicomAttribute>"


def _creators(model: Json) -> Mapping[str, str]:
    """Return the creator of each private block (`gggg` and the block's two digits) that it alone has in its group."""
    found: dict[str, str] = {}
    for key, one in model.items():
        if int(key[3], 16) & 1 and key[4:6] == "00" and key[6:] >= "10":
            value = one.get("Value")
            if value and isinstance(value[0], str):
                found[key[:4] + key[6:]] = value[0]
    times = Counter((block[:4], creator) for block, creator in found.items())
    return {block: creator for block, creator in found.items() if times[block[:4], creator] == 1}


def _opening(key: str, vr: str, creator: str | None) -> str:
    if creator is None:
        return _plain_opening(key, vr)
    written = f"{key[:4]}00{key[6:]}"
    return f'<DicomAttribute tag="{written}" vr="{vr}" privateCreator="{creator.translate(_ATTRIBUTE)}">'


@lru_cache(maxsize=8192)  # the same few hundred elements in every instance
def _plain_opening(key: str, vr: str) -> str:
    keyword = KEYWORD_OF.get(int(key, 16))
    return f'<DicomAttribute tag="{key}" vr="{vr}"' + (f' keyword="{keyword}">' if keyword else ">")


def _values(vr: str, values: list[Any]) -> Iterator[str]:
    for number, value in enumerate(values, 1):
        if vr == "SQ":
            yield f'<Item number="{number}">'
            yield from _data_set(value or {})
            yield "</Item>"
        elif vr == "PN":
            yield f'<PersonName number="{number}">{_name(value or {})}</PersonName>'
        else:
            text = "" if value is None else value.translate(_TEXT) if isinstance(value, str) else repr(value)
            yield f'<Value number="{number}">{text}</Value>'


def _name(groups: Mapping[str, str]) -> str:
    return "".join(f"<{group}>{_components(groups[group])}</{group}>" for group in GROUPS if groups.get(group))


def _components(text: str) -> str:
    parts = text.translate(_TEXT).split("^", len(COMPONENTS) - 1)
    return "".join(f"<{name}>{part}</{name}>" for name, part in zip(COMPONENTS, parts, strict=False))
