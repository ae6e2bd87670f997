"""Both ways between a node and Orthanc."""

import pydicom
import pytest

from gateway.dimse.line import Target
from gateway.dimse.sender import DimseSender, send_files
from routing.transport import Cause, ReceiptState
from tests.dimse.test_sender import a_parcel
from tests.support.builders import a_cr, an_us_cine, as_dataset_bytes, as_file


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
def test_a_private_sop_class_that_orthanc_does_not_take_is_poison_for_this_instance_alone(orthanc, a_series, tmp_path):
    path = tmp_path / "private.dcm"
    path.write_bytes(as_file(a_cr(SOPClassUID="1.3.6.1.4.1.99999.1.2.3")))
    sender = DimseSender(target(orthanc))

    receipts = sender.deliver([a_parcel(path), a_parcel(a_series[0])])
    sender.close()

    assert receipts[1].is_success
    assert receipts[0].is_success or (receipts[0].state, receipts[0].cause) == (ReceiptState.REFUSED, Cause.POISON)
