"""Photographs and PDFs as DICOM: whole objects, marked, without what a phone writes beside a picture."""

import io
import subprocess

import pydicom
import pytest
from PIL import Image

from kernel.dicom.objects import wrapping
from kernel.dicom.objects.wrapping import MARK, Bearer, wrapped
from kernel.dicom.pictures.photographs import PHOTOGRAPH
from kernel.dicom.pixels.reading import decode_frame
from kernel.errors import InvalidRequest, LimitExceeded, UnsupportedMediaType

BEARER = Bearer("Nguyễn^Thị Hương", "BN-1", "20261122", "19700412", "F", "X quang ngực", "A-1")
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F


def a_photograph(size: tuple[int, int] = (60, 40), form: str = "JPEG", *, turned: bool = False) -> bytes:
    """Return a picture whose left half is red, with what a phone writes into it."""
    picture = Image.new("RGB", size, (0, 0, 255))
    picture.paste((255, 0, 0), (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[MAKE] = "a phone of Hanoi"
    exif[ORIENTATION] = 6 if turned else 1  # 6: shown after a quarter turn to the right
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=95, exif=exif)
    return buffer.getvalue()


def read(content: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(content))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_photograph_becomes_a_marked_image(form: str):
    content = wrapped(a_photograph(form=form), BEARER, "BV1")
    ds = read(content)

    assert (ds.SOPClassUID, ds.Modality) == (PHOTOGRAPH, "XC")
    assert (ds.Rows, ds.Columns, ds.LossyImageCompression) == (40, 60, "01")
    assert (str(ds.PatientName), ds.PatientID, ds.StudyDescription) == ("Nguyễn^Thị Hương", "BN-1", "X quang ngực")
    assert ds.SeriesDescription == ds.ImageComments == MARK
    assert ds.BurnedInAnnotation == "YES"
    assert b"a phone of Hanoi" not in content
    red, blue = (decode_frame(content, 0)[20, column] for column in (10, 50))
    assert red[0] > 200
    assert blue[2] > 200


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("content", [a_photograph(), PDF], ids=["photograph", "PDF"])
def test_dciodvfy_finds_no_error(tmp_path, content: bytes):
    (tmp_path / "a.dcm").write_bytes(wrapped(content, BEARER, "BV1"))

    run = subprocess.run(["dciodvfy", str(tmp_path / "a.dcm")], capture_output=True, text=True, check=False)

    assert [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")] == []


def test_a_turned_photograph_stands_upright():
    ds = read(wrapped(a_photograph(turned=True), BEARER, "BV1"))

    assert (ds.Rows, ds.Columns) == (60, 40)


def test_a_large_photograph_is_made_smaller(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wrapping, "SIDE_MAX", 30)

    ds = read(wrapped(a_photograph(), BEARER, "BV1"))

    assert (ds.Rows, ds.Columns) == (20, 30)


@pytest.mark.parametrize("content", [PDF, PDF + b"x"])
def test_a_pdf_becomes_a_marked_document(content: bytes):
    ds = read(wrapped(content, BEARER, "BV1"))

    assert (ds.SOPClassUID, ds.Modality, ds.DocumentTitle) == (wrapping.PDF, "DOC", MARK)
    assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == content


def test_the_same_file_gives_the_same_instance_and_each_its_own():
    first, again, other = (wrapped(one, BEARER, "BV1") for one in (a_photograph(), a_photograph(), PDF))

    assert first == again
    assert read(first).StudyInstanceUID == read(other).StudyInstanceUID
    assert read(first).SeriesInstanceUID != read(other).SeriesInstanceUID
    assert read(first).StudyInstanceUID != read(wrapped(PDF, BEARER, "BV2")).StudyInstanceUID


def test_other_files_and_damaged_ones_are_refused():
    with pytest.raises(UnsupportedMediaType):
        wrapped(b"GIF89a" + bytes(100), BEARER, "BV1")
    with pytest.raises(InvalidRequest):
        wrapped(a_photograph((600, 400))[:2000], BEARER, "BV1")


def test_size_and_pixels_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wrapping, "PIXELS_MAX", 60 * 40 - 1)
    with pytest.raises(LimitExceeded):
        wrapped(a_photograph(), BEARER, "BV1")
    monkeypatch.setattr(wrapping, "FILE_BYTES_MAX", len(PDF) - 1)
    with pytest.raises(LimitExceeded):
        wrapped(PDF, BEARER, "BV1")


@pytest.mark.parametrize(
    "bearer",
    [
        Bearer("", "BN-1", "20261122"),
        Bearer("A^B", " ", "20261122"),
        Bearer("A^B", "BN-1", ""),
        Bearer("A^B", "BN-1", "22/11/2026"),
        Bearer("A^B", "BN-1", "20261122", patient_sex="X"),
        Bearer("A\\B", "BN-1", "20261122"),
        Bearer("A" * 65, "BN-1", "20261122"),
    ],
)
def test_what_was_typed_is_checked_and_never_repeated(bearer: Bearer):
    with pytest.raises(InvalidRequest) as refused:
        wrapped(PDF, bearer, "BV1")

    assert "BN-1" not in str(refused.value)
