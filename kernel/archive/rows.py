"""Pure: a received instance as the values of its rows."""

from datetime import datetime
from typing import Any, Final

from kernel.archive.records import Received
from kernel.archive.tables import PRIORITY_ROUTINE, worklist_rank
from kernel.dicom.scanning.attributes import PatientAttributes
from kernel.dicom.vocabulary.names import fold

INTEGER_MAX: Final = 2**31 - 1


def series_key(received: Received) -> tuple[str, str, str]:
    """Return (site, Study Instance UID, Series Instance UID)."""
    attributes = received.attributes
    return received.origin.site, attributes.study.study_instance_uid, attributes.series.series_instance_uid


def instance_key(received: Received) -> tuple[str, str]:
    """Return (site, SOP Instance UID)."""
    return received.origin.site, received.attributes.sop_instance_uid


def patient_of(person: PatientAttributes) -> tuple[str, str]:
    """Return (issuer, Patient ID) as they are compared and kept."""
    return clean(person.issuer_of_patient_id), clean(person.patient_id)


def patient_values(received: Received) -> dict[str, Any]:
    """Return a row of `patient`."""
    person = received.attributes.patient
    issuer, patient_id = patient_of(person)
    return {
        "site": received.origin.site,
        "issuer": issuer,
        "patient_id": patient_id,
        "only_in_study": "" if patient_id else received.attributes.study.study_instance_uid,
        "patient_name": clean(person.patient_name),
        "name_fold": fold(clean(person.patient_name)),
        "patient_birth_date": clean(person.patient_birth_date),
        "patient_sex": clean(person.patient_sex),
    }


def study_values(received: Received) -> dict[str, Any]:
    """Return a row of `study` without its patient's key and its trace; no instance is counted yet."""
    described = received.attributes.study
    person = patient_values(received)
    del person["only_in_study"]
    return {
        **person,
        "study_instance_uid": described.study_instance_uid,
        "study_date": clean(described.study_date),
        "study_time": clean(described.study_time),
        "accession_number": clean(described.accession_number),
        "study_id": clean(described.study_id),
        "study_description": clean(described.study_description),
        "referring_physician_name": clean(described.referring_physician_name),
        "referring_fold": fold(clean(described.referring_physician_name)),
        "first_received_at": received.received_at,
        "last_received_at": received.received_at,
        **urgency(PRIORITY_ROUTINE, received.received_at),
    }


def urgency(priority: int, first_received_at: datetime) -> dict[str, int]:
    """Return the two columns of `study` that always change together."""
    return {"priority": priority, "worklist_rank": worklist_rank(priority, first_received_at)}


def series_values(received: Received) -> dict[str, Any]:
    """Return a row of `series` without its study's key."""
    described = received.attributes.series
    return {
        "series_instance_uid": described.series_instance_uid,
        "modality": clean(described.modality),
        "series_number": bounded(described.series_number),
        "series_description": clean(described.series_description),
        "body_part_examined": clean(described.body_part_examined),
        "series_date": clean(described.series_date),
        "series_time": clean(described.series_time),
        "last_received_at": received.received_at,
    }


def instance_values(received: Received, series_pk: int) -> dict[str, Any]:
    """Return a row of `instance`."""
    attributes = received.attributes
    return {
        "series_pk": series_pk,
        "site": received.origin.site,
        "sop_instance_uid": attributes.sop_instance_uid,
        "sop_class_uid": attributes.sop_class_uid,
        "transfer_syntax_uid": attributes.transfer_syntax_uid,
        "instance_number": bounded(attributes.instance_number),
        "number_of_frames": bounded(attributes.number_of_frames) or 1,
        "rows": bounded(attributes.rows),
        "columns": bounded(attributes.columns),
        "bits_allocated": bounded(attributes.bits_allocated),
        "photometric_interpretation": clean(attributes.photometric_interpretation or "") or None,
        "has_pixels": attributes.has_pixels,
        "shows_label": attributes.shows_label,
        "size_bytes": received.size_bytes,
        "dataset_offset": received.dataset_offset,
        "sha256": received.sha256,
        "blob_key": received.blob_key,
        "received_at": received.received_at,
        "metadata": received.metadata,
    }


def conflict_values(received: Received, first_instance_pk: int) -> dict[str, Any]:
    """Return a row of `conflict`."""
    attributes, origin = received.attributes, received.origin
    return {
        "site": origin.site,
        "sop_instance_uid": attributes.sop_instance_uid,
        "study_instance_uid": attributes.study.study_instance_uid,
        "series_instance_uid": attributes.series.series_instance_uid,
        "sop_class_uid": attributes.sop_class_uid,
        "transfer_syntax_uid": attributes.transfer_syntax_uid,
        "first_instance_pk": first_instance_pk,
        "sha256": received.sha256,
        "blob_key": received.blob_key,
        "size_bytes": received.size_bytes,
        "dataset_offset": received.dataset_offset,
        "received_at": received.received_at,
        "channel": origin.channel,
        "peer": clean(origin.peer),
        "address": clean(origin.address),
    }


def clean(value: str) -> str:
    """Return text that both engines take: PostgreSQL has no NUL in text."""
    return value.replace("\0", "") if "\0" in value else value


def bounded(number: int | None) -> int | None:
    """Return a number that fits its column; an absurd one counts as absent."""
    return number if number is not None and -INTEGER_MAX <= number <= INTEGER_MAX else None
