"""What becomes of an instance: identity replaced, a read still possible, pixels untouched, nothing odd let through."""

import struct

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.profiles.dummies import encode
from anonymizer.profiles.profile import load
from anonymizer.pseudonyms.identifiers import is_pseudonym, new_uid, shift_date
from anonymizer.pseudonyms.vault import VaultKind
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file


def test_a_ct_slice_says_who_it_is_only_by_pseudonym(site):
    ds = a_ct()

    given = site.gives(ds)

    assert is_pseudonym(given.PatientID)
    assert given.PatientName == f"BN {given.PatientID}"
    assert given.PatientIdentityRemoved == "YES"
    assert given.DeidentificationMethod.startswith("VIENANH basic@2026d ")
    assert [code.CodeValue for code in given.DeidentificationMethodCodeSequence] == ["113100"]
    assert given.LongitudinalTemporalInformationModified == "REMOVED"
    assert given.PatientBirthDate == given.StudyDate == given.AccessionNumber == given.PatientSex == ""
    assert "StudyDescription" not in given
    assert (given.Modality, given.BodyPartExamined, given.SliceThickness) == ("CT", "HEAD", 5)
    assert given.PixelData == ds.PixelData


def test_the_profile_for_reading_leaves_what_a_read_needs(site):
    ds = a_ct(PatientAge="093Y", PatientWeight="51", StudyDescription="CT sọ não có tiêm thuốc cản quang")

    given = site.gives(ds, "tele-read")

    days = (pydicom.valuerep.DA(given.StudyDate) - pydicom.valuerep.DA(ds.StudyDate)).days
    assert -3650 <= days <= -365
    assert given.StudyDate == given.SeriesDate == given.ContentDate
    assert (given.StudyTime, given.ContentTime) == ("013000", "013010")
    assert (given.PatientSex, given.PatientAge, given.PatientWeight) == ("F", "090Y", 51)
    assert given.StudyDescription == "CT sọ não có tiêm thuốc cản quang"
    assert given.SeriesDescription == "Axial 5mm"
    assert given.PatientBirthDate == ""
    assert [c.CodeValue for c in given.DeidentificationMethodCodeSequence] == [
        "113100",
        "113105",
        "113107",
        "113108",
        "113111",
    ]
    assert given.LongitudinalTemporalInformationModified == "MODIFIED"


def test_a_description_that_is_not_all_radiology_goes(site):
    ds = a_ct(StudyDescription="CT so nao Huong", SeriesDescription="Axial cho BS Binh", ProtocolName="Routine head")

    given = site.gives(ds, "tele-read")

    assert "StudyDescription" not in given
    assert "SeriesDescription" not in given
    assert given.ProtocolName == "Routine head"


@pytest.mark.parametrize("age", ["Huong", "19700412", "1Y2"])
def test_an_age_that_is_none_goes(site, age):
    source = as_file(a_ct(PatientAge="045Y")).replace(
        b"AS\x04\x00045Y", b"AS" + struct.pack("<H", len(age) + len(age) % 2) + age.encode() + b" " * (len(age) % 2)
    )

    result = site.deidentifies(source, "tele-read")

    assert age.encode() not in result.head
    assert "PatientAge" not in read(result.to_bytes(source))


def test_a_time_that_is_none_goes(site):
    source = as_file(a_ct(TimezoneOffsetFromUTC="+0700")).replace(b"TM\x06\x00013010", b"TM\x06\x00Huong ")

    given = read(site.deidentifies(source, "tele-read").to_bytes(source))

    assert (given.ContentTime, given.StudyTime, given.TimezoneOffsetFromUTC) == ("", "013000", "+0700")


def test_a_date_that_is_none_is_treated_as_the_basic_profile_says(site):
    source = as_file(a_ct()).replace(b"DA\x08\x0020261121", b"DA\x08\x00Huong 26")

    given = read(site.deidentifies(source, "tele-read").to_bytes(source))

    assert given.StudyDate == given.ContentDate == ""
    assert "SeriesDate" not in given


def test_the_file_meta_and_preamble_are_made_anew(site):
    ds = a_ct()
    source = bytearray(as_file(ds))
    source[:5] = b"HUONG"
    at = bytes(source).index(b"\x02\x00\x10\x00UI")
    source[at:at] = encode(0x00020016, "AE", b"BVHUYEN1", implicit=False)

    result = site.deidentifies(bytes(source))

    assert result.head[:128] == bytes(128)
    assert b"BVHUYEN1" not in result.head
    given = read(result.to_bytes(bytes(source)))
    assert given.file_meta.MediaStorageSOPInstanceUID == given.SOPInstanceUID == result.identity.sop_instance_uid
    assert given.file_meta.ImplementationVersionName == "VIENANH"
    assert given.preamble == bytes(128)


def test_the_same_input_gives_the_same_bytes_and_another_key_gives_others(site):
    from anonymizer.engine.engine import deidentify
    from anonymizer.pseudonyms.keys import derive

    source = as_file(a_ct())
    other = derive(b"o" * 32, site="bv-huyen")

    first, second = site.deidentifies(source), site.deidentifies(source)
    elsewhere = deidentify(source, profile=load("basic"), keys=other, issuer="bv-huyen")

    assert first == second
    assert elsewhere.identity.patient_id != first.identity.patient_id
    assert elsewhere.identity.study_instance_uid != first.identity.study_instance_uid


def test_two_instances_of_one_study_stay_together_and_refer_to_each_other(site):
    one, other = a_ct(instance=1), a_ct(instance=2)
    reference = Dataset()
    reference.ReferencedSOPClassUID = other.SOPClassUID
    reference.ReferencedSOPInstanceUID = other.SOPInstanceUID
    one.ReferencedImageSequence = Sequence([reference])

    first, second = site.gives(one), site.gives(other)

    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert first.PatientID == second.PatientID
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID
    assert first.ReferencedImageSequence[0].ReferencedSOPInstanceUID == second.SOPInstanceUID
    assert first.ReferencedImageSequence[0].ReferencedSOPClassUID == other.SOPClassUID


def test_the_way_back_is_in_the_vault_entries(site):
    ds = a_ct()

    result = site.deidentifies(as_file(ds))

    entries = {(entry.kind, entry.token): entry.identity for entry in result.vault_entries}
    patient = entries[VaultKind.PATIENT, result.identity.patient_id]
    assert (patient["PatientName"], patient["PatientID"]) == ("Nguyễn^Thị Hương", ds.PatientID)
    assert patient["IssuerOfPatientID"] == "bv-huyen"
    study = entries[VaultKind.STUDY, result.identity.study_instance_uid]
    assert (study["StudyInstanceUID"], study["AccessionNumber"]) == (ds.StudyInstanceUID, ds.AccessionNumber)
    assert entries[VaultKind.UID, result.identity.sop_instance_uid] == {"UID": ds.SOPInstanceUID}
    assert "Hương" not in repr(result)


def test_the_issuer_of_the_instance_comes_before_that_of_the_site(site):
    plain, issued = a_ct(), a_ct(IssuerOfPatientID="SO Y TE")

    assert site.gives(plain).PatientID != site.gives(issued).PatientID
    assert site.gives(issued).PatientID == site.gives(a_ct(IssuerOfPatientID="SO Y TE", instance=2)).PatientID


def test_patients_without_an_id_are_told_apart_by_name_or_else_by_study(site):
    nobody, somebody = a_ct(PatientID="", PatientName=""), a_ct(PatientID="")
    another = a_ct(seed="another", PatientID="", PatientName="")

    pseudonyms = [site.gives(ds).PatientID for ds in (nobody, somebody, another)]

    assert len(set(pseudonyms)) == 3
    assert site.gives(a_ct(seed="later", PatientID="")).PatientID == pseudonyms[1]


def test_an_instance_without_patient_attributes_gets_its_pseudonym(site):
    ds = a_ct()
    del ds.PatientID, ds.PatientName

    given = site.gives(ds)

    assert is_pseudonym(given.PatientID)
    assert [element.tag for element in given] == sorted(element.tag for element in given)


def test_what_is_private_repeating_signed_encrypted_or_unknown_is_gone(site):
    ds = a_ct()
    block = ds.private_block(0x0029, "HUONG", create=True)
    block.add_new(0x10, "LO", "HUONG")
    block.add_new(0x11, "SQ", [Dataset()])
    ds.add_new(0x60000010, "US", 5)
    ds.add_new(0x60003000, "OW", b"HUONG!")
    ds.add_new(0x50003000, "OW", b"HUONG!")
    ds.add_new(0x00080000, "UL", 99)
    ds.add_new(0x00187778, "LO", "HUONG")  # no such attribute
    signed = Dataset()
    signed.PersonName = "HUONG"
    ds.add_new(0xFFFAFFFA, "SQ", [signed])
    ds.add_new(0x04000500, "SQ", [signed])
    ds.add_new(0x4FFE0001, "SQ", [signed])
    ds.add_new(0xFFFCFFFC, "OB", b"HUONG!")
    source = as_file(ds)

    result = site.deidentifies(source)

    assert b"HUONG" not in result.head + result.trailer
    given = read(result.to_bytes(source))
    assert not [e.tag for e in given if e.tag.is_private or 0x5000 <= e.tag.group != 0x7FE0]
    assert result.record.actions["P"] == 3
    assert result.trailer == b""


def test_what_the_table_forgot_is_gone_too(site):
    ds = a_ct(
        PatientBirthDateInAlternativeCalendar="HUONG",
        CommentsOnTheScheduledProcedureStep="HUONG",
        PlacerOrderNumberProcedure="HUONG",
        ResourceDescription="HUONG",
        RetrieveURL="http://huong/HUONG",
    )

    assert b"HUONG" not in site.deidentifies(as_file(ds)).head


@pytest.mark.parametrize("profile", ["tele-read", "basic"])
@pytest.mark.parametrize("tag", [0x00189445, 0x00280020])
def test_what_the_standard_took_back_is_gone(site, tag, profile):
    ds = a_ct()
    ds.add_new(tag, "OB", b"BS Tran Quang ")

    assert b"Quang" not in site.deidentifies(as_file(ds), profile).head


def test_a_name_in_an_attribute_that_is_none_goes(site):
    source = as_file(a_ct(Manufacturer="Huong Ltd.")).replace(b"\x08\x00\x70\x00LO", b"\x08\x00\x70\x00PN")

    assert b"Huong" not in site.deidentifies(source).head


def test_a_name_in_a_wrong_vr_is_replaced_in_the_right_one(site):
    source = as_file(a_ct()).replace(b"\x10\x00\x10\x00PN", b"\x10\x00\x10\x00LO")

    given = read(site.deidentifies(source).to_bytes(source))

    assert given["PatientName"].VR == "PN"
    assert str(given.PatientName).startswith("BN ")


def test_a_name_instead_of_a_uid_is_mapped_like_one(site):
    source = as_file(a_ct(FrameOfReferenceUID="1.2.3.4")).replace(b"1.2.3.4\0", b"Huong \0\0")

    given = read(site.deidentifies(source).to_bytes(source))

    assert given.FrameOfReferenceUID == new_uid(site.keys.uid, b"Huong").decode()


def test_what_an_earlier_de_identification_wrote_in_words_is_replaced(site):
    given = site.gives(a_ct(DeidentificationMethod="by Huong", PatientIdentityRemoved="NO"))

    assert given.PatientIdentityRemoved == "YES"
    assert "Huong" not in given.DeidentificationMethod


def test_a_report_in_the_basic_profile_is_one_harmless_sentence(site):
    ds = a_ct()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    del ds.PixelData
    item = Dataset()
    item.ValueType, item.RelationshipType, item.TextValue = "TEXT", "CONTAINS", "Huong đau đầu"
    ds.ContentSequence = Sequence([item])

    given = site.gives(ds)

    assert [item.TextValue for item in given.ContentSequence] == ["REMOVED"]


def test_the_shift_is_that_of_the_patient_for_every_date_and_date_time(site):
    ds = a_ct(AcquisitionDateTime="20261121013010.5+0700", PerformedProcedureStepStartDate="20261120")

    given = site.gives(ds, "tele-read")

    days = (pydicom.valuerep.DA(given.StudyDate) - pydicom.valuerep.DA(ds.StudyDate)).days
    assert given.AcquisitionDateTime.encode() == shift_date(b"20261121013010.5+0700", days)
    assert given.PerformedProcedureStepStartDate.encode() == shift_date(b"20261120", days)


def test_several_uids_in_one_value_are_mapped_one_by_one(site):
    given = site.gives(a_ct(FailedSOPInstanceUIDList=["1.2.3", "1.2.840.10008.1.2", "1.2.4"]))

    key = site.keys.uid
    expected = [new_uid(key, b"1.2.3").decode(), "1.2.840.10008.1.2", new_uid(key, b"1.2.4").decode()]
    assert given.FailedSOPInstanceUIDList == expected
