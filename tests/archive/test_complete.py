"""Completeness is evidence: what counts, what does not, and what a later instance changes."""

import threading
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, select

from kernel.archive.ingest.sessions import Sessions
from kernel.archive.tables import manifest, study
from tests.archive.conftest import Archive, an_origin
from tests.support.builders import a_ct, a_ct_series

UID = a_ct(seed="a").StudyInstanceUID


@dataclass(frozen=True)
class Said:
    study_instance_uid: str = UID
    version: int = 1
    instances: int = 3
    complete: str | None = "association-released"
    priority: str = "routine"
    trace_id: str = "ab" * 16


def state_of(archive: Archive, seed: str = "a") -> tuple[str, str]:
    row = archive.row(select(study).where(study.c.study_instance_uid == a_ct(seed=seed).StudyInstanceUID))
    return row.state, row.evidence


def test_the_end_of_an_association_completes_the_studies_that_it_touched_and_no_others(archive: Archive):
    archive.receives(*a_ct_series(2, seed="a"), a_ct(seed="b"), origin=an_origin(session="s1"))
    archive.receives(a_ct(seed="c"), origin=an_origin(session="s2"))

    archive.committer.end_session("BVA", "s1", "association-released")

    assert [state_of(archive, seed)[0] for seed in "abc"] == ["complete", "complete", "receiving"]
    assert state_of(archive) == ("complete", "association-released")
    told = [(name, detail) for name, detail in archive.events() if name == "StudyComplete"]
    assert told[0] == ("StudyComplete", {"evidence": "association-released", "instances": 2, "version": 2})
    assert (archive.completed[0].study_instance_uid, archive.completed[0].number_of_instances) == (UID, 2)
    assert len(archive.completed) == 2


def test_an_aborted_association_is_no_evidence(archive: Archive):
    archive.receives(a_ct(seed="a"), origin=an_origin(session="s1"))

    archive.committer.end_session("BVA", "s1", None)
    archive.committer.end_session("BVA", "s1", "association-released")

    assert state_of(archive) == ("receiving", "")


def test_the_end_of_a_session_without_evidence_waits_for_no_commit(archive: Archive):
    writing, written = threading.Event(), threading.Event()

    def slow(_: Connection) -> None:
        writing.set()
        assert written.wait(20)

    under_way = archive.database.submit(slow)
    assert writing.wait(20)
    archive.committer.end_session("BVA", "s1", None)

    assert not under_way.done()
    written.set()
    under_way.result(20)


def test_the_same_session_of_another_site_is_another_session(archive: Archive):
    archive.receives(a_ct(seed="a"), origin=an_origin("BVA", session="s1"))

    archive.committer.end_session("BVB", "s1", "association-released")

    assert state_of(archive) == ("receiving", "")


def test_a_study_sent_again_whole_is_completed_by_the_second_association(archive: Archive):
    archive.receives(a_ct(seed="a"), origin=an_origin(session="cut off"))
    archive.receives(a_ct(seed="a"), origin=an_origin(session="s2"))

    archive.committer.end_session("BVA", "s2", "association-released")

    assert state_of(archive) == ("complete", "association-released")


def test_a_later_instance_reopens_the_study_under_a_new_version(archive: Archive):
    archive.receives(a_ct(seed="a"), origin=an_origin(session="s1"))
    archive.committer.end_session("BVA", "s1", "association-released")

    archive.receives(a_ct(seed="a", instance=2), origin=an_origin(session="s2"))
    reopened = state_of(archive)
    archive.committer.end_session("BVA", "s2", "association-released")

    assert reopened == ("receiving", "")
    assert [one.revision for one in archive.completed] == [1, 2]


def test_quiet_is_the_last_evidence(archive: Archive):
    archive.receives(a_ct(seed="a"))
    archive.clock.advance(59)
    assert archive.committer.settle_quiet(60) == 0
    archive.clock.advance(1)

    assert archive.committer.settle_quiet(60) == 1
    assert archive.committer.settle_quiet(60) == 0

    assert state_of(archive) == ("complete", "quiet")


def test_a_person_may_say_that_a_study_is_complete_once(archive: Archive):
    archive.receives(a_ct(seed="a"))
    pk = archive.row(select(study)).pk

    assert archive.committer.send_now(pk)
    assert not archive.committer.send_now(pk)

    assert state_of(archive) == ("complete", "send-now")


def test_a_manifest_that_comes_first_says_how_many_and_how_urgent(archive: Archive):
    archive.committer.write_manifest("BVA", Said(priority="stat"))
    assert archive.count(study) == 0

    archive.receives(*a_ct_series(2, seed="a"))
    before = archive.row(select(study))
    archive.receives(a_ct(seed="a", instance=3))

    assert (before.expected_instances, before.priority, before.state) == (3, 0, "receiving")
    assert state_of(archive) == ("complete", "manifest")
    assert len(archive.completed) == 1
    assert archive.events()[0] == (
        "ManifestReceived",
        {"version": 1, "instances": 3, "complete": "association-released"},
    )


def test_a_manifest_that_comes_last_completes_what_is_here(archive: Archive):
    archive.receives(*a_ct_series(3, seed="a"))

    archive.committer.write_manifest("BVA", Said(priority="urgent"))

    assert state_of(archive) == ("complete", "manifest")
    assert archive.row(select(study)).priority == 1


@pytest.mark.parametrize("said", [Said(instances=4), Said(complete=None)], ids=["more to come", "still open"])
def test_nothing_but_the_promised_instances_completes_a_study_with_a_manifest(archive: Archive, said: Said):
    archive.committer.write_manifest("BVA", said)
    archive.receives(*a_ct_series(3, seed="a"), origin=an_origin(session="s1"))

    archive.committer.end_session("BVA", "s1", "association-released")
    archive.clock.advance(10_000)
    archive.committer.settle_quiet(60)

    assert state_of(archive) == ("receiving", "")


def test_an_older_manifest_is_ignored_and_the_same_again_has_no_effect(archive: Archive):
    archive.committer.write_manifest("BVA", Said(version=5, instances=9, complete=None))

    archive.committer.write_manifest("BVA", Said(version=4, instances=1))
    archive.committer.write_manifest("BVA", Said(version=5, instances=9, complete=None))

    assert (archive.row(select(manifest)).version, archive.row(select(manifest)).instances_expected) == (5, 9)
    assert len(archive.events()) == 1


def test_a_newer_manifest_that_promises_more_reopens_the_study(archive: Archive):
    archive.receives(*a_ct_series(3, seed="a"))
    archive.committer.write_manifest("BVA", Said())

    archive.committer.write_manifest("BVA", Said(version=2, instances=4))
    reopened = state_of(archive)
    archive.receives(a_ct(seed="a", instance=4))

    assert reopened == ("receiving", "")
    assert state_of(archive) == ("complete", "manifest")
    assert archive.row(select(study)).expected_instances == 4


def test_a_manifest_of_one_site_says_nothing_about_another(archive: Archive):
    archive.receives(*a_ct_series(3, seed="a"))

    archive.committer.write_manifest("BVB", Said())

    assert state_of(archive) == ("receiving", "")


def test_sessions_in_memory_are_bounded():
    sessions = Sessions(sessions_max=2, studies_max=2)
    for session in ("a", "b", "c"):
        for pk in (1, 2, 3):
            sessions.touch("BVA", session, pk)
    sessions.touch("BVA", "", 1)

    assert sessions.touched("BVA", "a") == frozenset()
    assert sessions.touched("BVA", "b") == sessions.touched("BVA", "c") == {1, 2}
    assert sessions.touched("BVA", "") == frozenset()


def test_what_is_noted_after_the_end_of_a_session_is_not_remembered():
    sessions = Sessions(sessions_max=2)
    for session in ("a", "b", "c"):
        sessions.end("BVA", session)

    for session in ("a", "b", "c"):
        sessions.touch("BVA", session, 1)

    assert sessions.touched("BVA", "b") == sessions.touched("BVA", "c") == frozenset()
    assert sessions.touched("BVA", "a") == {1}  # the oldest end is forgotten first
