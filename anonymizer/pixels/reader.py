"""What lines of text say, read by Tesseract, only to tell clinical marks from everything else. No text leaves here.

The detector takes round anatomy for a line now and then. What is too thick for a line and in which nothing can be read
is no text: letters of that size are the ones that Tesseract reads best. What is thinner counts as text, read or not.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonymizer.pixels.finder_messages import Kind
from anonymizer.pixels.marks import is_mark
from anonymizer.pixels.tesseract import read
from kernel.dicom.pixels.boxes import Box

SECONDS_MAX: Final = 20.0
LINES_MAX: Final = 40  # of one picture that are read; more are no marks
LINE_PIXELS: Final = 32  # the height in which a line is read
LINE_WIDTH_MAX: Final = 900  # in that height; a longer line is no mark
GAP: Final = 24  # of white between lines
CONFIDENCE_MIN: Final = 40.0  # per cent, of each word of a mark
WORD_MIN, READ_MIN = 3, 60.0  # letters of a word, and per cent, that show that something was read
THICK_PIXELS: Final = 40  # of a line of text, or
THICK_SHARE: Final = 0.08  # of the shorter side of the picture: thicker ones must be readable
THIN_PIXELS: Final = 6  # letters that nobody reads


def judged(picture: NDArray[np.uint8], lines: Sequence[Box]) -> list[tuple[Box, Kind]]:
    """Return lines with what they are, without those that are no text."""
    words = _words(picture, lines[:LINES_MAX])
    thick = max(THICK_PIXELS, THICK_SHARE * min(picture.shape[:2]))
    found: list[tuple[Box, Kind]] = []
    for number, box in enumerate(lines):
        found_in = words.get(box, [])
        thickness = min(box.bottom - box.top, box.right - box.left)
        is_read = any(_letters(text) >= WORD_MIN and sure >= READ_MIN for text, sure in found_in)
        if thickness < THIN_PIXELS or (thickness > thick and not is_read and number < LINES_MAX):
            continue
        is_sure = bool(found_in) and all(sure >= CONFIDENCE_MIN for _, sure in found_in)
        found.append((box, "mark" if is_sure and is_mark(" ".join(text for text, _ in found_in)) else "text"))
    return found


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _words(picture: NDArray[np.uint8], lines: Sequence[Box]) -> dict[Box, list[tuple[str, float]]]:
    """Return the words of lines and how sure each is, in per cent; a line that is too long for a mark is not read."""
    strips = {box: _strip(picture, box) for box in lines}
    strips = {box: strip for box, strip in strips.items() if strip.width <= LINE_WIDTH_MAX}
    if not strips:
        return {}
    width = max(strip.width for strip in strips.values()) + 2 * GAP
    sheet = Image.new("L", (width, sum(strip.height + GAP for strip in strips.values()) + GAP), 255)
    places: list[tuple[int, int, Box]] = []
    top = GAP
    for box, strip in strips.items():
        sheet.paste(strip, (GAP, top))
        places.append((top, top + strip.height, box))
        top += strip.height + GAP
    words: dict[Box, list[tuple[str, float]]] = {}
    for one in read(sheet, "--psm", "6", seconds_max=SECONDS_MAX) or ():
        middle = (one.box.top + one.box.bottom) / 2
        box = next((box for top, bottom, box in places if top <= middle < bottom), None)
        if box is not None:
            words.setdefault(box, []).append((one.text, one.confidence))
    return words


def _strip(picture: NDArray[np.uint8], box: Box) -> Image.Image:
    """Return a line dark on white with all contrast that it has, in a height that Tesseract likes."""
    cut = Image.fromarray(picture[box.top : box.bottom, box.left : box.right]).convert("L")
    scale = LINE_PIXELS / max(1, cut.height)
    cut = cut.resize((max(1, round(cut.width * scale)), LINE_PIXELS), Image.Resampling.BICUBIC)
    samples = np.asarray(cut, np.float32)
    low, high = float(samples.min()), float(samples.max())
    stretched = ((samples - low) * (255 / max(high - low, 1.0))).astype(np.uint8)
    return Image.fromarray(255 - stretched if np.median(stretched) < 128 else stretched)
