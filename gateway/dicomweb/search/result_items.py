"""Matches of a search as DICOM JSON objects (PS3.18 tables 10.6.3-3 to 10.6.3-5). Pure.

Attributes that the standard requires are there even when empty, those asked for beside them when they have a value.
Texts are UTF-8 (ISO_IR 192). Tags ascend.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from gateway.dicomweb.search.query import Query
from kernel.archive.search.finder import Found
from kernel.archive.search.items import ATTRIBUTES, CHARACTER_SET, ONLINE, Item, element
from kernel.dicom.models.json_model import BULK_DATA_PREFIX
from kernel.dicom.queries.identifier import Wanted, chosen
from kernel.dicom.queries.timezone import format_offset, told_in_zone
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.levels import LEVELS, Level, level_of

# Beside what the index knows (table 10.6.3-4): they come out of the instances.
_STORED: Final[Mapping[Level, Wanted]] = {
    "series": {
        TAG_OF["PerformedProcedureStepStartDate"]: None,
        TAG_OF["PerformedProcedureStepStartTime"]: None,
        TAG_OF["RequestAttributesSequence"]: {
            TAG_OF["ScheduledProcedureStepID"]: None,
            TAG_OF["RequestedProcedureID"]: None,
        },
    },
}
_ZONE: Final = TAG_OF["TimezoneOffsetFromUTC"]
_ALWAYS: Final = ("StudyInstanceUID", "SeriesInstanceUID")  # also when the URL names them
_URL: Final = "00081190"
_WHERE: Final = frozenset({TAG_OF["SeriesInstanceUID"], TAG_OF["SOPInstanceUID"]})  # of stored bulk data


def tags_of(query: Query, level: Level) -> frozenset[int]:
    """Return the attributes that are needed to answer a query beside those of the index."""
    asked = frozenset(query.wanted) | frozenset(_STORED.get(level, {}))
    return asked | _WHERE | {_ZONE} if asked else asked


def result(found: Found, query: Query, levels: Sequence[Level], study_url: str, later_minutes: int) -> Item:
    """Return a match as its attributes of `levels`, the lowest last, and what was asked for beside them.

    `study_url` is its study's Retrieve URL; dates and times are told `later_minutes` ahead of the archive's clocks.
    """
    level, model = levels[-1], found.model
    more = chosen({**query.wanted, **dict.fromkeys(query.keys)}, {}, model)
    if query.includes_all:
        more |= {name: one for name, one in model.items() if level_of(int(name, 16)) in levels}
    answer = {name: model[name] for name in _usual(tuple(levels)) if name in model} | CHARACTER_SET | ONLINE
    answer |= chosen(_STORED.get(level, {}), {}, model)
    if more:
        stored = f"{study_url}/series/{_uid(model, 'SeriesInstanceUID')}/instances/{_uid(model, 'SOPInstanceUID')}"
        answer |= {name: _located(one, stored) for name, one in more.items() if len(one) > 1 and name not in answer}
    answer |= _private_creators(query, model)
    answer[_URL] = element("UR", _url(model, level, study_url))
    if later_minutes or query.zone_minutes is not None:
        answer = told_in_zone(answer, later_minutes)
        answer["00080201"] = element("SH", format_offset(query.zone_minutes or 0))
    elif f"{_ZONE:08X}" in model:
        answer["00080201"] = model[f"{_ZONE:08X}"]
    return dict(sorted(answer.items()))


@cache
def _usual(levels: tuple[Level, ...]) -> tuple[str, ...]:
    """Return the attributes that are told of `levels`, and the UIDs above the lowest."""
    above = _ALWAYS[: LEVELS.index(levels[-1]) - 1 or 1]
    keywords = (*(one.keyword for each in levels for one in ATTRIBUTES[each]), *above)
    return tuple(f"{TAG_OF[keyword]:08X}" for keyword in keywords)


def _url(model: Item, level: Level, study_url: str) -> str:
    url = study_url
    if level != "study":
        url += f"/series/{_uid(model, 'SeriesInstanceUID')}"
    return url + f"/instances/{_uid(model, 'SOPInstanceUID')}" if level == "instance" else url


def _uid(model: Item, keyword: str) -> str:
    return str(next(iter(model.get(f"{TAG_OF[keyword]:08X}", {}).get("Value", ())), ""))


def _private_creators(query: Query, model: Item) -> Item:
    """Return the creators of private attributes that are given (PS3.18 10.6.3.3)."""
    creators = {f"{tag & 0xFFFF0000 | tag >> 8 & 0xFF:08X}" for tag in query.wanted if tag >> 16 & 1}
    return {name: model[name] for name in creators & model.keys()}


def _located(one: Any, instance_url: str) -> Any:
    """Return an attribute whose bulk data is named by URL, in sequences too."""
    uri = one.get("BulkDataURI", "")
    if uri.startswith(BULK_DATA_PREFIX):
        return {**one, "BulkDataURI": instance_url + uri[1:]}
    if one["vr"] != "SQ":
        return one
    items = one.get("Value", ())
    return {**one, "Value": [{name: _located(inner, instance_url) for name, inner in item.items()} for item in items]}
