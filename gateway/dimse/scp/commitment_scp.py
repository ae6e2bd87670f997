"""Storage commitment SCP: N-ACTION, and its result on the same association while that stands (PS3.4 J.3).

The request is a durable row before it is accepted. When the requester is gone before the result is there,
`commitment_reporter` tells it on an association of ours.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.commitment_messages import (
    COMMITMENT_INSTANCE,
    MESSAGE_BYTES_MAX,
    REQUEST_ACTION,
    event_command,
    read_request,
    write_report,
)
from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, int_of, response, text_of
from gateway.dimse.upper_layer.indications import Command
from gateway.status import NO_SUCH_INSTANCE, NOT_AUTHORISED, PROCESSING_FAILURE, SUCCESS
from kernel import telemetry
from kernel.archive.commitment.desk import AskedCommitments
from kernel.archive.commitment.requests import Asked, Transaction, of_key
from kernel.errors import ExchangeError, LimitExceeded, Refused, Retriable

# Further statuses of N-ACTION (PS3.7 10.1.4.1.10).
INVALID_ARGUMENT: Final = 0x0115
NO_SUCH_ACTION: Final = 0x0123
RESOURCE_LIMITATION: Final = 0x0213

SAME_ASSOCIATION_S: Final = 5.0  # how long the result may take to go on the association of the request
LOOK_EVERY_S: Final = 0.05
REPORTS_AT_ONCE: Final = 50  # transactions looked at in one turn

_log = telemetry.get_logger("gateway.dimse")


class CommitmentSCP:
    """Serves N-ACTION-RQ of the Storage Commitment Push Model."""

    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        self.commitments = AskedCommitments(backing.owner)
        # By session: transactions whose result its first request under way waits for. One thread for each session.
        self.waiting: dict[str, list[int]] = {}

    def begin(self, session: Session, message: Command) -> Receiver:
        """Gather the request."""
        status = _fault(message) if session.source.may("commit") else NOT_AUTHORISED
        if status is not None:
            return Drain(response(message, status), 2 * MESSAGE_BYTES_MAX)
        request = _Request(self, session, message)
        return Gathered(request.answer, request.refuse, MESSAGE_BYTES_MAX)


def _fault(message: Command) -> int | None:
    command = message.command
    if text_of(command, "RequestedSOPInstanceUID") != COMMITMENT_INSTANCE:
        return NO_SUCH_INSTANCE
    if int_of(command, "ActionTypeID") != REQUEST_ACTION:
        return NO_SUCH_ACTION
    return None if message.has_data_set else INVALID_ARGUMENT


class _Request:
    """One request."""

    def __init__(self, scp: CommitmentSCP, session: Session, message: Command) -> None:
        self._scp = scp
        self._session = session
        self._message = message

    def refuse(self, error: Exception) -> Iterable[Response]:
        return ((response(self._message, _status_of(error), error), None),)

    def answer(self, data_set: bytes) -> Iterable[Response]:
        session = self._session
        try:
            uid, references = read_request(data_set, self._message.context.transfer_syntax)
            pk = self._scp.commitments.ask(
                Asked(
                    transaction_uid=uid,
                    channel="dimse",
                    site=session.source.site,
                    peer=session.calling_ae_title,
                    called=session.called_ae_title,
                    address=session.address,
                    references=references,
                )
            )
        except Exception as error:  # noqa: BLE001 the edge: every error becomes a status
            if not isinstance(error, ExchangeError):
                _log.error("commitment_failed", session=session.identifier, exc_info=error)
            return self.refuse(error)
        return self._accepted(pk)

    def _accepted(self, pk: int) -> Iterator[Response]:
        """Accept, and report as soon as the result is there; a peer that releases first is told later.

        What else is asked on the association meanwhile is accepted, and reported from here, too.
        """
        yield response(self._message, SUCCESS), None
        session, everybody = self._session, self._scp.waiting
        if session.identifier in everybody:
            everybody[session.identifier].append(pk)
            return
        waiting = everybody[session.identifier] = [pk]
        try:
            self._report_all(waiting)
        finally:
            del everybody[session.identifier]

    def _report_all(self, waiting: list[int]) -> None:
        clock = self._scp.backing.clock
        begun_s, count = clock.monotonic_s(), len(waiting)
        while waiting and clock.monotonic_s() - begun_s < SAME_ASSOCIATION_S:
            self._session.is_cancelled(0)  # hears further requests; a release ends this
            if len(waiting) > count:
                begun_s = clock.monotonic_s()
            count = len(waiting)
            decided = [one for one in map(self._decided, waiting[:REPORTS_AT_ONCE]) if one is not None]
            for one in decided:
                waiting.remove(one.pk)
                self._report(one)
            if not decided:
                clock.wait(threading.Event(), LOOK_EVERY_S)

    def _decided(self, pk: int) -> Transaction | None:
        with self._scp.backing.db.read() as connection:
            found = of_key(connection, pk)
        return found if found is not None and found.state == "decided" else None

    def _report(self, one: Transaction) -> None:
        context = self._message.context
        event_type, data_set = write_report(one, one.asked.called, context.transfer_syntax)
        if self._session.request(context, event_command(event_type), data_set).status == SUCCESS:
            self._scp.commitments.tell(one.pk)


def _status_of(error: Exception) -> int:
    if isinstance(error, LimitExceeded | Retriable):
        return RESOURCE_LIMITATION
    return INVALID_ARGUMENT if isinstance(error, Refused) else PROCESSING_FAILURE
