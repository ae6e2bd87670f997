"""C-STORE and C-ECHO as real peers use them: DCMTK, pynetdicom, and a scripted socket."""

import concurrent.futures
import hashlib

import pydicom
import pytest
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AllStoragePresentationContexts

from gateway.dimse.upper_layer import pdu
from tests.dimse import scripts
from tests.dimse.conftest import dcmtk
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine, as_dataset_bytes, as_file
from tests.support.entities import an_entity


@pytest.mark.peer("dcmtk")
def test_dcmtk_verifies_the_node(node):
    run = dcmtk("echoscu", "-v", "-aec", "VIENANH", "127.0.0.1", node.port)

    assert "Received Echo Response (Success)" in run.stderr


@pytest.mark.peer("dcmtk")
def test_a_series_that_dcmtk_sends_is_stored_byte_for_byte_and_complete_on_release(node, a_series):
    dcmtk("storescu", "-aec", "VIENANH", "127.0.0.1", node.port, *a_series)

    sent = {pydicom.dcmread(path).SOPInstanceUID: path for path in a_series}
    assert set(node.instances()) == set(sent)
    for uid, blob in zip(node.instances(), node.blob_paths(), strict=True):
        assert blob.read_bytes().endswith(as_dataset_bytes(pydicom.dcmread(sent[uid])))
        assert uid in dcmtk("dcmdump", blob).stdout
    assert node.studies() == [("complete", "association-released", 5)]
    assert [(site, released) for site, _, released in node.sessions] == [("BVA", True)]
    assert node.incoming() == []


@pytest.mark.peer("dcmtk")
def test_four_senders_at_once_lose_nothing(node, tmp_path):
    for sender in range(4):
        for ds in a_ct_series(15, seed=f"sender{sender}"):
            (tmp_path / f"{sender}-{ds.InstanceNumber}.dcm").write_bytes(as_file(ds))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(dcmtk, "storescu", "127.0.0.1", node.port, *sorted(tmp_path.glob(f"{sender}-*.dcm")))
            for sender in range(4)
        ]

    assert [run.result().returncode for run in runs] == [0, 0, 0, 0]
    assert len(set(node.instances())) == 60
    assert node.studies() == [("complete", "association-released", 15)] * 4


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(
    "name",
    [
        "JPEG2000.dcm",
        "JPGLosslessP14SV1_1s_1f_8b.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "image_dfl.dcm",
        "693_J2KI.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_implicit.dcm",
    ],
)
def test_an_instance_is_kept_in_the_transfer_syntax_in_which_it_is_sent(node, samples, name):
    (path,) = list(samples.rglob(name))[:1] or pytest.skip(f"no sample {name}")
    meta = pydicom.dcmread(path, stop_before_pixels=True, force=True).file_meta

    dcmtk("storescu", "-xf", "/etc/dcmtk/storescu.cfg", "AllDICOM", "127.0.0.1", node.port, path, check=False)
    if not node.instances():  # DCMTK does not know this syntax; pynetdicom does
        send_with_pynetdicom(node.port, path)

    (blob,) = node.blob_paths()
    assert pydicom.dcmread(blob, stop_before_pixels=True).file_meta.TransferSyntaxUID == meta.TransferSyntaxUID


def send_with_pynetdicom(port, path) -> int:
    ds = pydicom.dcmread(path)
    ae = an_entity()
    ae.add_requested_context(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
    association = ae.associate("127.0.0.1", port)
    status = association.send_c_store(path)
    association.release()
    return status.Status


def test_pynetdicom_stores_and_releases(node, tmp_path):
    path = tmp_path / "us.dcm"
    path.write_bytes(as_file(an_us_cine()))

    assert send_with_pynetdicom(node.port, path) == 0
    assert node.studies() == [("complete", "association-released", 1)]


def test_pynetdicom_proposes_128_contexts_and_gets_an_answer_to_each(node):
    ae = an_entity()
    ae.requested_contexts = AllStoragePresentationContexts[:127]
    ae.add_requested_context("1.2.840.10008.1.1")

    association = ae.associate("127.0.0.1", node.port)
    accepted = len(association.accepted_contexts)
    association.release()

    assert accepted == 128


def test_the_same_bytes_twice_are_a_success_without_effect(node):
    ds = a_ct()
    content = as_dataset_bytes(ds)

    with node.call() as peer:
        first = peer.stores(content, sop_instance_uid=ds.SOPInstanceUID)
        second = peer.stores(content, sop_instance_uid=ds.SOPInstanceUID, message_id=2)
        peer.releases()

    assert (first["Status"], second["Status"]) == (0, 0)
    assert second["MessageIDBeingRespondedTo"] == 2
    assert second["AffectedSOPInstanceUID"] == ds.SOPInstanceUID
    assert len(node.instances()) == 1


def test_other_bytes_under_a_known_uid_are_kept_apart_and_said(node):
    ds = a_ct()
    other = a_ct(StudyDescription="khac", SOPInstanceUID=ds.SOPInstanceUID)

    with node.call() as peer:
        peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        answer = peer.stores(as_dataset_bytes(other), sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()

    assert answer["Status"] == 0x0111
    assert answer["ErrorComment"].startswith("Instance 2.25.")
    assert len(node.instances()) == 1
    assert node.conflicts() == 1


@pytest.mark.parametrize("fragment_bytes", [1, 7, 4096, 131066])
def test_the_size_of_fragments_does_not_matter(node, fragment_bytes):
    ds = a_ct(rows=16, columns=16)
    content = as_dataset_bytes(ds)

    with node.call() as peer:
        peer.say(scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), content, fragment_bytes=fragment_bytes))
        assert peer.hear_response()["Status"] == 0
        peer.releases()

    (blob,) = node.blob_paths()
    assert hashlib.sha256(blob.read_bytes()[-len(content) :]).digest() == hashlib.sha256(content).digest()


def test_requests_sent_ahead_are_answered_in_order(node):
    slices = list(a_ct_series(4, rows=16, columns=16))

    with node.call() as peer:
        for number, ds in enumerate(slices, start=1):
            request = scripts.a_store_request(ds.SOPInstanceUID, message_id=number)
            peer.say(scripts.a_message(request, as_dataset_bytes(ds)))
        answers = [peer.hear_response() for _ in slices]
        peer.releases()

    assert [answer["MessageIDBeingRespondedTo"] for answer in answers] == [1, 2, 3, 4]
    assert {answer["Status"] for answer in answers} == {0}


def test_a_private_sop_class_is_taken_by_policy_only(start_node):
    private = pdu.ProposedContext(1, "1.3.12.2.1107.5.9.1", (scripts.EXPLICIT,))

    open_node, strict = start_node(), start_node(accept_private_sop_classes=False)

    with open_node.call(contexts=(private,)) as peer:
        assert peer.answer.contexts[0].result is pdu.ContextResult.ACCEPTANCE
    with strict.call(contexts=(private,)) as peer:
        assert peer.answer.contexts[0].result is pdu.ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED


def test_an_instance_in_implicit_vr_is_stored_as_sent(node):
    ds = a_cr()
    context = pdu.ProposedContext(3, ds.SOPClassUID, (ImplicitVRLittleEndian, scripts.EXPLICIT))
    content = as_dataset_bytes(ds, ImplicitVRLittleEndian)

    with node.call(contexts=(context,)) as peer:
        answer = peer.stores(content, sop_class_uid=ds.SOPClassUID, sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()

    assert answer["Status"] == 0
    assert node.blob_paths()[0].read_bytes().endswith(content)


def test_an_unknown_operation_is_refused_and_the_association_lives_on(node):
    request = scripts.an_echo_request() | {"CommandField": 0x0070, "CommandDataSetType": 1}

    with node.call() as peer:
        peer.say(scripts.a_message(request, b"\0" * 5000, context_id=1))
        assert peer.hear_response()["Status"] == 0x0211
        peer.say(scripts.a_message(scripts.an_echo_request(2), context_id=1))
        assert peer.hear_response() == {
            "AffectedSOPClassUID": scripts.VERIFICATION,
            "CommandField": 0x8030,
            "MessageIDBeingRespondedTo": 2,
            "CommandDataSetType": 0x0101,
            "Status": 0,
        }
        peer.releases()


@pytest.mark.parametrize("lie", [0, 2, -2])
def test_a_header_read_ahead_counts_only_when_the_pixels_fill_what_it_said(node, lie):
    """A large slice is read ahead; one whose pixel data is longer or shorter than declared is looked at whole."""
    ds = a_ct(rows=256, columns=256)
    content = as_dataset_bytes(ds)
    sent = content if lie == 0 else content + b"\0" * 2 if lie > 0 else content[:-2]

    with node.call() as peer:
        answer = peer.stores(sent, sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()

    if lie >= 0:  # two zero bytes after the end are padding that readers agree to overlook
        assert answer["Status"] == 0
        assert node.blob_paths()[0].read_bytes().endswith(sent)
    else:
        assert answer["Status"] == 0xC000
        assert node.quarantined() == ["MalformedInstance"]
