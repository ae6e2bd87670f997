"""Modality Worklist SCP (PS3.4 K.4): C-FIND on a site's scheduled steps, in characters that the modality knows."""

from collections.abc import Iterable, Iterator
from typing import Final

from consult import worklist
from consult.stations import Stations
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, int_of, response
from gateway.dimse.scp.who import principal_of
from gateway.dimse.upper_layer.commands import DATA_SET, CommandSet
from gateway.dimse.upper_layer.indications import Command
from gateway.status import OUT_OF_RESOURCES, SUCCESS, dimse_status
from kernel import telemetry
from kernel.dicom import identifier, plain
from kernel.dicom.dictionary import KEYWORD_OF
from kernel.errors import ExchangeError, Forbidden, LimitExceeded, MalformedInstance

MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
PENDING: Final = 0xFF00
PENDING_UNSUPPORTED: Final = 0xFF01  # matches, and some optional keys are not supported (K.4.1.1.4)
CANCELLED: Final = 0xFE00
NO_KEYS: Final = frozenset({"00080005", "00080201"})  # of the identifier itself: character set, offset from UTC
IDENTIFIER_BYTES_MAX: Final = 256 * 1024
ITEMS_MAX: Final = 1000  # of one answer; a longer worklist ends with A700, so that nobody takes it for the whole

_log = telemetry.get_logger("gateway.dimse")


class WorklistSCP:
    """Serves C-FIND-RQ of the worklist class."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._stations = Stations.from_config(backing.config)

    def begin(self, session: Session, message: Command) -> Receiver:
        """Gather the identifier."""
        if not message.has_data_set:
            return Drain(_failed(session, message, MalformedInstance(reason="the request has no identifier")), 0)
        return Gathered(
            lambda data: self._answer(session, message, data),
            lambda error: ((_failed(session, message, error), None),),
            IDENTIFIER_BYTES_MAX,
        )

    def _answer(self, session: Session, message: Command, data: bytes) -> Iterable[Response]:
        try:
            yield from self._items(session, message, data)
        except ExchangeError as error:
            yield _failed(session, message, error), None

    def _items(self, session: Session, message: Command, data: bytes) -> Iterator[Response]:
        backing, syntax, message_id = (
            self._backing,
            message.context.transfer_syntax,
            int_of(message.command, "MessageID"),
        )
        model = plain.read(data, syntax, session.source.fallback_charset)
        asked = identifier.of_model({tag: element for tag, element in model.items() if tag not in NO_KEYS})
        keywords = [KEYWORD_OF.get(tag, f"{tag:08X}") for tag in asked.keys]
        sites, site = backing.access.may_search(principal_of(session), keywords, session.address), session.source.site
        if sites is not None and site not in sites:
            raise Forbidden(action="see the worklist of this site")
        station = self._stations.of_caller(session.calling_ae_title)
        charset = station.charset if station else plain.UTF8
        status = PENDING_UNSUPPORTED if asked.unsupported else PENDING
        sent = 0
        for item in worklist.found(backing.db, site, asked, session.calling_ae_title):
            if session.is_cancelled(message_id):
                yield response(message, CANCELLED), None
                return
            if item is None:
                continue
            if sent >= ITEMS_MAX:
                too_many = LimitExceeded(limit="ITEMS_MAX", value="the worklist", bound=ITEMS_MAX)
                yield response(message, OUT_OF_RESOURCES, too_many), None
                return
            sent += 1
            pending = {**response(message, status), "CommandDataSetType": DATA_SET}
            yield pending, plain.write(item, syntax, charset)
        _log.info("worklist_answered", session=session.identifier, source=session.source.name, items=sent)
        yield response(message, SUCCESS), None


def _failed(session: Session, message: Command, error: ExchangeError) -> CommandSet:
    status = dimse_status(error)
    _log.warning("worklist_refused", session=session.identifier, status=f"{status:04X}", error=error.code)
    return response(message, status, error)
