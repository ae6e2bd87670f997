"""Typed views of patient, study, series and instance: the attributes by which the exchange keeps and finds them.

The only module of the exchange that interprets raw index attributes. Values are plain texts and numbers, so that they
pass between processes and into rows unchanged; padding is gone and every text is bounded.
"""

from dataclasses import dataclass
from typing import Final

from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.slide_flavour import is_label, shows_label
from kernel.dicom.scanning.values import TEXT_CHARACTERS_MAX, Values
from kernel.dicom.vocabulary.uids import check_uid

FRAMES_MAX: Final = 2**31 - 1  # Number of Frames is an IS (PS3.5 6.2)


@dataclass(frozen=True, slots=True)
class PatientAttributes:
    """Whose study it is (PS3.3 C.7.1)."""

    patient_id: str
    issuer_of_patient_id: str
    patient_name: str  # all component groups, as `Alphabetic=Ideographic=Phonetic`
    patient_birth_date: str  # DA, as sent
    patient_sex: str


@dataclass(frozen=True, slots=True)
class StudyAttributes:
    """The study (PS3.3 C.7.2)."""

    study_instance_uid: str
    study_date: str  # DA, as sent
    study_time: str  # TM, as sent
    accession_number: str
    study_id: str
    study_description: str
    referring_physician_name: str


@dataclass(frozen=True, slots=True)
class SeriesAttributes:
    """The series (PS3.3 C.7.3)."""

    series_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    body_part_examined: str
    series_date: str
    series_time: str


@dataclass(frozen=True, slots=True)
class InstanceAttributes:
    """One instance and what holds it."""

    patient: PatientAttributes
    study: StudyAttributes
    series: SeriesAttributes
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    number_of_frames: int  # 1 when absent
    rows: int | None
    columns: int | None
    bits_allocated: int | None
    photometric_interpretation: str | None
    has_pixels: bool
    shows_label: bool = False  # of a slide, where one reads whose it is
    is_label: bool = False  # of a slide: its label or overview, and no tissue


def read_attributes(
    header: Header, *, transfer_syntax_uid: str, fallback_charset: str | None = None
) -> InstanceAttributes:
    """Read the index attributes of a scanned instance.

    Raises
    ------
    MissingIdentifier, InvalidIdentifier
        Study, Series or SOP Instance UID, or SOP Class UID, is absent or no UID (PS3.5 9.1).
    """
    read = Values(header, fallback=fallback_charset)
    sop_class_uid = _uid(read, 0x00080016, "SOPClassUID")
    return InstanceAttributes(
        patient=PatientAttributes(
            patient_id=read.text(0x00100020),
            issuer_of_patient_id=read.text(0x00100021),
            patient_name=read.text(0x00100010),
            patient_birth_date=read.text(0x00100030),
            patient_sex=read.text(0x00100040),
        ),
        study=StudyAttributes(
            study_instance_uid=_uid(read, 0x0020000D, "StudyInstanceUID"),
            study_date=read.text(0x00080020),
            study_time=read.text(0x00080030),
            accession_number=read.text(0x00080050),
            study_id=read.text(0x00200010),
            study_description=read.text(0x00081030),
            referring_physician_name=read.text(0x00080090),
        ),
        series=SeriesAttributes(
            series_instance_uid=_uid(read, 0x0020000E, "SeriesInstanceUID"),
            modality=read.text(0x00080060),
            series_number=read.integer(0x00200011),
            series_description=read.text(0x0008103E),
            body_part_examined=read.text(0x00180015),
            series_date=read.text(0x00080021),
            series_time=read.text(0x00080031),
        ),
        sop_class_uid=sop_class_uid,
        sop_instance_uid=_uid(read, 0x00080018, "SOPInstanceUID"),
        transfer_syntax_uid=transfer_syntax_uid,
        instance_number=read.integer(0x00200013),
        number_of_frames=min(max(read.integer(0x00280008) or 1, 1), FRAMES_MAX),
        rows=read.unsigned(0x00280010),
        columns=read.unsigned(0x00280011),
        bits_allocated=read.unsigned(0x00280100),
        photometric_interpretation=read.text(0x00280004) or None,
        has_pixels=header.pixel_data is not None,
        shows_label=shows_label(sop_class_uid, read),
        is_label=is_label(sop_class_uid, read),
    )


def _uid(values: Values, tag: int, keyword: str) -> str:
    text = values.raw(tag, TEXT_CHARACTERS_MAX).decode("latin-1")
    return check_uid(text.strip(" \0"), keyword)  # some pad with spaces; PS3.5 6.2 wants a NUL
