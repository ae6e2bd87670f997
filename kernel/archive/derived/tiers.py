"""Lossless HTJ2K copies of images, beside their originals: the first bytes of one are the whole image, smaller.

A thin line shows a quarter of the resolution first, then half, then every sample as it was stored; the matrix never
changes its size. Nothing here is promised: a copy that is missing is made of its original again, at the cost of a
decoder's time (`kernel.dicom.pixels.decoders`), and goes with it.
"""

import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from kernel.archive.blobs.durable import flush_data
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Located
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.reading import Pixels, open_pixels
from kernel.dicom.pixels.tile_parts import part_ends
from kernel.dicom.transcoding.frames import check_frames, frames_in
from kernel.dicom.vocabulary.syntaxes import HTJ2K_LOSSLESS_RPCL, SYNTAXES
from kernel.errors import BlobMissing, NotFound, UnsupportedTransferSyntax

TIERS: Final = 3  # 1/4 of the resolution, 1/2, and all of it
HEAD_BYTES: Final = 1024  # of a copy: its main header takes some 150
FRAMES_AHEAD_MAX: Final = 500  # of one instance that are made before anybody asks
KEPT_SHARE: Final = 0.9  # of the bound after the oldest copies were given up
_MONOCHROME: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})


class Tiers:
    """The copies of one store of blobs. Safe to use from many threads; two that miss one copy both make it."""

    def __init__(self, blobs: Blobs, bytes_max: int) -> None:
        """Keep at most so many bytes; 0: copies are made for who asks, and not kept."""
        self._blobs = blobs
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._bytes: int | None = None  # kept; None: not counted yet

    def read(self, located: Located, frame_number: int, tier: int) -> bytes:
        """Return the bytes that a tier adds to those of the tiers below it; all together are a codestream.

        Parameters
        ----------
        frame_number
            From one.
        tier
            From zero, below TIERS.

        Raises
        ------
        NotFound
            There is no such frame or tier.
        UnsupportedTransferSyntax
            The image has no tiers: colour, samples of another size, or lossy already.
        BlobMissing, MalformedInstance, LimitExceeded, Busy
            As of `kernel.dicom.pixels.reading`.
        """
        if not 0 <= tier < TIERS:
            raise NotFound(what="tier")
        path = self._path(located, frame_number)
        try:
            with path.open("rb") as file:
                if tier == 0:
                    os.utime(path.parent)  # what was looked at last is given up last
                start, end = _span(file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size, tier)
                return os.pread(file.fileno(), end - start, start)
        except FileNotFoundError:
            (made,) = self._made(located, [frame_number])
            start, end = _span(made[:HEAD_BYTES], len(made), tier)
            return made[start:end]

    def make(self, located: Located) -> int:
        """Make what is missing of an instance before anybody asks; return how many frames, 0 if it has no tiers."""
        wanted = range(1, min(located.number_of_frames, FRAMES_AHEAD_MAX) + 1)
        missing = [number for number in wanted if not self._path(located, number).exists()]
        try:
            return sum(1 for _ in self._made(located, missing)) if missing and self._bytes_max else 0
        except (UnsupportedTransferSyntax, NotFound):
            return 0

    def _made(self, located: Located, frame_numbers: list[int]) -> Iterator[bytes]:
        try:
            with open_pixels(self._blobs.path(located.blob_key)) as pixels:
                _check(pixels)
                indices = [number - 1 for number in frame_numbers]
                if any(not 0 <= index < pixels.frames.number_of_frames for index in indices):
                    raise NotFound(what="frame")
                frames = frames_in(pixels, indices, HTJ2K_LOSSLESS_RPCL)
                for number, frame in zip(frame_numbers, frames, strict=True):
                    self._keep(located, self._path(located, number), frame)
                    yield frame
        except FileNotFoundError:
            raise BlobMissing(key=located.blob_key) from None

    def _path(self, located: Located, frame_number: int) -> Path:
        return self._blobs.made_of(located.blob_key) / f"{frame_number}.jhc"

    def _keep(self, located: Located, path: Path, content: bytes) -> None:
        """Keep a copy, if there is room; flushed before it has its name, or a power cut could leave half a picture."""
        if self._bytes_max == 0 or len(content) > self._blobs.free_bytes:
            return
        unnamed = path.with_name(secrets.token_hex(8))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with unnamed.open("xb") as file:
                file.write(content)
                file.flush()
                flush_data(file.fileno())
            unnamed.replace(path)
        except OSError:
            unnamed.unlink(missing_ok=True)
            return
        if not self._blobs.path(located.blob_key).exists():  # removed meanwhile, and what was made of it before
            shutil.rmtree(path.parent, ignore_errors=True)
            return
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._kept())
            else:
                self._bytes += len(content)
            if self._bytes > self._bytes_max:
                self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        kept = sorted(self._kept())
        total = sum(size for _, size, _ in kept)
        for _, size, folder in kept:
            if total <= self._bytes_max * KEPT_SHARE:
                break
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
        self._bytes = total

    def _kept(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each instance's copies were looked at, their bytes, and their folder."""
        for folder in self._blobs.all_made():
            with suppress(FileNotFoundError):
                yield folder.stat().st_mtime, sum(file.stat().st_size for file in folder.iterdir()), folder


def _span(head: bytes, size: int, tier: int) -> tuple[int, int]:
    """Return where a tier begins and ends in a copy of `size` bytes."""
    ends = part_ends(head)
    bounds = [0, *ends[-TIERS:-1], size]
    if len(bounds) != TIERS + 1 or ends[-1] > size:
        raise NotFound(what="tier")
    return bounds[tier], bounds[tier + 1]


def _check(pixels: Pixels) -> None:
    """Refuse what gains nothing by tiers."""
    syntax = SYNTAXES.get(pixels.transfer_syntax_uid)
    if not _may_have_tiers(pixels.image) or syntax is None or syntax.lossy:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=HTJ2K_LOSSLESS_RPCL, reason="the image has no tiers")
    check_frames(pixels, HTJ2K_LOSSLESS_RPCL)


def _may_have_tiers(image: ImagePixel) -> bool:
    return image.samples_per_pixel == 1 and image.photometric_interpretation in _MONOCHROME
