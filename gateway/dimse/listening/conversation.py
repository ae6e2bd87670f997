"""The messages of one established association: requests to services, responses out, and what happens between (PS3.7 7, 9).

A service may run for long. What arrives meanwhile is heard when it asks `is_cancelled`, or while it waits for the answer
to a request of its own: a C-CANCEL-RQ is noted, another request is served at once (the peer may ask while we ask), a
release or an abort ends the service with `PeerGone`. All of it is one thread.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, cast

from gateway.dimse.scp.offer import Offers
from gateway.dimse.scp.services import (
    Answered,
    DataSet,
    Doing,
    PeerGone,
    Receiver,
    Refusal,
    Reply,
    Service,
    Session,
    int_of,
    is_request,
    nothing,
)
from gateway.dimse.upper_layer.commands import DATA_SET, NO_DATA_SET, CommandSet, Field
from gateway.dimse.upper_layer.indications import Command, Context, DataSetEnd, Fragment
from gateway.dimse.upper_layer.pdu import AbortReason
from gateway.dimse.upper_layer.protocol import UpperLayer
from gateway.dimse.upper_layer.states import State
from gateway.status import SOP_CLASS_NOT_SUPPORTED, UNRECOGNIZED_OPERATION
from kernel.errors import LimitExceeded

PENDING = (0xFF00, 0xFF01)  # statuses after which more responses come (PS3.4 C.4.1.1.4)
HEARD_AT_ONCE_MAX = 64  # events of one look; a peer that never falls silent does not keep the service from its work
PARTS_MAX = 64  # sent in one call: 32 PDUs, some 4 MiB; a call takes no more than 1024 (IOV_MAX)
NESTED_MAX = 4  # requests served inside one another; a peer that asks on and on meanwhile is aborted


class Wire(Protocol):
    """What the association does with its socket and its events."""

    def transmit(self, *parts: bytes | memoryview) -> None:
        """Send bytes."""
        ...

    def hear(self, *, wait: bool) -> bool:
        """Handle the next event; False when none has come and `wait` is not set."""
        ...

    def give_up(self, ending: str, reason: AbortReason | None) -> None:
        """Abort."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What is served, and how much of what is not is read over."""

    offers: Offers
    refused_bytes_max: int


class Conversation:
    """Serves the requests of one association; `Talk` for its services."""

    def __init__(self, upper: UpperLayer, wire: Wire, rules: Rules, session: Session) -> None:
        self._upper = upper
        self._wire = wire
        self._rules = rules
        self._session = session
        self._message: Command | None = None
        self._receiver: Receiver | None = None
        self._running: list[int] = []  # Message IDs of requests being answered, the innermost last
        self._cancelled: set[int] = set()  # of them
        self._sent = 0  # our last Message ID
        self.served = 0  # requests of the peer that were answered
        self._replies: dict[int, deque[Reply]] = {}  # to our requests that are under way, not yet taken
        session.talk = self

    # --- what arrives -------------------------------------------------------------------------------------------------

    def on(self, event: Command | Fragment | DataSetEnd) -> None:
        """Take in a piece of a message."""
        if isinstance(event, Fragment):
            self._write(event.data)
        elif isinstance(event, Command):
            self._begin(event)
        else:
            self._finish()

    def discard(self) -> None:
        """Forget the message under way."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.discard()

    def _begin(self, message: Command) -> None:
        if is_request(message):
            self._check_leave(begins=True)
            self._message, self._receiver = message, self._service_for(message).begin(self._session, message)
        elif int_of(message.command, "CommandField") == Field.C_CANCEL_RQ:
            self._cancel(int_of(message.command, "MessageIDBeingRespondedTo"))
        else:
            number = int_of(message.command, "MessageIDBeingRespondedTo")
            if number in self._replies:
                self._message, self._receiver = message, Answered(message, self._replies[number].append)
            elif message.has_data_set:  # a response with a data set: nobody asked for it
                self._wire.give_up("answered what was not asked", AbortReason.UNEXPECTED_PDU_PARAMETER)
        if self._receiver is not None and not message.has_data_set:
            self._finish()

    def _service_for(self, message: Command) -> Service:
        """Return who serves a request on its context, or a refusal (PS3.7 C.5)."""
        offers, field = self._rules.offers, int_of(message.command, "CommandField")
        offer = offers.of(message.context.abstract_syntax)
        service = None if offer is None else offer.services.get(field)
        if service is not None:
            return service
        status = SOP_CLASS_NOT_SUPPORTED if offers.knows(field) else UNRECOGNIZED_OPERATION
        return Refusal(status, self._rules.refused_bytes_max)

    def _write(self, data: memoryview) -> None:
        assert self._receiver is not None
        try:
            self._receiver.write(data)
        except LimitExceeded:
            self._wire.give_up("sent without end", AbortReason.NOT_SPECIFIED)

    def _finish(self) -> None:
        message, receiver = self._message, self._receiver
        assert message is not None
        assert receiver is not None
        self._message = self._receiver = None
        if len(self._running) == NESTED_MAX:
            receiver.discard()
            self._wire.give_up("asked too much at once", AbortReason.NOT_SPECIFIED)
            raise PeerGone
        number = int_of(message.command, "MessageID")
        self._running.append(number)
        try:
            for command, data_set in receiver.finish():
                self._send(message.context, command, data_set)
            self.served += is_request(message)
        except OSError as error:  # of a disk, for example; those of our socket are PeerGone
            raise RuntimeError("a service failed") from error
        finally:
            self._running.pop()
            self._cancelled.discard(number)

    def _cancel(self, number: int) -> None:
        if number in self._running:  # else it came too late, which is no error (PS3.7 9.3.2.3)
            self._cancelled.add(number)

    # --- what services ask --------------------------------------------------------------------------------------------

    @property
    def contexts(self) -> Mapping[int, Context]:
        """The accepted presentation contexts, by their IDs."""
        return self._upper.contexts

    def is_cancelled(self, message_id: int) -> bool:
        """Hear what came, without waiting; see `Session.is_cancelled`."""
        self._check()
        self._check_leave(begins=False)
        for _ in range(HEARD_AT_ONCE_MAX):
            if not self._wire.hear(wait=False):
                break
            self._check()
        return message_id in self._cancelled

    def request(self, context: Context, command: CommandSet, data_set: DataSet, meanwhile: Doing = nothing) -> Reply:
        """Ask the peer and wait for its response; see `Session.request`."""
        with closing(self._asking(context, command, data_set, meanwhile)) as replies:
            return next(replies)

    def ask(self, context: Context, command: CommandSet, data_set: DataSet) -> Iterator[Reply]:
        """Ask the peer and yield its responses, the pending ones as they come and then the last (PS3.7 9.1.2 to 9.1.4)."""
        for reply in self._asking(context, command, data_set):
            yield reply
            if reply.status not in PENDING:
                return

    def cancel(self, context: Context) -> None:
        """Ask the peer to stop what it was last asked; it still answers (PS3.7 9.3.2.3)."""
        self._send(context, {"CommandField": Field.C_CANCEL_RQ, "MessageIDBeingRespondedTo": self._sent}, None)

    def _asking(
        self, context: Context, command: CommandSet, data_set: DataSet, meanwhile: Doing = nothing
    ) -> Generator[Reply]:
        self._check()
        self._sent = number = self._sent % 0xFFFF + 1
        self._replies[number] = replies = deque[Reply]()
        try:
            self._send(context, {**command, "MessageID": number}, data_set)
            meanwhile()
            while True:
                while not replies:
                    self._wire.hear(wait=True)
                    self._check()
                yield replies.popleft()
        finally:
            del self._replies[number]

    def _check(self) -> None:
        if self._upper.state is not State.ESTABLISHED:
            raise PeerGone

    def _check_leave(self, *, begins: bool) -> None:
        """Abort when the user's time is over: the peer may associate again and prove who it is."""
        leave = self._session.leave
        if leave is not None and not (leave.may_ask() if begins else leave.may_go_on()):
            self._wire.give_up("the user identity is over", None)
            raise PeerGone

    def _send(self, context: Context, command: CommandSet, data_set: DataSet) -> None:
        """Send a message in as few calls as may be; one whose data set fails on the way can only be aborted."""
        self._check()
        kind = NO_DATA_SET if data_set is None else DATA_SET
        self._upper.send(context, {**command, "CommandDataSetType": kind})
        parts: list[bytes | memoryview] = [self._upper.outgoing()]
        is_whole = isinstance(data_set, bytes | memoryview)
        pieces = cast("Iterable[bytes | memoryview]", (data_set,) if is_whole else data_set)
        try:
            for header, value in () if data_set is None else self._upper.cut(context, pieces):
                parts += (header, value)
                if not is_whole or len(parts) >= PARTS_MAX:  # pieces do not last
                    self._wire.transmit(*parts)
                    parts.clear()
            if parts:
                self._wire.transmit(*parts)
        except PeerGone:
            raise
        except BaseException:
            self._wire.give_up("broken off by us", None)
            raise
