"""Storage commitment over HTTP: asked by POST, fetched by GET, on the transactions of N-ACTION."""

import msgspec
import pytest
from sqlalchemy import update

from kernel.archive.commitment.requests import commitment
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.models.xml_reader import from_xml
from tests.support.builders import a_ct, a_ct_series

JSON, XML = "application/dicom+json", "application/dicom+xml"


def a_request(*pairs: tuple[str, str]) -> dict:
    items = [
        {"00081150": {"vr": "UI", "Value": [str(sop_class)]}, "00081155": {"vr": "UI", "Value": [str(uid)]}}
        for sop_class, uid in pairs
    ]
    return {"00081199": {"vr": "SQ", "Value": items}}


def of(*datasets) -> dict:
    return a_request(*((ds.SOPClassUID, ds.SOPInstanceUID) for ds in datasets))


def asks(node, body, uid: str = "1.2.3.1", *, token: str | None = None, **headers: str):
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with node.http(*([token] if token else [])) as client:
        return client.post(
            f"/dicom-web/commitment-requests/{uid}", content=content, headers={"Content-Type": JSON, **headers}
        )


def named(model: dict, tag: str) -> list:
    items = model.get(tag, {}).get("Value", [])
    return [(one["00081155"]["Value"][0], *one.get("00081197", {}).get("Value", [])) for one in items]


def test_what_is_kept_is_committed_and_what_is_not_is_named_with_its_reason(node):
    stored = list(a_ct_series(2))
    node.store(*stored)

    answer = asks(node, of(*stored, a_ct(SOPInstanceUID="1.2.404")))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    assert answer.json()["00081195"] == {"vr": "UI", "Value": ["1.2.3.1"]}
    assert named(answer.json(), "00081199") == [(ds.SOPInstanceUID,) for ds in stored]
    assert named(answer.json(), "00081198") == [("1.2.404", 0x0112)]
    assert node.get("/dicom-web/commitment-requests/1.2.3.1").json() == answer.json()


def test_a_result_that_is_not_there_yet_is_fetched_later(node, monkeypatch):
    monkeypatch.setattr("gateway.dicomweb.commitment.WAIT_S", 0.0)
    monkeypatch.setattr("kernel.archive.commitment.desk.CommitmentDesk.run_once", lambda _: 0)
    node.store(a_ct())

    first = asks(node, of(a_ct()))
    waiting = node.get("/dicom-web/commitment-requests/1.2.3.1")
    node.db.write(lambda connection: connection.execute(update(commitment).values(state="decided")))
    done = node.get("/dicom-web/commitment-requests/1.2.3.1")

    assert [one.status_code for one in (first, waiting, done)] == [202, 202, 200]
    assert first.headers["retry-after"] == "5"
    assert named(done.json(), "00081199") == [(a_ct().SOPInstanceUID,)]


def test_xml_is_understood_and_given(node):
    node.store(a_ct())
    body = to_xml(msgspec.json.encode(of(a_ct())))

    answer = asks(node, body, **{"Content-Type": XML, "Accept": XML})

    assert answer.headers["content-type"] == XML
    assert named(from_xml(answer.content), "00081199") == [(a_ct().SOPInstanceUID,)]


def test_a_transaction_uid_of_other_instances_is_a_conflict_and_the_same_request_is_not(node):
    node.store(a_ct())

    first, again, other = asks(node, of(a_ct())), asks(node, of(a_ct())), asks(node, a_request(("1.2", "1.3")))

    assert [one.status_code for one in (first, again, other)] == [200, 200, 409]


def test_a_transaction_is_its_callers_alone(node):
    node.store(a_ct())
    asks(node, of(a_ct()))
    other = node.a_token("dicomweb:store", site="BV1")

    assert node.get("/dicom-web/commitment-requests/1.2.3.1", other).status_code == 404
    assert node.get("/dicom-web/commitment-requests/1.2.3.2").status_code == 404


def test_instances_of_another_site_are_not_there(node):
    node.store(a_ct())

    answer = asks(node, of(a_ct()), token=node.a_token("dicomweb:store", site="BV2"))

    assert named(answer.json(), "00081198") == [(a_ct().SOPInstanceUID, 0x0112)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"00081199":{"vr":"SQ","Value":[]}}', 400),
        (b'{"00081199":{"vr":"SQ","Value":[7]}}', 409),
        (b'{"00081199":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["x"]}}]}}', 409),
    ],
)
def test_what_is_no_request_is_refused(node, body, status):
    assert asks(node, body).status_code == status


def test_bounds_and_rights(node, monkeypatch):
    reader = node.a_token("dicomweb:read")

    assert asks(node, of(a_ct()), token=reader).status_code == 403
    assert asks(node, of(a_ct()), **{"Content-Type": "text/plain"}).status_code == 415
    assert asks(node, of(a_ct()), "not-a-uid").status_code == 409
    monkeypatch.setattr("gateway.dicomweb.commitment.INSTANCES_MAX", 2)
    assert asks(node, of(*a_ct_series(3))).status_code == 413
    monkeypatch.setattr("gateway.dicomweb.commitment.BODY_BYTES_MAX", 10)
    assert asks(node, of(a_ct())).status_code == 413
