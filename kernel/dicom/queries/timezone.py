"""Timezone query adjustment (PS3.4 C.5.1.1.1.4): dates and times of a request and its answers in the requester's zone.

Stored dates and times are of the archive's own zone, unless an instance says otherwise of itself, which no index knows.
A date with its time is shifted; a date alone becomes the interval of that day; a time without a date stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Final

from kernel.dicom.queries.identifier import TIME_OF, Model, Tree
from kernel.dicom.queries.matching import Combined, Exact, Match, Range
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.moments import moved
from kernel.errors import InvalidQuery

# Pairs of the entities that are searched for; PatientBirthDate is a day wherever one is (PS3.3 C.12.1.1.8).
SHIFTED: Final = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate")
_OFFSET: Final = re.compile(r"([+-])(0\d|1[0-4])([0-5]\d)")
_DAY_END: Final = "235959.999999"


def parse_offset(text: str) -> int | None:
    """Return the minutes east of UTC that a Timezone Offset From UTC such as +0700 says; None when it is empty.

    Raises
    ------
    InvalidQuery
        It is none.
    """
    text = f"+{text.strip()}" if text.startswith(" ") and text.strip() else text.strip()  # a `+` not escaped is a space
    if not text:
        return None
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise InvalidQuery(reason="TimezoneOffsetFromUTC: not an offset such as +0700")
    minutes = int(found[2]) * 60 + int(found[3])
    return -minutes if found[1] == "-" else minutes


def format_offset(minutes: int) -> str:
    """Return minutes east of UTC as Timezone Offset From UTC."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def in_zone(keys: Tree, later_minutes: int) -> Tree:
    """Return keys of a zone whose clocks are `later_minutes` ahead of the archive's, in the archive's.

    Raises
    ------
    InvalidQuery
        Times are asked for apart from the dates of several days: in the archive's zone that is no interval.
    """
    shifted: dict[int, Match | Tree] = dict(keys)
    if not later_minutes:
        return shifted
    for keyword in SHIFTED:
        tag = TAG_OF[keyword]
        within = _interval(shifted.get(tag))
        if within is None:
            continue
        time_tag = TAG_OF[TIME_OF[tag]]
        times = shifted.pop(time_tag, None)
        if isinstance(times, Range):
            day = (within.lower or "")[:8]
            if not day or day != (within.upper or "")[:8]:  # their days begin at another time there
                raise InvalidQuery(
                    reason=f"{TIME_OF[tag]} in another time zone is a range of the form that {keyword} has"
                )
            within = Range(day + (times.lower or ""), day + (times.upper or _DAY_END))
        interval = Range(moved(within.lower, -later_minutes), moved(within.upper, -later_minutes, up=True))
        shifted[tag] = Combined(TIME_OF[tag], interval)
    return shifted


def told_in_zone(model: Model, later_minutes: int) -> Model:
    """Return an answer with its dates and times shifted by as much."""
    told = dict(model)
    for keyword in SHIFTED:
        names = f"{TAG_OF[keyword]:08X}", f"{TAG_OF[TIME_OF[TAG_OF[keyword]]]:08X}"
        date, time = (str(next(iter(told.get(name, {}).get("Value", ())), "")) for name in names)
        moment = moved(date + time, later_minutes) if len(date) == 8 and len(time) >= 4 else None
        if moment:
            told[names[0]] = {"vr": "DA", "Value": [moment[:8]]}
            told[names[1]] = {"vr": "TM", "Value": [moment[8 : 8 + len(time)]]}
    return told


def _interval(key: "Match | Tree | None") -> Range | None:
    if isinstance(key, Mapping):
        return None
    match key:
        case Exact(value=day):
            return Range(day, day + _DAY_END)
        case Range(lower=lower, upper=upper):
            return Range(lower, upper and upper + _DAY_END)
        case Combined(within=within):
            return within
        case _:
            return None
