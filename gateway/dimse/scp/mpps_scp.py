"""Modality Performed Procedure Step SCP (PS3.4 F.7): N-CREATE and N-SET, answered when they are durable."""

from collections.abc import Callable, Iterable
from typing import Final

from consult import asked
from consult.asked import Said
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, int_of, response, text_of
from gateway.dimse.upper_layer.commands import CommandSet, Field
from gateway.dimse.upper_layer.indications import Command
from gateway.status import SUCCESS, dimse_status
from kernel import telemetry
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import ExchangeError, InvalidStep, MalformedInstance, StepIsFinal

MODALITY_PERFORMED_PROCEDURE_STEP: Final = "1.2.840.10008.3.1.2.3.3"
DATA_SET_BYTES_MAX: Final = 7 * 1024 * 512  # 3.5 MiB: a step of some 20,000 instances; it is asked of the owner whole
NO_LONGER_UPDATED: Final = 0xA710  # Error ID (PS3.4 F.7.2.2.2)

_log = telemetry.get_logger("gateway.dimse")


class PerformedStepSCP:
    """Serves N-CREATE-RQ and N-SET-RQ of the class."""

    def __init__(self, backing: Backing, new_uid: Callable[[], str]) -> None:
        self._owner = backing.owner
        self._new_uid = new_uid

    def begin(self, session: Session, message: Command) -> Receiver:
        """Gather the attributes."""
        if not message.has_data_set:
            return Drain(_failed(session, message, MalformedInstance(reason="the request has no data set")), 0)
        return Gathered(
            lambda data: self._answer(session, message, data),
            lambda error: ((_failed(session, message, error), None),),
            DATA_SET_BYTES_MAX,
        )

    def _answer(self, session: Session, message: Command, data: bytes) -> Iterable[Response]:
        creates = int_of(message.command, "CommandField") == Field.N_CREATE_RQ
        uid = text_of(message.command, "AffectedSOPInstanceUID" if creates else "RequestedSOPInstanceUID")
        try:
            if not uid and creates:
                uid = self._new_uid()  # an SCU may leave it to us (PS3.7 10.1.5.1.3)
            check_uid(uid, "SOPInstanceUID")
            source = session.source
            said = Said(source.site, uid, message.context.transfer_syntax, source.fallback_charset, data)
            (asked.create if creates else asked.change)(self._owner, said)
        except ExchangeError as error:
            return ((_failed(session, message, error), None),)
        _log.info("step_performed", session=session.identifier, source=source.name, sop_instance_uid=uid)
        return (({**response(message, SUCCESS), "AffectedSOPInstanceUID": uid}, None),)


def _failed(session: Session, message: Command, error: ExchangeError) -> CommandSet:
    status = dimse_status(error)
    _log.warning("step_refused", session=session.identifier, status=f"{status:04X}", error=error.code)
    answer = dict(response(message, status, error))
    if isinstance(error, InvalidStep):
        answer["AttributeIdentifierList"] = (int(error.fields["tag"]),)
    if isinstance(error, StepIsFinal):
        answer["ErrorID"] = NO_LONGER_UPDATED
    return answer
