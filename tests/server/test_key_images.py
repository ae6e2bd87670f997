"""Key images are kept as a Key Object Selection in their study, and those of others are shown; reports can be read."""

import shutil
import subprocess

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from consult.findings.content_tree import CHARACTERS_MAX, DEPTH_MAX, LINES_MAX, content_of
from consult.findings.key_images import DESCRIPTION_CHARACTERS_MAX, IMAGES_MAX, KEY_OBJECT_SELECTION
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from tests.server.test_marks import CT, DRAWN, STUDY
from tests.server.test_marks import saved as saved_marks
from tests.support.builders import a_uid
from tests.support.reports import a_structured_report, content_item

ADDRESS = f"/api/studies/{STUDY}/key-images"


@pytest.fixture
def client(room):
    room.take_in(*CT)
    with room.signed_in() as signed:
        yield signed


def an_image(ds: Dataset, frame: int | None = None) -> dict[str, object]:
    return {"seriesInstanceUID": ds.SeriesInstanceUID, "sopInstanceUID": ds.SOPInstanceUID, "frameNumber": frame}


def chosen(images, base=None, title="forReferringProvider", description="vết nứt ở lát 2") -> dict[str, object]:
    return {"base": base, "title": title, "description": description, "images": images}


def saved(client: httpx.Client, *arguments, **more) -> dict[str, object]:
    return client.post(ADDRESS, json=chosen(*arguments, **more)).raise_for_status().json()


def documents(room) -> list[Dataset]:
    with room.stores.db.read() as connection:
        located = archive_index.locate_study(connection, StudyGrant("LOCAL", STUDY, "", "test"))
    found = [one for one in located if one.sop_class_uid == KEY_OBJECT_SELECTION]
    return [pydicom.dcmread(room.stores.blobs.path(one.blob_key)) for one in found]


def test_what_was_chosen_is_there_again_with_its_purpose_and_words(client):
    first = saved(client, [an_image(CT[1]), an_image(CT[0])])

    opened = client.get(ADDRESS).json()

    assert opened["images"] == [an_image(CT[1]), an_image(CT[0])]
    assert (opened["title"], opened["description"]) == ("forReferringProvider", "vết nứt ở lát 2")
    assert (opened["instance"], opened["author"], opened["others"]) == (first["instance"], "BS Lan", [])


def test_other_software_reads_the_choice_as_a_key_object_selection(room, client):
    saved(client, [an_image(CT[1], 3), an_image(CT[1], 7), an_image(CT[0])])

    (ds,) = documents(room)

    assert (ds.Modality, str(ds.PatientName), ds.StudyInstanceUID) == ("KO", "Nguyễn^Thị Hoa", STUDY)
    assert ds.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    assert ds.ConceptNameCodeSequence[0].CodeValue == "113002"
    images = [item.ReferencedSOPSequence[0] for item in ds.ContentSequence if item.ValueType == "IMAGE"]
    assert [one.ReferencedSOPInstanceUID for one in images] == [CT[1].SOPInstanceUID, CT[0].SOPInstanceUID]
    assert list(images[0].ReferencedFrameNumber) == [3, 7]
    assert "ReferencedFrameNumber" not in images[1]


def test_taking_the_last_image_out_is_kept_too_and_choosing_goes_on(room, client):
    first = saved(client, [an_image(CT[0])])
    none = saved(client, [], first["instance"])
    opened = client.get(ADDRESS).json()
    assert (opened["images"], opened["title"]) == ([], "ofInterest")

    saved(client, [an_image(CT[2])], none["instance"], title=opened["title"])

    assert client.get(ADDRESS).json()["images"] == [an_image(CT[2])]
    assert [ds.InstanceNumber for ds in documents(room)] == [1, 2, 3]


def test_who_chooses_on_an_old_state_is_told(client):
    first = saved(client, [an_image(CT[0])])
    saved(client, [an_image(CT[1])], first["instance"])

    late = client.post(ADDRESS, json=chosen([an_image(CT[2])], first["instance"]))

    assert (late.status_code, late.json()["code"]) == (409, "DocumentChanged")
    assert client.get(ADDRESS).json()["images"] == [an_image(CT[1])]


def test_the_choice_of_somebody_elses_document_is_shown_beside(room, client):
    saved(client, [an_image(CT[0])])
    theirs = documents(room)[0]
    theirs.SeriesInstanceUID, theirs.SOPInstanceUID = a_uid("their series"), a_uid("theirs")
    room.take_in(theirs)

    (other,) = client.get(ADDRESS).json()["others"]

    assert (other["instance"], other["title"]) == (theirs.SOPInstanceUID, "forReferringProvider")
    assert other["images"] == [an_image(CT[0])]


@pytest.mark.parametrize("fault", ["gone from the disk", "too large for a screen"])
def test_a_choice_of_somebody_else_that_cannot_be_read_does_not_hide_the_others(room, client, monkeypatch, fault):
    saved(client, [an_image(CT[0])])
    theirs, bad = documents(room)[0], documents(room)[0]
    theirs.SeriesInstanceUID, theirs.SOPInstanceUID = a_uid("their series"), a_uid("theirs")
    bad.SeriesInstanceUID, bad.SOPInstanceUID, bad.ImageComments = a_uid("bad series"), a_uid("bad"), "x" * 4000
    room.take_in(theirs, bad)
    with room.stores.db.read() as connection:
        located = archive_index.locate_study(connection, StudyGrant("LOCAL", STUDY, "", "test"))
    (one,) = (one for one in located if one.sop_instance_uid == bad.SOPInstanceUID)
    if fault == "gone from the disk":
        room.stores.blobs.path(one.blob_key).unlink()
    else:
        monkeypatch.setattr("consult.documents.DOCUMENT_BYTES_MAX", one.size_bytes - 1)

    told = client.get(ADDRESS).raise_for_status().json()

    assert ([other["instance"] for other in told["others"]], told["images"]) == (
        [theirs.SOPInstanceUID],
        [an_image(CT[0])],
    )


@pytest.mark.peer("dcmtk")
@pytest.mark.peer("dicom3tools")
def test_dcmtk_and_dciodvfy_read_every_state(room, client, tmp_path):
    first = saved(client, [an_image(CT[0])])
    saved(client, [], first["instance"])

    for number, ds in enumerate(documents(room)):
        file = tmp_path / f"{number}.dcm"
        ds.save_as(file)
        for program in ("dsrdump", "dciodvfy"):
            path = shutil.which(program)
            assert path is not None
            told = subprocess.run([path, file], capture_output=True, text=True, check=False)
            assert [line for line in told.stderr.splitlines() if line.lower().startswith(("error", "e:"))] == []


BAD = {
    "nothing, where nothing was": chosen([]),
    "too many": chosen([an_image(CT[0], number + 1) for number in range(IMAGES_MAX + 1)]),
    "one twice": chosen([an_image(CT[0]), an_image(CT[0])]),
    "not of the study": chosen([{**an_image(CT[0]), "sopInstanceUID": "1.2.3"}]),
    "frame nought": chosen([an_image(CT[0], 0)]),
    "for nothing known": chosen([an_image(CT[0])], title="forFun"),
    "a long description": chosen([an_image(CT[0])], description="x" * (DESCRIPTION_CHARACTERS_MAX + 1)),
    "two lines": chosen([an_image(CT[0])], description="a\nb"),
}


def test_what_is_no_choice_is_refused_and_nothing_is_kept(room, client):
    answers = {name: client.post(ADDRESS, json=one).status_code for name, one in BAD.items()}

    assert {name: code for name, code in answers.items() if code not in (400, 422)} == {}
    assert documents(room) == []


def test_key_images_and_reports_are_for_those_who_may(room, client):
    with room.client() as nobody:
        assert nobody.get(ADDRESS).status_code == 401
    with room.signed_in("bot") as elsewhere:
        assert elsewhere.get(ADDRESS).status_code in (403, 404)
        assert elsewhere.post(ADDRESS, json=chosen([an_image(CT[0])])).status_code == 403
        assert elsewhere.get(f"/api/studies/{STUDY}/series/{CT[0].SeriesInstanceUID}/reports").status_code in (403, 404)


def test_a_report_of_somebody_else_is_read_line_by_line(room, client):
    report = a_structured_report(CT[0], "Không thấy <b>bất thường</b>.", seed="theirs")
    room.take_in(report)
    address = f"/api/studies/{STUDY}/series/{report.SeriesInstanceUID}/reports"

    assert client.get(address).json() == [report.SOPInstanceUID]
    told = client.get(f"{address}/{report.SOPInstanceUID}").json()

    assert (told["complete"], told["verified"], told["whole"]) == (True, False, True)
    assert [(line["kind"], line["text"]) for line in told["lines"]] == [("TEXT", "Không thấy <b>bất thường</b>.")]
    assert client.get(f"{address}/1.2.3").status_code == 404
    image = f"/api/studies/{STUDY}/series/{CT[0].SeriesInstanceUID}/reports"
    assert client.get(image).json() == []
    assert client.get(f"{image}/{CT[0].SOPInstanceUID}").status_code == 404


def test_what_was_measured_can_be_read_as_a_report(client):
    instance = saved_marks(client, DRAWN)["instance"]
    series = client.get(f"/api/studies/{STUDY}/series").json()
    uid = next(one["seriesInstanceUID"] for one in series if one["modality"] == "SR")

    told = client.get(f"/api/studies/{STUDY}/series/{uid}/reports/{instance}").json()

    assert told["title"] == "Imaging Measurement Report"
    lines = [(line["name"], line["text"]) for line in told["lines"]]
    assert ("Length", "10.62 mm") in lines
    assert ("Comment", "ổ máu tụ, xem lại") in lines


def test_a_report_that_is_too_long_or_too_deep_is_cut_and_says_so():
    long, deep = Dataset(), Dataset()
    long.ContentSequence = [content_item("TEXT", TextValue="x" * (CHARACTERS_MAX + 1)) for _ in range(LINES_MAX + 1)]
    item = deep
    for _ in range(DEPTH_MAX + 1):
        item.ContentSequence = [content_item("CONTAINER")]
        item = item.ContentSequence[0]

    told = content_of(long)
    assert (len(told.lines), len(told.lines[0].text), told.whole) == (LINES_MAX, CHARACTERS_MAX, False)
    assert (len(content_of(deep).lines), content_of(deep).whole) == (DEPTH_MAX, False)
    assert content_of(Dataset()).whole


def test_items_that_are_not_what_they_say_are_shown_empty():
    ds = Dataset()
    ds.ContentSequence = [content_item(kind) for kind in ("NUM", "CODE", "TEXT", "SCOORD", "IMAGE", "PNAME", "ODD", "")]

    assert {line.text for line in content_of(ds).lines} == {""}
