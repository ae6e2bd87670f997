"""What the pseudonyms of one released study stand for, and how text is led back by it. For what comes home. Pure.

The vault's records become a `WayBack` only for the pair of pseudonym and study that left together; whatever else a
returning object names is either known to the vault as of the same patient, or stays as it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from anonymizer.pseudonyms.identifiers import SHIFT_DAYS_MIN, name_of, shift_date

NEW_UID: Final = re.compile(r"(?<![0-9.])2\.25\.[1-9][0-9]{0,38}(?![0-9]|\.[0-9])")
_PARTS: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
PSEUDONYM: Final = re.compile(r"[2-9A-HJKMNP-TV-Y]{4}-[2-9A-HJKMNP-TV-Y]{4}-[2-9A-HJKMNP-TV-Y]{4}")


@dataclass(frozen=True)
class WayBack:
    """The way back of one patient's one study.

    A date of the study left at least a year earlier than it was (`identifiers.SHIFT_DAYS_MIN`), and what others wrote
    about it is younger than the day on which it left: so a date tells by itself whether it was moved.
    """

    pseudonym: str
    identity: Mapping[str, str] = field(repr=False)  # by keyword, of the patient
    study: Mapping[str, str] = field(repr=False)  # by keyword, of the study
    uids: Mapping[str, str] = field(repr=False)  # new to old, of whatever the vault knows
    shift_days: int = field(repr=False)  # by which its dates left moved; negative
    released_on: date = date.max
    dates_came_moved: bool = False  # the object says so; texts may say the Study Date, too

    @cached_property
    def person(self) -> str:
        """The name as people read it: family, middle and given name in their written order, blanks between."""
        return " ".join(self.identity.get("PatientName", "").partition("=")[0].replace("^", " ").split())

    def is_name(self, value: str) -> bool:
        """Whether a name is what stands for the patient's: the pseudonym, alone or as it was given."""
        return value.strip("^= ") in {self.pseudonym, name_of(self.pseudonym)}

    def identifier(self, value: str) -> str:
        """Return what stands where an id belongs: the Patient ID in the pseudonym's place."""
        if value.strip().upper() == self.pseudonym:
            return self.identity.get("PatientID", "")
        return self.text(value)

    def text(self, value: str, person: str | None = None) -> str:
        """Return a text with the name in the pseudonym's place, old UIDs in the new ones', and the day of the study.

        `person` is the name as it must be written there, when marks have a meaning; None: as people read it.
        """
        name = self.person if person is None else person
        named = re.sub(re.escape(self.pseudonym), lambda _: name, value, flags=re.IGNORECASE)
        return self.with_uids(self._with_study_date(named))

    def with_uids(self, value: str) -> str:
        """Return a text with old UIDs in the new ones' places."""
        return NEW_UID.sub(lambda match: self.uids.get(match[0], match[0]), value)

    def date(self, value: str) -> str:
        """Return a DA or DT value, or several, moved back where it was moved when it left."""
        return "\\".join(self._date(one) for one in value.split("\\"))

    def _date(self, value: str) -> str:
        try:
            told = date(int(value[:4]), int(value[4:6]), int(value[6:8]))
        except ValueError:
            return value
        if told > self.released_on - timedelta(days=SHIFT_DAYS_MIN - 1):
            return value
        moved = shift_date(value.encode("ascii", "replace"), -self.shift_days)
        return value if moved is None else moved.decode("ascii")

    def _with_study_date(self, value: str) -> str:
        """Return a text with the Study Date where it says the moved one; any other date may be the writer's own."""
        if not self.dates_came_moved or self._moved_study_date[:4] not in value:
            return value
        original = self.study["StudyDate"].replace(".", "")
        year, month, day = original[:4], original[4:6], original[6:8]
        value = self._day_first.sub(lambda said: f"{day}{said[1]}{month}{said[2]}{year}", value)
        return self._year_first.sub(lambda said: f"{year}{said[1]}{month}{said[1]}{day}", value)

    @cached_property
    def _moved_study_date(self) -> str:
        original = self.study.get("StudyDate", "")
        moved = shift_date(original.encode("ascii", "replace"), self.shift_days) if original else None
        return "" if moved is None else moved.decode("ascii")

    @cached_property
    def _day_first(self) -> re.Pattern[str]:
        year, month, day = (int(part) for part in _PARTS.findall(self._moved_study_date)[0])
        return re.compile(
            rf"(?<![\d.])0?{day}(\s?[/.-]\s?|\s+tháng\s+)0?{month}(\s?[/.-]\s?|\s+năm\s+){year:04}(?!\d|\.\d)",
            re.IGNORECASE,
        )

    @cached_property
    def _year_first(self) -> re.Pattern[str]:
        year, month, day = _PARTS.findall(self._moved_study_date)[0]
        return re.compile(rf"(?<![\d.]){year}([/.-]){month}(?:\1){day}(?!\d|\.\d)")

    def has_moved(self, study_date: str) -> bool:
        """Whether a Study Date that came back says that dates left moved."""
        return self.has_moved_any([study_date])

    def has_moved_any(self, dates: Iterable[str]) -> bool:
        """Whether the moved Study Date is among dates that came back."""
        return bool(self._moved_study_date) and self._moved_study_date in dates
