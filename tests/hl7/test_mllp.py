"""Framing and the listener: every cut of the bytes gives the same messages, and every bound is reached."""

import contextlib
import time

import hl7
import pytest
from hl7.client import MLLPClient
from hypothesis import given
from hypothesis import strategies as st

from gateway.hl7.mllp import Deframer, framed
from kernel.errors import InvalidConfiguration, InvalidRequest, LimitExceeded
from tests.hl7.conftest import an_orm

MESSAGES = st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\x1c", b"")), max_size=5)


@given(MESSAGES, st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_messages_are_found_however_the_bytes_are_cut(messages: list[bytes], cuts: list[int]):
    data = b"".join(map(framed, messages))
    deframer, found, position, turn = Deframer(100), [], 0, 0

    while position < len(data):
        found += deframer.receive(data[position : position + cuts[turn % len(cuts)]])
        position, turn = position + cuts[turn % len(cuts)], turn + 1

    assert found == messages
    assert not deframer.inside


@given(st.binary(max_size=200))
def test_random_bytes_give_messages_or_a_refusal_and_keep_the_bound(data: bytes):
    with contextlib.suppress(LimitExceeded, InvalidRequest):
        assert all(len(message) <= 20 for message in Deframer(20).receive(data))


def test_many_small_messages_at_once_take_time_in_proportion():
    count, begun_s = 1_000_000, time.process_time()

    assert len(Deframer(10).receive(framed(b"x") * count)) == count

    assert time.process_time() - begun_s < 20.0  # a copy of the rest for each message took many minutes


def test_a_message_over_its_bound_is_refused_before_it_ends():
    deframer = Deframer(10)
    deframer.receive(b"\x0b" + b"x" * 10)

    with pytest.raises(LimitExceeded, match=r"hl7\.message_bytes_max exceeded: 11 is more than 10"):
        deframer.receive(b"x")


def test_another_programs_client_sends_an_order_and_reads_the_acknowledgement(start_listener):
    listener, desk = start_listener()

    with MLLPClient("127.0.0.1", listener.port, encoding="utf-8") as client:
        answer = hl7.parse(client.send_message(hl7.parse(an_orm())).decode())

    assert str(answer.segment("MSA")) == "MSA|AA|MSG0001"
    assert [one.step.patient_name for one in desk.listed(None)] == ["Nguyễn^Thị^Hương"]


def test_several_messages_in_one_connection_are_answered_in_order(start_listener, call):
    listener, _ = start_listener()
    sender = call(listener)

    answers = [sender.sends(an_orm(control_id=f"M{n}", accession=f"A{n}", study=f"1.2.{n}")) for n in range(3)]

    assert [b"MSA|AA|M%d\r" % n in answer for n, answer in enumerate(answers)] == [True, True, True]


def test_a_sender_that_takes_too_long_over_a_message_is_dropped(start_listener, call):
    listener, _ = start_listener(message_timeout_s=0.2)
    sender = call(listener)

    sender.says(b"\x0bMSH|")

    assert sender.hears() == b""


def test_a_silent_connection_is_dropped(start_listener, call):
    listener, _ = start_listener(idle_timeout_s=0.2)

    assert call(listener).hears() == b""


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x0b" + b"x" * 65], ids=["not MLLP", "too long"])
def test_what_is_no_message_ends_the_connection(start_listener, call, data: bytes):
    listener, _ = start_listener(message_bytes_max=64)
    sender = call(listener)

    sender.says(data)

    assert sender.hears() == b""


def test_more_connections_than_allowed_are_closed(start_listener, call):
    listener, _ = start_listener(connections_max=1)
    first = call(listener)
    assert b"MSA|AA" in first.sends(an_orm())

    assert call(listener).hears() == b""


def test_an_address_that_the_configuration_does_not_name_is_closed(start_listener, call):
    listener, desk = start_listener(address=("10.0.0.0/8",))

    assert call(listener).hears() == b""
    assert desk.listed(None) == []


def test_an_address_that_is_none_is_told_at_the_start(start_listener):
    with pytest.raises(InvalidConfiguration, match="hl7: address: must be addresses or networks"):
        start_listener(address=("nowhere",))
