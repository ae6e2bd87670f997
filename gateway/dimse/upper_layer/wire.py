"""Upper-layer PDUs to bytes and back, through pynetdicom's classes (PS3.8 9.3); user information is `user_items`'.

Whatever a stranger's bytes do to the decoder, the only error is `BadPDU`.
"""

from typing import Any

from pynetdicom import pdu as pdu_classes
from pynetdicom import pdu_items as items

from gateway.dimse.upper_layer import user_items
from gateway.dimse.upper_layer.pdu import (
    APPLICATION_CONTEXT,
    BODY_BYTES_MAX,
    HEADER_BYTES,
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
    UserInformation,
)

ASSOCIATE_FIXED_BYTES = 68  # of A-ASSOCIATE before its items, the header not counted (PS3.8 tables 9-11, 9-17)
APPLICATION_CONTEXT_ITEM = 0x10
CONTEXT_ITEMS = {Kind.ASSOCIATE_RQ: 0x20, Kind.ASSOCIATE_AC: 0x21}
USER_INFORMATION_ITEM = 0x50


def decode(kind: Kind, body: bytes) -> PDU:
    """Decode what follows the six bytes of the header.

    Raises
    ------
    BadPDU
        Whatever else is wrong with the bytes.
    """
    if len(body) > BODY_BYTES_MAX[kind]:
        raise BadPDU(f"{kind.name} of {len(body)} bytes")
    try:
        if kind in (Kind.ASSOCIATE_RQ, Kind.ASSOCIATE_AC):
            body, user = _part(kind, body)
            data = _header(kind, body) + body
            return _decode_request(data, user) if kind is Kind.ASSOCIATE_RQ else _decode_accept(data, user)
        return _DECODERS[kind](_header(kind, body) + body)
    except BadPDU:
        raise
    except Exception as error:  # noqa: BLE001 pynetdicom's decoder fails in its own ways on hostile bytes
        raise BadPDU(f"{kind.name} cannot be decoded: {type(error).__name__}") from None


def encode(value: PDU) -> bytes:
    """Encode a whole PDU, header included."""
    match value:
        case AssociateRequest():
            return _with_user(_request(value).encode(), value.user)
        case AssociateAccept():
            return _with_user(_accept(value).encode(), value.user)
        case AssociateReject():
            pdu: Any = pdu_classes.A_ASSOCIATE_RJ()
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


def _header(kind: Kind, body: bytes) -> bytes:
    return bytes((kind, 0)) + len(body).to_bytes(4, "big")


def _part(kind: Kind, body: bytes) -> tuple[bytes, UserInformation]:
    """Part the body of A-ASSOCIATE: what pynetdicom decodes, and user information; unknown items are passed over.

    Raises
    ------
    BadPDU
        Items that do not fit, more of them than ITEMS_MAX, or no user information.
    """
    kept, count, user = [body[:ASSOCIATE_FIXED_BYTES]], 0, None
    for number, value in user_items.items(body[ASSOCIATE_FIXED_BYTES:]):
        if number == USER_INFORMATION_ITEM:
            user = user_items.decode(value)
        elif number == APPLICATION_CONTEXT_ITEM:
            kept.append(user_items.item(number, value))
        elif number == CONTEXT_ITEMS[kind]:
            count += 1 + sum(1 for _ in user_items.items(value[4:]))
            if count > ITEMS_MAX:  # before objects are made of them
                raise BadPDU(f"more than {ITEMS_MAX} items")
            kept.append(user_items.item(number, value))
    if user is None:
        raise BadPDU("no user information item")
    return b"".join(kept), user


def _decode_request(data: bytes, user: UserInformation) -> AssociateRequest:
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
        user=user,
        application_context=str(pdu.application_context_name or ""),
        protocol_version=int(pdu.protocol_version),
    )


def _decode_accept(data: bytes, user: UserInformation) -> AssociateAccept:
    pdu = pdu_classes.A_ASSOCIATE_AC()
    pdu.decode(data)
    contexts = tuple(
        AnsweredContext(int(item.context_id or 0), ContextResult(item.result or 0), str(item.transfer_syntax or ""))
        for item in pdu.presentation_context
    )
    return AssociateAccept(pdu.reserved_aet.strip(), pdu.reserved_aec.strip(), contexts, user)


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
    pdu.variable_items = [_application_context(value.application_context), *contexts]
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
    pdu.variable_items = [_application_context(APPLICATION_CONTEXT), *contexts]
    return pdu


def _application_context(uid: str) -> Any:
    item = items.ApplicationContextItem()
    item.application_context_name = uid
    return item


def _transfer_syntax(uid: str) -> Any:
    item = items.TransferSyntaxSubItem()
    item.transfer_syntax_name = uid
    return item


def _with_user(data: bytes, user: UserInformation) -> bytes:
    """Add user information to an encoded PDU."""
    body = data[HEADER_BYTES:] + user_items.item(USER_INFORMATION_ITEM, user_items.encode(user))
    return data[:2] + len(body).to_bytes(4, "big") + body


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
    Kind.ASSOCIATE_RJ: _decode_reject,
    Kind.RELEASE_RQ: lambda _: ReleaseRequest(),
    Kind.RELEASE_RP: lambda _: ReleaseReply(),
    Kind.ABORT: _decode_abort,
}
