"""kill -9 while something is deleted: a study is there, or gone; its bytes follow; nothing dangles, nothing is lost."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from kernel.archive.blobs import store as blobs_module
from kernel.archive.blobs import verify
from kernel.archive.blobs.store import Blobs
from kernel.archive.deletion import deletion, reclaim
from kernel.archive.deletion.deletion import Deletions
from kernel.archive.deletion.reclaim import reclaim_blobs
from kernel.archive.tables import instance, patient, series, study
from kernel.archive.tables import reclaim as reclaim_table
from kernel.audit import Action, audit
from kernel.config import ArchiveConfig
from kernel.database import Database
from routing.deletion import DeliveryDependents
from tests.archive.conftest import Archive, open_archive
from tests.archive.test_deletion import NAMED, a_wish, site_keys
from tests.support.builders import a_ct, a_ct_series
from tests.support.killed import Death, killed

LATER = datetime(2100, 1, 1, tzinfo=UTC)  # when every blob has settled
INSTANCES = 3
FATAL = 2  # the blob at which the child dies
OTHER = a_ct(seed="another study")


def deletions_of(archive: Archive) -> Deletions:
    dependents = (DeliveryDependents(site_keys),)
    return Deletions(archive.database, archive.clock, ArchiveConfig(), archive.committer, dependents)


def _delete(url: str, root: Path, step: str, answers: Connection) -> None:
    death = Death(step, 0)
    deletion.removal.remove = death.after("rows removed", deletion.removal.remove)
    deletion.give_up = death.after("blobs given up", deletion.give_up)
    deletion.record = death.after("event recorded", deletion.record)
    deletion.append = death.after("audit line written", deletion.append)
    archive = open_archive(root, Database.open(url))
    deletions = deletions_of(archive)
    calls: list[str] = ["after commit", "before commit"]  # it is told inside the transaction, and again after it
    deletions.when_deleted(lambda: death.at(calls.pop()))
    deletions.delete(a_wish(next(a_ct_series(1))))
    answers.send("deleted")
    death.at("answered")
    os._exit(1)


def _reclaim(url: str, root: Path, step: str, answers: Connection) -> None:
    death = Death(step, FATAL)
    settled, rename, unlink = Blobs.settled, Path.rename, Path.unlink

    def counted(self: Blobs, key: str, before: float) -> int | None:
        death.number += 1
        return settled(self, key, before)

    archive = open_archive(root, Database.open(url))
    Blobs.settled = death.after("looked at", counted)
    reclaim._is_named = death.after("asked", reclaim._is_named)
    Path.rename = death.after("set aside", rename)
    Path.unlink = death.after("unlinked", unlink)
    blobs_module.flush_folder = death.after("folder flushed", blobs_module.flush_folder)
    removed = reclaim_blobs(archive.database, archive.blobs, NAMED, LATER)
    answers.send(f"{removed} removed")
    death.number = FATAL
    death.at("noted")
    os._exit(1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'vienanh.db'}"


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    """An archive with two studies, and as it is found again by `reopened`."""
    database = Database.open(url)
    database.migrate()
    archive = open_archive(tmp_path / "blobs", database)
    archive.receives(*a_ct_series(INSTANCES), OTHER)
    yield archive
    database.close()


def reopened(archive: Archive, url: str) -> Archive:
    """The archive as a node finds it at its next start."""
    found = open_archive(archive.root, Database.open(url))
    found.blobs.sweep()
    return found


def tombstones(archive: Archive) -> tuple[int, int]:
    """How many events and audit lines tell of the deletion."""
    events = [name for name, *_ in archive.events() if name == "StudyDeleted"]
    lines = [row for row in archive.rows(audit.select()) if row.action == Action.STUDY_DELETED]
    return len(events), len(lines)


def counts(archive: Archive) -> list[int]:
    return [archive.count(table) for table in (instance, series, study, patient)]


@pytest.mark.parametrize(
    "step",
    [
        *("rows removed", "blobs given up", "event recorded", "audit line written", "before commit"),
        *("after commit", "answered"),
    ],
)
def test_a_study_whose_deletion_is_killed_is_there_or_gone_and_never_half(archive, url, step):
    archive.database.close()

    told = killed(_delete, url, archive.root, step)

    found = reopened(archive, url)
    is_gone = step in ("after commit", "answered")
    assert told == (["deleted"] if step == "answered" else [])
    assert counts(found) == ([1, 1, 1, 1] if is_gone else [INSTANCES + 1, 2, 2, 2])
    assert found.count(reclaim_table) == (INSTANCES if is_gone else 0)
    assert tombstones(found) == ((1, 1) if is_gone else (0, 0))
    assert verify.check(found.database, found.blobs, NAMED).is_whole, "every row that stayed has its bytes"

    if not is_gone:
        assert deletions_of(found).delete(a_wish(next(a_ct_series(1)))) == INSTANCES
    assert reclaim_blobs(found.database, found.blobs, NAMED, LATER) == INSTANCES
    report = verify.check(found.database, found.blobs, NAMED)
    assert (report.is_whole, report.checked, report.orphans) == (True, 1, [])
    found.database.close()


@pytest.mark.parametrize("step", ["looked at", "asked", "set aside", "unlinked", "folder flushed", "noted"])
def test_a_removal_of_bytes_that_is_killed_goes_on_at_the_next_start(archive, url, step):
    deletions_of(archive).delete(a_wish(next(a_ct_series(1))))
    archive.database.close()

    told = killed(_reclaim, url, archive.root, step)

    found = reopened(archive, url)
    assert told == ([f"{INSTANCES} removed"] if step == "noted" else [])
    assert found.files("doomed") == []
    assert found.count(reclaim_table) == (0 if step == "noted" else INSTANCES)
    assert verify.check(found.database, found.blobs, NAMED).is_whole
    again = reclaim_blobs(found.database, found.blobs, NAMED, LATER)
    report = verify.check(found.database, found.blobs, NAMED)

    assert again == {"looked at": 2, "asked": 2, "noted": 0}.get(step, 1)
    assert found.count(reclaim_table) == 0
    assert (report.is_whole, report.checked, report.orphans) == (True, 1, [])
    found.database.close()


@pytest.mark.parametrize("step", ["looked at", "set aside", "unlinked"])
def test_a_study_that_comes_again_after_a_killed_removal_is_whole(archive, url, step):
    deletions_of(archive).delete(a_wish(next(a_ct_series(1))))
    archive.database.close()
    killed(_reclaim, url, archive.root, step)

    found = reopened(archive, url)
    answers = found.receives(*a_ct_series(INSTANCES))
    removed = reclaim_blobs(found.database, found.blobs, NAMED, LATER)

    assert [answer.outcome for answer in answers] == ["stored"] * INSTANCES
    assert removed == 0, "what was given up is named again"
    report = verify.check(found.database, found.blobs, NAMED)
    assert (report.is_whole, report.checked, report.orphans) == (True, INSTANCES + 1, [])
    assert found.count(reclaim_table) == 0
    found.database.close()
