"""Rows of a search as DICOM JSON objects (PS3.18 tables 10.6.3-3 to 10.6.3-5). Pure.

Attributes that the standard requires are there even when empty; texts are UTF-8 (ISO_IR 192). Tags ascend.
"""

from collections.abc import Sequence
from typing import Any, Final

from kernel.archive.search import InstanceRow, SeriesRow, StudyRow
from kernel.dicom.names import groups

Item = dict[str, Any]
_CHARSET: Final[Item] = {"vr": "CS", "Value": ["ISO_IR 192"]}
_ONLINE: Final[Item] = {"vr": "CS", "Value": ["ONLINE"]}


def study_item(row: StudyRow, study_url: str) -> Item:
    """Return a study; `study_url` is its Retrieve URL."""
    return {
        "00080005": _CHARSET,
        "00080020": _element("DA", row.study_date),
        "00080030": _element("TM", row.study_time),
        "00080050": _element("SH", row.accession_number),
        "00080056": _ONLINE,
        "00080061": _values("CS", row.modalities),
        "00080090": _name(row.referring_physician_name),
        "00081030": _element("LO", row.study_description),
        "00081190": _element("UR", study_url),
        "00100010": _name(row.patient_name),
        "00100020": _element("LO", row.patient_id),
        "00100021": _element("LO", row.issuer),
        "00100030": _element("DA", row.patient_birth_date),
        "00100040": _element("CS", row.patient_sex),
        "0020000D": _element("UI", row.study_instance_uid),
        "00200010": _element("SH", row.study_id),
        "00201206": _element("IS", row.number_of_series),
        "00201208": _element("IS", row.number_of_instances),
    }


def series_item(row: SeriesRow, study_url: str, *, with_study: bool) -> Item:
    """Return a series, with the attributes of its study when the request did not name it."""
    item = {
        "00080005": _CHARSET,
        "00080021": _element("DA", row.series_date),
        "00080031": _element("TM", row.series_time),
        "00080056": _ONLINE,
        "00080060": _element("CS", row.modality),
        "0008103E": _element("LO", row.series_description),
        "00081190": _element("UR", f"{study_url}/series/{row.series_instance_uid}"),
        "00180015": _element("CS", row.body_part_examined),
        "0020000D": _element("UI", row.study.study_instance_uid),
        "0020000E": _element("UI", row.series_instance_uid),
        "00200011": _element("IS", row.series_number),
        "00201209": _element("IS", row.number_of_instances),
    }
    return _ordered(study_item(row.study, study_url) | item) if with_study else item


def instance_item(row: InstanceRow, study_url: str, *, with_study: bool, with_series: bool) -> Item:
    """Return an instance, with the attributes of its study and series when the request did not name them."""
    series = row.series
    item = {
        "00080005": _CHARSET,
        "00080016": _element("UI", row.sop_class_uid),
        "00080018": _element("UI", row.sop_instance_uid),
        "00080056": _ONLINE,
        "00081190": _element("UR", f"{study_url}/series/{series.series_instance_uid}/instances/{row.sop_instance_uid}"),
        "00083002": _element("UI", row.transfer_syntax_uid),
        "0020000D": _element("UI", series.study.study_instance_uid),
        "0020000E": _element("UI", series.series_instance_uid),
        "00200013": _element("IS", row.instance_number),
        "00280008": _element("IS", row.number_of_frames),
        "00280010": _element("US", row.rows),
        "00280011": _element("US", row.columns),
        "00280100": _element("US", row.bits_allocated),
    }
    if with_series:
        return _ordered(series_item(series, study_url, with_study=with_study) | item)
    return item


def _ordered(item: Item) -> Item:
    return dict(sorted(item.items()))


def _element(vr: str, value: str | int | None) -> Item:
    return {"vr": vr} if value is None or value == "" else {"vr": vr, "Value": [value]}


def _values(vr: str, values: Sequence[str]) -> Item:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def _name(text: str) -> Item:
    parts = zip(("Alphabetic", "Ideographic", "Phonetic"), groups(text), strict=True)
    value = {key: part for key, part in parts if part}
    return {"vr": "PN", "Value": [value]} if value else {"vr": "PN"}
