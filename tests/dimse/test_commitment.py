"""Storage commitment: asked by N-ACTION, looked for, and answered by N-EVENT-REPORT, whatever happens in between."""

import queue

import pytest
from pydicom.uid import generate_uid
from pynetdicom import build_role, evt
from pynetdicom.sop_class import MRImageStorage, StorageCommitmentPushModel
from sqlalchemy import delete, select

from kernel.archive.tables import instance
from tests.dimse.commitment_modality import (
    WELL_KNOWN,
    a_request,
    committed,
    failures,
    states,
)
from tests.dimse.conftest import PATIENCE_S, Node
from tests.dimse.test_get import holds
from tests.support.builders import a_ct, a_ct_series
from tests.support.entities import an_entity


def test_what_is_kept_is_committed_on_the_same_association(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(3))

    assert modality.asks(node, a_request(stored)) == 0x0000

    where, event_type, report = modality.last
    assert (where, event_type) == ("same", 1)
    assert report.TransactionUID == "1.2.840.99.1"
    assert report.RetrieveAETitle == "VIENANH"
    assert committed(report) == [ds.SOPInstanceUID for ds in stored]
    assert "FailedSOPSequence" not in report
    assert states(node.database) == ["told"]


def test_every_instance_that_is_not_kept_is_named_with_its_reason(node: Node, modality, tmp_path):
    kept, gone, damaged, other = holds(node, tmp_path / "in", a_ct_series(4))
    with node.database.read() as connection:
        keys = dict(connection.execute(select(instance.c.sop_instance_uid, instance.c.blob_key)).all())
    node.blobs.path(keys[gone.SOPInstanceUID]).unlink()
    path = node.blobs.path(keys[damaged.SOPInstanceUID])
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    other.SOPClassUID = MRImageStorage

    modality.asks(node, a_request([kept, gone, damaged, other, a_ct(SOPInstanceUID="1.2.3.404")]))

    _, event_type, report = modality.last
    assert event_type == 2
    assert committed(report) == [kept.SOPInstanceUID]
    assert failures(report) == [
        (gone.SOPInstanceUID, 0x0110),
        (damaged.SOPInstanceUID, 0x0110),
        (other.SOPInstanceUID, 0x0119),
        ("1.2.3.404", 0x0112),
    ]


def test_instances_of_another_site_are_not_there(start_node, modality, tmp_path):
    node = start_node(sources=[{"name": "b", "calling": "MODALITY", "site": "BVB"}])
    stored = holds(node, tmp_path / "in", [a_ct()])

    modality.asks(node, a_request(stored))

    assert failures(modality.last[2]) == [(stored[0].SOPInstanceUID, 0x0112)]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"action": 2}, 0x0123), ({"of": "1.2.3.4"}, 0x0112)],
)
def test_what_is_no_request_for_commitment_is_refused(node: Node, modality, changes, status):
    assert modality.asks(node, a_request([a_ct()]), **changes) == status
    assert states(node.database) == []


def test_a_request_without_instances_or_without_a_transaction_is_refused(node: Node, modality):
    nothing, nameless = a_request([]), a_request([a_ct()])
    del nameless.TransactionUID

    assert modality.asks(node, nothing) == 0x0115
    assert modality.asks(node, nameless) == 0x0115


def test_a_request_of_too_many_instances_is_refused(node: Node, modality, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scp.commitment_messages.INSTANCES_MAX", 3)

    assert modality.asks(node, a_request(a_ct_series(4))) == 0x0213


@pytest.mark.parametrize(("bound", "value"), [("TRANSACTIONS_MAX", 2), ("REFERENCES_MAX", 5)])
def test_one_address_cannot_fill_the_table(node: Node, modality, monkeypatch, bound: str, value: int):
    monkeypatch.setattr(f"kernel.archive.commitment.requests.{bound}", value)

    answers = [modality.asks(node, a_request(a_ct_series(2), uid=f"1.2.840.99.{number}")) for number in (1, 2, 3)]

    assert answers == [0, 0, 0x0213]
    assert len(states(node.database)) == 2


def test_the_same_request_again_is_the_same_transaction_and_is_told_again(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(2))

    modality.asks(node, a_request(stored))
    modality.asks(node, a_request(stored))

    assert modality.last[1] == 1
    assert states(node.database) == ["told"]


def test_the_same_request_again_does_not_commit_to_what_was_deleted_meanwhile(node: Node, modality, tmp_path):
    kept, gone = holds(node, tmp_path / "in", a_ct_series(2))
    modality.asks(node, a_request([kept, gone]))
    assert committed(modality.last[2]) == [kept.SOPInstanceUID, gone.SOPInstanceUID]
    node.database.write(
        lambda connection: connection.execute(
            delete(instance).where(instance.c.sop_instance_uid == str(gone.SOPInstanceUID))
        )
    )

    modality.asks(node, a_request([kept, gone]))

    assert committed(modality.last[2]) == [kept.SOPInstanceUID]
    assert failures(modality.last[2]) == [(gone.SOPInstanceUID, 0x0112)]


def test_a_transaction_uid_used_for_other_instances_commits_none_of_them(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(2))
    modality.asks(node, a_request(stored[:1]))

    for _ in range(2):
        modality.asks(node, a_request(stored[1:]))

        assert modality.last[1] == 2
        assert failures(modality.last[2]) == [(stored[1].SOPInstanceUID, 0x0131)]


def test_a_requester_may_select_roles(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", [a_ct()])
    ae = an_entity("ROLES")
    ae.add_requested_context(StorageCommitmentPushModel)
    reports: queue.Queue = queue.Queue()
    association = ae.associate(
        "127.0.0.1",
        node.port,
        ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True, scp_role=False)],
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, lambda event: reports.put(event.event_type) or (0, None))],
    )

    association.send_n_action(a_request(stored, generate_uid()), 1, StorageCommitmentPushModel, WELL_KNOWN)

    assert reports.get(timeout=PATIENCE_S) == 1
    association.release()


def test_a_modality_that_asks_often_before_it_listens_hears_of_everything(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(8))
    node.desk.stop(5.0)  # nothing is decided until all is asked
    association = modality.ae.associate(
        "127.0.0.1",
        node.port,
        ae_title="VIENANH",
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, modality._report, ["same"]), (evt.EVT_DIMSE_SENT, modality._sent)],
    )

    asked = [
        association.send_n_action(a_request([ds], f"1.2.3.{n}"), 1, StorageCommitmentPushModel, WELL_KNOWN)[0].Status
        for n, ds in enumerate(stored, start=1)
    ]
    node.desk.run_once()
    told = [modality.reports.get(timeout=PATIENCE_S) for _ in stored]
    association.release()

    assert asked == [0x0000] * 8
    assert [(where, event_type) for where, event_type, _ in told] == [("same", 1)] * 8
    assert {report.TransactionUID for _, _, report in told} == {f"1.2.3.{n}" for n in range(1, 9)}
