"""QIDO-RS with the clients that are about: ours, dicomweb-client with its defaults, and the queries of OHIF."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.commands.table import app
from gateway.dicomweb.client.finding import Service, search
from kernel.dicom.queries.identifier import texts
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.errors import Forbidden, InvalidRequest, NotAuthenticated, PeerUnreachable, Refused
from tests.dicomweb.conftest import TOKEN, Node, running_node
from tests.support.builders import a_cr, a_ct, a_ct_series

CT = list(a_ct_series(3, seed="ct", PatientID="A1", PatientName="Nguyễn^Thị Hương", StudyDate="20261101"))
PRIOR = a_ct(seed="prior", PatientID="A1", PatientName="NGUYEN^THI HUONG", StudyDate="20250101")
CR = a_cr(seed="cr", PatientID="B2", PatientName="Đặng^Văn Bình", StudyDate="20261102")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with running_node(tmp_path_factory.mktemp("node")) as running:
        running.store(*CT, PRIOR, CR)
        yield running


def told(models, keyword: str) -> list[str]:
    return ["\\".join(texts(model.get(f"{TAG_OF[keyword]:08X}"))) for model in models]


def test_dicomweb_client_searches_with_its_defaults(node: Node):
    client = node.dicomweb()

    everything = client.search_for_studies()
    some = client.search_for_studies(
        fuzzymatching=True, limit=5, offset=0, fields=["PatientComments", "00081030"],
        search_filters={"PatientName": "huong thi", "StudyDate": "20260101-20261231"},
    )  # fmt: skip
    series = client.search_for_series(search_filters={"Modality": "CT"})
    instances = client.search_for_instances(CT[0].StudyInstanceUID, CT[0].SeriesInstanceUID, fields=["SliceLocation"])
    paged = client.search_for_studies(limit=1, get_remaining=True)

    assert told(everything, "PatientID") == ["B2", "A1", "A1"]
    assert told(some, "StudyDate") == ["20261101"]
    assert len(series) == 2
    assert told(instances, "InstanceNumber") == ["1", "2", "3"]
    assert told(paged, "StudyDate") == ["20261102", "20261101", "20250101"]


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        # the list, as OHIF 3 asks for it
        ("studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060", ["20261102", "20261101", "20250101"]),
        ("studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060&00100010=*nguyen*", ["20261101", "20250101"]),
        ("studies?limit=101&offset=0&PatientName=*H%C6%B0%C6%A1ng*&ModalitiesInStudy=CT,MR&StudyDate=20260101-20261231", ["20261101"]),
        ("studies?limit=101&offset=0&ModalitiesInStudy=CT%5C%5CCR&AccessionNumber=*&StudyDescription=**", ["20261102", "20261101", "20250101"]),
        # one study, and its priors
        (f"studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060&StudyInstanceUID={CT[0].StudyInstanceUID}", ["20261101"]),
        ("studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060&00100020=A1", ["20261101", "20250101"]),
    ],
)  # fmt: skip
def test_a_viewers_queries_are_answered(node: Node, query, dates):
    response = node.get(f"/dicom-web/{query}")

    assert response.status_code == 200, response.text
    assert told(response.json(), "StudyDate") == dates


def test_a_viewer_lists_the_series_of_a_study(node: Node):
    response = node.get(f"/dicom-web/studies/{CT[0].StudyInstanceUID}/series?includefield=0008103E,00080021,00080031")

    (series,) = response.json()
    assert (series["00080060"]["Value"], series["00201209"]["Value"]) == (["CT"], [3])


def test_our_own_client_goes_on_where_a_service_gives_fewer_at_once_than_it_was_asked_for(tmp_path):
    with running_node(tmp_path / "node", results_max=1) as capped:
        capped.store(CT[0], PRIOR, CR)

        found = list(search(Service(f"{capped.url}/dicom-web", 10.0, TOKEN), "STUDY", [], most=10))

    assert told(found, "StudyDate") == ["20261102", "20261101", "20250101"]


def test_our_own_client_reads_page_by_page(node: Node, monkeypatch):
    monkeypatch.setattr("gateway.dicomweb.client.finding.PAGE", 2)
    service = Service(f"{node.url}/dicom-web/", 10.0, TOKEN)

    assert told(search(service, "STUDY", [], most=10), "PatientID") == ["B2", "A1", "A1"]
    assert told(search(service, "STUDY", [("PatientName", "nguyen*")], most=1), "StudyDate") == ["20261101"]
    assert told(search(service, "IMAGE", [("Modality", "CR")], most=9), "SOPInstanceUID") == [CR.SOPInstanceUID]
    assert list(search(service, "SERIES", [("Modality", "US")], most=9)) == []


def test_our_own_client_says_why_it_got_nothing(node: Node):
    url = f"{node.url}/dicom-web"

    with pytest.raises(NotAuthenticated):
        list(search(Service(url, 5.0), "STUDY", [], most=1))
    with pytest.raises(Forbidden, match="may not search there"):
        list(search(Service(url, 5.0, node.a_token("dicomweb:store", site="BV1")), "STUDY", [], most=1))
    with pytest.raises(Refused, match="the service answers with HTTP 400"):
        list(search(Service(url, 5.0, TOKEN), "STUDY", [("Rows", "1")], most=1))
    with pytest.raises(PeerUnreachable, match="no answer: Connection refused"):
        list(search(Service("http://127.0.0.1:1", 1.0), "STUDY", [], most=1))
    with pytest.raises(InvalidRequest, match="the URL names no host"):
        list(search(Service("http://pacs..invalid", 1.0), "STUDY", [], most=1))


def test_the_command_asks_a_dicomweb_service(node: Node, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text(TOKEN)

    ended = CliRunner(env={"COLUMNS": "300"}).invoke(
        app, ["find", "PatientName=nguyen*", "--dicomweb", f"{node.url}/dicom-web", "--token-file", str(token)]
    )

    assert ended.exit_code == 0, ended.output
    assert "Nguyễn^Thị Hương" in ended.output
    assert TOKEN not in ended.output
