"""The program of the process that reads photographs: questions on standard input, answers on standard output."""

import io
import struct
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from kernel.dicom.pictures.photographs import PHOTOGRAPH_BYTES_MAX, PROCESS_BYTES_MAX, Drawing, Question, Seen
from kernel.dicom.processes.program import serve
from kernel.dicom.vocabulary.limits import MEBIBYTE

_EXIF, _ORIENTATION, _TAKEN = 0x8769, 0x0112, 0x9003
_TAKEN_CHARACTERS: Final = 19
_ERRORS: Final = (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error, MemoryError)


def answer(question: Question) -> Seen:
    """Look at a photograph, or draw it."""
    try:
        with Image.open(io.BytesIO(question.content), formats=question.formats) as picture:
            return _beside(picture) if question.drawing is None else _drawn(picture, question.drawing)
    except UnidentifiedImageError:
        return Seen(refusal="kind")
    except _ERRORS:
        return Seen(refusal="damage")


def _beside(picture: Image.Image) -> Seen:
    exif = picture.getexif()
    orientation, profile = exif.get(_ORIENTATION, 1), picture.info.get("icc_profile") or b""
    taken = str(exif.get_ifd(_EXIF).get(_TAKEN, ""))[:_TAKEN_CHARACTERS]
    return Seen(orientation if isinstance(orientation, int) else 1, taken, profile)


def _drawn(picture: Image.Image, drawing: Drawing) -> Seen:
    pixels = picture.width * picture.height
    if pixels > drawing.pixels_max:
        return Seen(refusal="pixels", pixels=pixels)
    sides = (drawing.side_max, drawing.side_max)
    picture.draft("RGB", sides)
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail(sides)
    upright.info.clear()
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=drawing.quality, subsampling="4:2:2")
    return Seen(jpeg=out.getvalue())


def _begun() -> Callable[[Question], Seen]:
    Image.MAX_IMAGE_PIXELS = None  # the bound is ours
    return answer


if __name__ == "__main__":
    serve(
        Question,
        _begun,
        question_bytes_max=PHOTOGRAPH_BYTES_MAX + MEBIBYTE,
        memory_bytes_max=PROCESS_BYTES_MAX,
    )
