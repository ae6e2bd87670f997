"""What a peer's refusal means, as an operator reads it: PS3.4 table B.2-1, PS3.7 annex C and PS3.18 table I.2-2."""

import pytest

from gateway.refusals import told, told_query
from routing.tables import DETAIL_CHARACTERS

CANNOT_UNDERSTAND = ": it cannot understand the data set"


@pytest.mark.parametrize(
    ("statuses", "begins", "look_at"),
    [
        ([0xC000], f"{CANNOT_UNDERSTAND};", "its log, and whether others can read the file"),
        ([0xC001, 0xC0FF, 0xC123, 0xCFFF], f"{CANNOT_UNDERSTAND}, or has a reason of its own;", "its log"),
        ([0xC122], ": it does not take this transfer syntax", ""),
        ([0xA700, 0xA7FF], ": it has no room now", "its disk"),
        ([0xA900, 0xA9FF], ": the data set does not match its SOP class", "its Patient ID and UIDs"),
        ([0x0110], ": something failed there", "its log"),
        ([0x0111], ": it has another instance under this SOP Instance UID", ""),
        ([0x0117], ": it takes the SOP Instance UID for none", "whether it is well-formed"),
        ([0x0122], ": it does not store this SOP class", "what it may take"),
        ([0x0124], ": it does not let this caller store", "what the caller may do"),
        ([0x0211], ": it knows no C-STORE", "host, port and AE title"),
    ],
)
def test_a_refusal_is_told_with_what_to_look_at(statuses, begins, look_at):
    for status in statuses:
        assert told(status).startswith(begins)
        assert told(status).endswith(look_at)
        assert len(told(status)) < DETAIL_CHARACTERS - 100


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xD000, 0xA801, 0xFFFF, 0x1C000, -1, 1 << 200])
def test_nothing_is_made_up_about_what_is_no_refusal_of_the_standard(status):
    assert told(status) == ""


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ([0xA700, 0xA7FF], "it is out of resources now"),
        ([0xA701], "it finds too many; ask for less"),
        ([0xA702], "it cannot send them; look at its log, and whether it reaches the receiver"),
        ([0xA801], "it does not know the AE title that it shall send to; enter it there"),
        ([0xA900, 0xA9FF], "it does not take these keys at this level"),
        ([0xC000, 0xC001, 0xCFFF], "it cannot process the query; look at its log"),
        ([0xB000], "it could not send some of them; look at its log, and at the receiver's"),
        ([0x0110], "something failed there; look at its log"),
        ([0x0122], "it does not offer this query; look there at what it offers"),
        ([0x0124], "it does not let this caller ask; look there at what the caller may do"),
    ],
)
def test_a_query_or_retrieval_that_is_refused_is_told_with_what_to_look_at(statuses, words):
    assert {told_query(status) for status in statuses} == {f": {words}"}


@pytest.mark.parametrize("status", [0x0000, 0xFF00, 0xFE00, 0xB001, 0xD000])
def test_nothing_is_made_up_about_a_query_either(status):
    assert told_query(status) == ""
