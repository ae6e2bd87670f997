"""What a hub wrote about a study comes home under the original's UIDs and name; everything else is held and audited."""

import io

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EncapsulatedPDFStorage
from sqlalchemy import select

from anonymizer.pdf.drawing import is_installed
from anonymizer.pseudonyms.identifiers import pseudonym
from anonymizer.reidentify.pdf import uids_in
from kernel import audit
from kernel.archive.tables import study
from kernel.events import EventName
from routing import ways_back
from routing.ways_back import OTHER_PATIENT, UNKNOWN_PSEUDONYM, UNKNOWN_STUDY
from tests.support.builders import a_ct, a_uid
from tests.support.papers import a_typed_pdf, an_encrypted_pdf, in_a_font_of_its_own
from tests.support.reports import a_structured_report

RULES = ({"source": ["reidentified"], "to": "pacs", "final": True}, {"to": "hub"})


@pytest.fixture
def site(hospital):
    """A hospital whose hub may bring reports back, which go to its PACS."""
    return hospital.with_rules(*RULES, returns_from=("hub",))


def read(content: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(content), force=True)


def at_hub(site, ds):
    """Return an instance as the hub got it."""
    site.receives(ds)
    site.settles()
    return read(list(site.hub.contents.values())[-1])


def returns(site, report, peer: str = "hub") -> None:
    site.receives(report, session=f"return-{report.SOPInstanceUID}", peer=peer)
    site.settles()


def held(site) -> list[str]:
    return [detail["because"] for detail in site.details(EventName.STUDY_HELD)]


def refusals(site) -> list[str]:
    with site.database.read() as connection:
        rows = connection.execute(select(audit.audit).where(audit.audit.c.who == "re-identifier")).all()
    return [(row.outcome, row.detail) for row in rows]


def test_a_report_from_the_hub_reaches_the_local_pacs_as_the_patients_own(site):
    ct = a_ct()
    report = a_structured_report(at_hub(site, ct), "Không thấy bất thường")

    returns(site, report)

    (home,) = [read(content) for content in site.pacs.contents.values()]
    assert (home.PatientName, home.PatientID) == (ct.PatientName, ct.PatientID)
    assert (home.StudyInstanceUID, home.AccessionNumber) == (ct.StudyInstanceUID, ct.AccessionNumber)
    evidence = home.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert evidence.ReferencedSOPInstanceUID == ct.SOPInstanceUID
    (event,) = site.events(EventName.REPORT_RETURNED)
    assert event.study_instance_uid == ct.StudyInstanceUID
    assert event.detail["returned_sop_instance_uid"] == report.SOPInstanceUID
    assert event.detail["sop_instance_uid"] == home.SOPInstanceUID


def test_a_later_object_that_refers_to_a_report_finds_it_under_its_uid_here(site):
    image = at_hub(site, a_ct())
    report = a_structured_report(image, "x")
    returns(site, report)
    addendum = a_structured_report(image, "y", seed="addendum")
    predecessor = Dataset()
    predecessor.ReferencedSOPInstanceUID = report.SOPInstanceUID
    addendum.PredecessorDocumentsSequence = Sequence([predecessor])

    returns(site, addendum)

    first, second = [read(content) for content in site.pacs.contents.values()]
    assert first.SOPInstanceUID != report.SOPInstanceUID
    assert second.PredecessorDocumentsSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID


def test_a_report_that_came_home_never_goes_out_again(site):
    report = a_structured_report(at_hub(site, a_ct()), "x")
    before = len(site.hub.instances)

    returns(site.with_rules({"to": ["hub", "pacs"]}, returns_from=("hub",)), report)

    assert len(site.hub.instances) == before
    assert len(site.pacs.instances) == 1


def test_the_same_report_twice_is_one(site):
    report = a_structured_report(at_hub(site, a_ct()), "x")

    returns(site, report)
    returns(site, report)

    assert len(site.pacs.instances) == 1
    assert len(site.events(EventName.REPORT_RETURNED)) == 1


def test_a_correction_at_the_site_is_what_the_report_gets(site):
    ct = a_ct()
    report = a_structured_report(at_hub(site, ct), "x")
    site.database.write(
        lambda connection: connection.execute(study.update().values(patient_name="Nguyễn^Thị Hường")) and None
    )

    returns(site, report)

    (home,) = [read(content) for content in site.pacs.contents.values()]
    assert home.PatientName == "Nguyễn^Thị Hường"


def test_an_image_that_the_hub_sends_back_as_it_got_it_changes_nothing(site):
    returned = at_hub(site, a_ct())

    returns(site, returned)

    assert (site.pacs.instances, held(site), site.events(EventName.REPORT_RETURNED)) == ({}, [], [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"PatientID": "K7M2-9QXD-4TBC"}, "no-pseudonym"),
        ({"PatientID": "Nguyễn Thị Hương"}, "no-pseudonym"),
        ({"StudyInstanceUID": a_uid("elsewhere")}, UNKNOWN_STUDY),
    ],
)
def test_what_no_study_of_this_site_left_as_is_held_and_audited_without_a_name(site, change, why):
    report = a_structured_report(at_hub(site, a_ct()), "x", **change)

    returns(site, report)

    assert (site.pacs.instances, held(site)) == ({}, [why])
    ((outcome, detail),) = refusals(site)
    assert outcome == "minor failure"
    assert why in detail
    assert "Hương" not in detail


def test_a_report_under_another_patients_pseudonym_is_held(site):
    one, other = at_hub(site, a_ct()), at_hub(site, a_ct(seed="other"))
    report = a_structured_report(one, "x", PatientID=other.PatientID)

    returns(site, report)

    assert held(site) == [OTHER_PATIENT]


def test_a_report_that_names_a_study_of_another_patient_is_held(site):
    one, other = at_hub(site, a_ct()), at_hub(site, a_ct(seed="other"))
    report = a_structured_report(one, "x")
    report.CurrentRequestedProcedureEvidenceSequence[0].StudyInstanceUID = other.StudyInstanceUID

    returns(site, report)

    assert held(site) == [OTHER_PATIENT]


def test_a_pseudonym_of_another_site_is_unknown_here(site):
    report = a_structured_report(at_hub(site, a_ct()), "x", PatientID=pseudonym(b"o" * 32, "BVB", "1"))

    returns(site, report)

    assert held(site) == [UNKNOWN_PSEUDONYM]


def test_only_a_peer_that_may_brings_reports_back(site):
    report = a_structured_report(at_hub(site, a_ct()), "x")

    returns(site, report, peer="CT1")

    assert (site.pacs.instances, held(site)) == ({}, ["not-from-a-hub"])
    assert [outcome for outcome, _ in refusals(site)] == ["minor failure"]


def a_report_with(document: bytes, released: Dataset) -> Dataset:
    report = a_structured_report(released, "x")
    report.SOPClassUID, report.MIMETypeOfEncapsulatedDocument = EncapsulatedPDFStorage, "application/pdf"
    report.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return report


def test_a_report_with_a_document_in_which_a_uid_cannot_be_put_back_is_held(site):
    released = at_hub(site, a_ct())
    attached = b"<</Type/EmbeddedFile/Length 80>>stream\n%s\nendstream" % str(released.StudyInstanceUID).encode()

    returns(site, a_report_with(a_typed_pdf(["Xem tep"], objects=[attached]), released))

    assert held(site) == ["document-uid"]


def test_a_report_with_an_encrypted_document_is_held(site):
    returns(site, a_report_with(an_encrypted_pdf("x"), at_hub(site, a_ct())))

    assert held(site) == ["document-encrypted"]


@pytest.mark.skipif(not is_installed(), reason="vienanh[pixels] is not installed")
def test_a_report_whose_font_hides_a_uid_that_left_is_held_and_one_of_another_is_not(site):
    released = at_hub(site, a_ct())

    document = in_a_font_of_its_own(f"Ca {released.SOPInstanceUID}")
    assert uids_in(document) == frozenset()
    returns(site, a_report_with(document, released))
    assert held(site) == ["document-uid"]

    other = a_report_with(in_a_font_of_its_own("Ca 2.25.4711"), released)
    other.SOPInstanceUID = "2.25.4712"
    returns(site, other)
    assert len(site.pacs.contents) == 1


def test_an_object_with_too_many_names_is_held(site, monkeypatch):
    monkeypatch.setattr(ways_back, "TOKENS_MAX", 2)
    report = a_structured_report(at_hub(site, a_ct()), "x")

    returns(site, report)

    assert held(site) == ["not-understood"]


def test_an_object_that_is_too_large_is_held(site, monkeypatch):
    report = a_structured_report(at_hub(site, a_ct()), "x")
    monkeypatch.setattr("anonymizer.reidentify.dicom.RETURNED_BYTES_MAX", 100)

    returns(site, report)

    assert held(site) == ["not-understood"]


def test_the_audit_of_a_return_names_the_pseudonym_and_nobody(site):
    ct = a_ct()
    image = at_hub(site, ct)

    returns(site, a_structured_report(image, "x"))

    ((outcome, detail),) = refusals(site)
    assert outcome == "success"
    assert image.PatientID in detail
    assert ct.PatientID not in detail
    assert "Hương" not in detail
