"""One outgoing association on a blocking socket: requests out, responses in, and what the peer asks meanwhile (PS3.7 9, 10).

Data sets go from disk to the socket in pieces of one PDU, so memory does not depend on an instance's size (pynetdicom's
own SCU queues a whole instance). Whatever peer or network do ends as `Lost`, with the cause that `routing` acts on. What
the peer requests on our association (C-STORE of a C-GET, N-EVENT-REPORT) is served by the same services as a listener's.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.dimse.listening.conversation import Conversation, Rules
from gateway.dimse.listening.negotiation import VERIFICATION
from gateway.dimse.scp.offer import NOTHING, Offers
from gateway.dimse.scp.services import DataSet, Doing, PeerGone, Reply, Session, nothing
from gateway.dimse.scu.calling import SILENT, Lost, Target, broken, connected, gone, rejected
from gateway.dimse.scu.proposal import CONTEXTS_MAX, Pair, request_to
from gateway.dimse.upper_layer.commands import CommandSet, Field, Value
from gateway.dimse.upper_layer.indications import (
    Aborted,
    Accepted,
    Command,
    Context,
    DataSetEnd,
    Event,
    Fragment,
    Rejected,
    Released,
    ReleaseRequested,
    Violated,
)
from gateway.dimse.upper_layer.pdu import (
    AbortReason,
    Extended,
    Role,
)
from gateway.dimse.upper_layer.requestor import Requestor
from gateway.dimse.upper_layer.states import State
from gateway.peers import Source
from kernel.dicom.vocabulary.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from routing.transport import Cause, Parcel

RECEIVE_BUFFER_BYTES = 64 * 1024
REFUSED_BYTES_MAX = 1024 * 1024  # of requests that we do not serve
RELEASE_S = 5.0  # how long a peer has to agree to a release
PRIORITY_MEDIUM = 0


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served to the peer on our own association, and as whose instances it is taken."""

    offers: Offers
    source: Source
    identifier: str  # of the session, as ingest knows it
    refused_bytes_max: int = REFUSED_BYTES_MAX
    buffer_bytes: int = RECEIVE_BUFFER_BYTES


_NOTHING_SERVED = Serving(NOTHING, Source("", ""), "")


class Line:
    """An open association; one thread uses it."""

    def __init__(
        self,
        target: Target,
        pairs: Sequence[Pair],
        *,
        roles: Sequence[Role] = (),
        extended: Sequence[Extended] = (),
        serving: Serving = _NOTHING_SERVED,
    ) -> None:
        """Connect and associate, proposing Verification and one context for each pair.

        Parameters
        ----------
        roles
            SCP/SCU role selection (PS3.7 D.3.3.4), for what the peer shall ask of us.
        extended
            SOP Class Extended Negotiation (PS3.7 D.3.3.5).

        Raises
        ------
        Lost
            The peer cannot be reached, or rejects.
        """
        self.proposed = tuple(pairs[: CONTEXTS_MAX - 1])
        self._upper = Requestor(request_to(target, self.proposed, roles, extended))
        self._events: Iterator[Event] = iter(())
        self._buffer = memoryview(bytearray(serving.buffer_bytes))
        self.session = Session(
            serving.identifier, serving.source, target.calling_ae_title, target.called_ae_title, target.host
        )
        rules = Rules(serving.offers, serving.refused_bytes_max)
        self._conversation = Conversation(self._upper, self, rules, self.session)
        self._link = connected(target)
        try:
            self._associate()
        except BaseException:
            self._link.close()
            raise
        self._contexts = {
            (context.abstract_syntax, context.transfer_syntax): context for context in self._upper.contexts.values()
        }

    def _associate(self) -> None:
        self._flush()
        match self._next():
            case Accepted():
                return
            case Rejected(answer):
                raise rejected(answer)
            case _:
                raise Lost(Cause.LINK, "protocol", "the peer answered out of turn")

    def accepts(self, pair: Pair) -> bool:
        """Whether the peer takes this SOP class in this transfer syntax."""
        return pair in self._contexts

    def context(self, abstract_syntax: str) -> Context | None:
        """Return the first accepted context of an abstract syntax, None when the peer accepted none."""
        return next((one for one in self._contexts.values() if one.abstract_syntax == abstract_syntax), None)

    @property
    def served(self) -> int:
        """How many requests of the peer were answered."""
        return self._conversation.served

    @property
    def alive(self) -> bool:
        """Whether the peer still holds its end; looked at before an old association is used again."""
        return self._link.alive

    def request(
        self, context: Context, command: CommandSet, data_set: DataSet = None, meanwhile: Doing = nothing
    ) -> Reply:
        """Ask for what has one response; see `Session.request`.

        Raises
        ------
        Lost
            No answer; nothing is known about what was asked.
        """
        try:
            return self._conversation.request(context, command, data_set, meanwhile)
        except PeerGone:
            raise gone() from None

    def ask(self, context: Context, command: CommandSet, data_set: DataSet = None) -> Iterator[Reply]:
        """Ask for what has many responses (C-FIND, C-GET, C-MOVE): yield the pending ones as they come, then the last.

        Between two of them `cancel` may be called. Raises as `request`.
        """
        try:
            yield from self._conversation.ask(context, command, data_set)
        except PeerGone:
            raise gone() from None

    def cancel(self, context: Context) -> None:
        """Ask the peer to stop what it was last asked (C-CANCEL-RQ, PS3.7 9.3.2.3); it still answers."""
        self._conversation.cancel(context)

    def attend(self, seconds: float) -> bool:
        """Serve the peer's next request, if its next byte comes within `seconds`; return whether something came.

        Raises
        ------
        Lost
            The association ended.
        """
        self._link.bear(receive_s=seconds)
        try:
            return self.hear(wait=True)
        except Lost as lost:
            if lost.status != SILENT:
                raise
            return False

    def echo(self) -> int:
        """C-ECHO; return its status. Raises Lost."""
        context = self._contexts.get((VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN))
        if context is None:
            return 0  # the association itself was answer enough
        return self._status(context, {"AffectedSOPClassUID": VERIFICATION, "CommandField": Field.C_ECHO_RQ}, None)

    def store(self, parcel: Parcel) -> int:
        """C-STORE; return the peer's status.

        Raises
        ------
        Lost
            No answer; nothing is known about the instance.
        OSError
            The blob cannot be read; the association was aborted.
        """
        chunks = parcel.chunks(parcel.dataset_offset, self._upper.fragment_bytes)
        return self.send((parcel.sop_class_uid, parcel.transfer_syntax_uid), parcel.sop_instance_uid, chunks)

    def send(
        self,
        pair: Pair,
        sop_instance_uid: str,
        data_set: DataSet,
        more: CommandSet | None = None,
        meanwhile: Doing = nothing,
    ) -> int:
        """C-STORE of an encoded data set; `more` are further elements of the command. Raises as `store`."""
        command: dict[str, Value] = {
            "AffectedSOPClassUID": pair[0],
            "CommandField": Field.C_STORE_RQ,
            "Priority": PRIORITY_MEDIUM,
            "AffectedSOPInstanceUID": sop_instance_uid,
        }
        return self._status(self._contexts[pair], {**command, **(more or {})}, data_set, meanwhile)

    def release(self) -> None:
        """End the association in order; a peer that does not agree in time is left."""
        with contextlib.suppress(Lost, OSError), contextlib.closing(self._link):
            if self._upper.state is State.ESTABLISHED:
                self._link.bear(receive_s=RELEASE_S)
                self._upper.begin_release()
                self._flush()
                while not isinstance(self._next(), Released):
                    pass

    def abort(self) -> None:
        """End the association at once."""
        with contextlib.suppress(Lost, OSError), contextlib.closing(self._link):
            self._upper.abort()
            self._flush()

    # --- what a conversation needs (`conversation.Wire`) --------------------------------------------------------------

    def transmit(self, *parts: bytes | memoryview) -> None:
        """Send bytes. Raises Lost."""
        try:
            self._link.send(*parts)
        except OSError as error:
            raise broken(error) from None

    def hear(self, *, wait: bool) -> bool:
        """Handle the next event; False when none has come and `wait` is not set. Raises Lost."""
        event = self._next(wait=wait)
        match event:
            case None:
                return False
            case Command() | Fragment() | DataSetEnd():
                self._conversation.on(event)
                self._flush()
            case ReleaseRequested():
                self._upper.release()
                self._flush()
                raise Lost(Cause.LINK, "release", "the peer released the association")
            case _:
                raise Lost(Cause.LINK, "protocol", "the peer answered out of turn")
        return True

    def give_up(self, ending: str, reason: AbortReason | None) -> None:
        """Abort."""
        del ending
        self._upper.abort(reason)
        with contextlib.suppress(Lost):
            self._flush()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _status(self, context: Context, command: CommandSet, data_set: DataSet, meanwhile: Doing = nothing) -> int:
        reply = self.request(context, command, data_set, meanwhile)
        if not isinstance(reply.command.get("Status"), int):
            raise Lost(Cause.LINK, "protocol", "a response without a status")
        return reply.status

    def _flush(self) -> None:
        data = self._upper.outgoing()
        if data:
            self.transmit(data)

    def _next(self, *, wait: bool = True) -> Event | None:
        while (event := next(self._events, None)) is None:
            try:
                count = (
                    self._link.receive(self._buffer, amid=self._upper.busy) if wait else self._link.poll(self._buffer)
                )
            except OSError as error:
                raise broken(error) from None
            if count is None:
                return None
            if not count:
                raise Lost(Cause.LINK, "closed", "the peer closed the connection")
            self._events = self._upper.receive(self._buffer[:count])
        match event:
            case Aborted(source, reason):
                raise Lost(Cause.LINK, "abort", f"the peer aborted (source {source}, reason {reason})")
            case Violated(text):
                with contextlib.suppress(Lost):
                    self._flush()
                raise Lost(Cause.LINK, "protocol", f"the peer broke the protocol: {text}")
            case _:
                return event
