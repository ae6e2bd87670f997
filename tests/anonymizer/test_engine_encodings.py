"""In whatever encoding and character set an instance comes, it means the same afterwards; what is not understood is refused."""

import copy
import io
import mmap

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from anonymizer.profiles.dummies import encode
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import InvalidIdentifier, MalformedInstance, MissingIdentifier, Refused, UnsupportedSOPClass
from tests.anonymizer.conftest import read
from tests.support.builders import a_cr, a_ct, a_uid, an_us_cine, as_file


@pytest.mark.parametrize("profile", ["basic", "tele-read"])
def test_every_encoding_means_the_same_afterwards(site, profile):
    ds = a_ct(seed="encodings", RequestedProcedureDescription="CT", OtherPatientNames="Hương")
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, "1.2.3.4"
    ds.SourceImageSequence = Sequence([item])

    syntaxes = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)
    given = [
        site.gives(ds if syntax != ExplicitVRBigEndian else big_endian(ds), profile, syntax=syntax)
        for syntax in syntaxes
    ]

    for one in given[1:]:
        assert one.to_json_dict() == given[0].to_json_dict()
    assert [one.file_meta.TransferSyntaxUID for one in given] == [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRLittleEndian,
    ]
    assert all(one.PixelData == ds.PixelData for one in given)


def big_endian(ds: Dataset) -> Dataset:
    swapped = copy.deepcopy(ds)
    swapped.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    swapped["PixelData"].VR = "OW"
    return swapped


@pytest.mark.parametrize("make", [a_ct, a_cr, an_us_cine])
def test_pixel_data_is_a_span_of_the_source_and_never_copied(site, make):
    source = as_file(make())

    result = site.deidentifies(source)

    ((offset, length),) = result.pixels
    assert source[offset : offset + length] == read(source).PixelData
    assert len(result.head) < 2000
    assert result.size_bytes == len(result.to_bytes(source))
    assert result.trailer == b""
    meta = read_file_meta(result.head)
    assert meta.dataset_offset == result.dataset_offset


def test_the_digest_is_that_of_the_new_data_set(site):
    import hashlib

    source = as_file(a_ct())
    result = site.deidentifies(source)

    assert result.sha256(source) == hashlib.sha256(result.to_bytes(source)[result.dataset_offset :]).hexdigest()


def test_what_follows_the_pixel_data_is_cleaned_too(site):
    inner = Dataset()
    inner.add_new(0x0040A123, "PN", "HUONG")
    ds = a_ct()
    source = as_file(ds) + encode(0x7FE10010, "LO", b"HUONG", implicit=False) + bytes(20)

    result = site.deidentifies(source)

    assert result.trailer == b""
    assert b"HUONG" not in result.to_bytes(source)


def test_padding_and_garbage_after_the_data_set_are_cut(site):
    source = as_file(a_ct()) + b"HUONG is not an element"

    result = site.deidentifies(source)

    assert b"HUONG" not in result.to_bytes(source)


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_sequences_keep_their_form_and_lose_what_names_the_patient(site, undefined, syntax):
    innermost, inner, ds = Dataset(), Dataset(), a_ct()
    innermost.PatientComments, innermost.CodeMeaning = "Huong", "kept"
    inner.PatientName = "Huong"
    inner.SeriesInstanceUID = ds.SeriesInstanceUID
    inner.PurposeOfReferenceCodeSequence = Sequence([innermost, Dataset()])
    ds.ReferencedSeriesSequence = Sequence([inner, Dataset(), innermost])
    for element in (ds["ReferencedSeriesSequence"], inner["PurposeOfReferenceCodeSequence"]):
        element.is_undefined_length = undefined
        for item in element.value:
            item.is_undefined_length_sequence_item = undefined
    source = as_file(ds, syntax)

    result = site.deidentifies(source)
    given = read(result.to_bytes(source))

    assert b"Huong" not in result.head
    first, second, third = given.ReferencedSeriesSequence
    assert first.SeriesInstanceUID == given.SeriesInstanceUID
    assert [item.get("CodeMeaning") for item in first.PurposeOfReferenceCodeSequence] == ["kept", None]
    assert (len(second), third.CodeMeaning) == (0, "kept")
    assert given["ReferencedSeriesSequence"].is_undefined_length == undefined


def test_a_sequence_that_came_as_un_is_looked_into(site):
    ds, inner = a_ct(), Dataset()
    inner.PatientComments, inner.SeriesInstanceUID, inner.Modality = "Huong", ds.SeriesInstanceUID, "CT"
    ds.ReferencedSeriesSequence = Sequence([inner])
    implicit = as_file(ds, ImplicitVRLittleEndian)
    at = implicit.index(b"\x08\x00\x15\x11")
    length = int.from_bytes(implicit[at + 4 : at + 8], "little")
    value = implicit[at + 8 : at + 8 + length]
    del ds.ReferencedSeriesSequence
    explicit = as_file(ds)
    before = explicit.index(b"\x10\x00\x10\x00PN")
    source = explicit[:before] + encode(0x00081115, "UN", value, implicit=False) + explicit[before:]

    result = site.deidentifies(source)

    assert b"Huong" not in result.head
    item = read(result.to_bytes(source))[0x00081115].value[0]
    assert item.SeriesInstanceUID == result.identity.series_instance_uid
    assert item.Modality == "CT"


def test_text_of_no_declared_set_leaves_as_utf_8(site):
    ds = a_ct(Manufacturer="MAY")
    del ds.SpecificCharacterSet
    ds.PatientName, ds.ReferringPhysicianName = "Huong", "Binh"
    source = as_file(ds).replace(b"MAY ", "Máy".encode("latin-1") + b" ")

    given = read(site.deidentifies(source).to_bytes(source))

    assert given.SpecificCharacterSet == "ISO_IR 192"
    assert given.Manufacturer == "Máy"


def test_a_declared_set_stays_and_so_does_its_text(site):
    source = as_file(a_ct(Manufacturer="Máy chụp Hà Nội"))

    given = read(site.deidentifies(source).to_bytes(source))

    assert given.SpecificCharacterSet == "ISO_IR 192"
    assert given.Manufacturer == "Máy chụp Hà Nội"


def test_an_instance_without_pixel_data_has_no_pieces(site):
    ds = a_ct()
    del ds.PixelData
    source = as_file(ds)

    result = site.deidentifies(source)

    assert result.pixels == ()
    assert read(result.head).SOPInstanceUID == result.identity.sop_instance_uid


def test_a_header_scanned_before_gives_the_same(site):
    source = as_file(a_ct())
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)

    assert site.deidentifies(source, header=header) == site.deidentifies(source)


def without(keyword: str) -> bytes:
    source = as_file(a_ct())
    ds = read(source)
    delattr(ds, keyword)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds)
    return buffer.getvalue()


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_an_instance_without_an_identifier_is_refused(site, keyword):
    with pytest.raises(MissingIdentifier, match=f"{keyword} is missing"):
        site.deidentifies(without(keyword))


def test_what_is_not_understood_is_refused(site):
    source = as_file(a_ct())

    with pytest.raises(MalformedInstance, match="no DICM prefix"):
        site.deidentifies(b"<html>")
    with pytest.raises(MalformedInstance, match="longer than what holds it"):
        site.deidentifies(source[:-100])
    with pytest.raises(InvalidIdentifier, match="StudyInstanceUID is not a UID"):
        site.deidentifies(
            source.replace(a_uid("ct", "study").encode(), b"Huong".ljust(len(a_uid("ct", "study")), b"x"))
        )
    with pytest.raises(UnsupportedSOPClass, match="a directory names files and patients"):
        site.deidentifies(as_file(a_ct(SOPClassUID="1.2.840.10008.1.3.10")))
    with pytest.raises(Refused, match="its pixels are elsewhere"):
        site.deidentifies(as_file(a_ct(PixelDataProviderURL="http://pacs/huong")))


@pytest.mark.parametrize("profile", ["tele-read", "basic", "cut-ties"])
@pytest.mark.parametrize(
    ("sop_class_uid", "modality", "interpretation"),
    [
        ("1.2.840.10008.5.1.4.1.1.9.4.1", "", "UB"),  # Basic Voice Audio
        ("1.2.840.10008.5.1.4.1.1.9.4.2", "ECG", "SS"),  # General Audio
        ("1.2.840.10008.5.1.4.1.1.9.1.2", "AU", "SS"),
        ("1.2.840.10008.5.1.4.1.1.9.1.2", "ECG", "MB"),
    ],
)
def test_a_recording_of_a_voice_never_leaves(site, profile, sop_class_uid, modality, interpretation):
    group = Dataset()
    group.WaveformSampleInterpretation = interpretation
    group.add_new("WaveformData", "OB", b"Huong.")
    spoken = a_ct(SOPClassUID=sop_class_uid, Modality=modality, WaveformSequence=Sequence([group]))

    with pytest.raises(UnsupportedSOPClass, match="who dictates says whose it is"):
        site.deidentifies(as_file(spoken), profile)


def test_the_curves_of_an_ecg_leave(site):
    group = Dataset()
    group.WaveformSampleInterpretation = "SS"
    group.add_new("WaveformData", "OW", b"\1\2\3\4")
    curves = a_ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.9.1.2", Modality="ECG", WaveformSequence=Sequence([group]))

    assert site.gives(curves).WaveformSequence[0].WaveformData == b"\1\2\3\4"


def test_a_prefix_that_ends_in_the_pixels_is_refused(site):
    source = as_file(a_ct())[:-100]
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset, prefix=True)

    with pytest.raises(MalformedInstance, match="it ends inside the pixel data"):
        site.deidentifies(source, header=header)


def test_a_memory_map_is_read_and_let_go(site, tmp_path):
    source = as_file(a_ct())
    path = tmp_path / "instance"
    path.write_bytes(source)

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        result = site.deidentifies(mapped)
        whole = result.to_bytes(mapped)

    assert (result, whole) == (site.deidentifies(source), result.to_bytes(source))
