"""DIMSE services by Command Field: what a service is, the table's default, and C-ECHO (PS3.7 9.1.5).

A service gets each request's command set at once and its data set as fragments; it answers with command sets. C-STORE is
in `store_scp`; C-FIND, C-MOVE, C-GET and storage commitment will be further rows of the table that the listener is given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.dimse.commands import NO_DATA_SET, CommandSet, Field, Value
from gateway.dimse.indications import Command
from gateway.peers import Source
from kernel.errors import ExchangeError, LimitExceeded

UNRECOGNIZED_OPERATION = 0x0211
ERROR_COMMENT_CHARACTERS_MAX = 64  # LO (PS3.5 6.2)
RESPONSE = 0x8000  # the bit that makes a response of a request's Command Field

Response = tuple[CommandSet, bytes | None]


@dataclass(slots=True)
class Session:
    """One accepted association, as its services see it."""

    identifier: str
    source: Source
    called_ae_title: str
    calling_ae_title: str
    address: str
    instances: int = 0  # acknowledged with Success


class Receiver(Protocol):
    """Takes the data set of one request, then answers."""

    def write(self, data: memoryview) -> None:
        """Take the next bytes; the view is good for this call only."""
        ...

    def finish(self) -> Iterable[Response]:
        """Do what was asked, once the request is whole; yield the responses."""
        ...

    def discard(self) -> None:
        """Forget the request: it will never be whole."""
        ...


class Service(Protocol):
    """Serves one kind of request."""

    def begin(self, session: Session, message: Command) -> Receiver:
        """Begin a request."""
        ...


Services = Mapping[int, Service]


def response(message: Command, status: int, error: BaseException | None = None) -> CommandSet:
    """Make the response to a request; the text of an error of ours goes along (PS3.7 C)."""
    command = message.command
    answer: dict[str, Value] = {
        "CommandField": int_of(command, "CommandField") | RESPONSE,
        "MessageIDBeingRespondedTo": int_of(command, "MessageID"),
        "CommandDataSetType": NO_DATA_SET,
        "Status": status,
    }
    for keyword in ("AffectedSOPClassUID", "AffectedSOPInstanceUID"):
        if keyword in command:
            answer[keyword] = command[keyword]
    if isinstance(error, ExchangeError):
        answer["ErrorComment"] = str(error)[:ERROR_COMMENT_CHARACTERS_MAX]
    return answer


def int_of(command: CommandSet, keyword: str) -> int:
    """Return a number of a command set, 0 when it is absent."""
    value = command.get(keyword, 0)
    return value if isinstance(value, int) else 0


def text_of(command: CommandSet, keyword: str) -> str:
    """Return a text of a command set, empty when it is absent."""
    value = command.get(keyword, "")
    return value if isinstance(value, str) else ""


class Drain:
    """Reads over a data set that is not wanted, then answers with one status."""

    def __init__(self, answer: CommandSet, bytes_max: int) -> None:
        self._answer = answer
        self._bytes_max = bytes_max
        self._bytes = 0

    def write(self, data: memoryview) -> None:
        """Count the bytes.

        Raises
        ------
        LimitExceeded
            The sender does not come to an end; the association is aborted.
        """
        self._bytes += len(data)
        if self._bytes > self._bytes_max:
            raise LimitExceeded(limit="dimse.instance_bytes_max", value=self._bytes, bound=self._bytes_max)

    def finish(self) -> Iterable[Response]:
        """Answer."""
        return ((self._answer, None),)

    def discard(self) -> None:
        """Nothing was kept."""


class Echo:
    """C-ECHO SCP."""

    def begin(self, session: Session, message: Command) -> Receiver:
        """Answer Success."""
        del session
        return Drain(response(message, 0), 0)


class Unrecognized:
    """Answers operations that no service of the table takes (PS3.7 C.5.23)."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max

    def begin(self, session: Session, message: Command) -> Receiver:
        """Answer that the operation is not known here."""
        del session
        return Drain(response(message, UNRECOGNIZED_OPERATION), self._bytes_max)


def is_request(message: Command) -> bool:
    """Whether a message is a request that wants an answer; a late C-CANCEL-RQ and responses want none."""
    field = int_of(message.command, "CommandField")
    return not field & RESPONSE and field != Field.C_CANCEL_RQ
