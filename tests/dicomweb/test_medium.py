"""A study to take away: a ZIP that is a DICOM medium, read by pydicom and DCMTK, with a page that needs no server."""

import io
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pydicom
import pytest

from gateway.dicomweb.media import medium
from kernel.access import ROLE_SCOPES, Role, Scope
from kernel.audit import Action
from tests.support.builders import a_ct, a_ct_series, an_us_cine

FILE_ID = re.compile(r"[A-Z0-9_]{1,8}")  # PS3.10 8.2


def taken(node, study: str, token: str | None = None) -> zipfile.ZipFile:
    response = node.get(f"/dicom-web/studies/{study}/medium", token or node.a_token("dicomweb:export"))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == 'attachment; filename="study.zip"'
    assert response.headers["cache-control"] == "no-store"
    return zipfile.ZipFile(io.BytesIO(response.content))


def listed_on(folder: Path) -> dict[str, Path]:
    """Follow the directory's offsets as a viewer does; return the files of the instances that are listed."""
    directory = pydicom.dcmread(folder / "DICOMDIR")
    records = {record.seq_item_tell: record for record in directory.DirectoryRecordSequence}
    found: dict[str, Path] = {}
    waiting = [directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity]
    while waiting:
        if at := waiting.pop():
            record = records.pop(at)  # each is reached once
            waiting += [record.OffsetOfTheNextDirectoryRecord, record.OffsetOfReferencedLowerLevelDirectoryEntity]
            if "ReferencedFileID" in record:
                found[record.ReferencedSOPInstanceUIDInFile] = folder.joinpath(*record.ReferencedFileID)
    assert records == {}, "nothing leads to these"
    return found


@pytest.fixture
def stored(node):
    """A study with a CT of three slices and a cine, whose patient has a Vietnamese name."""
    slices = list(a_ct_series(3))
    cine = an_us_cine(seed="cine")
    cine.StudyInstanceUID = slices[0].StudyInstanceUID
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "IssuerOfPatientID"):
        if keyword in slices[0]:
            setattr(cine, keyword, slices[0][keyword].value)
    assert node.store(*slices, cine).status_code == 200
    return [*slices, cine]


def test_the_medium_has_every_instance_as_stored_and_its_directory_lists_them(node, stored, tmp_path):
    with taken(node, stored[0].StudyInstanceUID) as archive:
        archive.extractall(tmp_path)

    listed = listed_on(tmp_path)
    assert listed.keys() == {ds.SOPInstanceUID for ds in stored}
    for ds in stored:
        file = listed[ds.SOPInstanceUID]
        assert all(FILE_ID.fullmatch(part) for part in file.relative_to(tmp_path).parts)
        assert pydicom.dcmread(file).PixelData == ds.PixelData
    records = pydicom.dcmread(tmp_path / "DICOMDIR").DirectoryRecordSequence
    kinds = [record.DirectoryRecordType for record in records]
    assert kinds == ["PATIENT", "STUDY", "SERIES", "IMAGE", "IMAGE", "IMAGE", "SERIES", "IMAGE"]
    assert str(records[0].PatientName) == str(stored[0].PatientName)


@pytest.mark.peer("dcmtk")
def test_dcmtk_reads_the_directory_without_a_word(node, stored, tmp_path):
    with taken(node, stored[0].StudyInstanceUID) as archive:
        archive.extract("DICOMDIR", tmp_path)

    told = subprocess.run(
        ["dcmdump", "+Ep", "-Un", str(tmp_path / "DICOMDIR")], capture_output=True, text=True, check=True
    )

    assert told.stderr == ""
    assert told.stdout.count("ReferencedFileID") == len(stored)


def test_the_page_shows_pictures_that_lie_on_the_medium_and_asks_for_nothing_else(node, stored):
    with taken(node, stored[0].StudyInstanceUID) as archive:
        page = archive.read("INDEX.HTM").decode()
        names = set(archive.namelist())
    told = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    pictures = [picture for series in told["series"] for picture in series["pictures"]]

    assert [len(series["pictures"]) for series in told["series"]] == [3, int(stored[-1].NumberOfFrames)]
    assert set(pictures) <= names
    assert told["all"] is True
    assert "://" not in page
    assert {"README.TXT", "DICOMDIR"} <= names


def test_of_many_pictures_every_so_many_is_drawn_and_the_page_says_so(node, stored, monkeypatch):
    monkeypatch.setattr(medium, "PICTURES_MAX", 2)

    with taken(node, stored[0].StudyInstanceUID) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("VIEW/")]
        page = archive.read("INDEX.HTM").decode()

    assert 0 < len(pictures) <= 2
    assert '"all":false' in page


def test_a_study_with_too_many_instances_is_refused_before_anything_is_sent(node, stored, monkeypatch):
    monkeypatch.setattr(medium, "INSTANCES_MAX", 3)

    response = node.get(f"/dicom-web/studies/{stored[0].StudyInstanceUID}/medium", node.a_token("dicomweb:export"))

    assert response.status_code == 413


def test_the_name_of_a_patient_cannot_break_out_of_the_page(node):
    ds = a_ct(seed="script")
    ds.PatientName = "</script><script>alert(1)</script>"
    assert node.store(ds).status_code == 200

    with taken(node, ds.StudyInstanceUID) as archive:
        page = archive.read("INDEX.HTM").decode()

    assert "<script>alert" not in page
    assert page.count("</script>") == 2


def test_what_a_record_needs_and_an_instance_lacks_is_filled_in(node, tmp_path):
    ds = a_ct(seed="bare")
    for keyword in ("StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber"):
        ds.pop(keyword, None)
    assert node.store(ds).status_code == 200

    with taken(node, ds.StudyInstanceUID) as archive:
        archive.extractall(tmp_path)

    assert list(listed_on(tmp_path)) == [ds.SOPInstanceUID]


def test_it_takes_a_right_of_its_own_and_leaves_an_audit_line_of_export(node, stored):
    study = stored[0].StudyInstanceUID

    refused = node.get(f"/dicom-web/studies/{study}/medium", node.a_token("dicomweb:read", "api:read"))
    taken(node, study).close()

    assert refused.status_code == 403
    lines = [line for line in node.audited() if line.action == Action.EXPORT]
    assert [(line.study_uid, line.who) for line in lines] == [(study, "a peer")]
    assert {role for role in Role if Scope.EXPORT in ROLE_SCOPES[role]} == {Role.ADMIN, Role.REQUESTER}
