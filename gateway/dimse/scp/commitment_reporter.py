"""Tells requesters the result of storage commitment on an association of ours, for days if need be (PS3.4 J.3.3.1).

Runs in the process that owns the database. A requester is reached where a `[[destination]]` of kind dimse has its AE
title, else at the address from which it asked when its `[[source]]` says on which port it listens. Until it takes the report the transaction stays a row, tried again with a doubling pause.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from gateway.dimse.scp.commitment_messages import COMMITMENT_CLASS, event_command, write_report
from gateway.dimse.scu.line import Line, Lost, Target
from gateway.dimse.upper_layer.pdu import Role
from gateway.peers import Sources
from gateway.status import SUCCESS
from kernel import telemetry
from kernel.archive import commitments
from kernel.archive.commitments import Asked, Transaction
from kernel.clock import Clock
from kernel.database import Database
from kernel.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import ExchangeError, UnknownCaller

LOOK_EVERY_S: Final = 2.0
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
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, with what an earlier run left untold."""
        self._thread = threading.Thread(target=self._run, name="commitment-reports", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the report under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run_once(self) -> int:
        """Try every report that is due; return how many were taken."""
        with self._db.read() as connection:
            due = commitments.due(connection, "decided", self._clock.now())
        told = 0
        for one in due:
            if self._stopping.is_set():
                break
            failure = self._report(one)
            if failure:
                now = self._clock.now()
                self._db.write(
                    lambda connection, one=one, why=failure, now=now: commitments.postpone(connection, one, why, now)
                )
                _log.warning("commitment_not_told", peer=one.asked.peer, attempts=one.attempts + 1, reason=failure)
            else:
                self._db.write(lambda connection, pk=one.pk: commitments.tell(connection, pk))
                told += 1
        return told

    def _run(self) -> None:
        while not self._clock.wait(self._stopping, LOOK_EVERY_S):
            try:
                self.run_once()
            except ExchangeError as error:
                _log.warning("commitment_reports_failed", error=error.code)
            except Exception as error:  # noqa: BLE001 (a thread's edge: the others are told all the same)
                _log.error("commitment_reports_failed", exc_info=error)

    def _report(self, one: Transaction) -> str:
        """Return why the requester could not be told, empty when it was."""
        target = self._requesters.get(one.asked.peer) or self._call_back(one.asked)
        if target is None:
            return "no [[destination]] has its AE title, and no [[source]] says its port"
        try:
            line = Line(target, _PAIRS, roles=_ROLES)
            try:
                return _tell(line, one)
            finally:
                line.release()
        except Lost as lost:
            return f"{lost.status}: {lost.detail}"


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
