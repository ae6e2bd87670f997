"""Pictures for the eye (PS3.18 10.4.1.1.4, 10.4.1.1.5): rendered instances and frames, thumbnails of everything.

A picture is 8 bits a sample and JPEG is lossy: it is for looking around, never for reading. Diagnostic viewing uses
frames.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.answers import Answer
from gateway.dicomweb.call import Call
from gateway.dicomweb.frame_source import opened
from gateway.dicomweb.frames import frame_numbers
from gateway.dicomweb.instances import VARY
from gateway.dicomweb.negotiation import Offer, choose
from kernel.archive import index
from kernel.archive.records import Located
from kernel.dicom.image import VoiFunction, Window
from kernel.dicom.render import JPEG_QUALITY, VIEWPORT_MAX, encode_jpeg, encode_png, render
from kernel.errors import InvalidRequest

THUMBNAIL_SIDE: Final = 128
OFFERS: Final = (Offer("image/jpeg"), Offer("image/png"))
CACHED: Final = "private, max-age=3600"  # not for ever: a later version may draw the same frame better
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_FUNCTIONS: Final[Mapping[str, VoiFunction]] = {
    "": "LINEAR",
    "LINEAR": "LINEAR",
    "LINEAR-EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}


def rendered(call: Call) -> ASGIApp:
    """Answer GET .../instances/{instance}[/frames/{frame}]/rendered; of many frames, the first."""
    located = call.locate(call.open_study(call.params["study"]))
    return _picture(call, located, viewport_of(call.query.get("viewport", "")))


def thumbnail(call: Call) -> ASGIApp:
    """Answer GET .../thumbnail of a study, series, instance or frame: of several instances, one in the middle."""
    grant = call.open_study(call.params["study"])
    if "instance" in call.params:
        located = call.locate(grant)
    else:
        with call.services.db.read() as connection:
            series = call.params.get("series")
            found = (
                index.locate_study(connection, grant)
                if series is None
                else index.locate_series(connection, grant, series)
            )
        located = found[len(found) // 2]
    viewport = viewport_of(call.query.get("viewport", "")) or (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return _picture(call, located, viewport)


def _picture(call: Call, located: Located, viewport: tuple[int, int] | None) -> ASGIApp:
    offer = choose(call.accept, OFFERS)
    window, quality = window_of(call.query.get("window", "")), quality_of(call.query.get("quality", ""))
    numbers = frame_numbers(call.params.get("frames", "1"))
    if len(numbers) != 1:
        raise InvalidRequest(reason="one frame is rendered at a time")
    with opened(call.services.blobs.path(located.blob_key)) as pixels:
        picture = render(pixels, numbers[0] - 1, window=window, viewport=viewport)
    body = encode_jpeg(picture, quality) if offer.media_type == "image/jpeg" else encode_png(picture)
    return Answer(200, {"Content-Type": offer.media_type, "Cache-Control": CACHED, "Vary": VARY}, body)


def window_of(text: str) -> Window | None:
    """Read `window=center,width,function` (PS3.18 8.3.5.1.4).

    Raises
    ------
    InvalidRequest
        It is not that.
    """
    if not text:
        return None
    center, width, function, *more = [*(part.strip() for part in text.split(",")), "", "", ""]
    name = _FUNCTIONS.get(function.upper())
    if any(more) or not (_NUMBER.fullmatch(center) and _NUMBER.fullmatch(width)) or name is None:
        raise InvalidRequest(reason="window is center,width,function; functions are linear, linear-exact and sigmoid")
    if not math.isfinite(float(width)) or float(width) <= 0:
        raise InvalidRequest(reason="the width of a window is more than zero")
    return Window(float(center), float(width), name)


def viewport_of(text: str) -> tuple[int, int] | None:
    """Read `viewport=columns,rows` (PS3.18 8.3.5.1.3); a region of the source is not offered.

    Raises
    ------
    InvalidRequest
        It is not that, or larger than VIEWPORT_MAX.
    """
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= 5 for part in parts):
        raise InvalidRequest(reason="viewport is columns,rows in pixels; a region of the source is not offered")
    columns, rows = int(parts[0]), int(parts[1])
    if not (1 <= columns <= VIEWPORT_MAX and 1 <= rows <= VIEWPORT_MAX):
        raise InvalidRequest(reason=f"a viewport has 1 to {VIEWPORT_MAX} pixels a side")
    return columns, rows


def quality_of(text: str) -> int:
    """Read `quality`, 1 to 100 (PS3.18 8.3.5.1.2).

    Raises
    ------
    InvalidRequest
        It is not that.
    """
    if not text:
        return JPEG_QUALITY
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100):
        raise InvalidRequest(reason="quality is a whole number from 1 to 100")
    return int(text)
