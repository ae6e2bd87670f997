"""Modality Performed Procedure Step Retrieve SCP (PS3.4 F.8): N-GET of what a modality said of a step.

It tells who a patient is, so it is for those who may see the worklist, and audited like it.
"""

from collections.abc import Iterable
from typing import Final

from consult.performing import said_of
from consult.stations import Stations
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, response, text_of
from gateway.dimse.scp.worklist_scp import site_of
from gateway.dimse.upper_layer.commands import DATA_SET
from gateway.dimse.upper_layer.indications import Command
from gateway.status import SUCCESS, dimse_status
from kernel import telemetry
from kernel.dicom.models import plain
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import ExchangeError, NotFound

PERFORMED_STEP_RETRIEVE: Final = "1.2.840.10008.3.1.2.3.4"
_log = telemetry.get_logger("gateway.dimse")


class PerformedStepRetrieveSCP:
    """Serves N-GET-RQ of the class."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._stations = Stations.from_config(backing.config)

    def begin(self, session: Session, message: Command) -> Receiver:
        """Answer; the request has no data set."""
        return _Get(self, session, message)

    def answer(self, session: Session, message: Command) -> Response:
        """Return the attributes that are asked for, or all."""
        try:
            uid = check_uid(text_of(message.command, "RequestedSOPInstanceUID"), "RequestedSOPInstanceUID")
            site = site_of(self._backing, session, ["SOPInstanceUID"])
            with self._backing.db.read() as connection:
                model = said_of(connection, site, uid)
            if model is None:
                raise NotFound(what="performed procedure step")
        except ExchangeError as error:
            status = dimse_status(error)
            _log.warning("step_not_told", session=session.identifier, status=f"{status:04X}", error=error.code)
            return response(message, status, error), None
        wanted = message.command.get("AttributeIdentifierList")
        if isinstance(wanted, tuple) and wanted:
            names = {f"{tag:08X}" for tag in wanted}
            model = {name: element for name, element in model.items() if name in names}
        station = self._stations.of_caller(session.calling_ae_title)
        charset = station.charset if station else plain.UTF8
        command = {**response(message, SUCCESS), "CommandDataSetType": DATA_SET}
        return command, plain.write(model, message.context.transfer_syntax, charset)


class _Get(Drain):
    """Answers when the request is whole."""

    def __init__(self, scp: PerformedStepRetrieveSCP, session: Session, message: Command) -> None:
        super().__init__({}, 0)
        self._asked = (scp, session, message)

    def finish(self) -> Iterable[Response]:
        scp, session, message = self._asked
        return (scp.answer(session, message),)
