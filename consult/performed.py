"""A performed procedure step (PS3.4 F.7.2, PS3.3 C.4.13 to C.4.15) as rules over its DICOM JSON. Pure.

It is created IN PROGRESS, changed while it is, and ends COMPLETED or DISCONTINUED; then it never changes. Of what the
standard requires, absent type 2 attributes are let pass: many modalities leave them out, and nobody is helped by a refusal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kernel.dicom.queries.identifier import texts
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, TAG_OF
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidValue, LimitExceeded, MissingAttribute, MissingValue, Refused, StepIsFinal

INSTANCES_MAX: Final = 20_000  # that one step may name
SCHEDULED_MAX: Final = 100  # scheduled steps that one performed step may belong to

Model = dict[str, Any]


class Progress(StrEnum):
    """Performed Procedure Step Status (0040,0252)."""

    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"


# From each state, where N-SET may lead (PS3.4 F.7.2.2.2).
AFTER: Final[Mapping[Progress, frozenset[Progress]]] = {
    Progress.IN_PROGRESS: frozenset(Progress),
    Progress.COMPLETED: frozenset(),
    Progress.DISCONTINUED: frozenset(),
}


def _tag(keyword: str) -> str:
    return f"{TAG_OF[keyword]:08X}"


STATUS: Final = _tag("PerformedProcedureStepStatus")
_SCHEDULED: Final = _tag("ScheduledStepAttributesSequence")
_STUDY: Final = _tag("StudyInstanceUID")
_SERIES_SEQUENCE: Final = _tag("PerformedSeriesSequence")
_SERIES: Final = _tag("SeriesInstanceUID")
_INSTANCE: Final = _tag("ReferencedSOPInstanceUID")
_REFERENCES: Final = (_tag("ReferencedImageSequence"), _tag("ReferencedNonImageCompositeSOPInstanceSequence"))

# Type 1 of N-CREATE, and of a step that has ended (PS3.4 table F.7.2-1).
_AT_BEGIN: Final = tuple(
    map(
        _tag,
        (
            "ScheduledStepAttributesSequence",
            "PerformedProcedureStepID",
            "PerformedStationAETitle",
            "PerformedProcedureStepStartDate",
            "PerformedProcedureStepStartTime",
            "PerformedProcedureStepStatus",
            "Modality",
        ),
    )
)
_AT_END: Final = tuple(map(_tag, ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime")))
# What N-SET may not change: whose step it is and what it belongs to.
_FIXED: Final = frozenset(
    {
        *map(_tag, ("ScheduledStepAttributesSequence", "PerformedProcedureStepID", "PerformedStationAETitle")),
        *map(_tag, ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime", "Modality", "StudyID")),
        *map(_tag, ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")),
        *map(_tag, ("SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID")),
    }
)


@dataclass(frozen=True, slots=True)
class Belongs:
    """A scheduled step that a performed one belongs to; texts may be empty, the study never is."""

    study_instance_uid: str
    accession_number: str
    step_id: str


@dataclass(frozen=True, slots=True)
class Named:
    """An instance that a step says it made."""

    series_instance_uid: str
    sop_instance_uid: str


def begun(model: Model) -> Model:
    """Return the step that N-CREATE makes.

    Raises
    ------
    MissingAttribute, MissingValue, InvalidValue
        Names the attribute.
    """
    for tag in _AT_BEGIN:
        _require(model, tag)
    if progress(model) is not Progress.IN_PROGRESS:
        raise InvalidValue(keyword=KEYWORD_OF[int(STATUS, 16)], tag=int(STATUS, 16), reason="must be IN PROGRESS")
    belongs(model)
    return {tag: element for tag, element in model.items() if tag not in ("00080016", "00080018")}


def changed(known: Model, change: Model) -> Model:
    """Return the step after N-SET; a repetition of what is known already changes nothing, also at the end.

    Raises
    ------
    StepIsFinal
        It has ended.
    MissingAttribute, MissingValue, InvalidValue
        It would end without what must be known then.
    """
    model = known | {tag: element for tag, element in change.items() if tag not in _FIXED}
    before, after = progress(known), progress(model)
    if model == known:
        return known
    if after not in AFTER[before]:
        raise StepIsFinal
    if after is not Progress.IN_PROGRESS:
        for tag in _AT_END:
            _require(model, tag)
    if after is Progress.COMPLETED:
        _require(model, _SERIES_SEQUENCE)
    list(named(model))
    return model


def progress(model: Model) -> Progress:
    """Return where a step stands. Raises InvalidValue."""
    try:
        return Progress(next(iter(texts(model.get(STATUS))), ""))
    except ValueError:
        reason = "must be IN PROGRESS, COMPLETED or DISCONTINUED"
        raise InvalidValue(keyword=KEYWORD_OF[int(STATUS, 16)], tag=int(STATUS, 16), reason=reason) from None


def belongs(model: Model) -> list[Belongs]:
    """Return the scheduled steps that a step belongs to, the first names its study. Raises InvalidStep."""
    items = _items(model, _SCHEDULED)
    if len(items) > SCHEDULED_MAX:
        raise LimitExceeded(limit="SCHEDULED_MAX", value=len(items), bound=SCHEDULED_MAX)
    found: list[Belongs] = []
    for item in items:
        _require(item, _STUDY)
        found.append(Belongs(_uid(item, _STUDY), text(item, "AccessionNumber"), text(item, "ScheduledProcedureStepID")))
    return found


def named(model: Model) -> Iterator[Named]:
    """Yield the instances that a step refers to. Raises InvalidStep, LimitExceeded."""
    count = 0
    for series in _items(model, _SERIES_SEQUENCE):
        _require(series, _SERIES)
        series_uid = _uid(series, _SERIES)
        for sequence in _REFERENCES:
            for reference in _items(series, sequence):
                count += 1
                if count > INSTANCES_MAX:
                    raise LimitExceeded(limit="INSTANCES_MAX", value=count, bound=INSTANCES_MAX)
                _require(reference, _INSTANCE)
                yield Named(series_uid, _uid(reference, _INSTANCE))


def text(model: Model, keyword: str) -> str:
    """Return the first value of an attribute, empty when there is none."""
    return next(iter(texts(model.get(_tag(keyword)))), "")


def _items(model: Model, tag: str) -> list[Model]:
    return [item for item in model.get(tag, {}).get("Value", ()) if isinstance(item, dict)]


def _require(model: Model, tag: str) -> None:
    fields = {"keyword": KEYWORD_OF[int(tag, 16)], "tag": int(tag, 16)}
    if tag not in model:
        raise MissingAttribute(**fields, reason="is missing")
    if not model[tag].get("Value"):
        raise MissingValue(**fields, reason="has no value")


def _uid(model: Model, tag: str) -> str:
    keyword = KEYWORD_OF[int(tag, 16)]
    try:
        return check_uid(next(iter(texts(model[tag])), ""), keyword)
    except Refused:
        raise InvalidValue(keyword=keyword, tag=int(tag, 16), reason="is not a UID") from None
