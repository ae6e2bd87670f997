"""The upper layer's state machine on the acceptor's side, as the table that PS3.8 prints (tables 9-6 to 9-10).

Only the states that an acceptor can be in are here. Timers and the socket are the shell's business: an action says what
the core does, the shell sees it as an event or as bytes to send.
"""

from enum import StrEnum

from gateway.dimse.pdu import Kind


class State(StrEnum):
    """States of PS3.8 table 9-1, 9-2, 9-4 and 9-5 that an acceptor passes through."""

    AWAITING_REQUEST = "Sta2"
    AWAITING_LOCAL_RESPONSE = "Sta3"
    ESTABLISHED = "Sta6"
    AWAITING_LOCAL_RELEASE = "Sta8"
    AWAITING_CLOSE = "Sta13"
    CLOSED = "Sta1"


class Action(StrEnum):
    """What is done when a PDU arrives (PS3.8 tables 9-6 to 9-9)."""

    INDICATE_ASSOCIATE = "AE-6"
    INDICATE_DATA = "DT-2"
    INDICATE_RELEASE = "AR-2"
    INDICATE_ABORT = "AA-3"
    CLOSE = "AA-2"
    ABORT_UNASKED = "AA-1"  # nothing was agreed yet: A-ABORT, nobody to tell
    ABORT_AND_INDICATE = "AA-8"  # A-ABORT, and the service is told
    IGNORE = "AA-6"
    ABORT_AGAIN = "AA-7"


NEXT_STATE = {
    Action.INDICATE_ASSOCIATE: State.AWAITING_LOCAL_RESPONSE,
    Action.INDICATE_DATA: State.ESTABLISHED,
    Action.INDICATE_RELEASE: State.AWAITING_LOCAL_RELEASE,
    Action.INDICATE_ABORT: State.CLOSED,
    Action.CLOSE: State.CLOSED,
    Action.ABORT_UNASKED: State.AWAITING_CLOSE,
    Action.ABORT_AND_INDICATE: State.AWAITING_CLOSE,
    Action.IGNORE: State.AWAITING_CLOSE,
    Action.ABORT_AGAIN: State.AWAITING_CLOSE,
}


def _row(*actions: Action) -> dict[State, Action]:
    return dict(zip(list(State)[:5], actions, strict=True))


# Columns: Sta2, Sta3, Sta6, Sta8, Sta13. `None` is the row "unrecognized or invalid PDU".
TABLE: dict[Kind | None, dict[State, Action]] = {
    Kind.ASSOCIATE_RQ: _row(
        Action.INDICATE_ASSOCIATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AGAIN,
    ),
    Kind.ASSOCIATE_AC: _row(
        Action.ABORT_UNASKED,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.IGNORE,
    ),
    Kind.ASSOCIATE_RJ: _row(
        Action.ABORT_UNASKED,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.IGNORE,
    ),
    Kind.P_DATA: _row(
        Action.ABORT_UNASKED,
        Action.ABORT_AND_INDICATE,
        Action.INDICATE_DATA,
        Action.ABORT_AND_INDICATE,
        Action.IGNORE,
    ),
    Kind.RELEASE_RQ: _row(
        Action.ABORT_UNASKED,
        Action.ABORT_AND_INDICATE,
        Action.INDICATE_RELEASE,
        Action.ABORT_AND_INDICATE,
        Action.IGNORE,
    ),
    Kind.RELEASE_RP: _row(
        Action.ABORT_UNASKED,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.IGNORE,
    ),
    Kind.ABORT: _row(
        Action.CLOSE,
        Action.INDICATE_ABORT,
        Action.INDICATE_ABORT,
        Action.INDICATE_ABORT,
        Action.CLOSE,
    ),
    None: _row(
        Action.ABORT_UNASKED,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AND_INDICATE,
        Action.ABORT_AGAIN,
    ),
}
