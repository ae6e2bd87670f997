"""The story of an order, on a real node: ordered by HL7, offered to the scanner, performed, complete, and read as work."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.dimse import test_mpps, test_worklist
from tests.dimse.test_mpps import SLICES, STUDY, _meta, a_beginning, an_end, creates, sets
from tests.hl7.conftest import Sender, an_orm
from tests.support.nodes import TOKEN, NodeProcess
from tests.support.workitems import a_state, a_workitem

SETTINGS = """
[node]
site = "MK01"
data = "DATA"
[dimse]
port = 0
processes = PROCESSES
[http]
port = 0
[hl7]
enabled = true
port = 0
[[source]]
name = "ct 1"
calling = "CT1"
address = "127.0.0.1"
services = ["store", "mpps", "worklist"]
[[station]]
ae_title = "CT1"
modality = ["CT"]
"""
ORDER = an_orm(accession="ACC1", study=STUDY, step="1", name="Nguyễn^Thị Hương", pid3="BN1")


class Listening:
    """A node process, as the helpers of the modality's tests call a node."""

    def __init__(self, port: int) -> None:
        self.listener = self
        self.port = port


@pytest.fixture(params=[0, 1], ids=["threads", "a listener process"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NodeProcess]:
    started = NodeProcess(tmp_path / "node", SETTINGS.replace("PROCESSES", str(request.param))).start()
    try:
        yield started
    finally:
        started.stop()


@pytest.mark.slow
def test_an_order_becomes_a_complete_study_and_a_work_item_although_the_node_is_killed_twice(node: NodeProcess):
    answer = orders(node)
    node.kill()
    node.start()

    again = orders(node)
    items, _ = test_worklist.asks(Listening(node.dimse_port), test_worklist.an_identifier(Modality="CT"))
    with test_mpps.modality(Listening(node.dimse_port)) as modality:
        assert creates(modality, a_beginning()).Status == 0
        assert sets(modality, an_end()).Status == 0
    node.kill()
    node.start()
    with test_mpps.modality(Listening(node.dimse_port)) as modality:
        for one in SLICES:
            one.file_meta = _meta(one)
            assert modality.send_c_store(one).Status == 0

    assert b"MSA|AA|MSG0001" in answer
    assert b"MSA|AA|MSG0001" in again
    assert [(item.PatientName, item.StudyInstanceUID) for item in items] == [("Nguyễn^Thị Hương", STUDY)]
    (study,) = node.studies()
    assert (study["state"], study["have"], study["expected"]) == ("complete", 3, 3)
    with node.client() as client:
        assert [one["status"] for one in client.get("/api/orders").json()] == ["COMPLETED"]
    reader_takes_it(node)


def orders(node: NodeProcess) -> bytes:
    sender = Sender(node.listening["hl7_port"])
    with sender.socket:
        return sender.sends(ORDER)


def reader_takes_it(node: NodeProcess) -> None:
    url = f"ws{node.url.removeprefix('http')}/dicom-web/ws/subscribers/READER1"
    with node.client() as client:
        worklist = "/dicom-web/workitems/1.2.840.10008.5.1.4.34.5/subscribers/READER1"
        assert client.post(worklist).headers["Content-Location"] == url
        with connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}, proxy=None) as channel:
            client.post("/dicom-web/workitems?1.2.77", json=a_workitem(StudyInstanceUID=STUDY)).raise_for_status()
            client.put("/dicom-web/workitems/1.2.77/state", json=a_state("IN PROGRESS")).raise_for_status()
            heard = [json.loads(channel.recv(timeout=20)) for _ in range(2)]
    assert [report["00741000"]["Value"] for report in heard] == [["SCHEDULED"], ["IN PROGRESS"]]
