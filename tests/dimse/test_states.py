"""The state table against a second transcription of the rows of PS3.8 table 9-10 that matter."""

import pytest

from gateway.dimse.upper_layer.pdu import Kind
from gateway.dimse.upper_layer.states import ABORTING, NEXT_STATE, TABLE, Action, State

S = State


@pytest.mark.parametrize(
    ("kind", "state", "action", "next_state"),
    [
        (Kind.ASSOCIATE_RQ, "Sta2", "AE-6", S.AWAITING_LOCAL_RESPONSE),
        (Kind.ASSOCIATE_RQ, "Sta6", "AA-8", S.AWAITING_CLOSE),
        (Kind.ASSOCIATE_RQ, "Sta13", "AA-7", S.AWAITING_CLOSE),
        (Kind.ASSOCIATE_AC, "Sta2", "AA-1", S.AWAITING_CLOSE),
        (Kind.ASSOCIATE_AC, "Sta5", "AE-3", S.ESTABLISHED),
        (Kind.ASSOCIATE_RJ, "Sta5", "AE-4", S.CLOSED),
        (Kind.P_DATA, "Sta2", "AA-1", S.AWAITING_CLOSE),
        (Kind.P_DATA, "Sta3", "AA-8", S.AWAITING_CLOSE),
        (Kind.P_DATA, "Sta6", "DT-2", S.ESTABLISHED),
        (Kind.P_DATA, "Sta7", "AR-6", S.AWAITING_RELEASE_REPLY),
        (Kind.P_DATA, "Sta8", "AA-8", S.AWAITING_CLOSE),
        (Kind.P_DATA, "Sta13", "AA-6", S.AWAITING_CLOSE),
        (Kind.RELEASE_RQ, "Sta6", "AR-2", S.AWAITING_LOCAL_RELEASE),
        (Kind.RELEASE_RP, "Sta7", "AR-3", S.CLOSED),
        (Kind.RELEASE_RP, "Sta6", "AA-8", S.AWAITING_CLOSE),
        (Kind.ABORT, "Sta2", "AA-2", S.CLOSED),
        (Kind.ABORT, "Sta6", "AA-3", S.CLOSED),
        (Kind.ABORT, "Sta13", "AA-2", S.CLOSED),
        (None, "Sta2", "AA-1", S.AWAITING_CLOSE),
        (None, "Sta6", "AA-8", S.AWAITING_CLOSE),
        (None, "Sta13", "AA-7", S.AWAITING_CLOSE),
    ],
)
def test_a_row_of_the_standards_table(kind, state, action, next_state):
    assert TABLE[kind][State(state)] is Action(action)
    assert NEXT_STATE[Action(action)] is next_state


def test_every_kind_has_an_action_in_every_state_but_closed():
    assert set(TABLE) == {*Kind, None}
    assert all(set(row) == set(State) - {S.CLOSED} for row in TABLE.values())
    assert set(NEXT_STATE) == set(Action)
    assert all(NEXT_STATE[action] is S.AWAITING_CLOSE for action in ABORTING)
