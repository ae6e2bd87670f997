"""What this node answers to an A-ASSOCIATE-RQ: a pure function of the request, the policy and the table of offers.

Every storage SOP class is accepted in the first transfer syntax of the proposer's own order that we know, so that
instances come as they are stored at the sender (PS3.8 9.3, PS3.7 D.3). Common extended negotiation needs no answer: an
instance of a specialized SOP class is taken as one of its own (PS3.7 D.3.3.6).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.upper_layer.pdu import (
    APPLICATION_CONTEXT,
    AnsweredContext,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextResult,
    Extended,
    Operations,
    ProposedContext,
    Role,
    UserInformation,
)
from gateway.peers import Source
from kernel.dicom.vocabulary.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

VERIFICATION = "1.2.840.10008.1.1"
SYNCHRONOUS = Operations(1, 1)  # one operation at a time each way, whatever is proposed (PS3.7 D.3.3.3)

# Result, source, reason of A-ASSOCIATE-RJ (PS3.8 table 9-21).
REJECT_CONTEXT_NAME = AssociateReject(1, 1, 2)
REJECT_CALLING_TITLE = AssociateReject(1, 1, 3)
REJECT_CALLED_TITLE = AssociateReject(1, 1, 7)
REJECT_IDENTITY = AssociateReject(1, 1, 1)
REJECT_IDENTITY_FOR_NOW = AssociateReject(2, 1, 1)
REJECT_PROTOCOL_VERSION = AssociateReject(1, 2, 2)
REJECT_LOCAL_LIMIT = AssociateReject(2, 3, 2)
REJECT_CONGESTION = AssociateReject(2, 3, 1)
REJECTIONS: Final[Mapping[AssociateReject, str]] = MappingProxyType(
    {
        REJECT_PROTOCOL_VERSION: "the protocol version has no bit 0",
        REJECT_CONTEXT_NAME: "another application context",
        REJECT_CALLED_TITLE: "another called AE title than the node's, where that is checked, or than the source's",
        REJECT_CALLING_TITLE: "no source fits, and unknown callers are not taken",
        REJECT_IDENTITY: "the user identity is not proved, or is required and missing",
        REJECT_IDENTITY_FOR_NOW: "too many failed proofs of identity, or nobody to ask",
        REJECT_LOCAL_LIMIT: "the node's or the source's associations are all taken",
        REJECT_CONGESTION: "the node is stopping, or out of descriptors",
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration says about associations."""

    ae_title: str
    check_called_ae_title: bool
    pdu_bytes_max: int


def negotiate(
    request: AssociateRequest, policy: Policy, offers: Offers, source: Source
) -> AssociateAccept | AssociateReject:
    """Answer a request of a source: what it may not ask for is rejected context by context."""
    if not request.protocol_version & 1:
        return REJECT_PROTOCOL_VERSION
    if request.application_context != APPLICATION_CONTEXT:
        return REJECT_CONTEXT_NAME
    if policy.check_called_ae_title and request.called_ae_title != policy.ae_title:
        return REJECT_CALLED_TITLE
    proposed = {role.sop_class_uid: role for role in request.user.roles}

    def granted(uid: str, offer: Offer) -> Role:
        return _granted(proposed.get(uid, Role(uid, scu=True, scp=False)), offer, source)

    answers = tuple(_answer(context, offers, granted) for context in request.contexts)
    taken = {
        context.abstract_syntax: offer
        for context, answer in zip(request.contexts, answers, strict=True)
        if answer.result is ContextResult.ACCEPTANCE and (offer := offers.of(context.abstract_syntax)) is not None
    }
    return AssociateAccept(
        request.called_ae_title,
        request.calling_ae_title,
        answers,
        UserInformation(
            pdu_bytes_max=policy.pdu_bytes_max,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            roles=tuple(granted(uid, taken[uid]) for uid in proposed if uid in taken),
            extended=tuple(_extended(request.user, taken)),
            operations=None if request.user.operations is None else SYNCHRONOUS,
        ),
    )


def _answer(context: ProposedContext, offers: Offers, granted: Callable[[str, Offer], Role]) -> AnsweredContext:
    fallback = next(iter(context.transfer_syntaxes), IMPLICIT_VR_LITTLE_ENDIAN) or IMPLICIT_VR_LITTLE_ENDIAN
    offer = offers.of(context.abstract_syntax)
    if offer is None:
        return AnsweredContext(context.context_id, ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED, fallback)
    role = granted(context.abstract_syntax, offer)
    if not role.scu and not role.scp:  # nothing could ever be done on it
        return AnsweredContext(context.context_id, ContextResult.USER_REJECTION, fallback)
    for uid in context.transfer_syntaxes:
        if uid in offer.transfer_syntaxes:
            return AnsweredContext(context.context_id, ContextResult.ACCEPTANCE, uid)
    return AnsweredContext(context.context_id, ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED, fallback)


def _granted(role: Role, offer: Offer, source: Source) -> Role:
    """Return the roles of the requestor that are proposed, offered and allowed to it (PS3.7 D.3.3.4).

    On a storage context it is SCU when it stores, and SCP of what it asks for by C-GET. As SCP of storage commitment
    anybody may report: a report names a transaction of ours, or nothing is made of it.
    """
    uid = role.sop_class_uid
    as_scu = as_scp = source.may(offer.name)
    if offer.name == "store":
        as_scu, as_scp = source.may_store(uid), source.may("get")
    if offer.name == "commit":
        as_scp = True
    scu = role.scu and offer.requestor_may_be_scu and as_scu
    return Role(uid, scu=scu, scp=role.scp and offer.requestor_may_be_scp and as_scp)


def _extended(user: UserInformation, taken: dict[str, Offer]) -> list[Extended]:
    """Return what is agreed by extended negotiation, for the accepted SOP classes that know one (PS3.7 D.3.3.5)."""
    agreed: list[Extended] = []
    for proposed in user.extended:
        offer = taken.get(proposed.sop_class_uid)
        information = offer.extend(proposed.information) if offer is not None and offer.extend is not None else None
        if information is not None:
            agreed.append(Extended(proposed.sop_class_uid, information))
    return agreed
