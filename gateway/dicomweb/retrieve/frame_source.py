"""Where an instance's frames are, remembered: a frame served a second time costs one read and no look at the index.

What is remembered are whereabouts, never rights: a handler asks for leave to read the study first, every time.
"""

import mmap
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.dicomweb.http.spans import FileSpan
from kernel.archive.records import Located
from kernel.dicom.pixels.frames import FrameMap, locate_frames
from kernel.dicom.pixels.image import Display, ImagePixel, display, image_pixel, pixel_aspect
from kernel.dicom.pixels.reading import Pixels, open_pixels
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan_apart
from kernel.errors import BlobMissing, NoPixelData

BYTES_OF_ONE: Final = 2048  # what a remembered instance takes besides the offsets of its frames
BYTES_OF_SPANS: Final = 256  # of one resolved frame
WINDOWS_MAX: Final = 16  # of an instance whose display is remembered
_GREY: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})
_SAMPLES: Final = frozenset({"<u1", "<i1", "<u2", "<i2"})
_BY_FRAME: Final = (0x52009229, 0x52009230)  # functional groups (PS3.3 C.7.6.16)
SPANS_MAX: Final = 4096  # resolved frames remembered of one encapsulated instance


@dataclass(frozen=True, slots=True)
class Grey:
    """How native grey frames of square pixels, all of which are shown alike, become pictures: what their header is read for."""

    image: ImagePixel
    display: Display


@dataclass(frozen=True, slots=True)
class FrameSource:
    """The frames of one stored instance.

    `frames` is None when they are no bytes of the file: deflated and big endian instances are decoded for who asks.
    """

    located: Located
    path: Path
    frames: FrameMap | None
    grey: Grey | None = None
    _resolved: dict[int, tuple[FileSpan, ...]] = field(default_factory=dict[int, tuple[FileSpan, ...]])

    @property
    def weight(self) -> int:
        """Bytes that it takes in memory, about."""
        if self.frames is None:
            return BYTES_OF_ONE
        resolvable = 0 if self.frames.frame_bits else min(self.frames.number_of_frames, SPANS_MAX)
        offsets = len(self.frames.offsets) + len(self.frames.lengths)
        return BYTES_OF_ONE + 8 * offsets + BYTES_OF_SPANS * resolvable

    def spans(self, frame_index: int) -> tuple[FileSpan, ...]:
        """Return where a stored frame is in the file, in order.

        Raises
        ------
        NotFound
            There is no such frame.
        MalformedInstance
            The fragments contradict each other.
        """
        assert self.frames is not None, "asked only of stored frames"
        if self.frames.frame_bits:
            return tuple(FileSpan(self.path, *span) for span in self.frames.spans(b"", frame_index))
        spans = self._resolved.get(frame_index)
        if spans is None:
            with mapped(self.path) as view:
                spans = tuple(FileSpan(self.path, *span) for span in self.frames.spans(view, frame_index))
            if len(self._resolved) < SPANS_MAX:
                self._resolved[frame_index] = spans
        return spans

    def is_resolved(self, frame_index: int) -> bool:
        """Whether `spans` answers without reading the file."""
        return self.frames is not None and (self.frames.frame_bits > 0 or frame_index in self._resolved)

    @property
    def is_shared(self) -> bool:
        """Whether frames share bytes with each other (one bit a pixel): they must be shifted, see `shifted`."""
        frames = self.frames
        return frames is not None and frames.frame_bits % 8 != 0 and frames.number_of_frames > 1

    def shifted(self, frame_index: int) -> bytes:
        """Return a frame that shares bytes with others."""
        assert self.frames is not None, "asked only of stored frames"
        with mapped(self.path) as view:
            return self.frames.read(view, frame_index)


@contextmanager
def mapped(path: Path) -> Generator[mmap.mmap]:
    """Give a map of a blob.

    Raises
    ------
    BlobMissing
        It is not there.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            yield view
    except FileNotFoundError:
        raise BlobMissing(key=path.name) from None


@contextmanager
def opened(path: Path) -> Generator[Pixels]:
    """Open a blob for decoding.

    Raises
    ------
    BlobMissing
        It is not there.
    The errors of `kernel.dicom.pixels.reading.open_pixels`.
    """
    try:
        with open_pixels(path) as pixels:
            yield pixels
    except FileNotFoundError:
        raise BlobMissing(key=path.name) from None


def frame_source(located: Located, path: Path) -> FrameSource:
    """Find the frames of a stored instance: one pass over its header.

    Raises
    ------
    NoPixelData
        It has no pixel data.
    MalformedInstance, LimitExceeded
        Its pixel data does not hold what its header says.
    """
    with mapped(path) as view:
        header = scan_apart(view, located.transfer_syntax_uid, offset=located.dataset_offset)
        if header.pixel_data is None:
            raise NoPixelData(what="frame: the instance has no pixel data")
        if header.reencoded:
            return FrameSource(located, path, None)
        image = image_pixel(header)
        frames = locate_frames(view, header, image)
        return FrameSource(located, path, frames, _grey(header, image, frames))


def _grey(header: Header, image: ImagePixel, frames: FrameMap) -> Grey | None:
    """Return what is worth remembering to draw frames; tables, and values of single frames, are not."""
    is_plain = image.photometric_interpretation in _GREY and image.sample_type in _SAMPLES and frames.frame_bits > 0
    if not is_plain or any(header.get(tag) is not None for tag in _BY_FRAME):
        return None
    shown = display(header, image)
    is_small = shown.modality_lut is None and shown.voi_lut is None and len(shown.windows) <= WINDOWS_MAX
    return Grey(image, shown) if is_small and pixel_aspect(header) == 1 else None
