"""Work items as a client of UPS-RS writes them (PS3.4 table CC.2.5-3)."""

from typing import Any

from consult.workitem_attributes import tag

UID = "1.2.840.99.77"
LOCK = {"00081195": {"vr": "UI", "Value": ["2.25.1"]}}
OTHER_LOCK = {"00081195": {"vr": "UI", "Value": ["2.25.2"]}}


def a_workitem(**changes: str | None) -> dict[str, Any]:
    """Return a work item that can be created; keywords replace texts, None takes away."""
    values: dict[str, tuple[str, Any]] = {
        "ScheduledProcedureStepPriority": ("CS", "HIGH"),
        "ProcedureStepLabel": ("LO", "Đọc CT sọ não"),
        "WorklistLabel": ("LO", "Đọc phim"),
        "ScheduledProcedureStepStartDateTime": ("DT", "20261122083000"),
        "InputReadinessState": ("CS", "READY"),
        "ProcedureStepState": ("CS", "SCHEDULED"),
        "PatientName": ("PN", "NGUYỄN^THỊ HƯƠNG"),
        "PatientID": ("LO", "BN1"),
        "StudyInstanceUID": ("UI", "1.2.3"),
    }
    model: dict[str, Any] = {}
    for keyword, (vr, default) in values.items():
        value = changes.pop(keyword, default)
        if value is not None:
            model[tag(keyword)] = {"vr": vr, "Value": [{"Alphabetic": value} if vr == "PN" else value]}
    assert not changes, changes
    return model


def a_state(state: str, lock: dict[str, Any] = LOCK) -> dict[str, Any]:
    return {"00741000": {"vr": "CS", "Value": [state]}, **lock}


def what_was_performed() -> dict[str, Any]:
    """Return the Performed Procedure Sequence without which a work item cannot be completed."""
    code = {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["1"]}}]}
    item = {
        "00404050": {"vr": "DT", "Value": ["20261122083500"]},
        "00404051": {"vr": "DT", "Value": ["20261122084000"]},
        "00404028": code,
        "00404019": code,
        "00404033": {"vr": "SQ"},
    }
    return {"00741216": {"vr": "SQ", "Value": [item]}}
