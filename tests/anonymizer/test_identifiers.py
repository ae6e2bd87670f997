"""New identifiers: keyed, the same each time, valid, and readable over the telephone."""

import re
import uuid
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.pseudonyms.identifiers import (
    PSEUDONYM_CHARACTERS,
    SPOKEN,
    is_pseudonym,
    new_uid,
    pseudonym,
    shift_date,
    shift_days,
    spoken,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
A_UID = st.lists(st.integers(0, 10**12), min_size=2, max_size=5).map(
    lambda parts: ".".join(map(str, [1, *parts])).encode()
)


@given(A_UID)
def test_a_new_uid_is_a_uuid_under_2_25_and_never_longer_than_64_characters(uid):
    new = new_uid(KEY, uid)

    if uid.startswith(b"1.2.840.10008."):
        assert new == uid
        return
    assert re.fullmatch(rb"2\.25\.[1-9]\d{0,38}", new)
    assert uuid.UUID(int=int(new[5:])).version == 8
    assert uuid.UUID(int=int(new[5:])).variant == uuid.RFC_4122
    assert new == new_uid(KEY, uid)
    assert new != new_uid(OTHER_KEY, uid)


def test_known_uids_are_what_they_were_when_the_first_vault_was_filled():
    assert new_uid(KEY, b"1.2.3") == b"2.25.105400335252016561466391458592269831240"


def test_well_known_and_empty_uids_stay():
    assert new_uid(KEY, b"1.2.840.10008.5.1.4.1.1.2") == b"1.2.840.10008.5.1.4.1.1.2"
    assert new_uid(KEY, b"") == b""


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_pseudonym_has_three_groups_and_a_check_character(issuer, patient_id):
    text = pseudonym(KEY, issuer, patient_id)

    assert re.fullmatch(f"[{PSEUDONYM_CHARACTERS}]{{4}}(-[{PSEUDONYM_CHARACTERS}]{{4}}){{2}}", text)
    assert is_pseudonym(text)
    assert is_pseudonym(text.lower().replace("-", " "))


@given(st.text(max_size=10), st.integers(0, 11), st.sampled_from(PSEUDONYM_CHARACTERS))
def test_one_misheard_character_is_noticed(patient_id, position, heard):
    bare = pseudonym(KEY, "site", patient_id).replace("-", "")
    wrong = bare[:position] + heard + bare[position + 1 :]

    assert is_pseudonym(wrong) == (wrong == bare)


@given(st.text(max_size=10), st.integers(0, 10))
def test_two_neighbours_exchanged_are_noticed(patient_id, position):
    bare = pseudonym(KEY, "site", patient_id).replace("-", "")
    wrong = bare[:position] + bare[position + 1] + bare[position] + bare[position + 2 :]

    assert is_pseudonym(wrong) == (wrong == bare)


@given(st.text(max_size=10))
def test_a_pseudonym_that_is_read_out_is_understood_again(patient_id):
    token = pseudonym(KEY, "site", patient_id)
    heard = {word: character for character, word in SPOKEN.items()}

    bare = "".join(heard[word] for word in spoken(token.lower()).replace(",", "").split())

    assert len(heard) == len(PSEUDONYM_CHARACTERS)
    assert bare == token.replace("-", "")
    assert not set(PSEUDONYM_CHARACTERS) & set("01OILUZ")


def test_patients_of_two_issuers_are_two_patients_and_neither_is_joined_by_a_separator():
    assert pseudonym(KEY, "a", "1") != pseudonym(KEY, "b", "1")
    assert pseudonym(KEY, "a", "b1") != pseudonym(KEY, "ab", "1")


@given(st.text(max_size=10))
def test_dates_move_one_to_ten_years_back_by_the_same_for_one_patient(patient_id):
    days = shift_days(KEY, "site", patient_id)

    assert -3650 <= days <= -365
    assert days == shift_days(KEY, "site", patient_id)


@pytest.mark.parametrize(
    ("value", "shifted"),
    [
        (b"20240301", b"20240229"),
        (b"2024.03.01", b"20240229"),
        (b"20240301\\20240101 ", b"20240229\\20231231"),
        (b"20240301101530.5+0700", b"20240229101530.5+0700"),
        (b"00010101", None),
        (b"2024", None),
        (b"20241301", None),
        (b"", None),
        (b"Nguyen", None),
    ],
)
def test_a_date_is_moved_and_what_is_none_is_not_guessed(value, shifted):
    assert shift_date(value, -1) == shifted


@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.text(max_size=10)
)
def test_all_dates_of_a_patient_move_by_the_same_whole_days_and_never_by_none(one, other, patient_id):
    days = shift_days(KEY, "site", patient_id)

    moved = [shift_date(f"{day:%Y%m%d}".encode(), days) for day in (one, other)]

    back = [date(int(value[:4]), int(value[4:6]), int(value[6:])) for value in moved]
    assert (back[0] - back[1]) == (one - other)
    assert back[0] < one
