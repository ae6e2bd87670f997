"""An instance in another transfer syntax: the data set written anew, its frames one by one (PS3.5 8, A.4).

Memory holds a few frames, whatever the instance's size; encoded frames wait in a temporary file, because the offset
table before them says where they are. Without loss but for JPEG Baseline, which is made only for who asks for it and
is an instance of its own. Frames are made in `kernel.dicom.transcoding.frames`; what changes in the header is in
`kernel.dicom.transcoding.header`.
"""

import mmap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.dicom.pixels.encapsulate import Fragments, InMemory, Scratch
from kernel.dicom.pixels.encoders import ENCODERS, LOSSY_QUALITY
from kernel.dicom.pixels.reading import Pixels, pixels_of
from kernel.dicom.scanning.elements import UNDEFINED, Buffer, Header, PixelData
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.reencode import to_explicit_little_endian
from kernel.dicom.scanning.rewrite import element_header, rewritten
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.transcoding.frames import (
    LOSSLESS_TARGETS,
    NATIVE_TARGETS,
    TARGETS,
    can_transcode,
    check_frames,
    check_native,
    frames_in,
    packed,
)
from kernel.dicom.transcoding.header import Change, changes_of, lossy_changes, lossy_instance_uid
from kernel.dicom.vocabulary.limits import MEBIBYTE, malformed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import UnsupportedTransferSyntax

__all__ = ["LOSSLESS_TARGETS", "TARGETS", "Transcoded", "can_transcode", "transcode"]

_PIXEL_TAGS: Final = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003, 0x7FE00008, 0x7FE00009, 0x7FE00010})
_FLOAT_VRS: Final = {0x7FE00008: "OF", 0x7FE00009: "OD"}


@dataclass(frozen=True, slots=True)
class Transcoded:
    """An instance in another transfer syntax."""

    sop_class_uid: str
    sop_instance_uid: str  # another than that of the source when something was lost
    transfer_syntax_uid: str
    chunks: Iterator[bytes]  # the data set, without file meta; the source is open until they end or are dropped


def transcode(
    source: Path | Buffer, target: str, *, quality: int = LOSSY_QUALITY, scratch: Callable[[], Scratch] = InMemory
) -> Transcoded:
    """Return a stored instance in another transfer syntax.

    Everything that can be refused without decoding a frame is refused here; what is wrong with a frame comes while the
    chunks are read: before the first chunk if `target` is encapsulated.

    Parameters
    ----------
    source
        A Part 10 file, or its bytes.
    quality
        1 to 100, of a lossy target.
    scratch
        Where compressed frames wait until the last of them is there.

    Raises
    ------
    UnsupportedTransferSyntax
        No codec for its frames; or the target cannot hold them, or is none that is made here.
    MalformedInstance, LimitExceeded
        It cannot be read, or is too large.
    """
    with ExitStack() as stack:
        buffer = _mapped(source, stack) if isinstance(source, Path) else source
        meta = read_file_meta(buffer)
        if target not in TARGETS:
            raise UnsupportedTransferSyntax(transfer_syntax_uid=target, reason="it is not made here")
        stored = meta.transfer_syntax_uid
        syntax = SYNTAXES.get(stored)
        offset = meta.dataset_offset
        if syntax is not None and (syntax.deflated or not syntax.little_endian):
            buffer = to_explicit_little_endian(buffer, stored, offset=offset)
            stored, offset = EXPLICIT_VR_LITTLE_ENDIAN, 0
        header = scan(buffer, stored, offset=offset)
        plan = _plan(buffer, header, stored, target, quality)
        uid = lossy_instance_uid(header, target, quality) if plan.is_lossy else meta.sop_instance_uid
        return Transcoded(meta.sop_class_uid, uid, target, _closing(plan.chunks(scratch), stack.pop_all()))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written."""

    header: Header
    pixels: Pixels | None  # None: no frame is touched
    target: str
    quality: int

    @property
    def is_lossy(self) -> bool:
        return self.target in ENCODERS and ENCODERS[self.target].is_lossy

    def chunks(self, scratch: Callable[[], Scratch]) -> Iterator[bytes]:
        implicit = self.target == IMPLICIT_VR_LITTLE_ENDIAN
        if self.pixels is None:
            yield from _head(self.header, {}, implicit=implicit)
            if self.header.pixel_data is not None:
                yield from _copied_pixels(self.header, self.header.pixel_data, implicit=implicit)
        elif self.target in NATIVE_TARGETS:
            yield from _head(self.header, changes_of(self.pixels, self.target), implicit=implicit)
            yield from _native(self.pixels, self.target, implicit=implicit)
        else:
            yield from self._encapsulated(self.pixels, scratch)
        yield from _tail(self.header, implicit=implicit)

    def _encapsulated(self, pixels: Pixels, scratch: Callable[[], Scratch]) -> Iterator[bytes]:
        frames = frames_in(pixels, range(pixels.frames.number_of_frames), self.target, quality=self.quality)
        with Fragments(frames, scratch) as fragments:
            changes = changes_of(pixels, self.target) | fragments.extended_offsets
            if self.is_lossy:
                changes |= lossy_changes(pixels, self.target, self.quality, fragments.size_bytes)
            yield from _head(self.header, changes, implicit=False)
            yield element_header(0x7FE00010, "OB", UNDEFINED, implicit=False)
            yield from fragments.value()


def _plan(buffer: Buffer, header: Header, stored: str, target: str, quality: int) -> _Plan:
    pixels = header.pixel_data
    if pixels is None or not header.complete:
        if target not in NATIVE_TARGETS:
            raise UnsupportedTransferSyntax(transfer_syntax_uid=target, reason="there is no pixel data to encode")
        if pixels is not None:
            raise malformed("the pixel data is not complete")
        return _Plan(header, None, target, quality)
    if target in NATIVE_TARGETS and not pixels.is_encapsulated:
        return _Plan(header, None, target, quality)
    opened = pixels_of(buffer, header, stored)
    check_frames(opened, target)
    if target in NATIVE_TARGETS:
        check_native(opened)
    return _Plan(header, opened, target, quality)


def _mapped(path: Path, stack: ExitStack) -> mmap.mmap:
    with path.open("rb") as file:
        try:
            return stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError:
            raise malformed("it is empty") from None


def _closing(chunks: Iterator[bytes], stack: ExitStack) -> Iterator[bytes]:
    with stack:
        yield from chunks


def _head(header: Header, changes: dict[int, Change], *, implicit: bool) -> Iterator[bytes]:
    """Yield the elements before the pixel data in ascending order, changed ones in their place."""
    kept = {element.tag: element for element in header.elements}
    for tag in sorted({tag for tag in kept if tag < 0x7FE00008 and tag not in _PIXEL_TAGS} | changes.keys()):
        if tag not in changes:
            yield from rewritten(header, [kept[tag]], implicit=implicit)
        elif (change := changes[tag]) is not None:
            yield element_header(tag, change[0], len(change[1]), implicit=implicit) + change[1]


def _tail(header: Header, *, implicit: bool) -> Iterator[bytes]:
    after = {element.tag: element for element in header.elements if element.tag > 0x7FE00010}
    yield from rewritten(header, [after[tag] for tag in sorted(after)], implicit=implicit)


def _copied_pixels(header: Header, pixels: PixelData, *, implicit: bool) -> Iterator[bytes]:
    """Yield native pixel data as it is: only what stands before it is encoded differently."""
    vr = "OW" if implicit and pixels.tag == 0x7FE00010 else pixels.vr
    yield element_header(pixels.tag, vr, pixels.length + pixels.length % 2, implicit=implicit)
    for start in range(pixels.value_offset, pixels.end, MEBIBYTE):
        yield bytes(header.buffer[start : min(start + MEBIBYTE, pixels.end)])
    yield b"\0" * (pixels.length % 2)


def _native(pixels: Pixels, target: str, *, implicit: bool) -> Iterator[bytes]:
    image, count = pixels.image, pixels.frames.number_of_frames
    bits = image.rows * image.columns * image.samples_per_pixel * image.bits_allocated
    size = (bits * count + 7) // 8
    vr = _FLOAT_VRS.get(image.pixel_tag) or ("OW" if implicit or image.bits_allocated > 8 else "OB")
    yield element_header(image.pixel_tag, vr, size + size % 2, implicit=implicit)
    yield from packed(pixels) if image.bits_allocated == 1 else frames_in(pixels, range(count), target)
    yield b"\0" * (size % 2)
