"""The rows of one group of instances: one INSERT for all, counters once for each study and series, events in bulk.

Rows are inserted without looking first. When a UID is taken, the digest decides: the same bytes are a duplicate without
effect, others are kept apart as a conflict, and the first is what is served.
"""

from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, Executable, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kernel.archive import rows
from kernel.archive.ingest import complete
from kernel.archive.ingest.parents import Family, Parent
from kernel.archive.records import Ingested, Outcome, Received, Stored
from kernel.archive.tables import STATE_RECEIVING, conflict, instance, series, study
from kernel.database import Prepared
from kernel.database import insert as engine_insert
from kernel.events import Event, EventName, record_many


class Batch:
    """The instances of one group on their way into the tables."""

    def __init__(self, connection: Connection, group: list[Received], family: Family) -> None:
        self.connection = connection
        self.group = group
        self.family = family
        self.stored: list[Stored] = []
        self.promised: list[int] = []  # studies that now have all that their manifest promised
        self.touched: list[tuple[Received, int]] = []
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
        parents = [self.family.of(self.group[place]) for place in places]
        self.family.count_days()
        values = [
            rows.instance_values(self.group[place], parent.series_pk)
            for place, parent in zip(places, parents, strict=True)
        ]
        made = {(site, uid): pk for pk, site, uid in _INSERT.run(self.connection, values)}
        for place, parent in zip(places, parents, strict=True):
            received = self.group[place]
            pk = made.get(rows.instance_key(received))
            if pk is not None:
                self._store(place, received, parent, pk)
        if self.stored:
            self._count()

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
        _COUNT_SERIES.run(
            self.connection,
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
            values = {
                "pk_": pk,
                "instances": len(group),
                "size": sum(one.size_bytes for one in group),
                "at": max(one.received_at for one in group),
            }
            ((have, expected, state),) = _COUNT_STUDY.run(self.connection, [values])
            if state != STATE_RECEIVING:
                _REOPEN_STUDY.run(self.connection, [{"pk_": pk}])
            if expected is not None and have >= expected:
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


def _new_instance(on_sqlite: bool) -> Executable:  # noqa: FBT001 (which engine)
    """Return INSERT ... ON CONFLICT DO NOTHING: a UID that is taken returns no row."""
    statement = sqlite.insert(instance) if on_sqlite else postgresql.insert(instance)
    return statement.on_conflict_do_nothing().returning(instance.c.pk, instance.c.site, instance.c.sop_instance_uid)


_INSERT: Final = Prepared(_new_instance, [column.name for column in instance.c if column.name != "pk"])
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
_COUNT_SERIES: Final = Prepared(
    lambda _: (
        update(series)
        .where(series.c.pk == bindparam("pk_"))
        .values(
            number_of_instances=series.c.number_of_instances + bindparam("instances"),
            number_of_frames=series.c.number_of_frames + bindparam("frames"),
            last_received_at=bindparam("at"),
            revision=series.c.revision + bindparam("instances"),
        )
    ),
    ("pk_", "instances", "frames", "at"),
)
_COUNT_STUDY: Final = Prepared(
    lambda _: (
        update(study)
        .where(study.c.pk == bindparam("pk_"))
        .values(
            number_of_instances=study.c.number_of_instances + bindparam("instances"),
            size_bytes=study.c.size_bytes + bindparam("size"),
            last_received_at=bindparam("at"),
            revision=study.c.revision + bindparam("instances"),
        )
        .returning(study.c.number_of_instances, study.c.expected_instances, study.c.state)
    ),
    ("pk_", "instances", "size", "at"),
)
_REOPEN_STUDY: Final = Prepared(  # apart, as it changes an index and is rarely needed
    lambda _: update(study).where(study.c.pk == bindparam("pk_")).values(state=STATE_RECEIVING, evidence=""),
    ("pk_",),
)
