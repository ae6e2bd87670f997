"""DICOM JSON both ways (PS3.18 annex F): made straight from the scanner's header, read through pydicom.

Bulk data and pixel data are named, not copied, as `"BulkDataURI":"@/bulkdata/<path>"`, where the path is the one that
`Header.resolve` understands (`7FE00010`, `00091010/0/00091011`). Metadata is made once, at ingest, when nobody knows
the URL under which it will be served; whoever serves it replaces the bytes `"BulkDataURI":"@/` by
`"BulkDataURI":"<instance URL>/` (`at_url`). No text value can look like that: a quotation mark in a text is escaped.

Texts are UTF-8 whatever the data set was, so Specific Character Set says ISO_IR 192. Group lengths, group 2 and data
set padding are not part of the model. A DS or IS that is no number stays text (F.2.3.1).
"""

import math
import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import pydicom

from kernel.dicom.scanning.elements import UNDEFINED, Element, Header
from kernel.dicom.scanning.values import CHARACTER_SET_BYTES_MAX, SPECIFIC_CHARACTER_SET
from kernel.dicom.vocabulary.charset import decode, parse_charsets
from kernel.dicom.vocabulary.dictionary import BULK_VRS, NUMBER_FORMATS, TAG_OF
from kernel.dicom.vocabulary.limits import malformed
from kernel.dicom.vocabulary.names import groups

INLINE_BYTES_MAX: Final = 4096  # of a binary value; longer ones become bulk data
INLINE_TEXT_BYTES_MAX: Final = 64 * 1024  # of texts and arrays of numbers
BULK_DATA_PLACEHOLDER: Final = b'"BulkDataURI":"@/'
BULK_DATA_PREFIX: Final = "@/bulkdata/"

_SIZES: Final = {vr: struct.calcsize(code) for vr, code in NUMBER_FORMATS.items()}
_UNSPLIT: Final = frozenset({"LT", "ST", "UT", "UR"})  # a backslash is a character (PS3.5 6.2)
_UTF8: Final = {"vr": "CS", "Value": ["ISO_IR 192"]}
_PADDING: Final = 0xFFFCFFFC
_KEYS: Final = {tag: f"{tag:08X}" for tag in TAG_OF.values()}
MEMBER_BYTES_MAX: Final = 128  # of an element whose JSON is remembered
MEMBERS_REMEMBERED_MAX: Final = 4096  # for each way to read texts; then all are forgotten
READINGS_REMEMBERED_MAX: Final = 32

Json = dict[str, Any]


def to_json(header: Header, *, fallback_charset: str | None = None) -> bytes:
    """Return the DICOM JSON of an instance: one object, UTF-8, tags ascending, no spaces."""
    charsets = parse_charsets(header.raw(SPECIFIC_CHARACTER_SET)[:CHARACTER_SET_BYTES_MAX])
    model = _Writer(header, fallback_charset).data_set(header.elements, charsets, BULK_DATA_PREFIX)
    pixels = header.pixel_data
    if pixels is not None:
        key = f"{pixels.tag:08X}"
        model[key] = {"vr": pixels.vr, "BulkDataURI": BULK_DATA_PREFIX + key} if pixels.length else {"vr": pixels.vr}
    return msgspec.json.encode(dict(sorted(model.items())))


def at_url(metadata: bytes, instance_url: str) -> bytes:
    """Return metadata of an instance whose bulk data is under `instance_url` (without a slash at its end)."""
    prefix = msgspec.json.encode(instance_url)[1:-1]
    return metadata.replace(BULK_DATA_PLACEHOLDER, BULK_DATA_PLACEHOLDER[:-2] + prefix + b"/")


class _Writer:
    """The model of one header's data sets.

    Slices of one series differ in a few elements: what the others became is remembered by their very bytes.
    """

    __slots__ = ("_fallback", "_header")

    def __init__(self, header: Header, fallback: str | None) -> None:
        self._header = header
        self._fallback = fallback

    def data_set(self, elements: tuple[Element, ...], charsets: tuple[str, ...], path: str) -> Json:
        """Return the model of one level; depth is bounded by the scanner's."""
        model: Json = {}
        buffer, known = self._header.buffer, _remembered(charsets, self._fallback)
        for element in elements:
            tag, vr, start, _, length, end, _, items, _ = element
            if items is None and length != UNDEFINED and end - start <= MEMBER_BYTES_MAX:  # it names no place
                seen = (vr, bytes(buffer[start:end]))
                found = known.get(seen)
                if found is not None:
                    model[found[0]] = found[1]
                    continue
            else:
                seen = None
            if tag & 0xFFFF == 0 or tag >> 16 == 2 or tag == _PADDING:
                continue
            key = _KEYS.get(tag) or f"{tag:08X}"
            member = self._member(element, charsets, path, key)
            model[key] = member
            if seen is not None:
                if len(known) >= MEMBERS_REMEMBERED_MAX:
                    known.clear()
                known[seen] = (key, msgspec.Raw(msgspec.json.encode(member)))
        return model

    def _member(self, element: Element, charsets: tuple[str, ...], path: str, key: str) -> Json:
        """Return the model of one element, `key`, of the level whose bulk data is under `path`."""
        vr, length = element.vr, element.length
        if element.items is not None:
            return self._sequence(element, charsets, f"{path}{key}/")
        if length == 0:
            return {"vr": vr}
        if vr in BULK_VRS:
            return self._binary(element, path + key)
        if length > INLINE_TEXT_BYTES_MAX:
            return {"vr": vr, "BulkDataURI": path + key}
        if vr in NUMBER_FORMATS or vr == "AT":
            return _numbers(self._header.value(element), vr)
        if element.tag == SPECIFIC_CHARACTER_SET:
            return _UTF8
        return _texts(decode(self._header.value(element), charsets, self._fallback), vr)

    def _sequence(self, element: Element, charsets: tuple[str, ...], path: str) -> Json:
        assert element.items is not None
        if not element.items:
            return {"vr": "SQ"}
        values: list[Json] = []
        for number, item in enumerate(element.items):
            inside = charsets
            if item.elements and item.elements[0].tag == SPECIFIC_CHARACTER_SET:
                inside = parse_charsets(self._header.value(item.elements[0])[:CHARACTER_SET_BYTES_MAX])
            values.append(self.data_set(item.elements, inside, f"{path}{number}/"))
        return {"vr": "SQ", "Value": values}

    def _binary(self, element: Element, path: str) -> Json:
        if element.length == UNDEFINED or element.length > INLINE_BYTES_MAX:
            return {"vr": element.vr, "BulkDataURI": path}
        return {"vr": element.vr, "InlineBinary": b64encode(self._header.value(element)).decode("ascii")}


_Known = dict[tuple[str, bytes], tuple[str, msgspec.Raw]]  # VR and bytes of an element: key and JSON
_readings: dict[tuple[tuple[str, ...], str | None], _Known] = {}


def _remembered(charsets: tuple[str, ...], fallback: str | None) -> _Known:
    """Return what elements became that were read this way; threads may share it: each step is one of the dict's own."""
    known = _readings.get((charsets, fallback))
    if known is None:
        if len(_readings) >= READINGS_REMEMBERED_MAX:
            _readings.clear()
        known = _readings[charsets, fallback] = {}
    return known


def _numbers(value: bytes, vr: str) -> Json:
    if vr == "AT":
        words = struct.unpack(f"<{len(value) // 4 * 2}H", value[: len(value) // 4 * 4])
        return {"vr": vr, "Value": [f"{g:04X}{e:04X}" for g, e in zip(words[::2], words[1::2], strict=True)]}
    size = _SIZES[vr]
    if len(value) % size:
        return {"vr": "UN", "InlineBinary": b64encode(value).decode("ascii")}  # not what its VR says
    numbers: list[Any] = list(struct.unpack(f"<{len(value) // size}{NUMBER_FORMATS[vr]}", value))
    if vr in ("FL", "FD"):
        numbers = [number if math.isfinite(number) else str(number) for number in numbers]
    return {"vr": vr, "Value": numbers}


def _texts(text: str, vr: str) -> Json:
    if vr in _UNSPLIT:
        text = text.rstrip(" \0")
        return {"vr": vr, "Value": [text]} if text else {"vr": vr}
    make = _MAKERS.get(vr, _plain)
    values = [make(part) for part in text.split("\\")] if "\\" in text else [make(text)]
    if values == [None]:
        return {"vr": vr}
    return {"vr": vr, "Value": values}


def _plain(text: str) -> str | None:
    return text.strip(" \0") or None


def _trailing(text: str) -> str | None:
    return text.rstrip(" \0") or None


def decimal(text: str) -> float | str | None:
    """Return the JSON value of a DS, FL or FD given as text: a number, the text if it is none, None if empty."""
    text = text.strip(" \0")
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return text or None
    return number if math.isfinite(number) else text


def whole(text: str) -> int | str | None:
    """Return the JSON value of an IS, US, UL and the like given as text: as `decimal`."""
    text = text.strip(" \0")
    try:
        return int(text) if "_" not in text and len(text) <= 32 else text
    except ValueError:
        return text or None


def _name(text: str) -> dict[str, str] | None:
    parts = groups(text)
    named = zip(("Alphabetic", "Ideographic", "Phonetic"), parts, strict=True)
    return {key: part for key, part in named if part} or None


_MAKERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "DS": decimal,
    "IS": whole,
    "PN": _name,
    "UC": _trailing,
}


def from_json(model: Json) -> pydicom.Dataset:
    """Return the data set of a DICOM JSON object; bulk data stays empty.

    Raises
    ------
    MalformedInstance
        It is no DICOM JSON.
    """
    try:
        return pydicom.Dataset.from_json(model, bulk_data_uri_handler=_no_bulk_data)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, NotImplementedError):
        raise malformed("it is no DICOM JSON") from None


def _no_bulk_data(_tag: str, vr: str, _uri: str) -> bytes | str | None:
    return b"" if vr in BULK_VRS else None
