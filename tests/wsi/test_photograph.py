"""A photograph of a field becomes DICOM as the camera made it, without what the camera wrote beside it."""

import io
import subprocess

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms

from kernel.dicom.pictures.photographs import DRAWN_ANEW, PHOTOGRAPH
from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.vocabulary.syntaxes import JPEG_BASELINE
from kernel.errors import LimitExceeded, MalformedSlide
from tests.wsi.builders import texture
from wsi import photograph as module
from wsi.dicom_header import Identity
from wsi.jpeg import segments
from wsi.photograph import photograph

IDENTITY = Identity("BN-1", "Tran^Van A", "K26", "1.2.3")
MAKE, ORIENTATION, TAKEN, GPS = 0x010F, 0x0112, 0x9003, 0x8825
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def a_photograph(width: int = 61, height: int = 40, *, mode: str = "RGB", orientation: int = 1, **options) -> bytes:
    exif = Image.Exif()
    exif[MAKE], exif[ORIENTATION] = "Tran Van A's telephone", orientation
    exif.get_ifd(0x8769)[TAKEN] = "2026:11:22 10:20:30"
    exif.get_ifd(GPS)[1] = "N"
    out = io.BytesIO()
    picture = Image.fromarray(texture(width, height)).convert(mode)
    picture.save(out, "JPEG", quality=90, exif=exif, comment=b"Tran Van A", icc_profile=PROFILE, **options)
    return out.getvalue()


def made(content: bytes, tmp_path=None) -> pydicom.Dataset:
    one = photograph(content, IDENTITY, "HE, 40x", 1)
    return pydicom.dcmread(io.BytesIO(file_meta(PHOTOGRAPH, one.sop_instance_uid, JPEG_BASELINE) + one.dataset))


def frame(ds: pydicom.Dataset) -> bytes:
    (only,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
    return only


def shown(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), int)


def scan(jpeg: bytes) -> bytes:
    *_, last = segments(jpeg)
    return jpeg[last.start :].rstrip(b"\0")


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_upright_baseline_photograph_keeps_its_scan_and_loses_the_camera_s_words(mode):
    content = a_photograph(mode=mode)

    ds = made(content)

    assert scan(frame(ds)) == scan(content)
    assert (shown(frame(ds)) == shown(content)).all()
    assert (ds.Rows, ds.Columns, ds.ImageType[0]) == (40, 61, "ORIGINAL")
    assert (ds.PatientID, ds.AccessionNumber, ds.SeriesDescription) == ("BN-1", "K26", "HE, 40x")
    assert (ds.ContentDate, ds.ContentTime) == ("20261122", "102030")
    assert (ds.get("ICCProfile") == PROFILE) is (mode == "RGB")
    assert b"telephone" not in ds.PixelData + str(ds).encode()
    assert b"Tran Van A" not in ds.PixelData
    assert b"Exif" not in ds.PixelData


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (a_photograph(orientation=6), (61, 40)),
        (a_photograph(progressive=True), (40, 61)),
        (a_photograph(mode="CMYK"), (40, 61)),
    ],
    ids=["turned", "progressive", "four inks"],
)
def test_what_viewers_would_show_otherwise_or_not_at_all_is_encoded_anew_and_says_so(content, size):
    ds = made(content)

    assert (ds.Rows, ds.Columns) == size
    assert (ds.ImageType[0], ds.DerivationDescription) == ("DERIVED", DRAWN_ANEW)
    assert shown(frame(ds)).shape[:2] == size
    assert b"Exif" not in ds.PixelData


def test_a_turned_photograph_stands_upright():
    upright, turned = shown(a_photograph()), shown(frame(made(a_photograph(orientation=6))))

    assert np.abs(np.rot90(upright, -1) - turned).mean() < 4


def test_the_same_photograph_is_the_same_instance_and_in_another_study_another():
    content = a_photograph()
    other = photograph(content, Identity("BN-2", study_instance_uid="1.2.4"), "", 1)

    assert made(content).SOPInstanceUID == made(content).SOPInstanceUID != other.sop_instance_uid


@pytest.mark.parametrize("content", [a_photograph(), a_photograph(mode="L"), a_photograph(orientation=3)])
def test_dciodvfy_has_nothing_to_say_against_it(tmp_path, content):
    made(content).save_as(tmp_path / "a.dcm")

    run = subprocess.run(["dciodvfy", str(tmp_path / "a.dcm")], capture_output=True, text=True, check=False)

    said = (run.stdout + run.stderr).splitlines()
    assert "VLPhotographicImage" in said
    assert [line for line in said if line.startswith("Error")] == []


@pytest.mark.parametrize("content", [b"", b"GIF89a", a_photograph()[:300], b"\xff\xd8\xff\xd9"])
def test_what_is_no_photograph_is_refused(content):
    with pytest.raises(MalformedSlide):
        photograph(content, IDENTITY, "", 1)


def test_a_picture_of_another_kind_is_told_what_a_photograph_must_be():
    with pytest.raises(MalformedSlide, match="a photograph must be a JPEG"):
        photograph(b"\x89PNG\r\n\x1a\n", IDENTITY, "", 1)


def test_a_photograph_that_says_it_is_huge_is_refused_before_it_is_decoded(monkeypatch):
    content = bytearray(a_photograph(progressive=True))
    start = content.index(b"\xff\xc2")
    content[start + 5 : start + 9] = b"\xff\xff\xff\xff"

    with pytest.raises(LimitExceeded, match="pixels of a photograph"):
        photograph(bytes(content), IDENTITY, "", 1)
    monkeypatch.setattr(module, "BYTES_MAX", 1000)
    with pytest.raises(LimitExceeded, match="bytes of a photograph"):
        photograph(a_photograph(), IDENTITY, "", 1)
