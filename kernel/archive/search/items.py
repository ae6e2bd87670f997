"""Rows of a search as DICOM JSON objects: what the index knows of a patient, study, series or instance. Pure.

One table says which attribute is in which field of a row, for QIDO-RS, for C-FIND and for the conformance statement.
Attributes are there even when they have no value; texts are UTF-8 (ISO_IR 192).
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from kernel.archive.search.found import InstanceRow, SeriesRow, StudyRow
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.levels import LEVELS, Level
from kernel.dicom.vocabulary.names import groups

Item = dict[str, Any]
Row = StudyRow | SeriesRow | InstanceRow


class Indexed(NamedTuple):
    """One attribute that the index knows."""

    keyword: str
    field: str  # of the row of its level


ATTRIBUTES: Final[Mapping[Level, Sequence[Indexed]]] = {
    "patient": (
        Indexed("PatientName", "patient_name"),
        Indexed("PatientID", "patient_id"),
        Indexed("IssuerOfPatientID", "issuer"),
        Indexed("PatientBirthDate", "patient_birth_date"),
        Indexed("PatientSex", "patient_sex"),
    ),
    "study": (
        Indexed("StudyDate", "study_date"),
        Indexed("StudyTime", "study_time"),
        Indexed("AccessionNumber", "accession_number"),
        Indexed("ModalitiesInStudy", "modalities"),
        Indexed("ReferringPhysicianName", "referring_physician_name"),
        Indexed("StudyDescription", "study_description"),
        Indexed("StudyInstanceUID", "study_instance_uid"),
        Indexed("StudyID", "study_id"),
        Indexed("NumberOfStudyRelatedSeries", "number_of_series"),
        Indexed("NumberOfStudyRelatedInstances", "number_of_instances"),
    ),
    "series": (
        Indexed("SeriesDate", "series_date"),
        Indexed("SeriesTime", "series_time"),
        Indexed("Modality", "modality"),
        Indexed("SeriesDescription", "series_description"),
        Indexed("BodyPartExamined", "body_part_examined"),
        Indexed("SeriesInstanceUID", "series_instance_uid"),
        Indexed("SeriesNumber", "series_number"),
        Indexed("NumberOfSeriesRelatedInstances", "number_of_instances"),
    ),
    "instance": (
        Indexed("SOPClassUID", "sop_class_uid"),
        Indexed("SOPInstanceUID", "sop_instance_uid"),
        Indexed("AvailableTransferSyntaxUID", "transfer_syntax_uid"),
        Indexed("InstanceNumber", "instance_number"),
        Indexed("NumberOfFrames", "number_of_frames"),
        Indexed("Rows", "rows"),
        Indexed("Columns", "columns"),
        Indexed("BitsAllocated", "bits_allocated"),
    ),
}
CHARACTER_SET: Final = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}}
ONLINE: Final = {"00080056": {"vr": "CS", "Value": ["ONLINE"]}}  # Instance Availability (PS3.3 C.4.23.1.1)
_COLUMNS: Final = {  # what reads a row of a level, and the tag and VR of each value
    level: (
        attrgetter(*(one.field for one in attributes)),
        tuple((f"{TAG_OF[one.keyword]:08X}", VR_OF[TAG_OF[one.keyword]]) for one in attributes),
    )
    for level, attributes in ATTRIBUTES.items()
}


def item(row: Row, levels: Sequence[Level] = LEVELS) -> Item:
    """Return what the index knows of a row: the attributes of those of `levels` that the row has."""
    series = row.series if isinstance(row, InstanceRow) else row
    study = series.study if isinstance(series, SeriesRow) else series
    sources: dict[Level, Row] = {"patient": study, "study": study}
    if isinstance(series, SeriesRow):
        sources["series"] = series
    if isinstance(row, InstanceRow):
        sources["instance"] = row
    found: Item = {**CHARACTER_SET, **ONLINE}
    for level in levels:
        if (source := sources.get(level)) is not None:
            read, columns = _COLUMNS[level]
            for (tag, vr), value in zip(columns, read(source), strict=True):
                found[tag] = element(vr, value)
    return found


def element(vr: str, value: str | int | Sequence[str] | None) -> Item:
    """Return one attribute; without a value when there is none."""
    if vr == "PN":
        return name(str(value))
    if value is None or value in ("", ()):
        return {"vr": vr}
    return {"vr": vr, "Value": list(value) if isinstance(value, tuple) else [value]}


def name(text: str) -> Item:
    """Return one name with its component groups."""
    parts = zip(("Alphabetic", "Ideographic", "Phonetic"), groups(text), strict=True)
    value = {key: part for key, part in parts if part}
    return {"vr": "PN", "Value": [value]} if value else {"vr": "PN"}
