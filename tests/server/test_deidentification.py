"""The report of a study's de-identification over the API: for administrators and integrators, of their sites, audited."""

import json

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import insert, select

from anonymizer.engine.engine import deidentify
from anonymizer.profiles.profile import load
from anonymizer.pseudonyms.keys import derive
from kernel.access import NewAccount
from kernel.audit import audit
from routing import study_reports
from routing.tables import derived
from tests.server.conftest import PASSWORD, Room
from tests.support.builders import a_ct_series, as_file

KEYS = derive(b"k" * 32, site="LOCAL")


def left(room: Room, *datasets: Dataset) -> str:
    """Take in instances, and keep what was made of them as a node does; return the study's UID as received."""
    study = room.take_in(*datasets)
    for ds in datasets:
        source = as_file(ds)
        made = deidentify(source, profile=load("tele-read"), keys=KEYS, issuer="LOCAL")
        new = made.identity
        writing = room.stores.blobs.stage(new.sop_class_uid, new.sop_instance_uid, new.transfer_syntax_uid, None)
        writing.write(memoryview(made.to_bytes(source))[made.dataset_offset :])
        staged = writing.finish()
        row = {
            "site": "LOCAL", "sop_instance_uid": ds.SOPInstanceUID, "variant": "tele-read",
            "new_study_instance_uid": new.study_instance_uid, "new_series_instance_uid": new.series_instance_uid,
            "new_sop_instance_uid": new.sop_instance_uid, "sop_class_uid": new.sop_class_uid,
            "transfer_syntax_uid": new.transfer_syntax_uid, "blob_key": room.stores.blobs.promote(staged),
            "size_bytes": staged.size_bytes, "dataset_offset": staged.dataset_offset, "sha256": staged.sha256,
            "record": json.dumps({
                "profile": made.record.profile, "profile_digest": made.record.profile_digest, "key_id": made.record.key_id,
                "method_codes": made.record.method_codes, "actions": dict(made.record.actions),
            }),
            "at": room.stores.clock.now(),
        }  # fmt: skip
        room.stores.db.write(lambda connection, row=row: connection.execute(insert(derived).values(**row)) and None)
    return study


@pytest.fixture
def study(room) -> str:
    room.stores.access.accounts.create(NewAccount("an", ["admin"]), PASSWORD, by="test")
    return left(room, *a_ct_series(2, seed="reported", rows=16, columns=16))


def test_an_administrator_has_it_as_json_and_as_a_page(room, study):
    with room.signed_in("an") as an:
        told = an.get(f"/api/studies/{study}/deidentification")
        page = an.get(f"/api/studies/{study}/deidentification", params={"form": "html"})

    report = told.json()
    assert report["profile"].startswith("tele-read@")
    assert report["totals"] == {"written": 2, "held": 0, "unreadable": 0, "labels_kept": 0}
    assert report["studies"][0]["instances"] == 2
    assert told.headers["cache-control"] == page.headers["cache-control"] == "no-store"
    assert page.headers["content-disposition"].startswith("attachment")
    assert report["studies"][0]["study_instance_uid"] in page.text
    assert "Hương" not in told.text + page.text


def test_a_system_has_it_with_the_right_to_de_identify_and_a_reader_has_not(room, study):
    allowed = room.stores.access.tokens.create("ris", ["dicomweb:read", "dicomweb:deidentify"], by="test")
    path = f"/api/studies/{study}/deidentification"
    with room.client(Authorization=f"Bearer {allowed}") as ris:
        told = ris.get(path)
    with room.signed_in("lan") as lan:
        refused = lan.get(path)
    with room.signed_in("bot") as elsewhere:  # an integrator of another site
        hidden = elsewhere.get(path)

    assert (told.status_code, refused.status_code, hidden.status_code) == (200, 403, 404)


def test_each_report_is_an_audit_line_with_who_and_which_study(room, study):
    with room.signed_in("an") as an:
        an.get(f"/api/studies/{study}/deidentification")

    with room.stores.db.read() as connection:
        lines = connection.execute(select(audit).where(audit.c.study_uid == study)).all()
    assert [line.who for line in lines] == ["an"]


def test_a_study_without_a_copy_is_not_found_and_a_large_one_is_refused(room, study, monkeypatch):
    other = room.add_study(seed="never sent")
    monkeypatch.setattr(study_reports, "INSTANCES_MAX", 1)
    with room.signed_in("an") as an:
        absent = an.get(f"/api/studies/{other}/deidentification")
        large = an.get(f"/api/studies/{study}/deidentification")

    assert (absent.status_code, large.status_code) == (404, 413)


def test_one_report_is_made_at_a_time(room, study, monkeypatch):
    answers: list[int] = []
    with room.signed_in("an") as an:
        path = f"/api/studies/{study}/deidentification"
        described = study_reports.described

        def ask_again(*arguments, **named):
            answers.append(an.get(path).status_code)
            return described(*arguments, **named)

        monkeypatch.setattr(study_reports, "described", ask_again)
        answers.append(an.get(path).status_code)

    assert answers == [503, 200]
