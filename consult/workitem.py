"""A UPS work item (PS3.4 CC.2, PS3.3 B.26) as rules over its DICOM JSON: states, the lock, what must be known when. Pure.

    SCHEDULED -> IN PROGRESS -> COMPLETED | CANCELED

Whoever takes a work item gives a Transaction UID; from then on only who knows it may change the work item.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from kernel.dicom.dictionary import LONG_VRS, SHORT_VRS, TAG_OF, VR_OF
from kernel.dicom.identifier import texts
from kernel.dicom.uids import check_uid
from kernel.errors import InvalidRequest, Refused, TransactionRefused, WorkitemConflict

Model = dict[str, Any]

UPS_PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"  # SOP class of every work item
ELEMENTS_MAX: Final = 20_000  # of one work item, with its sequences
DEPTH_MAX: Final = 16
_KEY: Final = re.compile(r"[0-9A-F]{8}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_VRS: Final = SHORT_VRS | LONG_VRS
_GROUPS: Final = frozenset({"Alphabetic", "Ideographic", "Phonetic"})  # of a name


class State(StrEnum):
    """Procedure Step State (0074,1000)."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


FINAL: Final = frozenset({State.COMPLETED, State.CANCELED})


def tag(keyword: str) -> str:
    """Return the DICOM JSON key of an attribute."""
    return f"{TAG_OF[keyword]:08X}"


STATE: Final = tag("ProcedureStepState")
TRANSACTION_UID: Final = tag("TransactionUID")
INSTANCE: Final = tag("SOPInstanceUID")
CLASS: Final = tag("SOPClassUID")
READINESS: Final = tag("InputReadinessState")
PROGRESS: Final = tag("ProcedureStepProgressInformationSequence")
PERFORMED: Final = tag("UnifiedProcedureStepPerformedProcedureSequence")
START: Final = tag("ScheduledProcedureStepStartDateTime")
MODIFIED: Final = tag("ScheduledProcedureStepModificationDateTime")
LABEL: Final = tag("WorklistLabel")
REASON: Final = tag("ReasonForCancellation")
CANCELED_AT: Final = tag("ProcedureStepCancellationDateTime")
STATIONS: Final = tag("ScheduledStationNameCodeSequence")
PERFORMERS: Final = tag("ScheduledHumanPerformersSequence")

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


def checked(model: Any) -> Model:
    """Return a DICOM JSON object of a stranger, or say that it is none; bulk data has no place in a work item.

    Raises
    ------
    InvalidRequest
        It is no data set, too large, or too deep.
    """
    left = [ELEMENTS_MAX]
    return _checked(model, left, 0)


def _checked(model: Any, left: list[int], depth: int) -> Model:
    if not isinstance(model, dict) or depth > DEPTH_MAX:
        raise InvalidRequest(reason="the body is no DICOM JSON object, or too deep")
    found: Model = {}
    for key, element in sorted(model.items()):
        left[0] -= 1
        if left[0] < 0:
            raise InvalidRequest(reason=f"more than {ELEMENTS_MAX} attributes")
        if not isinstance(key, str) or not _KEY.fullmatch(key.upper()) or not isinstance(element, dict):
            raise InvalidRequest(reason="a key of the body is no tag, or its attribute no object")
        values = element.get("Value", [])
        if "BulkDataURI" in element or not isinstance(values, list) or not _is_vr_of(key, element.get("vr")):
            raise InvalidRequest(
                reason="an attribute of the body has no VR of its own, no list of values, or bulk data"
            )
        if key == "00080005" or key.endswith("0000"):
            continue
        if element["vr"] == "SQ":
            items = [_checked(item if item is not None else {}, left, depth + 1) for item in values]
            found[key.upper()] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        else:
            binary = element.get("InlineBinary", "")
            if not all(_is_value(element["vr"], value) for value in values) or not _is_base64(binary):
                raise InvalidRequest(reason="a value of the body is none of its VR")
            found[key.upper()] = {name: element[name] for name in ("vr", "Value", "InlineBinary") if name in element}
    return found


def _is_vr_of(key: str, vr: Any) -> bool:
    """Whether a VR is one, and is a sequence's if the attribute is one: who reads it later relies on that."""
    usual = VR_OF.get(int(key, 16), "")
    return isinstance(vr, str) and vr in _VRS and (not usual or (vr == "SQ") == (usual == "SQ"))


def _is_value(vr: str, value: Any) -> bool:
    if vr == "PN" and isinstance(value, dict):
        name = cast("dict[str, Any]", value)
        return name.keys() <= _GROUPS and all(isinstance(group, str) for group in name.values())
    return value is None or (vr != "PN" and isinstance(value, str | int | float))


def _is_base64(text: Any) -> bool:
    return isinstance(text, str) and _BASE64.fullmatch(text) is not None


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
            raise InvalidRequest(reason=f"{_name(key)} {reason}")
    if text(model, TRANSACTION_UID):
        raise InvalidRequest(reason="TransactionUID may not have a value: nobody has taken the work item yet")
    for key in (PROGRESS, PERFORMED):
        if model.get(key, {}).get("Value"):
            raise InvalidRequest(reason=f"{_name(key)} must be empty: nothing was done yet")
    if text(model, INSTANCE) not in ("", uid):
        raise InvalidRequest(reason="SOPInstanceUID differs from the URL")
    item = {key: element for key, element in model.items() if key != TRANSACTION_UID}
    modified = not text(item, LABEL)
    if modified:
        item[LABEL] = _of("LO", "worklist")
    item[CLASS], item[INSTANCE] = _of("UI", UPS_PUSH), _of("UI", uid)
    item.setdefault(PROGRESS, {"vr": "SQ"})
    item.setdefault(PERFORMED, {"vr": "SQ"})
    item[MODIFIED] = _of("DT", _moment(at))
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
            raise InvalidRequest(reason=f"{_name(key)} may not be updated")
    if state is State.SCHEDULED and any(change.get(key, {}).get("Value") for key in (PROGRESS, PERFORMED)):
        raise WorkitemConflict(warning=NOT_CLAIMED)
    allowed = _AT_CREATION[READINESS]
    if READINESS in change and text(change, READINESS) not in allowed:
        raise InvalidRequest(reason=f"InputReadinessState must be one of {', '.join(sorted(allowed))}")
    return dict(sorted({**known, **change, MODIFIED: _of("DT", _moment(at))}.items()))


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
        return {**known, STATE: _of("CS", asked.value)}
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
        progress[CANCELED_AT] = _of("DT", _moment(at))
    if reason and not text(progress, REASON):
        progress[REASON] = _of("LT", reason)
    return {
        **known,
        STATE: _of("CS", State.CANCELED.value),
        PROGRESS: {"vr": "SQ", "Value": [dict(sorted(progress.items()))]},
    }


def _completed(known: Model) -> Model:
    performed = next(iter(known.get(PERFORMED, {}).get("Value", ())), None)
    if performed is None or any(not performed.get(key, {}).get("Value") for key in _AT_COMPLETION):
        raise WorkitemConflict(warning=INCONSISTENT_INSTANCE)
    return {**known, STATE: _of("CS", State.COMPLETED.value)}


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


def state_of(model: Model) -> State:
    """Return where a work item stands. Raises InvalidRequest for a request's that is none."""
    try:
        return State(text(model, STATE))
    except ValueError:
        reason = "ProcedureStepState must be IN PROGRESS, COMPLETED or CANCELED"
        raise InvalidRequest(reason=reason) from None


def text(model: Model, key: str) -> str:
    """Return the first value of an attribute, empty when there is none."""
    return next(iter(texts(model.get(key))), "")


def _of(vr: str, value: str) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def _moment(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S.%f+0000")


_NAMES: Final = {f"{number:08X}": keyword for keyword, number in TAG_OF.items()}


def _name(key: str) -> str:
    return _NAMES.get(key, key)
