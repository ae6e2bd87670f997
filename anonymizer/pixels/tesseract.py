"""Words that Tesseract reads in a picture, and how sure it is of each. No text is kept or logged here."""

import io
import os
import shutil
import subprocess
from typing import Final, NamedTuple

from PIL import Image

from kernel.dicom.pixels.boxes import Box

PROGRAM: Final = "tesseract"
LANGUAGES: Final = "vie"  # its letters include the English ones
_WORD_LEVEL, _CELLS = "5", 12  # of its table


class Read(NamedTuple):
    """A word that was read."""

    text: str
    box: Box
    confidence: float  # per cent
    line: tuple[str, ...]  # page, block, paragraph and line


def is_installed() -> bool:
    """Whether Tesseract is here."""
    return shutil.which(PROGRAM) is not None


def read(picture: Image.Image, *options: str, seconds_max: float) -> list[Read] | None:
    """Return the words of a picture, in the order of its table; None if Tesseract fails or takes too long."""
    buffer = io.BytesIO()
    picture.convert("L").save(buffer, "PPM")
    command = [shutil.which(PROGRAM) or PROGRAM, "-", "-", "-l", LANGUAGES, *options, "tsv"]
    try:
        done = subprocess.run(  # noqa: S603 our own arguments; the picture is its input
            command,
            input=buffer.getvalue(),
            capture_output=True,
            timeout=seconds_max,
            check=True,
            env={"PATH": os.defpath, "OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    rows = (line.split("\t") for line in done.stdout.decode("utf-8", "replace").splitlines())
    return [_word(cells) for cells in rows if len(cells) == _CELLS and cells[0] == _WORD_LEVEL and cells[11].strip()]


def _word(cells: list[str]) -> Read:
    left, top, width, height = map(int, cells[6:10])
    return Read(cells[11].strip(), Box(top, left, top + height, left + width), float(cells[10]), tuple(cells[1:5]))
