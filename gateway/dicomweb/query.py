"""A QIDO-RS query string as matching keys and a page (PS3.18 8.3.4, 10.6.1). Pure.

Keys are keywords or eight hexadecimal digits. A key that cannot be searched is refused: to ignore it would answer with
studies that were not asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from kernel.dicom.dictionary import KEYWORD_OF, TAG_OF, VR_OF
from kernel.dicom.matching import Match, Universal, parse_key
from kernel.errors import InvalidQuery

Level = Literal["study", "series", "instance"]
OFFSET_MAX: Final = 1_000_000
KEYS_MAX: Final = 64
_CONTROL: Final = ("limit", "offset", "fuzzymatching", "includefield", "accept")
_STUDY: Final = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName",
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDescription",
)  # fmt: skip
_SERIES: Final = (*_STUDY, "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined")
SEARCHABLE: Final[Mapping[Level, tuple[str, ...]]] = MappingProxyType(
    {
        "study": _STUDY,
        "series": _SERIES,
        "instance": (*_SERIES, "SOPInstanceUID", "SOPClassUID", "InstanceNumber"),
    }
)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: `matches` without universal ones."""

    matches: Mapping[str, Match]
    is_fuzzy: bool
    limit: int
    offset: int
    is_capped: bool  # more was asked for than this node gives at once, or no limit was named
    included: frozenset[int]  # tags asked for beside the usual ones
    includes_all: bool


def parse(parameters: Iterable[tuple[str, str]], level: Level, results_max: int) -> Query:
    """Read a query string's parameters.

    Raises
    ------
    InvalidQuery
        Names the keyword, never the value: it may be a patient's name.
    """
    keys: defaultdict[str, list[str]] = defaultdict(list)
    control: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in parameters:
        if name.lower() in _CONTROL:
            control[name.lower()].append(value)
        else:
            keys[_keyword(name, level)].append(value)
    if len(keys) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} keys")
    matches = {keyword: _match(keyword, values) for keyword, values in keys.items()}
    limit = _count(control, "limit", results_max, results_max)
    included, includes_all = _included(control["includefield"])
    return Query(
        matches={keyword: match for keyword, match in matches.items() if not isinstance(match, Universal)},
        is_fuzzy=_last(control, "fuzzymatching").lower() == "true",
        limit=min(limit, results_max),
        offset=_count(control, "offset", 0, OFFSET_MAX),
        is_capped=limit >= results_max,
        included=included,
        includes_all=includes_all,
    )


def _last(control: Mapping[str, list[str]], name: str) -> str:
    return control[name][-1].strip() if control.get(name) else ""


def _count(control: Mapping[str, list[str]], name: str, default: int, most: int) -> int:
    text = _last(control, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise InvalidQuery(reason=f"{name} is a whole number from zero")
    return min(int(text[:12]), most) if name == "limit" else _offset(int(text[:12]), most)


def _offset(number: int, most: int) -> int:
    if number > most:
        raise InvalidQuery(reason=f"offset is more than {most}; narrow the search by date")
    return number


def tag_of(name: str) -> int | None:
    """Return the tag of a keyword or of eight hexadecimal digits; None when it is neither."""
    if name in TAG_OF:
        return TAG_OF[name]
    try:
        return int(name, 16) if len(name) == 8 and name.isalnum() else None
    except ValueError:
        return None


def _keyword(name: str, level: Level) -> str:
    tag = tag_of(name)
    keyword = KEYWORD_OF.get(tag, "") if tag is not None else ""
    if keyword not in SEARCHABLE[level]:
        shown = keyword or "one of the keys"
        raise InvalidQuery(reason=f"{shown} cannot be searched here; there are {', '.join(SEARCHABLE[level])}")
    return keyword


def _match(keyword: str, values: list[str]) -> Match:
    vr = VR_OF[TAG_OF[keyword]]
    text = "\\".join(values)
    if vr == "CS":
        text = text.replace(",", "\\")  # no comma occurs in a CS, and viewers join modalities with it
    return parse_key(keyword, vr, text)


def _included(values: list[str]) -> tuple[frozenset[int], bool]:
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if len(names) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} includefield")
    tags = {name: tag_of(name) for name in names if name != "all"}
    if None in tags.values():
        raise InvalidQuery(reason="includefield is a keyword, a tag of eight hexadecimal digits, or all")
    return frozenset(tag for tag in tags.values() if tag is not None), "all" in names
