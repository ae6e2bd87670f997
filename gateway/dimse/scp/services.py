"""What a DIMSE service is, what it may ask of the association that it serves on, and C-ECHO (PS3.7 9.1.5).

A service gets each request's command set at once and its data set as fragments; it answers with command sets, as many as
it likes and as late as it likes: `Receiver.finish` may be a generator. Between two responses it may ask
`Session.is_cancelled`, and it may itself request something of the peer by `Session.request`. Services become rows of the
table in `offered`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.dimse.listening.identity import Leave
from gateway.dimse.listening.pace import Pace
from gateway.dimse.upper_layer.commands import NO_DATA_SET, CommandSet, Field, Value
from gateway.dimse.upper_layer.indications import Command, Context
from gateway.peers import Source
from kernel.access import Principal
from kernel.errors import ExchangeError, LimitExceeded

ERROR_COMMENT_CHARACTERS_MAX = 64  # LO (PS3.5 6.2)
REPLY_BYTES_MAX = 1024 * 1024  # of a response's data set: a match of C-FIND, what an N-service returns
RESPONSE = 0x8000  # the bit that makes a response of a request's Command Field

# What a response repeats of its request: keyword there, keyword here (PS3.7 9.3, 10.3)
ECHOED = (
    ("AffectedSOPClassUID", "AffectedSOPClassUID"),
    ("AffectedSOPInstanceUID", "AffectedSOPInstanceUID"),
    ("AffectedSOPClassUID", "RequestedSOPClassUID"),
    ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID"),
    ("EventTypeID", "EventTypeID"),
    ("ActionTypeID", "ActionTypeID"),
)

# Of a message: none, the bytes, or pieces of any size, each sent before the one after the next is asked for.
DataSet = bytes | memoryview | Iterable[bytes | memoryview] | None
Response = tuple[CommandSet, DataSet]
Doing = Callable[[], None]


def nothing() -> None:
    """Do nothing."""


class PeerGone(Exception):
    """The association ended while a service was at work. Let it pass: nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the peer answered to a request of ours."""

    command: CommandSet
    data_set: bytes

    @property
    def status(self) -> int:
        """Its Status; a response without one is a failure (0110)."""
        status = self.command.get("Status", 0x0110)
        return status if isinstance(status, int) else 0x0110


class Talk(Protocol):
    """What services ask of the association that they serve on; see `Session`."""

    @property
    def contexts(self) -> Mapping[int, Context]:
        """The accepted presentation contexts, by their IDs."""
        ...

    def is_cancelled(self, message_id: int) -> bool:
        """Say whether C-CANCEL-RQ came for a request."""
        ...

    def request(self, context: Context, command: CommandSet, data_set: DataSet, meanwhile: Doing) -> Reply:
        """Send a request to the peer and wait for its response."""
        ...


@dataclass(slots=True)
class Session:
    """One accepted association, as its services see it."""

    identifier: str
    source: Source
    called_ae_title: str
    calling_ae_title: str
    address: str
    pace: Pace = field(default_factory=Pace, repr=False)
    leave: Leave | None = None  # of who proved to be the user, by user identity negotiation
    talk: Talk | None = field(default=None, repr=False)
    instances: int = 0  # acknowledged with Success

    @property
    def who(self) -> Principal | None:
        """Who proved to be the user."""
        return None if self.leave is None else self.leave.proved.who

    def is_cancelled(self, message_id: int) -> bool:
        """Hear what came since, without waiting; say whether the peer cancelled a request (PS3.7 9.3.2.3).

        Only in the thread of the association, from inside `Receiver.finish`.

        Raises
        ------
        PeerGone
            The peer released, aborted or is lost, or its user may go on no longer.
        """
        return self.talk is not None and self.talk.is_cancelled(message_id)

    def request(
        self, context: Context, command: CommandSet, data_set: DataSet = None, meanwhile: Doing = nothing
    ) -> Reply:
        """Send a request to the peer on one of `contexts` and wait for its response (PS3.7 7.5).

        For C-STORE sub-operations of a C-GET, and for N-EVENT-REPORT. The Message ID and the Command Data Set Type are
        set here. What else arrives meanwhile is served. Only in the thread of the association, from inside
        `Receiver.finish`.

        Parameters
        ----------
        meanwhile
            Done when the request is sent, while the peer works on it; raises nothing.

        Raises
        ------
        PeerGone
            The peer released, aborted, was silent for too long or is lost; nothing is known about the request.
        """
        assert self.talk is not None
        return self.talk.request(context, command, data_set, meanwhile)

    def contexts_to_ask(self, abstract_syntax: str) -> list[Context]:
        """Return the accepted contexts of an abstract syntax on which the peer is the SCP."""
        accepted = () if self.talk is None else self.talk.contexts.values()
        return [one for one in accepted if one.abstract_syntax == abstract_syntax and one.peer_is_scp]


class Receiver(Protocol):
    """Takes the data set of one request, then answers."""

    def write(self, data: memoryview) -> None:
        """Take the next bytes; the view is good for this call only."""
        ...

    def finish(self) -> Iterable[Response]:
        """Do what was asked, once the request is whole; yield the responses, each sent before the next is asked for.

        A generator is closed at its `yield` when the peer is gone.
        """
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
    for keyword, source in ECHOED:
        if source in command:
            answer[keyword] = command[source]
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


class Refusal:
    """Answers every request with one status, once its data set was read over."""

    def __init__(self, status: int, bytes_max: int) -> None:
        self._status = status
        self._bytes_max = bytes_max

    def begin(self, session: Session, message: Command) -> Receiver:
        """Refuse."""
        del session
        return Drain(response(message, self._status), self._bytes_max)


class Answered:
    """Takes the response to a request of ours; its data set, if any, is small."""

    def __init__(self, message: Command, keep: Callable[[Reply], None]) -> None:
        self._message = message
        self._keep = keep
        self._data_set = bytearray()

    def write(self, data: memoryview) -> None:
        """Collect the bytes.

        Raises
        ------
        LimitExceeded
            There are too many; the association is aborted.
        """
        size = len(self._data_set) + len(data)
        if size > REPLY_BYTES_MAX:
            raise LimitExceeded(limit="reply bytes", value=size, bound=REPLY_BYTES_MAX)
        self._data_set += data

    def finish(self) -> Iterable[Response]:
        """Hand the response to who waits for it."""
        self._keep(Reply(self._message.command, bytes(self._data_set)))
        return ()

    def discard(self) -> None:
        """Nothing was kept."""


def is_request(message: Command) -> bool:
    """Whether a message is a request that wants an answer: neither C-CANCEL-RQ nor a response."""
    number = int_of(message.command, "CommandField")
    return not number & RESPONSE and number != Field.C_CANCEL_RQ
