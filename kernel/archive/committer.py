"""From a prepared instance to committed rows: index, event and whatever takes part, in one transaction.

Whatever arrived while the last commit ran shares the next one (kernel.database). Instances of one group are written
together: one INSERT for all, counters once per study and series, events in bulk, parents from memory. The instance's
row is inserted without looking first; when its UID is taken, the digest decides: the same bytes are a duplicate
without effect, others are kept apart as a conflict, and the first is what is served.

Listener processes use `RemoteCommitter` (commit_socket.py), which hands the same values to the process that owns the
database.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from functools import cache
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Executable, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kernel.archive import complete, rows
from kernel.archive.durable import Flush
from kernel.archive.parents import Family, Parent, Parents
from kernel.archive.quarantine import write_refusal
from kernel.archive.records import Completed, Ingested, Outcome, Received, Refusal, Stored
from kernel.archive.sessions import Sessions
from kernel.archive.tables import STATE_RECEIVING, conflict, instance, series, study
from kernel.clock import Clock
from kernel.database import Database, is_sqlite
from kernel.database import insert as engine_insert
from kernel.database.topics import tx_after_commit
from kernel.events import Event, EventName, record_many

Participant = Callable[[Connection, Sequence[Stored]], None]
"""Called with the new instances of a group inside their transaction; it may run twice, so it only writes rows."""
CompletionParticipant = Callable[[Connection, Sequence[Completed]], None]
"""Called with the studies that became complete, inside the transaction that says so."""


_Item = tuple[Received, Flush]


class Committer(Protocol):
    """What ingest and the listeners ask of the index."""

    def submit(self, received: Received, flush: Flush) -> Future[Ingested]:
        """Begin to index an instance whose blob is being flushed; nothing is committed before `flush` is done."""
        ...

    def commit(self, received: Received) -> Ingested:
        """Index an instance whose blob is durable; durable on return."""
        ...

    def quarantine(self, refusal: Refusal) -> None:
        """Write the row of a refused instance; durable on return."""
        ...

    def end_session(self, site: str, session: str, evidence: str | None) -> None:
        """Say that an association or request ended; with evidence, its studies count as complete."""
        ...


class LocalCommitter:
    """The committer of the process that owns the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        participants: Sequence[Participant] = (),
        completion_participants: Sequence[CompletionParticipant] = (),
        quarantine_bytes_max: int,
        new_trace_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._database = database
        self._clock = clock
        self._participants = participants
        self._completion_participants = completion_participants
        self._write_refusal = write_refusal(quarantine_bytes_max)
        self._new_trace_id = new_trace_id
        self._parents = Parents()
        self._sessions = Sessions()

    def submit(self, received: Received, flush: Flush) -> Future[Ingested]:
        """Queue an instance; its rows are written at once and committed when `flush` is done.

        The answer is done when the rows are durable or the instance has failed; it fails when `flush` does.
        """
        return self._database.submit_batch(self._write_batch, (received, flush))

    def commit(self, received: Received) -> Ingested:
        """Index an instance whose blob is durable; durable on return.

        Raises
        ------
        Busy, ShuttingDown, DatabaseUnavailable
            Nothing was promised.
        """
        return self.submit(received, Flush.done()).result()

    def quarantine(self, refusal: Refusal) -> None:
        """Write the row of a refused instance; durable on return.

        Raises
        ------
        StorageFull
            The quarantine is full.
        """
        self.submit_refusal(refusal).result()

    def submit_refusal(self, refusal: Refusal) -> Future[None]:
        """Queue the row of a refused instance."""
        return self._database.submit(lambda connection: self._write_refusal(connection, refusal))

    def end_session(self, site: str, session: str, evidence: str | None) -> None:
        """Forget a session; with evidence, the studies that it touched count as complete."""
        self.submit_end(site, session, evidence).result()

    def submit_end(self, site: str, session: str, evidence: str | None) -> Future[None]:
        """Queue the end of a session."""

        def change(connection: Connection) -> None:
            touched = self._sessions.touched(site, session)
            if evidence is not None and touched:
                self.complete(connection, sorted(touched), evidence)
            tx_after_commit(connection, lambda: self._sessions.forget(site, session))

        return self._database.submit(change)

    def write_manifest(self, site: str, said: complete.Manifest) -> None:
        """Keep what another exchange says of a study; durable on return."""

        def change(connection: Connection) -> None:
            promised = complete.write_manifest(connection, site, said, self._clock.now())
            self.complete(connection, promised, complete.MANIFEST)

        self._database.write(change)

    def settle_quiet(self, quiet_s: float) -> int:
        """Complete the studies of which nothing came for `quiet_s`; return how many. The last resort."""
        since = self._clock.now() - timedelta(seconds=quiet_s)
        with self._database.read() as connection:
            if not complete.quiet_studies(connection, since):
                return 0

        def change(connection: Connection) -> int:
            return len(self.complete(connection, complete.quiet_studies(connection, since), complete.QUIET))

        return self._database.write(change)

    def send_now(self, study_pk: int) -> bool:
        """Complete a study because a person said so; return whether that changed it."""
        return self._database.write(lambda connection: bool(self.complete(connection, [study_pk], complete.SEND_NOW)))

    def complete(self, connection: Connection, study_pks: Sequence[int], evidence: str) -> list[Completed]:
        """Mark studies complete inside a transaction, tell those who take part, and return which ones changed."""
        completed = complete.mark(connection, study_pks, evidence, self._clock.now())
        if completed:
            for participant in self._completion_participants:
                participant(connection, completed)
        return completed

    def _write_batch(self, connection: Connection, group: list[_Item]) -> list[Ingested | Exception]:
        """Write one group. May run twice: everything but rows happens after the commit."""
        try:
            batch = _Batch(connection, [one for one, _ in group], Family(connection, self._parents), self._new_trace_id)
            answers = batch.write()
            for participant in self._participants if batch.stored else ():
                participant(connection, batch.stored)
            self.complete(connection, batch.promised, complete.MANIFEST)
            for _, flush in group:
                flush.wait()
        except BaseException:
            self._parents.forget()
            raise

        def remember() -> None:
            self._parents.remember(batch.family.found)
            for received, study_pk in batch.touched:
                self._sessions.touch(received.origin.site, received.origin.session, study_pk)

        tx_after_commit(connection, remember)
        return answers


class _Batch:
    """The instances of one group on their way into the tables."""

    def __init__(
        self, connection: Connection, group: list[Received], family: Family, new_trace_id: Callable[[], str]
    ) -> None:
        self.connection = connection
        self.group = group
        self.family = family
        self.stored: list[Stored] = []
        self.promised: list[int] = []  # studies that now have all that their manifest promised
        self.touched: list[tuple[Received, int]] = []
        self._new_trace_id = new_trace_id
        self._answers: dict[int, Ingested] = {}  # by place in the group
        self._events: list[Event] = []

    def write(self) -> list[Ingested | Exception]:
        """Write all rows and return the answers in the group's order."""
        first: dict[tuple[str, str], int] = {}
        for place, received in enumerate(self.group):
            first.setdefault(rows.instance_key(received), place)
        fresh = list(first.values())
        strangers = [place for place in fresh if self.family.known(self.group[place]) is None]
        if strangers:  # a duplicate or conflict must not make a study or series of its own
            self._answer_known(strangers)
        fresh = [place for place in fresh if place not in self._answers]
        if fresh:
            self._insert(fresh)
        self._answer_known([place for place in range(len(self.group)) if place not in self._answers])
        record_many(self.connection, self._events)
        return [self._answers[place] for place in range(len(self.group))]

    def _insert(self, places: list[int]) -> None:
        parents = [self.family.of(self.group[place], self._trace_id(place)) for place in places]
        values = [
            rows.instance_values(self.group[place], parent.series_pk)
            for place, parent in zip(places, parents, strict=True)
        ]
        # One row alone goes without the machinery of many: a third faster, and it is what a single sender causes.
        result = self.connection.execute(
            _insert_new(on_sqlite=is_sqlite(self.connection)), values[0] if len(values) == 1 else values
        )
        made = {(row.site, row.sop_instance_uid): row.pk for row in result}
        for place, parent in zip(places, parents, strict=True):
            received = self.group[place]
            pk = made.get(rows.instance_key(received))
            if pk is not None:
                self._store(place, received, parent, pk)
        if self.stored:
            self._count()

    def _trace_id(self, place: int) -> str:
        return self.group[place].origin.trace_id or self._new_trace_id()

    def _store(self, place: int, received: Received, parent: Parent, pk: int) -> None:
        ingested = _ingested(Outcome.STORED, received, parent.study.trace_id)
        self._answers[place] = ingested
        self.stored.append(Stored(received, ingested, pk, parent.series_pk, parent.study.pk))
        self.touched.append((received, parent.study.pk))
        self._events.append(
            _event(
                EventName.INSTANCE_RECEIVED,
                received,
                parent.study.trace_id,
                sop_instance_uid=received.attributes.sop_instance_uid,
                channel=received.origin.channel,
                peer=received.origin.peer,
            )
        )

    def _count(self) -> None:
        """Update the counters of studies and series, once each."""
        by_series: defaultdict[int, list[Received]] = defaultdict(list)
        by_study: defaultdict[int, list[Received]] = defaultdict(list)
        for stored in self.stored:
            by_series[stored.series_pk].append(stored.received)
            by_study[stored.study_pk].append(stored.received)
        self.connection.execute(
            _COUNT_SERIES,
            [
                {
                    "pk_": pk,
                    "instances": len(group),
                    "frames": sum(rows.bounded(one.attributes.number_of_frames) or 1 for one in group),
                    "at": max(one.received_at for one in group),
                }
                for pk, group in sorted(by_series.items())
            ],
        )
        for pk, group in sorted(by_study.items()):
            counted = self.connection.execute(
                _COUNT_STUDY,
                {
                    "pk_": pk,
                    "instances": len(group),
                    "size": sum(one.size_bytes for one in group),
                    "at": max(one.received_at for one in group),
                },
            ).one()
            if counted.expected_instances is not None and counted.number_of_instances >= counted.expected_instances:
                self.promised += complete.promised(self.connection, pk)

    def _answer_known(self, places: list[int]) -> None:
        """Answer those whose UID was here before: the digest says duplicate or conflict."""
        if not places:
            return
        uids = sorted({self.group[place].attributes.sop_instance_uid for place in places})
        found = {(row.site, row.sop_instance_uid): row for row in self.connection.execute(_FIND, {"uids": uids})}
        for place in places:
            received = self.group[place]
            here = found.get(rows.instance_key(received))
            if here is None:
                continue
            same = (received.sha256, received.attributes.transfer_syntax_uid) == (here.sha256, here.transfer_syntax_uid)
            outcome = Outcome.DUPLICATE if same else Outcome.CONFLICT
            self._answers[place] = _ingested(outcome, received, here.trace_id)
            self.touched.append((received, here.study_pk))
            if not same:
                self._set_apart(received, here)

    def _set_apart(self, received: Received, here: Any) -> None:
        """Keep other bytes under a known UID beside the first; the same ones again have no effect."""
        made = self.connection.execute(
            engine_insert(self.connection, conflict)
            .values(rows.conflict_values(received, here.pk))
            .on_conflict_do_nothing()
            .returning(conflict.c.pk)
        ).scalar()
        if made is not None:
            self._events.append(
                Event(
                    EventName.INSTANCE_CONFLICT,
                    at=received.received_at,
                    site=received.origin.site,
                    study_instance_uid=here.study_instance_uid,
                    trace_id=here.trace_id,
                    detail={
                        "kind": "bytes",
                        "sop_instance_uid": received.attributes.sop_instance_uid,
                        "conflict": made,
                        "peer": received.origin.peer,
                    },
                )
            )


def _ingested(outcome: Outcome, received: Received, trace_id: str) -> Ingested:
    attributes = received.attributes
    return Ingested(
        outcome=outcome,
        study_instance_uid=attributes.study.study_instance_uid,
        series_instance_uid=attributes.series.series_instance_uid,
        sop_class_uid=attributes.sop_class_uid,
        sop_instance_uid=attributes.sop_instance_uid,
        trace_id=trace_id,
    )


def _event(name: EventName, received: Received, trace_id: str, **detail: Any) -> Event:
    return Event(
        name,
        at=received.received_at,
        site=received.origin.site,
        study_instance_uid=received.attributes.study.study_instance_uid,
        trace_id=trace_id,
        detail=detail,
    )


@cache
def _insert_new(*, on_sqlite: bool) -> Executable:
    """Return INSERT ... ON CONFLICT DO NOTHING: a UID that is taken returns no row."""
    statement = sqlite.insert(instance) if on_sqlite else postgresql.insert(instance)
    return statement.on_conflict_do_nothing().returning(instance.c.pk, instance.c.site, instance.c.sop_instance_uid)


_FIND: Final = (
    select(
        instance.c.pk,
        instance.c.site,
        instance.c.sop_instance_uid,
        instance.c.sha256,
        instance.c.transfer_syntax_uid,
        study.c.pk.label("study_pk"),
        study.c.study_instance_uid,
        study.c.trace_id,
    )
    .join_from(instance, series)
    .join(study)
    .where(instance.c.sop_instance_uid.in_(bindparam("uids", expanding=True)))
)
_COUNT_SERIES: Final = (
    update(series)
    .where(series.c.pk == bindparam("pk_"))
    .values(
        number_of_instances=series.c.number_of_instances + bindparam("instances"),
        number_of_frames=series.c.number_of_frames + bindparam("frames"),
        last_received_at=bindparam("at"),
        revision=series.c.revision + bindparam("instances"),
    )
)
_COUNT_STUDY: Final = (
    update(study)
    .where(study.c.pk == bindparam("pk_"))
    .values(
        number_of_instances=study.c.number_of_instances + bindparam("instances"),
        size_bytes=study.c.size_bytes + bindparam("size"),
        last_received_at=bindparam("at"),
        revision=study.c.revision + bindparam("instances"),
        state=STATE_RECEIVING,
        evidence="",
    )
    .returning(study.c.number_of_instances, study.c.expected_instances)
)
