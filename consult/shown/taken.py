"""Pictures and films that somebody took of what was shown: each is written down before they have it."""

from dataclasses import dataclass
from typing import Literal

from kernel.access import Principal, StudyGrant
from kernel.archive import index
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database

Kind = Literal["picture", "film"]


@dataclass(frozen=True, slots=True)
class Taking:
    """What is taken; of a film, the instance that was looked at."""

    kind: Kind
    series_instance_uid: str
    sop_instance_uid: str
    images: int
    is_named: bool  # the patient's name is in it


class Takings:
    """Writes down what is taken; safe in threads."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def tell(self, grant: StudyGrant, who: Principal, taking: Taking, address: str) -> None:
        """Append the audit line; durable on return.

        Raises
        ------
        NotFound
            The study has no such instance.
        """
        with self._db.read() as connection:
            index.locate_instance(connection, grant, taking.series_instance_uid, taking.sop_instance_uid)
        line = Line(
            self._clock.now(),
            Action.EXPORT,
            who.name,
            role=" ".join(sorted(who.roles)),
            site=grant.site,
            study_instance_uid=grant.study_instance_uid,
            address=address,
            detail={
                "what": f"{taking.kind} of the screen",
                "series_instance_uid": taking.series_instance_uid,
                "sop_instance_uid": taking.sop_instance_uid,
                "images": taking.images,
                "named": taking.is_named,
            },
        )
        self._db.write(lambda connection: append(connection, line))
