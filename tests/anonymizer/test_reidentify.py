"""What comes back about a released study is led back: UIDs, patient, dates and text, and nothing that is not known."""

import io
import re
import zlib
from dataclasses import replace
from datetime import date

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EncapsulatedPDFStorage, ImplicitVRLittleEndian

from anonymizer.pseudonyms.identifiers import pseudonym, shift_date, shift_days
from anonymizer.reidentify import dicom as reidentifying
from anonymizer.reidentify import pdf
from anonymizer.reidentify.dicom import ENCRYPTED, UID_LEFT, named_in, reidentify
from anonymizer.reidentify.pdf import uids_in
from anonymizer.reidentify.way_back import NEW_UID, PSEUDONYM, WayBack
from kernel.errors import LimitExceeded, MalformedInstance
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file
from tests.support.papers import a_pdf, a_typed_pdf, an_encrypted_pdf
from tests.support.reports import a_structured_report, content_item, placeholder_pdf

RELEASED = date(2026, 11, 22)


class Released:
    """A CT that left a site, as the hub sees it, and the way back to it."""

    def __init__(self, site) -> None:
        self.original = a_ct(StudyDate="20261121")
        source = as_file(self.original)
        made = site.deidentifies(source, "tele-read")
        self.at_hub = pydicom.dcmread(io.BytesIO(made.to_bytes(source)))
        by_kind: dict[str, dict[str, dict[str, str]]] = {"patient": {}, "study": {}, "uid": {}}
        for entry in made.vault_entries:
            by_kind[entry.kind.value][entry.token] = dict(entry.identity)
        study = by_kind["study"][made.identity.study_instance_uid]
        self.way = WayBack(
            pseudonym=made.identity.patient_id,
            identity=by_kind["patient"][made.identity.patient_id],
            study=study,
            uids={new: old["UID"] for new, old in by_kind["uid"].items()},
            shift_days=int(study["ShiftDays"]),
            released_on=RELEASED,
        )

    def home(self, ds: Dataset) -> Dataset:
        return pydicom.dcmread(io.BytesIO(reidentify(as_file(ds), self.way).content))


@pytest.fixture(scope="module")
def released(site) -> Released:
    return Released(site)


def test_a_report_comes_home_under_the_patient_and_study_that_left(released):
    report = a_structured_report(released.at_hub, "Không thấy bất thường.")

    home = released.home(report)

    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "StudyID",
        "ReferringPhysicianName",
    ):
        assert home[keyword].value == released.original[keyword].value, keyword
    assert home.SOPInstanceUID == report.SOPInstanceUID  # the hub's own
    assert home.SeriesInstanceUID == report.SeriesInstanceUID
    assert "PatientIdentityRemoved" not in home
    assert home.SpecificCharacterSet == "ISO_IR 192"


def test_nested_references_lead_to_the_originals(released):
    home = released.home(a_structured_report(released.at_hub, "x"))

    (study,) = home.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    (instance,) = series.ReferencedSOPSequence
    assert study.StudyInstanceUID == released.original.StudyInstanceUID
    assert series.SeriesInstanceUID == released.original.SeriesInstanceUID
    assert instance.ReferencedSOPInstanceUID == released.original.SOPInstanceUID
    assert instance.ReferencedSOPClassUID == released.original.SOPClassUID


def test_the_pseudonym_in_text_becomes_the_name_and_a_new_uid_the_old_one(released):
    text = f"BN {released.way.pseudonym}, phim {released.at_hub.StudyInstanceUID}. Xin {released.way.pseudonym.lower()}"

    home = released.home(a_structured_report(released.at_hub, text))

    said = home.ContentSequence[0].TextValue
    assert said == f"BN Nguyễn Thị Hương, phim {released.original.StudyInstanceUID}. Xin Nguyễn Thị Hương"


def test_dates_of_the_study_move_back_and_the_readers_own_stay(released):
    prior = shift_date(b"20240310", released.way.shift_days).decode()
    report = a_structured_report(released.at_hub, "x", ContentDate="20261123")
    report.ContentSequence.append(content_item("DATE", Date=prior))
    report.ContentSequence.append(content_item("DATETIME", DateTime="20261123081500+0700"))

    home = released.home(report)

    assert home.StudyDate == "20261121"
    assert home.ContentDate == "20261123"
    assert home.ContentSequence[1].Date == "20240310"
    assert home.ContentSequence[2].DateTime == "20261123081500+0700"


def test_dates_stay_when_they_left_as_they_were(released):
    report = a_structured_report(released.at_hub, "x", StudyDate="20261121", SeriesDate="20200101")

    assert released.home(report).SeriesDate == "20200101"


@pytest.mark.parametrize(
    ("said", "at_home"),
    [
        ("CT {d}/{m}/{y}.", "CT 21/11/2026."),
        ("ngày {d} tháng {m} năm {y}", "ngày 21 tháng 11 năm 2026"),
        ("{d}-{m}-{y}, {y}-{m}-{d}", "21-11-2026, 2026-11-21"),
        ("1{d}/{m}/{y} {d}.{m}.{y}.4 {y}{m}{d}", "1{d}/{m}/{y} {d}.{m}.{y}.4 {y}{m}{d}"),  # numbers
        ("mổ 12/03/2019, hẹn 23/11/2027", "mổ 12/03/2019, hẹn 23/11/2027"),  # the writer's own
    ],
)
def test_a_text_that_says_the_moved_day_of_the_study_says_the_day_itself(released, said, at_home):
    moved = released.at_hub.StudyDate
    parts = {"y": moved[:4], "m": moved[4:6], "d": moved[6:]}
    report = a_structured_report(released.at_hub, said.format(**parts))

    text = released.home(report).ContentSequence[0].TextValue

    assert text == at_home.format(**parts)


def test_a_text_keeps_its_dates_when_the_study_left_with_its_own(released):
    moved = f"{released.at_hub.StudyDate[:4]}-{released.at_hub.StudyDate[4:6]}-{released.at_hub.StudyDate[6:]}"
    report = a_structured_report(released.at_hub, moved, StudyDate="20261121")

    assert released.home(report).ContentSequence[0].TextValue == moved


def test_a_subject_named_in_the_content_is_named_again(released):
    report = a_structured_report(released.at_hub, "x")
    report.ContentSequence.append(content_item("PNAME", PersonName=released.way.pseudonym))
    report.ContentSequence.append(content_item("PNAME", PersonName="Trần^Bác Sĩ"))

    home = released.home(report)

    assert home.ContentSequence[1].PersonName == "Nguyễn^Thị Hương"
    assert home.ContentSequence[2].PersonName == "Trần^Bác Sĩ"


def test_a_report_in_another_character_set_comes_home_in_utf_8(released):
    report = a_structured_report(released.at_hub, "Überprüft")
    report.SpecificCharacterSet = "ISO_IR 100"

    home = released.home(report)

    assert (home.SpecificCharacterSet, home.ContentSequence[0].TextValue) == ("ISO_IR 192", "Überprüft")
    assert home.PatientName == "Nguyễn^Thị Hương"


def test_who_issued_the_pseudonym_issued_no_patient_id(released):
    report = as_file(a_structured_report(released.at_hub, "x", IssuerOfPatientID="HUB"))
    without_issuer = replace(released.way, identity={**released.way.identity, "IssuerOfPatientID": ""})

    ours, nobodys = (read(reidentify(report, way).content) for way in (released.way, without_issuer))

    assert ours.IssuerOfPatientID == "bv-huyen"
    assert "IssuerOfPatientID" not in nobodys


def test_another_transfer_syntax_stays(released):
    result = reidentify(as_file(a_structured_report(released.at_hub, "x"), ImplicitVRLittleEndian), released.way)

    assert result.transfer_syntax_uid == ImplicitVRLittleEndian
    assert pydicom.dcmread(io.BytesIO(result.content)).PatientID == released.original.PatientID


def test_the_same_report_gives_the_same_bytes(released):
    source = as_file(a_structured_report(released.at_hub, "x"))

    assert reidentify(source, released.way) == reidentify(source, released.way)
    assert "Hương" not in repr(reidentify(source, released.way)) + repr(released.way)


@pytest.mark.parametrize("sop_class", ["11.1", "66.4", "88.59", "481.3"])
def test_presentation_states_segmentations_selections_and_structure_sets_refer_to_the_originals(released, sop_class):
    ds = a_structured_report(released.at_hub, "x")
    ds.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.{sop_class}"
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = released.at_hub.SOPInstanceUID
    reference.FrameOfReferenceUID = released.at_hub.FrameOfReferenceUID
    outer = Dataset()
    outer.ReferencedImageSequence = Sequence([reference])
    ds.ReferencedSeriesSequence = Sequence([outer])

    inner = released.home(ds).ReferencedSeriesSequence[0].ReferencedImageSequence[0]

    assert inner.ReferencedSOPInstanceUID == released.original.SOPInstanceUID
    assert inner.FrameOfReferenceUID == released.original.FrameOfReferenceUID


def test_what_an_object_names_is_found_wherever_it_is(released):
    report = a_structured_report(released.at_hub, f"so với {released.at_hub.SeriesInstanceUID}")

    named = named_in(as_file(report))

    assert (named.patient_id, named.study_instance_uid) == (released.way.pseudonym, released.at_hub.StudyInstanceUID)
    assert named.studies == {released.at_hub.StudyInstanceUID}
    assert {released.at_hub.SeriesInstanceUID, released.at_hub.SOPInstanceUID} <= named.uids


def test_a_value_that_nobody_can_read_makes_an_object_unreadable(released):
    report = as_file(a_structured_report(released.at_hub, "x", Rows=7))
    at = report.index(b"\x28\0\x10\0US")
    odd = report[: at + 6] + b"\4\0abcd" + report[at + 10 :]
    three = odd.replace(b"US\4\0abcd", b"US\3\0abc")

    with pytest.raises(MalformedInstance, match="BytesLengthException"):
        reidentify(three, released.way)


def test_an_object_has_a_bound(released, monkeypatch):
    monkeypatch.setattr(reidentifying, "RETURNED_BYTES_MAX", 100)

    with pytest.raises(LimitExceeded, match="RETURNED_BYTES_MAX"):
        named_in(as_file(a_structured_report(released.at_hub, "x")))


# --- documents --------------------------------------------------------------------------------------------------------


def encapsulated(released, document: bytes, media_type: str = "application/pdf") -> Dataset:
    ds = a_structured_report(released.at_hub, "x")
    ds.SOPClassUID = EncapsulatedPDFStorage
    ds.MIMETypeOfEncapsulatedDocument = media_type
    ds.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return ds


@pytest.mark.parametrize("packed", [False, True])
def test_placeholders_on_a_page_and_in_a_field_of_a_pdf_are_filled_in(released, packed):
    document = placeholder_pdf(released.way.pseudonym, packed=packed)

    result = reidentify(as_file(encapsulated(released, document)), released.way)

    filled = pydicom.dcmread(io.BytesIO(result.content)).EncapsulatedDocument
    assert result.document == "filled-in"
    assert filled.startswith(document)
    update = filled[len(document) :]
    assert b"NGUYEN THI HUONG" in inflated(update)
    assert "Nguyễn Thị Hương".encode("utf-16-be").hex().encode() in update
    assert released.way.pseudonym.encode() not in inflated(update)
    for number, offset in entries(filled):
        assert filled[offset:].startswith(b"%d 0 obj" % number)


def wide(text: str) -> bytes:
    return text.encode("utf-16-be")


# Where a PDF can name a UID: how a document looks that does, of its text.
NAMING = {
    "text layer": lambda uid: a_typed_pdf([f"Study {uid}, page 1"]),
    "metadata": lambda uid: a_pdf([b"<</Type/Catalog>>", b"<</Title(Study %s)>>" % uid.encode()]),
    "metadata in UTF-16": lambda uid: a_pdf([b"<</Type/Catalog>>", b"<</Title(\xfe\xff%s)>>" % wide(f"S {uid}")]),
    "metadata in hexadecimal": lambda uid: a_pdf(
        [b"<</Type/Catalog>>", b"<</Title<%s>>>" % (b"\xfe\xff" + wide(uid)).hex().upper().encode()]
    ),
    "XMP": lambda uid: a_pdf(
        [b"<</Type/Catalog/Metadata 2 0 R>>", b"<</Type/Metadata>>stream\n<a>%s</a>\nendstream" % uid.encode()]
    ),
}
UNCHANGEABLE = {
    "parted between its letters": lambda uid: a_typed_pdf([f"{uid[:9]})-20({uid[9:]}"]).replace(b"Tj", b"TJ"),
    "an attached file": lambda uid: a_typed_pdf(
        ["Xem tep"], objects=[b"<</Type/EmbeddedFile/Length 80>>stream\n%s\nendstream" % uid.encode()]
    ),
    "an object stream": lambda uid: a_typed_pdf(
        ["x"], objects=[b"<</Type/ObjStm/Filter/FlateDecode>>stream\n%s\nendstream" % zlib.compress(uid.encode())]
    ).replace(b"trailer", b"no_table"),
}


def a_uid_of(released, number: int = 0) -> tuple[str, str]:
    """Return a UID that left, as the hub knows it and as it is here."""
    return sorted(released.way.uids.items())[number]


@pytest.mark.parametrize("where", NAMING)
def test_a_uid_in_a_pdf_is_asked_for_and_put_back(released, where):
    new, old = a_uid_of(released)
    naming = NAMING[where](new)
    source = as_file(encapsulated(released, naming))

    assert new in named_in(source).uids
    result = reidentify(source, released.way)

    document = pydicom.dcmread(io.BytesIO(result.content)).EncapsulatedDocument
    assert result.document == "filled-in"
    assert new not in uids_in(document)
    update = inflated(document[len(naming) :])
    assert any(form in update for form in (old.encode(), wide(old), wide(old).hex().encode()))


@pytest.mark.parametrize("where", UNCHANGEABLE)
def test_a_uid_in_a_pdf_that_cannot_be_put_back_keeps_it_from_coming_home(released, where):
    new, _ = a_uid_of(released)
    source = as_file(encapsulated(released, UNCHANGEABLE[where](new)))

    assert new in named_in(source).uids
    assert reidentify(source, released.way).document == UID_LEFT


@pytest.mark.parametrize("key", [b"/Encrypt", b"/#45ncrypt", b"/Encr#79#70t"])
def test_an_encrypted_pdf_does_not_come_home(released, key):
    source = as_file(encapsulated(released, an_encrypted_pdf(released.way.pseudonym, key=key)))

    assert reidentify(source, released.way).document == ENCRYPTED


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n" * 500])
def test_a_pdf_that_an_object_calls_something_else_is_read_as_one(released, before):
    new, _ = a_uid_of(released)
    document = before + UNCHANGEABLE["parted between its letters"](new)
    source = as_file(encapsulated(released, document, "application/octet-stream"))

    assert new in named_in(source).uids
    assert reidentify(source, released.way).document == UID_LEFT


def test_a_pdf_that_speaks_of_encryption_is_not_encrypted(released):
    document = a_typed_pdf([f"/Encrypt {released.way.pseudonym} /EncryptMetadata 1 0 R"])

    assert reidentify(as_file(encapsulated(released, document)), released.way).document == "filled-in"


def test_what_others_numbered_stays_in_a_pdf(released):
    document = a_typed_pdf(["Report 2.25.4711"])

    assert reidentify(as_file(encapsulated(released, document)), released.way).document == "unchanged"


def test_a_uid_in_a_clinical_document_is_asked_for(released):
    assert "2.25.4711" in named_in(as_file(encapsulated(released, b"<id root='2.25.4711'/>", "text/XML"))).uids


def test_a_pdf_that_unpacks_to_too_much_is_refused(released, monkeypatch):
    monkeypatch.setattr(pdf, "INFLATED_BYTES_MAX", 100)
    source = as_file(encapsulated(released, placeholder_pdf("K7M2-9QXD-4TBC" + " " * 200, packed=True)))

    with pytest.raises(LimitExceeded, match="INFLATED_BYTES_MAX"):
        named_in(source)


def test_a_pdf_without_a_placeholder_stays_and_is_told_to(released):
    document = a_pdf([b"<</Type/Catalog>>"])

    result = reidentify(as_file(encapsulated(released, document)), released.way)

    assert result.document == "unchanged"
    assert pydicom.dcmread(io.BytesIO(result.content)).EncapsulatedDocument.rstrip(b"\0") == document


def test_a_clinical_document_in_xml_is_filled_in(released):
    document = f"<name>{released.way.pseudonym}</name><id root='{released.at_hub.StudyInstanceUID}'/>".encode()

    result = reidentify(as_file(encapsulated(released, document, "text/XML")), released.way)

    text = pydicom.dcmread(io.BytesIO(result.content)).EncapsulatedDocument.rstrip(b"\0").decode()
    assert text == f"<name>Nguyễn Thị Hương</name><id root='{released.original.StudyInstanceUID}'/>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_clinical_document_comes_home_with_its_times_whatever_utf_it_is_in(released, encoding):
    moved, told = released.at_hub.StudyDate, f"<id root='{released.at_hub.StudyInstanceUID}'/>"
    document = f'<a>{told}<effectiveTime value="{moved}0815"/><value value="{moved}"/></a>'.encode(encoding)
    ds = encapsulated(released, document, "text/XML")
    ds.EncapsulatedDocumentLength = len(document)

    home = released.home(ds)

    assert named_in(as_file(ds)).uids >= {released.at_hub.StudyInstanceUID}
    text = home.EncapsulatedDocument[: home.EncapsulatedDocumentLength].decode(encoding)
    assert text == (
        f"<a><id root='{released.original.StudyInstanceUID}'/>"
        f'<effectiveTime value="202611210815"/><value value="{moved}"/></a>'
    )


@given(st.binary(max_size=400))
def test_no_document_ends_the_filling_in(document):
    from anonymizer.reidentify.pdf import fill_in

    way = WayBack("K7M2-9QXD-4TBC", {"PatientName": "A^B"}, {}, {}, -400)

    assert fill_in(document, way) == document
    assert fill_in(document + b"\ntrailer<</Size 1>>\nstartxref\n0\n%%EOF", way).startswith(document)


def inflated(update: bytes) -> bytes:
    streams = re.findall(rb"stream\n(.*?)\nendstream", update, re.DOTALL)
    return update + b"".join(zlib.decompress(one) for one in streams)


def entries(filled: bytes) -> list[tuple[int, int]]:
    table = filled[int(re.findall(rb"startxref\n(\d+)", filled)[-1]) :]
    return [(int(number), int(offset)) for number, offset in re.findall(rb"(\d+) 1\n(\d{10}) 00000 n", table)]


# --- text -------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=20), st.text(max_size=20), st.text(min_size=1, max_size=12))
def test_every_pseudonym_is_found_in_text_between_anything(before, after, patient_id):
    token = pseudonym(b"k" * 32, "site", patient_id)
    way = WayBack(token, {"PatientName": "Lê^Văn^An"}, {}, {}, -400)

    assert PSEUDONYM.fullmatch(token)
    assert way.text(f"{before} {token} {after}") == f"{before} Lê Văn An {after}".replace(token, "Lê Văn An")


@given(st.integers(0, 2**128 - 1))
def test_every_new_uid_is_found_in_text(number):
    uid = f"2.25.{number or 1}"

    assert NEW_UID.findall(f"a {uid}, b") == [uid]


@given(st.dates(date(1950, 1, 1), RELEASED), st.text(min_size=1, max_size=12))
def test_a_date_that_left_moved_comes_home_as_it_was(told, patient_id):
    days = shift_days(b"k" * 32, "site", patient_id)
    way = WayBack("", {}, {}, {}, days, RELEASED)
    original = f"{told:%Y%m%d}"

    assert days <= -365
    assert way.date(shift_date(original.encode(), days).decode()) == original


@given(st.dates(RELEASED, date(2100, 1, 1)))
def test_a_date_that_others_wrote_stays(told):
    assert WayBack("", {}, {}, {}, -400, RELEASED).date(f"{told:%Y%m%d}") == f"{told:%Y%m%d}"
