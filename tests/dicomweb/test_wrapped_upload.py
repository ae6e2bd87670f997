"""A form with photographs and PDFs, put in at a site: each is an instance that goes the way of all others."""

import json

import pytest

from gateway.dicomweb.store import wrapped_body
from kernel.dicom.pictures.photographs import PHOTOGRAPH
from tests.dicom.test_wrapping import PDF, a_photograph
from tests.dicomweb.conftest import running_node

FORM = {"patient_name": "Nguyễn^Thị Hương", "patient_id": "BN-1", "study_date": "20261122", "patient_sex": "F"}


def post(node, *files: bytes, form: object = FORM, token: str | None = None):
    parts = [
        ("form", (None, json.dumps(form), "application/json")),
        *(("file", ("ten benh nhan.jpg", one, "application/octet-stream")) for one in files),
    ]
    with node.http(token or node.a_token("dicomweb:upload", site="BV1")) as client:
        return client.post("/dicom-web/uploads", files=parts)


def test_photographs_and_documents_become_instances_of_one_study(node):
    answer = post(node, a_photograph(), PDF, b"MZ not a picture")

    results = answer.json()["results"]
    assert answer.status_code == 202
    assert [one["state"] for one in results] == ["stored", "stored", "failed"]
    assert results[2]["code"] == "UnsupportedMediaType"
    assert results[0]["study"] == results[1]["study"]
    found = node.get(f"/dicom-web/studies/{results[0]['study']}/metadata", Accept="application/dicom+json").json()
    assert {one["00100010"]["Value"][0]["Alphabetic"] for one in found} == {"Nguyễn^Thị Hương"}
    assert PHOTOGRAPH in {one["00080016"]["Value"][0] for one in found}
    assert "ten benh nhan" not in json.dumps(found)


def test_sent_again_nothing_changes(node):
    first, again = (post(node, a_photograph()).json()["results"][0] for _ in range(2))

    assert first == again


@pytest.mark.parametrize(
    "form", [{}, {"patient_id": "BN-1"}, {**FORM, "secret": "x"}, {**FORM, "patient_sex": 1}, [], "text", None]
)
def test_a_form_that_is_none_is_refused_whole(node, form):
    answer = post(node, PDF, form=form)

    assert answer.status_code == 400
    assert "BN-1" not in answer.text


def test_the_form_the_files_and_their_number_are_bounded(node, monkeypatch):
    monkeypatch.setattr(wrapped_body, "FILE_BYTES_MAX", 2 * wrapped_body.FORM_BYTES_MAX)

    long_form = post(node, PDF, form={**FORM, "description": "x" * wrapped_body.FORM_BYTES_MAX})
    large_file = post(node, PDF + b" " * 2 * wrapped_body.FORM_BYTES_MAX)

    assert (long_form.status_code, large_file.status_code) == (413, 413)
    assert long_form.json()["detail"].startswith("FORM_BYTES_MAX exceeded")
    assert large_file.json()["detail"].startswith("FILE_BYTES_MAX exceeded")
    monkeypatch.setattr(wrapped_body, "FILES_MAX", 1)
    assert post(node, PDF, a_photograph()).status_code == 413


def test_it_needs_the_right_and_a_site(node, tmp_path):
    assert post(node, PDF, token=node.a_token("dicomweb:store", site="BV1")).status_code == 403
    with running_node(tmp_path / "hub", role="hub") as hub:
        assert post(hub, PDF).status_code == 403
