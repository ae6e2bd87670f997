"""`vienanh reidentify`: what came back as files gets its patient back, with the vault of the node that let it go."""

import base64
import io
import json
import secrets

import pydicom
import pytest
from typer.testing import CliRunner

from anonymizer.engine.engine import deidentify
from anonymizer.pdf.drawing import is_installed
from anonymizer.profiles.profile import load
from anonymizer.pseudonyms.vault import seal
from anonymizer.reidentify.pdf import uids_in
from exchange.commands.table import app
from exchange.node.key_files import site_keys
from exchange.node.stores import opened
from routing import vault
from tests.anonymizer.scoring import references
from tests.support import read_studies
from tests.support.builders import a_ct, as_file
from tests.support.papers import an_encrypted_pdf, in_a_font_of_its_own
from tests.support.reports import a_structured_report

CT = a_ct(seed="files")


@pytest.fixture
def at_hub(empty_node) -> pydicom.Dataset:
    """An image as it left a node, whose vault knows it."""
    source = as_file(CT)
    with opened(empty_node) as stores:
        keys = site_keys(empty_node, {})(empty_node.node.site)
        made = deidentify(source, profile=load("tele-read"), keys=keys, issuer=empty_node.node.site)
        sealed = [seal(entry, keys, nonce=secrets.token_bytes(12)) for entry in made.vault_entries]
        now = stores.clock.now()
        stores.db.write(lambda connection: vault.store(connection, empty_node.node.site, sealed, now))
    return pydicom.dcmread(io.BytesIO(made.to_bytes(source)))


def run(*arguments: object):
    return CliRunner().invoke(app, ["reidentify", *map(str, arguments)])


def test_objects_and_messages_come_home_and_what_is_not_ours_is_listed(at_hub, tmp_path):
    inbox, home = tmp_path / "in", tmp_path / "home"
    inbox.mkdir()
    report = a_structured_report(at_hub, "x")
    (inbox / "sr.dcm").write_bytes(as_file(report))
    (inbox / "other.dcm").write_bytes(as_file(a_structured_report(at_hub, "x", PatientID="Nguyen")))
    resource = {"resourceType": "DiagnosticReport", "conclusion": at_hub.PatientID, "id": at_hub.StudyInstanceUID}
    (inbox / "report.json").write_text(json.dumps(resource))
    (inbox / "report.hl7").write_text(f"MSH|^~\\&|\rOBX|1|TX|a||{at_hub.PatientID} {at_hub.StudyInstanceUID}")
    (inbox / "noise.txt").write_text("hello")

    done = run(inbox, home)

    assert done.exit_code == 1
    assert "3 of 5 files were written" in done.output
    assert "other.dcm: held: it names no pseudonym" in done.output
    assert "noise.txt: held: it names no pseudonym" in done.output
    assert sorted(path.name for path in home.iterdir()) == sorted(
        [f"{report.SOPInstanceUID}.dcm", "report.hl7", "report.json"]
    )
    led = pydicom.dcmread(home / f"{report.SOPInstanceUID}.dcm")
    assert (led.PatientName, led.PatientID, led.StudyInstanceUID) == (CT.PatientName, CT.PatientID, CT.StudyInstanceUID)
    assert json.loads((home / "report.json").read_text())["conclusion"] == "Nguyễn Thị Hương"
    assert CT.StudyInstanceUID in (home / "report.hl7").read_text()
    assert {path.stat().st_mode & 0o077 for path in home.iterdir()} == {0}


@pytest.mark.parametrize("kind", ["fhir", "hl7", "a note in fhir"])
def test_a_message_that_names_one_uid_which_nobody_here_knows_is_held_whole(at_hub, tmp_path, kind):
    """Left as it is, it would stand beside the patient's name and tie it to what others hold under that UID."""
    inbox, home = tmp_path / "in", tmp_path / "home"
    inbox.mkdir()
    known, unknown = at_hub.StudyInstanceUID, "2.25.4711"
    text = f"{at_hub.PatientID} {known}"
    if kind == "a note in fhir":
        note = {"contentType": "text/plain", "data": base64.b64encode(f"so với {unknown}".encode()).decode()}
        message = json.dumps({"resourceType": "DiagnosticReport", "conclusion": text, "presentedForm": [note]})
    elif kind == "fhir":
        study = [{"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{unknown}"}}]
        message = json.dumps({"resourceType": "DiagnosticReport", "conclusion": text, "imagingStudy": study})
    else:
        message = f"MSH|^~\\&|\rOBX|1|TX|a||{text}\rOBX|2|HD|113014^^DCM||{unknown}"
    (inbox / "message").write_text(message)

    done = run(inbox, home)

    assert done.exit_code == 1
    assert "message: held: it names an instance that neither left this site nor came home" in " ".join(
        done.output.split()
    )
    assert list(home.iterdir()) == []


@pytest.mark.filterwarnings("ignore::UserWarning")  # highdicom's, about a name of one part
def test_whatever_a_reading_room_makes_comes_home_through_the_vault(at_hub, tmp_path):
    inbox, home = tmp_path / "in", tmp_path / "home"
    inbox.mkdir()
    for kind, make in read_studies.MADE.items():
        (inbox / f"{kind}.dcm").write_bytes(read_studies.as_sent(make([at_hub])))

    done = run(inbox, home)

    assert done.exit_code == 0, done.output
    led = [pydicom.dcmread(path) for path in home.iterdir()]
    assert len(led) == len(read_studies.MADE) - 1  # the two segmentations are one instance
    for ds in led:
        assert (ds.PatientName, ds.PatientID, ds.StudyInstanceUID) == (
            CT.PatientName,
            CT.PatientID,
            CT.StudyInstanceUID,
        )
        assert CT.SOPInstanceUID in {uid for _, uid in references(ds)}


def test_a_uid_in_a_note_within_a_message_comes_home(at_hub, tmp_path):
    note = {"contentType": "text/plain", "data": base64.b64encode(at_hub.SOPInstanceUID.encode()).decode()}
    text = f"{at_hub.PatientID} {at_hub.StudyInstanceUID}"
    resource = {"resourceType": "DiagnosticReport", "conclusion": text, "presentedForm": [note]}
    (tmp_path / "report.json").write_text(json.dumps(resource))

    done = run(tmp_path / "report.json", tmp_path / "home")

    assert done.exit_code == 0, done.output
    (led,) = json.loads((tmp_path / "home" / "report.json").read_text())["presentedForm"]
    assert base64.b64decode(led["data"]).decode() == CT.SOPInstanceUID


def a_message_with(document: bytes, at_hub) -> str:
    form = {"contentType": "application/pdf", "data": base64.b64encode(document).decode()}
    text = f"{at_hub.PatientID} {at_hub.StudyInstanceUID}"
    return json.dumps({"resourceType": "DiagnosticReport", "conclusion": text, "presentedForm": [form]})


@pytest.mark.skipif(not is_installed(), reason="vienanh[pixels] is not installed")
def test_a_message_with_a_pdf_whose_font_hides_a_uid_that_left_does_not_come_home(at_hub, tmp_path):
    document = in_a_font_of_its_own(f"Ca {at_hub.SOPInstanceUID}")
    (tmp_path / "report.json").write_text(a_message_with(document, at_hub))

    done = run(tmp_path / "report.json", tmp_path / "home")

    assert uids_in(document) == frozenset()
    assert done.exit_code == 1
    assert "its document names a UID that left" in " ".join(done.output.split())
    assert list((tmp_path / "home").iterdir()) == []


def test_objects_and_messages_with_an_encrypted_pdf_do_not_come_home(at_hub, tmp_path):
    inbox, home, document = tmp_path / "in", tmp_path / "home", an_encrypted_pdf("x")
    inbox.mkdir()
    report = a_structured_report(at_hub, "x", MIMETypeOfEncapsulatedDocument="application/pdf")
    report.EncapsulatedDocument = document + bytes(len(document) % 2)
    (inbox / "sr.dcm").write_bytes(as_file(report))
    (inbox / "report.json").write_text(a_message_with(document, at_hub))

    done = run(inbox, home)

    assert done.exit_code == 1
    assert done.output.count("is encrypted") == 2
    assert list(home.iterdir()) == []


def test_with_another_sites_keys_nothing_comes_home(at_hub, tmp_path):
    other = tmp_path / "other.key"
    other.write_bytes(b"o" * 32)
    other.chmod(0o600)
    (tmp_path / "sr.dcm").write_bytes(as_file(a_structured_report(at_hub, "x")))

    done = run(tmp_path / "sr.dcm", tmp_path / "home", "--key-file", other)

    assert done.exit_code == 1
    assert "its pseudonym is not of this site" in done.output
    assert list((tmp_path / "home").iterdir()) == []
