"""C-FIND as the asking side: our own node, pynetdicom and Orthanc as peers, and `vienanh find`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyorthanc
import pytest
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.node.assemble import Node
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.find_scu import Question, find
from gateway.dimse.scu.sender import send_files
from kernel.dicom.queries.identifier import texts
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.errors import InvalidQuery, PeerBusy, PeerUnreachable, Refused
from tests.dimse.filled import fill
from tests.dimse.test_find import add_many_studies
from tests.support.builders import a_cr, a_ct_series, as_file
from tests.support.entities import an_entity
from tests.support.wired import wired_node

CT = list(a_ct_series(3, seed="ct", PatientID="A1", PatientName="Nguyễn^Thị Hương", StudyDate="20261101"))
CR = a_cr(seed="cr", PatientID="B2", PatientName="Đặng^Văn Bình", StudyDate="20261102")


def paths(**keys: str) -> dict[tuple[int, ...], str]:
    return {tuple(TAG_OF[part] for part in keyword.split("__")): text for keyword, text in keys.items()}


def told(models, keyword: str) -> list[str]:
    return ["\\".join(texts(model.get(f"{TAG_OF[keyword]:08X}"))) for model in models]


@pytest.fixture
def node(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Node]:
    with wired_node(tmp_path / "node", migrated_sqlite) as running:
        fill(running, [*CT, CR])
        yield running


def at(node: Node) -> Target:
    return Target("127.0.0.1", node.listener.port, "VIENANH", "SCU", 20.0)


def test_a_node_is_asked_at_every_level(node: Node):
    patients = Question("PATIENT", paths(PatientName="*h*", PatientID=""), root="patient")
    studies = Question("STUDY", paths(PatientName="NGUYỄN*", StudyDate=""))
    series = Question("SERIES", paths(StudyInstanceUID=CT[0].StudyInstanceUID, Modality=""))
    uids = {"StudyInstanceUID": CT[0].StudyInstanceUID, "SeriesInstanceUID": CT[0].SeriesInstanceUID}
    images = Question("IMAGE", paths(**uids, InstanceNumber="", Rows=""))
    fuzzy = Question("STUDY", paths(PatientName="huong nguyen", PatientID=""), matching=frozenset({"fuzzy"}))

    assert told(find(at(node), patients, most=10), "PatientID") == ["B2", "A1"]
    assert told(find(at(node), studies, most=10), "StudyDate") == ["20261101"]
    assert told(find(at(node), studies, most=10), "PatientName") == ["Nguyễn^Thị Hương"]
    assert told(find(at(node), series, most=10), "Modality") == ["CT"]
    assert told(find(at(node), images, most=10), "InstanceNumber") == ["1", "2", "3"]
    assert told(find(at(node), fuzzy, most=10), "PatientID") == ["A1"]


def test_more_than_was_wanted_is_cancelled(tmp_path: Path, migrated_sqlite: Path):
    with wired_node(tmp_path / "node", migrated_sqlite) as node:
        add_many_studies(node, 20_000)

        found = list(find(at(node), Question("STUDY", paths(StudyInstanceUID="")), most=5))

    assert len(set(told(found, "StudyInstanceUID"))) == 5


def scp(answers) -> Iterator[int]:
    """A pynetdicom SCP that answers as it is told."""
    ae = an_entity("PEER")
    ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, answers)])
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (0xA700, PeerBusy, "PEER cannot take more now: C-FIND status A700: it is out of resources now"),
        (0xA900, Refused, "PEER answers with C-FIND status A900: it does not take these keys at this level"),
        (0xC001, Refused, "PEER answers with C-FIND status C001: it cannot process the query; look at its log"),
    ],
)
def test_a_failure_is_told_by_its_status_and_without_the_peers_words(status, error, message):
    def answers(event):
        ds = Dataset()
        ds.Status, ds.ErrorComment = status, "Nguyen Thi Huong is not here"
        yield ds, None

    for port in scp(answers):
        with pytest.raises(error, match=message) as caught:
            list(find(Target("127.0.0.1", port, "PEER", "SCU", 10.0), Question("STUDY", {}), most=1))
        assert "Nguyen" not in str(caught.value)


def test_what_is_asked_for_arrives_as_it_was_meant():
    heard: list[Dataset] = []

    def answers(event):
        heard.append(event.identifier)
        answer = Dataset()
        answer.PatientName = "TRAN^AN"
        yield 0xFF01, answer

    keys = paths(
        PatientName="NGUYỄN*=阮*", StudyInstanceUID="1.2\\1.3", StudyDate="20261101-", SeriesNumber="7",
        RequestAttributesSequence__ScheduledProcedureStepID="S1", RequestAttributesSequence__RequestedProcedureID="",
    )  # fmt: skip
    for port in scp(answers):
        found = list(find(Target("127.0.0.1", port, "PEER", "SCU", 10.0), Question("SERIES", keys), most=9))

    assert told(found, "PatientName") == ["TRAN^AN"]
    (identifier,) = heard
    assert identifier.SpecificCharacterSet == "ISO_IR 192"
    assert (identifier.QueryRetrieveLevel, identifier.PatientName) == ("SERIES", "NGUYỄN*=阮*")
    assert (identifier.StudyInstanceUID, identifier.StudyDate) == (["1.2", "1.3"], "20261101-")
    (item,) = identifier.RequestAttributesSequence
    assert (item.ScheduledProcedureStepID, item.RequestedProcedureID) == ("S1", "")


def test_a_peer_that_is_not_there_or_has_no_query_is_said(node: Node):
    with pytest.raises(PeerUnreachable, match="VIENANH cannot be reached: no connection"):
        list(find(Target("127.0.0.1", 1, "VIENANH", "SCU", 1.0), Question("STUDY", {}), most=1))
    with pytest.raises(InvalidQuery, match="a key is not a value of its VR"):
        list(find(at(node), Question("IMAGE", paths(Rows="many")), most=1))


@pytest.mark.peer("orthanc")
def test_orthanc_is_asked(orthanc, tmp_path: Path):
    for number, ds in enumerate([*CT, CR]):
        (tmp_path / f"{number}.dcm").write_bytes(as_file(ds))
    orthanc.knows("asker", "SCU", 1)
    target = Target("127.0.0.1", orthanc.dicom_port, orthanc.ae_title, "SCU", 20.0)
    assert all(one.receipt.is_success for one in send_files([tmp_path], target))

    studies = list(
        find(target, Question("STUDY", paths(PatientName="Nguy*", PatientID="", ModalitiesInStudy="")), most=9)
    )
    images = Question(
        "IMAGE",
        paths(StudyInstanceUID=CT[0].StudyInstanceUID, SeriesInstanceUID=CT[0].SeriesInstanceUID, SOPInstanceUID=""),
    )

    assert (told(studies, "PatientID"), told(studies, "PatientName")) == (["A1"], ["Nguyễn^Thị Hương"])
    assert sorted(told(find(target, images, most=9), "SOPInstanceUID")) == sorted(ds.SOPInstanceUID for ds in CT)


@pytest.mark.peer("orthanc")
def test_orthanc_asks_a_node_at_every_level(orthanc, node: Node):
    orthanc.knows("node", "VIENANH", node.listener.port)

    def asked(level: str, **query: str):
        with pyorthanc.Orthanc(orthanc.http) as client:
            made = pyorthanc.Modality(client, "node").query({"Level": level, "Query": query})
            return client.get_queries_id_answers(made["ID"], params={"expand": "", "simplify": ""})

    answers = asked("Study", PatientName="nguyen*", PatientID="", ModalitiesInStudy="")
    of_series = asked("Series", StudyInstanceUID=CT[0].StudyInstanceUID, Modality="")
    of_patients = asked("Patient", PatientID="B2", PatientName="")

    assert [(one["PatientID"], one["PatientName"], one["ModalitiesInStudy"]) for one in answers] == [
        ("A1", "Nguyễn^Thị Hương", "CT")
    ]
    assert [one["Modality"] for one in of_series] == ["CT"]
    assert [one["PatientName"] for one in of_patients] == ["Đặng^Văn Bình"]


def vienanh(*arguments: str):
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["find", *arguments])


def test_the_command_shows_a_table_or_json(node: Node):
    peer = f"VIENANH@127.0.0.1:{node.listener.port}"

    shown = vienanh("PatientName=nguyen*", "PatientComments", "--from", peer)
    uid = f"StudyInstanceUID={CT[0].StudyInstanceUID}"
    command = [sys.executable, "-m", "exchange", "find", uid, "Modality", "--level", "series", "--json", "--from", peer]
    as_json = subprocess.run(command, capture_output=True, text=True, check=True)
    nothing = vienanh("PatientID=nobody", "--from", peer)

    assert shown.exit_code == 0, shown.output
    assert "Nguyễn^Thị Hương" in shown.output
    assert "PatientComments" in shown.output
    assert "Đặng" not in shown.output
    (series,) = json.loads(as_json.stdout)
    assert series["00080060"] == {"vr": "CS", "Value": ["CT"]}
    assert nothing.exit_code == 0
    assert "Nguyễn" not in nothing.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PatientName=x"], "give --from AE@HOST:PORT or --dicomweb URL"),
        (["Nonsense=x", "--from", "A@b:1"], "Nonsense is no keyword of PS3.6 and no tag"),
        (["--from", "nobody"], "must be AE@HOST:PORT"),
        (["--from", "A@b:1", "--level", "frame"], "must be patient, study, series or image"),
        (["--from", "A@b:1", "--root", "tree"], "must be study or patient"),
        (["--dicomweb", "http://x", "--level", "patient"], "DICOMweb has no patients of their own"),
    ],
)
def test_a_command_that_cannot_be_understood_is_refused_in_words(arguments, message):
    ended = vienanh(*arguments)

    assert ended.exit_code == 2
    assert message in " ".join(ended.output.replace("│", " ").split())
