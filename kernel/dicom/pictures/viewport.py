"""A region of a picture, flipped and scaled into a viewport (PS3.18 8.3.5.1.3)."""

from dataclasses import dataclass
from typing import Final

from PIL import Image

from kernel.dicom.vocabulary.limits import exceeded
from kernel.errors import InvalidRequest

SIDE_MAX: Final = 16384  # pixels of a viewport
ENLARGED_PIXELS_MAX: Final = 16 * 1024 * 1024  # of a picture that was made larger than its source


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the source image; a negative width or height flips it."""

    left: int = 0
    top: int = 0
    width: int | None = None  # None: to the image's edge
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Viewport:
    """Into what a picture must fit, its proportions kept."""

    columns: int
    rows: int
    region: Region = Region()
    may_enlarge: bool = True


def shown_in(picture: Image.Image, viewport: Viewport | None, aspect: float = 1.0) -> Image.Image:
    """Return the picture as the viewport shows it: as large as fits, its proportions kept.

    `aspect` is the height of the source's pixels by their width; where they are not square the shorter sides are
    drawn longer.

    Raises
    ------
    InvalidRequest
        The region lies outside the picture.
    LimitExceeded
        It would take more than ENLARGED_PIXELS_MAX.
    """
    if viewport is None and aspect == 1:
        return picture
    if viewport is not None:
        picture = _cut(picture, viewport.region)
    width, height = picture.width * max(1.0, 1 / aspect), picture.height * max(1.0, aspect)
    scale = _scale(width, height, viewport)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == picture.size:
        return picture
    if size[0] <= picture.width and size[1] <= picture.height:
        return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if viewport is not None and size[0] * size[1] > ENLARGED_PIXELS_MAX:
        raise exceeded("ENLARGED_PIXELS_MAX", size[0] * size[1], ENLARGED_PIXELS_MAX)
    return picture.resize(size, Image.Resampling.BICUBIC)


def _scale(width: float, height: float, viewport: Viewport | None) -> float:
    if viewport is None:  # what is stretched stays within bounds
        return min(1.0, (ENLARGED_PIXELS_MAX / (width * height)) ** 0.5)
    columns, rows = (min(max(side, 1), SIDE_MAX) for side in (viewport.columns, viewport.rows))
    scale = min(columns / width, rows / height)
    return scale if viewport.may_enlarge else min(scale, 1.0)


def _cut(picture: Image.Image, region: Region) -> Image.Image:
    width = picture.width - region.left if region.width is None else region.width
    height = picture.height - region.top if region.height is None else region.height
    right, bottom = min(region.left + abs(width), picture.width), min(region.top + abs(height), picture.height)
    if region.left >= right or region.top >= bottom:
        raise InvalidRequest(reason="the region of the viewport lies outside the image")
    if (region.left, region.top, right, bottom) != (0, 0, picture.width, picture.height):
        picture = picture.crop((region.left, region.top, right, bottom))
    if width < 0:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if height < 0 else picture
