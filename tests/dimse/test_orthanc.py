"""Both ways between a node and Orthanc."""

from datetime import UTC, datetime, timedelta

import pydicom
import pytest

from gateway.dimse.scp.commitment_reporter import CommitmentReporter
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.sender import DimseSender, send_files
from kernel.clock import ManualClock
from routing.transport import Cause, ReceiptState
from tests.dimse.test_sender import a_parcel
from tests.support.builders import a_cr, an_us_cine, as_dataset_bytes, as_file
from tests.support.nodes import wait_until


def target(orthanc) -> Target:
    return Target("127.0.0.1", orthanc.dicom_port, orthanc.ae_title, "SENDER", 30.0)


@pytest.mark.peer("orthanc")
def test_orthanc_takes_what_the_sender_sends_byte_for_byte(orthanc, a_series):
    sent = send_files(a_series, target(orthanc))

    assert {one.receipt.state for one in sent} == {ReceiptState.DELIVERED}
    there = orthanc.instances()
    for path in a_series:
        ds = pydicom.dcmread(path)
        assert orthanc.file(there[ds.SOPInstanceUID]).endswith(as_dataset_bytes(ds))


@pytest.mark.peer("orthanc")
def test_the_same_batch_again_is_delivered_again_without_effect(orthanc, a_series):
    sender = DimseSender(target(orthanc))
    parcels = [a_parcel(path) for path in a_series]

    first, second = sender.deliver(parcels), sender.deliver(parcels)
    alive = sender.probe()
    sender.close()

    assert {receipt.is_success for receipt in (*first, *second, alive)} == {True}
    assert len(orthanc.instances()) == 5


@pytest.mark.peer("orthanc")
def test_a_node_takes_what_orthanc_sends(orthanc, node, tmp_path):
    for ds in (a_cr(), an_us_cine()):
        path = tmp_path / f"{ds.Modality}.dcm"
        path.write_bytes(as_file(ds))
    send_files([tmp_path / "CR.dcm", tmp_path / "US.dcm"], target(orthanc))
    orthanc.knows("node", "VIENANH", node.port)

    orthanc.call("/modalities/node/echo", {})
    orthanc.call("/modalities/node/store", list(orthanc.instances().values()))

    assert sorted(node.instances()) == sorted((a_cr().SOPInstanceUID, an_us_cine().SOPInstanceUID))
    assert node.studies() == [("complete", "association-released", 1)] * 2


@pytest.mark.peer("orthanc")
def test_orthanc_asks_a_node_for_commitment_and_hears_of_it(orthanc, node, tmp_path):
    path = tmp_path / "cr.dcm"
    path.write_bytes(as_file(a_cr()))
    send_files([path], target(orthanc))
    orthanc.knows("node", "VIENANH", node.port)
    orthanc.call("/modalities/node/store", list(orthanc.instances().values()))
    soon = ManualClock(datetime.now(UTC) + timedelta(minutes=1))
    caller = Target("127.0.0.1", orthanc.dicom_port, orthanc.ae_title, "VIENANH", 30.0)
    reporter = CommitmentReporter(node.database, soon, {"ORTHANC": caller})
    kept = [{"SOPClassUID": a_cr().SOPClassUID, "SOPInstanceUID": uid} for uid in (a_cr().SOPInstanceUID, "1.2.404")]

    transaction = orthanc.call("/modalities/node/storage-commitment", {"DicomInstances": kept})["ID"]
    wait_until(lambda: reporter.run_once() == 1)  # it released the association of its request

    told = orthanc.call(f"/storage-commitment/{transaction}")
    assert told["Status"] == "Failure"
    assert told["RemoteAET"] == "VIENANH"
    assert [one["SOPInstanceUID"] for one in told["Success"]] == [a_cr().SOPInstanceUID]
    assert [(one["SOPInstanceUID"], one["FailureReason"]) for one in told["Failures"]] == [("1.2.404", 0x0112)]


@pytest.mark.peer("orthanc")
def test_orthanc_retrieves_from_a_node_by_move_to_itself(orthanc, start_node, a_series):
    here = {"name": "orthanc", "kind": "dimse", "profile": "none", "host": "127.0.0.1", "port": orthanc.dicom_port}
    node = start_node(destinations=[here | {"ae_title": orthanc.ae_title}])
    send_files(a_series, Target("127.0.0.1", node.port, "VIENANH", "CT1", 30.0))
    study = pydicom.dcmread(a_series[0]).StudyInstanceUID
    orthanc.knows("node", "VIENANH", node.port)

    orthanc.call(
        "/modalities/node/move",
        {"Level": "Study", "Resources": [{"StudyInstanceUID": study}], "TargetAet": "ORTHANC", "Synchronous": True},
    )

    there = orthanc.instances()
    assert len(there) == 5
    for path in a_series:
        ds = pydicom.dcmread(path)
        assert orthanc.file(there[ds.SOPInstanceUID]).endswith(as_dataset_bytes(ds))


@pytest.mark.peer("orthanc")
def test_a_private_sop_class_that_orthanc_does_not_take_is_poison_for_this_instance_alone(orthanc, a_series, tmp_path):
    path = tmp_path / "private.dcm"
    path.write_bytes(as_file(a_cr(SOPClassUID="1.3.6.1.4.1.99999.1.2.3")))
    sender = DimseSender(target(orthanc))

    receipts = sender.deliver([a_parcel(path), a_parcel(a_series[0])])
    sender.close()

    assert receipts[1].is_success
    assert receipts[0].is_success or (receipts[0].state, receipts[0].cause) == (ReceiptState.REFUSED, Cause.POISON)
