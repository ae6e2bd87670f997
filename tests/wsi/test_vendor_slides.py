"""Slides of vendors that only OpenSlide reads: made ones, which it takes for theirs, become DICOM of the tissue alone."""

from pathlib import Path

import numpy as np
import openslide
import pydicom
import pytest

from kernel.errors import LimitExceeded, MalformedSlide
from tests.wsi.builders import BYTE, Field, a_level, a_tiff, pixels_of, texture
from tests.wsi.vendor_slides import PATIENT, a_bif, an_mrxs, an_ndpi, an_scn
from wsi import ndpi
from wsi.convert import Converter, parts_of
from wsi.dicom_header import Identity
from wsi.limits import TEXT_BYTES_MAX
from wsi.source import index_of, opened_source
from wsi.tiff_slide import Decline, index_tiff

TISSUE = texture(384, 256)
VENDORS = {"a.scn": "leica", "a.bif": "ventana", "a.ndpi": "hamamatsu", "a.mrxs": "mirax"}


def made(folder: Path, name: str) -> Path:
    path = folder / name
    if name == "a.mrxs":
        an_mrxs(TISSUE, path)
    else:
        path.write_bytes({"a.scn": an_scn, "a.bif": a_bif, "a.ndpi": an_ndpi}[name](TISSUE))
    return path


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_s_slide_becomes_dicom_of_its_tissue_and_of_nothing_else(tmp_path, name):
    path, out = made(tmp_path, name), tmp_path / "out"
    out.mkdir()
    with openslide.OpenSlide(path) as peer:
        assert peer.properties["openslide.vendor"] == VENDORS[name]
        assert any(PATIENT in value for value in peer.properties.values())

    with opened_source(path, 0.5, tmp_path, lambda *_: None) as source:
        converter = Converter(source.read, source.slide, Identity("BN-1", container="K26-1"), source.digest)
        for part in parts_of(source.slide, 1 << 30):
            converter.write(part, out / f"{part.level}.dcm")

    assert (source.slide.vendor, source.slide.associated) == (VENDORS[name], ())
    finest = pydicom.dcmread(out / "0.dcm")
    assert list(finest.ImageType) == ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    assert (finest.TotalPixelMatrixColumns, finest.TotalPixelMatrixRows) == (384, 256)
    (tile,) = pydicom.encaps.generate_frames(finest.PixelData, number_of_frames=1)
    assert np.abs(pixels_of(tile)[:256, :384].astype(int) - TISSUE).mean() < 6
    for file in out.iterdir():
        content = file.read_bytes()
        assert PATIENT.encode() not in content
        assert b"BINH" not in content


def test_focal_planes_of_an_ndpi_are_refused_and_not_left_out_in_silence(tmp_path):
    path, alone = tmp_path / "a.ndpi", tmp_path / "alone.ndpi"
    path.write_bytes(an_ndpi(TISSUE, -2000, 2000))
    alone.write_bytes(an_ndpi(TISSUE))
    with openslide.OpenSlide(path) as peer, openslide.OpenSlide(alone) as other:
        assert peer.level_dimensions == other.level_dimensions  # it reads one of them, and tells of no others

    with (
        pytest.raises(MalformedSlide, match="it has 3 focal planes, of which OpenSlide reads one"),
        opened_source(path, 0.5, tmp_path, lambda *_: None),
    ):
        pass
    assert ndpi.focal_planes(alone) == 1


@pytest.mark.parametrize("at", [0, 4, 100, 1 << 62, (1 << 64) - 1], ids=hex)
def test_directories_of_an_ndpi_that_lead_nowhere_or_in_a_circle_come_to_an_end(tmp_path, at):
    (tmp_path / "a.ndpi").write_bytes(b"II*\0" + at.to_bytes(8, "little") + bytes(200))

    assert ndpi.focal_planes(tmp_path / "a.ndpi") == 1


def test_as_many_directories_of_an_ndpi_as_may_be_are_looked_at(tmp_path, monkeypatch):
    (tmp_path / "a.ndpi").write_bytes(an_ndpi(TISSUE, *range(1, 5)))

    assert ndpi.focal_planes(tmp_path / "a.ndpi") == 5
    monkeypatch.setattr(ndpi, "DIRECTORIES_MAX", 2)
    assert ndpi.focal_planes(tmp_path / "a.ndpi") == 2


def test_two_mirax_slides_with_the_same_picture_of_the_glass_are_two_slides(tmp_path):
    digests = set()
    for name in ("a.mrxs", "b.mrxs", "c.mrxs"):
        an_mrxs(TISSUE, tmp_path / name)
        if name == "c.mrxs":
            described = tmp_path / "c" / "Slidedat.ini"
            described.write_text(described.read_text() + "\n# another slide\n")
        with opened_source(tmp_path / name, 0.5, tmp_path, lambda *_: None) as source:
            digests.add(source.digest)

    assert len(digests) == 2


@pytest.mark.parametrize("name", ["a.scn", "a.bif", "a.ndpi"])
def test_its_macro_is_a_picture_that_openslide_has_and_nobody_is_given(tmp_path, name):
    path = made(tmp_path, name)

    with openslide.OpenSlide(path) as peer:
        assert list(peer.associated_images) == ["macro"]
    with path.open("rb") as opened:
        assert isinstance(index_of(opened), Decline)


def test_a_ventana_slide_whose_first_picture_is_its_label_is_not_taken_for_a_plain_tiff():
    content = a_bif(TISSUE)

    assert b"entana" not in content  # no word names the vendor
    assert index_tiff(content) == Decline("it is of a vendor whose tiles overlap or are told elsewhere")


def test_what_another_program_wrote_into_xmp_is_no_vendor_s_mark():
    plain = a_level(TISSUE, XMP=Field(BYTE, b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"))

    assert not isinstance(index_tiff(a_tiff(plain)), Decline)


def test_xmp_that_is_longer_than_a_description_may_be_is_refused():
    with pytest.raises(LimitExceeded, match="700"):
        index_tiff(a_tiff(a_level(TISSUE, XMP=Field(BYTE, b" " * (TEXT_BYTES_MAX + 1)))))
