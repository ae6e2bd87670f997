"""An independent search of the output for what should be gone. Shares no code with the engine or the profiles.

The needles come from the *original* header; the haystack is every byte of the new header, whatever it is encoded in.
What is looked for: the patient's and relatives' names (long words alone, short ones beside another or behind a title),
other people's names as a whole, identifiers, accession number, birth date in all common forms, telephone numbers,
addresses, and every original UID. Not looked for: words of two or three letters that stand alone (`An`, `Hà`), because
headers are full of them; and pixels.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from anonymizer.residue import forms
from anonymizer.residue.unpacked import unpacked
from kernel.dicom.scanning.elements import Element, Header
from kernel.dicom.scanning.part10 import META_BYTES_MAX, read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.charset import decode, parse_charsets
from kernel.errors import ExchangeError

VALUE_BYTES_MAX: Final = 1024  # of one needle
NEEDLE_VALUES_MAX: Final = 200  # values of the original that become needles; a hostile header has more
FINDINGS_MAX: Final = 20  # of each kind
LITERALS_KEPT: Final = 64  # of studies
STEM_BYTES: Final = 3  # by which literals are grouped: most stems are nowhere, and with them all that hold them
UIDS_ALONE_MAX: Final = 64  # each of which is looked for; of more UIDs the stems
UID_STEM_BYTES: Final = 9  # with which UIDs begin: those of one device alike

_PATIENT_NAMES = frozenset({0x00100010, 0x00101001, 0x00101005, 0x00101060, 0x00102297})
_IDS = frozenset({
    0x00080050, 0x00100020, 0x00101000, 0x00101050, 0x00101090, 0x00200010, 0x00321064, 0x00380010, 0x00380060,
    0x00400253, 0x00401001, 0x00402016, 0x00402017, 0x00120040, 0x00120042,
})  # fmt: skip
_DATES = frozenset({0x00100030, 0x00100033, 0x00100034})
_PHONES = frozenset({0x00102154, 0x00102155, 0x00080094, 0x00401103})
_ADDRESSES = frozenset({0x00101040, 0x00380300, 0x00102152})
_KIND_OF: Final[Mapping[int, str]] = {
    **dict.fromkeys(_PATIENT_NAMES, "name"),
    **dict.fromkeys(_IDS, "id"),
    **dict.fromkeys(_DATES, "date"),
    **dict.fromkeys(_PHONES, "phone"),
    **dict.fromkeys(_ADDRESSES, "address"),
}
# UIDs that name a kind of thing, so that they stay.
_KINDS = frozenset({
    0x00080016, 0x0008001A, 0x0008001B, 0x00080062, 0x0008010C, 0x0008010D, 0x00080117, 0x00080118, 0x00081150,
    0x0008115A, 0x00083002, 0x00020002, 0x00020010, 0x00020012, 0x00020100, 0x04000010, 0x04000510,
})  # fmt: skip
_TELLING_VRS = frozenset({"PN", "UI", "SQ"})
_WELL_KNOWN = b"1.2.840.10008."
_UID = re.compile(rb"(?<![0-9.])[0-2](?:\.[0-9]+){2,}")
_TITLES = rb"(?:bn|benh nhan|b\xe1\xbb\x87nh nh\xc3\xa2n|ong|\xc3\xb4ng|ba|b\xc3\xa0|anh|chi|ch\xe1\xbb\x8b|em|chau|ch\xc3\xa1u|mr|mrs|ms|pt)"
_ALPHANUMERIC = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")


# By a stem that all of a group hold: the kinds and literals of the group.
Literals = tuple[tuple[bytes, tuple[tuple[str, bytes], ...]], ...]


@dataclass(frozen=True, slots=True)
class Needles:
    """What identifies the patient of one instance, as lower-case bytes; never shown."""

    literals: Literals = field(repr=False)
    uids: frozenset[bytes] = field(repr=False)
    short_words: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where something identifying survived; never what it was."""

    path: str  # (GGGG,EEEE), nested as (GGGG,EEEE)[0].(GGGG,EEEE); "file meta", or "bytes" outside any element
    kind: str  # name, id, date, phone, address, uid


def needles_of(header: Header, fallback_charset: str | None = None) -> Needles:
    """Collect the needles of an original instance."""
    values: list[tuple[str, int, bytes]] = []
    uids: set[bytes] = set()
    for kind, tag, first, last in header.told_by_layout(_places):
        value = bytes(header.buffer[first:last])
        if kind == "uid":
            uids.update(map(_bare, value.split(b"\\")))
        elif len(values) < NEEDLE_VALUES_MAX:
            values.append((kind, tag, value.strip(b" \0")))
    charsets = parse_charsets(header.raw(0x00080005))
    literals, short_words = _literals(tuple(dict.fromkeys(values)), charsets, fallback_charset)
    return Needles(
        literals=literals,
        uids=frozenset(uid for uid in uids if uid and not uid.startswith(_WELL_KNOWN)),
        short_words=short_words,
    )


def _bare(value: bytes) -> bytes:
    return value.strip(b" \0")


def _places(elements: Sequence[Element]) -> list[tuple[str, int, int, int]]:
    """Return where needles are: kind, tag, first byte and end of their values."""
    found: list[tuple[str, int, int, int]] = []
    for element in _telling(elements):
        kind = "name" if element.vr == "PN" else _KIND_OF.get(element.tag)
        if kind is None and element.vr == "UI" and element.tag not in _KINDS:
            kind = "uid"
        if kind is not None:
            found.append((kind, element.tag, element.value_offset, element.value_offset + element.length))
    return found


def _telling(elements: Sequence[Element]) -> Iterator[Element]:
    """Yield the elements that may be needles, nested ones in their place."""
    for element in [one for one in elements if one[0] in _KIND_OF or one[1] in _TELLING_VRS]:
        if element.items is None:
            if 0 < element.length <= VALUE_BYTES_MAX:
                yield element
            continue
        for item in element.items:
            yield from _telling(item.elements)


@lru_cache(maxsize=LITERALS_KEPT)  # the slices of a study name the same people and numbers
def _literals(
    values: tuple[tuple[str, int, bytes], ...], charsets: tuple[str, ...], fallback_charset: str | None
) -> tuple[Literals, tuple[bytes, ...]]:
    literals: set[tuple[str, bytes]] = set()
    short: set[bytes] = set()
    for kind, tag, raw in values:
        for text in decode(raw, charsets, fallback_charset).split("\\"):
            literals.update((kind, form) for form in _forms(kind, tag, text.strip()))
            if tag in _PATIENT_NAMES:
                short.update(forms.short_words(text))
    return _by_stem(literals), tuple(sorted(short))


def _by_stem(literals: Iterable[tuple[str, bytes]]) -> Literals:
    groups: dict[bytes, list[tuple[str, bytes]]] = {}
    for kind, literal in sorted(literals, key=lambda one: (len(one[1]), one)):
        stem = next((known for known in groups if known in literal), literal[:STEM_BYTES])
        groups.setdefault(stem, []).append((kind, literal))
    return tuple((stem, tuple(group)) for stem, group in groups.items())


def _forms(kind: str, tag: int, text: str) -> Iterator[bytes] | frozenset[bytes]:
    if kind == "name":
        return forms.of_name(text, alone=tag in _PATIENT_NAMES)
    if kind == "date":
        return forms.of_date(text)
    if kind == "address":
        return forms.of_phrase(text)
    return forms.of_number(text)


def find(output: bytes, needles: Needles) -> tuple[Finding, ...]:
    """Search the new bytes, a Part 10 file up to its pixel data; an empty tuple means that nothing was found.

    Each finding is one place and kind; at most `FINDINGS_MAX` of a kind are told. What is compressed within values is
    inflated, what is coded decoded, and searched, too.

    Raises
    ------
    LimitExceeded
        More is compressed or coded than may be looked at.
    """
    hits = list(_hits(output, needles))
    for offset, piece in unpacked(output):
        hits += [(kind, offset) for kind, _ in _hits(piece, needles)]
    if not hits:
        return ()
    places = _Places(output)
    return tuple(dict.fromkeys(Finding(path=places.at(offset), kind=kind) for kind, offset in hits))


def _hits(output: bytes, needles: Needles) -> Iterator[tuple[str, int]]:
    haystack = output.lower()
    counts: Counter[str] = Counter()
    for kind, needle, offset in _matches(haystack, needles):
        if counts[kind] < FINDINGS_MAX and (kind == "uid" or _stands_alone(haystack, offset, len(needle))):
            counts[kind] += 1
            yield kind, offset


def _matches(haystack: bytes, needles: Needles) -> Iterator[tuple[str, bytes, int]]:
    for stem, literals in needles.literals:
        for kind, needle in literals if stem in haystack else ():
            offset = haystack.find(needle)
            while offset >= 0:
                yield kind, needle, offset
                offset = haystack.find(needle, offset + 1)
    uids = needles.uids
    if any(
        uid in haystack for uid in (uids if len(uids) <= UIDS_ALONE_MAX else {uid[:UID_STEM_BYTES] for uid in uids})
    ):
        for match in _UID.finditer(haystack):
            if match[0] in needles.uids:
                yield "uid", match[0], match.start()
    if needles.short_words:
        for match in _behind_titles(needles.short_words).finditer(haystack):
            yield "name", match[0], match.start()


@lru_cache(maxsize=LITERALS_KEPT)
def _behind_titles(short_words: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(_TITLES + rb"[ .:^]+(?:" + b"|".join(map(re.escape, short_words)) + rb")")


def _stands_alone(haystack: bytes, offset: int, length: int) -> bool:
    """Whether a match is no part of a longer word or number; a dot makes a number longer, as in a UID."""
    needle = haystack[offset : offset + length]
    before = haystack[offset - 1] if offset else 0
    after = haystack[offset + length] if offset + length < len(haystack) else 0
    joined = _ALPHANUMERIC | {ord(".")} if needle[:1].isdigit() or needle[-1:].isdigit() else _ALPHANUMERIC
    return before not in joined and after not in joined


class _Places:
    """Where in the output an offset is."""

    def __init__(self, output: bytes) -> None:
        self._spans: list[tuple[int, int, str]] = []
        self._dataset_offset = 0
        try:
            meta = read_file_meta(output[:META_BYTES_MAX])
            self._dataset_offset = meta.dataset_offset
            header = scan(output, meta.transfer_syntax_uid, offset=meta.dataset_offset, prefix=True)
        except ExchangeError:
            return  # then the bytes are all that can be told
        self._add(header.elements, "")

    def _add(self, elements: tuple[Element, ...], prefix: str) -> None:
        for element in elements:
            path = f"{prefix}({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})"
            self._spans.append((element.start, element.end, path))
            for number, item in enumerate(element.items or ()):
                self._add(item.elements, f"{path}[{number}].")

    def at(self, offset: int) -> str:
        """Return the path of the innermost element that holds `offset`."""
        if offset < self._dataset_offset:
            return "file meta"
        inside = [path for start, end, path in self._spans if start <= offset < end]
        return inside[-1] if inside else "bytes"
