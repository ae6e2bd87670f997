"""A TILED_SPARSE slide of more frames than a header may tell of is stored, described and served."""

from io import BytesIO

import pytest
from pydicom.filereader import read_sequence

from kernel.dicom.scanning import scanner
from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, JPEG_BASELINE
from tests.dicomweb.test_slide_labels import SERIES_URL
from tests.wsi.dicom_builders import many_placed

UID = "1.2.3.4"
FRAMES = 300


@pytest.mark.parametrize("undefined", [False, True])
def test_what_its_metadata_leave_out_is_had_as_bulk_data(node, monkeypatch, undefined):
    url = f"{SERIES_URL}/instances/{UID}/bulkdata/52009230"
    with monkeypatch.context() as then:
        then.setattr(scanner, "APART_BYTES_MIN", 1024)
        slide = many_placed(FRAMES, undefined=undefined, SOPInstanceUID=UID)
        node.store(file_meta(WHOLE_SLIDE, UID, JPEG_BASELINE) + slide).raise_for_status()
        answer = node.get(url, Accept="application/octet-stream").raise_for_status()
        part = node.get(url, Accept="application/octet-stream", Range="bytes=8-15")

    groups = read_sequence(BytesIO(answer.content), False, True, len(answer.content), "ascii")
    places = [group.PlanePositionSlideSequence[0].ColumnPositionInTotalImagePixelMatrix for group in groups]
    assert answer.headers["Content-Type"] == f"application/octet-stream; transfer-syntax={EXPLICIT_VR_LITTLE_ENDIAN}"
    assert places == [1 + 8 * number for number in range(FRAMES)]
    assert (part.status_code, part.content) == (206, answer.content[8:16])
    assert node.get(url).status_code == 404  # of one whose metadata have them


def test_it_is_stored_its_frames_are_served_and_its_metadata_leave_out_what_each_frame_says(node, monkeypatch):
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", 1024)  # as of one with too many elements
    slide = many_placed(FRAMES, SOPInstanceUID=UID)
    node.store(file_meta(WHOLE_SLIDE, UID, JPEG_BASELINE) + slide).raise_for_status()

    answer = node.get(f"{SERIES_URL}/metadata", Accept="application/dicom+json")
    assert answer.status_code == 200, answer.text
    (told,) = answer.json()
    frame = node.get(f"{SERIES_URL}/instances/{UID}/frames/{FRAMES}", Accept="image/jpeg")

    assert told["00280008"]["Value"] == [FRAMES]
    assert told["00209311"]["Value"] == ["TILED_SPARSE"]
    assert "52009229" in told
    assert "52009230" not in told
    assert frame.content == (FRAMES - 1).to_bytes(4, "big")
