"""STOW-RS against a running node: what is stored, what is refused, and that nothing disappears silently."""

import hashlib
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gateway.dicomweb.store import taking
from kernel.access.accounts import NewAccount
from kernel.archive.blobs.store import Blobs
from kernel.archive.tables import conflict, instance, manifest, study
from kernel.dicom.scanning.part10 import open_dataset
from tests.dicomweb.conftest import MULTIPART, body_of, running_node
from tests.support.builders import a_ct, a_ct_series, as_file

PATIENT = "Nguyễn"


def uids(content, sequence):
    return [item["00081155"]["Value"][0] for item in content.get(sequence, {}).get("Value", [])]


def reasons(content, sequence="00081198"):
    return [f"{item['00081197']['Value'][0]:04X}" for item in content.get(sequence, {}).get("Value", [])]


def test_stored_instances_are_named_with_their_urls_and_are_in_the_index(node):
    slices = list(a_ct_series(3))

    response = node.store(*slices)

    content = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/dicom+json"
    assert uids(content, "00081199") == [ds.SOPInstanceUID for ds in slices]
    base = f"{node.url}/dicom-web/studies/{slices[0].StudyInstanceUID}"
    assert content["00081190"]["Value"] == [base]
    url = f"{base}/series/{slices[0].SeriesInstanceUID}/instances/{slices[0].SOPInstanceUID}"
    assert content["00081199"]["Value"][0]["00081190"]["Value"] == [url]
    assert [row.site for row in node.rows(instance)] == ["BV1"] * 3
    assert node.stages() == []


def test_dicomweb_client_stores(node):
    slices = [open_dataset(as_file(ds)) for ds in a_ct_series(2)]

    answer = node.dicomweb().store_instances(slices)

    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == [
        s.SOPInstanceUID for s in slices
    ]


def test_a_single_part_body_is_one_instance(node):
    ds = a_ct()
    with node.http() as client:
        response = client.post("/dicom-web/studies", content=as_file(ds), headers={"Content-Type": "application/dicom"})

    assert response.status_code == 200
    assert uids(response.json(), "00081199") == [ds.SOPInstanceUID]


def test_the_same_bytes_again_are_a_success_without_effect(node):
    ds = a_ct()
    node.store(ds)

    response = node.store(ds)

    assert response.status_code == 200
    assert uids(response.json(), "00081199") == [ds.SOPInstanceUID]
    assert len(node.rows(instance)) == 1


def test_other_bytes_under_one_uid_are_kept_apart_and_reported(node):
    first, second = a_ct(), a_ct(KVP="100")
    node.store(first)

    response = node.store(second)

    assert response.status_code == 409
    assert reasons(response.json()) == ["0111"]
    assert "is already here with different content" in response.headers["warning"]
    assert len(node.rows(instance)) == len(node.rows(conflict)) == 1


def test_parts_that_are_no_instances_are_refused_with_a_reason_and_kept_in_quarantine(node):
    good = a_ct()
    truncated = as_file(a_ct(instance=2))[:400]
    without_study = as_file(a_ct(instance=3, StudyInstanceUID=""))
    named_badly = as_file(a_ct(instance=4, SOPInstanceUID="1.2.3.x"))

    response = node.store(b"", b"<!doctype html><html>", truncated, good, without_study, named_badly)

    content = response.json()
    assert response.status_code == 202
    assert uids(content, "00081199") == [good.SOPInstanceUID]
    assert reasons(content) == ["C000", "A900"]
    assert reasons(content, "0008119A") == ["C000", "C000", "A900"]
    assert sorted(row.code for row in node.quarantined()) == [
        "InvalidIdentifier", "MalformedInstance", "MalformedInstance", "MalformedInstance", "MissingIdentifier"
    ]  # fmt: skip
    assert all(node.blobs.path(row.blob_key).exists() for row in node.quarantined())
    assert PATIENT not in response.headers["warning"]
    assert node.stages() == []


def test_a_part_of_another_media_type_is_refused_and_kept(node):
    with node.http() as client:
        response = client.post("/dicom-web/studies", content=body_of([b"<html>"], "text/html"), headers=MULTIPART)

    assert response.status_code == 409
    assert reasons(response.json(), "0008119A") == ["C000"]
    assert "Media type text/html is not taken" in response.headers["warning"]
    assert [row.code for row in node.quarantined()] == ["UnsupportedMediaType"]


def test_an_instance_of_another_study_than_the_url_is_refused_and_kept(node):
    ds = a_ct()
    with node.http() as client:
        response = client.post("/dicom-web/studies/1.2.3", content=body_of([as_file(ds)]), headers=MULTIPART)

    assert response.status_code == 409
    assert reasons(response.json()) == ["A900"]
    assert [row.code for row in node.quarantined()] == ["IdentityMismatch"]
    assert node.rows(study) == []


def test_many_senders_of_one_instance_make_one_instance(node):
    ds = as_file(a_ct())
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: node.store(ds).status_code, range(16)))

    assert statuses == [200] * 16
    assert len(node.rows(instance)) == 1


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({}, 415, "send multipart/related"),
        ({"Content-Type": "text/plain"}, 415, "Media type text/plain is not taken"),
        ({"Content-Type": 'multipart/related; type="application/fhir+json"; boundary=x'}, 415, "another type"),
        ({"Content-Type": "multipart/related; type=application/dicom"}, 400, "boundary must be 1 to 200"),
        ({**MULTIPART, "Content-Encoding": "gzip"}, 415, "with a Content-Encoding is not taken"),
        ({"Content-Type": "garbage"}, 400, "not type/subtype"),
        ({**MULTIPART, "Vienanh-Manifest": "study=x"}, 409, "StudyInstanceUID is not a UID"),
    ],
)
def test_a_request_that_cannot_be_taken_says_what_to_send(archive, headers, status, message):
    with archive.http() as client:
        response = client.post("/dicom-web/studies", content=b"--BOUNDARY--", headers=headers)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no boundary|before the first boundary"),
        (b"<html>", "before the first boundary"),
        (b"--BOUNDARY--", "the body has no instance"),
        (b"--BOUNDARY\r\nno colon\r\n\r\n", "not `name: value`"),
    ],
)
def test_a_broken_body_is_refused(archive, body, message):
    with archive.http() as client:
        response = client.post("/dicom-web/studies", content=body, headers=MULTIPART)

    assert response.status_code == 400
    assert re.search(message, response.json()["detail"])


def test_a_body_that_is_cut_keeps_its_whole_instances_and_nothing_of_the_rest(node):
    first, second = as_file(a_ct(instance=1)), as_file(a_ct(instance=2))
    body = body_of([first, second])[: -len(second) // 2]
    with node.http() as client:
        response = client.post("/dicom-web/studies", content=body, headers=MULTIPART)

    assert response.status_code == 400
    assert "it ends within a part" in response.json()["detail"]
    assert len(node.rows(instance)) == 1
    assert node.stages() == []


def test_each_bound_of_a_body_is_reached(tmp_path: Path):
    bounds = {"body_bytes_max": 100_000, "instance_bytes_max": 20_000, "parts_max": 2}
    small, large = as_file(a_ct(rows=32, columns=32)), as_file(a_ct(rows=128, columns=128))
    with running_node(tmp_path, http=bounds) as node:
        with raw_request(node, length=100_001, sent=b"") as connection:
            announced = connection.recv(65536)
        with node.http() as client:
            chunked = client.post("/dicom-web/studies", headers=MULTIPART, content=iter([b"x" * 60_000] * 2))
        too_large = node.store(large, small)
        too_many = node.store(small, small, small)

        assert announced.startswith(b"HTTP/1.1 413 ")
        assert b"body_bytes_max exceeded: 100001 is more than 100000." in announced
        assert chunked.status_code == 413
        assert (too_large.status_code, reasons(too_large.json(), "0008119A")) == (202, ["C001"])
        assert (too_many.status_code, too_many.json()["detail"]) == (413, "parts exceeded: 3 is more than 2.")
        assert node.stages() == []


def test_a_full_disk_is_told_before_data_are_taken(tmp_path: Path, monkeypatch):
    with running_node(tmp_path) as node:
        monkeypatch.setattr(node.blobs, "_free_bytes_min", 2**62)
        response = node.store(a_ct())

        assert response.status_code == 503
        assert response.headers["retry-after"] == "10"
        assert response.json()["code"] == "StorageFull"
        assert node.rows(instance) == []


def raw_request(node, *, length: int, sent: bytes, token: str = "") -> socket.socket:
    """A STOW request by hand that says it has `length` bytes and sends some of them."""
    host, port = node.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    head = f"POST /dicom-web/studies HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token or node.token}\r\n"
    head += f"Content-Type: {MULTIPART['Content-Type']}\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    return connection


def test_a_body_that_falls_silent_is_given_up(tmp_path: Path):
    first, second = as_file(a_ct(instance=1)), as_file(a_ct(instance=2))
    body = body_of([first, second])
    with running_node(tmp_path, http={"body_timeout_s": 0.3}) as node:
        with raw_request(node, length=len(body), sent=body[:-1000]) as connection:
            answer = connection.recv(65536)

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"the body was silent for 0.3 s" in answer
        assert node.stages() == []
        assert len(node.rows(instance)) == 1


def test_a_sender_of_a_byte_now_and_then_is_given_up(tmp_path: Path):
    body = body_of([as_file(a_ct())])
    with running_node(tmp_path, http={"body_timeout_s": 0.5}) as node:
        with raw_request(node, length=len(body), sent=body[:10]) as connection:
            connection.settimeout(0.1)
            answer = b""
            for number in range(10, 100):  # never silent for as long as is allowed
                try:
                    connection.sendall(body[number : number + 1])
                    answer = connection.recv(65536)
                except TimeoutError:
                    continue
                except OSError:
                    pass
                break

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"slower than 256 bytes/s" in answer
        assert node.stages() == []


def until(condition) -> bool:
    never = threading.Event()
    return any(condition() or never.wait(0.02) for _ in range(500))


def test_a_sender_that_goes_away_leaves_whole_instances_and_no_stage(node):
    body = body_of([as_file(a_ct(instance=number, rows=512, columns=512)) for number in (1, 2, 3)])
    connection = raw_request(node, length=len(body), sent=body[:-1000])
    assert until(lambda: node.rows(instance) and node.stages())

    connection.close()

    assert until(lambda: not node.stages())
    assert 1 <= len(node.rows(instance)) <= 2


def test_a_large_part_is_stored_in_bounded_memory(node):
    size = 200 * 1024 * 1024
    head = as_file(a_ct())
    pixel = head.index(b"\xe0\x7f\x10\x00OW\0\0")
    start = head[: pixel + 8] + size.to_bytes(4, "little")

    def body():
        yield b"--BOUNDARY\r\nContent-Type: application/dicom\r\n\r\n" + start
        for _ in range(size // 2**20):
            yield bytes(2**20)
        yield b"\r\n--BOUNDARY--\r\n"

    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high-water mark starts anew
    before = resident_kib("VmRSS")
    with node.http() as client:
        response = client.post("/dicom-web/studies", content=body(), headers=MULTIPART)
    after = resident_kib("VmHWM")

    assert response.status_code == 200
    assert node.rows(instance)[0].size_bytes > size
    assert after - before < 60 * 1024


def resident_kib(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1])


def test_the_manifest_and_the_trace_come_with_the_instances(node):
    ds = a_ct()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    said = f"study={ds.StudyInstanceUID}; version=2; instances=60; priority=stat"

    node.store(ds, traceparent=f"00-{trace}-00f067aa0ba902b7-01", **{"Vienanh-Manifest": said})

    (row,) = node.rows(study)
    assert (row.trace_id, row.expected_instances, row.priority, row.state) == (trace, 60, 0, "receiving")
    assert [m.version for m in node.rows(manifest)] == [2]


def test_a_manifest_by_itself_completes_a_study(node):
    ds = a_ct()
    node.store(ds)
    said = {"study": ds.StudyInstanceUID, "version": 3, "instances": 1, "complete": "association-released"}
    with node.http() as client:
        response = client.post("/dicom-web/manifests", json=said)
        refused = client.post("/dicom-web/manifests", json={**said, "patient": "x"})
        endless = client.post("/dicom-web/manifests", content=b" " * 5000)

    assert response.status_code == 204
    assert [row.state for row in node.rows(study)] == ["complete"]
    assert (refused.status_code, endless.status_code) == (400, 413)


def test_a_token_stores_for_its_own_site_only(node):
    token = node.a_token("dicomweb:store", site="BV7")
    node.store(a_ct(), token=token)
    with node.http(token) as client:
        own = client.post("/sites/BV7/dicom-web/studies", content=body_of([as_file(a_ct())]), headers=MULTIPART)
        other = client.post("/sites/BV1/dicom-web/studies", content=body_of([as_file(a_ct())]), headers=MULTIPART)

    assert [row.site for row in node.rows(study)] == ["BV7"]
    assert own.json()["00081190"]["Value"][0].startswith(f"{node.url}/sites/BV7/dicom-web/studies/")
    assert other.status_code == 403


def test_a_session_cookie_needs_the_csrf_value_and_our_own_page(node):
    node.access.accounts.create(NewAccount("admin2", ["admin"]), "a long password", by="test")
    principal = node.access.authenticate_password("admin2", "a long password", "127.0.0.1")
    cookie = node.access.open_session(principal, "127.0.0.1")
    csrf = node.access.csrf_of_session(cookie)
    body = body_of([as_file(a_ct())])

    def post(**headers: str) -> httpx.Response:
        with node.http(None) as client:
            sent = {**MULTIPART, "Cookie": f"vienanh_session={cookie}", **headers}
            return client.post("/dicom-web/studies", content=body, headers=sent)

    assert post().status_code == 403
    assert post(**{"X-Vienanh-CSRF": csrf, "Origin": "https://elsewhere.example"}).status_code == 403
    assert post(**{"X-Vienanh-CSRF": csrf, "Origin": node.url}).status_code == 200
    assert json.loads(post(**{"X-Vienanh-CSRF": "x"}).content)["code"] == "Forbidden"


def test_ten_thousand_tiny_parts_are_answered_and_take_little(node, monkeypatch):
    written: list[object] = []
    staged: list[object] = []
    set_apart, open_stage = node.blobs.set_apart, node.blobs.stage
    monkeypatch.setattr(Blobs, "stage", lambda _, *uids: staged.append(uids) or open_stage(*uids))
    monkeypatch.setattr(Blobs, "set_apart", lambda _, staged: written.append(staged) or set_apart(staged))

    response = node.store(*[b"x"] * 10_000)

    assert response.status_code == 409
    assert len(response.json()["0008119A"]["Value"]) == 10_000
    assert len(node.quarantined()) == 1  # the same bytes for the same reason
    assert len(written) <= taking.IN_FLIGHT_MAX
    assert len(staged) <= taking.IN_FLIGHT_MAX + 1  # the others are known before they touch the disk
    assert node.stages() == []


def test_a_part_that_was_refused_before_is_refused_alike_and_another_is_kept_apart_too(node):
    first, second = b"MZ no instance", b"PK no instance"

    answer = node.store(*[first] * 20, second, as_file(a_ct()), first)

    failures = answer.json()["0008119A"]["Value"]
    assert answer.status_code == 202
    assert len(failures) == 22
    assert len({json.dumps(one["00081197"]) for one in failures}) == 1
    assert {row.sha256 for row in node.quarantined()} == {hashlib.sha256(one).hexdigest() for one in (first, second)}


def test_a_flood_of_headers_ends_the_request(node):
    flood = b"--BOUNDARY\r\n" + b"X-Header: x\r\n" * 10_000
    with node.http() as client:
        response = client.post("/dicom-web/studies", content=flood, headers=MULTIPART)

    assert response.status_code == 413
    assert response.json()["detail"].startswith("HEADER_BYTES_MAX exceeded")
    assert node.stages() == []


def test_a_part_whose_length_is_a_lie_is_taken_by_its_boundary(node):
    ds = a_ct()
    lie = b"--BOUNDARY\r\nContent-Type: application/dicom\r\nContent-Length: 3\r\n\r\n"
    with node.http() as client:
        body = lie + as_file(ds) + b"\r\n--BOUNDARY--"
        response = client.post("/dicom-web/studies", content=body, headers=MULTIPART)

    assert (response.status_code, uids(response.json(), "00081199")) == (200, [ds.SOPInstanceUID])
