"""Files that a person puts in at a site: a result for each, the same ingest, and nothing believed of a zip."""

import errno
import io
import os
import struct
import zipfile

import pytest

from kernel import zips
from kernel.access.accounts import NewAccount
from kernel.archive.tables import instance
from tests.dicomweb.conftest import MULTIPART, body_of, running_node
from tests.support.builders import a_ct, a_ct_series, as_file

ZIP = {"Content-Type": "application/zip"}


def a_zip(*files: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def post(node, content: bytes, headers: dict[str, str], token: str | None = None):
    with node.http(token or node.a_token("dicomweb:upload", site="BV1")) as client:
        return client.post("/dicom-web/uploads", content=content, headers=headers)


def told(response) -> list[tuple[str, str]]:
    return [(one.get("name", ""), one.get("code", one["state"])) for one in response.json()["results"]]


def test_instances_are_stored_and_told_in_their_order(node):
    slices = list(a_ct_series(3))

    response = post(node, body_of([as_file(ds) for ds in slices]), MULTIPART)

    results = response.json()["results"]
    assert response.status_code == 200
    assert [one["part"] for one in results] == [1, 2, 3]
    assert [one["instance"] for one in results] == [ds.SOPInstanceUID for ds in slices]
    assert {one["study"] for one in results} == {slices[0].StudyInstanceUID}
    assert [row.site for row in node.rows(instance)] == ["BV1"] * 3


def test_a_cd_in_a_zip_is_stored_and_what_is_no_instance_is_passed_over_and_not_kept(node):
    first, second = a_ct_series(2)
    content = a_zip(
        ("DICOMDIR", as_file(a_ct())), ("IMG/0001", as_file(first)), ("viewer.exe", b"MZ" * 500),
        ("empty", b""), ("IMG/0002", as_file(second)),
    )  # fmt: skip

    response = post(node, content, ZIP)

    assert response.status_code == 202
    assert told(response) == [
        ("DICOMDIR", "UnsupportedMediaType"),
        ("IMG/0001", "stored"),
        ("viewer.exe", "UnsupportedMediaType"),
        ("empty", "UnsupportedMediaType"),
        ("IMG/0002", "stored"),
    ]
    assert sorted(row.sop_instance_uid for row in node.rows(instance)) == sorted(
        ds.SOPInstanceUID for ds in (first, second)
    )
    assert node.quarantined() == []
    assert node.stages() == []


def test_an_encrypted_or_damaged_file_fails_alone(node):
    good, bad = a_ct_series(2)
    content = bytearray(a_zip(("good", as_file(good)), ("bad", as_file(bad)), compression=zipfile.ZIP_STORED))
    content[content.rindex(as_file(bad)[-40:])] ^= 0xFF  # its check sum is another now

    response = post(node, bytes(content), ZIP)
    encrypted = bytearray(a_zip(("secret", as_file(bad))))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(signature) + at] |= 1
    odd = bytearray(a_zip(("odd", as_file(bad)), compression=zipfile.ZIP_LZMA))
    odd[40:60] = b"\xff" * 20

    assert told(response) == [("good", "stored"), ("bad", "MalformedInstance")]
    assert told(post(node, bytes(encrypted), ZIP)) == [("secret", "MalformedInstance")]
    assert told(post(node, bytes(odd), ZIP)) == [("odd", "MalformedInstance")]


def test_a_disk_that_fails_is_no_damage_of_the_zip(node, monkeypatch):
    def fails(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as then:
        then.setattr(zipfile.ZipExtFile, "read", fails)
        response = post(node, a_zip(("good", as_file(a_ct()))), ZIP)
    monkeypatch.setattr("gateway.dicomweb.store.zipped_body.files_of", fails)

    assert [(one["code"], one["reason"]) for one in response.json()["results"]] == [("", "The node failed.")]
    assert post(node, a_zip(("good", as_file(a_ct()))), ZIP).status_code == 500


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and nothing more", b"no zip at all" * 100])
def test_what_is_no_zip_is_refused(node, content):
    response = post(node, content, ZIP)

    assert (response.status_code, response.json()["code"]) == (400, "InvalidRequest")
    assert node.stages() == []


def test_a_zip_has_so_many_files_and_so_much_comes_out_of_it(tmp_path):
    slices = [(f"{number}", as_file(ds)) for number, ds in enumerate(a_ct_series(4))]
    with running_node(tmp_path / "few", http={"parts_max": 3}) as node:
        many = post(node, a_zip(*slices), ZIP)
    with running_node(tmp_path / "small", http={"body_bytes_max": 20_000}) as node:
        swelling = post(
            node,
            a_zip(("bomb", as_file(a_ct(PatientComments=" " * 10_000, rows=512, columns=512))[:132] + bytes(500_000))),
            ZIP,
        )

    assert (many.status_code, many.json()["code"]) == (413, "LimitExceeded")
    assert (swelling.status_code, swelling.json()["code"]) == (413, "LimitExceeded")
    assert "unpacked" in swelling.text


def test_a_zip_that_claims_a_huge_directory_is_not_read(node, monkeypatch):
    monkeypatch.setattr(zips, "DIRECTORY_BYTES_MAX", 100_000)
    content = bytearray(bytes(200_000) + a_zip(("a", as_file(a_ct()))))
    struct.pack_into("<II", content, content.rindex(b"PK\5\6") + 12, 150_000, 50_000)

    response = post(node, bytes(content), ZIP)

    assert (response.status_code, response.json()["code"]) == (413, "LimitExceeded")


def test_a_requester_may_upload_and_a_reader_may_not(node):
    for name, role in (("yen", "requester"), ("lan", "reader")):
        node.access.accounts.create(NewAccount(name, [role], [node.config.node.site]), "mat khau dai du", by="test")
    answers = {}
    for name in ("yen", "lan"):
        principal = node.access.authenticate_password(name, "mat khau dai du", "127.0.0.1")
        answers[name] = "dicomweb:upload" in {scope.value for scope in principal.scopes}

    assert answers == {"yen": True, "lan": False}
    assert post(node, a_zip(("a", as_file(a_ct()))), ZIP, node.a_token("dicomweb:store", site="BV1")).status_code == 403


def test_a_hub_takes_no_uploads(tmp_path):
    with running_node(tmp_path, role="hub") as node:
        response = post(node, a_zip(("a", as_file(a_ct()))), ZIP)

    assert response.status_code == 403
    assert "at the site" in response.text


def test_another_kind_of_body_is_refused(node):
    assert post(node, b"x", {"Content-Type": "text/plain"}).status_code == 415
