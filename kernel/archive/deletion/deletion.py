"""Deleting instances, series and studies: what the policy allows, then all rows in one transaction.

The bytes go later (reclaim.py): the transaction writes down which blobs may be forgotten, so that a crash at any moment
loses nothing that is still named and leaves nothing behind. A tombstone stays: an event, in the changes feed, and an
audit line, neither with a patient's identity. What other rooms keep of an instance they forget in the same transaction,
and they say what speaks against deleting it (`Dependents`).

Only the process that owns the database deletes: it remembers rows, and must forget them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy import Connection

from kernel.archive.deletion import removal
from kernel.archive.deletion.holds import is_held
from kernel.archive.deletion.reclaim import Freed, give_up
from kernel.archive.deletion.removal import Doomed, Target
from kernel.archive.ingest.committer import LocalCommitter
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.clock import Clock
from kernel.config import ArchiveConfig
from kernel.database import Database, tx_after_commit
from kernel.errors import DeletionRefused, Forbidden, InvalidRequest
from kernel.events import Event, EventName, record

ERASURE: Final = "erasure"
REASONS: Final = {
    "quality": "rejected for quality reasons (113001, DCM)",
    "patient-safety": "rejected for patient safety reasons (113037, DCM)",
    "wrong-worklist-entry": "incorrect modality worklist entry (113038, DCM)",
    "retention-expired": "data retention policy expired (113039, DCM)",
    "duplicate": "the same is here under other identifiers",
    "test-data": "never a patient's",
    ERASURE: "the patient's right to have it erased; its orders and the sealed ways back from its copies go, too",
}
"""Why something may be deleted: words of the code, as a text of a person's would end in the audit."""
_EVENTS: Final = {
    "study": EventName.STUDY_DELETED,
    "series": EventName.SERIES_DELETED,
    "instance": EventName.INSTANCE_DELETED,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants deleted, and why. The caller has checked that they may ask."""

    target: Target
    who: str
    role: str
    address: str
    reason: str  # one of `REASONS`
    is_admin: bool
    is_forced: bool = False  # although it waits for delivery, or nobody else has it


class Dependents(Protocol):
    """Another room that keeps something of an instance; called inside the transaction."""

    def obstacles(self, connection: Connection, doomed: Doomed) -> Sequence[str]:
        """Return what speaks against deleting, in words; empty when nothing does."""
        ...

    def forget(self, connection: Connection, doomed: Doomed, *, erase: bool, at: datetime) -> Sequence[Freed]:
        """Remove the room's rows of it and return the blobs that they named; `erase` also what leads back to a person."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision is made from."""

    is_held: bool
    last_received_at: datetime
    obstacles: tuple[str, ...]


def decide(wish: Wish, facts: Facts, config: ArchiveConfig, now: datetime) -> None:
    """Return if the wish may be granted.

    Raises
    ------
    DeletionRefused
        The policy, a legal hold, or what waits for delivery speaks against it.
    Forbidden
        Only an administrator may.
    """
    if config.deletion == "off":
        raise DeletionRefused(reason="deleting is switched off at this node (archive.deletion)")
    if facts.is_held:
        raise DeletionRefused(reason="the study is under a legal hold")
    if not wish.is_admin:
        if config.deletion == "admin" or wish.is_forced:
            raise Forbidden(action="delete this: only an administrator may")
        if now - facts.last_received_at < timedelta(days=config.retention_days):
            raise DeletionRefused(reason=f"it was received less than {config.retention_days:g} days ago")
    if facts.obstacles and not wish.is_forced:
        raise DeletionRefused(reason="; ".join((*facts.obstacles, "an administrator may force it")))


class Deletions:
    """Deletes. Safe to use from many threads."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        config: ArchiveConfig,
        committer: LocalCommitter,
        dependents: Sequence[Dependents] = (),
    ) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._committer = committer
        self._dependents = dependents
        self._listeners: list[Callable[[], None]] = []

    def when_deleted(self, listener: Callable[[], None]) -> None:
        """Have `listener` called in the transaction of every deletion and after it, to forget what it remembers of studies.

        It must be short.
        """
        self._listeners.append(listener)

    def delete(self, wish: Wish) -> int:
        """Delete what is wished for and return how many instances that were; durable on return, bytes follow.

        Raises
        ------
        InvalidRequest
            The reason is none of `REASONS`.
        NotFound
            There is no such study, series or instance.
        DeletionRefused, Forbidden
            As `decide`; the refusal is audited.
        LimitExceeded
            Too many instances at once; delete series by series.
        """
        if wish.reason not in REASONS:
            raise InvalidRequest(reason=f"the reason of a deletion is one of {', '.join(REASONS)}")
        try:
            return self._db.write(lambda connection: self._delete(connection, wish))
        except (DeletionRefused, Forbidden) as refusal:
            line = self._line(wish, AuditOutcome.MINOR_FAILURE, {"refused": refusal.code})
            self._db.write(lambda connection: append(connection, line))
            raise

    def _delete(self, connection: Connection, wish: Wish) -> int:
        doomed = removal.find(connection, wish.target)
        now = self._clock.now()
        obstacles = [words for room in self._dependents for words in room.obstacles(connection, doomed)]
        held = is_held(connection, wish.target.site, wish.target.study_instance_uid)
        decide(wish, Facts(held, doomed.last_received_at, tuple(obstacles)), self._config, now)
        erase = wish.reason == ERASURE
        freed = [one for room in self._dependents for one in room.forget(connection, doomed, erase=erase, at=now)]
        give_up(connection, [*freed, *removal.remove(connection, doomed)], now)
        detail = {"level": wish.target.level, "reason": wish.reason, "instances": len(doomed.instances), **_uids(wish)}
        target = wish.target
        event = _EVENTS[target.level]
        record(connection, Event(event, now, target.site, target.study_instance_uid, doomed.trace_id, detail))
        append(connection, self._line(wish, AuditOutcome.SUCCESS, detail))
        self._forget(doomed.study_pk)
        tx_after_commit(connection, lambda: self._forget(doomed.study_pk))  # what this transaction remembers at its end
        return len(doomed.instances)

    def _line(self, wish: Wish, outcome: AuditOutcome, detail: Mapping[str, object]) -> Line:
        return Line(
            self._clock.now(),
            Action.STUDY_DELETED,
            wish.who,
            outcome,
            role=wish.role,
            site=wish.target.site,
            study_instance_uid=wish.target.study_instance_uid,
            address=wish.address,
            detail={**detail, "forced": wish.is_forced},
        )

    def _forget(self, study_pk: int) -> None:
        self._committer.forget(study_pk)
        for listener in self._listeners:
            listener()


def _uids(wish: Wish) -> dict[str, str]:
    target = wish.target
    named = {"series_instance_uid": target.series_instance_uid, "sop_instance_uid": target.sop_instance_uid}
    return {key: uid for key, uid in named.items() if uid is not None}
