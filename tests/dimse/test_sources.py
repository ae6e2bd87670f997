"""What a source may do and how much of it: refused callers, refused contexts, places, turns and speed."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from gateway.dimse.listening import pace
from gateway.dimse.listening.pace import Pace
from gateway.dimse.listening.places import Places
from gateway.dimse.listening.waiting import Waiting, most_waiting
from gateway.dimse.scp import store_scp
from gateway.dimse.scp.commitment_messages import COMMITMENT_CLASS, COMMITMENT_INSTANCE, write_request
from gateway.dimse.scp.find_identifier import FIND_MODELS
from gateway.dimse.scp.mpps_scp import MODALITY_PERFORMED_PROCEDURE_STEP
from gateway.dimse.upper_layer import pdu, wire
from gateway.dimse.upper_layer.pdu import AssociateAccept, AssociateReject, ContextResult, ProposedContext, Role
from gateway.peers import Source
from gateway.status import NOT_AUTHORISED
from kernel.archive.blobs.stage import HEAD_BYTES
from kernel.archive.commitment.requests import Reference
from kernel.clock import ManualClock
from kernel.config import DimseConfig
from tests.dimse import scripts
from tests.dimse.conftest import PATIENCE_S, Node, Peer
from tests.dimse.test_processes import start_processes  # noqa: F401 (a fixture)
from tests.support.builders import a_ct, a_ct_series, as_dataset_bytes
from tests.support.nodes import wait_until

CALLING, CALLED, LOCAL_LIMIT = AssociateReject(1, 1, 3), AssociateReject(1, 1, 7), AssociateReject(2, 3, 2)
ACCEPTED = ContextResult.ACCEPTANCE
MR = "1.2.840.10008.5.1.4.1.1.4"


# --- who is refused, and with which reason (PS3.8 9.3.4) --------------------------------------------------------------


@pytest.mark.parametrize(
    ("calling", "called", "address", "answer"),
    [
        ("CT1", "VIENANH", "127.0.0.1", None),
        ("CT2", "VIENANH", "127.0.0.1", CALLING),
        ("CT1", "OTHER", "127.0.0.1", CALLED),
        ("CT1", "VIENANH", "10.0.0.1", CALLING),
    ],
)
def test_a_caller_that_no_table_fits_is_told_which_title_is_wrong(start_node, calling, called, address, answer):
    table = {"name": "ct", "calling": "CT1", "called": "VIENANH", "address": address}
    node = start_node(sources=[table], accept_unknown_callers=False)

    given = node.answers(calling_ae_title=calling, called_ae_title=called)

    assert given == answer if answer else isinstance(given, AssociateAccept)


def test_contexts_that_a_source_may_not_use_are_rejected_one_by_one(start_node):
    node = start_node(sources=[{"name": "ct", "services": ["store"], "sop_classes": "CT Image Storage"}])
    contexts = (
        ProposedContext(1, scripts.VERIFICATION, (scripts.IMPLICIT,)),
        ProposedContext(3, scripts.CT, (scripts.EXPLICIT,)),
        ProposedContext(5, MR, (scripts.EXPLICIT,)),
    )

    answer = node.answers(contexts=contexts)

    accepted, rejected = ContextResult.ACCEPTANCE, ContextResult.USER_REJECTION
    assert [context.result for context in answer.contexts] == [accepted, accepted, rejected]


def test_a_caller_without_a_table_may_store_and_nothing_else(start_node):
    node = start_node(unknown_caller_services=DimseConfig().unknown_caller_services)
    uids = (scripts.VERIFICATION, scripts.CT, COMMITMENT_CLASS, MODALITY_PERFORMED_PROCEDURE_STEP, *FIND_MODELS)
    contexts = tuple(ProposedContext(2 * n + 1, uid, (scripts.IMPLICIT,)) for n, uid in enumerate(uids))

    answer = node.answers(contexts=contexts)

    accepted = {uid for uid, given in zip(uids, answer.contexts, strict=True) if given.result is ACCEPTED}
    assert accepted == {scripts.VERIFICATION, scripts.CT}


def test_anybody_may_report_a_commitment_and_only_sources_ask_for_one(start_node):
    node = start_node(unknown_caller_services=("store",))
    contexts = (ProposedContext(1, COMMITMENT_CLASS, (scripts.IMPLICIT,)),)
    user = pdu.UserInformation(16384, "1.2", roles=(Role(COMMITMENT_CLASS, scu=True, scp=True),))
    command = {
        "CommandField": 0x0130,
        "MessageID": 1,
        "RequestedSOPClassUID": COMMITMENT_CLASS,
        "RequestedSOPInstanceUID": COMMITMENT_INSTANCE,
        "ActionTypeID": 1,
        "CommandDataSetType": 1,
    }
    asked = write_request("1.2.3", [Reference(scripts.CT, "1.2.4")], scripts.IMPLICIT)

    with node.call(contexts=contexts, user=user) as peer:
        assert peer.answer.user.roles == (Role(COMMITMENT_CLASS, scu=False, scp=True),)
        peer.say(scripts.a_message(command, asked, context_id=1))
        assert peer.hear_response()["Status"] == NOT_AUTHORISED
        peer.releases()


def test_who_may_get_and_not_store_is_scp_of_storage_only(start_node):
    node = start_node(sources=[{"name": "viewer", "services": ["get"]}])
    contexts = (ProposedContext(1, scripts.CT, (scripts.EXPLICIT,)), ProposedContext(3, MR, (scripts.EXPLICIT,)))
    user = pdu.UserInformation(0, "1.2", roles=(Role(scripts.CT, scu=True, scp=True),))

    answer = node.answers(contexts=contexts, user=user)

    assert [context.result for context in answer.contexts] == [ContextResult.ACCEPTANCE, ContextResult.USER_REJECTION]
    assert answer.user.roles == (Role(scripts.CT, scu=False, scp=True),)


@pytest.mark.parametrize(
    "limits", [{"sop_classes": "MR Image Storage", "services": ["store", "get"]}, {"modalities": ["MR", "SR"]}]
)
def test_what_a_source_may_not_store_is_not_authorised_and_not_kept(start_node, limits):
    node = start_node(sources=[{"name": "mr", **limits}])
    user = pdu.UserInformation(16384, "1.2.3.4", roles=(Role(scripts.CT, scu=True, scp=True),))
    ds = a_ct()

    with node.call(user=user) as peer:
        assert peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0x0124
        peer.releases()

    assert node.instances() == []
    assert node.incoming() == []


def test_a_modality_behind_a_long_header_is_looked_at_too(start_node):
    node = start_node(sources=[{"name": "mr", "modalities": ["MR"]}])
    ds = a_ct()
    ds.add_new(0x00080001, "UN", b"\0" * (HEAD_BYTES + 1000))  # stands before the modality

    with node.call() as peer:
        assert peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0x0124
        peer.releases()

    assert node.instances() == []
    assert node.incoming() == []


def test_a_modality_that_a_source_may_store_is_taken(start_node):
    node = start_node(sources=[{"name": "ct", "modalities": ["CT"]}])
    ds = a_ct()

    with node.call() as peer:
        assert peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0


# --- places -----------------------------------------------------------------------------------------------------------


def test_a_source_has_its_places_and_others_theirs(start_node):
    node = start_node(
        sources=[{"name": "ct", "calling": "CT", "associations_max": 2}, {"name": "us", "calling": "US"}],
        source_associations_max=1,
    )

    with ExitStack() as stack:
        peers = [stack.enter_context(node.call(calling_ae_title=title)) for title in ("CT", "CT", "CT", "US", "US")]
        answers = [peer.answer for peer in peers]
        peers[0].releases()
        assert peers[0].hear() is None  # closed: its place is free
        again = stack.enter_context(node.call(calling_ae_title="CT"))

    assert [isinstance(answer, AssociateAccept) for answer in answers] == [True, True, False, True, False]
    assert answers[2] == answers[4] == LOCAL_LIMIT
    assert isinstance(again.answer, AssociateAccept)


def test_an_address_that_only_connects_leaves_room_for_those_that_associate(start_node):
    node = start_node(associations_max=40)
    most = most_waiting(40, 1)
    assert most < 40

    with ExitStack() as stack:
        standing = [stack.enter_context(node.call()) for _ in range(most + 2)]  # these wait no more
        silent = [stack.enter_context(Peer(node.port)) for _ in range(most + 1)]
        assert [peer.answer.__class__ for peer in standing] == [AssociateAccept] * (most + 2)
        assert silent[-1].hear() is None  # closed at once

        silent[0].say(wire.encode(scripts.an_associate_request()))  # the others still may, each in its time
        assert isinstance(silent[0].hear(), AssociateAccept)
        assert isinstance(stack.enter_context(node.call()).answer, AssociateAccept)


def test_those_who_wait_are_counted_by_address_and_of_ipv6_by_network():
    waiting = Waiting(2)
    of_one_network = [
        waiting.enter(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db9::1")
    ]
    assert [one is not None for one in of_one_network] == [True, True, False, True]
    leave = [waiting.enter(address) for address in ("10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2")]
    assert [one is not None for one in leave] == [True, True, False, True]

    leave[0]()
    leave[0]()

    assert waiting.enter("10.0.0.1") is not None
    assert waiting.enter("10.0.0.1") is None


@pytest.mark.parametrize(("associations", "processes", "most"), [(64, 1, 16), (64, 2, 8), (8, 1, 8), (400, 3, 33)])
def test_an_address_has_a_quarter_of_the_places_to_wait_in(associations, processes, most):
    assert most_waiting(associations, processes) == most


def test_places_are_counted_over_all_processes(start_processes):  # noqa: F811 (the fixture)
    node = start_processes(processes=2, source_associations_max=3)

    with ExitStack() as stack:
        answers = [stack.enter_context(node.call()).answer for _ in range(5)]

    assert [isinstance(answer, AssociateAccept) for answer in answers] == [True] * 3 + [False] * 2


def test_a_place_is_free_again_when_it_is_left(tmp_path):
    places = Places(tmp_path / "places")

    taken = [places.take(name, 2) for name in ("a", "a", "a", "b")]
    taken[0].leave()
    again = places.take("a", 2)

    assert [place is not None for place in taken] == [True, True, False, True]
    assert again is not None
    for place in (taken[1], taken[3], again):
        place.leave()


# --- turns ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def flooded(start_node, monkeypatch) -> Iterator[tuple[Node, threading.Event, list[str]]]:
    """Give a node whose archive does not come to an end with what `FLOOD` sends until the event is set."""
    node = start_node(
        sources=[{"name": "flood", "calling": "FLOOD", "instances_max": 2}, {"name": "quiet", "calling": "QUIET"}]
    )
    opened, inside = threading.Event(), list[str]()
    finish = store_scp._Store._finished

    def slowly(self):
        inside.append(self._session.source.name)
        if self._session.source.name == "flood":
            assert opened.wait(PATIENCE_S)
        return finish(self)

    monkeypatch.setattr(store_scp._Store, "_finished", slowly)
    yield node, opened, inside
    opened.set()


def test_a_flooding_source_waits_for_its_turns_while_a_quiet_one_is_served(flooded):
    node, opened, inside = flooded

    slices = list(a_ct_series(22))

    def flood(number: int) -> int:
        ds = slices[number]
        with node.call(calling_ae_title="FLOOD") as peer:
            status = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"]
            peer.releases()
        return status

    with ThreadPoolExecutor(12) as pool:
        flooding = pool.map(flood, range(12))
        with node.call(calling_ae_title="QUIET") as quiet:
            for ds in slices[12:]:
                assert quiet.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0
            quiet.releases()
        while_flooded = list(inside)
        opened.set()
        statuses = list(flooding)

    assert while_flooded.count("quiet") == 10
    assert while_flooded.count("flood") <= 2
    assert statuses == [0] * 12
    assert len(node.instances()) == 22


def test_an_instance_whose_turn_does_not_come_may_be_sent_again(start_node):
    node = start_node(sources=[{"name": "ct", "instances_max": 1}])
    node.listener._desk.paces.of(Source("ct", "BVA", instances_max=1))._wait_s = 0.1
    content = as_dataset_bytes(a_ct())

    with node.call() as first, node.call() as second:
        first.say(scripts.a_message(scripts.a_store_request(), content)[:-40])
        wait_until(lambda: len(node.incoming()) == 1)
        answer = second.stores(content)

    assert answer["Status"] == 0xA700


def test_turns_come_back_when_senders_vanish(start_node):
    node = start_node(sources=[{"name": "ct", "instances_max": 1}])
    ds = a_ct()
    message = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))

    for _ in range(3):
        with node.call() as peer:
            peer.say(message[:-100])
    with node.call() as peer:
        assert peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0


def test_a_sender_that_lets_an_instance_trickle_is_aborted_and_its_turn_is_free(start_node, monkeypatch):
    monkeypatch.setattr(pace, "TRICKLE_S", 0.3)
    node = start_node(sources=[{"name": "ct", "instances_max": 1}])
    ds = a_ct()
    message = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))
    ended = threading.Event()

    def trickle(peer) -> None:
        with contextlib.suppress(OSError):
            for byte in message[400:]:
                peer.say(bytes((byte,)))
                if ended.wait(0.02):
                    return

    with node.call() as slow:
        slow.say(message[:400])
        dripping = threading.Thread(target=trickle, args=(slow,))
        dripping.start()
        answer = slow.hear()
        ended.set()
        dripping.join(PATIENCE_S)
    with node.call() as peer:
        status = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"]

    assert answer == pdu.Abort(2, 0)
    assert status == 0


# --- speed ------------------------------------------------------------------------------------------------------------


def test_bytes_beyond_the_agreed_speed_are_waited_for():
    clock = ManualClock()
    agreed = Pace(clock, bytes_per_second=1000)

    assert agreed.delay_s(1000) == 0  # a second's worth may come at once
    assert agreed.delay_s(500) == pytest.approx(0.5)
    clock.advance(0.5)
    assert agreed.delay_s(100) == pytest.approx(0.1)
    clock.advance(60)
    assert agreed.delay_s(1500) == pytest.approx(0.5)  # what was not used long ago does not count


def test_a_source_is_read_from_no_faster_than_agreed(start_node):
    node = start_node(sources=[{"name": "ct", "bytes_per_second": 1_000_000}])
    clock = node.listener._clock
    ds = a_ct(Rows=1024, Columns=1024, PixelData=bytes(2 << 20))
    content = as_dataset_bytes(ds, ExplicitVRLittleEndian)

    begun_s = clock.monotonic_s()
    with node.call() as peer:
        assert peer.stores(content, sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0
        peer.releases()

    assert clock.monotonic_s() - begun_s > 0.9
