"""What is told of an instance before it goes: each element, what becomes of it and why."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.engine.explain import explain
from anonymizer.profiles.profile import load
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.support.builders import a_ct, as_file


def told(site, ds: Dataset, profile: str):
    source = as_file(ds)
    meta = read_file_meta(source)
    made = site.deidentifies(source, profile)
    original = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    given = scan(made.to_bytes(source), meta.transfer_syntax_uid, offset=made.dataset_offset)
    return {one.path: one for one in explain(original, given, load(profile))}


@pytest.fixture
def ds() -> Dataset:
    reference, ds = Dataset(), a_ct(PatientAge="093Y", InstitutionName="BV", OperatorsName="Binh")
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ds.SOPClassUID, "1.2.3.4"
    reference.ReferringPhysicianName = "Binh"
    ds.ReferencedImageSequence = Sequence([reference])
    ds.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    ds.add_new(0x0019100C, "IS", "1000")
    ds.add_new(0x0019100F, "SH", "HUONG")
    ds.add_new(0x00187778, "LO", "HUONG")
    return ds


def test_each_element_is_told_with_its_row_option_and_type(site, ds):
    found = {path: (one.becomes, one.why) for path, one in told(site, ds, "tele-read").items()}

    assert found["(0008,0018)"] == ("new UID", "U by Table E.1-1")
    assert found["(0008,0020)"] == ("moved", "C by retain_modified_dates; else Z")
    assert found["(0008,0050)"] == ("emptied", "Z by Table E.1-1")
    assert found["(0008,0070)"] == ("kept", "no row of Table E.1-1; by its VR LO")
    assert found["(0008,0080)"] == ("removed", "X/Z/D by Table E.1-1; Type 3 here")
    assert found["(0010,0010)"] == ("pseudonym", "Z by Table E.1-1")
    assert found["(0010,1010)"] == ("capped", "K by retain_patient_characteristics; else X")
    assert found["(0008,1140)"][0] == "its items"
    assert found["(0008,1140)[0].(0008,1155)"][0] == "new UID"
    assert found["(0008,1140)[0].(0008,0090)"] == ("emptied", "Z by Table E.1-1")
    assert found["(0018,7778)"] == ("removed", "not an attribute of the standard")
    assert found["(0019,0010)"] == ("kept", "creator of a safe private attribute")
    assert found["(0019,100C)"] == ("kept", "safe private (E.3.10), if it is IS")
    assert found["(0019,100F)"] == ("removed", "private, not known to be safe")


def test_the_basic_profile_is_told_too(site, ds):
    found = {path: (one.becomes, one.why) for path, one in told(site, ds, "basic").items()}

    assert found["(0010,1010)"] == ("removed", "X by Table E.1-1")
    assert found["(0019,100C)"] == ("removed", "private")


def test_every_element_of_the_original_is_told_once_and_values_stand_apart(site, ds):
    found = told(site, ds, "tele-read")

    assert len(found) == sum(1 for _ in ds.iterall()) - 1  # but for the pixel data
    assert not any("Binh" in f"{one.path}{one.name}{one.becomes}{one.why}" for one in found.values())
    assert found["(0008,1070)"].before == b"Binh"
    assert found["(0008,1070)"].after == b""
