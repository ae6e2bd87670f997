"""A directory lists every instance of a medium, whatever odd values one has."""

import io
import json
import struct

import pydicom
import pytest

from kernel.dicom.models.json_model import to_json
from kernel.dicom.objects.dicomdir import Directory, Leaf
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.dictionary import TAG_OF

EXPLICIT = "1.2.840.10008.1.2.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
REPORT = "1.2.840.10008.5.1.4.1.1.88.33"


def element(keyword: str, vr: bytes, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    tag = TAG_OF[keyword]
    length = struct.pack("<HI", 0, len(value)) if vr in (b"UN", b"SQ") else struct.pack("<H", len(value))
    return struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr) + length + value


def an_instance(keyword: str, vr: bytes, value: bytes) -> dict[str, object]:
    """Return the DICOM JSON of an instance with one odd attribute, as ingest makes it."""
    elements = {
        "SOPClassUID": element("SOPClassUID", b"UI", CT.encode()),
        "PatientName": element("PatientName", b"PN", b"A^B"),
        "StudyInstanceUID": element("StudyInstanceUID", b"UI", b"1.2"),
        "SeriesInstanceUID": element("SeriesInstanceUID", b"UI", b"1.2.1"),
        keyword: element(keyword, vr, value),
    }
    content = b"".join(elements[one] for one in sorted(elements, key=TAG_OF.__getitem__))
    return json.loads(to_json(scan(content, EXPLICIT, offset=0)))


@pytest.mark.parametrize("sop_class_uid", [CT, REPORT])
@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("InstanceNumber", b"IS", b"abc"),
        ("InstanceNumber", b"LO", b"1e400"),
        ("SeriesNumber", b"UN", b"-"),
        ("NumberOfFrames", b"IS", b"many"),
        ("DataPointRows", b"UL", b"\\"),
        ("ConceptNameCodeSequence", b"UN", b"abc"),
        ("ConceptNameCodeSequence", b"LO", b"abc"),
    ],
)
def test_an_odd_value_costs_its_attribute_and_not_the_medium(sop_class_uid, keyword, vr, value):
    directory = Directory()

    for number, one in enumerate([an_instance(keyword, vr, value), an_instance("InstanceNumber", b"IS", b"2")], 1):
        directory.add(one, Leaf((f"IM{number}",), sop_class_uid, f"1.2.3.{number}", EXPLICIT))

    records = pydicom.dcmread(io.BytesIO(directory.encoded("1.2.9"))).DirectoryRecordSequence
    kinds = [one.DirectoryRecordType for one in records]
    assert kinds[:3] == ["PATIENT", "STUDY", "SERIES"]
    assert str(records[0].PatientName) == "A^B"
    assert [one.ReferencedSOPInstanceUIDInFile for one in records[3:]] == ["1.2.3.1", "1.2.3.2"]
