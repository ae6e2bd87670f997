"""Part 10 files, index attributes, tables of syntaxes and classes, and re-encoding."""

import io
import zlib

import pydicom
import pytest
from hypothesis import given, settings
from pydicom.dataset import Dataset

from kernel.dicom.scanning.attributes import InstanceAttributes, read_attributes
from kernel.dicom.scanning.part10 import FileMeta, file_meta, open_dataset, read_file_meta
from kernel.dicom.scanning.reencode import to_explicit_little_endian
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.syntaxes import STORAGE_CLASSES, SYNTAXES
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID
from kernel.errors import InvalidIdentifier, MalformedInstance, MissingIdentifier
from tests.dicom.builders import (
    BIG_ENDIAN,
    CT_IMAGE_STORAGE,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    element,
    encoded,
    part10,
    rows_of,
)
from tests.dicom.strategies import data_sets


def an_instance(**changes) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = CT_IMAGE_STORAGE
    ds.SOPInstanceUID = "1.2.3.4"
    ds.StudyInstanceUID = "1.2.3"
    ds.SeriesInstanceUID = "1.2.3.1"
    ds.StudyDate = "20260102"
    ds.StudyTime = "030405"
    ds.AccessionNumber = "A1"
    ds.Modality = "CT"
    ds.StudyDescription = "CT sọ não"
    ds.ReferringPhysicianName = "Trần^B"
    ds.PatientName = "Nguyễn^Văn A"
    ds.PatientID = "P1"
    ds.IssuerOfPatientID = "BV"
    ds.PatientBirthDate = "19700101"
    ds.PatientSex = "M"
    ds.SeriesNumber = "2"
    ds.InstanceNumber = "7"
    ds.Rows, ds.Columns, ds.BitsAllocated = 4, 5, 16
    ds.PhotometricInterpretation = "MONOCHROME2"
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def read(ds: Dataset, syntax: str = EXPLICIT) -> InstanceAttributes:
    return read_attributes(scan(encoded(ds, syntax), syntax), transfer_syntax_uid=syntax)


# --- Part 10 ----------------------------------------------------------------------------------------------------------


def test_our_file_meta_is_read_back_by_us_and_by_pydicom():
    meta = file_meta(CT_IMAGE_STORAGE, "1.2.3", JPEG)

    assert read_file_meta(meta) == FileMeta(CT_IMAGE_STORAGE, "1.2.3", JPEG, len(meta))
    theirs = pydicom.dcmread(io.BytesIO(meta)).file_meta
    assert theirs.FileMetaInformationGroupLength == len(meta) - 144
    assert theirs.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert theirs.ImplementationVersionName == "VIENANH"


def test_our_file_meta_is_a_function_of_the_three_uids_alone():
    assert file_meta("1.2", "1.2.3", EXPLICIT) == file_meta("1.2", "1.2.3", EXPLICIT)
    assert len(file_meta("1.2", "1.2.3", EXPLICIT)) % 2 == 0


def test_file_meta_with_a_wrong_group_length_is_read_to_where_group_two_ends():
    meta = bytearray(file_meta(CT_IMAGE_STORAGE, "1.2.3", EXPLICIT))
    meta[140:144] = b"\xff\xff\0\0"

    assert read_file_meta(bytes(meta) + element(0x00080005, "CS", b"")).dataset_offset == len(meta)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it has no DICM prefix"),
        (b"<html>" * 50, "it has no DICM prefix"),
        (b"\0" * 128 + b"DICM", "no Transfer Syntax UID"),
        (file_meta("1.2", "1.2.3", EXPLICIT)[:-3], "ends inside the file meta"),
        (file_meta("1.2", "1.2.3", EXPLICIT)[:150], "ends inside the file meta"),
        (file_meta("1.2", "1.2.3", EXPLICIT)[:165], "ends inside the file meta"),
    ],
)
def test_a_file_without_usable_file_meta_is_refused(data, reason):
    with pytest.raises(MalformedInstance, match=reason):
        read_file_meta(data)


def test_a_data_set_is_opened_by_pydicom_or_refused(tmp_path):
    path = tmp_path / "one"
    path.write_bytes(part10(encoded(an_instance())))

    assert open_dataset(path).PatientID == "P1"
    with pytest.raises(MalformedInstance, match="pydicom says InvalidDicomError"):
        open_dataset(b"<html>")
    with pytest.raises(FileNotFoundError):
        open_dataset(tmp_path / "none")


# --- attributes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_the_attributes_of_an_instance_are_read_in_every_encoding(syntax):
    found = read(an_instance(), syntax)

    assert found.patient.patient_name == "Nguyễn^Văn A"
    assert (found.patient.patient_id, found.patient.issuer_of_patient_id) == ("P1", "BV")
    assert (found.patient.patient_birth_date, found.patient.patient_sex) == ("19700101", "M")
    assert (found.study.study_instance_uid, found.study.study_description) == ("1.2.3", "CT sọ não")
    assert (found.study.study_date, found.study.study_time, found.study.accession_number) == (
        "20260102",
        "030405",
        "A1",
    )
    assert found.study.referring_physician_name == "Trần^B"
    assert (found.series.series_instance_uid, found.series.modality, found.series.series_number) == ("1.2.3.1", "CT", 2)
    assert (found.sop_class_uid, found.sop_instance_uid, found.instance_number) == (CT_IMAGE_STORAGE, "1.2.3.4", 7)
    assert (found.rows, found.columns, found.bits_allocated) == (4, 5, 16)
    assert (found.photometric_interpretation, found.number_of_frames, found.has_pixels) == ("MONOCHROME2", 1, False)
    assert found.transfer_syntax_uid == syntax


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_an_instance_without_an_identifier_is_refused(keyword):
    for absent in (None, ""):
        with pytest.raises(MissingIdentifier, match=f"{keyword} is missing"):
            read(an_instance(**{keyword: absent}))


def test_an_identifier_that_is_none_is_refused_without_repeating_it():
    data = encoded(an_instance(StudyInstanceUID=None)) + element(0x0020000D, "UI", b"NGUYEN VAN A")

    with pytest.raises(InvalidIdentifier, match="StudyInstanceUID is not a UID: other characters") as caught:
        read_attributes(scan(data, EXPLICIT), transfer_syntax_uid=EXPLICIT)

    assert "NGUYEN" not in str(caught.value)


def test_uids_padded_with_spaces_are_taken():
    data = encoded(an_instance(StudyInstanceUID=None)) + element(0x0020000D, "UI", b"1.2.3 ")

    assert read_attributes(scan(data, EXPLICIT), transfer_syntax_uid=EXPLICIT).study.study_instance_uid == "1.2.3"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"7 ", 7),
        (b"+7", 7),
        (b"-1", -1),
        (b"7\\8 ", 7),
        (b"", None),
        (b"x ", None),
        (b"1_0 ", None),
        (b"9" * 12, None),
    ],
)
def test_a_number_that_is_none_is_absent(value, number):
    data = encoded(an_instance(InstanceNumber=None)) + element(0x00200013, "IS", value)

    assert read_attributes(scan(data, EXPLICIT), transfer_syntax_uid=EXPLICIT).instance_number == number


def test_texts_are_cut_at_their_bound():
    data = encoded(an_instance(StudyDescription=None)) + element(0x00081030, "LO", b"x" * 5000)

    found = read_attributes(scan(data, EXPLICIT), transfer_syntax_uid=EXPLICIT)

    assert found.study.study_description == "x" * 1024


def test_a_multi_frame_instance_says_how_many_frames_it_has():
    assert read(an_instance(NumberOfFrames="30")).number_of_frames == 30
    assert read(an_instance(NumberOfFrames="0")).number_of_frames == 1
    assert read(an_instance(NumberOfFrames="-5")).number_of_frames == 1


# --- tables -----------------------------------------------------------------------------------------------------------


def test_every_storage_class_that_pynetdicom_knows_is_in_the_table():
    from pynetdicom.sop_class import _STORAGE_CLASSES

    assert set(_STORAGE_CLASSES.values()) <= set(STORAGE_CLASSES)


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "CT Image Storage"),
        ("1.2.840.10008.5.1.4.1.1.1.1.1", "Digital X-Ray Image Storage - For Processing"),
        ("1.2.840.10008.5.1.4.1.1.77.1.6", "VL Whole Slide Microscopy Image Storage"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF Storage"),
        ("1.2.840.10008.5.1.4.1.1.88.33", "Comprehensive SR Storage"),
        ("1.2.840.10008.5.1.4.1.1.66.7", "Label Map Segmentation Storage"),
        ("1.2.840.10008.5.1.4.1.1.6", "Ultrasound Image Storage"),
        ("1.2.840.10008.5.1.4.38.1", "Hanging Protocol Storage"),
    ],
)
def test_the_table_of_storage_classes_has_what_ps3_4_b_5_lists(uid, name):
    assert STORAGE_CLASSES[uid] == name


def test_classes_that_are_not_stored_are_not_in_the_table():
    assert "1.2.840.10008.1.20.1" not in STORAGE_CLASSES  # storage commitment
    assert "1.2.840.10008.1.3.10" not in STORAGE_CLASSES  # DICOMDIR
    assert "1.2.840.10008.1.1" not in STORAGE_CLASSES  # verification


# A second transcription of PS3.6 table A-1 and PS3.5 annex A: explicit, little endian, deflated, encapsulated, lossy.
@pytest.mark.parametrize(
    ("uid", "properties"),
    [
        ("1.2.840.10008.1.2", (False, True, False, False, False)),
        ("1.2.840.10008.1.2.1", (True, True, False, False, False)),
        ("1.2.840.10008.1.2.1.99", (True, True, True, False, False)),
        ("1.2.840.10008.1.2.2", (True, False, False, False, False)),
        ("1.2.840.10008.1.2.4.50", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.4.51", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.4.57", (True, True, False, True, False)),
        ("1.2.840.10008.1.2.4.70", (True, True, False, True, False)),
        ("1.2.840.10008.1.2.4.80", (True, True, False, True, False)),
        ("1.2.840.10008.1.2.4.81", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.4.90", (True, True, False, True, False)),
        ("1.2.840.10008.1.2.4.91", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.4.102", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.4.107", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.4.201", (True, True, False, True, False)),
        ("1.2.840.10008.1.2.4.203", (True, True, False, True, True)),
        ("1.2.840.10008.1.2.5", (True, True, False, True, False)),
        ("1.2.840.10008.1.2.8.1", (True, True, False, True, False)),
    ],
)
def test_the_table_of_transfer_syntaxes_says_what_the_standard_says(uid, properties):
    one = SYNTAXES[uid]

    assert (one.explicit, one.little_endian, one.deflated, one.encapsulated, one.lossy) == properties


# --- re-encoding ------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(ds=data_sets(words=False))
def test_a_big_endian_instance_re_encoded_is_the_little_endian_one(ds):
    ds.BitsAllocated = 16
    ds.add_new(0x7FE00010, "OW", b"\1\2\3\4")

    again = to_explicit_little_endian(encoded(ds, BIG_ENDIAN), BIG_ENDIAN)

    ds[0x7FE00010].value = b"\2\1\4\3"
    expected = scan(encoded(ds, EXPLICIT), EXPLICIT)
    found = scan(again, EXPLICIT)
    assert rows_of(found) == rows_of(expected)
    assert found.pixel_data is not None
    assert again[found.pixel_data.value_offset : found.pixel_data.end] == b"\2\1\4\3"


def test_big_endian_samples_of_32_bits_are_swapped_whole():
    ds = Dataset()
    ds.BitsAllocated = 32
    ds.add_new(0x7FE00010, "OW", b"\1\2\3\4")

    again = to_explicit_little_endian(encoded(ds, BIG_ENDIAN), BIG_ENDIAN)

    assert again.endswith(b"\4\3\2\1")


def test_a_deflated_instance_is_scanned_as_what_it_was_before():
    plain = encoded(an_instance()) + element(0x7FE00010, "OW", b"abcd")
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = stream.compress(plain) + stream.flush()

    header = scan(b"meta" + deflated, DEFLATED, offset=4)

    assert header.reencoded
    assert header.complete
    assert rows_of(header) == rows_of(scan(plain, EXPLICIT))
    assert to_explicit_little_endian(deflated, DEFLATED) == plain


def test_encapsulated_pixels_in_a_big_endian_data_set_are_refused():
    data = b"\x7f\xe0\x00\x10OB\0\0\xff\xff\xff\xff" + b"\xff\xfe\xe0\xdd\0\0\0\0"

    with pytest.raises(MalformedInstance, match="encapsulated pixel data in a big endian data set"):
        scan(data, BIG_ENDIAN)
