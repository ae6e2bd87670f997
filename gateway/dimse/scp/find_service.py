"""What C-FIND of Query/Retrieve and of the worklist have in common (PS3.4 C.4.1, K.4.1): how it is asked and answered.

The identifier is gathered whole; matches are answered one by one, so that an answer of any length takes the same memory
and a C-CANCEL-RQ stops it between two of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.dimse.scp.gathered import Gathered
from gateway.dimse.scp.services import Drain, Receiver, Response, Session, int_of, response
from gateway.dimse.upper_layer.commands import DATA_SET, CommandSet
from gateway.dimse.upper_layer.indications import Command
from gateway.status import SUCCESS, dimse_status
from kernel import telemetry
from kernel.errors import ExchangeError, MalformedInstance

PENDING: Final = 0xFF00
PENDING_UNSUPPORTED: Final = 0xFF01  # matches, and some optional keys are not supported
CANCELLED: Final = 0xFE00
IDENTIFIER_BYTES_MAX: Final = 256 * 1024  # a list of some 3,900 UIDs
_log = telemetry.get_logger("gateway.dimse")


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found."""

    all_supported: bool  # whether every key of the identifier is matched and answered
    identifiers: Iterator[bytes | None]  # encoded; None: something was looked at that does not match


class Finding(Protocol):
    """What differs between the information models."""

    def find(self, session: Session, message: Command, identifier: bytes) -> Matches:
        """Begin to look; an error of ours, here or on the way, becomes the status."""
        ...


class FindSCP:
    """Serves C-FIND-RQ; `what` is asked for, in the log."""

    def __init__(self, what: str, finding: Finding) -> None:
        self._what = what
        self._finding = finding

    def begin(self, session: Session, message: Command) -> Receiver:
        """Gather the identifier."""
        if not message.has_data_set:
            return Drain(self._failed(session, message, MalformedInstance(reason="the request has no identifier")), 0)
        return Gathered(
            lambda data: self._answer(session, message, data),
            lambda error: ((self._failed(session, message, error), None),),
            IDENTIFIER_BYTES_MAX,
        )

    def _answer(self, session: Session, message: Command, data: bytes) -> Iterable[Response]:
        number, sent = int_of(message.command, "MessageID"), 0
        try:
            matches = self._finding.find(session, message, data)
            status = PENDING if matches.all_supported else PENDING_UNSUPPORTED
            pending: CommandSet = {**response(message, status), "CommandDataSetType": DATA_SET}
            for identifier in matches.identifiers:
                if session.is_cancelled(number):
                    yield response(message, CANCELLED), None
                    break
                if identifier is not None:
                    yield pending, identifier
                    sent += 1
            else:
                yield response(message, SUCCESS), None
        except ExchangeError as error:
            yield self._failed(session, message, error), None
        else:
            _log.info(f"{self._what}_answered", session=session.identifier, source=session.source.name, matches=sent)

    def _failed(self, session: Session, message: Command, error: ExchangeError) -> CommandSet:
        status = dimse_status(error)
        _log.warning(f"{self._what}_refused", session=session.identifier, status=f"{status:04X}", error=error.code)
        return response(message, status, error)
