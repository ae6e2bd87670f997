"""The upper layer's state machine as the table that PS3.8 prints (tables 9-6 to 9-10, edition 2026c).

Timers and the socket are the shell's business: an action says what the core does, the shell sees it as an event or as
bytes to send. A release that collides with ours (Sta9 to Sta12) is answered at once, without states of its own.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.dimse.upper_layer.pdu import Kind


class State(StrEnum):
    """States (PS3.8 tables 9-1 to 9-5)."""

    CLOSED = "Sta1"
    AWAITING_REQUEST = "Sta2"
    AWAITING_LOCAL_RESPONSE = "Sta3"
    AWAITING_ANSWER = "Sta5"
    ESTABLISHED = "Sta6"
    AWAITING_RELEASE_REPLY = "Sta7"
    AWAITING_LOCAL_RELEASE = "Sta8"
    AWAITING_CLOSE = "Sta13"


class Action(StrEnum):
    """What is done when a PDU arrives (PS3.8 tables 9-6 to 9-9)."""

    INDICATE_ASSOCIATE = "AE-6"
    CONFIRM_ACCEPTED = "AE-3"
    CONFIRM_REJECTED = "AE-4"
    INDICATE_DATA = "DT-2"
    INDICATE_RELEASE = "AR-2"
    CONFIRM_RELEASE = "AR-3"
    DATA_AFTER_RELEASE = "AR-6"
    ANSWER_COLLISION = "AR-8"
    ABORT_UNASKED = "AA-1"  # nothing was agreed yet: A-ABORT, nobody to tell
    CLOSE = "AA-2"
    INDICATE_ABORT = "AA-3"
    IGNORE = "AA-6"
    ABORT_AGAIN = "AA-7"
    ABORT_AND_INDICATE = "AA-8"  # A-ABORT, and the service is told


ABORTING: Final = frozenset({Action.ABORT_UNASKED, Action.ABORT_AGAIN, Action.ABORT_AND_INDICATE})

NEXT_STATE: Final = MappingProxyType(
    {
        Action.INDICATE_ASSOCIATE: State.AWAITING_LOCAL_RESPONSE,
        Action.CONFIRM_ACCEPTED: State.ESTABLISHED,
        Action.CONFIRM_REJECTED: State.CLOSED,
        Action.INDICATE_DATA: State.ESTABLISHED,
        Action.INDICATE_RELEASE: State.AWAITING_LOCAL_RELEASE,
        Action.CONFIRM_RELEASE: State.CLOSED,
        Action.DATA_AFTER_RELEASE: State.AWAITING_RELEASE_REPLY,
        Action.ANSWER_COLLISION: State.AWAITING_RELEASE_REPLY,
        Action.ABORT_UNASKED: State.AWAITING_CLOSE,
        Action.CLOSE: State.CLOSED,
        Action.INDICATE_ABORT: State.CLOSED,
        Action.IGNORE: State.AWAITING_CLOSE,
        Action.ABORT_AGAIN: State.AWAITING_CLOSE,
        Action.ABORT_AND_INDICATE: State.AWAITING_CLOSE,
    }
)

_COLUMNS: Final = "Sta2 Sta3 Sta5 Sta6 Sta7 Sta8 Sta13"
_ROWS: Final[dict[Kind | None, str]] = {
    Kind.ASSOCIATE_RQ: "AE-6 AA-8 AA-8 AA-8 AA-8 AA-8 AA-7",
    Kind.ASSOCIATE_AC: "AA-1 AA-8 AE-3 AA-8 AA-8 AA-8 AA-6",
    Kind.ASSOCIATE_RJ: "AA-1 AA-8 AE-4 AA-8 AA-8 AA-8 AA-6",
    Kind.P_DATA: "AA-1 AA-8 AA-8 DT-2 AR-6 AA-8 AA-6",
    Kind.RELEASE_RQ: "AA-1 AA-8 AA-8 AR-2 AR-8 AA-8 AA-6",
    Kind.RELEASE_RP: "AA-1 AA-8 AA-8 AA-8 AR-3 AA-8 AA-6",
    Kind.ABORT: "AA-2 AA-3 AA-3 AA-3 AA-3 AA-3 AA-2",
    None: "AA-1 AA-8 AA-8 AA-8 AA-8 AA-8 AA-7",  # unrecognized or invalid PDU
}
TABLE: Final = MappingProxyType(
    {
        kind: MappingProxyType(dict(zip(map(State, _COLUMNS.split()), map(Action, row.split()), strict=True)))
        for kind, row in _ROWS.items()
    }
)
