"""Phrases of free text that name a person or a document by their form alone, whoever the patient is.

Long digits, dates, telephone and card numbers, e-mail addresses, UIDs, names that a Vietnamese surname leads, and words
behind a title. Nothing here knows the patient; `anonymizer.words.tokens` does. Positions count in text from `aligned`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from anonymizer.words.name_words import (
    BARE_TITLES,
    LABELS,
    MEDICINE,
    MIDDLE,
    NAMES,
    NO_NAMES,
    SURE_SURNAMES,
    SURNAMES,
    TITLES,
    WRITTEN_SURNAMES,
    WRITTEN_TITLES,
)

NAME_WORDS_MAX: Final = 3  # behind a surname

_SYLLABLE = re.compile(
    r"(?:ngh?|nh|gh?|gi|kh|ph|th|tr|ch|qu|[bcdhklmnprstvx])?[aeiouy]{1,3}(?:ch|nh|ng|[cmnpt])?|[a-z]\.?"
)
_WORD = re.compile(r"[^\W\d_]+")
_GAP = re.compile(r"[ \t.,:^_*-]{1,3}")
_NAME_GAP = re.compile(r"[ \t.^_-]{1,2}")
_LINE_GAP = re.compile(r"[ \t.^_-]{1,2}|[ \t]*\r?\n[ \t]*")  # behind văn or thị a name goes on in the next line
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_PATTERNS: Final = re.compile(
    "|".join((
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"https?://[^\s?]*\?\S*",
        r"(?<![\w.])[0-2](?:\.\d+){4,}",  # a UID; those of the standard are let go below
        r"(?<![a-z0-9])[a-z]{2}[ -]?\d(?:[ .-]?\d){12}(?!\d)",  # BHYT
        r"(?<![\d.])\d{3}(?:[ .-]\d{3}){3}(?!\d)",  # CCCD in groups
        r"(?<![\d.])(?!0\.\d{5})(?:\+?84|0)[ .-]?\d{2,3}[ .-]?\d{3,4}[ .-]?\d{3,4}(?!\d)",  # telephone
        r"(?<![a-z])(?:bn|ba|yt|pid|mrn|ma ?bn|so ba|ma so|so hs|ma hs)[ .:#-]{0,3}\d{4,}",  # record numbers
        r"(?<![\d.])\d{1,2}(?P<s>[-/])\d{1,2}(?P=s)(?:\d{4}|\d{2})(?!\d)",  # 12/04/1970
        r"(?<![\d.])\d{1,2}[. ]\d{1,2}[. ](?:19|20)\d{2}(?![\d.])",
        r"(?<![\d.])(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}(?![\d.])",
        rf"(?<!\d)\d{{1,2}}[ -]?{_MONTH}[ ,-]{{1,2}}\d{{2,4}}",
        rf"(?<![a-z]){_MONTH} \d{{1,2}},? \d{{4}}",
        r"(?:ngay )?\d{1,2} thang \d{1,2}(?: nam \d{4})?",
        r"(?:sinh nam|nam sinh|ngay sinh|(?<![a-z])sn|dob|born)[ .:]{0,3}(?:19|20)\d{2}",
        r"(?<!\d)(?<!\d[.,])\d{8,}",
    ))
)  # fmt: skip
_LABELLED = re.compile(rf"(?<![a-z])(?:{'|'.join(LABELS)}) ?[:=] ?([^,;|\r\n\\]{{1,80}})")
_LOWER_NAME = re.compile(  # written small, but with its marks: `trần văn nam`
    rf"(?<!\w)(?:{'|'.join(sorted(WRITTEN_SURNAMES))})\s(?:văn|thị)\s[^\W\d_]+", re.IGNORECASE
)
_PERSON_NAME = re.compile(r"[^\W\d_]+\^[^\W\d_]+(?:\^[^\W\d_]+)*")  # as a DICOM PN in a text
_NEXT_WORD = re.compile(r" ([^\W\d_]+)")


class Span(NamedTuple):
    """A phrase of a text: [start, end)."""

    start: int
    end: int


class Word(NamedTuple):
    """A word as it stands in a text, and folded."""

    start: int
    end: int
    folded: str


def aligned(text: str) -> tuple[str, str]:
    """Return composed text without stray marks, and its folded form of the same length."""
    if text.isascii():
        return text, text.lower()
    composed = "".join(c for c in unicodedata.normalize("NFC", text) if not unicodedata.combining(c))
    return composed, "".join(map(_folded, composed))


def _folded(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0].lower()[0]
    return "d" if base == "đ" else base


def words_of(folded: str) -> list[Word]:
    """Return the words of letters alone, in order."""
    return [Word(match.start(), match.end(), match[0]) for match in _WORD.finditer(folded)]


def find(text: str, folded: str, words: Sequence[Word]) -> Iterator[Span]:
    """Yield the phrases that identify by their form; `text` and `folded` as `aligned` gives them."""
    for match in _PATTERNS.finditer(folded):
        if not match[0].startswith("1.2.840.10008."):
            yield Span(*match.span())
    for match in _PERSON_NAME.finditer(text):
        yield Span(match.start(), _end_of_capitals(text, match.end()))
    for match in _LABELLED.finditer(folded):
        if match[1].strip():
            yield Span(match.start(1), match.start(1) + len(match[1].rstrip()))
    for match in _LOWER_NAME.finditer(text):
        yield Span(*match.span())
    yield from _names(text, folded, words)
    yield from _behind_titles(text, folded, words)


# --- names ------------------------------------------------------------------------------------------------------------


def _names(text: str, folded: str, words: Sequence[Word]) -> Iterator[Span]:
    """Yield two to four words that a surname leads, such as `Nguyễn Văn An` or `TRAN THI B`."""
    for index, word in enumerate(words):
        if word.folded not in SURNAMES or not _is_surname(text, folded, word):
            continue
        capital = text[word.start].isupper()
        if not capital and not _is_sure(text[word.start : word.end], word.folded):
            continue
        last = _last_of_name(text, words, index, capital=capital)
        if last > index:
            yield Span(word.start, words[last].end)


def _is_surname(text: str, folded: str, word: Word) -> bool:
    """Whether a word is written as a surname, and does not begin a phrase of medicine."""
    if any(folded.startswith(phrase, word.start) for phrase in MEDICINE):
        return False
    written = text[word.start : word.end].lower()
    return written in WRITTEN_SURNAMES or (written == word.folded and text.isascii())


def _is_sure(written: str, folded: str) -> bool:
    return folded in SURE_SURNAMES and written in {folded, SURE_SURNAMES[folded]}


def _end_of_capitals(text: str, end: int) -> int:
    for _ in range(NAME_WORDS_MAX):
        word = _NEXT_WORD.match(text, end)
        if word is None or not word[1][0].isupper():
            break
        end = word.end()
    return end


def _last_of_name(text: str, words: Sequence[Word], index: int, *, capital: bool) -> int:
    last = index
    for at in range(index + 1, min(index + 1 + NAME_WORDS_MAX, len(words))):
        word = words[at]
        gap = _GAP if at == index + 1 else _NAME_GAP  # `Nguyen, Van An`, but no list of phrases
        if words[at - 1].folded in MIDDLE:
            gap = _LINE_GAP
        near = gap.fullmatch(text, words[at - 1].end, word.start) is not None
        if not near or text[word.start].isupper() != capital:
            break
        marked = at > index + 1 and words[at - 1].folded in MIDDLE
        if word.folded not in NAMES and not (marked and _SYLLABLE.fullmatch(word.folded)):
            break
        last = at
    return last


def _behind_titles(text: str, folded: str, words: Sequence[Word]) -> Iterator[Span]:
    """Yield the capitalised words behind `anh`, `bà`, `BN`, `BS` and the like; the title stays."""
    bare = text is folded or text.isascii()
    titles = BARE_TITLES if bare else TITLES
    lower = folded if bare else text.lower()
    if len(lower) != len(text):  # a letter whose lower case is two: fold instead
        lower, titles = folded, BARE_TITLES
    for index in range(1, len(words)):
        before, word = words[index - 1], words[index]
        if not text[word.start].isupper() or word.folded in NO_NAMES:
            continue
        pair = lower[words[index - 2].start : before.end] if index > 1 else ""
        title = lower[before.start : before.end] in titles or text[before.start : before.end] in WRITTEN_TITLES
        if not title and pair not in titles:
            continue
        if _GAP.fullmatch(text, before.end, word.start) is None:
            continue
        last = index
        while (
            last + 1 < len(words)
            and last < index + NAME_WORDS_MAX
            and text[words[last + 1].start].isupper()
            and _GAP.fullmatch(text, words[last].end, words[last + 1].start) is not None
        ):
            last += 1
        yield Span(word.start, words[last].end)
