"""GET /changes: in order, resumable, filtered, and waiting."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from kernel.archive import changes
from kernel.archive.changes import read_changes
from kernel.database import Database
from kernel.events import Event, EventName, record
from tests.support.builders import a_ct

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def feed(node, token=None, **query):
    headers = {"token": token} if token else {}
    response = node.get("/dicom-web/changes?" + "&".join(f"{k}={v}" for k, v in query.items()), **headers)
    assert response.status_code == 200, response.text
    return response.json()


def words(answer):
    return [(one["change"], one["study"]) for one in answer["changes"]]


def test_changes_come_in_order_and_go_on_where_they_ended(node):
    ds = a_ct()
    node.store(ds)
    node.store(a_ct(KVP="100"))
    said = {"study": ds.StudyInstanceUID, "version": 3, "instances": 1, "complete": "association-released"}
    with node.http() as client:
        client.post("/dicom-web/manifests", json=said)

    whole = feed(node)
    first = feed(node, limit=1)
    rest = feed(node, since=first["next"])

    study = ds.StudyInstanceUID
    assert words(whole) == [
        ("instance-received", study), ("instance-conflict", study), ("manifest-received", study), ("study-complete", study)
    ]  # fmt: skip
    assert first["more"]
    assert not rest["more"]
    assert first["changes"] + rest["changes"] == whole["changes"]
    assert [one["sequence"] for one in whole["changes"]] == sorted({one["sequence"] for one in whole["changes"]})
    assert whole["changes"][0]["sop_instance_uid"] == ds.SOPInstanceUID
    assert feed(node, since=whole["next"]) == {"changes": [], "next": whole["next"], "more": False}


def test_a_caller_sees_the_changes_of_its_own_sites_only(node):
    other = node.a_token("dicomweb:store", "dicomweb:read", site="BV7")
    node.store(a_ct(seed="ours"))
    node.store(a_ct(seed="theirs"), token=other)

    seen = feed(node, token=other)
    by_url = node.get("/sites/BV7/dicom-web/changes").json()
    hidden = node.get("/sites/BV1/dicom-web/changes", token=other).json()

    assert [one["site"] for one in seen["changes"]] == ["BV7"]
    assert by_url["changes"] == seen["changes"]
    assert hidden["changes"] == []
    assert len(feed(node)["changes"]) == 2


def test_a_waiting_caller_hears_of_a_change_as_soon_as_it_is_there(node):
    last = feed(node)["next"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed, node, since=last, wait=15)
        threading.Event().wait(0.2)
        assert not waiting.done()

        node.store(a_ct())

        assert len(waiting.result(timeout=10)["changes"]) == 1


@pytest.mark.parametrize(
    "query", ["since=-1", "since=x", "limit=0", "limit=1001", "wait=long", "since=" + "9" * 30, "since=999999"]
)
def test_a_question_that_cannot_be_is_refused(archive, query):
    assert archive.get(f"/dicom-web/changes?{query}").status_code == 400


def written(database: Database, study: str) -> None:
    event = Event(EventName.STUDY_COMPLETE, NOW, "BV1", study)
    database.write(lambda connection: record(connection, event))


def test_no_number_appears_behind_one_that_was_read(postgresql):
    """Two nodes write into one PostgreSQL; a reader between their commits must not step over the slower one."""
    slow, fast = Database.open(postgresql), Database.open(postgresql)
    slow.migrate()
    numbered, may_commit = threading.Event(), threading.Event()

    def dawdle(connection) -> None:
        record(connection, Event(EventName.STUDY_COMPLETE, NOW, "BV1", "slow"))
        numbered.set()
        assert may_commit.wait(30)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow.write, dawdle)
        assert numbered.wait(30)
        second = pool.submit(written, fast, "fast")
        seen = []
        with fast.read() as connection:
            seen += read_changes(connection, 0, 10, None).changes
        assert seen == []
        may_commit.set()
        first.result(30), second.result(30)
    with fast.read() as connection:
        page = read_changes(connection, 0, 10, None)
    slow.close(), fast.close()

    assert [one.study_instance_uid for one in page.changes] == ["slow", "fast"]


def test_the_work_of_one_answer_is_bounded_and_its_end_says_where_to_go_on(node, monkeypatch):
    monkeypatch.setattr(changes, "SCANNED_MAX", 3)
    for number in range(5):
        node.store(a_ct(seed=f"ours {number}"))
    theirs = node.a_token("dicomweb:read", site="BV7")

    first = feed(node, token=theirs)
    second = feed(node, token=theirs, since=first["next"])

    assert (first["changes"], first["more"]) == ([], True)
    assert (second["changes"], second["more"]) == ([], False)


def test_a_waiting_caller_goes_on_at_once_behind_what_it_may_not_see_and_nothing_is_looked_at_twice(node, monkeypatch):
    monkeypatch.setattr(changes, "SCANNED_MAX", 3)
    for number in range(4):
        node.store(a_ct(seed=f"ours {number}"))
    theirs, looked = node.a_token("dicomweb:read", site="BV7"), []

    def look(connection, sequence, *rest):
        looked.append(sequence)
        return read_changes(connection, sequence, *rest)

    monkeypatch.setattr("gateway.dicomweb.changes.read_changes", look)
    first = feed(node, token=theirs, wait=15)
    second = feed(node, token=theirs, since=first["next"], wait=1)

    assert (first["more"], first["next"]) == (True, 3)
    assert (second["more"], second["next"]) == (False, 4)
    assert looked[:2] == [0, 3]
    assert set(looked[2:]) == {4}
