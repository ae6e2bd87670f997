"""A slide that came whole over HTTP, taken into the archive, and the audit line that says who put it in."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from consult.slides.intake import Progress, SlideIntake, Taken
from consult.slides.upload_record import Record
from kernel.archive.ingest.committer import Committer
from kernel.archive.records import Origin
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.database import Database
from kernel.errors import ExchangeError


class Taking:
    """Takes slides for who sent them; safe in threads."""

    def __init__(self, db: Database, intake: SlideIntake, committer: Committer, random: Callable[[int], str]) -> None:
        self._db = db
        self._intake = intake
        self._committer = committer
        self._random = random

    def take(self, file: Path, record: Record, progress: Progress) -> Taken:
        """Take a slide; errors are those of `SlideIntake.take`."""
        owner, form = record.owner, record.form
        origin = Origin(owner.site, "upload", owner.name, "", owner.address, self._random(8))
        try:
            return self._intake.take(file, form.identity(), form.mpp, origin, progress)
        finally:
            with suppress(ExchangeError):
                self._committer.end_session(owner.site, origin.session, None)

    def audit(self, record: Record) -> None:
        """Write down who put a slide in, and whether it was taken."""
        owner = record.owner
        line = Line(
            record.changed_at,
            Action.IMPORT,
            owner.name,
            AuditOutcome.MINOR_FAILURE if record.code else AuditOutcome.SUCCESS,
            site=owner.site,
            study_instance_uid=record.study,
            address=owner.address,
            detail={"what": "slide", "instances": record.instances, **({"code": record.code} if record.code else {})},
        )
        self._db.write(lambda connection: append(connection, line))
