"""Which characters of a text that was written into a picture can still be made out: by their shape, one by one.

A reader of text needs a word or a line, and takes what is left of a name after a mask that is too short for noise. Here
the place and the form of each character are known, so that a single letter that is left is found: the picture there is
compared with the letter, bright or dark on its ground.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.support.written import FONT

ALIKE = 0.5  # correlation with the letter's form from which it counts as made out
FLAT = 1.0  # grey values; a place of less variation shows nothing


def characters_left(picture: np.ndarray, text: str, at: tuple[int, int], *, size: int = 18, turned: int = 0) -> str:
    """Return the characters, in their order, of a `text` written by `tests.support.written.write` with these arguments.

    `picture` is grey, of shape (rows, columns).
    """
    return "".join(
        character
        for character, form in _forms(text, size, turned)
        if not character.isspace() and _is_there(picture, form, at)
    )


def _forms(text: str, size: int, turned: int):
    """Yield each character with an image of it alone, where it stands in the whole text."""
    font = ImageFont.truetype(FONT, size)
    left, top, right, bottom = font.getbbox(text)
    for index, character in enumerate(text):
        label = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
        begin = font.getlength(text[: index + 1]) - font.getlength(character)  # as near to the one before as it was set
        ImageDraw.Draw(label).text((2 - left + begin, 2 - top), character, font=font, fill=255)
        yield character, np.asarray(label.rotate(turned, expand=True), np.float32) / 255


def _is_there(picture: np.ndarray, form: np.ndarray, at: tuple[int, int]) -> bool:
    rows, columns = (np.flatnonzero((form > 0.2).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return False
    place = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
    letter = form[place]
    row, column = at[0] + place[0].start, at[1] + place[1].start
    seen = picture[row : row + letter.shape[0], column : column + letter.shape[1]].astype(np.float32)
    letter = letter[: seen.shape[0], : seen.shape[1]]
    if seen.size == 0 or seen.std() < FLAT or letter.std() == 0:
        return False
    return abs(float(np.corrcoef(seen.ravel(), letter.ravel())[0, 1])) > ALIKE
