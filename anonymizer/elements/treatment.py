"""New values for single elements: the actions D, Z, X, U and C of PS3.15 E.1 on encoded bytes, and what they counted."""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Collection
from typing import Final

from anonymizer.elements.compiled import ActionTable
from anonymizer.elements.memory import Done
from anonymizer.elements.packing import Chunks
from anonymizer.elements.second_net import Net
from anonymizer.profiles.actions import REPORTED, Action
from anonymizer.profiles.dummies import DUMMY_VALUES, TEXT_VRS, dummy_items, encode, encode_items
from anonymizer.profiles.private import holds
from anonymizer.pseudonyms.identifiers import PADDING, WELL_KNOWN_ROOT, name_of, new_uid, pseudonym, shift_date
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.patient import Patient
from anonymizer.words.color_profiles import without_words
from anonymizer.words.descriptors import LENGTH_MAX, is_harmless
from kernel.dicom.scanning.elements import Element
from kernel.dicom.vocabulary.charset import decode
from kernel.dicom.vocabulary.dictionary import VR_OF

AGE_YEARS_MAX: Final = 90  # older people are few enough to be found by their age
DESCRIPTION_BYTES_MAX: Final = 4 * LENGTH_MAX  # as encoded
HASH_CHARACTERS: Final = 16  # 64 bits, as many as the shortest VR that may be hashed holds
GONE: Final = b""
CODE_VALUE: Final = 0x00080100  # a code has no spaces; what has some is text

_UIDS = re.compile(rb"[0-9.\\]*[ \0]?")
_AGE = re.compile(rb"(\d{1,3})([DWMY])?")
_TIME = re.compile(rb"[0-9.:+\\ -]{0,64}")


class Treatment:
    """What is known about one patient, applied to one element after the other.

    Each method returns the new encoded element, `GONE`, or None when the element stays as it is.
    """

    def __init__(
        self,
        patient: Patient,
        keys: Keys,
        table: ActionTable,
        fallback_charset: str | None,
        *,
        net: Net,
        on_purpose: Collection[int],
    ) -> None:
        self.counts: Counter[str] = Counter()  # of actions, by their letter
        self.codes: set[str] = set()  # of CID 7050, of the cleaners that were at work
        self.uids: dict[bytes, bytes] = {}  # old to new, of all that were replaced
        self.patient = patient
        self.net = net
        self.to_utf_8 = False  # whether kept text that is not ASCII is re-encoded: nothing says what set it is in
        self._on_purpose = on_purpose
        self._keys = keys
        self._fallback = table.fallback
        self._values = table.values
        self._fallback_charset = fallback_charset
        self._names: frozenset[str] | None = None

    def recorded(self, make: Callable[[], Chunks | None]) -> Done:
        """Return what `make` makes of an element, and what that counts, uncounted."""
        outer = self.counts, self.uids, self.codes
        self.counts, self.uids, self.codes = Counter(), {}, set()
        try:
            chunks = make()
            new = None if chunks is None else b"".join(chunks)
            return Done(new, tuple(self.counts.items()), self.uids, frozenset(self.codes))
        finally:
            self.counts, self.uids, self.codes = outer

    def count(self, done: Done) -> None:
        """Count what became of an element."""
        for letter, times in done.counts:
            self.counts[letter] += times
        if done.uids:
            self.uids.update(done.uids)
        if done.codes:
            self.codes.update(done.codes)

    def changed(self, element: Element, action: Action, value: bytes) -> bytes | None:
        """Apply an action to an element whose encoded value is `value` (empty for a sequence)."""
        if action is Action.REMOVE:
            return self.removed()
        if action is Action.UID:
            return self._uid(element, value)
        if action is Action.EMPTY:
            return self._emptied(element)
        if action is Action.DUMMY:
            return self._dummy(element, value)
        new = self._value_of(element, action, value)
        if new is None:
            return self.changed(element, self._fallback.get(element.tag, Action.DUMMY), value)
        self.counts[REPORTED[action]] += 1
        return None if new == value else encode(element.tag, vr_of(element), new, implicit=element.implicit)

    def kept(self, element: Element, value: bytes) -> bytes | None:
        """Search a value that the profile keeps; phrases that tell go, and UTF-8 is written where it is wanted."""
        if element.vr == "UI":
            return self._kept_uid(value)
        by_form = element.tag not in self._on_purpose or (element.tag == CODE_VALUE and b" " in value.strip(PADDING))
        new = self.net.cleaned(element.vr, value, by_form=by_form)
        if new is not None:
            self.counts["C"] += 1
            return encode(element.tag, element.vr, new, implicit=element.implicit)
        if not self.to_utf_8 or value.isascii() or element.vr not in TEXT_VRS:
            return None
        text = decode(value, (), self._fallback_charset).encode("utf-8")
        if len(text) > 0xFFFE and not element.implicit and element.vr not in {"UC", "UT"}:
            return self.removed()
        return encode(element.tag, element.vr, text, implicit=element.implicit)

    def _kept_uid(self, value: bytes) -> bytes | None:
        """Keep the UID of a kind of thing, or one that is meant to stay; what is no UID goes."""
        if not _UIDS.fullmatch(value):
            return self.removed()
        if value.startswith(WELL_KNOWN_ROOT):
            self.net.passed.add(value)
        return None

    def removed(self) -> bytes:
        """Count an element that goes."""
        self.counts["X"] += 1
        return GONE

    def _emptied(self, element: Element) -> bytes | None:
        self.counts["Z"] += 1
        if element.length == 0:
            return None
        return encode(element.tag, vr_of(element), b"", implicit=element.implicit)

    def _dummy(self, element: Element, value: bytes) -> bytes | None:
        vr = vr_of(element)
        if vr == "UI":
            return self._uid(element, value)
        if vr != "SQ":
            self.counts["D"] += 1
            return encode(element.tag, vr, DUMMY_VALUES.get(vr, b""), implicit=element.implicit)
        item = dummy_items(element.tag, implicit=element.implicit)
        if item is None:
            return self._emptied(element)
        self.counts["D"] += 1
        return encode_items(element.tag, [item], implicit=element.implicit)

    def _uid(self, element: Element, value: bytes) -> bytes | None:
        if element.items is not None:
            return self.removed()
        joined = b"\\".join([self.new_uid(part.strip(PADDING)) for part in value.split(b"\\")])
        return None if joined == value.strip(PADDING) else encode(element.tag, "UI", joined, implicit=element.implicit)

    def new_uid(self, old: bytes) -> bytes:
        """Return the UID that stands for one without padding, and remember the way."""
        new = new_uid(self._keys.uid, old)
        if new is not old:
            self.uids[old] = new
            self.counts["U"] += 1
        return new

    def _value_of(self, element: Element, action: Action, value: bytes) -> bytes | None:
        """Return the new value for the actions that read the old one; None when it cannot be made."""
        if action is Action.PATIENT_ID:
            return self._pseudonym_of(value).encode()
        if action is Action.PATIENT_NAME:
            return name_of(self.patient.pseudonym).encode()
        if action is Action.SHIFT:
            return shift_date(value, self.patient.shift_days) if value.strip(PADDING) else value
        if action is Action.TIME:
            return value if _TIME.fullmatch(value.strip(PADDING)) else None
        if action is Action.AGE:
            return _capped_age(value)
        if action is Action.REPLACE:
            return self._values[element.tag].encode("ascii")
        if action is Action.HASH:
            return self._hashed(element, value) if value.strip(PADDING) else value
        if action is Action.COLORS:
            return without_words(value)
        assert action is Action.CLEAN
        if element.vr not in TEXT_VRS:
            return None
        return value if self._is_harmless(value) else None

    def private(self, vr: str, value: bytes) -> bytes | None:
        """Keep a safe private element that holds what its VR says; words only when they are harmless."""
        if not holds(vr, value) or (vr in TEXT_VRS | {"CS"} and not self._is_harmless(value)):
            self.counts["P"] += 1
            return GONE
        return None

    def _is_harmless(self, value: bytes) -> bool:
        if len(value) > DESCRIPTION_BYTES_MAX:
            return False
        if self._names is None:
            self._names = self.patient.name_words
        return is_harmless(decode(value, self.patient.charsets, self._fallback_charset), self._names)

    def _hashed(self, element: Element, value: bytes) -> bytes:
        text = decode(value, self.patient.charsets, self._fallback_charset).strip(" \0")
        message = b"\0".join((b"value", b"%08X" % element.tag, self.patient.issuer.encode(), text.encode()))
        return hmac.digest(self._keys.pseudonym, message, hashlib.sha256).hex()[:HASH_CHARACTERS].upper().encode()

    def _pseudonym_of(self, value: bytes) -> str:
        """Return the pseudonym for a Patient ID: the patient's own, or another patient's who is referred to."""
        text = decode(value, self.patient.charsets, self._fallback_charset).strip(" \0")
        if text in {"", self.patient.patient_id}:
            return self.patient.pseudonym
        return pseudonym(self._keys.pseudonym, self.patient.issuer, text)


def vr_of(element: Element) -> str:
    """Return the VR that a new value gets: the dictionary's, so that a wrong one in the source does not live on."""
    known = VR_OF.get(element.tag, "")
    return known if len(known) == 2 else element.vr


def _capped_age(value: bytes) -> bytes | None:
    found = _AGE.fullmatch(value.strip(PADDING))
    if found is None:
        return None if value.strip(PADDING) else value
    number, unit = int(found[1]), found[2] or b"Y"
    return b"%03dY" % AGE_YEARS_MAX if unit == b"Y" and number >= AGE_YEARS_MAX else value
