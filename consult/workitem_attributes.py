"""The attributes of a UPS work item (PS3.4 CC.2) by name, and their values read and written in its DICOM JSON. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from consult.workitem_model import Model
from kernel.dicom.queries.identifier import texts
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.errors import InvalidRequest


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


def of_value(vr: str, value: str) -> dict[str, Any]:
    """Return an element of one value."""
    return {"vr": vr, "Value": [value]}


def moment(at: datetime) -> dict[str, Any]:
    """Return a DT element in UTC."""
    return of_value("DT", at.strftime("%Y%m%d%H%M%S.%f+0000"))


_NAMES: Final = {f"{number:08X}": keyword for keyword, number in TAG_OF.items()}


def name_of(key: str) -> str:
    """Return the keyword of a DICOM JSON key."""
    return _NAMES.get(key, key)
