"""DIMSE command sets: implicit VR little endian, group 0000, by one small table (PS3.7 E.1).

A command set is a plain mapping from keyword to value: text for UI, AE and LO, int for US, a tuple of tags for AT.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Literal

Value = str | int | tuple[int, ...]
CommandSet = Mapping[str, Value]
VR = Literal["UI", "AE", "LO", "US", "AT"]

COMMAND_BYTES_MAX = 16 * 1024  # a C-STORE-RQ takes about 200; the longest, with an AT list, a few KiB
NO_DATA_SET = 0x0101  # Command Data Set Type: no data set follows
DATA_SET = 0x0001  # ... one follows

# Element number in group 0000 -> keyword and VR, PS3.7 table E.1-1 (2026c). The group length is computed.
ELEMENTS: dict[int, tuple[str, VR]] = {
    0x0002: ("AffectedSOPClassUID", "UI"),
    0x0003: ("RequestedSOPClassUID", "UI"),
    0x0100: ("CommandField", "US"),
    0x0110: ("MessageID", "US"),
    0x0120: ("MessageIDBeingRespondedTo", "US"),
    0x0600: ("MoveDestination", "AE"),
    0x0700: ("Priority", "US"),
    0x0800: ("CommandDataSetType", "US"),
    0x0900: ("Status", "US"),
    0x0901: ("OffendingElement", "AT"),
    0x0902: ("ErrorComment", "LO"),
    0x0903: ("ErrorID", "US"),
    0x1000: ("AffectedSOPInstanceUID", "UI"),
    0x1001: ("RequestedSOPInstanceUID", "UI"),
    0x1002: ("EventTypeID", "US"),
    0x1005: ("AttributeIdentifierList", "AT"),
    0x1008: ("ActionTypeID", "US"),
    0x1020: ("NumberOfRemainingSuboperations", "US"),
    0x1021: ("NumberOfCompletedSuboperations", "US"),
    0x1022: ("NumberOfFailedSuboperations", "US"),
    0x1023: ("NumberOfWarningSuboperations", "US"),
    0x1030: ("MoveOriginatorApplicationEntityTitle", "AE"),
    0x1031: ("MoveOriginatorMessageID", "US"),
}
_NUMBERS: dict[str, tuple[int, VR]] = {keyword: (element, vr) for element, (keyword, vr) in ELEMENTS.items()}
_HEADER = struct.Struct("<HHI")


class Field(IntEnum):
    """Values of Command Field that this node knows (PS3.7 table E.1-1)."""

    C_STORE_RQ = 0x0001
    C_GET_RQ = 0x0010
    C_FIND_RQ = 0x0020
    C_MOVE_RQ = 0x0021
    C_ECHO_RQ = 0x0030
    N_EVENT_REPORT_RQ = 0x0100
    N_GET_RQ = 0x0110
    N_SET_RQ = 0x0120
    N_ACTION_RQ = 0x0130
    N_CREATE_RQ = 0x0140
    N_DELETE_RQ = 0x0150
    C_CANCEL_RQ = 0x0FFF
    C_STORE_RSP = 0x8001
    C_GET_RSP = 0x8010
    C_FIND_RSP = 0x8020
    C_MOVE_RSP = 0x8021
    C_ECHO_RSP = 0x8030
    N_EVENT_REPORT_RSP = 0x8100
    N_GET_RSP = 0x8110
    N_SET_RSP = 0x8120
    N_ACTION_RSP = 0x8130
    N_CREATE_RSP = 0x8140
    N_DELETE_RSP = 0x8150


class BadCommand(Exception):
    """Bytes that are no command set."""


def decode(data: bytes | bytearray) -> dict[str, Value]:
    """Decode a whole command set; elements that the table does not know are passed over.

    Raises
    ------
    BadCommand
        Lengths that do not fit, text that is not ASCII, or no Command Field.
    """
    command: dict[str, Value] = {}
    position, end = 0, len(data)
    while position < end:
        if end - position < 8:
            raise BadCommand("an element is cut off")
        group, element, length = _HEADER.unpack_from(data, position)
        position += 8
        if group != 0 or length > end - position:
            raise BadCommand(f"element ({group:04X},{element:04X}) of {length} bytes does not fit")
        if element in ELEMENTS:
            keyword, vr = ELEMENTS[element]
            value = _decode_value(vr, bytes(data[position : position + length]))
            if value is not None:
                command[keyword] = value
        position += length
    if "CommandField" not in command:
        raise BadCommand("no Command Field")
    return command


def encode(command: CommandSet) -> bytes:
    """Encode a command set with its group length, elements in order."""
    body = bytearray()
    for element, keyword in sorted((_NUMBERS[keyword][0], keyword) for keyword in command):
        value = _encode_value(_NUMBERS[keyword][1], command[keyword])
        body += _HEADER.pack(0, element, len(value)) + value
    return _HEADER.pack(0, 0, 4) + len(body).to_bytes(4, "little") + bytes(body)


def _decode_value(vr: VR, data: bytes) -> Value | None:
    if vr == "US":
        if len(data) not in (0, 2):
            raise BadCommand(f"US of {len(data)} bytes")
        return int.from_bytes(data, "little") if data else None
    if vr == "AT":
        if len(data) % 4:
            raise BadCommand(f"AT of {len(data)} bytes")
        pairs = struct.iter_unpack("<HH", data)
        return tuple(group << 16 | element for group, element in pairs)
    try:
        # some senders pad a UID with a space; PS3.5 6.2 wants a NUL
        return data.decode("ascii").strip(" \0")
    except UnicodeDecodeError:
        raise BadCommand(f"{vr} that is not ASCII") from None


def _encode_value(vr: VR, value: Value) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(2, "little")
    if isinstance(value, tuple):
        return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
    text = value.encode("ascii", errors="replace")
    return text + (b"\0" if vr == "UI" else b" ") * (len(text) % 2)
