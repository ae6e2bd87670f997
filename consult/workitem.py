"""A UPS work item (PS3.4 CC.2, PS3.3 B.26) as rules over its DICOM JSON: states, the lock, what must be known when. Pure.

    SCHEDULED -> IN PROGRESS -> COMPLETED | CANCELED

Whoever takes a work item gives a Transaction UID; from then on only who knows it may change the work item.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from consult.workitem_attributes import (
    CANCELED_AT,
    CLASS,
    FINAL,
    INSTANCE,
    LABEL,
    MODIFIED,
    PERFORMED,
    PROGRESS,
    READINESS,
    REASON,
    START,
    STATE,
    TRANSACTION_UID,
    State,
    moment,
    name_of,
    of_value,
    state_of,
    tag,
    text,
)
from consult.workitem_model import Model
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidRequest, Refused, TransactionRefused, WorkitemConflict

UPS_PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"  # SOP class of every work item


# Type 1 of N-CREATE (PS3.4 table CC.2.5-3), and the values that a coded one may have.
_AT_CREATION: Final[Mapping[str, frozenset[str]]] = {
    tag("ScheduledProcedureStepPriority"): frozenset({"HIGH", "MEDIUM", "LOW"}),
    tag("ProcedureStepLabel"): frozenset(),
    START: frozenset(),
    READINESS: frozenset({"INCOMPLETE", "UNAVAILABLE", "READY"}),
    STATE: frozenset({State.SCHEDULED.value}),
}
# Required of a completed item's Performed Procedure Sequence (the same table, column Final State).
_AT_COMPLETION: Final = tuple(
    map(
        tag,
        (
            "PerformedProcedureStepStartDateTime",
            "PerformedProcedureStepEndDateTime",
            "PerformedStationNameCodeSequence",
            "PerformedWorkitemCodeSequence",
        ),
    )
)
# What Update may not change: whose it is, what asked for it, and what only other transactions change.
_FIXED: Final = frozenset(
    {
        STATE,
        INSTANCE,
        CLASS,
        MODIFIED,
        *map(tag, ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")),
        *map(tag, ("ReferencedRequestSequence", "AdmissionID", "StudyInstanceUID")),
    }
)

INCONSISTENT: Final = "The submitted request is inconsistent with the current state of the Workitem."
INCONSISTENT_INSTANCE: Final = "The submitted request is inconsistent with the state of the UPS Instance."
NOT_CLAIMED: Final = "The target URI did not reference a claimed Workitem."
MISSING: Final = "The Transaction UID is missing."
INCORRECT: Final = "The Transaction UID is incorrect."
ALREADY: Final = "The UPS is already in the requested state of {state}."
CREATED_WITH_MODIFICATIONS: Final = "The Workitem was created with modifications."
UPDATED_WITH_MODIFICATIONS: Final = "The Workitem was updated with modifications."


def created(model: Model, uid: str, at: datetime) -> tuple[Model, bool]:
    """Return a new work item, and whether anything was added that its creator left out.

    Raises
    ------
    InvalidRequest
        An attribute is missing or may not be given.
    """
    for key, allowed in _AT_CREATION.items():
        value = text(model, key)
        if not value or (allowed and value not in allowed):
            reason = f"must be one of {', '.join(sorted(allowed))}" if allowed else "is missing"
            raise InvalidRequest(reason=f"{name_of(key)} {reason}")
    if text(model, TRANSACTION_UID):
        raise InvalidRequest(reason="TransactionUID may not have a value: nobody has taken the work item yet")
    for key in (PROGRESS, PERFORMED):
        if model.get(key, {}).get("Value"):
            raise InvalidRequest(reason=f"{name_of(key)} must be empty: nothing was done yet")
    if text(model, INSTANCE) not in ("", uid):
        raise InvalidRequest(reason="SOPInstanceUID differs from the URL")
    item = {key: element for key, element in model.items() if key != TRANSACTION_UID}
    modified = not text(item, LABEL)
    if modified:
        item[LABEL] = of_value("LO", "worklist")
    item[CLASS], item[INSTANCE] = of_value("UI", UPS_PUSH), of_value("UI", uid)
    item.setdefault(PROGRESS, {"vr": "SQ"})
    item.setdefault(PERFORMED, {"vr": "SQ"})
    item[MODIFIED] = moment(at)
    return dict(sorted(item.items())), modified


def updated(known: Model, change: Model, lock: str, transaction_uid: str, at: datetime) -> Model:
    """Return a work item after Update Workitem (PS3.18 11.6); `lock` is the Transaction UID of who has taken it.

    Raises
    ------
    WorkitemConflict
        It has ended, or nobody has taken it and a Transaction UID was given.
    TransactionRefused
        It was taken, and the Transaction UID is absent or another one.
    InvalidRequest
        It changes what may not be changed so.
    """
    state = state_of(known)
    if state in FINAL:
        raise WorkitemConflict(warning=INCONSISTENT)
    if state is State.SCHEDULED and transaction_uid:
        raise WorkitemConflict(warning=NOT_CLAIMED)
    if state is State.IN_PROGRESS:
        _require_lock(lock, transaction_uid)
    change = {key: element for key, element in change.items() if key != TRANSACTION_UID}
    for key in _FIXED & change.keys():
        if key != MODIFIED and change[key] != known.get(key):
            raise InvalidRequest(reason=f"{name_of(key)} may not be updated")
    if state is State.SCHEDULED and any(change.get(key, {}).get("Value") for key in (PROGRESS, PERFORMED)):
        raise WorkitemConflict(warning=NOT_CLAIMED)
    allowed = _AT_CREATION[READINESS]
    if READINESS in change and text(change, READINESS) not in allowed:
        raise InvalidRequest(reason=f"InputReadinessState must be one of {', '.join(sorted(allowed))}")
    return dict(sorted({**known, **change, MODIFIED: moment(at)}.items()))


def advanced(known: Model, asked: State, lock: str, transaction_uid: str, at: datetime) -> Model | None:
    """Return a work item after Change Workitem State (PS3.18 11.7); None when it is already in the state asked for.

    Raises
    ------
    TransactionRefused
        The Transaction UID is absent, or not that of who has taken it.
    WorkitemConflict
        The state does not follow, or what must be known at the end is not.
    """
    state = state_of(known)
    if not transaction_uid:
        raise TransactionRefused(warning=MISSING)
    if state is State.SCHEDULED and asked is State.IN_PROGRESS:
        return {**known, STATE: of_value("CS", asked.value)}
    if state is State.SCHEDULED or asked not in FINAL:
        raise WorkitemConflict(warning=INCONSISTENT_INSTANCE)
    _require_lock(lock, transaction_uid)
    if state is asked:
        return None
    if state in FINAL:
        raise WorkitemConflict(warning=INCONSISTENT_INSTANCE)
    return canceled(known, at) if asked is State.CANCELED else _completed(known)


def canceled(known: Model, at: datetime, reason: str = "") -> Model:
    """Return a work item that was canceled; when and why, if nobody said so yet (PS3.4 CC.2.1.3)."""
    progress = dict(next(iter(known.get(PROGRESS, {}).get("Value", ())), {}))
    if not text(progress, CANCELED_AT):
        progress[CANCELED_AT] = moment(at)
    if reason and not text(progress, REASON):
        progress[REASON] = of_value("LT", reason)
    return {
        **known,
        STATE: of_value("CS", State.CANCELED.value),
        PROGRESS: {"vr": "SQ", "Value": [dict(sorted(progress.items()))]},
    }


def _completed(known: Model) -> Model:
    performed = next(iter(known.get(PERFORMED, {}).get("Value", ())), None)
    if performed is None or any(not performed.get(key, {}).get("Value") for key in _AT_COMPLETION):
        raise WorkitemConflict(warning=INCONSISTENT_INSTANCE)
    return {**known, STATE: of_value("CS", State.COMPLETED.value)}


def _require_lock(lock: str, transaction_uid: str) -> None:
    if not transaction_uid:
        raise TransactionRefused(warning=MISSING)
    if transaction_uid != lock:
        raise TransactionRefused(warning=INCORRECT)


def transaction_of(model: Model) -> str:
    """Return the Transaction UID that a request gives, empty when it gives none. Raises TransactionRefused."""
    value = text(model, TRANSACTION_UID)
    try:
        return check_uid(value, "TransactionUID") if value else ""
    except Refused:
        raise TransactionRefused(warning=INCORRECT) from None
