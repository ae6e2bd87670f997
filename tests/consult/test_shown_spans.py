"""Frame numbers as text: read, written, read again, they are the same; what is not among them is told as short."""

from hypothesis import given
from hypothesis import strategies as st

from consult.shown.spans import gaps_in, numbers_in, text_of

numbers = st.frozensets(st.integers(1, 200))


def test_neighbours_are_one_span():
    assert text_of([3, 1, 2, 7, 9, 8, 7]) == "1-3,7-9"
    assert text_of([5]) == "5"
    assert text_of([]) == ""


@given(numbers)
def test_what_was_written_is_read(some):
    assert numbers_in(text_of(some)) == some


@given(numbers, st.integers(1, 300))
def test_the_gaps_are_what_is_left(some, count):
    assert numbers_in(gaps_in(some, count)) == set(range(1, count + 1)) - some


def test_a_count_that_a_stranger_wrote_costs_nothing():
    assert gaps_in({2}, 2**31 - 1) == "1,3-2147483647"
