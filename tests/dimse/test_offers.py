"""The table of offers as the services of a node use it: many responses, cancel, requests to the peer, extensions."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import build_role, evt
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
)

from gateway.dimse.listening.conversation import NESTED_MAX
from gateway.dimse.scp.offer import Offer
from gateway.dimse.scp.services import REPLY_BYTES_MAX, PeerGone, Response, Session, int_of, response
from gateway.dimse.upper_layer import pdu, wire
from gateway.dimse.upper_layer.commands import NO_DATA_SET, Field
from gateway.dimse.upper_layer.indications import Command
from tests.dimse import scripts
from tests.dimse.conftest import PATIENCE_S
from tests.support.builders import a_ct, as_dataset_bytes
from tests.support.entities import an_entity

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
GET = "1.2.840.10008.5.1.4.1.2.2.3"
COMMIT = "1.2.840.10008.1.20.1"
PENDING = 0xFF00


@dataclass
class Scripted:
    """A service that answers as the test says."""

    answer: Callable[[Session, Command], Iterable[Response]]
    ended: threading.Event = field(default_factory=threading.Event)
    raised: list[BaseException] = field(default_factory=list)

    def begin(self, session: Session, message: Command) -> Any:
        return _Request(self, session, message)


@dataclass
class _Request:
    service: Scripted
    session: Session
    message: Command

    def write(self, data: memoryview) -> None:
        pass

    def finish(self) -> Iterable[Response]:
        try:
            yield from self.service.answer(self.session, self.message)
        except BaseException as error:
            self.service.raised.append(error)
            raise
        finally:
            self.service.ended.set()

    def discard(self) -> None:
        pass


def a_match(number: int) -> bytes:
    ds = Dataset()
    ds.QueryRetrieveLevel = "STUDY"
    ds.StudyID = str(number)
    return encode(ds, is_implicit_vr=True, is_little_endian=True)


def until_cancelled(session: Session, message: Command) -> Iterable[Response]:
    number = 0
    while not session.is_cancelled(int_of(message.command, "MessageID")):
        number += 1
        yield response(message, PENDING), a_match(number)
    yield response(message, 0xFE00), None


def associate(node, *contexts: tuple[str, str], **others):
    entity = an_entity("PYNET")
    for abstract_syntax, transfer_syntax in contexts:
        entity.add_requested_context(abstract_syntax, transfer_syntax)
    association = entity.associate("127.0.0.1", node.port, **others)
    assert association.is_established
    return association


def a_query() -> Dataset:
    ds = Dataset()
    ds.QueryRetrieveLevel = "STUDY"
    ds.StudyID = ""
    return ds


# --- many responses ---------------------------------------------------------------------------------------------------


def test_every_response_is_sent_before_the_next_is_made_until_the_peer_cancels(start_node):
    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: Scripted(until_cancelled)})})
    association = associate(node, (FIND, ImplicitVRLittleEndian))

    statuses, matches = [], []
    for status, match in association.send_c_find(a_query(), FIND, msg_id=7):
        statuses.append(status.Status)
        if match is not None:
            matches.append(match.StudyID)
        if len(matches) == 3:
            association.send_c_cancel(7, query_model=FIND)
    association.release()

    assert matches[:3] == ["1", "2", "3"]
    assert statuses[-1] == 0xFE00
    assert set(statuses[:-1]) == {PENDING}


def test_a_cancel_in_the_same_segment_as_its_request_is_seen(start_node):
    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: Scripted(until_cancelled)})})

    with node.call(contexts=(pdu.ProposedContext(1, FIND, (scripts.IMPLICIT,)),)) as peer:
        peer.say(a_find_request(5) + a_cancel(5))
        answer = peer.hear_response()

    assert (answer["Status"], answer["MessageIDBeingRespondedTo"]) == (0xFE00, 5)


def test_a_cancel_of_another_request_or_of_one_that_is_over_changes_nothing(start_node):
    def two(session, message):
        yield response(message, PENDING), a_match(1)
        assert not session.is_cancelled(int_of(message.command, "MessageID"))
        yield response(message, 0), None

    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: Scripted(two)})})

    with node.call(contexts=(pdu.ProposedContext(1, FIND, (scripts.IMPLICIT,)),)) as peer:
        peer.say(a_cancel(5) + a_find_request(5) + a_cancel(4))
        found = [peer.hear_response(), peer.hear(), peer.hear_response()]
        peer.say(a_cancel(5))
        peer.releases()

    assert [found[0]["Status"], found[2]["Status"]] == [PENDING, 0]
    assert found[0]["CommandDataSetType"] != NO_DATA_SET == found[2]["CommandDataSetType"]


@pytest.mark.parametrize("leave", ["abort", "close"])
def test_a_service_at_work_notices_that_its_peer_is_gone(start_node, leave):
    service = Scripted(until_cancelled)
    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: service})})
    peer = node.call(contexts=(pdu.ProposedContext(1, FIND, (scripts.IMPLICIT,)),))

    peer.say(a_find_request(1) + (wire.encode(pdu.Abort(0, 0)) if leave == "abort" else b""))
    peer.socket.close()

    assert service.ended.wait(PATIENCE_S)
    (error,) = service.raised
    assert isinstance(error, PeerGone | GeneratorExit)  # it was asking, or its response could not be sent


def test_a_release_while_a_service_is_at_work_ends_it_and_is_answered(start_node):
    service = Scripted(until_cancelled)
    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: service})})

    with node.call(contexts=(pdu.ProposedContext(1, FIND, (scripts.IMPLICIT,)),)) as peer:
        peer.say(a_find_request(1) + wire.encode(pdu.ReleaseRequest()))
        heard = peer.hear()
        while isinstance(heard, bytes):
            heard = peer.hear()

    assert heard == pdu.ReleaseReply()
    assert service.ended.wait(PATIENCE_S)


def test_a_data_set_of_a_response_may_come_in_pieces_of_any_size(start_node):
    content = as_dataset_bytes(a_ct(), ImplicitVRLittleEndian)

    def in_pieces(_session, message):
        yield response(message, PENDING), (content[start : start + 999] for start in range(0, len(content), 999))
        yield response(message, 0), None

    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: Scripted(in_pieces)})})
    association = associate(node, (FIND, ImplicitVRLittleEndian), max_pdu=2000)

    (_, match), (last, _) = association.send_c_find(a_query(), FIND)
    association.release()

    assert encode(match, is_implicit_vr=True, is_little_endian=True) == content
    assert last.Status == 0


def test_a_peer_that_never_falls_silent_does_not_keep_a_service_from_its_work(start_node):
    def ten(session, message):
        for number in range(10):
            assert not session.is_cancelled(int_of(message.command, "MessageID"))
            yield response(message, PENDING), a_match(number)
        yield response(message, 0), None

    service = Scripted(ten)
    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: service})})
    silence = threading.Event()

    def chatter(peer) -> None:
        while not silence.is_set():
            peer.say(a_cancel(9) * 500)

    with node.call(contexts=(pdu.ProposedContext(1, FIND, (scripts.IMPLICIT,)),)) as peer:
        peer.say(a_find_request(1))
        talking = threading.Thread(target=chatter, args=(peer,))
        talking.start()
        ended = service.ended.wait(PATIENCE_S)
        silence.set()
        talking.join(PATIENCE_S)

    assert ended
    assert not service.raised


# --- requests to the peer ---------------------------------------------------------------------------------------------


def test_a_service_stores_at_the_peer_on_the_contexts_where_that_is_scp(start_node):
    ds = a_ct()
    content = as_dataset_bytes(ds, ExplicitVRLittleEndian)

    def give(session, message):
        (context,) = session.contexts_to_ask(scripts.CT)
        request = scripts.a_store_request(ds.SOPInstanceUID)
        reply = session.request(context, request, (content[at : at + 5000] for at in range(0, len(content), 5000)))
        yield {**response(message, 0), "NumberOfCompletedSuboperations": int(reply.status == 0)}, None

    node = start_node(rows={GET: Offer("get", {Field.C_GET_RQ: Scripted(give)})})
    stored: list[Dataset] = []

    def keep(event):
        stored.append(event.dataset)
        return 0

    association = associate(
        node,
        (GET, ImplicitVRLittleEndian),
        (scripts.CT, ExplicitVRLittleEndian),
        ext_neg=[build_role(scripts.CT, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
    )
    ((status, _),) = association.send_c_get(a_query(), GET)
    association.release()

    assert (status.Status, status.NumberOfCompletedSuboperations) == (0, 1)
    assert as_dataset_bytes(stored[0], ExplicitVRLittleEndian) == content


def test_what_the_peer_asks_while_it_is_asked_is_served_at_once(start_node):
    def report(session, message):
        yield response(message, 0), None
        event = {"CommandField": Field.N_EVENT_REPORT_RQ, "AffectedSOPClassUID": COMMIT, "EventTypeID": 1}
        assert session.request(message.context, event, b"").status == 0

    service = Scripted(report)
    node = start_node(rows={COMMIT: Offer("commit", {Field.N_ACTION_RQ: service})})
    contexts = (
        pdu.ProposedContext(1, COMMIT, (scripts.IMPLICIT,)),
        pdu.ProposedContext(3, scripts.CT, (scripts.EXPLICIT,)),
    )
    ds = a_ct()

    with node.call(contexts=contexts) as peer:
        peer.say(scripts.a_message(an_action(1), b"", context_id=1))
        assert peer.hear_response()["CommandField"] == Field.N_ACTION_RSP
        asked = peer.hear_response()
        assert peer.hear() is not None  # its data set
        assert peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID, message_id=2)["Status"] == 0
        assert not service.ended.is_set()
        peer.say(scripts.a_message(an_event_answer(asked["MessageID"]), b"reply", context_id=1))
        peer.releases()

    assert service.ended.wait(PATIENCE_S)
    assert not service.raised
    assert node.instances() == [ds.SOPInstanceUID]


def test_a_peer_that_asks_on_and_on_instead_of_answering_is_aborted(start_node):
    def ask(session, message):
        session.request(message.context, {"CommandField": Field.N_EVENT_REPORT_RQ, "EventTypeID": 1})
        yield response(message, 0), None

    node = start_node(rows={COMMIT: Offer("commit", {Field.N_ACTION_RQ: Scripted(ask)})})

    with node.call(contexts=(pdu.ProposedContext(1, COMMIT, (scripts.IMPLICIT,)),)) as peer:
        for number in range(NESTED_MAX + 1):
            peer.say(scripts.a_message(an_action(number), b"", context_id=1))
        heard = [peer.hear() for _ in range(NESTED_MAX + 1)]

    assert heard[-1] == pdu.Abort(2, 0)


def test_a_reply_without_end_is_aborted(start_node):
    def ask(session, message):
        session.request(message.context, {"CommandField": Field.N_EVENT_REPORT_RQ, "EventTypeID": 1})
        yield response(message, 0), None

    service = Scripted(ask)
    node = start_node(rows={COMMIT: Offer("commit", {Field.N_ACTION_RQ: service})})

    with node.call(contexts=(pdu.ProposedContext(1, COMMIT, (scripts.IMPLICIT,)),)) as peer:
        peer.say(scripts.a_message(an_action(1), b"", context_id=1))
        number = peer.hear_response()["MessageID"]
        peer.say(scripts.a_message(an_event_answer(number), bytes(REPLY_BYTES_MAX + 1), context_id=1))
        assert peer.hear() == pdu.Abort(2, 0)

    assert service.ended.wait(PATIENCE_S)
    assert [type(error) for error in service.raised] == [PeerGone]


def test_a_data_set_that_breaks_off_on_our_side_is_aborted_and_the_service_hears_why(start_node):
    def broken():
        yield bytes(100_000)
        raise OSError

    def give(session, message):
        session.request(message.context, {"CommandField": Field.N_EVENT_REPORT_RQ, "EventTypeID": 1}, broken())
        yield response(message, 0), None

    service = Scripted(give)
    node = start_node(rows={COMMIT: Offer("commit", {Field.N_ACTION_RQ: service})})

    with node.call(contexts=(pdu.ProposedContext(1, COMMIT, (scripts.IMPLICIT,)),)) as peer:
        peer.say(scripts.a_message(an_action(1), b"", context_id=1))
        heard = peer.hear()
        while isinstance(heard, bytes):
            heard = peer.hear()

    assert heard == pdu.Abort(0, 0)
    assert service.ended.wait(PATIENCE_S)
    assert [type(error) for error in service.raised] == [OSError]


# --- which context serves which command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context_id", "field", "status"),
    [
        (3, Field.C_FIND_RQ, 0x0122),  # known here, but not of this SOP class
        (1, Field.C_STORE_RQ, 0x0122),
        (3, Field.N_DELETE_RQ, 0x0211),  # not known at all
    ],
)
def test_a_command_that_its_abstract_syntax_does_not_serve_is_refused(start_node, context_id, field, status):
    node = start_node(rows={FIND: Offer("find", {Field.C_FIND_RQ: Scripted(until_cancelled)})})
    contexts = (
        pdu.ProposedContext(1, FIND, (scripts.IMPLICIT,)),
        pdu.ProposedContext(3, scripts.CT, (scripts.EXPLICIT,)),
    )

    with node.call(contexts=contexts) as peer:
        peer.say(scripts.a_message(scripts.a_store_request(CommandField=field), bytes(3000), context_id=context_id))
        answer = peer.hear_response()
        peer.releases()

    assert (answer["Status"], answer["CommandField"]) == (status, field | 0x8000)


def test_extended_negotiation_is_answered_by_its_row_and_read_by_its_service(start_node):
    seen: list[bytes] = []

    def look(_session, message):
        seen.append(message.context.extended)
        yield response(message, 0), None

    offer = Offer("find", {Field.C_FIND_RQ: Scripted(look)}, extend=lambda asked: bytes(b & 1 for b in asked[:3]))
    node = start_node(rows={FIND: offer})
    wanted, general = SOPClassExtendedNegotiation(), SOPClassCommonExtendedNegotiation()
    wanted.sop_class_uid, wanted.service_class_application_information = FIND, b"\1\0\1\1\1"
    general.sop_class_uid, general.service_class_uid = scripts.CT, "1.2.840.10008.4.2"
    general.related_general_sop_class_identification = ["1.2.840.10008.5.1.4.1.1.7"]
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = window.maximum_number_operations_performed = 5

    association = associate(node, (FIND, ImplicitVRLittleEndian), ext_neg=[wanted, general, window])
    list(association.send_c_find(a_query(), FIND))
    association.release()

    assert association.acceptor.sop_class_extended == {FIND: b"\1\0\1"}
    assert association.acceptor.asynchronous_operations == (1, 1)
    assert seen == [b"\1\0\1"]


def a_find_request(message_id: int) -> bytes:
    command = {"CommandField": Field.C_FIND_RQ, "AffectedSOPClassUID": FIND, "MessageID": message_id, "Priority": 0}
    return scripts.a_message(command | {"CommandDataSetType": 1}, a_match(0), context_id=1)


def a_cancel(message_id: int) -> bytes:
    command = {"CommandField": Field.C_CANCEL_RQ, "MessageIDBeingRespondedTo": message_id}
    return scripts.a_message(command | {"CommandDataSetType": NO_DATA_SET}, context_id=1)


def an_action(message_id: int):
    return {
        "CommandField": Field.N_ACTION_RQ,
        "RequestedSOPClassUID": COMMIT,
        "RequestedSOPInstanceUID": "1.2.840.10008.1.20.1.1",
        "ActionTypeID": 1,
        "MessageID": message_id,
        "CommandDataSetType": 1,
    }


def an_event_answer(message_id: int):
    return {
        "CommandField": Field.N_EVENT_REPORT_RSP,
        "MessageIDBeingRespondedTo": message_id,
        "Status": 0,
        "CommandDataSetType": 1,
    }
