"""Upper-layer PDUs to bytes and back (PS3.8 9.3); user information is `user_items`', P-DATA-TF is `protocol`'s.

Whatever a stranger's bytes do to the decoder, the only error is `BadPDU`. Reserved fields are not looked at and items
that are not known are passed over (PS3.8 9.3.1). Some clients propose every storage SOP class in several transfer
syntaxes with each association, a thousand items: hence no objects between bytes and values.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from gateway.dimse.upper_layer import user_items
from gateway.dimse.upper_layer.pdu import (
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
    UserInformation,
)
from gateway.dimse.upper_layer.user_items import item, items

APPLICATION_CONTEXT_ITEM, USER_INFORMATION_ITEM = 0x10, 0x50
PROPOSED_CONTEXT_ITEM, ANSWERED_CONTEXT_ITEM = 0x20, 0x21
ABSTRACT_SYNTAX_ITEM, TRANSFER_SYNTAX_ITEM = 0x30, 0x40
UID_CHARACTERS_MAX: Final = 64
TITLE_CHARACTERS_MAX: Final = 16
PROTOCOL_VERSION: Final = 1
_FIXED: Final = struct.Struct(">H2x16s16s32x")  # A-ASSOCIATE before its items (PS3.8 tables 9-11, 9-17)
_CONTEXT: Final = struct.Struct(">BxBx")  # ID, result or reserved; sub-items follow (tables 9-13, 9-18)
_SHORT: Final = struct.Struct(">xBBB")


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
        return _DECODERS[kind](body)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise BadPDU(f"{kind.name} cannot be decoded: {type(error).__name__}") from None


def encode(value: PDU) -> bytes:
    """Encode a whole PDU, header included."""
    match value:
        case AssociateRequest():
            body = _encode_associate(value, value.protocol_version, value.application_context, _proposed(value))
            return _pdu(Kind.ASSOCIATE_RQ, body)
        case AssociateAccept():
            body = _encode_associate(value, PROTOCOL_VERSION, APPLICATION_CONTEXT, _answered(value))
            return _pdu(Kind.ASSOCIATE_AC, body)
        case AssociateReject():
            return _pdu(Kind.ASSOCIATE_RJ, _SHORT.pack(value.result, value.source, value.reason))
        case ReleaseRequest():
            return _pdu(Kind.RELEASE_RQ, bytes(4))
        case ReleaseReply():
            return _pdu(Kind.RELEASE_RP, bytes(4))
        case Abort():
            return _pdu(Kind.ABORT, _SHORT.pack(0, value.source, value.reason))


# --- reading ----------------------------------------------------------------------------------------------------------


def _associate(body: bytes, context_item: int) -> tuple[str, list[bytes], UserInformation]:
    """Part the items of A-ASSOCIATE: the application context's name, presentation contexts, user information.

    Raises
    ------
    BadPDU
        Items that do not fit, more of them than ITEMS_MAX, or no user information.
    """
    name, contexts, user = "", list[bytes](), None
    for kind, value in items(body[_FIXED.size :]):
        if kind == context_item:
            contexts.append(value)
        elif kind == USER_INFORMATION_ITEM:
            user = user_items.decode(value)
        elif kind == APPLICATION_CONTEXT_ITEM:
            name = _uid(value)
    if user is None:
        raise BadPDU("no user information item")
    return name, contexts, user


def _sub_items(contexts: Iterable[bytes]) -> Iterator[tuple[int, int, str, list[str]]]:
    """Yield ID, result, abstract syntax and transfer syntaxes of presentation contexts."""
    count = 0
    for value in contexts:
        number, result = _CONTEXT.unpack_from(value)
        abstract, transfer = "", list[str]()
        for kind, name in items(value[_CONTEXT.size :]):
            count += 1
            if kind == TRANSFER_SYNTAX_ITEM:
                transfer.append(_uid(name))
            elif kind == ABSTRACT_SYNTAX_ITEM:
                abstract = _uid(name)
        count += 1
        if count > ITEMS_MAX:
            raise BadPDU(f"more than {ITEMS_MAX} items")
        yield number, result, abstract, transfer


def _decode_request(body: bytes) -> AssociateRequest:
    version, called, calling = _FIXED.unpack_from(body)
    name, items_of_contexts, user = _associate(body, PROPOSED_CONTEXT_ITEM)
    contexts = tuple(
        ProposedContext(number, abstract, tuple(transfer))
        for number, _, abstract, transfer in _sub_items(items_of_contexts)
    )
    identifiers = {context.context_id for context in contexts}
    if len(identifiers) != len(contexts) or any(number % 2 == 0 for number in identifiers):
        raise BadPDU("presentation context IDs must be odd and different (PS3.8 9.3.2.2)")
    return AssociateRequest(_title(called), _title(calling), contexts, user, name, version)


def _decode_accept(body: bytes) -> AssociateAccept:
    _, called, calling = _FIXED.unpack_from(body)
    _, items_of_contexts, user = _associate(body, ANSWERED_CONTEXT_ITEM)
    contexts = tuple(
        AnsweredContext(number, ContextResult(result), next(iter(transfer), ""))
        for number, result, _, transfer in _sub_items(items_of_contexts)
    )
    # The titles are reserved fields here, sent back as they came (PS3.8 table 9-17).
    called, calling = (title.decode("ascii", errors="replace").strip(" \0") for title in (called, calling))
    return AssociateAccept(called, calling, contexts, user)


def _title(data: bytes) -> str:
    """Return an AE title; some pad it with NUL instead of spaces (PS3.5 6.2)."""
    title = data.decode("ascii").strip(" \0")
    if not title or not title.isprintable() or "\\" in title:
        raise BadPDU("an AE title that is none")
    return title


def _uid(data: bytes) -> str:
    uid = data.decode("ascii").strip(" \0")
    if len(uid) > UID_CHARACTERS_MAX:
        raise BadPDU(f"a UID of {len(uid)} characters")
    return uid


_DECODERS: Final[Mapping[Kind, Callable[[bytes], PDU]]] = {
    Kind.ASSOCIATE_RQ: _decode_request,
    Kind.ASSOCIATE_AC: _decode_accept,
    Kind.ASSOCIATE_RJ: lambda body: AssociateReject(*_SHORT.unpack_from(body)),
    Kind.RELEASE_RQ: lambda _: ReleaseRequest(),
    Kind.RELEASE_RP: lambda _: ReleaseReply(),
    Kind.ABORT: lambda body: Abort(*_SHORT.unpack_from(body)[1:]),
}


# --- writing ----------------------------------------------------------------------------------------------------------


def _pdu(kind: Kind, body: bytes) -> bytes:
    return bytes((kind, 0)) + len(body).to_bytes(4, "big") + body


def _encode_associate(
    value: AssociateRequest | AssociateAccept, version: int, application_context: str, contexts: Iterable[bytes]
) -> bytes:
    titles = [
        title.encode("ascii").ljust(TITLE_CHARACTERS_MAX) for title in (value.called_ae_title, value.calling_ae_title)
    ]
    assert all(len(title) == TITLE_CHARACTERS_MAX for title in titles), "AE titles were checked where they came from"
    return b"".join(
        (
            _FIXED.pack(version, *titles),
            item(APPLICATION_CONTEXT_ITEM, application_context.encode("ascii")),
            *contexts,
            item(USER_INFORMATION_ITEM, user_items.encode(value.user)),
        )
    )


def _proposed(value: AssociateRequest) -> Iterator[bytes]:
    for context in value.contexts:
        syntaxes = b"".join(item(TRANSFER_SYNTAX_ITEM, uid.encode("ascii")) for uid in context.transfer_syntaxes)
        abstract = item(ABSTRACT_SYNTAX_ITEM, context.abstract_syntax.encode("ascii"))
        yield item(PROPOSED_CONTEXT_ITEM, _CONTEXT.pack(context.context_id, 0) + abstract + syntaxes)


def _answered(value: AssociateAccept) -> Iterator[bytes]:
    for context in value.contexts:
        syntax = item(TRANSFER_SYNTAX_ITEM, context.transfer_syntax.encode("ascii"))
        yield item(ANSWERED_CONTEXT_ITEM, _CONTEXT.pack(context.context_id, context.result) + syntax)
