"""What an instance says of its de-identification: what was done to it, by the profile and by the cleaners; no more."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from anonymizer.elements import memory
from anonymizer.engine import engine
from anonymizer.engine.engine import deidentify
from anonymizer.engine.result import NewPixels
from anonymizer.profiles.actions import Action
from anonymizer.profiles.profile import load, merge
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file


def codes(given: Dataset) -> list[str]:
    return [item.CodeValue for item in given.DeidentificationMethodCodeSequence]


@pytest.mark.parametrize(
    ("profile", "declared", "dates"),
    [
        ("basic", ["113100"], "REMOVED"),
        ("tele-read", ["113100", "113105", "113107", "113108", "113111"], "MODIFIED"),
        ("research", ["113100", "113107"], "MODIFIED"),
        ("cut-ties", ["113100"], "REMOVED"),
    ],
)
def test_a_profile_declares_what_it_does_to_every_instance(site, profile, declared, dates):
    given = site.gives(a_ct(), profile)

    assert codes(given) == declared
    assert given.LongitudinalTemporalInformationModified == dates
    assert given.DeidentificationMethod == f"VIENANH {load(profile).label} {load(profile).digest[:12]}"
    assert "BurnedInAnnotation" not in given


def test_cleaned_pixels_are_declared_and_burned_in_annotation_is_set(site):
    ds = a_ct(BurnedInAnnotation="YES")
    source = as_file(ds)

    pixels = NewPixels((ds.PixelData,), ExplicitVRLittleEndian, {0x00280301: ("CS", b"NO")}, ("113101",))
    result = site.deidentifies(source, "tele-read", new_pixels=pixels)

    given = read(result.to_bytes(source))
    assert codes(given) == ["113100", "113101", "113105", "113107", "113108", "113111"]
    assert result.record.method_codes == tuple(codes(given))
    assert given.BurnedInAnnotation == "NO"
    assert [element.tag for element in given] == sorted(element.tag for element in given)


def test_structured_content_is_declared_only_where_a_cleaner_took_it(site, monkeypatch):
    ds, item = a_ct(), Dataset()
    item.ValueType, item.TextValue = "TEXT", "Huong"
    ds.ContentSequence = Sequence([item])
    source = as_file(ds)

    monkeypatch.setattr(memory, "_memory", lambda of: memory.Memory(implicit=of.implicit))  # of other cleaners
    monkeypatch.setattr(engine, "CLEANERS", {})
    without = read(site.deidentifies(source, "tele-read").to_bytes(source))
    monkeypatch.setattr(engine, "CLEANERS", {Action.STRUCTURED: _emptied})
    cleaned = read(site.deidentifies(source, "tele-read").to_bytes(source))
    monkeypatch.setattr(engine, "CLEANERS", {Action.STRUCTURED: lambda _rewriter, _element: None})
    refused = read(site.deidentifies(source, "tele-read").to_bytes(source))

    assert "113104" not in codes(without) + codes(refused)
    assert "113104" in codes(cleaned)
    assert len(cleaned.ContentSequence) == 0
    assert [item.TextValue for item in without.ContentSequence] == ["REMOVED"]  # the Basic Profile's D
    assert refused == without


def _emptied(rewriter, element):
    return [rewriter.view[element.start : element.value_offset - 4], bytes(4)]


def test_retained_uids_stay_everywhere_and_are_declared(site):
    reference, ds = Dataset(), a_ct(FailedSOPInstanceUIDList=["1.2.3"])
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ds.SOPClassUID, "1.2.3.4"
    ds.ReferencedImageSequence = Sequence([reference])
    source = as_file(ds)

    result = deidentify(source, profile=merge("mine", ("retain_uids",)), keys=site.keys, issuer="x")

    given = read(result.to_bytes(source))
    assert codes(given) == ["113100", "113110"]
    assert given.SOPInstanceUID == ds.SOPInstanceUID == result.identity.sop_instance_uid
    assert given.ReferencedImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    assert given.FailedSOPInstanceUIDList == "1.2.3"


def test_full_dates_and_the_identity_of_device_and_institution_stay_when_they_are_asked_for(site):
    options = ("retain_full_dates", "retain_device_identity", "retain_institution_identity")
    ds = a_ct(StationName="CT1", DeviceSerialNumber="77", InstitutionName="BV Huyen", StationAETitle="CT1AE")
    source = as_file(ds)

    given = read(deidentify(source, profile=merge("mine", options), keys=site.keys, issuer="x").to_bytes(source))

    assert codes(given) == ["113100", "113106", "113109", "113112"]
    assert given.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert given.StudyDate == ds.StudyDate
    assert (given.StationName, given.DeviceSerialNumber, given.InstitutionName) == ("CT1", "77", "BV Huyen")
    assert "StationAETitle" not in given  # the option says to clean it: nothing is left of a name when it is
    assert given.PatientBirthDate == ""


def test_what_cuts_ties_leaves_nothing_for_the_vault(site):
    assert site.deidentifies(as_file(a_ct()), "cut-ties").vault_entries == ()
    assert site.deidentifies(as_file(a_ct()), "basic").vault_entries
