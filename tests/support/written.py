"""Pictures with something written on them, made by script: what a modality burns in, and what a clinician needs."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")  # Debian: fonts-dejavu-core


def tissue(rows: int = 480, columns: int = 640, *, seed: int = 0) -> np.ndarray:
    """Return speckle in a fan on black, as an ultrasound machine shows it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    fan = (np.hypot(y + 40, x - columns / 2) < rows * 0.95) & (np.abs(x - columns / 2) < (y + 60) * 0.7) & (y > 70)
    return (rng.gamma(2.0, 18.0, (rows, columns)).clip(0, 150) * fan).astype(np.uint8)


def chest(rows: int = 900, columns: int = 760) -> np.ndarray:
    """Return smooth shadows of 12 bits, as a radiograph has."""
    y, x = np.mgrid[0:rows, 0:columns] / rows
    lungs = np.exp(-(((x - 0.25) / 0.12) ** 2 + ((y - 0.45) / 0.3) ** 2)) + np.exp(
        -(((x - 0.6) / 0.12) ** 2 + ((y - 0.45) / 0.3) ** 2)
    )
    noise = np.random.default_rng(3).normal(0, 12, (rows, columns))
    return (2600 - 1500 * lungs + noise).clip(0, 4095).astype(np.uint16)


def write(
    picture: np.ndarray, text: str, at: tuple[int, int], *, size: int = 18, value: int = 235, turned: int = 0
) -> np.ndarray:
    """Return a picture with `text` at (row, column), turned by degrees."""
    font = ImageFont.truetype(FONT, size)
    left, top, right, bottom = font.getbbox(text)
    label = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4), 0)
    ImageDraw.Draw(label).text((2 - left, 2 - top), text, font=font, fill=255)
    letters = np.asarray(label.rotate(turned, expand=True), np.float32)[..., None][..., 0] / 255
    made = picture.astype(np.float32)
    row, column = at
    place = made[row : row + letters.shape[0], column : column + letters.shape[1]]
    weight = letters[: place.shape[0], : place.shape[1]]
    place[:] = place * (1 - weight) + value * weight
    return made.astype(picture.dtype)
