"""The thumbnail of a slide: all of its tissue, drawn from its coarsest tiles; never a label, nor one tile of many."""

import io
from collections.abc import Sequence
from typing import Final, NamedTuple

from PIL import Image

from consult.slides.making import Errand, Making, TileOf
from consult.slides.shelf import OpenSlide
from gateway.dicomweb.http.call import Call
from kernel.access import StudyGrant
from kernel.archive.records import Located
from kernel.dicom.pictures.picture_files import FileOptions, encode_picture
from kernel.dicom.pictures.viewport import Viewport
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.errors import Busy, Refused
from wsi.region import Region, Size, picture

JPEG: Final = "image/jpeg"


class SlidePicture(NamedTuple):
    """A slide to be drawn at a size."""

    opened: OpenSlide
    size: Size


def slide_of(call: Call, grant: StudyGrant, located: Sequence[Located], viewport: Viewport) -> SlidePicture | None:
    """Return the slide that stands for some instances; None if they are of another kind, or it cannot be opened."""
    slides, middle = call.services.slides, located[len(located) // 2]
    if slides is None or middle.sop_class_uid != WHOLE_SLIDE:
        return None
    try:
        opened = slides.shelf.current(grant, middle.series_instance_uid)
    except Refused:  # parts of it have not arrived, or its tiles are in an odd order: one instance stands for it
        return None
    finest = opened.slide.octaves[0]
    scale = min(1.0, viewport.columns / finest.width, viewport.rows / finest.height)
    return SlidePicture(opened, Size(max(1, round(finest.width * scale)), max(1, round(finest.height * scale))))


class Drawn(NamedTuple):
    """A picture of a slide, and whether it is only a first look: its coarse tiles are still being made."""

    content: bytes
    is_glimpse: bool


def drawn_slide(call: Call, one: SlidePicture, media_type: str) -> Drawn:
    """Draw all of a slide.

    Raises
    ------
    Busy
        Too many tiles are waited for.
    LimitExceeded, MalformedSlide
        As `wsi.region.picture`.
    """
    slides, slide = call.services.slides, one.opened.slide
    assert slides is not None, "it was asked for the slide"
    whole = Region(0, 0, slide.octaves[0].width, slide.octaves[0].height)

    def make(tile_of: TileOf) -> bytes:
        return picture(slide, whole, one.size, tile_of)

    try:
        made, is_glimpse = (
            _waited_for(
                slides.making, slides.making.ask(one.opened, f"thumbnail {one.size.width} {one.size.height}", make)
            ),
            False,
        )
    except Busy:  # what was made on the way is kept: who asks again and again has all of it in the end
        made, is_glimpse = _waited_for(slides.making, slides.making.ask_glimpse(one.opened, one.size)), True
    if media_type != JPEG:
        opened = Image.open(io.BytesIO(made), formats=["JPEG"])
        made = encode_picture(opened.convert("RGB"), media_type, FileOptions(None, opened.info.get("icc_profile")))
    return Drawn(made, is_glimpse)


def _waited_for(making: Making, errand: Errand) -> bytes:
    try:
        return errand.future.result()
    finally:
        making.leave(errand)
