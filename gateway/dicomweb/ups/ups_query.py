"""Searching work items (PS3.18 11.9, 8.3.4) and the filter of a subscription: query strings as matching keys. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from gateway.dicomweb.search.query import KEYS_MAX, OFFSET_MAX, path_of
from kernel.dicom.queries.identifier import Model, Tree, combined, of_paths
from kernel.dicom.queries.matching import Rules
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.errors import InvalidQuery

FILTER_CHARACTERS_MAX: Final = 2048
_HIDDEN: Final = TAG_OF["TransactionUID"]  # the lock of a work item is nobody's to ask for
_CONTROL: Final = ("limit", "offset", "fuzzymatching", "includefield", "accept", "charset")

# What every result has (PS3.4 table CC.2.5-3, return keys of type 1 and 2), where the work item has it.
RETURNED: Final = tuple(
    f"{TAG_OF[keyword]:08X}"
    for keyword in (
        "SOPClassUID", "SOPInstanceUID", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate",
        "PatientSex", "AdmissionID", "StudyInstanceUID", "ScheduledProcedureStepStartDateTime",
        "ExpectedCompletionDateTime", "ScheduledProcedureStepModificationDateTime", "ScheduledWorkitemCodeSequence",
        "ScheduledStationNameCodeSequence", "ScheduledStationClassCodeSequence",
        "ScheduledStationGeographicLocationCodeSequence", "ScheduledHumanPerformersSequence", "InputReadinessState",
        "InputInformationSequence", "ReferencedRequestSequence", "ProcedureStepState",
        "ProcedureStepProgressInformationSequence", "ScheduledProcedureStepPriority", "WorklistLabel",
        "ProcedureStepLabel", "ReplacedProcedureStepSequence",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for."""

    keys: Tree
    limit: int
    offset: int
    included: frozenset[str]  # keys of DICOM JSON beside RETURNED
    includes_all: bool

    def shown(self, model: Model) -> Model:
        """Return the attributes of a work item that are asked for."""
        if self.includes_all:
            return model
        return {key: element for key, element in model.items() if key in RETURNED or key in self.included}


def parse(parameters: Iterable[tuple[str, str]], results_max: int) -> Search:
    """Read a query string's parameters.

    Raises
    ------
    InvalidQuery
        Names the keyword, never the value.
    """
    control: dict[str, list[str]] = {name: [] for name in _CONTROL}
    paths: list[tuple[tuple[int, ...], str]] = []
    for name, value in parameters:
        if name.lower() in control:
            control[name.lower()].append(value)
        else:
            paths.append((_path(name), value))
    if len(paths) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} keys")
    names = [name.strip() for value in control["includefield"] for name in value.split(",") if name.strip()]
    if len(names) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} includefield")
    tops = {_path(name)[0] for name in names if name != "all"}
    fuzzy = (control["fuzzymatching"] or ["false"])[-1].lower() == "true"
    return Search(
        keys=combined(of_paths(paths, Rules(fuzzy=fuzzy))),
        limit=min(_count(control["limit"], "limit", results_max), results_max),
        offset=_count(control["offset"], "offset", 0),
        included=frozenset(f"{tag:08X}" for tag in (*tops, *(path[0] for path, _ in paths))),
        includes_all="all" in names,
    )


def filter_keys(text: str) -> Tree:
    """Return the keys of `filter`, a list of attribute=value with commas between (PS3.18 11.10.1.2). Raises InvalidQuery."""
    if len(text) > FILTER_CHARACTERS_MAX:
        raise InvalidQuery(reason=f"filter has more than {FILTER_CHARACTERS_MAX} characters")
    pairs = [pair for part in text.split(",") for pair in parse_qsl(part, keep_blank_values=True)]
    if not pairs or len(pairs) > KEYS_MAX:
        raise InvalidQuery(reason="filter is attribute=value, or several with commas between")
    return combined(of_paths([(_path(name), value) for name, value in pairs]))


def _path(name: str) -> tuple[int, ...]:
    path = path_of(name)
    if path is None or any(tag not in VR_OF for tag in path) or _HIDDEN in path:
        raise InvalidQuery(reason="one of the keys is no attribute of a work item; use keywords or hexadecimal digits")
    return path


def _count(values: list[str], name: str, default: int) -> int:
    text = (values or [""])[-1].strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text[:12]) > OFFSET_MAX:
        raise InvalidQuery(reason=f"{name} is a whole number from zero to {OFFSET_MAX}")
    return int(text[:12])
