"""The upper layer as the requestor of an association sees it (PS3.8 9.2)."""

from gateway.dimse.upper_layer.indications import Accepted, Context, Event, Rejected, Released, ReleaseRequested
from gateway.dimse.upper_layer.pdu import (
    PDU,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextResult,
    ReleaseReply,
    ReleaseRequest,
    Role,
)
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
        roles = {role.sop_class_uid: role for role in answer.user.roles}  # ours, as the peer grants them
        extended = {one.sop_class_uid: one.information for one in answer.user.extended}
        self._peer_pdu_bytes_max = answer.user.pdu_bytes_max
        for given in answer.contexts:
            context = proposed.get(given.context_id)
            if context is None or given.result is not ContextResult.ACCEPTANCE:
                continue
            if given.transfer_syntax in context.transfer_syntaxes:
                uid = context.abstract_syntax
                role = roles.get(uid, Role(uid, scu=True, scp=False))
                self.contexts[given.context_id] = Context(
                    given.context_id, uid, given.transfer_syntax, role.scp, role.scu, extended.get(uid, b"")
                )
