"""The life of a job against a second transcription of its table, and the arithmetic of pauses."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.jobs import (
    FLOWING,
    RETRY_AFTER_MAX_S,
    SIGNAL_OF,
    SUSPECT_ATTEMPTS,
    SUSPECT_PAUSE_CAP_S,
    TRANSITIONS,
    Backoff,
    JobState,
    LaneFailure,
    Signal,
    after_failure,
    after_retry,
    next_batch_limit,
    next_state,
    states_before,
    suspect_pause_s,
)
from routing.transport import Cause

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BACKOFF = Backoff(base_s=2.0, cap_s=300.0)

# Written from the sentences of docs, not from the code: state, signal, state after.
SECOND_TRANSCRIPTION = """
    ready    is claimed by a worker                             -> running
    running  succeeded                                          -> done
    running  could not go on because its lane failed            -> ready
    running  was refused by the peer for good                   -> dead
    running  was found to need a person                         -> held
    running  lost its worker, its lease expired                 -> ready
    held     was released by a person                           -> ready
    dead     was retried by a person                            -> ready
"""
SIGNAL_WORDS = {
    "claimed": Signal.CLAIMED,
    "succeeded": Signal.SUCCEEDED,
    "lane failed": Signal.LANE_FAILED,
    "refused": Signal.REFUSED,
    "need a person": Signal.HOLD,
    "lease expired": Signal.LEASE_EXPIRED,
    "released": Signal.RELEASED,
    "retried": Signal.RETRIED,
}


def second_table() -> dict[tuple[JobState, Signal], JobState]:
    table = {}
    for line in filter(None, map(str.strip, SECOND_TRANSCRIPTION.splitlines())):
        sentence, after = line.split("->")
        (signal,) = [found for words, found in SIGNAL_WORDS.items() if words in sentence]
        table[JobState(sentence.split()[0]), signal] = JobState(after.strip())
    return table


def test_the_table_is_its_second_transcription():
    assert dict(TRANSITIONS) == second_table()


@pytest.mark.parametrize(("state", "signal"), sorted(set(product(JobState, Signal)) - set(second_table())))
def test_what_the_table_does_not_have_is_our_own_mistake(state, signal):
    with pytest.raises(AssertionError, match=f"a {state} job cannot be {signal}"):
        next_state(state, signal)


def test_a_person_can_bring_back_every_job_that_stopped():
    assert {state for state in (JobState.HELD, JobState.DEAD) if any(s == state for s, _ in TRANSITIONS)} == {
        JobState.HELD,
        JobState.DEAD,
    }
    assert states_before(Signal.RELEASED) == (JobState.HELD,)
    assert states_before(Signal.RETRIED) == (JobState.DEAD,)


def test_a_done_job_stays_done():
    assert not any(state is JobState.DONE for state, _ in TRANSITIONS)


def test_only_the_instances_own_faults_stop_its_job():
    stopping = {cause for cause, signal in SIGNAL_OF.items() if signal is Signal.REFUSED}

    assert stopping == {Cause.POISON, Cause.CONFLICT}
    assert set(SIGNAL_OF) == set(Cause)


def test_pauses_double_to_the_cap():
    longest = [BACKOFF.pause_s(failures, lambda: 1.0) for failures in range(1, 11)]

    assert longest == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@given(failures=st.integers(0, 10**9), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_has_full_jitter_and_is_never_over_the_cap(failures, chance):
    ceiling = BACKOFF.pause_s(failures, lambda: 1.0)

    assert 0 <= BACKOFF.pause_s(failures, lambda: chance) <= ceiling <= 300


@pytest.mark.parametrize("cause", [Cause.LINK, Cause.FULL])
def test_a_lane_that_failed_pauses_longer_each_time(cause):
    breaker, pauses = FLOWING, []

    for _ in range(3):
        breaker = after_failure(breaker, LaneFailure(cause), NOON, BACKOFF, lambda: 1.0)
        pauses.append(breaker.wait_s(NOON))

    assert pauses == [2, 4, 8]
    assert breaker.cause is cause
    assert not breaker.is_flowing


def test_a_lane_that_is_not_let_in_takes_the_longest_pause_at_once():
    breaker = after_failure(FLOWING, LaneFailure(Cause.AUTHENTICATION, "401"), NOON, BACKOFF, lambda: 0.0)

    assert breaker.wait_s(NOON) == 300
    assert breaker.status == "401"


@pytest.mark.parametrize(("asked_s", "pause_s"), [(1.0, 2.0), (90.0, 90.0), (1e9, RETRY_AFTER_MAX_S)])
def test_a_peer_may_ask_for_a_longer_pause_within_a_bound(asked_s, pause_s):
    failure = LaneFailure(Cause.FULL, "503", retry_after_s=asked_s)

    assert after_failure(FLOWING, failure, NOON, BACKOFF, lambda: 1.0).wait_s(NOON) == pause_s


def test_the_pause_runs_out():
    breaker = after_failure(FLOWING, LaneFailure(Cause.LINK), NOON, BACKOFF, lambda: 1.0)

    assert breaker.wait_s(NOON + timedelta(seconds=1)) == 1
    assert breaker.wait_s(NOON + timedelta(seconds=5)) == 0


def test_retry_by_a_person_lets_the_probe_go_at_once():
    broken = FLOWING
    for _ in range(9):
        broken = after_failure(broken, LaneFailure(Cause.LINK), NOON, BACKOFF, lambda: 1.0)

    retried = after_retry(broken, NOON)

    assert retried.wait_s(NOON) == 0
    assert retried.failures == 1
    assert after_retry(FLOWING, NOON) == FLOWING


def test_an_instance_that_keeps_losing_the_link_lets_others_pass_for_a_while():
    pauses = [suspect_pause_s(attempts, BACKOFF, lambda: 1.0) for attempts in (1, 2, SUSPECT_ATTEMPTS, 4, 50)]

    assert pauses == [0, 0, 2, 4, SUSPECT_PAUSE_CAP_S]


def test_batches_shrink_on_a_cut_and_grow_back():
    sizes = [16]
    for cut in (True, True, True, True, True, False, False):
        sizes.append(next_batch_limit(sizes[-1], 16, cut=cut))

    assert sizes == [16, 8, 4, 2, 1, 1, 2, 4]
    assert next_batch_limit(12, 16, cut=False) == 16
