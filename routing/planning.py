"""From stored instances to plans, in ingest's own transaction. `routing.promises` makes the jobs.

`Planner.participant` is registered with the archive's committer: what was acknowledged has its jobs, from the first
instance on. `Planner.on_complete` is told the evidence that a study is complete.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from kernel.archive.ingest.complete import set_priority
from kernel.archive.records import Completed, Origin, Outcome, Stored
from kernel.archive.tables import study
from kernel.clock import Clock
from kernel.database import tx_after_commit, upsert
from kernel.events import Event, EventName, record
from routing import consignments
from routing.promises import Planned, make_urgent, promise, tell_deidentified
from routing.returning import at_home, came_back, lead_home
from routing.rules import Facts, Leg, Plan, Priority, Rules, plan
from routing.tables import study_plan

STUDIES_REMEMBERED_MAX: Final = 4096
FACTS_REMEMBERED_MAX: Final = 4096
TOLD_MAX: Final = 20  # rules and destinations named in one event


@dataclass(frozen=True, slots=True)
class _Known:
    """What was recorded for a study by a committed transaction."""

    legs: frozenset[Leg]
    priority: int


class Planner:
    """Plans what arrives. Its methods run in the database writer's thread, in the transaction that they are given."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        fallback_charset_of: Callable[[Origin], str | None] = lambda _: None,
        returns_from: Collection[str] = (),
    ) -> None:
        """`fallback_charset_of` is the one that ingest has, so that both read a name alike.

        `returns_from` are the names of peers that bring back what was written about studies that left.
        """
        self._returns_from = returns_from
        self._fallback_charset_of = fallback_charset_of
        self._rules = rules
        self._clock = clock
        self._plans: OrderedDict[Facts, Plan] = OrderedDict()
        self._studies: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    def participant(self, connection: Connection, stored: Sequence[Stored]) -> None:
        """Plan the instances that are new; one that was here already has its jobs or has gone."""
        now = self._clock.now()
        studies: dict[tuple[str, str], list[Stored]] = {}
        for one in stored:
            if one.ingested.outcome is Outcome.STORED:
                studies.setdefault((one.received.origin.site, one.ingested.study_instance_uid), []).append(one)
        for (site, study_instance_uid), instances in studies.items():
            peers = {one.received.origin.peer for one in instances}
            back = {one for one in peers if came_back(connection, site, study_instance_uid, one, self._returns_from)}
            lead_home(connection, [one for one in instances if one.received.origin.peer in back], now)
            planned = [self._planned(one) for one in instances if one.received.origin.peer not in back]
            if not planned:
                continue
            priority = self._record(connection, (site, study_instance_uid), planned, now)
            promise(connection, planned, priority, now)
            _tell_labels_kept(connection, (site, study_instance_uid), planned, now)

    def on_complete(self, connection: Connection, completed: Sequence[Completed]) -> None:
        """Record the evidence that studies are complete with everything that is on its way."""
        now = self._clock.now()
        for one in completed:
            consignments.close(connection, one.site, one.study_instance_uid, one.evidence)
            tell_deidentified(connection, one.site, one.study_instance_uid, now)
            consignments.settle(connection, one.site, one.study_instance_uid, now)

    def forget(self) -> None:
        """Forget what was recorded of studies: one was deleted, and may come again as a new one."""
        self._studies.clear()

    def _planned(self, one: Stored) -> Planned:
        origin = one.received.origin
        plan = at_home(self._plan(_facts(one)), origin)
        return Planned(one, plan, self._fallback_charset_of(origin) or "")

    def _plan(self, facts: Facts) -> Plan:
        made = self._plans.get(facts)
        if made is None:
            made = self._plans[facts] = plan(facts, self._rules)
            if len(self._plans) > FACTS_REMEMBERED_MAX:
                self._plans.popitem(last=False)
        return made

    def _record(self, connection: Connection, key: tuple[str, str], planned: Sequence[Planned], now: datetime) -> int:
        """Record the plan of a study, PlanMade if it says something new, and return the priority that counts."""
        wanted = min(one.plan.priority for one in planned)
        legs = frozenset(leg for one in planned for leg in one.plan.legs)
        known = self._studies.get(key)
        if known is not None and legs <= known.legs and known.priority <= wanted:
            return known.priority
        recorded = _recorded_legs(connection, key, self._rules.version)
        priority = _raise(connection, key, wanted)
        every = legs | (recorded or frozenset())
        if every != recorded:
            _write_plan(connection, key, every, priority, planned[0], now=now)
        after = _Known(every, priority)
        tx_after_commit(connection, lambda: self._remember(key, after))
        return priority

    def _remember(self, key: tuple[str, str], known: _Known) -> None:
        self._studies[key] = known
        self._studies.move_to_end(key)
        if len(self._studies) > STUDIES_REMEMBERED_MAX:
            self._studies.popitem(last=False)


def _facts(one: Stored) -> Facts:
    attributes, origin = one.received.attributes, one.received.origin
    return Facts(
        source=origin.peer,
        called_ae_title=origin.called,
        modality=attributes.series.modality,
        body_part=attributes.series.body_part_examined,
        sop_class=attributes.sop_class_uid,
        description=attributes.study.study_description,
        is_label=attributes.is_label,
    )


def _tell_labels_kept(connection: Connection, key: tuple[str, str], planned: Sequence[Planned], now: datetime) -> None:
    kept = [one for one in planned if one.plan.kept_from]
    if kept:
        names = dict.fromkeys(name for one in kept for name in one.plan.kept_from)
        detail = {"instances": len(kept), "from": list(names)[:TOLD_MAX]}
        record(connection, Event(EventName.LABEL_KEPT, now, *key, kept[0].stored.ingested.trace_id, detail))


def _recorded_legs(connection: Connection, key: tuple[str, str], version: str) -> frozenset[Leg] | None:
    text = connection.execute(
        select(study_plan.c.plan)
        .where(study_plan.c.site == key[0], study_plan.c.study_instance_uid == key[1])
        .where(study_plan.c.rules_version == version)
    ).scalar_one_or_none()
    return None if text is None else frozenset(Leg(**leg) for leg in json.loads(text)["legs"])


def _write_plan(
    connection: Connection, key: tuple[str, str], legs: frozenset[Leg], priority: int, first: Planned, *, now: datetime
) -> None:
    in_order = sorted(legs, key=lambda leg: leg.destination)
    text = json.dumps({"priority": priority, "legs": [asdict(leg) for leg in in_order]}, ensure_ascii=False)
    version = first.plan.version
    row = {"site": key[0], "study_instance_uid": key[1], "rules_version": version, "plan": text, "at": now}
    keys = ["site", "study_instance_uid", "rules_version"]
    upsert(connection, study_plan, [row], key=keys, update=["plan"])
    detail = {
        "version": version,
        "rules": list(first.plan.rules)[:TOLD_MAX],
        "to": [f"{leg.destination} ({leg.profile})" for leg in in_order][:TOLD_MAX],
        "priority": Priority(priority).word,
    }
    record(connection, Event(EventName.PLAN_MADE, now, key[0], key[1], first.stored.ingested.trace_id, detail))


def _raise(connection: Connection, key: tuple[str, str], wanted: int) -> int:
    """Make the study and what is on its way as urgent as `wanted`, if it is not; return the priority that counts."""
    row = connection.execute(
        select(study.c.pk, study.c.priority).where(study.c.site == key[0], study.c.study_instance_uid == key[1])
    ).one()
    if row.priority <= wanted:
        return row.priority
    set_priority(connection, row.pk, wanted)
    make_urgent(connection, *key, wanted)
    return wanted
