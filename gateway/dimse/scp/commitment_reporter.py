"""Tells requesters the result of storage commitment on an association of ours, for days if need be (PS3.4 J.3.3.1).

Runs in the process that owns the database. A requester is reached where a `[[destination]]` of kind dimse has its AE
title, else at the address from which it asked when its `[[source]]` says on which port it listens. Until it takes the
report the transaction stays a row, tried again with a doubling pause. Requesters are told side by side, each on one
association for all that it is to hear.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from gateway.dimse.scp.commitment_messages import COMMITMENT_CLASS, event_command, write_report
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.errands import Errands
from gateway.dimse.scu.line import Line
from gateway.dimse.upper_layer.pdu import Role
from gateway.peers import Sources
from gateway.status import SUCCESS
from kernel import telemetry
from kernel.archive.commitment import requests as commitments
from kernel.archive.commitment.requests import Asked, Transaction
from kernel.clock import Clock
from kernel.database import Database
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import UnknownCaller
from kernel.rounds import Rounds

_PAIRS: Final = tuple((COMMITMENT_CLASS, uid) for uid in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))
_ROLES: Final = (Role(COMMITMENT_CLASS, scu=False, scp=True),)  # we stay its SCP (PS3.4 J.3.3.1)
_log = telemetry.get_logger("gateway.dimse")


class CommitmentReporter:
    """Reports what could not be reported on the association of the request."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        requesters: Mapping[str, Target],
        call_back: Callable[[Asked], Target | None] = lambda _: None,
    ) -> None:
        """Keep where requesters are, by AE title, and how to reach others."""
        self._db = db
        self._clock = clock
        self._requesters = requesters
        self._call_back = call_back
        self._errands = Errands("commitment-report")
        self._rounds = Rounds("commitment-reports", clock, lambda: self.begin([]))

    def start(self) -> None:
        """Begin, with what an earlier run left untold."""
        self._rounds.start()

    def stop(self, timeout_s: float) -> None:
        """End after the reports under way; one that takes longer is given up, and made again at the next start."""
        self._rounds.stop(timeout_s)
        self._errands.wait(timeout_s)

    def run_once(self) -> int:
        """Try reports that are due and wait for what becomes of them; return how many were taken."""
        told: list[int] = []
        self.begin(told)
        self._errands.wait()
        return len(told)

    @property
    def busy(self) -> frozenset[str]:
        """The AE titles that are being told now."""
        return self._errands.busy

    def begin(self, told: list[int]) -> None:
        """Send off the reports that are due, to requesters that are not being told already; `told` gets their keys."""
        with self._db.read() as connection:
            due = commitments.due(connection, "decided", self._clock.now(), besides=self._errands.busy)
        by_peer: dict[tuple[str, str], list[Transaction]] = {}
        for one in due:
            by_peer.setdefault((one.asked.peer, one.asked.address), []).append(one)
        for (peer, _), transactions in by_peer.items():
            self._errands.begin(peer, partial(self._report, transactions, told))

    def _report(self, transactions: Sequence[Transaction], told: list[int]) -> None:
        """Tell one requester; when it cannot be reached, all that it is to hear waits."""
        first = transactions[0].asked
        target = self._requesters.get(first.peer) or self._call_back(first)
        if target is None:
            self._postpone(transactions, "no [[destination]] has its AE title, and no [[source]] says its port")
            return
        line: Line | None = None
        for number, one in enumerate(transactions):
            if self._rounds.stopping:
                break
            try:
                line = _standing(line) or Line(target, _PAIRS, roles=_ROLES)
                failure = _tell(line, one)
            except Lost as lost:
                if line is not None:
                    line.abort()
                self._postpone(transactions[number:], f"{lost.status}: {lost.detail}")
                return
            if failure:
                self._postpone([one], failure)
            else:
                self._db.write(lambda connection, pk=one.pk: commitments.tell(connection, pk))
                told.append(one.pk)
        if line is not None:
            line.release()

    def _postpone(self, transactions: Sequence[Transaction], why: str) -> None:
        now = self._clock.now()
        self._db.write(lambda connection: commitments.postpone(connection, transactions, why, now))
        asked, attempts = transactions[0].asked, transactions[0].attempts + 1
        _log.warning(
            "commitment_not_told", peer=asked.peer, transactions=len(transactions), attempts=attempts, reason=why
        )


def _standing(line: Line | None) -> Line | None:
    """Return the association if it still stands: some requesters hang up after every report."""
    if line is None or line.alive:
        return line
    line.abort()
    return None


def _tell(line: Line, one: Transaction) -> str:
    context = line.context(COMMITMENT_CLASS)
    if context is None:
        return "it does not take storage commitment"
    event_type, data_set = write_report(one, one.asked.called, context.transfer_syntax)
    status = line.request(context, event_command(event_type), data_set).status
    return "" if status == SUCCESS else f"N-EVENT-REPORT status {status:04X}"


def call_back(sources: Sources, timeout_s: float) -> Callable[[Asked], Target | None]:
    """Return how a requester is reached whose `[[source]]` says on which port it listens."""

    def target_of(asked: Asked) -> Target | None:
        try:
            source = sources.resolve(asked.called, asked.peer, asked.address)
        except UnknownCaller:
            return None
        if source.port is None:
            return None
        return Target(asked.address, source.port, asked.peer, asked.called, timeout_s)

    return target_of
