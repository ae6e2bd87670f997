"""C-STORE SCU: to DCMTK's storescp, to a node of ours, and to a peer that misbehaves as the test tells it."""

import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from gateway.dimse.scu.calling import Target, rejected
from gateway.dimse.scu.sender import DimseSender, outcome_of, send_files
from gateway.dimse.upper_layer import commands, pdu, wire
from routing.transport import Cause, Parcel, ReceiptState
from tests.dimse import scripts
from tests.support.builders import a_ct_series, as_dataset_bytes, as_file
from tests.support.nodes import wait_until


def a_parcel(path: Path, *, head_bytes: int = 0) -> Parcel:
    """Make a parcel of a file, its first bytes in memory."""
    content = path.read_bytes()
    meta = pydicom.dcmread(path, stop_before_pixels=True).file_meta
    return Parcel(
        sop_class_uid=meta.MediaStorageSOPClassUID,
        sop_instance_uid=meta.MediaStorageSOPInstanceUID,
        transfer_syntax_uid=meta.TransferSyntaxUID,
        study_instance_uid="1.2",
        sha256="",
        size_bytes=len(content),
        dataset_offset=144 + int.from_bytes(content[140:144], "little"),
        path=path,
        tail_offset=head_bytes,
        tail_bytes=len(content) - head_bytes,
        trace_id="",
        priority="routine",
        head=content[:head_bytes],
    )


def a_target(port: int, *, timeout_s: float = 10.0) -> Target:
    return Target("127.0.0.1", port, "ANY", "SENDER", timeout_s)


def statuses(receipts) -> list[tuple[ReceiptState, Cause | None, str]]:
    return [(receipt.state, receipt.cause, receipt.status) for receipt in receipts]


@pytest.fixture
def storescp(tmp_path):
    """DCMTK's storescp, writing what it gets."""
    folder = tmp_path / "storescp"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["storescp", "+xa", "+B", "-od", str(folder), str(port)], stderr=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, what="storescp's port")
    yield port, folder
    server.kill()
    server.wait()


@contextmanager
def a_peer(*scripted):
    """Serve one connection: each step is bytes to say, a function of the socket, or None to hear a PDU of any kind."""

    def serve():
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(10)
            for step in scripted:
                if step is None:
                    hear(connection)
                elif isinstance(step, bytes):
                    connection.sendall(step)
                else:
                    step(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


def hear(connection) -> tuple[int, bytes]:
    header = connection.recv(6, socket.MSG_WAITALL)
    return header[0], connection.recv(int.from_bytes(header[2:], "big"), socket.MSG_WAITALL)


def accept(connection, limit: int = 16384) -> None:
    kind, body = hear(connection)
    request = wire.decode(pdu.Kind(kind), body)
    answer = scripts.accept_all(request)
    connection.sendall(
        wire.encode(
            pdu.AssociateAccept(
                answer.called_ae_title, answer.calling_ae_title, answer.contexts, pdu.UserInformation(limit, "1.2.3")
            )
        )
    )


def hear_instance(connection) -> None:
    """Hear a whole C-STORE-RQ."""
    while True:
        _, body = hear(connection)
        if body[5] == 2:
            return


def say_status(status: int):
    answer = {
        "CommandField": 0x8001,
        "MessageIDBeingRespondedTo": 1,
        "CommandDataSetType": 0x0101,
        "Status": status,
        "ErrorComment": "Nguyen^Van A is not welcome",
    }
    return lambda connection: connection.sendall(scripts.a_message(answer))


@pytest.mark.peer("dcmtk")
def test_a_batch_arrives_at_dcmtk_byte_for_byte(storescp, a_series):
    port, folder = storescp
    sender = DimseSender(a_target(port))

    receipts = sender.deliver([a_parcel(path, head_bytes=700 * number) for number, path in enumerate(a_series)])
    again = sender.deliver([a_parcel(a_series[0])])
    sender.close()

    assert statuses([*receipts, *again]) == [(ReceiptState.DELIVERED, None, "0000")] * 6
    for path in a_series:
        sent = pydicom.dcmread(path)
        (kept,) = folder.glob(f"*{sent.SOPInstanceUID}*")
        assert kept.read_bytes().endswith(as_dataset_bytes(sent))


@pytest.mark.peer("dcmtk")
def test_a_probe_is_a_c_echo(storescp):
    sender = DimseSender(a_target(storescp[0]))

    receipt = sender.probe()
    sender.close()

    assert (receipt.state, receipt.status) == (ReceiptState.DELIVERED, "0000")


def test_a_node_takes_what_a_node_sends_and_the_study_is_complete_on_release(node, a_series):
    sender = DimseSender(a_target(node.port))

    sender.deliver([a_parcel(path) for path in a_series[:3]])
    sender.deliver([a_parcel(path) for path in a_series[3:]])
    before = node.studies()
    sender.close()

    assert before == [("receiving", "", 5)]
    assert node.studies() == [("complete", "association-released", 5)]


def test_a_new_transfer_syntax_opens_an_association_that_takes_both(node, tmp_path):
    slices = list(a_ct_series(2))
    explicit, implicit = tmp_path / "e.dcm", tmp_path / "i.dcm"
    explicit.write_bytes(as_file(slices[0]))
    implicit.write_bytes(as_file(slices[1], scripts.IMPLICIT))
    sender = DimseSender(a_target(node.port))

    receipts = [sender.deliver([a_parcel(path)])[0] for path in (explicit, implicit, explicit)]
    sender.close()

    assert [receipt.status for receipt in receipts] == ["0000"] * 3
    assert len(node.sessions) == 2


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x0000, (ReceiptState.DELIVERED, None)),
        (0xB000, (ReceiptState.DELIVERED, None)),
        (0xB007, (ReceiptState.DELIVERED, None)),
        (0xA700, (ReceiptState.RETRY, Cause.FULL)),
        (0x0124, (ReceiptState.RETRY, Cause.AUTHENTICATION)),
        (0x0110, (ReceiptState.RETRY, Cause.LINK)),
        (0x0111, (ReceiptState.REFUSED, Cause.CONFLICT)),
        (0x0122, (ReceiptState.REFUSED, Cause.POISON)),
        (0xA900, (ReceiptState.REFUSED, Cause.POISON)),
        (0xC000, (ReceiptState.REFUSED, Cause.POISON)),
    ],
)
def test_a_status_has_one_meaning(status, expected):
    assert outcome_of(status) == expected


def test_a_refusal_keeps_the_peers_words_to_itself_and_says_what_the_status_means(a_series):
    with a_peer(accept, hear_instance, say_status(0xC000), None) as port:
        sender = DimseSender(a_target(port))
        (receipt,) = sender.deliver([a_parcel(a_series[0])])
        sender.close()

    assert (receipt.cause, receipt.status) == (Cause.POISON, "C000")
    assert receipt.detail == (
        "C-STORE status C000: it cannot understand the data set; look at its log, and whether others can read the file"
    )


def test_after_a_full_peer_the_rest_of_the_batch_is_not_sent(a_series):
    with a_peer(accept, hear_instance, say_status(0xA700), None) as port:
        sender = DimseSender(a_target(port))
        receipts = sender.deliver([a_parcel(path) for path in a_series])
        sender.close()

    assert statuses(receipts) == [(ReceiptState.RETRY, Cause.FULL, "A700")] * 5


def test_a_peer_that_hangs_up_mid_batch_leaves_the_receipts_before_it(a_series):
    with a_peer(accept, hear_instance, say_status(0), None) as port:
        receipts = DimseSender(a_target(port)).deliver([a_parcel(path) for path in a_series])

    assert receipts[0].state is ReceiptState.DELIVERED
    assert {(receipt.state, receipt.cause) for receipt in receipts[1:]} == {(ReceiptState.RETRY, Cause.LINK)}


def test_a_silent_peer_costs_one_time_out(a_series):
    released = threading.Event()
    with a_peer(accept, hear_instance, lambda _: released.wait(10)) as port:
        (receipt,) = DimseSender(a_target(port, timeout_s=0.3)).deliver([a_parcel(a_series[0])])
        released.set()

    assert statuses([receipt]) == [(ReceiptState.RETRY, Cause.LINK, "timeout")]


def test_a_peer_that_aborts_is_a_broken_link(a_series):
    with a_peer(accept, hear_instance, wire.encode(pdu.Abort(0, 0))) as port:
        (receipt,) = DimseSender(a_target(port)).deliver([a_parcel(a_series[0])])

    assert statuses([receipt]) == [(ReceiptState.RETRY, Cause.LINK, "abort")]


@pytest.mark.parametrize(
    ("reject", "cause", "told"),
    [
        (
            pdu.AssociateReject(1, 1, 7),
            Cause.AUTHENTICATION,
            "(reject 1/1/7): it has not the AE title that it was called by; look at how it is written",
        ),
        (pdu.AssociateReject(2, 3, 2), Cause.FULL, "(reject 2/3/2): it has as many associations as it takes"),
    ],
)
def test_a_rejection_has_a_cause_and_says_what_to_look_at(a_series, reject, cause, told):
    with a_peer(None, wire.encode(reject)) as port:
        (receipt,) = DimseSender(a_target(port)).deliver([a_parcel(a_series[0])])

    assert (receipt.state, receipt.cause) == (ReceiptState.RETRY, cause)
    assert receipt.detail == f"the peer rejects the association {told}"


@pytest.mark.parametrize(
    ("source", "reason", "told"),
    [
        (1, 1, "no reason"),
        (1, 2, "application context"),
        (1, 3, "our AE title"),
        (2, 1, "no reason"),
        (2, 2, "version"),
        (3, 1, "busy"),
        (3, 7, "a reason of its own"),
    ],
)
def test_every_rejection_of_the_standard_has_words(source, reason, told):
    assert told in rejected(pdu.AssociateReject(1, source, reason)).detail


@pytest.mark.parametrize("host", ["pacs..lan", f"{'p' * 64}.lan"])
def test_a_host_whose_name_is_none_is_a_link_failure(a_series, host):
    (receipt,) = DimseSender(replace(a_target(104), host=host)).deliver([a_parcel(a_series[0])])

    assert statuses([receipt]) == [(ReceiptState.RETRY, Cause.LINK, "connect")]
    assert receipt.detail == "no connection: the host's name is none"


def test_nobody_there_is_a_link_failure(a_series, dead_port):
    (receipt,) = DimseSender(a_target(dead_port)).deliver([a_parcel(a_series[0])])

    assert statuses([receipt]) == [(ReceiptState.RETRY, Cause.LINK, "connect")]


def test_garbage_instead_of_an_answer_is_a_link_failure(a_series):
    with a_peer(None, b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        (receipt,) = DimseSender(a_target(port)).deliver([a_parcel(a_series[0])])

    assert statuses([receipt]) == [(ReceiptState.RETRY, Cause.LINK, "protocol")]


@pytest.mark.parametrize("limit", [7, 100, 0])
def test_pdus_are_as_short_as_the_peer_wants_them(tmp_path, limit):
    path = tmp_path / "small.dcm"
    path.write_bytes(as_file(next(a_ct_series(1, rows=2, columns=2))))
    longest = []

    def measure(connection):
        while True:
            _, body = hear(connection)
            longest.append(len(body))
            if body[5] == 2:
                return

    with a_peer(lambda c: accept(c, limit), measure, say_status(0), None) as port:
        sender = DimseSender(a_target(port))
        (receipt,) = sender.deliver([a_parcel(path)])
        sender.close()

    assert receipt.status == "0000"
    assert max(longest) <= (limit or 131072)


def test_a_blob_that_is_gone_is_our_own_error(node, a_series):
    parcel = a_parcel(a_series[0])
    a_series[0].unlink()
    sender = DimseSender(a_target(node.port))

    with pytest.raises(FileNotFoundError):
        sender.deliver([parcel])
    (after,) = sender.deliver([a_parcel(a_series[1])])
    sender.close()

    assert after.status == "0000"


def test_files_and_folders_are_sent_with_progress(node, a_series, tmp_path):
    (a_series[0].parent / "notes.txt").write_text("not DICOM")
    page = tmp_path / "page.html"
    page.write_text("<html>")
    seen = []

    sent = send_files([a_series[0].parent, page], a_target(node.port), seen.append)

    assert len(node.instances()) == 5
    assert [(one.number, one.total) for one in seen] == [(n, 6) for n in range(1, 7)]
    assert sent == seen
    (refused,) = [one for one in sent if not one.receipt.is_success]
    assert refused.path == page
    assert refused.receipt.detail.startswith("Not a readable DICOM data set")
    assert len(node.sessions) == 1


def test_commands_of_the_sender_are_what_the_standard_asks(a_series):
    heard = []

    def keep(connection):
        heard.append(commands.decode(hear(connection)[1][6:]))
        hear_instance(connection)

    with a_peer(accept, keep, say_status(0), None) as port:
        sender = DimseSender(a_target(port))
        sender.deliver([a_parcel(a_series[0])])
        sender.close()

    ds = pydicom.dcmread(a_series[0])
    assert heard == [scripts.a_store_request(ds.SOPInstanceUID, ds.SOPClassUID)]
