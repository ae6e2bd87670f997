"""Properties of the upper layer: what is written is read back; hostile bytes never crash it; splitting changes nothing."""

import contextlib
from dataclasses import astuple, replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_items import PresentationContextItemRQ

from gateway.dimse.listening.negotiation import Policy, negotiate
from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.upper_layer import commands, pdu, user_items, wire
from gateway.dimse.upper_layer.acceptor import Acceptor
from gateway.dimse.upper_layer.indications import Fragment, ReleaseRequested, Requested
from gateway.dimse.upper_layer.pdu import AssociateAccept, AssociateRequest, BadPDU, Kind
from gateway.dimse.upper_layer.states import State
from gateway.peers import SERVICES, Source
from tests.dimse import scripts


def hear(acceptor: Acceptor, data: bytes):
    """Feed bytes and answer as a service would; return the events, fragments joined, and what was sent."""
    events = []
    for event in acceptor.receive(memoryview(data)):
        match event:
            case Requested(request):
                try:
                    acceptor.accept(scripts.accept_all(request))
                except IndexError:
                    acceptor.reject(pdu.AssociateReject(1, 1, 1))
                events.append(event)
            case ReleaseRequested():
                acceptor.release()
                events.append(event)
            case Fragment(piece):
                events.append(bytes(piece))
            case _:
                events.append(event)
    return events


def joined(events):
    out = []
    for event in events:
        if isinstance(event, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += event
        else:
            out.append(event)
    return out


@given(scripts.pdus)
def test_every_pdu_is_read_back_as_it_was_written(value):
    data = wire.encode(value)

    assert len(data) == 6 + int.from_bytes(data[2:6], "big")
    assert wire.decode(Kind(data[0]), data[6:]) == value


@given(st.one_of(scripts.requests, scripts.accepts))
def test_pynetdicom_reads_and_writes_association_pdus_as_we_do(value):
    value = replace(value, user=scripts.USER)
    theirs = A_ASSOCIATE_RQ() if isinstance(value, AssociateRequest) else A_ASSOCIATE_AC()
    theirs.decode(wire.encode(value))

    told = [(item.context_id, *_of_context(item)) for item in theirs.presentation_context]

    assert told == [astuple(context) for context in value.contexts]
    assert wire.decode(Kind(theirs.pdu_type), theirs.encode()[6:]) == value


def _of_context(item) -> tuple:
    if isinstance(item, PresentationContextItemRQ):
        return item.abstract_syntax, tuple(item.transfer_syntax)
    return item.result, item.transfer_syntax


@pytest.mark.parametrize("title", [b"MODALITY\0\0\0\0\0\0\0\0", b"  MODALITY \0\0\0\0\0"])
def test_titles_may_be_padded_with_anything_empty(title):
    data = wire.encode(scripts.an_associate_request(calling_ae_title="X" * 16)).replace(b"X" * 16, title)

    assert wire.decode(Kind.ASSOCIATE_RQ, data[6:]).calling_ae_title == "MODALITY"


@pytest.mark.parametrize("title", [b" " * 16, b"\0" * 16, b"A\\B".ljust(16), b"A\nB".ljust(16), "É".encode().ljust(16)])
def test_titles_that_are_none_are_refused(title):
    data = wire.encode(scripts.an_associate_request(calling_ae_title="X" * 16)).replace(b"X" * 16, title)

    with pytest.raises(BadPDU):
        wire.decode(Kind.ASSOCIATE_RQ, data[6:])


def test_items_that_nobody_knows_and_reserved_fields_are_passed_over():
    request = scripts.an_associate_request()
    data = wire.encode(request)[6:]

    noisy = data[:36] + b"\xff" * 32 + user_items.item(0x7F, b"\xff" * 9) + data[68:]

    assert wire.decode(Kind.ASSOCIATE_RQ, noisy) == request


@given(scripts.command_sets)
def test_every_command_set_is_read_back_as_it_was_written(command):
    assert commands.decode(commands.encode(command)) == command


@given(scripts.command_sets, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_command_set_is_refused_or_read_and_nothing_else(command, damage):
    data = bytearray(commands.encode(command))
    for position, value in damage:
        data[position % len(data)] = value

    with contextlib.suppress(commands.BadCommand):
        commands.decode(data)


@given(st.sampled_from(Kind).filter(lambda kind: kind is not Kind.P_DATA), st.binary(max_size=400))
def test_no_body_does_more_to_the_decoder_than_be_refused(kind, body):
    with contextlib.suppress(BadPDU):
        wire.decode(kind, body)


@given(
    st.one_of(scripts.requests, scripts.accepts),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_association_pdu_is_refused_or_read_and_nothing_else(value, damage):
    data = bytearray(wire.encode(value))
    for position, byte in damage:
        data[6 + position % (len(data) - 6)] = byte

    try:
        again = wire.decode(Kind(data[0]), bytes(data[6:]))
    except BadPDU:
        return
    assert type(again) is type(value)


@given(st.binary(max_size=400))
@example(b"\x04\0\0\0\0\x06\0\0\0\2\1\3")
def test_no_first_bytes_crash_an_association(data):
    hear(Acceptor(), data)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6), scripts.conversations)
def test_no_damaged_conversation_crashes_an_association(damage, conversation):
    data = bytearray(conversation)
    for position, byte in damage:
        data[position % len(data)] = byte
    acceptor = Acceptor()

    hear(acceptor, bytes(data))

    assert acceptor.state in State


@given(scripts.conversations, st.lists(st.integers(1, 4000), max_size=30))
def test_the_same_bytes_give_the_same_events_however_they_are_split(conversation, cuts):
    whole, split = Acceptor(), Acceptor()

    at_once = hear(whole, conversation)
    in_pieces, start = [], 0
    for cut in [*sorted({cut % (len(conversation) + 1) for cut in cuts}), len(conversation)]:
        in_pieces += hear(split, conversation[start:cut])
        start = cut

    assert joined(in_pieces) == joined(at_once)
    assert split.outgoing() == whole.outgoing()
    assert split.state is whole.state


@given(scripts.conversations)
def test_bytes_one_by_one_give_the_same_events(conversation):
    assume(len(conversation) < 2000)
    whole, split = Acceptor(), Acceptor()

    at_once = hear(whole, conversation)
    one_by_one = [event for byte in conversation for event in hear(split, bytes((byte,)))]

    assert joined(one_by_one) == joined(at_once)
    assert split.outgoing() == whole.outgoing()


@given(st.binary(max_size=3000), st.integers(7, 500), st.sampled_from([0, 1, 7, 64, 16384]))
def test_a_response_is_cut_into_pdus_that_the_peer_takes(data_set, fragment_bytes, limit):
    acceptor = Acceptor()
    request = scripts.an_associate_request(user=pdu.UserInformation(limit, "1.2.3"))
    hear(acceptor, wire.encode(request))
    acceptor.outgoing()

    acceptor.send(acceptor.contexts[3], scripts.a_store_request())
    sent = acceptor.outgoing() + b"".join(h + v for h, v in acceptor.cut(acceptor.contexts[3], (data_set,)))

    position, parts = 0, {0: b"", 1: b""}
    while position < len(sent):
        length = int.from_bytes(sent[position + 2 : position + 6], "big")
        assert length <= max(limit or 131072, 7)
        assert int.from_bytes(sent[position + 6 : position + 10], "big") == length - 4
        parts[sent[position + 11] & 1] += sent[position + 12 : position + 6 + length]
        position += 6 + length
    assert commands.decode(parts[1]) == scripts.a_store_request()
    assert parts[0] == data_set


@given(scripts.users, st.data())
def test_unknown_sub_items_are_passed_over_wherever_they_stand(user, data):
    known = list(user_items.items(user_items.encode(user)))
    unknown = data.draw(st.lists(st.tuples(st.integers(0x5A, 0xFF), st.binary(max_size=9)), max_size=4))
    order = data.draw(st.permutations([*range(len(unknown))]))
    mixed = known[:2] + [unknown[number] for number in order] + known[2:]

    assert user_items.decode(b"".join(user_items.item(kind, value) for kind, value in mixed)) == user


@given(
    scripts.users, st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), min_size=1, max_size=6), st.booleans()
)
def test_damaged_user_information_is_refused_or_read_and_nothing_else(user, damage, cut):
    encoded = bytearray(user_items.encode(user))
    for position, value in damage:
        encoded[position % len(encoded)] = value
    if cut:
        del encoded[damage[0][0] % len(encoded) :]

    with contextlib.suppress(BadPDU):
        user_items.decode(bytes(encoded))


@given(st.binary(max_size=300))
def test_no_bytes_do_more_to_user_information_than_be_refused(body):
    with contextlib.suppress(BadPDU):
        user_items.decode(body)


@given(scripts.requests)
def test_every_request_is_answered_with_no_more_than_it_proposed(request):
    offers = an_offer_of_everything()
    given_ = negotiate(request, Policy("NODE", check_called_ae_title=False, pdu_bytes_max=1), offers, EVERYBODY)

    assert isinstance(given_, AssociateAccept)
    assert [one.context_id for one in given_.contexts] == [one.context_id for one in request.contexts]
    proposed = {role.sop_class_uid: role for role in request.user.roles}
    for role in given_.user.roles:
        asked = proposed[role.sop_class_uid]
        assert role.scu <= asked.scu
        assert role.scp <= asked.scp
    asked_for = {one.sop_class_uid for one in request.user.extended}
    assert {one.sop_class_uid for one in given_.user.extended} <= asked_for
    assert (given_.user.operations is None) == (request.user.operations is None)
    assert wire.decode(Kind.ASSOCIATE_AC, wire.encode(given_)[6:]) == given_


EVERYBODY = Source("", "BVA", services=SERVICES)


def an_offer_of_everything() -> Offers:
    class Everything(Offers):
        def of(self, abstract_syntax):
            del abstract_syntax
            return self.storage

    storage = Offer("store", {}, EVERY_SYNTAX, requestor_may_be_scp=True, extend=lambda asked: asked[:5])
    return Everything({}, storage, private_storage=True)


class _EverySyntax:
    def __contains__(self, uid):
        return len(uid) % 2 == 0


EVERY_SYNTAX = _EverySyntax()


def test_very_many_items_are_refused_before_objects_are_made_of_them():
    many = user_items.item(0x99, b"") * (pdu.ITEMS_MAX + 1)

    with pytest.raises(BadPDU, match="more than"):
        user_items.decode(user_items.encode(scripts.USER) + many)
