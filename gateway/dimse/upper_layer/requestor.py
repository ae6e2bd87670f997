"""The upper layer as the requestor of an association sees it (PS3.8 9.2)."""

from gateway.dimse.upper_layer.indications import Accepted, Event, Rejected, Released, ReleaseRequested, agreed_contexts
from gateway.dimse.upper_layer.pdu import PDU, AssociateAccept, AssociateReject, AssociateRequest, ReleaseRequest
from gateway.dimse.upper_layer.protocol import UpperLayer
from gateway.dimse.upper_layer.states import Action, State
from gateway.dimse.upper_layer.wire import encode


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

    def _indicate(self, action: Action, value: PDU) -> Event | None:
        match value:
            case AssociateAccept():
                self._peer_pdu_bytes_max = value.user.pdu_bytes_max
                self.contexts = agreed_contexts(self._request, value, peer_is_requestor=False)
                return Accepted(value)
            case AssociateReject():
                return Rejected(value)
            case _:
                return Released() if action is Action.CONFIRM_RELEASE else ReleaseRequested()
