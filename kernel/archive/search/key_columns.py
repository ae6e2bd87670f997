"""Which matching key is answered by which column, at each level; everything else is looked for in stored DICOM JSON."""

from collections.abc import Container, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement

from kernel.archive.tables import instance, series, study, study_modality
from kernel.dicom.vocabulary.levels import Level

_STUDY: Final[Mapping[str, ColumnElement[Any]]] = {
    "StudyInstanceUID": study.c.study_instance_uid,
    "StudyDate": study.c.study_date,
    "StudyTime": study.c.study_time,
    "AccessionNumber": study.c.accession_number,
    "StudyID": study.c.study_id,
    "StudyDescription": study.c.study_description,
    "ReferringPhysicianName": study.c.referring_fold,
    "PatientName": study.c.name_fold,
    "PatientID": study.c.patient_id,
    "IssuerOfPatientID": study.c.issuer,
    "PatientBirthDate": study.c.patient_birth_date,
    "PatientSex": study.c.patient_sex,
    "ModalitiesInStudy": study_modality.c.modality,
    "SOPClassesInStudy": instance.c.sop_class_uid,
}
_SERIES: Final[Mapping[str, ColumnElement[Any]]] = {
    **_STUDY,
    "SeriesInstanceUID": series.c.series_instance_uid,
    "Modality": series.c.modality,
    "SeriesNumber": series.c.series_number,
    "SeriesDescription": series.c.series_description,
    "BodyPartExamined": series.c.body_part_examined,
    "SeriesDate": series.c.series_date,
    "SeriesTime": series.c.series_time,
}
_INSTANCE: Final[Mapping[str, ColumnElement[Any]]] = {
    **_SERIES,
    "SOPInstanceUID": instance.c.sop_instance_uid,
    "SOPClassUID": instance.c.sop_class_uid,
    "InstanceNumber": instance.c.instance_number,
}
_PATIENT: Final = {
    keyword: _STUDY[keyword]
    for keyword in ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
}
COLUMNS: Final[Mapping[Level, Mapping[str, ColumnElement[Any]]]] = {
    "patient": _PATIENT,
    "study": _STUDY,
    "series": _SERIES,
    "instance": _INSTANCE,
}
EVERY: Final[Container[str]] = frozenset(_INSTANCE)
