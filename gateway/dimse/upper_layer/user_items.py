"""The user information item of A-ASSOCIATE: its sub-items as values and back (PS3.8 D.1, PS3.7 D.3.3).

A sub-item that is not known is passed over, as PS3.8 9.3.1 wants. Whatever a stranger's bytes hold, the only error is
`BadPDU`.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

from gateway.dimse.upper_layer.pdu import (
    ITEMS_MAX,
    BadPDU,
    CommonExtended,
    Extended,
    Identity,
    Operations,
    Role,
    UserInformation,
)

_HEADER = struct.Struct(">BBH")  # type, reserved, length
_LENGTH = struct.Struct(">H")
_PAIR = struct.Struct(">HH")


class SubItem(IntEnum):
    """Sub-item types (PS3.8 table D.1-1, PS3.7 D.3.3)."""

    MAXIMUM_LENGTH = 0x51
    IMPLEMENTATION_CLASS_UID = 0x52
    ASYNCHRONOUS_OPERATIONS = 0x53
    ROLE = 0x54
    IMPLEMENTATION_VERSION_NAME = 0x55
    EXTENDED = 0x56
    COMMON_EXTENDED = 0x57
    IDENTITY = 0x58
    IDENTITY_RESPONSE = 0x59


def items(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (type, value) of items or sub-items that follow each other.

    Raises
    ------
    BadPDU
        One is cut off, or there are more than ITEMS_MAX.
    """
    position, count = 0, 0
    while position < len(body):
        count += 1
        if count > ITEMS_MAX:
            raise BadPDU(f"more than {ITEMS_MAX} items")
        if len(body) - position < _HEADER.size:
            raise BadPDU("an item is cut off")
        kind, _, length = _HEADER.unpack_from(body, position)
        position += _HEADER.size
        if length > len(body) - position:
            raise BadPDU(f"item {kind:02X} of {length} bytes does not fit")
        yield kind, body[position : position + length]
        position += length


def item(kind: int, value: bytes) -> bytes:
    """Encode one item or sub-item."""
    return _HEADER.pack(kind, 0, len(value)) + value


def decode(body: bytes) -> UserInformation:
    """Decode the value of a user information item; of a sub-item that comes twice the last counts.

    Raises
    ------
    BadPDU
        Lengths that do not fit.
    """
    single: dict[int, bytes] = {}
    roles: dict[str, Role] = {}
    extended: dict[str, Extended] = {}
    common: list[CommonExtended] = []
    for kind, value in items(body):
        match kind:
            case SubItem.ROLE:
                role = _decode_role(value)
                roles[role.sop_class_uid] = role
            case SubItem.EXTENDED:
                uid, information = _prefixed(value)
                extended[_text(uid)] = Extended(_text(uid), information)
            case SubItem.COMMON_EXTENDED:
                common.append(_decode_common(value))
            case _:
                single[kind] = value
    operations = single.get(SubItem.ASYNCHRONOUS_OPERATIONS)
    identity = single.get(SubItem.IDENTITY)
    response = single.get(SubItem.IDENTITY_RESPONSE)
    return UserInformation(
        pdu_bytes_max=int.from_bytes(single.get(SubItem.MAXIMUM_LENGTH, b"")[:4], "big"),
        implementation_class_uid=_text(single.get(SubItem.IMPLEMENTATION_CLASS_UID, b"")),
        implementation_version_name=_text(single.get(SubItem.IMPLEMENTATION_VERSION_NAME, b"")),
        roles=tuple(roles.values()),
        extended=tuple(extended.values()),
        common=tuple(common),
        operations=None if operations is None else _decode_operations(operations),
        identity=None if identity is None else _decode_identity(identity),
        identity_response=None if response is None else _prefixed(response)[0],
    )


def encode(value: UserInformation) -> bytes:
    """Encode a user information item's value, sub-items in the order of their types (PS3.8 D.1)."""
    encoded = [
        item(SubItem.MAXIMUM_LENGTH, value.pdu_bytes_max.to_bytes(4, "big")),
        item(SubItem.IMPLEMENTATION_CLASS_UID, value.implementation_class_uid.encode("ascii")),
    ]
    if value.operations is not None:
        encoded.append(
            item(SubItem.ASYNCHRONOUS_OPERATIONS, _PAIR.pack(value.operations.invoked, value.operations.performed))
        )
    encoded += [
        item(SubItem.ROLE, _with_length(role.sop_class_uid.encode()) + bytes((role.scu, role.scp)))
        for role in value.roles
    ]
    if value.implementation_version_name:
        encoded.append(item(SubItem.IMPLEMENTATION_VERSION_NAME, value.implementation_version_name.encode("ascii")))
    encoded += [
        item(SubItem.EXTENDED, _with_length(one.sop_class_uid.encode()) + one.information) for one in value.extended
    ]
    for general in value.common:
        related = b"".join(_with_length(uid.encode()) for uid in general.related)
        names = _with_length(general.sop_class_uid.encode()) + _with_length(general.service_class_uid.encode())
        encoded.append(item(SubItem.COMMON_EXTENDED, names + _with_length(related)))
    if value.identity is not None:
        who = value.identity
        fields = _with_length(who.primary) + _with_length(who.secondary)
        encoded.append(item(SubItem.IDENTITY, bytes((who.kind, who.wants_response)) + fields))
    if value.identity_response is not None:
        encoded.append(item(SubItem.IDENTITY_RESPONSE, _with_length(value.identity_response)))
    return b"".join(encoded)


# --- inside -----------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    return data.decode("ascii", errors="replace").strip(" \0")


def _with_length(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _prefixed(data: bytes) -> tuple[bytes, bytes]:
    """Return a field that its length precedes, and what is left after it."""
    if len(data) < _LENGTH.size:
        raise BadPDU("a field is cut off")
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    if end > len(data):
        raise BadPDU("a field does not fit its sub-item")
    return data[_LENGTH.size : end], data[end:]


def _decode_role(value: bytes) -> Role:
    """Decode SCP/SCU role selection (PS3.7 table D.3-9)."""
    uid, flags = _prefixed(value)
    if len(flags) < 2:
        raise BadPDU("a role selection without roles")
    return Role(_text(uid), scu=flags[0] == 1, scp=flags[1] == 1)


def _decode_common(value: bytes) -> CommonExtended:
    """Decode SOP Class Common Extended Negotiation (PS3.7 table D.3-12)."""
    sop_class_uid, rest = _prefixed(value)
    service_class_uid, rest = _prefixed(rest)
    listed = _prefixed(rest)[0] if rest else b""
    related: list[str] = []
    while listed:
        uid, listed = _prefixed(listed)
        related.append(_text(uid))
    return CommonExtended(_text(sop_class_uid), _text(service_class_uid), tuple(related))


def _decode_operations(value: bytes) -> Operations:
    """Decode the asynchronous operations window (PS3.7 table D.3-7)."""
    if len(value) < _PAIR.size:
        raise BadPDU("an asynchronous operations window is cut off")
    return Operations(*_PAIR.unpack_from(value))


def _decode_identity(value: bytes) -> Identity:
    """Decode a user identity (PS3.7 table D.3-14)."""
    if len(value) < 2:
        raise BadPDU("a user identity is cut off")
    primary, rest = _prefixed(value[2:])
    return Identity(value[0], value[1] == 1, primary, _prefixed(rest)[0] if rest else b"")
