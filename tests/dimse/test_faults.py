"""What strangers and disks do wrong on the way in, and what is left afterwards."""

import os
import re
import socket
import struct
import threading
import time

import pytest

from gateway.dimse.listening import connection, listener
from gateway.dimse.upper_layer import commands, pdu, protocol, wire
from gateway.dimse.upper_layer.pdu import Abort, AbortReason, AssociateReject
from kernel.database import engines
from tests.dimse import scripts
from tests.dimse.commitment_modality import PATIENCE_S
from tests.dimse.conftest import Peer
from tests.support.builders import a_ct, a_ct_series, as_dataset_bytes
from tests.support.nodes import wait_until


def provider_abort(reason: AbortReason) -> Abort:
    return Abort(protocol.SERVICE_PROVIDER, reason)


# --- bytes that are no protocol ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", AbortReason.UNRECOGNIZED_PDU),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", AbortReason.UNRECOGNIZED_PDU),
        (scripts.a_pdu(99, b""), AbortReason.UNRECOGNIZED_PDU),
        (scripts.a_pdu(1, b"\xff" * 200), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(1, b""), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(1, b"", length=pdu.ASSOCIATE_BYTES_MAX + 1), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(1, b"", length=2**32 - 1), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, scripts.a_value(1, 3, b"")), AbortReason.UNEXPECTED_PDU),
        (wire.encode(pdu.ReleaseRequest()), AbortReason.UNEXPECTED_PDU),
        (wire.encode(pdu.AssociateReject(1, 1, 1)), AbortReason.UNEXPECTED_PDU),
    ],
)
def test_first_bytes_that_are_no_association_request_are_aborted_with_the_reason(node, data, reason):
    with Peer(node.port) as peer:
        peer.say(data)

        assert peer.hear() == provider_abort(reason)
        assert peer.hear() is None


def test_an_association_request_of_very_many_items_is_refused_before_objects_are_made_of_them(node):
    body = wire.encode(scripts.an_associate_request())[6:] + b"\x99\0\0\0" * (pdu.ITEMS_MAX + 1)

    with Peer(node.port) as peer:
        peer.say(scripts.a_pdu(1, body))

        assert peer.hear() == provider_abort(AbortReason.INVALID_PDU_PARAMETER_VALUE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (scripts.a_pdu(99, b"12345678"), AbortReason.UNRECOGNIZED_PDU),
        (scripts.a_pdu(4, b"", length=protocol.P_DATA_BYTES_MAX + 1), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, b"", length=2**32 - 1), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, b"\0\0"), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, b"\0\0\0\1\3\3"), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, b"\xff\xff\xff\xff\3\3"), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, scripts.a_value(3, 3, b"xyz") + b"left"), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, scripts.a_value(5, 3, b"")), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, scripts.a_value(3, 3, b"not a command set")), AbortReason.INVALID_PDU_PARAMETER_VALUE),
        (scripts.a_pdu(4, scripts.a_value(3, 2, b"data without a command")), AbortReason.UNEXPECTED_PDU_PARAMETER),
        (wire.encode(scripts.an_associate_request()), AbortReason.UNEXPECTED_PDU),
    ],
)
def test_bytes_out_of_turn_are_aborted_with_the_reason(node, data, reason):
    with node.call() as peer:
        peer.say(data)

        assert peer.hear() == provider_abort(reason)
        assert peer.hear() is None


def test_a_command_set_without_end_is_aborted_at_its_bound(node):
    piece = scripts.a_pdu(4, scripts.a_value(3, 1, b"\0" * 4096))

    with node.call() as peer:
        peer.say(piece * (commands.COMMAND_BYTES_MAX // 4096))
        peer.say(scripts.a_pdu(4, scripts.a_value(3, 1, b"\0")))

        assert peer.hear() == provider_abort(AbortReason.INVALID_PDU_PARAMETER_VALUE)


def test_a_release_inside_a_message_is_aborted(node):
    ds = a_ct()
    whole = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))

    with node.call() as peer:
        peer.say(b"".join(scripts.pdus_of(whole)[:-1]) + wire.encode(pdu.ReleaseRequest()))
        assert peer.hear() == provider_abort(AbortReason.UNEXPECTED_PDU)

    wait_until(lambda: node.incoming() == [])
    assert node.instances() == []


# --- associations that end early --------------------------------------------------------------------------------------


def finished_and_unfinished(peer: Peer) -> None:
    """Store two instances, and say all but the last PDU of a third."""
    for number, ds in enumerate(a_ct_series(3), start=1):
        request = scripts.a_store_request(ds.SOPInstanceUID, message_id=number)
        said = scripts.pdus_of(scripts.a_message(request, as_dataset_bytes(ds)))
        peer.say(b"".join(said if number < 3 else said[:-1]))
        if number < 3:
            assert peer.hear_response()["Status"] == 0


def test_an_abort_inside_an_instance_keeps_the_finished_ones_and_sweeps_the_rest(node):
    with node.call() as peer:
        finished_and_unfinished(peer)
        wait_until(lambda: len(node.incoming()) == 1)
        peer.say(wire.encode(Abort(0, 0)))
        assert peer.hear() is None

    wait_until(lambda: node.incoming() == [] and node.sessions)
    assert len(node.instances()) == 2
    assert [released for _, _, released in node.sessions] == [False]
    assert node.studies() == [("receiving", "", 2)]


def test_a_connection_cut_inside_an_instance_keeps_the_finished_ones_and_sweeps_the_rest(node):
    with node.call() as peer:
        finished_and_unfinished(peer)

    wait_until(lambda: node.incoming() == [] and node.sessions)
    assert len(node.instances()) == 2
    assert node.studies() == [("receiving", "", 2)]


def test_a_sender_that_stalls_inside_an_instance_is_aborted_after_the_idle_time(start_node):
    node = start_node(idle_timeout_s=0.2)

    with node.call() as peer:
        finished_and_unfinished(peer)
        assert peer.hear() == provider_abort(AbortReason.NOT_SPECIFIED)
        assert peer.hear() is None

    wait_until(lambda: node.incoming() == [])
    assert len(node.instances()) == 2


def test_an_association_that_says_nothing_is_aborted_after_the_idle_time(start_node):
    with start_node(idle_timeout_s=0.2).call() as peer:
        assert peer.hear() == provider_abort(AbortReason.NOT_SPECIFIED)


@pytest.mark.parametrize("said", [b"", b"\1\0\0\0\1\0", wire.encode(scripts.an_associate_request())[:-1]])
def test_a_caller_that_does_not_finish_its_request_is_let_go_in_time(start_node, said):
    with Peer(start_node(negotiation_timeout_s=0.3).port) as peer:
        peer.say(said)

        assert peer.hear() in (provider_abort(AbortReason.NOT_SPECIFIED), None)


def test_a_request_that_drips_in_has_one_deadline_for_all_of_it(start_node):
    node = start_node(negotiation_timeout_s=0.4)
    stop = threading.Event()

    with Peer(node.port) as peer:

        def drip():
            for byte in wire.encode(scripts.an_associate_request()):
                if stop.wait(0.05):
                    return
                try:
                    peer.say(bytes((byte,)))
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        assert peer.hear() in (provider_abort(AbortReason.NOT_SPECIFIED), None)  # and no answer to what dripped
        stop.set()
        thread.join()


def test_a_peer_that_never_closes_does_not_keep_its_place(start_node, monkeypatch):
    monkeypatch.setattr(connection, "CLOSING_S", 0.2)
    node = start_node()

    with node.call() as peer:
        peer.releases()
        wait_until(lambda: node.listener.associations == 0)


# --- instances that cannot be taken -----------------------------------------------------------------------------------


def with_uid(content: bytes, tag: int, old: str, new: str) -> bytes:
    """Put another UID into an encoded data set, whatever pydicom thinks of it."""

    def element(uid: str) -> bytes:
        value = uid.encode() + b"\0" * (len(uid) % 2)
        return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"UI", len(value)) + value

    assert element(old) in content
    return content.replace(element(old), element(new))


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_a_missing_uid_is_refused_with_a900_and_kept_in_quarantine(node, keyword):
    ds = a_ct()
    content = with_uid(as_dataset_bytes(ds), ds[keyword].tag, ds[keyword].value, "")

    with node.call() as peer:
        answer = peer.stores(content, sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()

    assert answer["Status"] == 0xA900
    assert answer["ErrorComment"] == f"{keyword} is missing. The sender must give one."[:64]
    assert node.quarantined() == ["MissingIdentifier"]
    assert node.instances() == []
    assert node.sessions == []


@pytest.mark.parametrize("uid", ["1.2.abc", "1..2", "1" * 65, "Nguyen^Van^A"])
def test_a_malformed_uid_is_refused_with_a900_and_kept_in_quarantine(node, uid, capsys, logged):
    ds = a_ct(rows=4, columns=4)
    spoilt = with_uid(as_dataset_bytes(ds), 0x00080018, ds.SOPInstanceUID, uid)

    with node.call() as peer:
        answer = peer.stores(spoilt, sop_instance_uid=uid)
        peer.releases()

    assert answer["Status"] == 0xA900
    assert node.quarantined() == ["InvalidIdentifier"]
    told = "".join([*capsys.readouterr(), logged.getvalue()])
    assert "InvalidIdentifier" in told
    assert "Nguyen" not in told


def test_a_command_that_names_another_instance_is_refused_with_a900(node):
    with node.call() as peer:
        answer = peer.stores(as_dataset_bytes(a_ct()), sop_instance_uid="1.2.3")
        peer.releases()

    assert answer["Status"] == 0xA900
    assert node.quarantined() == ["IdentityMismatch"]


@pytest.mark.parametrize("content", [b"", b"<html>not DICOM at all</html>", b"\x08\0\x18\0UI\xff\xff1.2"])
def test_bytes_that_are_no_data_set_are_refused_and_kept(node, content):
    with node.call() as peer:
        answer = peer.stores(content, sop_instance_uid="1.2.3")
        peer.releases()

    assert answer["Status"] in (0xC000, 0xA900)
    assert len(node.quarantined()) == 1


def test_a_store_request_without_a_data_set_is_refused(node):
    with node.call() as peer:
        peer.say(scripts.a_message(scripts.a_store_request("1.2.3", CommandDataSetType=0x0101)))
        answer = peer.hear_response()
        peer.releases()

    assert answer["Status"] == 0xC000


def test_an_instance_over_the_limit_is_read_over_and_refused(start_node):
    node = start_node(instance_bytes_max=6000)
    ds, small = a_ct(), a_ct(instance=2, rows=16, columns=16)

    with node.call() as peer:
        refused = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        taken = peer.stores(as_dataset_bytes(small), sop_instance_uid=small.SOPInstanceUID)
        peer.releases()

    assert (refused["Status"], taken["Status"]) == (0xC001, 0)
    assert node.instances() == [small.SOPInstanceUID]
    assert node.incoming() == []


def test_an_instance_without_end_is_aborted(start_node):
    node = start_node(instance_bytes_max=6000)
    piece = scripts.a_pdu(4, scripts.a_value(3, 0, b"\0" * 4096))

    with node.call() as peer:
        peer.say(scripts.a_message(scripts.a_store_request("1.2.3")))
        peer.say(piece * 8)
        assert peer.hear() == provider_abort(AbortReason.NOT_SPECIFIED)

    assert node.incoming() == []


# --- the disk ---------------------------------------------------------------------------------------------------------


def test_when_space_is_short_nothing_is_taken_and_the_sender_may_try_later(start_node):
    node = start_node(free_bytes_min=1 << 60)
    ds = a_ct()

    with node.call() as peer:
        answer = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        node.blobs._free_bytes_min = 1
        later = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()

    assert answer["Status"] == 0xA700
    assert re.match("Not enough storage", answer["ErrorComment"])
    assert later["Status"] == 0
    assert node.incoming() == []


def test_a_disk_that_fails_while_an_instance_comes_in_is_told_and_the_association_lives_on(node, monkeypatch):
    first, second = a_ct_series(2)
    real, calls = os.writev, []

    def failing(descriptor, buffers):
        calls.append(len(buffers))
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "writev", failing)
    with node.call() as peer:
        refused = peer.stores(as_dataset_bytes(first), sop_instance_uid=first.SOPInstanceUID)
        taken = peer.stores(as_dataset_bytes(second), sop_instance_uid=second.SOPInstanceUID)
        peer.releases()

    assert (refused["Status"], taken["Status"]) == (0xA700, 0)
    assert node.incoming() == []


def test_a_database_that_another_program_locks_is_told_with_its_reason_and_the_sender_may_try_later(
    start_node, monkeypatch, logged
):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
    node = start_node()
    other = engines.open_engines(node.root / "vienanh.db").writer
    ds = a_ct()

    with node.call() as peer:
        with other.begin():
            refused = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        taken = peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()
    other.dispose()

    assert (refused["Status"], taken["Status"]) == (0xA700, 0)
    assert node.instances() == [ds.SOPInstanceUID]
    assert "database is locked" in logged.getvalue()


# --- who may call -----------------------------------------------------------------------------------------------------


def test_a_wrong_called_title_is_rejected_when_it_is_checked(start_node):
    node = start_node(check_called_ae_title=True)

    assert node.answers(called_ae_title="OTHER") == AssociateReject(1, 1, 7)
    assert isinstance(node.answers(), pdu.AssociateAccept)


def test_an_unknown_caller_is_rejected_when_only_sources_may_call(start_node):
    node = start_node(
        accept_unknown_callers=False,
        sources=[{"name": "ct", "calling": "CT1"}, {"name": "far", "calling": "FAR", "address": "10.0.0.0/8"}],
    )

    assert node.answers(calling_ae_title="STRANGER") == AssociateReject(1, 1, 3)
    assert node.answers(calling_ae_title="FAR") == AssociateReject(1, 1, 3)
    assert isinstance(node.answers(calling_ae_title="CT1"), pdu.AssociateAccept)


def test_another_application_context_or_protocol_version_is_rejected(node):
    assert node.answers(application_context="1.2.3") == AssociateReject(1, 1, 2)
    assert node.answers(protocol_version=2) == AssociateReject(1, 2, 2)


def test_associations_over_the_limit_are_rejected_for_now_and_far_more_are_closed(start_node, monkeypatch):
    monkeypatch.setattr(listener, "REFUSALS_MAX", 1)
    node = start_node(associations_max=2)

    with node.call() as first, node.call() as second:
        third = node.call()
        with Peer(node.port) as waiting:  # takes the only place for a refusal
            wait_until(lambda: node.listener.associations == 3)
            with Peer(node.port) as fifth:
                assert fifth.hear() is None
            waiting.socket.close()
        first.releases()
        second.releases()

    assert third.answer == AssociateReject(2, 3, 2)
    third.socket.close()
    wait_until(lambda: node.listener.associations == 0)
    with node.call() as again:
        again.releases()


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_stopping_lets_a_message_under_way_end_and_aborts_idle_associations(node):
    ds = a_ct()
    message = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))
    port = node.port

    with node.call() as idle, node.call() as busy:
        busy.say(message[:2000])
        wait_until(lambda: len(node.incoming()) == 1)
        stopping = threading.Thread(target=node.listener.stop, args=(10.0,))
        stopping.start()
        assert idle.hear() == Abort(protocol.SERVICE_USER, 0)
        busy.say(message[2000:])
        assert busy.hear_response()["Status"] == 0
        assert busy.hear() == Abort(protocol.SERVICE_USER, 0)
        stopping.join()

    assert node.instances() == [ds.SOPInstanceUID]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_stopping_does_not_wait_longer_than_it_may(node):
    ds = a_ct()
    message = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))

    with node.call() as stalled:
        stalled.say(message[:2000])
        wait_until(lambda: len(node.incoming()) == 1)
        begun = time.monotonic()
        node.listener.stop(0.2)

    assert time.monotonic() - begun < PATIENCE_S  # which is as long as an association may be silent here
    wait_until(lambda: node.incoming() == [])
