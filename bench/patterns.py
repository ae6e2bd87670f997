"""What people ask an archive for, as paths of QIDO-RS and of the worklist: the patterns of the index's bench.

A pattern makes a path from one study that is there and a random number, so that no two questions are the same.
"""

import random
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from pysqlite3 import dbapi2

from bench.studies import MIDDLE, RARE, SITES, SURNAMES
from kernel.dicom.vocabulary.names import fold

PAGE: Final = 50
SAMPLE: Final = 500
QIDO: Final = "/dicom-web/studies"


@dataclass(frozen=True, slots=True)
class Known:
    """A study that is in the database, and how many there are."""

    uid: str
    date: str
    patient_id: str
    name: str
    accession: str
    count: int

    @property
    def surname(self) -> str:
        """The family name."""
        return self.name.partition("^")[0]

    @property
    def middle(self) -> str:
        """The first word after the family name."""
        return self.name.partition("^")[2].split(" ")[0]

    @property
    def given(self) -> str:
        """The last word."""
        return self.name.split(" ")[-1].split("^")[-1]

    def moment(self, days: int) -> str:
        """Return the day that is so many days after this study's, as ISO 8601 writes it."""
        return f"{date.fromisoformat(self.date) + timedelta(days=days):%Y-%m-%d}"

    def days(self, count: int) -> str:
        """Return a date range of so many days that ends with this study's."""
        until = date.fromisoformat(self.date)
        return f"{until - timedelta(days=count - 1):%Y%m%d}-{self.date}"


def known_studies(path: Path, count: int) -> list[Known]:
    """Return some studies of a loaded SQLite database, from its whole length."""
    keys = random.Random(7).sample(range(1, count + 1), min(SAMPLE, count))
    query = "SELECT study_instance_uid, study_date, patient_id, patient_name, accession_number FROM study WHERE pk = ?"
    with closing(dbapi2.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [Known(*connection.execute(query, [key]).fetchone(), count) for key in keys]


def _qido(*, path: str = QIDO, **keys: object) -> str:
    return f"{path}?{urlencode({'limit': PAGE, **keys})}"


def _worklist(**keys: object) -> str:
    return f"/api/worklist?{urlencode({'limit': PAGE, **keys})}"


def _site(chance: random.Random) -> str:
    return f"/sites/{chance.choice(SITES)}{QIDO}"


def _deep(at: Known, chance: random.Random) -> int:
    return int(at.count * chance.uniform(0.1, 0.9))


Pattern = Callable[[Known, random.Random], str]
PATTERNS: Final[Mapping[str, Pattern]] = {
    "Patient ID": lambda at, _: _qido(PatientID=at.patient_id),
    "accession number": lambda at, _: _qido(AccessionNumber=at.accession),
    "Study Instance UID": lambda at, _: _qido(StudyInstanceUID=at.uid),
    "name, whole": lambda at, _: _qido(PatientName=at.name),
    "name, accents missing": lambda at, _: _qido(PatientName=fold(at.name)),
    "name, prefix of two words": lambda at, _: _qido(PatientName=f"{at.surname}^{at.middle}*"),
    "name, words in any order, fuzzy": lambda at, _: _qido(
        PatientName=f"{at.given} {at.middle} {at.surname}", fuzzymatching="true"
    ),
    "name, two words reversed, fuzzy": lambda at, _: _qido(
        PatientName=f"{fold(at.given)} {fold(at.surname)}", fuzzymatching="true"
    ),
    "surname alone": lambda _, chance: _qido(PatientName=f"{chance.choice(list(SURNAMES))}*"),
    "surname alone, the commonest": lambda _, chance: _qido(PatientName="Nguyễn*", offset=chance.randrange(500)),
    "given name, any": lambda at, _: _qido(PatientName=f"*{at.given}"),
    "given name, rare": lambda _, chance: _qido(PatientName=f"*{chance.choice(RARE)}"),
    "wildcard in the middle": lambda at, _: _qido(PatientName=f"{at.surname}^*{at.given}"),
    "single character wildcard": lambda at, _: _qido(PatientName=f"{at.surname}^{at.middle}*{at.given[:1]}?*"),
    "a middle name that nobody has here": lambda at, _: _qido(PatientName=f"{at.surname}^Zoë*"),
    "a day and a modality": lambda at, _: _qido(StudyDate=at.date, ModalitiesInStudy="CT"),
    "a month and a modality": lambda at, _: _qido(StudyDate=at.days(30), ModalitiesInStudy="US"),
    "a year and a rare modality": lambda at, _: _qido(StudyDate=at.days(365), ModalitiesInStudy="XA"),
    "ModalitiesInStudy, common": lambda _, chance: _qido(ModalitiesInStudy="DX", offset=chance.randrange(500)),
    "ModalitiesInStudy, rare": lambda _, chance: _qido(
        ModalitiesInStudy=chance.choice(["NM", "SM", "PT"]), offset=chance.randrange(50)
    ),
    "name and a month": lambda at, _: _qido(PatientName=f"{at.surname}^{at.middle}*", StudyDate=at.days(30)),
    "given name and a day": lambda at, _: _qido(PatientName=f"*{at.given}", StudyDate=at.date),
    "name, modality and a year": lambda at, _: _qido(
        PatientName=f"{at.surname}*{at.given}", ModalitiesInStudy="MR", StudyDate=at.days(365)
    ),
    "sex and birth date": lambda _, chance: _qido(
        PatientSex="F", PatientBirthDate=f"{chance.randrange(1930, 2024)}0{chance.randrange(1, 10)}15"
    ),
    "deep offset": lambda at, chance: _qido(offset=_deep(at, chance)),
    "deep offset in a year": lambda at, chance: _qido(StudyDate=at.days(365), offset=chance.randrange(at.count // 20)),
    "everything": lambda _, chance: _qido(offset=chance.randrange(50)),
    "nothing: common keys that never meet": lambda _, chance: _qido(
        PatientName=f"{chance.choice(list(SURNAMES)[:5])}*", PatientSex="O"
    ),
    "nothing: common names that never meet": lambda _, chance: _qido(
        PatientName=f"*{chance.choice([*MIDDLE['M']][1:7])}*Nguyễn*"
    ),
    "nothing: a name, a modality and a day": lambda at, _: _qido(
        PatientName=f"{at.surname}*", ModalitiesInStudy="NM", StudyDate=at.date, PatientSex="O"
    ),
    "one hospital: newest": lambda _, chance: _qido(path=_site(chance)),
    "one hospital: surname": lambda at, chance: _qido(path=_site(chance), PatientName=f"{at.surname}*"),
    "one hospital: a month and a modality": lambda at, chance: _qido(
        path=_site(chance), StudyDate=at.days(30), ModalitiesInStudy="CT"
    ),
    "series of a study": lambda at, _: f"{QIDO}/{at.uid}/series",
    "worklist: STAT first, then newest": lambda _, chance: _worklist(offset=chance.randrange(50)),
    "worklist: words of a name": lambda at, _: _worklist(q=f"{fold(at.given)} {fold(at.surname)}"),
    "worklist: the commonest surname": lambda _, chance: _worklist(q="nguyen", offset=chance.randrange(50)),
    "worklist: start of a Patient ID": lambda at, _: _worklist(q=at.patient_id[:-1]),
    "worklist: a modality": lambda _, chance: _worklist(modality="MR", offset=chance.randrange(50)),
    "worklist: arrived within a week": lambda at, _: _worklist(
        received_from=f"{at.moment(-6)}T00:00:00Z", received_before=f"{at.moment(1)}T00:00:00Z"
    ),
}
