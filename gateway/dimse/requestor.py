"""The upper layer as the requestor of an association sees it (PS3.8 9.2)."""

from gateway.dimse.indications import Accepted, Context, Event, Rejected, Released, ReleaseRequested
from gateway.dimse.pdu import (
    PDU,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextResult,
    ReleaseReply,
    ReleaseRequest,
)
from gateway.dimse.protocol import UpperLayer
from gateway.dimse.states import Action, State
from gateway.dimse.wire import encode


class Requestor(UpperLayer):
    """Asks for an association, sends messages, and releases it."""

    def __init__(self, request: AssociateRequest) -> None:
        super().__init__(State.AWAITING_ANSWER)
        self._request = request
        self._outgoing += encode(request)

    def begin_release(self) -> None:
        """Ask to release (AR-1)."""
        assert self.state is State.ESTABLISHED
        self._outgoing += encode(ReleaseRequest())
        self.state = State.AWAITING_RELEASE_REPLY

    def release(self) -> None:
        """Agree to the peer's release (AR-4)."""
        assert self.state is State.AWAITING_LOCAL_RELEASE
        self._outgoing += encode(ReleaseReply())
        self.state = State.AWAITING_CLOSE

    def _indicate(self, action: Action, value: PDU) -> Event | None:
        match value:
            case AssociateAccept():
                self._agree(value)
                return Accepted(value)
            case AssociateReject():
                return Rejected(value)
            case _:
                return Released() if action is Action.CONFIRM_RELEASE else ReleaseRequested()

    def _agree(self, answer: AssociateAccept) -> None:
        proposed = {context.context_id: context for context in self._request.contexts}
        self._peer_pdu_bytes_max = answer.user.pdu_bytes_max
        self.contexts = {
            given.context_id: Context(
                given.context_id, proposed[given.context_id].abstract_syntax, given.transfer_syntax
            )
            for given in answer.contexts
            if given.result is ContextResult.ACCEPTANCE
            and given.context_id in proposed
            and given.transfer_syntax in proposed[given.context_id].transfer_syntaxes
        }
