"""Upper-layer PDUs to bytes and back, through pynetdicom's classes (PS3.8 9.3).

Whatever a stranger's bytes do to the decoder, the only error is `BadPDU`.
"""

from typing import Any

from pynetdicom import pdu as pdu_classes
from pynetdicom import pdu_items as items

from gateway.dimse.pdu import (
    APPLICATION_CONTEXT,
    BODY_BYTES_MAX,
    ITEMS_MAX,
    PDU,
    Abort,
    AnsweredContext,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    BadPDU,
    ContextResult,
    Kind,
    ProposedContext,
    ReleaseReply,
    ReleaseRequest,
    Role,
    UserInformation,
)


def decode(kind: Kind, body: bytes) -> PDU:
    """Decode what follows the six bytes of the header.

    Raises
    ------
    BadPDU
        Whatever else is wrong with the bytes.
    """
    if len(body) > BODY_BYTES_MAX[kind]:
        raise BadPDU(f"{kind.name} of {len(body)} bytes")
    if kind in (Kind.ASSOCIATE_RQ, Kind.ASSOCIATE_AC):
        _count_items(body[68:])
    header = bytes((kind, 0)) + len(body).to_bytes(4, "big")
    try:
        return _DECODERS[kind](header + body)
    except BadPDU:
        raise
    except Exception as error:  # noqa: BLE001 pynetdicom's decoder fails in its own ways on hostile bytes
        raise BadPDU(f"{kind.name} cannot be decoded: {type(error).__name__}") from None


def encode(value: PDU) -> bytes:
    """Encode a whole PDU, header included."""
    match value:
        case AssociateRequest():
            pdu: Any = _request(value)
        case AssociateAccept():
            pdu = _accept(value)
        case AssociateReject():
            pdu = pdu_classes.A_ASSOCIATE_RJ()
            pdu.result, pdu.source, pdu.reason_diagnostic = value.result, value.source, value.reason
        case ReleaseRequest():
            pdu = pdu_classes.A_RELEASE_RQ()
        case ReleaseReply():
            pdu = pdu_classes.A_RELEASE_RP()
        case Abort():
            pdu = pdu_classes.A_ABORT_RQ()
            pdu.source, pdu.reason_diagnostic = value.source, value.reason
    return pdu.encode()


# --- A-ASSOCIATE ------------------------------------------------------------------------------------------------------


def _count_items(body: bytes) -> None:
    """Refuse a PDU of very many tiny items before objects are made of them."""
    count = position = 0
    while position + 4 <= len(body):
        container = body[position] in (0x20, 0x21, 0x50)
        length = int.from_bytes(body[position + 2 : position + 4], "big")
        position += (8 if body[position] in (0x20, 0x21) else 4) if container else 4 + length
        count += 1
        if count > ITEMS_MAX:
            raise BadPDU(f"more than {ITEMS_MAX} items")


def _decode_request(data: bytes) -> AssociateRequest:
    pdu = pdu_classes.A_ASSOCIATE_RQ()
    pdu.decode(data)
    contexts = tuple(
        ProposedContext(
            int(item.context_id or 0), str(item.abstract_syntax or ""), tuple(str(uid) for uid in item.transfer_syntax)
        )
        for item in pdu.presentation_context
    )
    identifiers = [context.context_id for context in contexts]
    if len(set(identifiers)) != len(identifiers) or any(number % 2 == 0 for number in identifiers):
        raise BadPDU("presentation context IDs must be odd and different (PS3.8 9.3.2.2)")
    return AssociateRequest(
        called_ae_title=pdu.called_ae_title.strip(),
        calling_ae_title=pdu.calling_ae_title.strip(),
        contexts=contexts,
        user=_decode_user(pdu),
        application_context=str(pdu.application_context_name or ""),
        protocol_version=int(pdu.protocol_version),
    )


def _decode_accept(data: bytes) -> AssociateAccept:
    pdu = pdu_classes.A_ASSOCIATE_AC()
    pdu.decode(data)
    contexts = tuple(
        AnsweredContext(int(item.context_id or 0), ContextResult(item.result or 0), str(item.transfer_syntax or ""))
        for item in pdu.presentation_context
    )
    return AssociateAccept(pdu.reserved_aet.strip(), pdu.reserved_aec.strip(), contexts, _decode_user(pdu))


def _decode_user(pdu: Any) -> UserInformation:
    user = pdu.user_information
    if user is None:
        raise BadPDU("no user information item")
    roles = tuple(Role(str(uid), bool(item.scu_role), bool(item.scp_role)) for uid, item in user.role_selection.items())
    return UserInformation(
        pdu_bytes_max=int(user.maximum_length or 0),
        implementation_class_uid=str(user.implementation_class_uid or ""),
        implementation_version_name=(user.implementation_version_name or "").strip(),
        roles=roles,
    )


def _request(value: AssociateRequest) -> Any:
    pdu = pdu_classes.A_ASSOCIATE_RQ()
    pdu.called_ae_title, pdu.calling_ae_title = value.called_ae_title, value.calling_ae_title
    pdu.protocol_version = value.protocol_version
    contexts: list[Any] = []
    for context in value.contexts:
        item = items.PresentationContextItemRQ()
        item.presentation_context_id = context.context_id
        abstract = items.AbstractSyntaxSubItem()
        abstract.abstract_syntax_name = context.abstract_syntax
        item.abstract_transfer_syntax_sub_items = [abstract, *map(_transfer_syntax, context.transfer_syntaxes)]
        contexts.append(item)
    pdu.variable_items = [_application_context(value.application_context), *contexts, _user(value.user)]
    return pdu


def _accept(value: AssociateAccept) -> Any:
    pdu = pdu_classes.A_ASSOCIATE_AC()
    pdu.reserved_aet, pdu.reserved_aec = value.called_ae_title, value.calling_ae_title
    contexts: list[Any] = []
    for context in value.contexts:
        item = items.PresentationContextItemAC()
        item.presentation_context_id = context.context_id
        item.result_reason = int(context.result)
        item.transfer_syntax_sub_item = [_transfer_syntax(context.transfer_syntax)]
        contexts.append(item)
    pdu.variable_items = [_application_context(APPLICATION_CONTEXT), *contexts, _user(value.user)]
    return pdu


def _application_context(uid: str) -> Any:
    item = items.ApplicationContextItem()
    item.application_context_name = uid
    return item


def _transfer_syntax(uid: str) -> Any:
    item = items.TransferSyntaxSubItem()
    item.transfer_syntax_name = uid
    return item


def _user(value: UserInformation) -> Any:
    length = items.MaximumLengthSubItem()
    length.maximum_length_received = value.pdu_bytes_max
    implementation = items.ImplementationClassUIDSubItem()
    implementation.implementation_class_uid = value.implementation_class_uid
    user = items.UserInformationItem()
    data: list[Any] = [length, implementation]
    for role in value.roles:
        item = items.SCP_SCU_RoleSelectionSubItem()
        item.sop_class_uid = role.sop_class_uid
        item.scu_role, item.scp_role = int(role.scu), int(role.scp)
        data.append(item)
    if value.implementation_version_name:
        name = items.ImplementationVersionNameSubItem()
        name.implementation_version_name = value.implementation_version_name
        data.append(name)
    user.user_data = data
    return user


# --- the short ones ---------------------------------------------------------------------------------------------------


def _decode_reject(data: bytes) -> AssociateReject:
    pdu = pdu_classes.A_ASSOCIATE_RJ()
    pdu.decode(data)
    return AssociateReject(int(pdu.result or 0), int(pdu.source or 0), int(pdu.reason_diagnostic or 0))


def _decode_abort(data: bytes) -> Abort:
    pdu = pdu_classes.A_ABORT_RQ()
    pdu.decode(data)
    return Abort(int(pdu.source or 0), int(pdu.reason_diagnostic or 0))


_DECODERS = {
    Kind.ASSOCIATE_RQ: _decode_request,
    Kind.ASSOCIATE_AC: _decode_accept,
    Kind.ASSOCIATE_RJ: _decode_reject,
    Kind.RELEASE_RQ: lambda _: ReleaseRequest(),
    Kind.RELEASE_RP: lambda _: ReleaseReply(),
    Kind.ABORT: _decode_abort,
}
