"""Event reports of work items (PS3.4 CC.2.4, PS3.18 11.13) as DICOM JSON. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from consult.workitem_attributes import PERFORMERS, PROGRESS, READINESS, REASON, STATE, STATIONS, tag, text
from consult.workitem_model import Model

UPS_EVENT: Final = "1.2.840.10008.5.1.4.34.6.4"
STATE_REPORT: Final = 1
CANCEL_REQUESTED: Final = 2
PROGRESS_REPORT: Final = 3
ASSIGNED: Final = 5
_DISCONTINUATION: Final = tag("ProcedureStepDiscontinuationReasonCodeSequence")
_ASKED_BY: Final = (tag("RequestingAE"), REASON, tag("ContactURI"), tag("ContactDisplayName"), _DISCONTINUATION)


def state_report(uid: str, model: Model) -> Model:
    """Return the report of a work item's state."""
    progress: Model = next(iter(model.get(PROGRESS, {}).get("Value", ())), {})
    told = {key: progress[key] for key in (REASON, _DISCONTINUATION) if key in progress}
    return _report(uid, STATE_REPORT, {STATE: model[STATE], READINESS: model.get(READINESS, {"vr": "CS"}), **told})


def cancel_report(uid: str, asked: Model, requesting_ae: str) -> Model:
    """Return the report that somebody asks for cancellation, with the reason that was given."""
    told = {key: asked[key] for key in _ASKED_BY if key in asked}
    told[tag("RequestingAE")] = {"vr": "AE", "Value": [requesting_ae]}
    return _report(uid, CANCEL_REQUESTED, told)


def reports_of_update(uid: str, before: Model, after: Model) -> Iterator[Model]:
    """Yield the reports that an update gives rise to: readiness, progress, and who is to do it."""
    if text(before, READINESS) != text(after, READINESS):
        yield state_report(uid, after)
    if before.get(PROGRESS) != after.get(PROGRESS):
        yield _report(uid, PROGRESS_REPORT, {PROGRESS: after[PROGRESS]})
    if any(before.get(key) != after.get(key) for key in (STATIONS, PERFORMERS)):
        yield _report(uid, ASSIGNED, {key: after[key] for key in (STATIONS, PERFORMERS) if key in after})


def _report(uid: str, event_type: int, told: Mapping[str, Any]) -> Model:
    command = {
        "00000002": {"vr": "UI", "Value": [UPS_EVENT]},
        "00001000": {"vr": "UI", "Value": [uid]},
        "00001002": {"vr": "US", "Value": [event_type]},
    }
    return dict(sorted({**command, **told}.items()))
