"""What the upper layer tells its user: what was agreed, indications and confirmations as values (PS3.8 7)."""

from dataclasses import dataclass

from gateway.dimse.upper_layer.commands import CommandSet
from gateway.dimse.upper_layer.pdu import (
    AbortReason,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextResult,
    Role,
)


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context, with the role and the extension that were negotiated for its SOP class."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    peer_is_scp: bool = False  # it may be asked: C-STORE of a C-GET, for example (PS3.7 D.3.3.4)
    extended: bytes = b""  # agreed service-class-application-information; empty: nothing was agreed (PS3.7 D.3.3.5)


def agreed_contexts(
    request: AssociateRequest, answer: AssociateAccept, *, peer_is_requestor: bool
) -> dict[int, Context]:
    """Return the accepted contexts by their IDs; what the answer says of a context that was not proposed is passed over."""
    proposed = {context.context_id: context for context in request.contexts}
    roles = {role.sop_class_uid: role for role in answer.user.roles}  # the requestor's, as they are granted
    extended = {one.sop_class_uid: one.information for one in answer.user.extended}
    agreed: dict[int, Context] = {}
    for given in answer.contexts:
        context = proposed.get(given.context_id)
        if context is None or given.result is not ContextResult.ACCEPTANCE:
            continue
        if given.transfer_syntax in context.transfer_syntaxes:
            uid = context.abstract_syntax
            role = roles.get(uid, Role(uid, scu=True, scp=False))
            peer_is_scp = role.scp if peer_is_requestor else role.scu
            agreed[given.context_id] = Context(
                given.context_id, uid, given.transfer_syntax, peer_is_scp, extended.get(uid, b"")
            )
    return agreed


@dataclass(frozen=True, slots=True)
class Requested:
    """A-ASSOCIATE indication: answer with `accept` or `reject` before the next event is asked for."""

    request: AssociateRequest


@dataclass(frozen=True, slots=True)
class Accepted:
    """A-ASSOCIATE confirmation: the peer accepts; which contexts, `Requestor.contexts` says."""

    answer: AssociateAccept


@dataclass(frozen=True, slots=True)
class Rejected:
    """A-ASSOCIATE confirmation: the peer rejects."""

    answer: AssociateReject


@dataclass(slots=True)
class Command:
    """A whole command set; `has_data_set` says whether fragments follow."""

    context: Context
    command: CommandSet
    has_data_set: bool


@dataclass(slots=True)
class Fragment:
    """Bytes of the current data set, a view of the received buffer."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class DataSetEnd:
    """The last fragment of the current data set was handed on."""


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """A-RELEASE indication: answer with `release`."""


@dataclass(frozen=True, slots=True)
class Released:
    """A-RELEASE confirmation: the association is over, in order."""


@dataclass(frozen=True, slots=True)
class Aborted:
    """The peer aborted."""

    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Violated:
    """The peer broke the protocol; an A-ABORT with `reason` waits in `outgoing`. `text` holds nothing of a patient's."""

    text: str
    reason: AbortReason


Event = (
    Requested | Accepted | Rejected | Command | Fragment | DataSetEnd | ReleaseRequested | Released | Aborted | Violated
)
