"""Rewrite encoded data sets: what stays is a slice of the source, what changes is new bytes (PS3.5 7, PS3.15 E.1)."""

import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from anonymizer.actions import REPORTED, Action
from anonymizer.compiled import ActionTable
from anonymizer.descriptors import is_harmless
from anonymizer.dummies import DUMMY_VALUES, TEXT_VRS, dummy_items, encode, encode_items
from anonymizer.identifiers import PADDING, new_uid, pseudonym, shift_date
from anonymizer.keys import Keys
from anonymizer.patient import Patient
from kernel.dicom.charset import decode
from kernel.dicom.dictionary import VR_OF
from kernel.dicom.elements import UNDEFINED, Element, Item
from kernel.dicom.scanner import scan
from kernel.dicom.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN

AGE_YEARS_MAX: Final = 90  # older people are few enough to be found by their age
UTF_8: Final = b"ISO_IR 192"
PRIVATE: Final = "P"
SPECIFIC_CHARACTER_SET: Final = 0x00080005

Chunk = bytes | memoryview
Chunks = list[Chunk]

_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\x00\x00\x00\x00"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
_UNDEFINED = struct.pack("<I", UNDEFINED)
_AGE = re.compile(rb"(\d{1,3})([DWMY])?")
_TIME = re.compile(rb"[0-9.:+\\ -]{0,64}")
_WATCHED = frozenset({"PN", "UN"})  # in an attribute that should have another VR


class Rewriter:
    """The work on one instance: what is known of it, and what has been done so far."""

    def __init__(
        self, view: memoryview, table: ActionTable, patient: Patient, keys: Keys, fallback_charset: str | None
    ) -> None:
        self.actions: Counter[str] = Counter()
        self.uids: dict[bytes, bytes] = {}  # old to new, of all that were replaced
        self._view = view
        self.table = table
        self._patient = patient
        self._keys = keys
        self._fallback_charset = fallback_charset
        self._names: frozenset[str] | None = None
        self._watched = _WATCHED

    def write_utf_8(self) -> None:
        """From now on, re-encode kept text that is not ASCII: nothing says what set it is in."""
        self._watched = _WATCHED | TEXT_VRS

    # --- data sets ----------------------------------------------------------------------------------------------------

    def data_set(
        self,
        elements: Sequence[Element],
        start: int,
        end: int,
        actions: Mapping[int, Action],
        added: Sequence[tuple[int, bytes]] = (),
    ) -> Chunks | None:
        """Return the new content of [start, end), or None when nothing changes.

        `added` are encoded elements by tag, ascending; each is put before the first element of a greater tag.
        """
        view, watched = self._view, self._watched
        find, keep = actions.get, Action.KEEP
        chunks: Chunks = []
        waiting = list(reversed(added))
        following = waiting[-1][0] if waiting else UNDEFINED
        position = start  # everything before it is written
        for element in elements:
            tag = element[0]
            if tag > following:
                chunks.append(view[position : element.start])
                position = element.start
                while waiting and waiting[-1][0] < tag:
                    chunks.append(waiting.pop()[1])
                following = waiting[-1][0] if waiting else UNDEFINED
            action = find(tag)
            if action is keep:
                if element[7] is None and element[1] not in watched:
                    continue
                new = self._kept(element)
            else:
                new = self._changed(element, action)
            if new is None:
                continue
            if position < element.start:
                chunks.append(view[position : element.start])
            chunks.extend(new)
            position = element.end
        if position == start and not chunks and not waiting:
            return None
        chunks.append(view[position:end])
        chunks.extend(encoded for _, encoded in reversed(waiting))
        return chunks

    def _sequence(self, element: Element) -> Chunks | None:
        """Treat the items of a sequence; keep its form, with delimiters or with lengths."""
        view, inside = self._view, self.table.inside(element.tag)
        items = element.items or ()
        contents = [self._item(item, inside) for item in items]
        if all(content is None for content in contents):
            return None
        parts: Chunks = []
        for item, content in zip(items, contents, strict=True):
            if content is None:
                parts.append(view[item.start : item.end])
            elif item.length == UNDEFINED:
                parts += [_ITEM + _UNDEFINED, *content, _ITEM_END]
            else:
                parts += [_ITEM + struct.pack("<I", _size(content)), *content]
        head = view[element.start : element.value_offset - 4]
        if element.length == UNDEFINED:
            return [head, _UNDEFINED, *parts, _SEQUENCE_END]
        return [head, struct.pack("<I", _size(parts)), *parts]

    def _item(self, item: Item, inside: Mapping[int, Action]) -> Chunks | None:
        watched = self._watched
        if len(watched) > len(_WATCHED) and any(one.tag == SPECIFIC_CHARACTER_SET for one in item.elements):
            self._watched = _WATCHED  # the item says itself what its text is in
        try:
            return self.data_set(item.elements, item.value_offset, item.content_end, inside)
        finally:
            self._watched = watched

    # --- elements -----------------------------------------------------------------------------------------------------

    def _kept(self, element: Element) -> Chunks | None:
        """Look into what is kept: sequences, and values that are not what their attribute should have."""
        if element.items is not None:
            return self._sequence(element)
        if element.vr == "PN":  # a name in an attribute that is none
            return self._removed("X")
        value = self._value(element)
        if element.vr == "UN":
            return self._unknown(element, value)
        if value.isascii():
            return None
        text = decode(value, (), self._fallback_charset).encode("utf-8")
        if element.vr in {"LO", "SH", "PN"} or element.implicit or len(text) <= 0xFFFE:
            return [encode(element.tag, element.vr, text, implicit=element.implicit)]
        return self._removed("X")

    def _unknown(self, element: Element, value: bytes) -> Chunks | None:
        """Treat a known attribute that came as UN: a sequence is looked into, what may be text goes."""
        vr = VR_OF.get(element.tag, "")
        if vr != "SQ":
            return None if vr in {"OB", "OW", "OB or OW", "OF", "OD", "OL", "OV", "UN"} else self._removed("X")
        source = encode(element.tag, "SQ", value, implicit=True)
        inner = scan(source, IMPLICIT_VR_LITTLE_ENDIAN)
        outer, self._view = self._view, memoryview(source)
        try:
            chunks = self._sequence(inner.elements[0])
        finally:
            self._view = outer
        if chunks is None:
            return None
        return [encode(element.tag, "UN", b"".join(chunks)[8:], implicit=element.implicit)]

    def _changed(self, element: Element, action: Action | None) -> Chunks | None:
        """Apply an action; None when the value already is what it should be."""
        if action is None:  # not in the standard's dictionary: private, repeating, or unknown
            return self._removed(PRIVATE if element.is_private else "X")
        if action is Action.REMOVE:
            return self._removed("X")
        if action is Action.UID:
            return self._uid(element)
        if action is Action.EMPTY:
            return self._emptied(element)
        if action is Action.DUMMY:
            return self._dummy(element)
        new = self._value_of(element, action)
        if new is None:
            return self._changed(element, self.table.fallback[element.tag])
        self.actions[REPORTED[action]] += 1
        if new == self._value(element):
            return None
        return [encode(element.tag, _vr(element), new, implicit=element.implicit)]

    def _value_of(self, element: Element, action: Action) -> bytes | None:
        """Return the new value for the actions that read the old one; None when it cannot be made."""
        value = self._value(element)
        if action is Action.PATIENT_ID:
            return self._pseudonym_of(value).encode()
        if action is Action.PATIENT_NAME:
            return b"BN " + self._patient.pseudonym.encode()
        if action is Action.SHIFT:
            return value if not value.strip(PADDING) else shift_date(value, self._patient.shift_days)
        if action is Action.TIME:
            return value if _TIME.fullmatch(value.strip(PADDING)) else None
        if action is Action.AGE:
            return _capped_age(value)
        assert action is Action.CLEAN
        if element.vr not in TEXT_VRS:
            return None
        if self._names is None:
            self._names = self._patient.name_words
        return (
            value if is_harmless(decode(value, self._patient.charsets, self._fallback_charset), self._names) else None
        )

    def _pseudonym_of(self, value: bytes) -> str:
        """Return the pseudonym for a Patient ID: the patient's own, or another patient's who is referred to."""
        text = decode(value, self._patient.charsets, self._fallback_charset).strip(" \0")
        if text in {"", self._patient.patient_id}:
            return self._patient.pseudonym
        return pseudonym(self._keys.pseudonym, self._patient.issuer, text)

    def _removed(self, code: str) -> Chunks:
        self.actions[code] += 1
        return []

    def _emptied(self, element: Element) -> Chunks | None:
        self.actions["Z"] += 1
        if element.length == 0:
            return None
        return [encode(element.tag, _vr(element), b"", implicit=element.implicit)]

    def _dummy(self, element: Element) -> Chunks | None:
        vr = _vr(element)
        if vr == "UI":
            return self._uid(element)
        if vr != "SQ":
            self.actions["D"] += 1
            return [encode(element.tag, vr, DUMMY_VALUES.get(vr, b""), implicit=element.implicit)]
        item = dummy_items(element.tag, implicit=element.implicit)
        if item is None:  # references: kept with new UIDs
            return self._sequence(element) if element.items is not None else self._emptied(element)
        self.actions["D"] += 1
        return [encode_items(element.tag, [item], implicit=element.implicit)]

    def _uid(self, element: Element) -> Chunks | None:
        if element.items is not None:
            return self._removed("X")
        parts: list[bytes] = []
        value = self._value(element)
        for old in (part.strip(PADDING) for part in value.split(b"\\")):
            new = new_uid(self._keys.uid, old)
            if new is not old:
                self.uids[old] = new
                self.actions["U"] += 1
            parts.append(new)
        joined = b"\\".join(parts)
        if joined == value.strip(PADDING):
            return None
        return [encode(element.tag, "UI", joined, implicit=element.implicit)]

    def _value(self, element: Element) -> bytes:
        if element.items is not None:
            return b""
        return bytes(self._view[element.value_offset : element.value_offset + element.length])


def _vr(element: Element) -> str:
    """Return the VR that a new value gets: the dictionary's, so that a wrong one in the source does not live on."""
    known = VR_OF.get(element.tag, "")
    return known if len(known) == 2 else element.vr


def _size(chunks: Chunks) -> int:
    return sum(map(len, chunks))


def _capped_age(value: bytes) -> bytes | None:
    found = _AGE.fullmatch(value.strip(PADDING))
    if found is None:
        return None if value.strip(PADDING) else value
    number, unit = int(found[1]), found[2] or b"Y"
    return b"%03dY" % AGE_YEARS_MAX if unit == b"Y" and number >= AGE_YEARS_MAX else value
