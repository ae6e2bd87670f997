"""C-FIND identifiers from strangers: whatever the bytes, they are understood or refused with an error of ours."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dimse.scp.find_identifier import BYTES, FIND_MODELS, extend, read_find
from gateway.dimse.scp.retrieve_identifier import LEVELS
from kernel.dicom.models import plain
from kernel.dicom.models.answer_encoder import encode
from kernel.errors import ExchangeError

EXPLICIT = "1.2.840.10008.1.2.1"
GOOD = encode(
    {
        "00080052": {"vr": "CS", "Value": ["STUDY"]},
        "00080020": {"vr": "DA", "Value": ["20261101-"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Nguyễn*"}]},
        "00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["S1"]}}]},
    },
    EXPLICIT,
)
VALUES = st.one_of(
    st.text(max_size=20).map(lambda text: {"vr": "LO", "Value": [text]}),
    st.text('0123456789-*?\\"', max_size=20).map(lambda text: {"vr": "DA", "Value": [text]}),
    st.sampled_from(["PN", "UI", "TM", "IS", "SQ", "OB", "CS", "DT"]).map(lambda vr: {"vr": vr}),
    st.just({"vr": "SQ", "Value": [{"00400275": {"vr": "SQ", "Value": [{}]}}]}),
)
TAGS = st.sampled_from(["00080020", "00080030", "00100010", "0020000D", "00400275", "00091001", "7FE00010", "00080201"])


@given(
    st.binary(max_size=len(GOOD)),
    st.integers(0, len(GOOD)),
    st.sampled_from(sorted(FIND_MODELS)),
    st.binary(max_size=9),
)
def test_bytes_that_are_no_identifier_are_refused_and_nothing_else(noise, at, model, extended):
    with suppress(ExchangeError):
        read_find(plain.read(GOOD[:at] + noise + GOOD[at + len(noise) :], EXPLICIT), FIND_MODELS[model], extended, 420)


@given(st.dictionaries(TAGS, VALUES), st.sampled_from(sorted(FIND_MODELS)), st.binary(max_size=9), st.data())
def test_keys_of_any_kind_are_understood_or_refused(keys, model, extended, data):
    root = FIND_MODELS[model]
    level = {"00080052": {"vr": "CS", "Value": [data.draw(st.sampled_from(LEVELS[root]))]}}
    with suppress(ExchangeError):
        request = read_find(keys | level, root, extended, 420)
        assert set(request.keys) <= {int(name, 16) for name in keys}


@pytest.mark.parametrize(
    ("proposed", "agreed"),
    [
        (b"", b""),
        (b"\0", b"\0"),
        (b"\1", b"\1"),
        (b"\1\1\1\1\1\1\1", b"\1\1\1\1\0\1\1"),
        (b"\1\1\1\1\1\1\1\1\1", b"\1\1\1\1\0\1\1"),
        (b"\2\xff", b"\0\0"),
    ],
)
def test_what_is_agreed_on_is_what_was_proposed_and_is_done_here(proposed, agreed):
    assert extend(proposed) == agreed
    assert len(BYTES) == 7
