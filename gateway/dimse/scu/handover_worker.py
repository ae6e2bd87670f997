"""Asks destinations for commitment and tells them of availability, side by side, in the process that owns the database."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from gateway.dimse.scu.availability_scu import tell_available
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.commitment_scu import NO, REPORT_VERB, YES, CommitmentReports, ask_commitment, read_told
from gateway.dimse.scu.errands import Errands
from kernel import telemetry
from kernel.archive.commitment.requests import Reference
from kernel.archive.owner.asking import LocalOwner
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import Denied, Refused, Retriable
from kernel.rounds import Rounds
from routing import handovers
from routing.destinations import Destination
from routing.handovers import Handover, Verdict

HttpAsk = Callable[[str, Sequence[Reference]], Verdict]
"""Asks for commitment over DICOMweb and returns the result; raises an error of ours when there is none (yet)."""
_log = telemetry.get_logger("gateway.dimse")


class HandoverWorker:
    """Makes handovers of events and does what is due."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        owner: LocalOwner,
        destinations: Mapping[str, tuple[Destination, Target | HttpAsk]],
        new_uid: Callable[[], str],
    ) -> None:
        """Keep the destinations by name, and how each is called or asked; take reports from the listeners."""
        self._db = db
        self._clock = clock
        self._destinations = {name: one for name, one in destinations.items() if one[0].commit or one[0].availability}
        self._reports = CommitmentReports(owner)
        self._new_uid = new_uid
        self._errands = Errands("handover")
        self._rounds = Rounds("handovers", clock, lambda: self.begin([]))
        owner.serve(REPORT_VERB, self._take_report)

    def start(self) -> None:
        """Begin, with what an earlier run left undone; nothing is to do without such a destination."""
        if self._destinations:
            self._follow()  # from here on: what happened before anybody wanted it is not asked for
            self._rounds.start()

    def stop(self, timeout_s: float) -> None:
        """End after what is under way."""
        self._rounds.stop(timeout_s)
        self._errands.wait(timeout_s)

    def run_once(self) -> int:
        """Do what is due and wait for it; return how many destinations took what was asked or told."""
        done: list[int] = []
        self.begin(done)
        self._errands.wait()
        return len(done)

    def begin(self, done: list[int]) -> None:
        """Follow the events and send off what is due, to destinations where nobody is now; `done` gets the keys."""
        self._follow()
        with self._db.read() as connection:
            due = handovers.due(connection, self._clock.now(), besides=self._errands.busy)
        by_destination: dict[str, list[Handover]] = {}
        for one in due:
            by_destination.setdefault(one.destination, []).append(one)
        for name, rows in by_destination.items():
            self._errands.begin(name, partial(self._do_all, rows, done))

    def _do_all(self, rows: Sequence[Handover], done: list[int]) -> None:
        done += [one.pk for one in rows if not self._rounds.stopping and self._do(one)]

    def _follow(self) -> None:
        wanted = {name: destination for name, (destination, _) in self._destinations.items()}
        self._db.write(lambda connection: handovers.follow(connection, wanted, self._clock.now()))

    def _do(self, one: Handover) -> bool:
        known = self._destinations.get(one.destination)
        why = "no [[destination]] of this name asks for it any more"
        if known is not None:
            try:
                self._hand_over(one, known[1])
            except Lost as lost:
                why = f"{lost.status}: {lost.detail}"
            except (Retriable, Refused, Denied) as error:
                why = f"{error.code}: {error}"
            else:
                return True
        _log.warning("handover_failed", kind=one.kind, destination=one.destination, reason=why)
        self._db.write(lambda connection: handovers.postpone(connection, one, why, self._clock.now()))
        return False

    def _hand_over(self, one: Handover, way: Target | HttpAsk) -> None:
        if one.kind == "commit":
            self._ask(one, way)
        elif isinstance(way, Target):
            self._tell(one, way)

    def _ask(self, one: Handover, way: Target | HttpAsk) -> None:
        uid = self._new_uid()
        with self._db.read() as connection:
            references = handovers.delivered_instances(connection, one)
        if not references:  # deleted since it was delivered
            self._db.write(lambda connection: handovers.abandon(connection, one, "nothing of it is here any more"))
            return
        self._db.write(lambda connection: handovers.begin(connection, one, uid))
        if isinstance(way, Target):
            ask_commitment(way, uid, references, self._reports, self._clock)
            self._db.write(lambda connection: handovers.accepted(connection, one, self._clock.now()))
            return
        verdict = way(uid, references)
        self._db.write(lambda connection: handovers.reported(connection, uid, verdict, self._clock.now()))

    def _tell(self, one: Handover, target: Target) -> None:
        with self._db.read() as connection:
            by_series = handovers.available_instances(connection, one)
        tell_available(target, self._new_uid(), one.study_instance_uid, by_series, target.calling_ae_title)
        count = sum(len(references) for references in by_series.values())
        self._db.write(lambda connection: handovers.told(connection, one, count, self._clock.now()))

    def _take_report(self, body: bytes) -> bytes:
        report, now = read_told(body), self._clock.now()
        verdict = Verdict(frozenset(report.committed), report.failures)
        known = self._db.write(lambda connection: handovers.reported(connection, report.transaction_uid, verdict, now))
        return YES if known else NO
