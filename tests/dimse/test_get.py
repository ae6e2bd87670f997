"""C-GET: what was stored comes back on the association of the request, byte for byte where it can."""

import socket
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless
from pynetdicom import build_role, evt
from pynetdicom.sop_class import (
    CompositeInstanceRootRetrieveGet,
    CTImageStorage,
    PatientRootQueryRetrieveInformationModelGet,
    PatientStudyOnlyQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelGet,
    VLWholeSlideMicroscopyImageStorage,
)
from sqlalchemy import select

from gateway.dimse.listening import conversation
from gateway.dimse.scp import retrieve_progress, retrieve_send
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.sender import send_files
from kernel.archive.blobs import spool
from kernel.archive.tables import instance
from kernel.audit import Action
from kernel.dicom.scanning.part10 import file_meta
from tests.dimse.conftest import PATIENCE_S, Node, dcmtk
from tests.support.access import audited
from tests.support.builders import a_ct, a_ct_series, as_dataset_bytes, as_file
from tests.support.entities import an_entity
from tests.support.nodes import wait_until
from tests.wsi.builders import jpeg, texture
from tests.wsi.dicom_builders import a_header as a_slide_header
from tests.wsi.dicom_builders import as_file as as_slide_file

STUDY_GET = StudyRootQueryRetrieveInformationModelGet
PATIENT_GET = PatientRootQueryRetrieveInformationModelGet


def holds(node: Node, folder: Path, datasets, syntax: str = ExplicitVRLittleEndian) -> list[Dataset]:
    """Store instances at a node."""
    folder.mkdir(exist_ok=True)
    datasets = list(datasets)
    paths = []
    for ds in datasets:
        path = folder / f"{ds.SOPInstanceUID}.dcm"
        path.write_bytes(as_file(ds, syntax))
        paths.append(path)
    sent = send_files(paths, Target("127.0.0.1", node.port, "VIENANH", "CT1", PATIENCE_S))
    assert all(one.receipt.is_success for one in sent)
    return datasets


def an_identifier(level: str, **keys) -> Dataset:
    ds = Dataset()
    ds.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(ds, keyword, value)
    return ds


class Getter:
    """pynetdicom as C-GET SCU: keeps what came and every response."""

    def __init__(
        self,
        port: int,
        syntaxes=(ExplicitVRLittleEndian,),
        *,
        title: str = "GETTER",
        model=STUDY_GET,
        max_pdu: int = 16382,
        storage=CTImageStorage,
    ) -> None:
        self.model = model
        self.came: list[tuple[str, str, bytes]] = []  # instance, transfer syntax, data set
        self.cancel_after: int | None = None
        self.before_answering = lambda _: None  # told how many came
        ae = an_entity(title)
        ae.add_requested_context(model)
        for syntax in syntaxes:
            ae.add_requested_context(storage, syntax)
        self.association = ae.associate(
            "127.0.0.1",
            port,
            ae_title="VIENANH",
            max_pdu=max_pdu,
            ext_neg=[build_role(storage, scp_role=True)],
            evt_handlers=[(evt.EVT_C_STORE, self._store)],
        )
        assert self.association.is_established

    def _store(self, event) -> int:
        self.came.append(
            (event.request.AffectedSOPInstanceUID, event.context.transfer_syntax, event.request.DataSet.getvalue())
        )
        if self.cancel_after == len(self.came):
            event.assoc.send_c_cancel(1, query_model=self.model)
        self.before_answering(len(self.came))
        return 0x0000

    def gets(self, identifier: Dataset):
        responses = list(self.association.send_c_get(identifier, self.model, msg_id=1))
        self.association.release()
        return responses


def counts(status: Dataset) -> tuple[int | None, int, int, int]:
    return (
        status.get("NumberOfRemainingSuboperations"),
        status.NumberOfCompletedSuboperations,
        status.NumberOfFailedSuboperations,
        status.NumberOfWarningSuboperations,
    )


@pytest.mark.parametrize(("read_bytes_max", "parts_max"), [(1, 64), (1 << 20, 2), (1, 7)])
def test_it_is_the_same_whether_read_or_mapped_and_in_how_many_calls_it_goes(
    node: Node, tmp_path, monkeypatch, read_bytes_max, parts_max
):
    monkeypatch.setattr(retrieve_send, "READ_BYTES_MAX", read_bytes_max)
    monkeypatch.setattr(conversation, "PARTS_MAX", parts_max)
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    getter = Getter(node.port, max_pdu=1000)

    responses = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))

    assert responses[-1][0].Status == 0x0000
    assert [came for _, _, came in getter.came] == [as_dataset_bytes(ds) for ds in stored]
    assert len(getter.came[0][2]) > 8 * 1000  # that is nine PDUs


def test_a_study_comes_back_as_it_was_sent(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(5))
    getter = Getter(node.port)

    responses = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))

    status, identifier = responses[-1]
    assert status.Status == 0x0000
    assert counts(status) == (None, 5, 0, 0)
    assert identifier is None
    assert getter.came == [(ds.SOPInstanceUID, ExplicitVRLittleEndian, as_dataset_bytes(ds)) for ds in stored]


@pytest.mark.parametrize(
    ("model", "level", "keys", "expected"),
    [
        (PATIENT_GET, "PATIENT", ["PatientID"], 3),
        (PATIENT_GET, "STUDY", ["PatientID", "StudyInstanceUID"], 3),
        (PATIENT_GET, "STUDY", ["StudyInstanceUID"], 3),
        (PATIENT_GET, "SERIES", ["StudyInstanceUID", "SeriesInstanceUID"], 3),
        (PATIENT_GET, "IMAGE", ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], 1),
        (STUDY_GET, "IMAGE", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], 1),
        (PatientStudyOnlyQueryRetrieveInformationModelGet, "PATIENT", ["PatientID"], 3),
        (CompositeInstanceRootRetrieveGet, "IMAGE", ["SOPInstanceUID"], 1),
    ],
)
def test_every_level_of_every_model(node: Node, tmp_path, model, level, keys, expected):
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    getter = Getter(node.port, model=model)

    responses = getter.gets(an_identifier(level, **{key: stored[1][key].value for key in keys}))

    assert responses[-1][0].Status == 0x0000
    assert len(getter.came) == expected
    if expected == 1:
        assert getter.came[0][0] == stored[1].SOPInstanceUID


def test_a_list_of_uids_at_the_level_of_the_request(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(4))
    getter = Getter(node.port)
    first = stored[0]

    getter.gets(
        an_identifier(
            "IMAGE",
            StudyInstanceUID=first.StudyInstanceUID,
            SeriesInstanceUID=first.SeriesInstanceUID,
            SOPInstanceUID=[stored[3].SOPInstanceUID, "1.2.3.404", stored[1].SOPInstanceUID],
        )
    )

    assert [came[0] for came in getter.came] == [stored[1].SOPInstanceUID, stored[3].SOPInstanceUID]


def test_nothing_that_matches_is_a_success_without_sub_operations(node: Node):
    responses = Getter(node.port).gets(an_identifier("STUDY", StudyInstanceUID="1.2.3.404"))

    assert [(status.Status, *counts(status)) for status, _ in responses] == [(0x0000, None, 0, 0, 0)]


@pytest.mark.parametrize(
    ("identifier", "comment"),
    [
        (an_identifier("PATIENT", PatientID="1"), "none of STUDY, SERIES, IMAGE"),
        (an_identifier("STUDY"), "StudyInstanceUID is missing at level STUDY"),
        (an_identifier("SERIES", SeriesInstanceUID="1.2"), "StudyInstanceUID is missing"),
        (an_identifier("SERIES", StudyInstanceUID=["1.2", "1.3"], SeriesInstanceUID="1.2.1"), "several values"),
    ],
)
def test_an_identifier_that_is_none_of_its_model_is_refused(node: Node, identifier, comment):
    ((status, _),) = Getter(node.port).gets(identifier)

    assert status.Status == 0xA900
    assert status.ErrorComment.startswith("The identifier does not match the SOP class")


def test_what_is_no_uid_is_refused(node: Node, monkeypatch):
    ds = an_identifier("STUDY")
    ds.add_new(0x0020000D, "LO", "*' OR 1=1 --")

    ((status, _),) = Getter(node.port).gets(ds)

    assert status.Status == 0xA900


def test_more_uids_than_the_bound_are_refused(node: Node):
    uids = [f"1.2.{number}" for number in range(10_001)]

    ((status, _),) = Getter(node.port).gets(an_identifier("STUDY", StudyInstanceUID=uids))

    assert status.Status == 0xC001


@pytest.mark.parametrize("stored_as", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("taken", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_peer_with_one_plain_syntax_is_served_whatever_is_stored(node: Node, tmp_path, stored_as, taken):
    (ds,) = holds(node, tmp_path / "in", [a_ct()], stored_as)
    getter = Getter(node.port, [taken])

    responses = getter.gets(an_identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID))

    assert responses[-1][0].Status == 0x0000
    assert getter.came == [(ds.SOPInstanceUID, taken, as_dataset_bytes(ds, taken))]


def test_compressed_instances_go_as_stored_or_decoded(node: Node, tmp_path):
    ds = dcmread(BytesIO(as_file(a_ct())))
    pixels = ds.pixel_array.copy()
    ds.compress(RLELossless, generate_instance_uid=False)
    holds(node, tmp_path / "in", [ds], RLELossless)
    identifier = an_identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID)
    as_stored, decoded = (
        Getter(node.port, [ImplicitVRLittleEndian, RLELossless]),
        Getter(node.port, [ImplicitVRLittleEndian]),
    )

    as_stored.gets(identifier)
    decoded.gets(identifier)

    assert [came[1] for came in as_stored.came] == [RLELossless]
    assert [came[1] for came in decoded.came] == [ImplicitVRLittleEndian]
    path = tmp_path / "decoded.dcm"
    back = dcmread(save(path, decoded.came[0]))
    assert (back.pixel_array == pixels).all()


def test_what_must_be_transcoded_and_finds_no_space_is_failed_and_named(node: Node, tmp_path, monkeypatch):
    (ds,) = holds(node, tmp_path / "in", [a_ct()])
    identifier = an_identifier("STUDY", StudyInstanceUID=ds.StudyInstanceUID)
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 1000)
    monkeypatch.setattr(node.blobs, "_free_bytes_min", 2**62)

    as_stored = Getter(node.port).gets(identifier)[-1][0]
    refused, named = Getter(node.port, [ImplicitVRLittleEndian]).gets(identifier)[-1]

    assert (as_stored.Status, refused.Status) == (0x0000, 0xA702)
    assert named.FailedSOPInstanceUIDList == ds.SOPInstanceUID


def save(path: Path, came: tuple[str, str, bytes]) -> Path:
    path.write_bytes(file_meta(CTImageStorage, came[0], came[1]) + came[2])
    return path


def test_an_instance_that_cannot_be_sent_is_failed_and_named(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    with node.database.read() as connection:
        row = connection.execute(
            select(instance.c.blob_key).where(instance.c.sop_instance_uid == stored[1].SOPInstanceUID)
        ).one()
    node.blobs.path(row.blob_key).unlink()
    getter = Getter(node.port)

    status, identifier = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    assert status.Status == 0xB000
    assert counts(status) == (None, 2, 1, 0)
    assert identifier.FailedSOPInstanceUIDList == stored[1].SOPInstanceUID


def test_when_every_sub_operation_fails_the_retrieval_failed(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(2))
    getter = Getter(node.port, [JPEGBaseline8Bit])  # nothing that we make without loss

    status, identifier = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    assert status.Status == 0xA702
    assert counts(status) == (None, 0, 2, 0)
    assert list(identifier.FailedSOPInstanceUIDList) == [ds.SOPInstanceUID for ds in stored]


def test_cancelling_stops_between_two_sub_operations(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(6))
    getter = Getter(node.port)
    getter.cancel_after = 2

    status, _ = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    assert status.Status == 0xFE00
    remaining, completed, failed, warning = counts(status)
    assert (remaining + completed, failed, warning) == (6, 0, 0)
    assert 2 <= completed == len(getter.came) < 6


def test_progress_is_told_while_it_runs(node: Node, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scp.retrieve_service.PENDING_EVERY_S", 0.0)
    stored = holds(node, tmp_path / "in", a_ct_series(4))

    responses = Getter(node.port).gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))

    assert [(status.Status, *counts(status)[:2]) for status, _ in responses] == [
        (0xFF00, 3, 1),
        (0xFF00, 2, 2),
        (0xFF00, 1, 3),
        (0x0000, None, 4),
    ]


def test_the_list_of_failed_instances_is_bounded():
    progress = retrieve_progress.Progress(2000)
    for number in range(2000):
        progress.count(f"1.2.826.0.1.3680043.8.498.{number:038d}", None)

    encoded = progress.failed_list(ExplicitVRLittleEndian)

    assert progress.failed == 2000
    assert len(encoded) <= 8 + 65534
    assert encoded.count(b"\\") == retrieve_progress.FAILED_UIDS_MAX - 1


def test_a_source_gets_only_the_studies_of_its_site_and_every_study_is_audited(start_node, tmp_path):
    node = start_node(sources=[{"name": "elsewhere", "calling": "OTHER", "site": "BVB", "services": ["get"]}])
    stored = holds(node, tmp_path / "in", [a_ct()])
    identifier = an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID)
    stranger, known = Getter(node.port, title="OTHER"), Getter(node.port, title="READER")

    stranger.gets(identifier)
    known.gets(identifier)

    assert stranger.came == []
    assert len(known.came) == 1
    assert [line[:2] for line in audited(node.database, Action.INSTANCES_TRANSFERRED)] == [
        ("elsewhere", "serious failure"),
        ("AE READER", "success"),
    ]


def test_labels_of_slides_are_given_to_who_may_see_them_and_told_apart(start_node, tmp_path):
    node = start_node(sources=[{"name": "seeing", "calling": "SEEING", "services": ["get"], "labels": "show"}])
    label = a_slide_header(64, 48, 64, 1, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
    path = tmp_path / "label.dcm"
    path.write_bytes(as_slide_file(label, [jpeg(texture(64, 64))]))
    (sent,) = send_files([path], Target("127.0.0.1", node.port, "VIENANH", "CT1", PATIENCE_S))
    assert sent.receipt.is_success
    came, told = [], []

    for title in ("READER", "SEEING"):
        getter = Getter(node.port, (JPEGBaseline8Bit,), title=title, storage=VLWholeSlideMicroscopyImageStorage)
        getter.gets(an_identifier("STUDY", StudyInstanceUID=label.StudyInstanceUID))
        came.append(len(getter.came))
        told.append(sum("slide label" in detail for _, _, detail in audited(node.database)))

    assert (came, told) == ([0, 1], [0, 1])


def test_patients_of_two_sites_who_share_an_id_are_never_given_as_one(start_node, tmp_path):
    node = start_node(
        sources=[
            {"name": "theirs", "calling": "THEIRS", "site": "BVB", "services": ["store"]},
            {"name": "both", "calling": "BOTH", "sites": ["BVB"], "services": ["get"]},
        ]
    )
    ours, theirs = a_ct(seed="ours", PatientID="P1"), a_ct(seed="theirs", PatientID="P1")
    holds(node, tmp_path / "in", [ours])
    path = tmp_path / "theirs.dcm"
    path.write_bytes(as_file(theirs))
    (sent,) = send_files([path], Target("127.0.0.1", node.port, "VIENANH", "THEIRS", PATIENCE_S))
    assert sent.receipt.is_success
    whole, one = (Getter(node.port, title="BOTH", model=PATIENT_GET) for _ in range(2))

    (last, _) = whole.gets(an_identifier("PATIENT", PatientID="P1"))[-1]
    one.gets(an_identifier("STUDY", PatientID="P1", StudyInstanceUID=theirs.StudyInstanceUID))

    assert whole.came == []
    assert last.Status == 0xA900
    assert [came[0] for came in one.came] == [theirs.SOPInstanceUID]


@pytest.mark.peer("dcmtk")
def test_getscu_of_dcmtk_gets_a_series(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    out = tmp_path / "out"
    out.mkdir()

    dcmtk(
        "getscu", "-S", "-aec", "VIENANH", "-od", out,
        "-k", "QueryRetrieveLevel=SERIES",
        "-k", f"StudyInstanceUID={stored[0].StudyInstanceUID}",
        "-k", f"SeriesInstanceUID={stored[0].SeriesInstanceUID}",
        "127.0.0.1", node.port,
    )  # fmt: skip

    assert sorted(dcmread(path).SOPInstanceUID for path in out.iterdir()) == sorted(ds.SOPInstanceUID for ds in stored)


def test_getscu_of_pynetdicom_gets_a_study(node: Node, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    out = tmp_path / "out"
    out.mkdir()

    pynetdicom(
        "getscu", "127.0.0.1", node.port, "-S", "-aec", "VIENANH", "-od", out,
        "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={stored[0].StudyInstanceUID}",
    )  # fmt: skip

    assert sorted(dcmread(path).SOPInstanceUID for path in out.iterdir()) == sorted(ds.SOPInstanceUID for ds in stored)


def pynetdicom(*arguments: object) -> None:
    """Run one of pynetdicom's programs to its end."""
    subprocess.run([sys.executable, "-m", "pynetdicom", *map(str, arguments)], check=True, timeout=PATIENCE_S * 3)


@pytest.mark.parametrize("taken", [ExplicitVRLittleEndian, RLELossless])
def test_the_next_instance_is_made_ready_while_the_peer_works_on_the_one_before(
    node: Node, tmp_path, monkeypatch, taken
):
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    made: list[str] = []
    real = retrieve_send.DataSets._made

    def counted(self, located, uid):
        content = real(self, located, uid)
        made.append(located.sop_instance_uid)
        return content

    monkeypatch.setattr(retrieve_send.DataSets, "_made", counted)
    getter = Getter(node.port, [taken])
    getter.before_answering = lambda came: wait_until(lambda: len(made) >= min(came + 1, 3), what="the next one")

    status, _ = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))[-1]

    assert status.Status == 0x0000
    assert made == [one for one, _, _ in getter.came] == [ds.SOPInstanceUID for ds in stored]  # each once


def test_what_was_made_ready_for_a_peer_that_goes_away_is_let_go(node: Node, tmp_path, monkeypatch):
    stored = holds(node, tmp_path / "in", a_ct_series(3))
    waiting: list[spool.Scratch] = []
    closed: list[spool.Scratch] = []
    open_one, close = node.blobs.scratch, spool.Scratch.close
    monkeypatch.setattr(type(node.blobs), "scratch", lambda _: waiting.append(open_one()) or waiting[-1])
    monkeypatch.setattr(spool.Scratch, "close", lambda self: closed.append(self) or close(self))
    getter = Getter(node.port, [ImplicitVRLittleEndian])
    line = getter.association.dul.socket.socket
    getter.before_answering = lambda _: line.shutdown(socket.SHUT_RDWR)

    with line:  # pynetdicom does not close what the other side ended
        getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))

    wait_until(lambda: waiting and set(map(id, waiting)) == set(map(id, closed)), what="the end of what waits")
