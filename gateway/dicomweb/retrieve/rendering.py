"""The query parameters of pictures (PS3.18 8.3.5.1), read and bounded. Drawing is in `kernel.dicom`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from kernel.dicom.pictures.annotate import ANNOTATIONS, Annotation
from kernel.dicom.pictures.viewport import SIDE_MAX, Region, Viewport
from kernel.dicom.pixels.image import VoiFunction, Window
from kernel.errors import InvalidRequest

IccProfile = Literal["", "no", "yes", "srgb"]
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_INTEGER: Final = re.compile(r"-?[0-9]{1,6}", re.ASCII)
_FUNCTIONS: Final[Mapping[str, VoiFunction]] = {
    "": "LINEAR",
    "LINEAR": "LINEAR",
    "LINEAR-EXACT": "LINEAR_EXACT",
    "LINEAR_EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}
_PROFILES: Final = ("", "no", "yes", "srgb")


@dataclass(frozen=True, slots=True)
class Rendering:
    """How pictures are to be drawn."""

    window: Window | None
    viewport: Viewport | None
    quality: int | None
    annotations: tuple[Annotation, ...]
    icc_profile: IccProfile

    @property
    def is_plain(self) -> bool:
        """Whether a whole frame is drawn and nothing but the frame."""
        return self.viewport is None and not self.annotations and self.icc_profile in ("", "no")


def rendering_of(query: Mapping[str, str], *, may_enlarge: bool = True) -> Rendering:
    """Read the parameters.

    Raises
    ------
    InvalidRequest
        One of them is not what it may be.
    """
    return Rendering(
        window_of(query.get("window", "")),
        viewport_of(query.get("viewport", ""), may_enlarge=may_enlarge),
        quality_of(query.get("quality", "")),
        annotations_of(query.get("annotation", "")),
        icc_profile_of(query.get("iccprofile", "")),
    )


def window_of(text: str) -> Window | None:
    """Read `window=center,width,function` (8.3.5.1.4)."""
    if not text:
        return None
    center, width, function, *more = [*(part.strip() for part in text.split(",")), "", "", ""]
    name = _FUNCTIONS.get(function.upper())
    if any(more) or not (_NUMBER.fullmatch(center) and _NUMBER.fullmatch(width)) or name is None:
        raise InvalidRequest(reason="window is center,width,function; functions are linear, linear-exact and sigmoid")
    if not math.isfinite(float(width)) or float(width) <= 0:
        raise InvalidRequest(reason="the width of a window is more than zero")
    return Window(float(center), float(width), name)


def viewport_of(text: str, *, may_enlarge: bool = True) -> Viewport | None:
    """Read `viewport=columns,rows[,left,top,width,height]` (8.3.5.1.3); a negative width or height flips."""
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not 2 <= len(parts) <= 6 or not all(
        _INTEGER.fullmatch(part) or (not part and at > 1) for at, part in enumerate(parts)
    ):
        raise InvalidRequest(reason="viewport is columns,rows and perhaps left,top,width,height, in whole pixels")
    columns, rows, left, top, width, height = (
        int(part) if part else None for part in [*parts, *[""] * (6 - len(parts))]
    )
    assert columns is not None
    assert rows is not None
    if not (1 <= columns <= SIDE_MAX and 1 <= rows <= SIDE_MAX):
        raise InvalidRequest(reason=f"a viewport has 1 to {SIDE_MAX} pixels a side")
    if min(left or 0, top or 0) < 0 or 0 in (width, height):
        raise InvalidRequest(reason="the region of a viewport begins in the image and has a size")
    return Viewport(columns, rows, Region(left or 0, top or 0, width, height), may_enlarge)


def quality_of(text: str) -> int | None:
    """Read `quality`, 1 to 100 (8.3.5.1.2)."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100):
        raise InvalidRequest(reason="quality is a whole number from 1 to 100")
    return int(text)


def annotations_of(text: str) -> tuple[Annotation, ...]:
    """Read `annotation=patient,technique` (8.3.5.1.1)."""
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(","))) if text.strip() else ()
    if not set(names) <= set(ANNOTATIONS):
        raise InvalidRequest(reason="annotation is patient, technique, or both")
    return cast("tuple[Annotation, ...]", names)


def icc_profile_of(text: str) -> IccProfile:
    """Read `iccprofile` (8.3.5.1.5); Adobe RGB and ROMM RGB are not offered."""
    name = text.strip().lower()
    if name not in _PROFILES:
        raise InvalidRequest(reason="iccprofile is no, yes or srgb")
    return name
