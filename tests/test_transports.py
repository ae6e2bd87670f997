"""One suite that every transport passes: what `routing.transport` promises, against a receiver that is really there."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.dicomweb.client.sending import StowTransport
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.sender import DimseSender
from kernel.archive.tables import instance
from kernel.clock import SystemClock
from kernel.dicom.scanning.part10 import read_file_meta
from routing.transport import Cause, Manifest, Parcel, ReceiptState, Transport
from tests.dicomweb.conftest import running_node
from tests.support.builders import a_ct, a_ct_series, as_file
from tests.support.dead import nobody_listening
from tests.support.dimse import running_listener
from tests.support.receiver import Receiver

TIMEOUT_S = 10.0
TRACE = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Destination:
    """A transport, what its receiver has, and a transport to where nobody listens."""

    transport: Transport
    digests: Callable[[], dict[str, str]]
    to_nowhere: Transport


def in_memory(folder: Path, stack: ExitStack) -> Destination:
    receiver = Receiver()
    return Destination(receiver.transport(), lambda: receiver.instances, Receiver(down=Cause.LINK).transport())


def stow(folder: Path, stack: ExitStack) -> Destination:
    node = stack.enter_context(running_node(folder / "node"))
    token = folder / "token"
    token.write_text(node.token, encoding="ascii")

    def transport(url: str) -> StowTransport:
        return StowTransport("hub", url, SystemClock(), timeout_s=TIMEOUT_S, token_file=token)

    return Destination(
        transport(f"{node.url}/dicom-web"),
        lambda: {row.sop_instance_uid: row.sha256 for row in node.rows(instance)},
        transport(f"http://127.0.0.1:{stack.enter_context(nobody_listening())}/dicom-web"),
    )


def dimse(folder: Path, stack: ExitStack) -> Destination:
    port, database = stack.enter_context(running_listener(folder / "node"))

    def digests() -> dict[str, str]:
        with database.read() as connection:
            rows = connection.execute(select(instance.c.sop_instance_uid, instance.c.sha256))
            return {row.sop_instance_uid: row.sha256 for row in rows}

    def transport(port: int) -> DimseSender:
        return DimseSender(Target("127.0.0.1", port, "HUB", "SITE", TIMEOUT_S))

    return Destination(transport(port), digests, transport(stack.enter_context(nobody_listening())))


@pytest.fixture(params=[in_memory, stow, dimse], ids=lambda make: make.__name__)
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    with ExitStack() as stack:
        made = request.param(tmp_path, stack)
        yield made
        made.transport.close()
        made.to_nowhere.close()


def a_parcel(folder: Path, content: bytes, *, head_bytes: int = 0) -> Parcel:
    """A Part 10 file as a parcel; its first `head_bytes` in memory, as after a rewritten header."""
    meta = read_file_meta(content)
    path = folder / hashlib.sha256(content).hexdigest()
    path.write_bytes(b"not to be sent" + content[head_bytes:])
    return Parcel(
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        study_instance_uid=a_ct().StudyInstanceUID,
        sha256=hashlib.sha256(content[meta.dataset_offset :]).hexdigest(),
        size_bytes=len(content),
        dataset_offset=meta.dataset_offset,
        path=path,
        tail_offset=len(b"not to be sent"),
        tail_bytes=len(content) - head_bytes,
        trace_id=TRACE,
        priority="routine",
        head=content[:head_bytes],
    )


@pytest.fixture
def parcels(tmp_path: Path) -> list[Parcel]:
    heads = (0, 100, 1000)  # no head; a head that ends inside the file meta; one inside the data set
    return [a_parcel(tmp_path, as_file(ds), head_bytes=n) for ds, n in zip(a_ct_series(3), heads, strict=True)]


def test_each_parcel_has_its_receipt_in_order_and_its_bytes_arrive_as_they_are(destination, parcels):
    receipts = destination.transport.deliver(parcels)

    assert [(receipt.sop_instance_uid, receipt.state) for receipt in receipts] == [
        (parcel.sop_instance_uid, ReceiptState.DELIVERED) for parcel in parcels
    ]
    assert destination.digests() == {parcel.sop_instance_uid: parcel.sha256 for parcel in parcels}


def test_batch_after_batch_goes_the_same_way(destination, parcels):
    for parcel in parcels:
        (receipt,) = destination.transport.deliver([parcel])
        assert receipt.is_success

    assert len(destination.digests()) == 3


def test_what_the_receiver_has_already_is_a_success_without_effect(destination, parcels):
    destination.transport.deliver(parcels[:2])

    receipts = destination.transport.deliver(parcels)

    assert [receipt.is_success for receipt in receipts] == [True] * 3
    assert len(destination.digests()) == 3


def test_an_instance_that_the_receiver_never_takes_is_refused_alone(destination, parcels, tmp_path):
    content = as_file(a_ct(instance=2))
    broken = a_parcel(tmp_path, content[: read_file_meta(content).dataset_offset] + b"<html>this is no data set</html>")
    if isinstance(destination.transport, type(Receiver().transport())):
        destination.transport._to.poison = {broken.sop_instance_uid}

    receipts = destination.transport.deliver([parcels[0], broken, parcels[2]])

    assert [receipt.state for receipt in receipts] == [
        ReceiptState.DELIVERED,
        ReceiptState.REFUSED,
        ReceiptState.DELIVERED,
    ]
    assert receipts[1].cause is Cause.POISON


def test_other_bytes_under_a_known_uid_are_no_success(destination, parcels, tmp_path):
    destination.transport.deliver(parcels[:1])
    other = a_parcel(tmp_path, as_file(a_ct(instance=1, SeriesDescription="another")))

    (receipt,) = destination.transport.deliver([other])

    assert (receipt.state, receipt.cause) == (ReceiptState.REFUSED, Cause.CONFLICT)
    assert destination.digests()[other.sop_instance_uid] == parcels[0].sha256


def test_where_nobody_listens_every_parcel_is_to_be_tried_again(destination, parcels):
    receipts = destination.to_nowhere.deliver(parcels)

    assert [(receipt.sop_instance_uid, receipt.state, receipt.cause) for receipt in receipts] == [
        (parcel.sop_instance_uid, ReceiptState.RETRY, Cause.LINK) for parcel in parcels
    ]


def test_a_probe_says_whether_the_receiver_lives(destination):
    assert destination.transport.probe().is_success

    dead = destination.to_nowhere.probe()
    assert (dead.state, dead.cause) == (ReceiptState.RETRY, Cause.LINK)


def test_a_manifest_can_go_with_a_batch_and_by_itself(destination, parcels):
    manifest = Manifest(parcels[0].study_instance_uid, 3, 3, None, "stat", TRACE)

    receipts = destination.transport.deliver(parcels, manifest)
    destination.transport.announce(replace(manifest, version=4, complete="association-released"))

    assert [receipt.is_success for receipt in receipts] == [True] * 3


def test_a_blob_that_is_gone_is_raised_as_ours_and_the_next_batch_goes(destination, parcels):
    parcels[1].path.unlink()

    with pytest.raises(OSError, match="No such file"):
        destination.transport.deliver(parcels)

    (receipt,) = destination.transport.deliver([parcels[2]])
    assert receipt.is_success


def test_no_word_of_a_receipt_is_of_the_patient(destination, tmp_path):
    secret = a_parcel(tmp_path, as_file(a_ct(PatientName="Zhykov^Qwertiy", PatientID="77123456", SOPClassUID="1.2")))

    receipts = [*destination.transport.deliver([secret]), *destination.to_nowhere.deliver([secret])]

    assert len(receipts) == 2
    assert all("Zhykov" not in str(receipt) and "77123456" not in str(receipt) for receipt in receipts)
