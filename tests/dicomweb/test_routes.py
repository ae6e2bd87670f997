"""Every route of the table: nobody gets in without a right, and the audit says who tried and who was let in."""

import json

import pytest

from gateway.dicomweb.app import PREFIXES, ROUTES
from kernel.access import Scope
from kernel.audit import Action, AuditOutcome, verify
from tests.dicomweb.conftest import MULTIPART, body_of, running_node
from tests.support.builders import a_ct, as_file

DENIED = AuditOutcome.SERIOUS_FAILURE
IDS = [f"{row.method} {row.path}" for row in ROUTES]


def path_of(row, prefix: str, ds, site: str = "BV1") -> str:
    return (prefix + row.path.replace("{path:path}", "{path}")).format_map(
        {
            "site": site,
            "study": ds.StudyInstanceUID,
            "series": ds.SeriesInstanceUID,
            "instance": ds.SOPInstanceUID,
            "frames": "1",
            "tier": "0",
            "path": "7FE00010",
            "transaction": "1.2.3.1",
            "workitem": "1.2.3.2",
            "ae": "READER1",
            "upload": "0" * 32,
        }
    )


def call(node, row, path: str, token: str | None, ds, **more: str):
    body, headers = b"", {}
    if row.path == "/manifests":
        body = json.dumps({"study": ds.StudyInstanceUID, "version": 1, "instances": 1}).encode()
    elif row.path == "/uploads/known":
        asked = {"instance": ds.SOPInstanceUID, "syntax": "1.2.840.10008.1.2.1", "sha256": "0" * 64}
        body = json.dumps({"instances": [asked]}).encode()
    elif row.path.startswith("/uploads/slides"):
        form = {"name": "a.svs", "bytes": 1, "patient_id": "1"}
        body = json.dumps(form).encode() if row.method == "POST" else b""
        headers = {"Upload-Offset": "0"}
    elif row.path.startswith("/commitment-requests"):
        item = {"00081150": {"vr": "UI", "Value": [ds.SOPClassUID]}, "00081155": {"vr": "UI", "Value": ["1.2"]}}
        body = json.dumps({"00081199": {"vr": "SQ", "Value": [item]}}).encode() if row.method == "POST" else b""
    elif "/workitems" in row.path:
        body, headers = b"" if row.method in ("GET", "DELETE") else b"{}", {"Content-Type": "application/dicom+json"}
    elif row.method == "POST":
        body, headers = body_of([as_file(ds)]), MULTIPART
    with node.http(token) as client:
        query = {"reason": "test-data"} if row.method == "DELETE" else {}
        return client.request(row.method, path, content=body, headers={**headers, **more}, params=query)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    """One node with one study, for tests that change nothing but the audit."""
    with running_node(tmp_path_factory.mktemp("routes")) as node:
        ds = a_ct()
        assert node.store(ds).status_code == 200
        yield node, ds


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("row", ROUTES, ids=IDS)
def test_nobody_gets_in_without_a_token(shared, row, prefix):
    node, ds = shared

    for token in (None, "vat_0000_wrong"):
        response = call(node, row, path_of(row, prefix, ds), token, ds)

        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "NotAuthenticated"
        assert ds.StudyInstanceUID not in response.text
    lines = [line for line in node.audited() if line.action == Action.SECURITY_ALERT and line.outcome == DENIED]
    assert json.dumps(row.stage) in " ".join(line.detail for line in lines if line.who == "")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("row", ROUTES, ids=IDS)
def test_a_token_without_the_right_is_refused_and_that_is_audited(shared, row, prefix):
    node, ds = shared
    other = Scope.DICOMWEB_STORE if row.scope is Scope.DICOMWEB_READ else Scope.DICOMWEB_READ
    token = node.access.tokens.create(f"peer for {row.method} {row.path}", [other], by="test")

    response = call(node, row, path_of(row, prefix, ds), token, ds)

    assert response.status_code == 403
    assert f"it needs the right {row.scope}" in response.json()["detail"]
    (line,) = {
        (line.who, line.action, line.address)
        for line in node.audited()
        if line.outcome == DENIED and line.who == f"peer for {row.method} {row.path}"
    }
    assert line == (f"peer for {row.method} {row.path}", Action.SECURITY_ALERT, "127.0.0.1")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "row",
    [row for row in ROUTES if row.scope is Scope.DICOMWEB_READ and row.stage != "capabilities"],
    ids=lambda row: row.path,
)
def test_a_reader_gets_in_and_that_is_audited(shared, row, prefix):
    node, ds = shared
    name = f"reader of {prefix}{row.path}"
    token = node.access.tokens.create(name, [Scope.DICOMWEB_READ], by="test")

    response = call(node, row, path_of(row, prefix, ds), token, ds)

    assert response.status_code == 200
    lines = [line for line in node.audited() if line.who == name]
    expected = (Action.INSTANCES_ACCESSED, ds.StudyInstanceUID) if "{study}" in row.path else (Action.QUERY, "")
    assert [(line.action, line.study_uid, line.outcome) for line in lines] == [(*expected, AuditOutcome.SUCCESS)]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "row", [row for row in ROUTES if "{study}" in row.path and row.method == "GET"], ids=lambda r: r.path
)
def test_a_reader_of_another_site_finds_nothing(shared, row, prefix):
    node, ds = shared
    token = node.access.tokens.create(f"stranger at {prefix}{row.path}", [row.scope], site="BV9", by="test")

    response = call(node, row, path_of(row, prefix, ds), token, ds)

    nothing = (
        (response.status_code, response.json()) == (200, []) if row.stage == "qido" else response.status_code == 404
    )
    assert nothing
    assert ds.PatientID not in response.text


def test_the_audit_chain_is_whole_after_all_this(shared):
    node, _ = shared

    with node.db.read() as connection:
        verify(connection)


def test_every_answer_forbids_guessing_and_sharing(shared):
    node, ds = shared
    for row in ROUTES:
        if row.method == "GET":
            headers = call(node, row, path_of(row, PREFIXES[0], ds), node.token, ds).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"].startswith(("private", "no-store"))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/dicom-web/studies", "GET, HEAD, POST"),
        ("PUT", "/dicom-web/studies/1.2", "DELETE, GET, HEAD, POST"),
        ("POST", "/sites/BV1/dicom-web/studies/1.2/metadata", "GET, HEAD"),
        ("GET", "/dicom-web/manifests", "POST"),
    ],
)
def test_methods_that_are_not_in_the_table_are_not_allowed(shared, method, path, allowed):
    node, _ = shared
    with node.http() as client:
        answer = client.request(method, path)

    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.headers["allow"] == allowed
    assert answer.json()["code"] == "MethodNotAllowed"
    assert answer.json()["detail"] == f"This address takes other methods: {allowed}."


def test_a_uid_at_two_sites_must_be_asked_for_by_site(tmp_path):
    ours, theirs = a_ct(PatientID="OURS"), a_ct(PatientID="THEIRS")
    with running_node(tmp_path) as node:
        node.store(ours, token=node.a_token("dicomweb:store", site="BV1"))
        node.store(theirs, token=node.a_token("dicomweb:store", site="BV2"))
        study, one_site = f"/studies/{ours.StudyInstanceUID}", node.a_token("dicomweb:read", site="BV2")

        ambiguous = node.get(f"/dicom-web{study}")
        first, second = (node.get(f"/sites/{site}/dicom-web{study}/series") for site in ("BV1", "BV2"))
        listed = node.get("/dicom-web/studies").json()
        own = node.get("/dicom-web/studies", one_site).json()
        frame = f"{study}/series/{ours.SeriesInstanceUID}/instances/{ours.SOPInstanceUID}/frames/1"
        frames = [node.get(f"{prefix}{frame}").status_code for prefix in ("/dicom-web", "/sites/BV2/dicom-web")]

    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "AmbiguousStudy")
    assert first.status_code == second.status_code == 200
    assert {item["00100020"]["Value"][0]: item["00081190"]["Value"][0] for item in listed} == {
        "OURS": f"{node.url}/sites/BV1/dicom-web{study}",
        "THEIRS": f"{node.url}/sites/BV2/dicom-web{study}",
    }
    assert [item["00081190"]["Value"][0] for item in own] == [f"{node.url}/dicom-web{study}"]
    assert frames == [409, 200]


def test_more_requests_than_the_node_serves_at_once_are_asked_to_come_back(tmp_path):
    with running_node(tmp_path, http={"requests_max": 0}) as node:
        response = node.get("/dicom-web/studies")

    assert (response.status_code, response.json()["code"]) == (503, "Busy")
    assert response.headers["retry-after"] == "10"


@pytest.mark.parametrize("host", ["evil/../x", "a b", '"><script>'])
def test_a_host_that_is_none_does_not_get_into_urls(shared, host):
    node, _ = shared

    response = node.get("/dicom-web/studies", Host=host)

    assert response.status_code == 400
    assert "script" not in response.text


def test_a_failure_of_ours_tells_nothing_but_its_trace(shared, monkeypatch):
    node, ds = shared

    def fail(*_: object) -> None:
        raise RuntimeError(str(ds.PatientName))

    monkeypatch.setattr("kernel.archive.index.locate_study", fail)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    response = node.get(f"/dicom-web/studies/{ds.StudyInstanceUID}", traceparent=f"00-{trace}-00f067aa0ba902b7-01")

    assert response.status_code == 500
    assert response.json()["trace"] == trace
    assert "Nguy" not in response.text


@pytest.mark.parametrize(
    "path", ["/dicom-web/nothing", "/dicom-web/studies/1.2/nothing", "/sites/BV1/x", "/dicom-web/a/b/c/d/e"]
)
def test_an_address_that_is_none_is_told_in_json(shared, path):
    node, _ = shared

    answer = node.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert (answer.json()["code"], answer.json()["detail"]) == ("NotFound", "There is no such address.")
