"""DELETE: what the policy allows, what is gone with it, what stays behind, and that nothing is lost wrongly."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from anonymizer.pseudonyms.patient import pseudonym_of
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, seal
from kernel.archive.blobs import verify
from kernel.archive.deletion import holds
from kernel.archive.deletion.reclaim import reclaim_blobs
from kernel.archive.tables import conflict, instance, manifest, patient, reclaim, series, series_metadata, study
from kernel.audit import Action, AuditOutcome
from kernel.database import metadata
from routing import vault
from routing.tables import delivery, derived, job, vault_entry
from tests.dicomweb.conftest import running_node, site_keys
from tests.support.builders import a_ct, a_ct_series

NAMED = (*verify.NAMED, derived)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def remove(node, ds, *, level="study", token=None, path=None, **query):
    path = path or f"/dicom-web/studies/{ds.StudyInstanceUID}"
    path += f"/series/{ds.SeriesInstanceUID}" if level != "study" else ""
    path += f"/instances/{ds.SOPInstanceUID}" if level == "instance" else ""
    query = {"reason": "test-data", **query}
    with node.http(token) if token else node.http() as client:
        return client.delete(path, params={key: value for key, value in query.items() if value is not None})


def reclaimed(node, **options):
    return reclaim_blobs(node.db, node.blobs, NAMED, LATER, **options)


def blobs_of(node):
    return sorted(key for key, _ in node.blobs.walk())


def receipted(node, *instances, at=datetime(2100, 1, 1, tzinfo=UTC)):
    rows = [
        {
            "destination": "hub",
            "site": "BV1",
            "sop_instance_uid": ds.SOPInstanceUID,
            "profile": "basic",
            "study_instance_uid": ds.StudyInstanceUID,
            "state": "delivered",
            "attempts": 1,
            "at": at,
        }
        for ds in instances
    ]
    node.db.write(lambda connection: connection.execute(delivery.insert(), rows))


def test_a_study_is_gone_with_all_that_hung_on_it_and_a_tombstone_stays(node):
    slices = list(a_ct_series(3))
    node.store(*slices)
    node.store(a_ct(KVP="100"))  # other bytes under the first one's UID
    node.get(f"/dicom-web/studies/{slices[0].StudyInstanceUID}/metadata")
    assert len(blobs_of(node)) == 4

    response = remove(node, slices[0], force="true")

    assert response.status_code == 204
    for table in (instance, series, study, patient, conflict, manifest, series_metadata):
        assert node.rows(table) == [], table.name
    assert node.get(f"/dicom-web/studies/{slices[0].StudyInstanceUID}/metadata").status_code == 404
    assert node.get("/dicom-web/studies?PatientName=Nguyen&fuzzymatching=true").json() == []
    assert (reclaimed(node), blobs_of(node), node.rows(reclaim)) == (4, [], [])
    last = node.get("/dicom-web/changes").json()["changes"][-1]
    assert (last["change"], last["study"], last["instances"], last["reason"]) == (
        "study-deleted", slices[0].StudyInstanceUID, 3, "test-data"
    )  # fmt: skip
    (line,) = [one for one in node.audited() if one.action == Action.STUDY_DELETED]
    assert (line.outcome, line.study_uid, json.loads(line.detail)["forced"]) == (
        AuditOutcome.SUCCESS, slices[0].StudyInstanceUID, True
    )  # fmt: skip
    assert "Nguyễn" not in line.detail


def test_one_instance_goes_and_the_rest_is_counted_anew(node):
    slices = list(a_ct_series(3))
    other = a_ct(seed="ct", instance=9, SeriesInstanceUID="1.2.9", Modality="SR")
    node.store(*slices, other)

    assert remove(node, slices[1], level="instance", force="true").status_code == 204
    assert remove(node, other, level="series", force="true").status_code == 204

    (row,) = node.rows(study)
    assert (row.number_of_instances, row.number_of_series, row.modalities) == (2, 1, "CT")
    assert row.size_bytes == sum(one.size_bytes for one in node.rows(instance))
    shown = node.get(f"/dicom-web/studies/{slices[0].StudyInstanceUID}/metadata").json()
    assert [one["00080018"]["Value"][0] for one in shown] == [slices[0].SOPInstanceUID, slices[2].SOPInstanceUID]
    assert reclaimed(node) == 2
    assert len(blobs_of(node)) == 2


def test_what_was_deleted_may_come_again(node):
    ds = a_ct()
    node.store(ds)
    remove(node, ds, force="true")

    assert node.store(ds).status_code == 200

    assert reclaimed(node) == 0  # the blob has a row again
    assert len(blobs_of(node)) == len(node.rows(instance)) == 1
    assert node.get(f"/dicom-web/studies/{ds.StudyInstanceUID}").status_code == 200


def test_a_new_study_never_shows_what_was_remembered_of_a_deleted_one(node):
    """SQLite gives the key of a deleted row to the next one."""
    first, second = a_ct(seed="a"), a_ct(seed="b")
    node.store(first)
    before = node.get(f"/dicom-web/studies/{first.StudyInstanceUID}/metadata").json()
    assert remove(node, first, force="true").status_code == 204
    node.store(second)

    shown = node.get(f"/dicom-web/studies/{second.StudyInstanceUID}/metadata").json()

    assert shown[0]["0020000D"]["Value"] == [second.StudyInstanceUID] != before[0]["0020000D"]["Value"]
    assert [row.study_instance_uid for row in node.rows(study)] == [second.StudyInstanceUID]


def test_a_blob_that_another_site_names_stays(node):
    ds = a_ct()
    node.store(ds)
    node.store(ds, token=node.a_token("dicomweb:store", site="BV7"))

    assert remove(node, ds).status_code == 409  # two sites have it: name one
    assert remove(node, ds, force="true", path=f"/sites/BV1/dicom-web/studies/{ds.StudyInstanceUID}").status_code == 204

    assert reclaimed(node) == 0
    assert node.get(f"/dicom-web/studies/{ds.StudyInstanceUID}").status_code == 200


def test_a_blob_that_just_got_its_name_is_left_alone_and_looked_at_again(node):
    ds = a_ct()
    node.store(ds)
    remove(node, ds, force="true")

    assert reclaim_blobs(node.db, node.blobs, NAMED, datetime.now(UTC) + timedelta(seconds=10)) == 0
    assert len(node.rows(reclaim)) == len(blobs_of(node)) == 1
    assert reclaimed(node) == 1


def test_a_file_that_took_the_name_meanwhile_is_put_back_also_after_a_crash(node, tmp_path):
    ds = a_ct()
    node.store(ds)
    (key,) = blobs_of(node)
    content = node.blobs.path(key).read_bytes()

    assert not node.blobs.remove(key, inode=1)  # another file than was meant
    assert node.blobs.path(key).read_bytes() == content
    doomed = node.config.node.data / "blobs" / "doomed" / f"{key.replace('/', '@')}@1"
    node.blobs.path(key).rename(doomed)  # a crash here
    node.blobs.sweep()

    assert node.blobs.path(key).read_bytes() == content
    assert not doomed.exists()


def test_the_only_copy_is_not_deleted_unless_an_administrator_forces_it(node):
    ds = a_ct()
    node.store(ds)

    refused = remove(node, ds)

    assert (refused.status_code, refused.json()["code"]) == (409, "DeletionRefused")
    assert "this may be the only copy" in refused.json()["detail"]
    assert len(node.rows(instance)) == 1
    assert [line.outcome for line in node.audited() if line.action == Action.STUDY_DELETED] == [
        AuditOutcome.MINOR_FAILURE
    ]
    receipted(node, ds)
    assert remove(node, ds).status_code == 204


def test_a_receipt_of_what_was_deleted_says_nothing_of_what_came_again(node):
    ds = a_ct()
    node.store(ds)
    receipted(node, ds, at=datetime(2020, 1, 1, tzinfo=UTC))

    refused = remove(node, ds)

    assert refused.status_code == 409
    assert "this may be the only copy" in refused.json()["detail"]


def test_other_bytes_kept_beside_an_instance_are_not_deleted_with_it_unless_forced(node):
    ds = a_ct()
    node.store(ds)
    node.store(a_ct(KVP="100"))
    receipted(node, ds)

    refused = remove(node, ds)

    assert refused.status_code == 409
    assert "1 conflicting copies of its instances are nowhere else" in refused.json()["detail"]
    assert len(blobs_of(node)) == 2
    assert remove(node, ds, force="true").status_code == 204


def test_what_waits_for_delivery_is_not_deleted(node):
    ds = a_ct()
    node.store(ds)
    receipted(node, ds)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    row = {
        "kind": "deliver",
        "lane": "hub",
        "priority": 2,
        "state": "ready",
        "run_at": at,
        "attempts": 0,
        "key": "k",
        "site": "BV1",
        "study_instance_uid": ds.StudyInstanceUID,
        "sop_instance_uid": ds.SOPInstanceUID,
        "profile": "basic",
        "trace_id": "t",
        "at": at,
    }
    node.db.write(lambda connection: connection.execute(job.insert(), row))

    refused = remove(node, ds)
    forced = remove(node, ds, force="true")

    assert "1 deliveries of it are still to be made" in refused.json()["detail"]
    assert (refused.status_code, forced.status_code, node.rows(job)) == (409, 204, [])


def test_pseudonymised_copies_go_with_their_original(node):
    ds = a_ct()
    node.store(ds)
    (row,) = node.rows(instance)
    copy = {
        "site": "BV1",
        "sop_instance_uid": ds.SOPInstanceUID,
        "variant": "v",
        "new_study_instance_uid": "2.1",
        "new_series_instance_uid": "2.2",
        "new_sop_instance_uid": "2.3",
        "sop_class_uid": "1.2",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "blob_key": row.blob_key.replace("1.2.1", "1.2"),
        "size_bytes": 1,
        "dataset_offset": 1,
        "sha256": row.sha256,
        "record": "",
        "at": row.received_at,
    }
    node.blobs.path(copy["blob_key"]).write_bytes(b"copy")
    node.db.write(lambda connection: connection.execute(derived.insert(), copy))

    assert remove(node, ds, force="true").status_code == 204

    assert (node.rows(derived), reclaimed(node), blobs_of(node)) == ([], 2, [])


def a_copy(node, ds, number: int) -> None:
    """Make a pseudonymised copy of an instance, with the sealed ways back."""
    keys = site_keys("BV1")
    (row,) = [one for one in node.rows(instance) if one.sop_instance_uid == ds.SOPInstanceUID]
    values = {
        "site": "BV1",
        "sop_instance_uid": ds.SOPInstanceUID,
        "variant": "v",
        "new_study_instance_uid": "2.1",
        "new_series_instance_uid": "2.2",
        "new_sop_instance_uid": f"2.3.{number}",
        "sop_class_uid": "1.2",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "blob_key": row.blob_key,
        "size_bytes": 1,
        "dataset_offset": 1,
        "sha256": row.sha256,
        "record": "",
        "at": row.received_at,
    }
    who = {"PatientID": ds.PatientID, "IssuerOfPatientID": "", "PatientName": "", "PatientBirthDate": ""}
    tokens = [
        (VaultKind.PATIENT, pseudonym_of(who, ds.StudyInstanceUID, keys, "BV1")),
        *((VaultKind.STUDY, "2.1"), (VaultKind.UID, "2.1"), (VaultKind.UID, "2.2"), (VaultKind.UID, f"2.3.{number}")),
    ]
    sealed = [seal(VaultEntry(kind, token, {}), keys, nonce=bytes(12)) for kind, token in tokens]

    def write(connection) -> None:
        connection.execute(derived.insert(), values)
        vault.store(connection, "BV1", sealed, row.received_at)

    node.db.write(write)


def kinds(node) -> list[str]:
    return sorted(row.kind for row in node.rows(vault_entry))


def test_the_ways_back_stay_for_reports_that_come_home_unless_erasure_is_the_reason(node):
    first, second = a_ct_series(2)
    node.store(first, second)
    a_copy(node, first, 1)
    a_copy(node, second, 2)
    assert kinds(node) == ["patient", "study", "uid", "uid", "uid", "uid"]

    remove(node, first, level="instance", force="true", reason="erasure")
    after_one = kinds(node)
    remove(node, second, force="true", reason="erasure")

    assert after_one == ["patient", "study", "uid", "uid", "uid"]  # its neighbour still needs the others
    assert kinds(node) == []


def test_a_patient_with_another_study_stays_known_to_the_vault(node):
    ds, other = a_ct(PatientID="P1"), a_ct(seed="other", PatientID="P1")
    node.store(ds, other)
    a_copy(node, ds, 1)

    remove(node, ds, force="true", reason="erasure")

    assert kinds(node) == ["patient"]


def test_deleting_for_another_reason_leaves_every_way_back(node):
    ds = a_ct()
    node.store(ds)
    a_copy(node, ds, 1)

    remove(node, ds, force="true", reason="test-data")

    assert kinds(node) == ["patient", "study", "uid", "uid", "uid"]


def test_a_legal_hold_stops_everybody_until_it_is_lifted(node):
    ds = a_ct()
    node.store(ds)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    node.db.write(lambda c: holds.place(c, "BV1", ds.StudyInstanceUID, reason="case-7", who="admin", at=at))

    held = remove(node, ds, force="true")
    node.db.write(lambda c: holds.lift(c, "BV1", ds.StudyInstanceUID, who="admin", at=at))

    assert (held.status_code, "legal hold" in held.json()["detail"]) == (409, True)
    assert remove(node, ds, force="true").status_code == 204


@pytest.mark.parametrize(
    ("archive", "scopes", "force", "status", "says"),
    [
        ({"deletion": "off"}, None, "true", 409, "switched off"),
        ({"deletion": "admin"}, ("dicomweb:delete",), None, 403, "only an administrator"),
        ({"deletion": "scope"}, ("dicomweb:delete",), None, 204, ""),
        ({"deletion": "scope"}, ("dicomweb:delete",), "true", 403, "only an administrator"),
        ({"deletion": "scope"}, ("dicomweb:read", "dicomweb:store"), None, 403, "the right dicomweb:delete"),
        ({"deletion": "scope", "retention_days": 30.0}, ("dicomweb:delete",), None, 409, "less than 30 days ago"),
        ({"deletion": "scope", "retention_days": 30.0}, None, None, 204, ""),
    ],
)
def test_the_policy_says_who_may_delete_and_when(tmp_path, archive, scopes, force, status, says):
    with running_node(tmp_path, **archive) as node:
        ds = a_ct()
        node.store(ds)
        receipted(node, ds)
        token = node.a_token(*scopes, site="BV1") if scopes else None

        response = remove(node, ds, token=token, force=force)

        assert (response.status_code, says in response.text) == (status, True)


def test_another_sites_study_is_not_there_for_who_may_not_see_it(node):
    ds = a_ct()
    node.store(ds)
    token = node.a_token("dicomweb:delete", "admin", site="BV7")

    theirs = remove(node, ds, token=token, force="true")
    nobodys = remove(node, a_ct(seed="nobody"), token=token, force="true")

    assert theirs.status_code == nobodys.status_code == 404
    assert {**theirs.json(), "trace": ""} == {**nobodys.json(), "trace": ""}
    assert len(node.rows(instance)) == 1


@pytest.mark.parametrize("query", [{"reason": None}, {"reason": "Nguyễn"}, {"force": "maybe"}])
def test_a_reason_of_the_list_is_wanted(node, query):
    ds = a_ct()
    node.store(ds)

    assert remove(node, ds, **query).status_code == 400
    assert len(node.rows(instance)) == 1


def test_what_is_not_there_cannot_be_deleted(node):
    ds = a_ct()
    node.store(ds)

    for level, other in (
        ("study", a_ct(seed="x")),
        ("series", a_ct(SeriesInstanceUID="1.9")),
        ("instance", a_ct(instance=7)),
    ):
        assert remove(node, other, level=level, force="true").status_code == 404
    assert len(node.rows(instance)) == 1


def test_every_table_that_names_blobs_is_asked_before_one_is_removed(node):
    naming = {table.name for table in metadata.sorted_tables if "blob_key" in table.c}

    assert naming == {table.name for table in NAMED} | {"reclaim"}
    with pytest.raises(AssertionError, match="derived"):
        reclaim_blobs(node.db, node.blobs, verify.NAMED, LATER)


def test_a_deletion_that_fails_at_its_end_changes_nothing(node, monkeypatch):
    ds = a_ct()
    node.store(ds)
    before = {table.name: node.rows(table) for table in (instance, series, study, patient, reclaim)}
    monkeypatch.setattr("kernel.archive.deletion.deletion.append", _fail)

    assert remove(node, ds, force="true").status_code == 500
    assert {table.name: node.rows(table) for table in (instance, series, study, patient, reclaim)} == before


def _fail(*_):
    raise RuntimeError


def test_the_database_checks_that_nothing_hangs_on_a_deleted_row(node):
    ds = a_ct()
    node.store(ds)

    with pytest.raises(Exception, match="FOREIGN KEY"):
        node.db.write(lambda connection: connection.execute(sql_delete(study)))
    with node.db.read() as connection:
        assert connection.execute(select(study.c.pk)).all()
