"""The vault's ways back from what was deleted for good: when a patient's right to erasure is the reason.

Otherwise they stay, for a report about a delivered copy may still come home. A record is found by the blind index of its
token, which is recomputed; nothing is opened. A token that something else here still needs keeps its record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, delete, func, select

from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.patient import pseudonym_of
from anonymizer.pseudonyms.vault import VaultKind, blind_index
from kernel.archive.deletion.removal import Doomed
from kernel.archive.tables import instance, series, study
from routing.tables import derived, vault_entry


@dataclass(frozen=True, slots=True)
class GoneCopy:
    """A pseudonymised copy whose row was removed."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


def erase(connection: Connection, doomed: Doomed, copies: Sequence[GoneCopy], keys: Keys) -> None:
    """Remove the records that lead from copies back to a patient; called after the copies' rows are gone."""
    tokens = {(VaultKind.UID, copy.sop_instance_uid) for copy in copies}
    for uid in {copy.series_instance_uid for copy in copies}:
        if not _is_used(connection, doomed.site, derived.c.new_series_instance_uid == uid):
            tokens.add((VaultKind.UID, uid))
    for uid in {copy.study_instance_uid for copy in copies}:
        if not _is_used(connection, doomed.site, derived.c.new_study_instance_uid == uid):
            tokens |= {(VaultKind.UID, uid), (VaultKind.STUDY, uid)}
    if _is_last(connection, doomed):
        tokens |= {(VaultKind.PATIENT, pseudonym) for pseudonym in _pseudonyms(connection, doomed, keys)}
    for kind, token in sorted(tokens):
        connection.execute(
            delete(vault_entry).where(
                vault_entry.c.site == doomed.site,
                vault_entry.c.kind == kind.value,
                vault_entry.c.blind_index == blind_index(kind, token, keys),
            )
        )


def _is_used(connection: Connection, site: str, same: ColumnElement[bool]) -> bool:
    return connection.scalar(select(derived.c.site).where(derived.c.site == site, same).limit(1)) is not None


def _is_last(connection: Connection, doomed: Doomed) -> bool:
    """Whether nothing of the patient stays at this site: the whole study goes, and there is no other."""
    count = select(func.count()).join_from(instance, series).where(series.c.study_pk == doomed.study_pk)
    others = select(study.c.pk).where(study.c.patient_pk == doomed.patient_pk, study.c.pk != doomed.study_pk).limit(1)
    return connection.scalar(count) == len(doomed.instances) and connection.scalar(others) is None


def _pseudonyms(connection: Connection, doomed: Doomed, keys: Keys) -> list[str]:
    """Return every pseudonym that the patient ever had here."""
    row = connection.execute(select(study).where(study.c.pk == doomed.study_pk)).one()
    identity = {
        "PatientID": row.patient_id,
        "IssuerOfPatientID": row.issuer,
        "PatientName": row.patient_name,
        "PatientBirthDate": row.patient_birth_date,
    }
    made_by = (keys, *(replace(keys, pseudonym=key) for key in keys.older_pseudonyms))
    return [pseudonym_of(identity, doomed.study_instance_uid, one, doomed.site) for one in made_by]
