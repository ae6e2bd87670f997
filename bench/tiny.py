"""Part 10 instances of a few hundred bytes, for archives that cannot be filled but one instance at a time."""

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final

import zstandard

from bench.studies import Studies
from kernel.archive.ingest.ingest import METADATA_LEVEL
from kernel.archive.records import Received
from kernel.dicom.models.json_model import to_json
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF

_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_GROUP_LENGTH: Final = 0x00020000


def part10(received: Received) -> bytes:
    """Return what was received, without pixels, in Explicit VR Little Endian."""
    attributes = received.attributes
    patient, study, series = attributes.patient, attributes.study, attributes.series
    values = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": attributes.sop_class_uid,
        "SOPInstanceUID": attributes.sop_instance_uid,
        "StudyDate": study.study_date,
        "SeriesDate": series.series_date,
        "StudyTime": study.study_time,
        "SeriesTime": series.series_time,
        "AccessionNumber": study.accession_number,
        "Modality": series.modality,
        "ReferringPhysicianName": study.referring_physician_name,
        "StudyDescription": study.study_description,
        "SeriesDescription": series.series_description,
        "PatientName": patient.patient_name,
        "PatientID": patient.patient_id,
        "PatientBirthDate": patient.patient_birth_date,
        "PatientSex": patient.patient_sex,
        "StudyInstanceUID": study.study_instance_uid,
        "SeriesInstanceUID": series.series_instance_uid,
        "StudyID": study.study_id,
        "SeriesNumber": str(series.series_number),
        "InstanceNumber": "1",
    }
    meta = b"".join(
        [
            _element(0x00020001, "OB", b"\0\1"),
            _text(0x00020002, "UI", attributes.sop_class_uid),
            _text(0x00020003, "UI", attributes.sop_instance_uid),
            _text(0x00020010, "UI", _EXPLICIT),
            _text(0x00020012, "UI", "1.2.826.0.1.3680043.10.1741.8"),
        ]
    )
    data_set = b"".join(_text(TAG_OF[keyword], VR_OF[TAG_OF[keyword]], text) for keyword, text in values.items())
    length = _element(_GROUP_LENGTH, "UL", struct.pack("<I", len(meta)))
    return b"\0" * 128 + b"DICM" + length + meta + data_set


def metadata_of_one() -> bytes:
    """Return the DICOM JSON of an instance as the archive keeps it, for instances that need some and any will do."""
    ((_, (received, *_)),) = Studies(1, b"").each()
    content = part10(received)
    header = scan(content, _EXPLICIT, offset=content.index(b"\x08\x00\x05\x00CS"))
    return zstandard.ZstdCompressor(level=METADATA_LEVEL).compress(to_json(header))


def zipped(studies: Iterable[Sequence[Received]]) -> bytes:
    """Return a ZIP archive of all their instances."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for group in studies:
            for received in group:
                archive.writestr(f"{received.attributes.sop_instance_uid}.dcm", part10(received))
    return buffer.getvalue()


def _text(tag: int, vr: str, text: str) -> bytes:
    value = text.encode()
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    return _element(tag, vr, value)


def _element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HI", 0, len(value)) if vr == "OB" else struct.pack("<H", len(value))) + value
