"""Photographs are read in a process of their own, and what they are in DICOM is said in one place."""

import io

import pytest
from PIL import Image

from kernel.dicom.objects.wrapping import Bearer, wrapped
from kernel.dicom.pictures.photographs import (
    DRAWN_ANEW,
    PHOTOGRAPH_BYTES_MAX,
    Drawing,
    Photographs,
    photographic,
    shared_photographs,
)
from kernel.dicom.pixels.codestream import stream_size
from kernel.errors import InvalidRequest, LimitExceeded, UnsupportedMediaType
from tests.dicom.test_wrapping import a_photograph
from wsi.dicom_header import Identity
from wsi.photograph import photograph

DRAWING = Drawing(pixels_max=1_000_000, side_max=1000, quality=90)
JPEG = ("JPEG",)


@pytest.fixture
def no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process be unable to open pictures."""

    def refuse(*_arguments: object, **_named: object) -> None:
        raise AssertionError("a stranger's picture was opened in this process")

    monkeypatch.setattr(Image, "open", refuse)


@pytest.mark.usefixtures("no_pillow")
@pytest.mark.parametrize("options", [{}, {"turned": True}, {"form": "PNG"}])
def test_a_photograph_of_a_film_is_not_read_in_this_process(options):
    assert wrapped(a_photograph(**options), Bearer("A^B", "1", "20261122"), "BV1")


@pytest.mark.usefixtures("no_pillow")
@pytest.mark.parametrize("turned", [False, True])
def test_a_photograph_of_a_slide_is_not_read_in_this_process(turned: bool):
    assert photograph(a_photograph(turned=turned), Identity("BN-1", study_instance_uid="1.2.3"), "", 1)


def test_what_takes_too_long_is_refused():
    photographs = Photographs(seconds_max=0.0)
    try:
        with pytest.raises(LimitExceeded, match="seconds to read a photograph exceeded: 1 is more than 0"):
            photographs.draw(a_photograph(), JPEG, DRAWING, "a JPEG")
    finally:
        photographs.close()


def test_bytes_and_pixels_are_bounded():
    few = Drawing(pixels_max=60 * 40 - 1, side_max=1000, quality=90)

    with pytest.raises(LimitExceeded, match="PIXELS_MAX exceeded: 2400 is more than 2399"):
        shared_photographs().draw(a_photograph(), JPEG, few, "a JPEG")
    with pytest.raises(LimitExceeded, match="PHOTOGRAPH_BYTES_MAX exceeded"):
        shared_photographs().look(bytes(PHOTOGRAPH_BYTES_MAX + 1), JPEG, "a JPEG")


def test_a_picture_of_another_kind_is_told_what_is_taken():
    with pytest.raises(UnsupportedMediaType, match="send a JPEG"):
        shared_photographs().draw(a_photograph(form="PNG"), JPEG, DRAWING, "a JPEG")


@pytest.mark.parametrize("cut_to", [30, 400, 1500])
def test_a_damaged_one_is_refused_and_the_next_one_read(cut_to: int):
    with pytest.raises((InvalidRequest, UnsupportedMediaType)):
        shared_photographs().draw(a_photograph((600, 400))[:cut_to], JPEG, DRAWING, "a JPEG")

    assert stream_size(shared_photographs().draw(a_photograph(), JPEG, DRAWING, "a JPEG"))


def test_what_stands_beside_a_picture_is_seen():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:11:22 10:20:30 and more"
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif, icc_profile=b"a profile")

    seen = shared_photographs().look(out.getvalue(), JPEG, "a JPEG")

    assert (seen.orientation, seen.taken, seen.icc_profile) == (6, "2026:11:22 10:20:30", b"a profile")


@pytest.mark.parametrize(
    ("is_anew", "image_type", "derivation"),
    [(True, ["DERIVED", "PRIMARY"], DRAWN_ANEW), (False, ["ORIGINAL", "PRIMARY"], None)],
)
def test_what_was_encoded_again_says_so(is_anew, image_type, derivation):
    jpeg = a_photograph()

    told = photographic(jpeg, "YBR_FULL_422", is_anew=is_anew)

    assert (told["ImageType"], told.get("DerivationDescription")) == (image_type, derivation)
    assert (told["Rows"], told["Columns"], told["SamplesPerPixel"], told["PlanarConfiguration"]) == (40, 60, 3, 0)
    assert told["LossyImageCompressionRatio"] == f"{40 * 60 * 3 / len(jpeg):.2f}"


def test_grey_has_one_sample_and_no_planes():
    out = io.BytesIO()
    Image.new("L", (8, 4)).save(out, "JPEG")

    told = photographic(out.getvalue(), "MONOCHROME2", is_anew=False)

    assert (told["SamplesPerPixel"], told["Rows"], told["Columns"], "PlanarConfiguration" in told) == (1, 4, 8, False)
