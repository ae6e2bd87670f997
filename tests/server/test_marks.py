"""What a reader measures in images is kept as DICOM SR in their study, and is there again as it was."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from consult.findings.mark_documents import marks_of
from consult.marks import ALL_POINTS_MAX, MARKS_MAX, POINTS_MAX, TEXT_CHARACTERS_MAX, single
from kernel import audit
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from tests.support.builders import a_ct_series

CT = list(a_ct_series(3, seed="marks", rows=16, columns=16, PatientName="Nguyễn^Thị Hoa"))
STUDY = CT[0].StudyInstanceUID
ADDRESS = f"/api/studies/{STUDY}/marks"
COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"


def a_mark(kind: str, points, *figures, number: int = 1, image: Dataset = CT[0], **more) -> dict[str, object]:
    return {
        "uid": f"2.25.{number}",
        "kind": kind,
        "seriesInstanceUID": image.SeriesInstanceUID,
        "sopInstanceUID": image.SOPInstanceUID,
        "frameNumber": None,
        "points": [list(point) for point in points],
        "figures": [{"quantity": what, "value": value, "unit": unit} for what, value, unit in figures],
        "calibration": "patient",
        "text": "",
        **more,
    }


REGION = (
    ("area", 51.5, "mm2"), ("mean", 41.25, "HU"), ("deviation", 3.5, "HU"),
    ("lowest", -12.0, "HU"), ("highest", 92.0, "HU"),
)  # fmt: skip
LINES = ((1.25, 2.5), (9.75, 2.5), (5.0, 1.0), (5.0, 4.0))
DRAWN = [
    a_mark("length", ((1.1, 2.2), (12.345678, 13.3)), ("length", 10.62, "mm"), number=1),
    a_mark("bidirectional", LINES, ("long", 8.5, "mm"), ("short", 3.0, "mm"), number=2, image=CT[1]),
    a_mark("angle", LINES[:3], ("angle", 90.0, "deg"), number=3),
    a_mark("cobb", LINES, ("cobb", 90.0, "deg"), number=4),
    a_mark("probe", ((7.5, 7.5),), ("value", -42.0, "HU"), number=5, image=CT[2]),
    a_mark("rectangle", ((2, 3), (8, 3), (2, 9), (8, 9)), *REGION, number=6),
    a_mark("ellipse", ((6, 10), (6, 2), (0, 6), (12, 6)), *REGION, number=7),  # upright axis first, and it is the minor
    a_mark("freehand", ((1, 1), (5, 1.5), (4, 6), (1.25, 5)), ("area", 17.0, "px2"), number=8, calibration="none"),
    a_mark("arrow", ((3, 3), (9, 9)), number=9, text="ổ máu tụ, xem lại"),
]


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    room.take_in(*CT)
    with room.signed_in() as signed:
        yield signed


def saved(client: httpx.Client, marks: list[dict[str, object]], base: str | None = None) -> dict[str, object]:
    return client.post(ADDRESS, json={"base": base, "marks": marks}).raise_for_status().json()


def documents(room) -> list[Path]:
    """Return the files of all documents of the study, oldest first."""
    with room.stores.db.read() as connection:
        located = archive_index.locate_study(connection, StudyGrant("LOCAL", STUDY, "", "test"))
    return [room.stores.blobs.path(one.blob_key) for one in located if one.sop_class_uid == COMPREHENSIVE]


def in_single_precision(marks):
    return [{**mark, "points": [[single(column), single(row)] for column, row in mark["points"]]} for mark in marks]


def test_a_study_in_which_nobody_measured_has_no_marks(client):
    assert client.get(ADDRESS).json() == {"instance": None, "author": "", "at": None, "marks": []}


def test_what_was_measured_is_there_again_and_does_not_move_when_it_is_saved_again(client):
    first = saved(client, DRAWN)

    opened = client.get(ADDRESS).json()
    assert opened["marks"] == in_single_precision(DRAWN)
    assert (opened["instance"], opened["author"], bool(opened["at"])) == (first["instance"], "BS Lan", True)

    again = saved(client, opened["marks"], opened["instance"])
    assert again["marks"] == opened["marks"]
    assert client.get(ADDRESS).json()["instance"] == again["instance"] != first["instance"]


def test_the_newest_document_counts_and_the_older_ones_stay(room, client):
    first = saved(client, DRAWN)
    second = saved(client, DRAWN[:1], first["instance"])
    third = saved(client, [], second["instance"])
    fourth = saved(client, [], third["instance"])

    assert client.get(ADDRESS).json()["marks"] == fourth["marks"] == []
    assert [pydicom.dcmread(file).InstanceNumber for file in documents(room)] == [1, 2, 3, 4]


def test_who_measures_on_an_old_state_is_told_and_nothing_is_lost(client):
    first = saved(client, DRAWN)
    saved(client, DRAWN[:2], first["instance"])

    late = client.post(ADDRESS, json={"base": first["instance"], "marks": DRAWN[:3]})
    early = client.post(ADDRESS, json={"base": None, "marks": DRAWN[:3]})

    assert [(one.status_code, one.json()["code"]) for one in (late, early)] == [(409, "DocumentChanged")] * 2
    assert client.get(ADDRESS).json()["marks"] == in_single_precision(DRAWN[:2])


def test_a_mark_on_a_frame_says_which(room, client):
    saved(client, [{**DRAWN[0], "frameNumber": 7}])

    assert client.get(ADDRESS).json()["marks"][0]["frameNumber"] == 7
    (graphic,) = [item for item in walked(pydicom.dcmread(documents(room)[0])) if item.ValueType == "SCOORD"]
    assert graphic.ContentSequence[0].ReferencedSOPSequence[0].ReferencedFrameNumber == 7


def test_what_is_not_understood_in_a_document_is_passed_over(room, client):
    saved(client, DRAWN)
    ds = pydicom.dcmread(documents(room)[0])
    broken = next(one for one in walked(ds) if one.ValueType == "SCOORD")
    del broken.ContentSequence

    assert [mark.kind for mark in marks_of(ds)] == [mark["kind"] for mark in DRAWN[1:]]


def walked(item: Dataset) -> Iterator[Dataset]:
    for child in item.get("ContentSequence", ()):
        yield child
        yield from walked(child)


def test_the_document_tells_other_software_what_was_measured_where_and_in_which_units(room, client):
    saved(client, DRAWN)

    ds = pydicom.dcmread(documents(room)[0])

    assert (str(ds.PatientName), ds.StudyInstanceUID, ds.Modality) == ("Nguyễn^Thị Hoa", STUDY, "SR")
    assert ds.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    evidence = ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert {one.ReferencedSOPInstanceUID for one in evidence.ReferencedSOPSequence} == {
        one.SOPInstanceUID for one in CT
    }
    told = []
    for item in walked(ds):
        if item.ValueType == "NUM":
            name, (measured,) = item.ConceptNameCodeSequence[0], item.MeasuredValueSequence
            derived = [one.ConceptCodeSequence[0].CodeMeaning for one in walked(item) if one.ValueType == "CODE"]
            unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
            told.append((name.CodeMeaning, *derived, float(measured.NumericValue), unit))
    of_region = [
        ("Area", 51.5, "mm2"),
        ("Attenuation Coefficient", "Mean", 41.25, "[hnsf'U]"),
        ("Attenuation Coefficient", "Standard Deviation", 3.5, "[hnsf'U]"),
        ("Attenuation Coefficient", "Minimum", -12.0, "[hnsf'U]"),
        ("Attenuation Coefficient", "Maximum", 92.0, "[hnsf'U]"),
    ]
    assert told == [
        ("Length", 10.62, "mm"),
        ("Long axis", 8.5, "mm"),
        ("Short axis", 3.0, "mm"),
        ("Angle", 90.0, "deg"),
        ("Cobb angle", 90.0, "deg"),
        ("Attenuation Coefficient", -42.0, "[hnsf'U]"),
        *of_region,
        *of_region,
        ("Area", 17.0, "{square_pixels}"),
    ]
    graphics = [item for item in walked(ds) if item.ValueType == "SCOORD"]
    assert [one.GraphicType for one in graphics] == ["POLYLINE"] * 6 + ["POINT", "POLYLINE", "ELLIPSE"] + [
        "POLYLINE"
    ] * 2
    rectangle, ellipse = graphics[7], graphics[8]
    assert list(rectangle.GraphicData) == [2, 3, 8, 3, 8, 9, 2, 9, 2, 3]  # around, and closed
    assert list(ellipse.GraphicData) == [0, 6, 12, 6, 6, 10, 6, 2]  # the major axis first


@pytest.mark.peer("dcmtk")
def test_dcmtk_reads_the_document(room, client):
    saved(client, DRAWN)

    program = shutil.which("dsrdump")
    assert program is not None
    told = subprocess.run([program, "+Pl", documents(room)[0]], capture_output=True, text=True, check=True)

    for words in ("Comprehensive SR", "Imaging Measurement Report", "ổ máu tụ", "BS Lan", "Cobb angle", "SCOORD"):
        assert words in told.stdout
    assert "error" not in told.stderr.lower()


@pytest.mark.peer("dicom3tools")
def test_dciodvfy_finds_nothing_wrong_with_the_document(room, client):
    first = saved(client, DRAWN)
    saved(client, [], first["instance"])

    program = shutil.which("dciodvfy")
    assert program is not None
    for file in documents(room):
        told = subprocess.run([program, file], capture_output=True, text=True, check=False)
        assert [line for line in told.stderr.splitlines() if line.startswith("Error")] == []


LENGTH = ("length", 1.0, "mm")
BAD: dict[str, list[dict[str, object]]] = {
    "nothing, where nothing was": [],
    "too many marks": [a_mark("arrow", LINES[:2], number=number) for number in range(MARKS_MAX + 1)],
    "too many points": [a_mark("freehand", [(1, at / POINTS_MAX) for at in range(POINTS_MAX + 1)])],
    "too many points in all": [
        a_mark("freehand", [(1, 1)] * POINTS_MAX, number=number) for number in range(ALL_POINTS_MAX // POINTS_MAX + 1)
    ],
    "a length of one point": [a_mark("length", LINES[:1], LENGTH)],
    "a length without its figure": [a_mark("length", LINES[:2])],
    "a length with another's figure": [a_mark("length", LINES[:2], ("angle", 1.0, "deg"))],
    "two figures of one kind": [a_mark("length", LINES[:2], LENGTH, LENGTH)],
    "a figure out of all bounds": [a_mark("length", LINES[:2], ("length", 1e300, "mm"))],
    "an unknown kind": [a_mark("star", LINES[:2])],
    "an unknown unit": [a_mark("length", LINES[:2], ("length", 1.0, "ell"))],
    "two of one name": [a_mark("arrow", LINES[:2]), a_mark("arrow", LINES[:2])],
    "a name of another root": [{**a_mark("arrow", LINES[:2]), "uid": "1.2.3"}],
    "beside every image": [a_mark("arrow", ((1e6, 0), (1, 1)))],
    "on an image that is not there": [{**a_mark("arrow", LINES[:2]), "sopInstanceUID": "1.2.3"}],
    "in a series that is not the image's": [{**a_mark("arrow", LINES[:2]), "seriesInstanceUID": "1.2.3"}],
    "on frame nought": [a_mark("arrow", LINES[:2], frameNumber=0)],
    "a long text": [a_mark("arrow", LINES[:2], text="x" * (TEXT_CHARACTERS_MAX + 1))],
    "a text of two lines": [a_mark("arrow", LINES[:2], text="a\nb")],
}


def test_what_is_no_mark_is_refused_and_nothing_is_kept(room, client):
    answers = {name: client.post(ADDRESS, json={"base": None, "marks": marks}) for name, marks in BAD.items()}

    assert {name: one.status_code for name, one in answers.items() if one.status_code not in (400, 422)} == {}
    assert documents(room) == []


def test_marks_are_for_those_who_may_see_the_study_and_written_by_those_who_may_write(room, client):
    with room.client() as nobody:
        assert nobody.get(ADDRESS).status_code == 401
        assert nobody.post(ADDRESS, json={"base": None, "marks": DRAWN}).status_code == 401
    with room.signed_in("bot") as elsewhere:
        assert elsewhere.get(ADDRESS).status_code in (403, 404)
        assert elsewhere.post(ADDRESS, json={"base": None, "marks": DRAWN}).status_code == 403
    assert documents(room) == []

    saved(client, DRAWN)

    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, STUDY)
    assert "lan" in {line.who for line in lines if line.outcome.value == "success"}
