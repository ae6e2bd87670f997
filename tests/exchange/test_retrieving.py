"""`vienanh get` and `vienanh move`: a study comes here from another PACS, whole, once, and goes on after a cut."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import evt
from pynetdicom.sop_class import (
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)
from sqlalchemy import select
from typer.testing import CliRunner

from exchange.commands.table import app
from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.scp.services import Drain, response
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.line import Serving
from gateway.dimse.scu.retrieve_scu import Order, Progress, find_instances, retrieve
from gateway.dimse.scu.sender import send_files
from gateway.dimse.upper_layer.commands import Field
from gateway.peers import Source
from kernel.archive.tables import instance, study
from kernel.database import Database
from kernel.dicom.vocabulary.syntaxes import SYNTAXES
from routing.tables import job
from tests.support.builders import a_ct_series, as_dataset_bytes, as_file
from tests.support.entities import an_entity
from tests.support.nodes import NodeProcess

SERIES = [dcmread(BytesIO(as_file(ds))) for ds in a_ct_series(6)]
STUDY = SERIES[0].StudyInstanceUID


@dataclass
class Pacs:
    """pynetdicom as the PACS that has the study."""

    datasets: list[Dataset] = field(default_factory=lambda: SERIES)
    cut_after: int | None = None  # instances of the first association
    offers: tuple = (StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelGet)
    status: int | None = None
    refuses: int | None = None  # the status of what it is asked to send
    withheld: int = 0  # instances that it names and does not send
    asked: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ae = an_entity("PACS")
        for model in self.offers:
            ae.add_supported_context(model)
        ae.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
        self.server = ae.start_server(
            ("127.0.0.1", 0),
            block=False,
            evt_handlers=[(evt.EVT_C_FIND, self._find), (evt.EVT_C_GET, self._get)],
        )

    @property
    def name(self) -> str:
        return f"PACS@127.0.0.1:{self.server.socket.getsockname()[1]}"

    def _find(self, event) -> Iterator:
        level = event.identifier.QueryRetrieveLevel
        if self.status is not None:
            yield self.status, None
            return
        if level == "SERIES":
            ds = Dataset()
            ds.SeriesInstanceUID = self.datasets[0].SeriesInstanceUID
            yield 0xFF00, ds
            return
        for one in self.datasets:
            ds = Dataset()
            ds.SOPInstanceUID, ds.SOPClassUID = one.SOPInstanceUID, one.SOPClassUID
            yield 0xFF00, ds

    def _get(self, event) -> Iterator:
        uids = event.identifier.SOPInstanceUID
        uids = [uids] if isinstance(uids, str) else list(uids)
        self.asked.append(uids)
        found = [one for one in self.datasets if one.SOPInstanceUID in uids][self.withheld :]
        yield len(found)
        if self.refuses is not None:
            yield self.refuses, Dataset()
            return
        for number, one in enumerate(found):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            if len(self.asked) == 1 and number == self.cut_after:
                event.assoc.abort()
                return
            yield 0xFF00, one


@pytest.fixture
def pacs():
    started: list[Pacs] = []

    def start(**settings) -> Pacs:
        started.append(Pacs(**settings))
        return started[-1]

    yield start
    for one in started:
        one.server.shutdown()


def vienanh(folder: Path, *arguments: str):
    return CliRunner().invoke(app, [*arguments, "--data", str(folder / "data")])


def here(folder: Path) -> list[str]:
    database = Database.open(folder / "data" / "vienanh.db")
    with database.read() as connection:
        found = list(connection.execute(select(instance.c.sop_instance_uid).order_by(instance.c.pk)).scalars())
    database.close()
    return found


def test_a_study_comes_here_and_its_end_is_evidence_that_it_is_complete(pacs, tmp_path):
    there = pacs()

    result = vienanh(tmp_path, "get", STUDY, "--from", there.name)

    assert result.exit_code == 0, result.output
    assert "6 of 6 instances are here (0 were before, 0 failed)." in result.output
    assert here(tmp_path) == [ds.SOPInstanceUID for ds in SERIES]
    assert evidence(tmp_path) == [("complete", "association-released")]


def evidence(folder: Path) -> list[tuple[str, str]]:
    database = Database.open(folder / "data" / "vienanh.db")
    with database.read() as connection:
        found = [(row.state, row.evidence) for row in connection.execute(select(study))]
    database.close()
    return found


def test_what_is_fetched_from_a_peer_that_brings_reports_back_is_led_home_also_while_no_node_runs(pacs, tmp_path):
    (tmp_path / "node.toml").write_text('[routing]\nreturns_from = ["PACS"]\n')

    result = vienanh(tmp_path, "get", STUDY, "--from", pacs().name, "--config", str(tmp_path / "node.toml"))

    assert result.exit_code == 0, result.output
    database = Database.open(tmp_path / "data" / "vienanh.db")
    with database.read() as connection:
        kinds = list(connection.execute(select(job.c.kind)).scalars())
    database.close()
    assert kinds == ["reidentify"] * len(SERIES)


def test_a_study_of_which_something_is_lacking_is_not_complete(pacs, tmp_path):
    there = pacs(withheld=2)

    result = vienanh(tmp_path, "get", STUDY, "--from", there.name)

    assert "4 of 6 instances are here" in result.output
    assert result.exit_code != 0
    ((state, why),) = evidence(tmp_path)
    assert (state, why or "") == ("receiving", "")


def test_what_is_here_already_is_not_asked_for_again(pacs, tmp_path):
    first, second = pacs(datasets=SERIES[:4]), pacs()
    vienanh(tmp_path, "get", STUDY, "--from", first.name)

    result = vienanh(tmp_path, "get", STUDY, "--from", second.name)
    again = vienanh(tmp_path, "get", STUDY, "--from", second.name)

    assert "6 of 6 instances are here (4 were before, 0 failed)." in result.output
    assert second.asked == [[ds.SOPInstanceUID for ds in SERIES[4:]]]
    assert again.exit_code == 0
    assert len(second.asked) == 1


def test_a_retrieval_that_is_cut_off_goes_on_with_what_is_missing(pacs, tmp_path):
    there = pacs(cut_after=2)

    result = vienanh(tmp_path, "get", STUDY, "--from", there.name)

    assert result.exit_code == 0, result.output
    assert [len(uids) for uids in there.asked] == [6, 4]
    assert "6 of 6 instances are here (2 were before, 0 failed)." in result.output


def test_many_instances_are_asked_for_in_batches(pacs, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scu.retrieve_scu.BATCH_INSTANCES", 4)
    there = pacs()

    result = vienanh(tmp_path, "get", STUDY, "--from", there.name)

    assert result.exit_code == 0
    assert [len(uids) for uids in there.asked] == [4, 2]


def test_a_retrieval_can_be_stopped_between_two_responses(pacs):
    there = pacs()
    title, _, port = there.name.partition("@127.0.0.1:")
    target = Target("127.0.0.1", int(port), title, "VIENANH", 30.0)
    came: list[str] = []
    serving = Serving(only_storage(came), Source("pacs", "BVA"), "session")
    found = find_instances(target, STUDY)
    progress = Progress(len(found))

    retrieve(target, Order("get", STUDY), found, progress, serving=serving, tell=lambda now: now.completed >= 2)

    assert progress.cancelled
    assert progress.status == 0xFE00
    assert 2 <= len(came) < len(SERIES)
    assert not progress.is_whole


def only_storage(came: list[str]) -> Offers:
    """Offers that note what came and keep nothing."""

    class Note:
        def begin(self, session, message):
            came.append(message.command["AffectedSOPInstanceUID"])
            return Drain(response(message, 0), 1 << 30)

    return Offers({}, Offer("store", {Field.C_STORE_RQ: Note()}, SYNTAXES), private_storage=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"offers": (StudyRootQueryRetrieveInformationModelGet,)}, "does not offer this service"),
        ({"offers": (StudyRootQueryRetrieveInformationModelFind,)}, "does not offer this service"),
        ({"status": 0xA700}, "C-FIND status A700"),
        ({"datasets": []}, "0 of 0 instances are here"),
    ],
)
def test_a_pacs_that_cannot_is_told_in_words(pacs, tmp_path, settings, said):
    if settings.get("datasets") == []:
        settings = {"status": 0x0000}

    result = vienanh(tmp_path, "get", STUDY, "--from", pacs(**settings).name)

    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


def test_what_a_pacs_refuses_to_send_is_told_with_what_to_look_at(pacs, tmp_path):
    result = vienanh(tmp_path, "get", STUDY, "--from", pacs(refuses=0xA702).name)

    told = " ".join(result.output.split())
    assert result.exit_code == 2
    assert "0 of 6 instances are here" in told
    assert "A702: it cannot send them; look at its log, and whether it reaches the receiver." in told


def test_more_instances_than_the_bound_are_refused(pacs, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scu.retrieve_scu.INSTANCES_MAX", 5)

    result = vienanh(tmp_path, "get", STUDY, "--from", pacs().name)

    assert "INSTANCES_MAX exceeded" in str(result.exception)


NODE = """
[node]
site = "BVA"
data = "DATA"
[dimse]
port = 0
processes = {processes}
[http]
port = 0
"""


@pytest.mark.peer("orthanc")
@pytest.mark.parametrize("processes", [0, 1])
def test_a_running_node_gets_and_moves_from_orthanc(orthanc, tmp_path, processes):
    paths = []
    for ds in SERIES:
        paths.append(tmp_path / f"{ds.InstanceNumber}.dcm")
        paths[-1].write_bytes(as_file(ds, ExplicitVRLittleEndian))
    send_files(paths, Target("127.0.0.1", orthanc.dicom_port, orthanc.ae_title, "CT1", 30.0))
    peer = f"{orthanc.ae_title}@127.0.0.1:{orthanc.dicom_port}"
    got = NodeProcess(tmp_path / "got", NODE.format(processes=processes)).start()
    moved = NodeProcess(tmp_path / "moved", NODE.format(processes=processes)).start()
    orthanc.knows("moved", "MOVED", moved.dimse_port)
    orthanc.knows("got", "VIENANH", got.dimse_port)

    by_get = got.run("get", STUDY, "--from", peer)
    by_move = moved.run("move", STUDY, "--from", peer, "--to", "MOVED")

    assert by_get.returncode == 0, by_get.stderr
    assert by_move.returncode == 0, by_move.stderr
    assert "6 of 6 instances are here" in by_move.stdout
    for node in (got, moved):
        assert sorted(node.instances(STUDY)) == sorted(ds.SOPInstanceUID for ds in SERIES)
        assert node.stop() == 0
    assert as_dataset_bytes(SERIES[0]) in b"".join(path.read_bytes() for path in (got.data / "blobs").glob("*/*-*"))
