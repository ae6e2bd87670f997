"""The upper layer as the acceptor of an association sees it (PS3.8 9.2)."""

from gateway.dimse.upper_layer.indications import Event, ReleaseRequested, Requested, agreed_contexts
from gateway.dimse.upper_layer.pdu import PDU, AssociateAccept, AssociateReject, AssociateRequest
from gateway.dimse.upper_layer.protocol import UpperLayer
from gateway.dimse.upper_layer.states import Action, State
from gateway.dimse.upper_layer.wire import encode


class Acceptor(UpperLayer):
    """Answers a request, then the messages that come, then the release."""

    def __init__(self) -> None:
        super().__init__(State.AWAITING_REQUEST)
        self._request: AssociateRequest | None = None

    def accept(self, answer: AssociateAccept) -> None:
        """Accept the requested association (AE-7)."""
        assert self._request is not None
        assert self.state is State.AWAITING_LOCAL_RESPONSE
        self.contexts = agreed_contexts(self._request, answer, peer_is_requestor=True)
        self._peer_pdu_bytes_max = self._request.user.pdu_bytes_max
        self._outgoing += encode(answer)
        self.state = State.ESTABLISHED

    def reject(self, answer: AssociateReject) -> None:
        """Reject the requested association (AE-8)."""
        assert self.state is State.AWAITING_LOCAL_RESPONSE
        self._outgoing += encode(answer)
        self.state = State.AWAITING_CLOSE

    def _indicate(self, action: Action, value: PDU) -> Event | None:
        if isinstance(value, AssociateRequest):
            self._request = value
            return Requested(value)
        assert action is Action.INDICATE_RELEASE
        return ReleaseRequested()
