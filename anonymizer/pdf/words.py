"""Words of a page, from its text layer or read by Tesseract, and which of them tell who the patient is."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonymizer.elements.second_net import Net
from anonymizer.pixels.tesseract import read
from anonymizer.words.runs import aligned
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.vocabulary.charset import decode

READ_SECONDS_MAX: Final = 30.0  # a page
SURE_MIN: Final = 60.0  # per cent; a word of which Tesseract is less sure was not read
DIGITS_MAX: Final = 4  # of a word that was read from a picture: a digit read wrongly hides a number from any search
ALIKE_MIN: Final = 0.6  # of the words of a text layer that must be legible on the page before it is believed
LEGIBLE_MIN: Final = 0.6  # of the words that were read of a page without a text layer
_HOUSE = re.compile(r"benh vien|phong kham|so y te|trung tam|hospital|clinic")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, where it stands, and the number of its line."""

    text: str
    box: Box
    line: int
    is_sure: bool = True


def read_words(picture: NDArray[np.uint8]) -> tuple[Word, ...] | None:
    """Return the words that are legible in a picture of a page; None if Tesseract fails."""
    found = read(Image.fromarray(picture), "--dpi", "200", "--psm", "3", seconds_max=READ_SECONDS_MAX)
    if found is None:
        return None
    lines: dict[tuple[str, ...], int] = {}
    return tuple(
        Word(one.text, one.box, lines.setdefault(one.line, len(lines)), is_sure=one.confidence >= SURE_MIN)
        for one in found
    )


def telling(words: Sequence[Word], net: Net) -> list[Word]:
    """Return the words in which the net finds somebody, a number or a date."""
    if not words:
        return []
    text, starts = "", list[int]()
    for number, word in enumerate(words):
        if number:
            text += "\n" if word.line != words[number - 1].line else " "
        starts.append(len(text))
        text += aligned(word.text)[0]
    composed, folded = aligned(text)
    if len(composed) != len(text) or len(folded) != len(text):
        return list(words)  # positions would lie
    spans = net.spans(composed, folded)
    ends = [*starts[1:], len(text) + 1]
    found = [
        word
        for word, start, end in zip(words, starts, ends, strict=True)
        if any(span.start < end - 1 and start < span.end for span in spans)
    ]
    return [*found, *_in_old_fonts(words, net), *_letterheads(words)]


def _in_old_fonts(words: Sequence[Word], net: Net) -> list[Word]:
    """Return the lines that name somebody when read in TCVN3, as text layers of documents in .VnTime are."""
    found: list[Word] = []
    for line in _lines(words):
        text = " ".join(word.text for word in line)
        if not text.isascii() and net.finds(decode(text.encode("latin-1", "replace"), (), "tcvn3")):
            found += line
    return found


def _letterheads(words: Sequence[Word]) -> list[Word]:
    """Return the lines that say which house a paper is of: its name is in no attribute that the net knows."""
    lines = ((line, aligned(" ".join(word.text for word in line))[1]) for line in _lines(words))
    return [word for line, folded in lines if _HOUSE.search(folded) for word in line]


def is_legible(words: Sequence[Word]) -> bool:
    """Whether most words of a page were surely read: of a page upside down hardly any is."""
    return sum(word.is_sure for word in words) >= LEGIBLE_MIN * len(words)


def whole_lines(found: Iterable[Word], words: Sequence[Word]) -> list[Word]:
    """Return all words of the lines in which something was found, and numbers too long to be trusted."""
    numbers = {word.line for word in found}
    return [word for word in words if word.line in numbers or sum(map(str.isdigit, word.text)) > DIGITS_MAX]


def is_believed(layer: Sequence[Word], read: Sequence[Word]) -> bool:
    """Whether a text layer says what is legible on its page: fonts and hidden layers of scans may say anything."""
    said, legible = _forms(layer), _forms(read)
    return bool(said) and len(said & legible) >= ALIKE_MIN * len(said)


def _forms(words: Sequence[Word]) -> set[str]:
    folded = ("".join(filter(str.isalnum, aligned(word.text)[1])) for word in words)
    return {form for form in folded if len(form) > 1}


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    lines: dict[int, list[Word]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    return list(lines.values())
