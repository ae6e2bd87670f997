"""Storage commitment SCU: ask a destination by N-ACTION, and hear its N-EVENT-REPORT wherever it comes (PS3.4 J.3).

The report may come on the association of the request, which is kept for a while, or on one that the destination opens to
this node's listener. Both are served by `CommitmentReports`, which hands the word to the process that owns the database.
"""

import struct
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.dimse.scp.commitment_messages import (
    ALL_COMMITTED,
    COMMITMENT_CLASS,
    COMMITMENT_INSTANCE,
    MESSAGE_BYTES_MAX,
    REQUEST_ACTION,
    SOME_FAILED,
    Report,
    read_report,
    write_request,
)
from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, int_of, response
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Line, Serving
from gateway.dimse.upper_layer.commands import Field
from gateway.dimse.upper_layer.indications import Command
from gateway.peers import Source
from gateway.status import NO_SUCH_INSTANCE, SUCCESS, dimse_status
from kernel import telemetry
from kernel.archive.commitment.requests import Reference
from kernel.archive.owner.asking import Owner
from kernel.clock import Clock
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import ExchangeError
from routing.transport import Cause

REPORT_VERB: Final = "commitment.report"
NO_SUCH_EVENT: Final = 0x0113
SAME_ASSOCIATION_S: Final = 10.0  # how long the association of the request is kept for the report
_PAIRS: Final = tuple((COMMITMENT_CLASS, uid) for uid in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))
_log = telemetry.get_logger("gateway.dimse")


class Told(msgspec.Struct, array_like=True, frozen=True):
    """A report on its way to the process that owns the database."""

    transaction_uid: str
    committed: list[str]  # SOP Instance UIDs
    failures: dict[str, int]  # by SOP Instance UID


_encode = msgspec.msgpack.Encoder().encode
read_told = msgspec.msgpack.Decoder(Told).decode
YES, NO = struct.pack("?", True), struct.pack("?", False)  # noqa: FBT003 (the values themselves)


class CommitmentReports:
    """Serves N-EVENT-REPORT-RQ of the Storage Commitment Push Model: what we asked for was looked for."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def begin(self, session: Session, message: Command) -> Receiver:
        """Gather the report."""
        del session
        if int_of(message.command, "EventTypeID") not in (ALL_COMMITTED, SOME_FAILED) or not message.has_data_set:
            return Drain(response(message, NO_SUCH_EVENT), MESSAGE_BYTES_MAX)

        def refuse(error: Exception) -> Iterable[Response]:
            return ((response(message, dimse_status(error), error), None),)

        def answer(data_set: bytes) -> Iterable[Response]:
            try:
                known = self._tell(read_report(data_set, message.context.transfer_syntax))
            except ExchangeError as error:
                return refuse(error)
            return ((response(message, SUCCESS if known else NO_SUCH_INSTANCE), None),)

        return Gathered(answer, refuse, MESSAGE_BYTES_MAX)

    def _tell(self, report: Report) -> bool:
        failures = {one.sop_instance_uid: one.reason for one in report.failures}
        committed = [one.sop_instance_uid for one in report.committed]
        return self._owner.ask(REPORT_VERB, _encode(Told(report.transaction_uid, committed, failures))) == YES


def ask_commitment(
    target: Target, transaction_uid: str, references: list[Reference], reports: CommitmentReports, clock: Clock
) -> None:
    """Ask a destination to commit to keep instances; returns once it accepted, and reported if it does so at once.

    Raises
    ------
    Lost
        It cannot be reached, does not offer the service, or refuses the request.
    """
    offers = Offers(
        {COMMITMENT_CLASS: Offer("commit", {Field.N_EVENT_REPORT_RQ: reports})},
        Offer("store", {}, ()),
        private_storage=False,
    )
    line = Line(target, _PAIRS, serving=Serving(offers, Source("", ""), "", MESSAGE_BYTES_MAX))
    try:
        context = line.context(COMMITMENT_CLASS)
        if context is None:
            raise Lost(Cause.POISON, "context", "it does not offer storage commitment")
        command = {
            "CommandField": int(Field.N_ACTION_RQ),
            "RequestedSOPClassUID": COMMITMENT_CLASS,
            "RequestedSOPInstanceUID": COMMITMENT_INSTANCE,
            "ActionTypeID": REQUEST_ACTION,
        }
        data_set = write_request(transaction_uid, references, context.transfer_syntax)
        status = line.request(context, command, data_set).status
        if status != SUCCESS:
            raise Lost(Cause.POISON, f"{status:04X}", f"N-ACTION status {status:04X}")
        _await_report(line, clock)
    finally:
        line.release()


def _await_report(line: Line, clock: Clock) -> None:
    """Serve what the destination asks until the time is over, or it ends the association: it reports later, then."""
    until_s = clock.monotonic_s() + SAME_ASSOCIATION_S
    try:
        while (left_s := until_s - clock.monotonic_s()) > 0 and line.served == 0:
            if not line.attend(left_s):
                return  # the time is over
    except Lost as lost:
        _log.info("commitment_association_ended", status=lost.status)
