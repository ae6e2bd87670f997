"""The upper layer as the acceptor of an association sees it (PS3.8 9.2)."""

from gateway.dimse.upper_layer.indications import Context, Event, ReleaseRequested, Requested
from gateway.dimse.upper_layer.pdu import (
    PDU,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextResult,
    ReleaseReply,
    Role,
)
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
        proposed = {context.context_id: context.abstract_syntax for context in self._request.contexts}
        roles = {role.sop_class_uid: role for role in answer.user.roles}
        extended = {one.sop_class_uid: one.information for one in answer.user.extended}
        for given in answer.contexts:
            if given.result is ContextResult.ACCEPTANCE:
                uid = proposed[given.context_id]
                role = roles.get(uid, Role(uid, scu=True, scp=False))
                self.contexts[given.context_id] = Context(
                    given.context_id, uid, given.transfer_syntax, role.scu, role.scp, extended.get(uid, b"")
                )
        self._peer_pdu_bytes_max = self._request.user.pdu_bytes_max
        self._outgoing += encode(answer)
        self.state = State.ESTABLISHED

    def reject(self, answer: AssociateReject) -> None:
        """Reject the requested association (AE-8)."""
        assert self.state is State.AWAITING_LOCAL_RESPONSE
        self._outgoing += encode(answer)
        self.state = State.AWAITING_CLOSE

    def release(self) -> None:
        """Agree to the peer's release (AR-4)."""
        assert self.state is State.AWAITING_LOCAL_RELEASE
        self._outgoing += encode(ReleaseReply())
        self.state = State.AWAITING_CLOSE

    def _indicate(self, action: Action, value: PDU) -> Event | None:
        if isinstance(value, AssociateRequest):
            self._request = value
            return Requested(value)
        assert action is Action.INDICATE_RELEASE
        return ReleaseRequested()
