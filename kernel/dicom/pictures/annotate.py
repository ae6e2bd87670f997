"""Text burned into a picture, for who will see nothing else of it (PS3.18 8.3.5.1.1): patient, technique.

Only pictures get it, never stored pixels. Without a font that has every letter of Vietnamese, marks are left out rather
than drawn as boxes.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

from PIL import Image, ImageDraw, ImageFont

from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values

Annotation = Literal["patient", "technique"]
ANNOTATIONS: Final[tuple[Annotation, ...]] = ("patient", "technique")
LINE_CHARACTERS_MAX: Final = 80
_FONTS: Final = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf")
_NEEDED: Final = "ễđƯ"  # what a font must have
_TECHNIQUE: Final = (
    (0x00080060, "{}"),
    (0x0008103E, "{}"),
    (0x00180060, "{} kV"),
    (0x00181151, "{} mA"),
    (0x00180050, "{} mm"),
    (0x00180080, "TR {} ms"),
    (0x00180081, "TE {} ms"),
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def lines_of(header: Header, annotation: Annotation) -> list[str]:
    """Return what is written of a header."""
    values = Values(header)
    if annotation == "technique":
        texts = ((values.text(tag), form) for tag, form in _TECHNIQUE)
        return [form.format(text)[:LINE_CHARACTERS_MAX] for text, form in texts if text]
    name = " ".join(values.text(0x00100010).split("=")[0].replace("^", " ").split())
    birth = " ".join(text for text in (_date(values.text(0x00100030)), values.text(0x00100040)) if text)
    lines = (name, values.text(0x00100020), birth, _date(values.text(0x00080020)))
    return [line[:LINE_CHARACTERS_MAX] for line in lines if line]


def annotated(picture: Image.Image, header: Header, annotations: Iterable[Annotation]) -> Image.Image:
    """Return the picture with text: patient at the top left, technique at the bottom left."""
    size = max(9, min(picture.width, picture.height) // 32)
    font, has_marks = _font(size)
    copy = picture.copy()
    draw = ImageDraw.Draw(copy)
    for annotation in annotations:
        lines = lines_of(header, annotation)
        text = "\n".join(lines if has_marks else map(_without_marks, lines))
        if annotation == "patient":
            at, anchor = (size // 2, size // 2), "la"
        else:
            at, anchor = (size // 2, picture.height - size // 2), "ld"
        white, black = ((255,) * 3, (0,) * 3) if picture.mode == "RGB" else (255, 0)
        draw.multiline_text(at, text, white, font, anchor, stroke_width=1, stroke_fill=black)
    return copy


@lru_cache(maxsize=16)
def _font(size: int) -> tuple[Font, bool]:
    """Return a font, and whether it has the letters of Vietnamese."""
    for name in _FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        missing = _shape(font, "\uffff")
        if all(_shape(font, letter) != missing for letter in _NEEDED):
            return font, True
    return ImageFont.load_default(size), False


def _shape(font: ImageFont.FreeTypeFont, letter: str) -> bytes:
    cell = Image.new("L", (32, 32))
    ImageDraw.Draw(cell).text((0, 0), letter, 255, font.font_variant(size=16))
    return cell.tobytes()


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _date(text: str) -> str:
    return f"{text[6:8]}/{text[4:6]}/{text[:4]}" if len(text) == 8 and text.isdecimal() else text
