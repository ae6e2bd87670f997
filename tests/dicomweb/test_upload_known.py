"""What is here already need not be sent again: told to who has the bytes, at whose site they are, and to nobody else."""

import hashlib

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gateway.dicomweb.store.known import BODY_BYTES_MAX, INSTANCES_MAX
from kernel.dicom.scanning.part10 import read_file_meta
from tests.dicomweb.conftest import running_node
from tests.support.builders import a_ct, a_ct_series, as_file
from tests.wsi.builders import jpeg, texture
from tests.wsi.dicom_builders import STUDY, a_header
from tests.wsi.dicom_builders import as_file as slide_file

KNOWN = "/dicom-web/uploads/known"


def asked(one, **but: str) -> dict[str, str]:
    content = one if isinstance(one, bytes) else as_file(one)
    meta = read_file_meta(content)
    digest = hashlib.sha256(content[meta.dataset_offset :]).hexdigest()
    return {"instance": meta.sop_instance_uid, "syntax": meta.transfer_syntax_uid, "sha256": digest, **but}


def ask(node, *instances: dict[str, str], token: str | None = None):
    with node.http(token or node.a_token("dicomweb:upload", site="BV1")) as client:
        return client.post(KNOWN, json={"instances": list(instances)})


def states(response) -> list[str]:
    assert response.status_code == 200, response.text
    return [one.get("study", one["state"]) for one in response.json()["results"]]


def test_the_instances_that_are_here_are_told_with_their_study_in_the_order_of_the_question(node):
    first, second, third = a_ct_series(3)
    node.store(first, third)

    response = ask(node, asked(third), asked(second), asked(first), asked(third))

    study = first.StudyInstanceUID
    assert states(response) == [study, "unknown", study, study]
    assert response.json()["results"][0] == {"part": 1, "state": "stored", "study": study}
    assert response.headers["cache-control"] == "no-store"


def test_other_bytes_under_a_known_uid_are_not_here(node):
    ds = a_ct()
    node.store(ds)

    response = ask(
        node,
        asked(ds, sha256="0" * 64),
        asked(ds, syntax=ImplicitVRLittleEndian),
        asked(ds, instance="1.2.3"),
        asked(ds),
    )

    assert asked(ds)["syntax"] == ExplicitVRLittleEndian
    assert states(response) == ["unknown", "unknown", "unknown", ds.StudyInstanceUID]


def test_what_another_site_has_is_not_told(node):
    ds = a_ct()
    node.store(ds)

    elsewhere = ask(node, asked(ds), token=node.a_token(*_ALL, site="BV9"))

    assert states(elsewhere) == ["unknown"]


def test_the_label_of_a_slide_is_told_by_right_alone(node):
    header = a_header(64, 48, 64, 1, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
    label = slide_file(header, [jpeg(texture(64, 64))])
    assert node.store(label).status_code == 200

    assert states(ask(node, asked(label))) == ["unknown"]
    entitled = node.a_token("dicomweb:upload", "labels:read", site="BV1")
    assert states(ask(node, asked(label), token=entitled)) == [STUDY]


_ALL = ("dicomweb:upload", "dicomweb:read", "dicomweb:store")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 10_000,
        b'{"instances":[]}',
        b'{"instances":[{"instance":"1.2","syntax":"1.2"}]}',
        b'{"instances":[{"instance":"1.2","syntax":"1.2","sha256":"%s"}]}' % (b"X" * 64),
        b'{"instances":[{"instance":"%s","syntax":"1.2","sha256":"%s"}]}' % (b"1" * 65, b"0" * 64),
    ],
)
def test_an_odd_question_is_refused_without_its_words(archive, content):
    with archive.http(archive.a_token("dicomweb:upload", site="BV1")) as client:
        refused = client.post(KNOWN, content=content)

    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidRequest")
    assert "111" not in refused.text
    assert "XXX" not in refused.text


def test_a_question_has_a_bound(archive):
    one = {"instance": "1.2", "syntax": "1.2", "sha256": "0" * 64}
    with archive.http(archive.a_token("dicomweb:upload", site="BV1")) as client:
        large = client.post(KNOWN, content=b" " * (BODY_BYTES_MAX + 1))

    assert large.status_code == 413
    assert ask(archive, *[one] * INSTANCES_MAX).status_code == 200
    assert ask(archive, *[one] * (INSTANCES_MAX + 1)).status_code == 400


def test_a_hub_is_not_asked(tmp_path):
    with running_node(tmp_path, role="hub") as hub:
        refused = ask(hub, asked(a_ct()))

    assert refused.status_code == 403
