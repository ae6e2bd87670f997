"""Retrieval and commitment of a whole node, its listener in threads and in processes, also when it is killed."""

import pytest
from pynetdicom import evt

from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.sender import send_files
from kernel.archive.owner.asking import RemoteOwner
from kernel.errors import Busy
from tests.dimse.commitment_modality import Modality, a_request, committed, drain
from tests.dimse.conftest import PATIENCE_S
from tests.dimse.test_get import Getter, an_identifier
from tests.support.builders import a_ct_series
from tests.support.nodes import NodeProcess

NODE = """
[node]
site = "BVA"
data = "DATA"
[dimse]
port = 0
processes = {processes}
[http]
port = 0
[[source]]
name = "modality"
calling = ["MODALITY"]
services = ["store", "commit"]
[[source]]
name = "reader"
calling = ["GETTER"]
services = ["get"]
[[destination]]
name = "modality"
kind = "dimse"
profile = "none"
host = "127.0.0.1"
port = {port}
ae_title = "MODALITY"
"""


@pytest.fixture(params=[0, 1], ids=["threads", "processes"])
def node(request, tmp_path, modality):
    started = NodeProcess(tmp_path / "node", NODE.format(processes=request.param, port=modality.target.port)).start()
    yield started
    assert started.stop() == 0


def test_a_killed_node_still_gives_back_and_commits_what_it_took(node, modality, a_series):
    send_files(a_series, Target("127.0.0.1", node.dimse_port, "VIENANH", "CT1", PATIENCE_S))
    stored = list(a_ct_series(5))

    getter = Getter(node.dimse_port)
    responses = getter.gets(an_identifier("STUDY", StudyInstanceUID=stored[0].StudyInstanceUID))
    asked = asks_and_leaves(modality, node, a_request(stored))
    node.kill()
    drain(modality)
    node.start()

    assert responses[-1][0].Status == 0x0000
    assert [came[0] for came in getter.came] == [ds.SOPInstanceUID for ds in stored]
    assert asked == 0x0000
    where, event_type, report = modality.reports.get(timeout=60)  # its first try is 15 s after the result
    assert (where, event_type, committed(report)) == ("new", 1, [ds.SOPInstanceUID for ds in stored])


def asks_and_leaves(modality: Modality, node: NodeProcess, request) -> int:
    """Send N-ACTION and abort as soon as it is accepted."""
    association = modality.ae.associate(
        "127.0.0.1",
        node.dimse_port,
        ae_title="VIENANH",
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, lambda _: (0x0110, None))],  # it cannot take a report now
    )
    status, _ = association.send_n_action(request, 1, "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1")
    association.abort()
    return status.Status


def test_a_question_to_a_node_that_is_gone_is_busy(tmp_path):
    with pytest.raises(Busy):
        RemoteOwner(tmp_path / "commit.sock").ask("commitment.ask", b"")
