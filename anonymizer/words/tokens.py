"""What names the patient of one instance, taken from its original header, and where it stands in a text.

Names as folded words, whole and partial; identifiers with and without punctuation; telephone numbers, the birth date,
addresses. The engine's second net is built on it. The residue check must not be: it has needles of its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, groupby, pairwise
from typing import Final

from anonymizer.words.descriptors import WORDS
from anonymizer.words.name_words import words
from anonymizer.words.runs import Span, Word, aligned, words_of
from kernel.dicom.scanning.elements import Element, Header
from kernel.dicom.vocabulary.charset import decode

LONG_WORD: Final = 4  # letters from which a word of the patient's name counts alone
JOINED_CHARACTERS_MIN: Final = 6  # of words of a name without spaces between
ID_CHARACTERS_MIN: Final = 4
DIGITS_MIN: Final = 5  # of an identifier of digits alone; shorter ones are in every header by chance
ADDRESS_CHARACTERS_MIN: Final = 8
SEED_BYTES_MAX: Final = 1024  # of one value
SEEDS_MAX: Final = 200  # values of one instance
WORDS_MAX: Final = 12  # of one name

OWN_NAMES: Final = frozenset({0x00100010, 0x00101001, 0x00101005, 0x00101060, 0x00102297})
_IDS: Final = frozenset({
    0x00080050, 0x00100020, 0x00101000, 0x00101050, 0x00101090, 0x00102180, 0x00120040, 0x00120042, 0x00200010, 0x00321064,
    0x00380010, 0x00380060, 0x00401001, 0x00402016, 0x00402017, 0x00102154, 0x00102155, 0x00080094, 0x00401103,
})  # fmt: skip
_DATES: Final = frozenset({0x00100030, 0x00100033, 0x00100034})
_ADDRESSES: Final = frozenset({0x00101040, 0x00102152, 0x00380300})
_HOMES: Final = frozenset({0x00101040, 0x00102152})  # a ward's name is an ordinary word of radiology, such as `Cấp cứu`
PLACE_WORDS_MAX: Final = 5
PLACE_LETTERS_MIN: Final = 3
INITIALS_MIN: Final = 3
# What stands before the name of a place, and is no part of it.
_BEFORE_PLACES: Final = words("xa phuong huyen quan tinh thon ap thi tran tp pho thanh khu duong ngo so to xom")
_INITIALS = re.compile(r"(?<![^\W\d_])[^\W\d_](?:\. ?[^\W\d_]){2,}(?![^\W\d_])")
_SEEDS: Final = OWN_NAMES | _IDS | _DATES | _ADDRESSES
# Words that patients of tests and phantoms are called by, and that stand in other headers too.
NEUTRAL: Final = WORDS | words(
    """anonymous anonymized anonymised application demo general medical method monochrome none normal option original other
    patient phantom primary profile removed retain secondary siemens philips canon toshiba hitachi fujifilm hologic
    systems unknown device name names first last given family middle text"""
)

Seed = tuple[int, bytes]  # tag, or 0 for another person's name; encoded value
_PARTS = re.compile(r"[,;\r\n\d]|-")
_SPLIT = re.compile(r"[^\w]|_")


def seeds_of(header: Header) -> tuple[Seed, ...]:
    """Return the identifying values of an original, nested ones included."""
    buffer = header.buffer
    found = [(tag, bytes(buffer[first:last]).strip(b" \0")) for tag, first, last in header.told_by_layout(_places)]
    return tuple(dict.fromkeys(found))[:SEEDS_MAX]


def _places(elements: Sequence[Element]) -> list[tuple[int, int, int]]:
    """Return where identifying values are: tag, or 0 for another person's name, and their first byte and end."""
    found: list[tuple[int, int, int]] = []
    for tag, vr, _, first, length, _, _, items, _ in elements:
        if items is not None:
            for item in items:
                found += _places(item.elements)
        elif (vr == "PN" or tag in _SEEDS) and 0 < length <= SEED_BYTES_MAX:
            found.append((tag if tag in _SEEDS else 0, first, first + length))
    return found


@dataclass(frozen=True, slots=True)
class Tokens:
    """The patient's values, folded; never shown."""

    own: frozenset[str] = field(repr=False)  # words of the patient's and relatives' names
    others: tuple[frozenset[str], ...] = field(repr=False)  # words of each other person's name
    numbers: frozenset[str] = field(repr=False)  # letters and digits alone
    marked: frozenset[str] = field(repr=False)  # words of the name that have marks, in lower case
    marked_folded: frozenset[str] = field(repr=False)  # the same without them
    phrases: frozenset[str] = field(repr=False)  # addresses; names in scripts without spaces
    places: frozenset[tuple[str, ...]] = field(default=frozenset(), repr=False)  # words of places in an address
    initials: frozenset[str] = field(default=frozenset(), repr=False)  # of the patient's and relatives' names

    def find(self, text: str, folded: str, words: Sequence[Word]) -> Iterator[Span]:
        """Yield where a text names the patient; parameters as `anonymizer.words.runs.find`."""
        yield from self._names(text, words, self.own, alone=True)
        for name in self.others:
            yield from self._names(text, words, name, alone=False)
        yield from self._numbers(folded)
        yield from self._places(text, words)
        for match in _INITIALS.finditer(folded) if self.initials else ():
            if text[match.start()].isupper() and "".join(filter(str.isalpha, match[0])) in self.initials:
                yield Span(*match.span())
        for phrase in self.phrases:
            start = folded.find(phrase)
            while start >= 0:
                yield Span(start, start + len(phrase))
                start = folded.find(phrase, start + 1)

    def _names(self, text: str, words: Sequence[Word], name: frozenset[str], *, alone: bool) -> Iterator[Span]:
        for mine, run in groupby(_chains(text, words), key=lambda one: (one[1].folded in name, one[0])):
            found = [word for _, word in run]
            if not mine[0]:
                continue
            letters = sum(len(word.folded) for word in found)
            if len({word.folded for word in found}) > 1 and letters >= LONG_WORD:
                yield Span(found[0].start, found[-1].end)
            elif alone:
                yield from (Span(word.start, word.end) for word in found if self._tells_alone(text, word))
        if alone and len(name) > 1:
            long = (word for word in words if len(word.folded) >= JOINED_CHARACTERS_MIN)
            yield from (Span(word.start, word.end) for word in long if _is_joined(word.folded, name))

    def _tells_alone(self, text: str, word: Word) -> bool:
        """Whether one word of the patient's name is meant: `nguyên phát` is no Nguyễn, and `an` is no An."""
        written = text[word.start : word.end]
        lower = written.lower()
        if lower in self.marked:
            return True
        if len(word.folded) < LONG_WORD or word.folded in NEUTRAL:
            return False
        if lower == word.folded:
            return True
        return word.folded not in self.marked_folded and written[0].isupper()

    def _places(self, text: str, words: Sequence[Word]) -> Iterator[Span]:
        """Yield places of the address that are written as names: two words, or one behind `xã`, `tỉnh` and the like."""
        lengths = {len(place) for place in self.places}
        for index, word in enumerate(words):
            for length in lengths if text[word.start].isupper() else ():  # not each place: there may be thousands
                found = words[index : index + length]
                if len(found) < length or tuple(one.folded for one in found) not in self.places:
                    continue
                if not all(text[one.start].isupper() for one in found) or not _are_near(text, found):
                    continue
                before = words[index - 1 : index]
                behind = bool(before) and before[0].folded in _BEFORE_PLACES and _are_near(text, [*before, word])
                if behind or (length > 1 and not NEUTRAL.issuperset(one.folded for one in found)):
                    yield Span(word.start, found[-1].end)

    def _numbers(self, folded: str) -> Iterator[Span]:
        if not self.numbers:
            return
        places = [at for at, character in enumerate(folded) if character.isalnum()]
        compact = "".join(folded[at] for at in places)
        for number in self.numbers:
            start = compact.find(number)
            while start >= 0:
                first, last = places[start], places[start + len(number) - 1]
                if not _continues(folded, first - 1, number[0]) and not _continues(folded, last + 1, number[-1]):
                    yield Span(first, last + 1)
                start = compact.find(number, start + 1)


def _chains(text: str, words: Sequence[Word]) -> Iterator[tuple[int, Word]]:
    """Yield each word with the number of the chain of neighbours that it belongs to."""
    chain = 0
    for index, word in enumerate(words):
        if index and (word.start - words[index - 1].end > 3 or "\n" in text[words[index - 1].end : word.start]):
            chain += 1
        yield chain, word


def _are_near(text: str, words: Sequence[Word]) -> bool:
    return all(text[one.end : after.start] in {" ", ". ", "."} for one, after in pairwise(words))


def _is_joined(word: str, name: frozenset[str]) -> bool:
    """Whether a word is two or more words of the name without spaces, as `nguyenvanan`."""
    parts = 0
    while word:
        part = next((one for one in sorted(name, key=len, reverse=True) if word.startswith(one)), None)
        if part is None:
            return False
        word, parts = word[len(part) :], parts + 1
    return parts > 1


def _continues(folded: str, at: int, character: str) -> bool:
    """Whether the character at `at` makes a number or word longer."""
    if not 0 <= at < len(folded):
        return False
    neighbour = folded[at]
    return neighbour.isdigit() if character.isdigit() else neighbour.isalpha()


def tokens_of(seeds: Sequence[Seed], charsets: tuple[str, ...], fallback_charset: str | None) -> Tokens:
    """Make the tokens of seeds in the character sets of their instance."""
    own: set[str] = set()
    others: list[frozenset[str]] = []
    numbers: set[str] = set()
    marked: dict[str, str] = {}
    phrases: set[str] = set()
    places: set[tuple[str, ...]] = set()
    initials: set[str] = set()
    for tag, raw in seeds:
        text, folded = aligned(decode(raw, charsets, fallback_charset))
        if tag == 0 or tag in OWN_NAMES:
            words = words_of(folded)[:WORDS_MAX]
            phrases.update(word.folded for word in words if not word.folded.isascii() and len(word.folded) > 1)
            name = frozenset(word.folded for word in words if word.folded.isascii())
            if tag == 0:
                others.append(name)
                continue
            own |= name
            first = "".join(word.folded[0] for word in words_of(folded.partition("=")[0]))
            initials.update({first} if len(first) >= INITIALS_MIN else ())
            written = ((text[word.start : word.end].lower(), word.folded) for word in words)
            marked.update((word, bare) for word, bare in written if word != bare and len(word) > 1)
        elif tag in _DATES:
            numbers.update(_dates(folded))
        elif tag in _ADDRESSES:
            phrases.update(part.strip() for part in (folded, *folded.split(",")) if _is_address(part.strip()))
            places.update(_places_in(folded) if tag in _HOMES else ())
        else:
            numbers.update(one for part in folded.split("\\") for one in _numbers_of(part))
    return Tokens(
        own=frozenset(own),
        others=tuple(dict.fromkeys(others)),
        numbers=frozenset(numbers),
        marked=frozenset(marked),
        marked_folded=frozenset(marked.values()),
        phrases=frozenset(phrases),
        places=frozenset(places),
        initials=frozenset(initials),
    )


def _places_in(folded: str) -> Iterator[tuple[str, ...]]:
    """Yield the names of places in an address, without `xã`, `tỉnh` and the like: their words."""
    for part in _PARTS.split(folded):
        names = tuple(dropwhile(_BEFORE_PLACES.__contains__, (word.folded for word in words_of(part))))
        if 0 < len(names) <= PLACE_WORDS_MAX and sum(map(len, names)) >= PLACE_LETTERS_MIN:
            yield names


def _is_address(part: str) -> bool:
    return len(part) >= ADDRESS_CHARACTERS_MIN and " " in part


def _numbers_of(folded: str) -> Iterator[str]:
    bare = _SPLIT.sub("", folded)
    tail = re.sub(r"^[a-z]+", "", bare)
    for form in {bare, bare.lstrip("0"), tail, tail.lstrip("0")}:
        if len(form) >= (DIGITS_MIN if form.isdecimal() else ID_CHARACTERS_MIN) and form not in NEUTRAL:
            yield form


def _dates(folded: str) -> Iterator[str]:
    bare = folded.replace(".", "")[:8]
    if len(bare) == 8 and bare.isdecimal() and not bare.endswith("0101"):
        yield from (bare, bare[6:] + bare[4:6] + bare[:4])
