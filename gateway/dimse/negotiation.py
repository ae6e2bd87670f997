"""What this node answers to an A-ASSOCIATE-RQ: a pure function of the request and the policy (PS3.8 9.3, PS3.7 D.3).

Every storage SOP class is accepted in the first transfer syntax of the proposer's own order that we know, so that
instances come as they are stored at the sender. User identity, asynchronous operations and extended negotiation get no
answer, which means "not used" (PS3.7 D.3.3).
"""

from collections.abc import Collection
from dataclasses import dataclass

from gateway.dimse.pdu import (
    APPLICATION_CONTEXT,
    AnsweredContext,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ContextResult,
    ProposedContext,
    Role,
    UserInformation,
)
from kernel.dicom.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN, STORAGE_CLASSES, SYNTAXES
from kernel.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

VERIFICATION = "1.2.840.10008.1.1"
STANDARD_ROOT = "1.2.840.10008."
STORAGE_ROOT = "1.2.840.10008.5.1.4.1.1."  # classes of newer editions than ours begin with it, too
VERIFICATION_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")

# Result, source, reason of A-ASSOCIATE-RJ (PS3.8 table 9-21).
REJECT_CONTEXT_NAME = AssociateReject(1, 1, 2)
REJECT_CALLING_TITLE = AssociateReject(1, 1, 3)
REJECT_CALLED_TITLE = AssociateReject(1, 1, 7)
REJECT_PROTOCOL_VERSION = AssociateReject(1, 2, 2)
REJECT_LOCAL_LIMIT = AssociateReject(2, 3, 2)
REJECT_CONGESTION = AssociateReject(2, 3, 1)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration says about associations."""

    ae_title: str
    check_called_ae_title: bool
    accept_private_sop_classes: bool
    pdu_bytes_max: int


def negotiate(request: AssociateRequest, policy: Policy) -> AssociateAccept | AssociateReject:
    """Answer a request, but for who the caller is: `gateway.peers` knows that."""
    if not request.protocol_version & 1:
        return REJECT_PROTOCOL_VERSION
    if request.application_context != APPLICATION_CONTEXT:
        return REJECT_CONTEXT_NAME
    if policy.check_called_ae_title and request.called_ae_title != policy.ae_title:
        return REJECT_CALLED_TITLE
    roles = {role.sop_class_uid: role for role in request.user.roles}
    answers = tuple(_answer(context, roles, policy) for context in request.contexts)
    taken = {
        context.abstract_syntax
        for context, answer in zip(request.contexts, answers, strict=True)
        if answer.result is ContextResult.ACCEPTANCE
    }
    return AssociateAccept(
        request.called_ae_title,
        request.calling_ae_title,
        answers,
        UserInformation(
            pdu_bytes_max=policy.pdu_bytes_max,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            roles=tuple(Role(uid, scu=True, scp=False) for uid, role in roles.items() if uid in taken and role.scu),
        ),
    )


def _answer(context: ProposedContext, roles: dict[str, Role], policy: Policy) -> AnsweredContext:
    fallback = next(iter(context.transfer_syntaxes), IMPLICIT_VR_LITTLE_ENDIAN) or IMPLICIT_VR_LITTLE_ENDIAN
    known = _known_syntaxes(context.abstract_syntax, policy)
    if known is None:
        return AnsweredContext(context.context_id, ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED, fallback)
    role = roles.get(context.abstract_syntax)
    if role is not None and not role.scu:  # it wants to be the SCP only, and we send nothing on its association
        return AnsweredContext(context.context_id, ContextResult.USER_REJECTION, fallback)
    for uid in context.transfer_syntaxes:
        if uid in known:
            return AnsweredContext(context.context_id, ContextResult.ACCEPTANCE, uid)
    return AnsweredContext(context.context_id, ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED, fallback)


def _known_syntaxes(abstract_syntax: str, policy: Policy) -> Collection[str] | None:
    """Return the transfer syntaxes in which an abstract syntax is taken; None when it is not taken at all."""
    if abstract_syntax == VERIFICATION:
        return VERIFICATION_SYNTAXES
    if abstract_syntax in STORAGE_CLASSES:
        return SYNTAXES
    is_unknown = abstract_syntax.startswith(STORAGE_ROOT) or not abstract_syntax.startswith(STANDARD_ROOT)
    return SYNTAXES if abstract_syntax and is_unknown and policy.accept_private_sop_classes else None
