"""The way back of an object that came home: only if its study left this site, for the pseudonym that the object names.

Every answer leaves an audit line, durable before anything is led back; it names the pseudonym and UIDs, nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select

from anonymizer.pseudonyms.identifiers import is_pseudonym
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, blind_index, open_sealed
from anonymizer.reidentify.dicom import Named
from anonymizer.reidentify.way_back import WayBack
from kernel.archive.tables import study
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.database import Database
from kernel.errors import LimitExceeded
from routing.tables import vault_entry
from routing.vault import Asker, sealed_of

TOKENS_MAX: Final = 20_000  # that one object may name
AT_ONCE: Final = 500  # records in one question
NO_PSEUDONYM, UNKNOWN_PSEUDONYM = "no-pseudonym", "unknown-pseudonym"  # why an object does not come home
UNKNOWN_STUDY, OTHER_PATIENT = "unknown-study", "other-patient"
UNKNOWN_UID: Final = "unknown-uid"
Token = tuple[VaultKind, str]


def way_back(
    db: Database, keys: Keys, named: Named, asker: Asker, *, now: datetime, is_message: bool = False
) -> WayBack | str:
    """Return the way back of an object that came home, or in a word why it has none; audited either way.

    An object brings UIDs of its own: those of what others made. A message makes nothing, so every UID in it that may be
    of a de-identification must be one that left, or that came home before.

    Raises
    ------
    LimitExceeded
        It names more than `TOKENS_MAX` things.
    VaultDamaged
        A record does not open with these keys.
    """
    tokens: list[Token] = [(VaultKind.STUDY, uid) for uid in sorted({named.study_instance_uid, *named.studies})]
    tokens += [(VaultKind.UID, uid) for uid in sorted(named.uids)]
    if len(tokens) > TOKENS_MAX:
        raise LimitExceeded(limit="TOKENS_MAX", value=len(tokens), bound=TOKENS_MAX)
    is_one = is_pseudonym(named.patient_id)
    found = opened(db, keys, [(VaultKind.PATIENT, named.patient_id), *tokens] if is_one else [])
    refusal = _objection(named, {token: entry for token, (entry, _) in found.items()}, is_one=is_one)
    if not refusal and is_message and any((VaultKind.UID, uid) not in found for uid in named.uids):
        refusal = UNKNOWN_UID
    if refusal:
        note_refusal(db, keys.site, asker, refusal, now=now)
        return refusal
    left, at = found[VaultKind.STUDY, named.study_instance_uid]
    own_study, own_patient = _own(db, keys.site, left.identity.get("StudyInstanceUID", ""))
    told = replace(_line(keys.site, asker, now), study_instance_uid=left.identity.get("StudyInstanceUID", ""))
    told = replace(told, detail={**told.detail, "token": named.patient_id})
    db.write(lambda connection: append(connection, told))
    return WayBack(
        pseudonym=named.patient_id,
        identity={**found[VaultKind.PATIENT, named.patient_id][0].identity, **own_patient},
        study={**left.identity, **own_study},
        uids={token: entry.identity["UID"] for (kind, token), (entry, _) in found.items() if kind is VaultKind.UID},
        shift_days=int(left.identity.get("ShiftDays", "0")),
        released_on=at.date(),
    )


def _objection(named: Named, found: dict[Token, VaultEntry], *, is_one: bool) -> str:
    if not is_one:
        return NO_PSEUDONYM
    if (VaultKind.PATIENT, named.patient_id) not in found:
        return UNKNOWN_PSEUDONYM
    if (VaultKind.STUDY, named.study_instance_uid) not in found:
        return UNKNOWN_STUDY
    of = {entry.identity.get("Pseudonym", "") for (kind, _), entry in found.items() if kind is VaultKind.STUDY}
    return "" if of == {named.patient_id} else OTHER_PATIENT


def note_refusal(db: Database, site: str, asker: Asker, why: str, *, now: datetime) -> None:
    """Write an audit line about an object that is not led home; durable on return."""
    line = _line(site, asker, now)
    refused = replace(line, outcome=AuditOutcome.MINOR_FAILURE, detail={**line.detail, "why": why})
    db.write(lambda connection: append(connection, refused))


def _line(site: str, asker: Asker, now: datetime) -> Line:
    detail = {"vault": "returned", "reason": asker.reason}
    return Line(now, Action.EXPORT, asker.who, role=asker.role, site=site, address=asker.address, detail=detail)


def opened(db: Database, keys: Keys, tokens: Iterable[Token]) -> dict[Token, tuple[VaultEntry, datetime]]:
    """Return the records of tokens, each with when it was made; for who has written, or will write, an audit line."""
    by_index = {blind_index(kind, token, keys): (kind, token) for kind, token in tokens}
    rows: list[Row[Any]] = []
    with db.read() as connection:
        for kind in VaultKind:
            indexes = [index for index, (of, _) in by_index.items() if of is kind]
            for start in range(0, len(indexes), AT_ONCE):
                rows += connection.execute(of_indexes(keys.site, kind, indexes[start : start + AT_ONCE])).all()
    return {by_index[row.blind_index]: (open_sealed(sealed_of(row), keys), row.at) for row in rows}


def of_indexes(site: str, kind: VaultKind, indexes: Sequence[bytes]) -> Select[Any]:
    """Return the question for records by their whole key: without the kind it would read all of a site's."""
    here = vault_entry.c.site == site, vault_entry.c.kind == kind.value
    return select(vault_entry).where(*here, vault_entry.c.blind_index.in_(indexes))


def _own(db: Database, site: str, study_instance_uid: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the site's own index says of a study and its patient today; empty when it is gone."""
    with db.read() as connection:
        row = connection.execute(
            select(study).where(study.c.site == site, study.c.study_instance_uid == study_instance_uid)
        ).one_or_none()
    if row is None:
        return {}, {}
    of_study = {
        "StudyDate": row.study_date,
        "StudyTime": row.study_time,
        "AccessionNumber": row.accession_number,
        "StudyID": row.study_id,
        "StudyDescription": row.study_description,
    }
    of_patient = {
        "PatientName": row.patient_name,
        "PatientID": row.patient_id,
        "IssuerOfPatientID": row.issuer,
        "PatientBirthDate": row.patient_birth_date,
        "PatientSex": row.patient_sex,
    }
    return of_study, of_patient
