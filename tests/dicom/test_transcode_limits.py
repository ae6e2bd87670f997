"""What is not transcoded: what has no place in the target, is damaged, or would take more memory or disk than there is."""

import tracemalloc

import numpy as np
import pytest
from pydicom.encaps import encapsulate, generate_frames

from kernel.archive.blobs import spool
from kernel.archive.blobs.store import Blobs
from kernel.dicom.pixels import encapsulate as encapsulate_module
from kernel.dicom.pixels.reading import open_pixels
from kernel.dicom.transcoding.frames import LOSSLESS_TARGETS, NATIVE_TARGETS, TARGETS, can_transcode
from kernel.dicom.transcoding.transcode import transcode
from kernel.errors import LimitExceeded, MalformedInstance, StorageFull, UnsupportedTransferSyntax
from tests.dicom.builders import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, encoded, part10
from tests.dicom.images import HTJ2K, JPEG, JPEG_LS, KINDS, RLE, an_image, changed, file_of, noise, read

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_lossy_is_never_made_unless_it_was_asked_for():
    assert {JPEG} == TARGETS - LOSSLESS_TARGETS
    assert NATIVE_TARGETS < LOSSLESS_TARGETS


@pytest.mark.parametrize("target", ["1.2.840.10008.1.2.4.81", BIG_ENDIAN, DEFLATED, "1.2.840.10008.1.2.4.102", "9.9"])
def test_what_is_not_made_here_is_refused(target):
    assert not can_transcode(EXPLICIT, target)
    with pytest.raises(UnsupportedTransferSyntax, match="not made here"):
        transcode(file_of(KINDS["8 bits"]), target)


@pytest.mark.parametrize("target", sorted(LOSSLESS_TARGETS - NATIVE_TARGETS))
def test_samples_that_a_target_cannot_hold_are_refused(target):
    floats = an_image(noise(0, 9, "u1"))
    del floats[0x7FE00010]
    floats.add_new(0x7FE00008, "OF", np.zeros((13, 18), np.float32).tobytes())
    wide = an_image(noise(0, 9, "u4"))

    with pytest.raises(UnsupportedTransferSyntax, match="cannot hold"):
        transcode(file_of(floats), target)
    if target != RLE:
        with pytest.raises(UnsupportedTransferSyntax, match="cannot hold"):
            transcode(file_of(wide), target)


def test_native_pixel_data_that_its_length_cannot_tell_is_refused_before_a_frame_is_decoded():
    ds = an_image(noise(0, 4096, "u2", (2, 2)), frames=1)
    there = read(changed(file_of(ds), RLE))
    frame = next(iter(generate_frames(there.PixelData, number_of_frames=1)))
    there.Rows = there.Columns = 16384
    there.NumberOfFrames = "9"
    there.PixelData = encapsulate([frame] * 9)
    there[0x7FE00010].is_undefined_length = True

    with pytest.raises(LimitExceeded, match="NATIVE_BYTES_MAX"):
        transcode(part10(encoded(there), RLE), EXPLICIT)


@pytest.mark.parametrize("target", [EXPLICIT, HTJ2K])
def test_a_frame_that_claims_65535_by_65535_is_refused(target):
    there = read(changed(file_of(KINDS["16 bits"]), JPEG_LS))
    stream = bytearray(next(iter(generate_frames(there.PixelData, number_of_frames=1))))
    at = stream.index(b"\xff\xf7") + 5
    stream[at : at + 4] = b"\xff\xff\xff\xff"
    there.PixelData = encapsulate([bytes(stream)])
    there[0x7FE00010].is_undefined_length = True
    bomb = part10(encoded(there), JPEG_LS)

    with pytest.raises(MalformedInstance, match="65535 rows"):
        changed(bomb, target)

    there.Rows = there.Columns = 65535
    with pytest.raises(LimitExceeded, match="DECODED_BYTES_MAX"):
        transcode(part10(encoded(there), JPEG_LS), target)


def test_encoded_frames_have_a_bound_together(monkeypatch):
    monkeypatch.setattr(encapsulate_module, "ENCODED_BYTES_MAX", 1000)
    array = noise(0, 65536, "u2", (5, 13, 18))

    with pytest.raises(LimitExceeded, match="ENCODED_BYTES_MAX"):
        changed(file_of(an_image(array, frames=5)), JPEG_LS)


def test_a_disk_that_is_full_is_told_as_such(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 0)

    with pytest.raises(StorageFull):
        changed(file_of(KINDS["8 bits"]), JPEG_LS, scratch=Blobs(tmp_path, free_bytes_min=2**62).scratch)


@pytest.mark.parametrize("target", [EXPLICIT, HTJ2K])
def test_a_frame_of_absurdly_many_bytes_is_refused_before_it_is_read(target, monkeypatch):
    ds = an_image(noise(0, 256, "u1", (13, 18)))
    there = read(changed(file_of(ds), JPEG_LS))
    there.PixelData = encapsulate([b"\xff\xd8" + b"\0" * 3_000_000])
    there[0x7FE00010].is_undefined_length = True

    with pytest.raises(LimitExceeded, match="ENCODED_FRAME"):
        changed(part10(encoded(there), JPEG_LS), target)
    with open_pixels(part10(encoded(there), JPEG_LS)) as pixels, pytest.raises(LimitExceeded, match="ENCODED_FRAME"):
        pixels.decode(0)


def test_a_damaged_frame_is_told(tmp_path):
    there = read(changed(file_of(an_image(noise(0, 4096, "u2", (2, 13, 18)), frames=2)), JPEG_LS))
    frames = list(generate_frames(there.PixelData, number_of_frames=2))
    there.PixelData = encapsulate([frames[0], frames[1][:40]])
    there[0x7FE00010].is_undefined_length = True
    path = tmp_path / "blob"
    path.write_bytes(part10(encoded(there), JPEG_LS))

    with pytest.raises(MalformedInstance):
        changed(path, EXPLICIT)
    chunks = transcode(path, JPEG_LS).chunks
    with pytest.raises(MalformedInstance):
        next(chunks)  # before anything was promised to a receiver


def test_memory_holds_a_few_frames_whatever_their_number(tmp_path):
    frames, side = 60, 1024
    path = tmp_path / "blob"
    ds = an_image(np.zeros((side, side), "u2"))
    ds.NumberOfFrames = str(frames)
    ds.PixelData = noise(0, 4096, "u2", (side, side)).tobytes() * frames
    path.write_bytes(file_of(ds))
    del ds
    size = path.stat().st_size

    blobs = Blobs(tmp_path / "blobs", free_bytes_min=0)

    for target in (HTJ2K, EXPLICIT, IMPLICIT):
        tracemalloc.start()
        total = sum(len(chunk) for chunk in transcode(path, target, scratch=blobs.scratch).chunks)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total > size / 3
        assert peak < size / 3, target


def test_compressed_frames_without_a_disk_to_wait_on_are_bounded(monkeypatch):
    monkeypatch.setattr(encapsulate_module, "IN_MEMORY_BYTES_MAX", 100)

    with pytest.raises(LimitExceeded, match="IN_MEMORY_BYTES_MAX"):
        changed(file_of(an_image(noise(0, 4096, "u2", (13, 18)))), JPEG_LS)
