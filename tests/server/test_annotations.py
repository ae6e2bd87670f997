"""What a person draws on a slide is kept as DICOM SR in the slide's study, and is there again as it was."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom
import pytest

from consult.marks import MARKS_MAX, POINTS_MAX, TEXT_CHARACTERS_MAX, single
from kernel import audit
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from tests.server.test_slides import takes
from tests.wsi.dicom_builders import SERIES, STUDY, a_volume

ADDRESS = f"/api/slides/{STUDY}/{SERIES}/annotations"
FRAME_OF_REFERENCE = "1.2.3.99"


def a_mark(kind: str = "point", points=((1.5, 2.25),), *, number: int = 1, text: str = "") -> dict[str, object]:
    return {"uid": f"2.25.{number}", "kind": kind, "points": [list(point) for point in points], "text": text}


SQUARE = ((10.1, 20.2), (10.6, 20.2), (10.6, 20.7), (10.1, 20.7))
DRAWN = [
    a_mark("point", ((12.345678, 33.333333),), number=1),
    a_mark("line", ((1.0, 2.0), (1.3, 2.4)), number=2, text="bờ u"),
    a_mark("polygon", SQUARE, number=3),
    a_mark("freehand", SQUARE[:3], number=4, text="ổ hoại tử"),
    a_mark("text", ((24.9, 49.9),), number=5, text="xem lại ở 40x"),
]


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    takes(room, a_volume(FrameOfReferenceUID=FRAME_OF_REFERENCE))
    with room.signed_in() as signed:
        yield signed


def saved(client: httpx.Client, marks: list[dict[str, object]], base: str | None = None) -> dict[str, object]:
    return client.post(ADDRESS, json={"base": base, "marks": marks}).raise_for_status().json()


def documents(room) -> list[Path]:
    """Return the files of all documents of the study, oldest first."""
    grant = StudyGrant("LOCAL", STUDY, "", "test")
    with room.stores.db.read() as connection:
        located = archive_index.locate_study(connection, grant)
    reports = [one for one in located if one.sop_class_uid == "1.2.840.10008.5.1.4.1.1.88.34"]
    return [room.stores.blobs.path(one.blob_key) for one in reports]


def in_single_precision(marks):
    return [{**mark, "points": [[single(x), single(y)] for x, y in mark["points"]]} for mark in marks]


def test_a_slide_nobody_drew_on_has_no_marks(client):
    assert client.get(ADDRESS).json() == {"instance": None, "author": "", "at": None, "marks": []}


def test_what_was_drawn_is_there_again_and_does_not_move_when_it_is_saved_again(client):
    first = saved(client, DRAWN)

    opened = client.get(ADDRESS).json()
    assert opened["marks"] == in_single_precision(DRAWN)
    assert (opened["instance"], opened["author"]) == (first["instance"], "BS Lan")

    again = saved(client, opened["marks"], opened["instance"])
    assert again["marks"] == opened["marks"]
    assert client.get(ADDRESS).json()["instance"] == again["instance"] != first["instance"]


def test_the_newest_document_counts_and_the_older_ones_stay(room, client):
    first = saved(client, DRAWN)
    second = saved(client, DRAWN[:1], first["instance"])
    third = saved(client, [], second["instance"])

    assert client.get(ADDRESS).json()["marks"] == third["marks"] == []
    assert [pydicom.dcmread(file).InstanceNumber for file in documents(room)] == [1, 2, 3]


def test_who_draws_on_an_old_state_is_told_and_nothing_is_lost(client):
    first = saved(client, DRAWN)
    saved(client, DRAWN[:2], first["instance"])

    late = client.post(ADDRESS, json={"base": first["instance"], "marks": DRAWN[:3]})
    early = client.post(ADDRESS, json={"base": None, "marks": DRAWN[:3]})

    assert [(one.status_code, one.json()["code"]) for one in (late, early)] == [(409, "DocumentChanged")] * 2
    assert client.get(ADDRESS).json()["marks"] == in_single_precision(DRAWN[:2])


def test_the_document_is_of_the_slide_s_patient_and_measures_in_millimetres(room, client):
    saved(client, DRAWN)

    (file,) = documents(room)
    ds = pydicom.dcmread(file)

    assert (str(ds.PatientName), ds.PatientID, ds.StudyInstanceUID) == ("Nguyen^Thi Hoa", "BN-1", STUDY)
    assert ds.SeriesInstanceUID != SERIES
    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    evidence = ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == SERIES
    numbers = [
        (str(item.ConceptNameCodeSequence[0].CodeMeaning), float(item.MeasuredValueSequence[0].NumericValue))
        for group in ds.ContentSequence[-1].ContentSequence
        for item in group.ContentSequence
        if item.ValueType == "NUM"
    ]
    assert numbers == [("Length", pytest.approx(0.5)), ("Area", pytest.approx(0.25)), ("Area", pytest.approx(0.125))]
    regions = [
        item
        for group in ds.ContentSequence[-1].ContentSequence
        for item in group.ContentSequence
        if item.ValueType == "SCOORD3D"
    ]
    assert [one.GraphicType for one in regions] == ["POINT", "POLYLINE", "POLYGON", "POLYGON", "POINT"]
    assert {one.ReferencedFrameOfReferenceUID for one in regions} == {FRAME_OF_REFERENCE}


@pytest.mark.peer("dcmtk")
def test_dcmtk_reads_the_document(room, client):
    saved(client, DRAWN)

    program = shutil.which("dsrdump")
    assert program is not None
    told = subprocess.run([program, "+Pl", documents(room)[0]], capture_output=True, text=True, check=True)

    for words in ("Comprehensive 3D SR", "Imaging Measurement Report", "ổ hoại tử", "BS Lan", "SCOORD3D"):
        assert words in told.stdout
    assert "error" not in told.stderr.lower()


@pytest.mark.peer("dicom3tools")
def test_dciodvfy_finds_nothing_wrong_with_the_document(room, client):
    saved(client, DRAWN)

    program = shutil.which("dciodvfy")
    assert program is not None
    told = subprocess.run([program, documents(room)[0]], capture_output=True, text=True, check=False)

    assert [line for line in told.stderr.splitlines() if line.startswith("Error")] == []


BAD: dict[str, list[dict[str, object]]] = {
    "too many marks": [a_mark(number=number) for number in range(MARKS_MAX + 1)],
    "too many points": [a_mark("freehand", [(1, at / POINTS_MAX) for at in range(POINTS_MAX + 1)])],
    "too many points in all": [a_mark("freehand", [(1, 1)] * POINTS_MAX, number=number) for number in range(11)],
    "a line of one point": [a_mark("line")],
    "a point of two places": [a_mark("point", SQUARE[:2])],
    "a polygon of two corners": [a_mark("polygon", SQUARE[:2])],
    "an unknown kind": [a_mark("ellipse")],
    "two of one name": [a_mark(), a_mark()],
    "a name of another root": [{**a_mark(), "uid": "1.2.3"}],
    "beside every slide": [a_mark("point", ((1e6, 0),))],
    "a long text": [a_mark(text="x" * (TEXT_CHARACTERS_MAX + 1))],
    "a text of two lines": [a_mark(text="a\nb")],
}


@pytest.mark.parametrize("marks", BAD.values(), ids=BAD.keys())
def test_what_is_no_mark_is_refused_and_nothing_is_kept(room, client, marks):
    answer = client.post(ADDRESS, json={"base": None, "marks": marks})

    assert answer.status_code in (400, 422)
    assert documents(room) == []


def test_places_that_are_no_numbers_are_refused(client):
    body = '{"base": null, "marks": [{"uid": "2.25.1", "kind": "point", "points": [[NaN, 1]], "text": ""}]}'

    answer = client.post(ADDRESS, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)


def test_a_slide_that_does_not_say_where_it_lies_keeps_no_marks(room):
    takes(room, a_volume())  # without a Frame of Reference UID
    with room.signed_in() as client:
        answer = client.post(ADDRESS, json={"base": None, "marks": DRAWN})

    assert answer.status_code == 400
    assert "where it lies on the glass" in answer.json()["detail"]


def test_marks_are_for_those_who_may_see_the_study_and_written_by_those_who_may_write(room, client):
    with room.client() as nobody:
        assert nobody.get(ADDRESS).status_code == 401
        assert nobody.post(ADDRESS, json={"base": None, "marks": []}).status_code == 401
    with room.signed_in("bot") as elsewhere:
        assert elsewhere.get(ADDRESS).status_code in (403, 404)
        assert elsewhere.post(ADDRESS, json={"base": None, "marks": DRAWN}).status_code == 403
    assert documents(room) == []

    saved(client, DRAWN)

    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, STUDY)
    assert "lan" in {line.who for line in lines if line.outcome.value == "success"}
