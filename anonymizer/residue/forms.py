"""The forms in which a name, number or date of a patient may survive, as bytes to look for in lower-cased output.

Part of the residue check: shares no code with the engine or the profiles, and none with the index's folding.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

LONG_WORD: Final = 4  # characters from which a word of a name is looked for alone
ID_CHARACTERS_MIN: Final = 4
DIGITS_MIN: Final = 5  # of an identifier of digits alone; shorter ones are in every header by chance
WORDS_MAX: Final = 12  # of one name
FORMS_CACHE_MAX: Final = 512

# Words that are names and also stand in every other header: looked for only beside another word of the name.
_NEUTRAL_WORDS: Final = """abdomen anonymous anonymized anonymised application axial basic brain canon chest clean contrast coronal demo derived
    device fujifilm general head hitachi hologic image konica localizer medical method monochrome none normal option
    original other patient phantom philips primary profile removed retain routine scan secondary siemens spine standard
    study supine systems test toshiba unknown
    """
NEUTRAL: Final = frozenset(_NEUTRAL_WORDS.split())
DATES_OF_NOBODY: Final = frozenset({"19000101", "19010101", "19700101"})

_SEPARATORS: Final = (" ", "^", "_", "-", ",", ", ", "")
_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
_WORD = re.compile(r"[^\W_]+")
# TCVN 5712:1993 VN3: bytes as Latin-1, and the letters that they stand for.
_TCVN3: Final = dict(
    zip(
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ",
        "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\xadõøö÷ùúýûüþ¡¢§£¤¥¦",
        strict=True,
    )
)


def plain(text: str) -> str:
    """Return lower-case text without any mark."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


@lru_cache(maxsize=FORMS_CACHE_MAX)
def of_name(text: str, *, alone: bool) -> frozenset[bytes]:
    """Return the forms of a person's name: neighbouring words in either order; single long words when `alone`."""
    forms: set[bytes] = set()
    for group in text.split("="):
        words = _WORD.findall(unicodedata.normalize("NFC", group))[:WORDS_MAX]
        for one, other in itertools.pairwise(words):
            for pair in ((one, other), (other, one)):
                if sum(map(len, pair)) >= LONG_WORD:
                    forms.update(_joined(pair))
        for word in words if alone or len(words) == 1 else ():
            if (len(word) >= LONG_WORD or (not word.isascii() and _is_ideographic(word))) and plain(
                word
            ) not in NEUTRAL:
                forms.update(encoded(word))
    return frozenset(form for form in forms if len(form) > 2)


@lru_cache(maxsize=FORMS_CACHE_MAX)
def short_words(text: str) -> tuple[bytes, ...]:
    """Return the words of a name that are too short to be looked for alone, for use behind a title."""
    words = _WORD.findall(unicodedata.normalize("NFC", text))[:WORDS_MAX]
    short = [word for word in words if 1 < len(word) < LONG_WORD]
    return tuple(sorted({form.lower() for word in short for form in (plain(word).encode(), *_utf_8(word))}))


def _joined(pair: tuple[str, str]) -> Iterator[bytes]:
    for separator in _SEPARATORS:
        joined = separator.join(pair)
        yield plain(joined).encode()
        yield from _utf_8(joined)


def encoded(word: str) -> Iterator[bytes]:
    """Yield a word with and without marks, in every character set in which Vietnamese text is met, lower case."""
    bare = plain(word)
    yield bare.encode()
    for form in {bare, bare.upper(), bare.title(), word, word.upper(), word.title()}:
        yield form.encode("utf-16-le").lower()
        yield form.encode("utf-16-be").lower()
    yield from _utf_8(word)
    if word.isascii():
        return
    for form in (word.lower(), word.upper(), word.title()):
        for text, codec in ((form, "latin-1"), (_cp1258(form), "cp1258"), (_tcvn3(form), "latin-1")):
            try:
                yield text.encode(codec).lower()
            except UnicodeEncodeError:
                continue


def _utf_8(text: str) -> Iterator[bytes]:
    for form in (text.lower(), text.upper(), text.title()):
        yield form.encode().lower()
        if not form.isascii():
            yield unicodedata.normalize("NFD", form).encode().lower()


def _cp1258(text: str) -> str:
    """Windows-1258 has the vowels as letters and the tones as marks that follow them."""
    parts: list[str] = []
    for letter in text:
        marks = unicodedata.normalize("NFD", letter)
        tones = "".join(mark for mark in marks if mark in _TONES)
        parts.append(unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES)) + tones)
    return "".join(parts)


def _tcvn3(text: str) -> str:
    """TCVN3 has no upper case with tones: the lower-case byte stands among upper-case letters."""
    return "".join(_TCVN3.get(letter) or _TCVN3.get(letter.lower()) or letter for letter in text)


def _is_ideographic(word: str) -> bool:
    return len(word) > 1 and all(unicodedata.category(letter) == "Lo" for letter in word)


def of_number(text: str) -> Iterator[bytes]:
    """Yield the forms of an identifier or telephone number: as written, without punctuation, without leading zeros."""
    bare = re.sub(r"[^0-9a-z]", "", plain(text))
    short = bare.lstrip("0") if bare.isdecimal() else bare
    for form in {plain(text), bare, short}:
        enough = DIGITS_MIN if bare.isdecimal() else ID_CHARACTERS_MIN
        if len(form) >= enough and form not in NEUTRAL:
            yield form.encode()


def of_date(text: str) -> Iterator[bytes]:
    """Yield the ways to write a date of the form YYYYMMDD."""
    bare = text.replace(".", "")[:8]
    if len(bare) != 8 or not bare.isdecimal() or bare in DATES_OF_NOBODY:
        return
    year, month, day = bare[:4], bare[4:6], bare[6:]
    yield bare.encode()
    yield (day + month + year).encode()
    for separator in "-/.":
        for order in ((year, month, day), (day, month, year), (month, day, year)):
            yield separator.join(order).encode()
            yield separator.join(part.lstrip("0") for part in order).encode()


def of_phrase(text: str) -> Iterator[bytes]:
    """Yield the forms of an address: the whole of it."""
    if len(plain(text)) > 2 * LONG_WORD:
        yield plain(text).encode()
        yield from _utf_8(text)
