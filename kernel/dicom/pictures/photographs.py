"""Photographs as cameras and telephones make them, and what one is in DICOM (PS3.3 A.32.4 VL Photographic Image).

They are read and drawn by Pillow, in a process of its own as frames are (`kernel.dicom.pixels.decoders`): what a stranger sent
crashes, hangs or swells that process, not the node. What comes back is believed as little as the photograph.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydicom.encaps import encapsulate

from kernel.dicom.pixels.codestream import stream_size
from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.dicom.vocabulary.limits import MEBIBYTE
from kernel.errors import InvalidRequest, LimitExceeded, UnsupportedMediaType

PHOTOGRAPH: Final = "1.2.840.10008.5.1.4.1.1.77.1.4"  # VL Photographic Image Storage
PHOTOGRAPH_BYTES_MAX: Final = 64 * MEBIBYTE
SIDE_PIXELS_MAX: Final = 65_535  # of a JPEG, and of Rows and Columns
PROCESS_BYTES_MAX: Final = 4096 * MEBIBYTE  # of address space, libraries included
SECONDS_MAX: Final = 60.0  # for one photograph
WAIT_SECONDS_MAX: Final = 120.0  # for the process, which all threads share
DRAWN_ANEW: Final = "Encoded anew: it was not upright, too large, or of another kind"
_DAMAGED: Final = "the picture cannot be read"

Format = Literal["JPEG", "PNG"]
Photometric = Literal["MONOCHROME2", "RGB", "YBR_FULL_422"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a photograph is drawn anew: upright, in color, without what was written beside it."""

    pixels_max: int  # of the photograph as it comes
    side_max: int  # of what is made; a larger one is made smaller
    quality: int  # of the JPEG


@dataclass(frozen=True, slots=True)
class Question:
    """A photograph to look at, and perhaps to draw."""

    content: bytes
    formats: tuple[Format, ...]
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands beside the picture, or the picture drawn anew, or why there is neither."""

    orientation: int = 1  # Exif's: 1 is upright
    taken: str = ""  # Exif's DateTimeOriginal
    icc_profile: bytes = b""
    jpeg: bytes = b""
    refusal: Literal["", "kind", "pixels", "damage"] = ""
    pixels: int = 0  # of one that has too many


class Photographs:
    """One process that reads photographs, begun when it is first needed, shared by all threads."""

    def __init__(self, *, seconds_max: float = SECONDS_MAX) -> None:
        self._seconds_max = seconds_max
        self._children = Children(
            "kernel.dicom.pictures.photograph_process",
            "reading a photograph",
            Seen,
            processes=1,
            wait_seconds_max=WAIT_SECONDS_MAX,
        )

    def look(self, content: bytes, formats: tuple[Format, ...], offered: str) -> Seen:
        """Return what stands beside the picture. Raises as `draw`."""
        return self._ask(Question(content, formats), offered)

    def draw(self, content: bytes, formats: tuple[Format, ...], drawing: Drawing, offered: str) -> bytes:
        """Return a photograph drawn anew, as JPEG in baseline, YBR_FULL_422.

        Parameters
        ----------
        offered
            What is taken, in words for who sent something else.

        Raises
        ------
        UnsupportedMediaType
            It is not of one of the formats.
        InvalidRequest
            It is damaged.
        LimitExceeded
            It is too large, or took too long.
        Busy
            The process was busy for `WAIT_SECONDS_MAX`, or could not be begun.
        """
        jpeg = self._ask(Question(content, formats, drawing), offered).jpeg
        size = stream_size(jpeg)
        if size is None or size.components != 3 or max(size.rows, size.columns) > drawing.side_max:
            raise InvalidRequest(reason=_DAMAGED)
        return jpeg

    def _ask(self, question: Question, offered: str) -> Seen:
        if len(question.content) > PHOTOGRAPH_BYTES_MAX:
            raise LimitExceeded(limit="PHOTOGRAPH_BYTES_MAX", value=len(question.content), bound=PHOTOGRAPH_BYTES_MAX)
        try:
            seen = self._children.ask(question, 2 * PHOTOGRAPH_BYTES_MAX, self._seconds_max)
        except ChildEndedError as error:
            if error.was_late:
                bound = math.ceil(self._seconds_max)
                raise LimitExceeded(limit="seconds to read a photograph", value=bound + 1, bound=bound) from None
            raise InvalidRequest(reason=_DAMAGED) from None
        if seen.refusal == "kind":
            raise UnsupportedMediaType(media_type="of another kind", offered=offered)
        if seen.refusal == "pixels" and question.drawing is not None:
            raise LimitExceeded(limit="PIXELS_MAX", value=seen.pixels, bound=question.drawing.pixels_max)
        if seen.refusal:
            raise InvalidRequest(reason=_DAMAGED)
        return seen

    def close(self) -> None:
        """End the process; a later photograph begins a new one."""
        self._children.close()


shared_photographs: Final = OfThisProcess(Photographs)


def photographic(jpeg: bytes, photometric: Photometric, *, is_anew: bool) -> dict[str, Any]:
    """Return what a VL Photographic Image says of its picture (PS3.3 C.7.6.1, C.7.6.3, C.8.12.1), and Pixel Data.

    Parameters
    ----------
    jpeg
        Of one frame, in baseline.
    is_anew
        Whether it was encoded again.

    Raises
    ------
    InvalidRequest
        It is no JPEG.
    """
    size = stream_size(jpeg)
    if size is None:
        raise InvalidRequest(reason=_DAMAGED)
    samples = 1 if photometric == "MONOCHROME2" else 3
    return {
        "SOPClassUID": PHOTOGRAPH,
        "Modality": "XC",
        "ImageType": ["DERIVED" if is_anew else "ORIGINAL", "PRIMARY"],
        **({"DerivationDescription": DRAWN_ANEW} if is_anew else {}),
        "AcquisitionContextSequence": [],
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": photometric,
        **({"PlanarConfiguration": 0} if samples == 3 else {}),
        "Rows": size.rows,
        "Columns": size.columns,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": f"{size.rows * size.columns * samples / len(jpeg):.2f}",
        "LossyImageCompressionMethod": "ISO_10918_1",
        "PixelData": encapsulate([jpeg]),
    }
