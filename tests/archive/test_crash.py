"""kill -9 between any two steps: what was acknowledged is there, nothing half-promised is served, sending again works."""

import os
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.archive.blobs import durable
from kernel.archive.blobs import store as blobs_module
from kernel.archive.blobs.flushing import Flushing
from kernel.archive.blobs.store import Blobs
from kernel.archive.blobs.verify import check
from kernel.archive.ingest import ingest
from kernel.archive.ingest.parents import Parents
from kernel.archive.owner.commit_socket import RemoteCommitter
from kernel.archive.tables import instance, quarantine, series, study
from kernel.database import Database
from kernel.errors import MalformedInstance
from tests.archive.conftest import an_origin, open_archive
from tests.support.builders import a_ct_series
from tests.support.killed import Death, killed

INSTANCES = 5
FATAL = 3  # the instance at which the child dies
STEPS = [
    "receiving",
    "staged",
    "announced",
    "renamed",
    "flushes begun",
    "flushed",
    "rows written",
    "before commit",
    "after commit",
    "answered",
]
OF_HANDING_OVER = ("announced", "before commit")  # of a listener process' rows to the one that writes them


def _receive(url: str, root: Path, step: str, order: str, answers: Connection) -> None:
    death = Death(step, FATAL)
    blobs_module.rename_new = death.after("renamed", blobs_module.rename_new)
    Blobs.begin = death.after("flushes begun", Blobs.begin)
    Flushing.wait = death.after("flushed", Flushing.wait)
    durable.Flush.wait = death.after("before commit", durable.Flush.wait)
    Parents.remember = death.after("after commit", Parents.remember)
    archive = open_archive(root, Database.open(url))
    if order == "handed over":
        archive.committer.commit = partial(RemoteCommitter.commit, archive.committer)
    if order == "blob first":
        ingest.TOGETHER_BYTES_MAX = 0
    archive.committer._participants = [lambda *_: death.at("rows written")]
    archive.committer.submit = death.after("announced", archive.committer.submit)
    for number, ds in enumerate(a_ct_series(INSTANCES), start=1):
        death.number = number
        if step == "receiving" and number == FATAL:
            archive.blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, "1.2.840.10008.1.2.1").write(b"half of it")
        death.at("receiving")
        staged = archive.stage(ds)
        death.at("staged")
        archive.ingest.ingest(staged, an_origin())
        answers.send(ds.SOPInstanceUID)
        death.at("answered")
    os._exit(1)


@pytest.mark.parametrize(
    ("step", "order"),
    [(step, "handed over") for step in STEPS]
    + [(step, order) for order in ("together", "blob first") for step in STEPS if step not in OF_HANDING_OVER],
)
def test_a_node_killed_at_any_step_keeps_what_it_acknowledged(database_url: str, tmp_path: Path, step: str, order: str):
    database = Database.open(database_url)
    database.migrate()
    database.close()
    datasets = list(a_ct_series(INSTANCES))

    acknowledged = killed(_receive, database_url, tmp_path / "blobs", step, order)

    database = Database.open(database_url)
    archive = open_archive(tmp_path / "blobs", database)
    archive.blobs.sweep()
    assert archive.files() == []
    assert len(acknowledged) == FATAL - (step != "answered")
    rows = {row.sop_instance_uid for row in archive.rows(select(instance))}
    assert set(acknowledged) <= rows
    assert (
        len(rows) == archive.row(select(study)).number_of_instances == archive.row(select(series)).number_of_instances
    )
    assert len(archive.events()) == len(rows)
    report = check(database, archive.blobs)
    assert report.is_whole, "every row has its whole blob"
    assert len(report.orphans) <= 1

    again = archive.receives(*datasets)

    assert [answer.outcome for answer in again] == ["duplicate"] * len(rows) + ["stored"] * (INSTANCES - len(rows))
    assert archive.row(select(study)).number_of_instances == INSTANCES
    report = check(database, archive.blobs)
    assert (report.is_whole, report.checked, report.orphans) == (True, INSTANCES, [])
    database.close()


def _refuse(url: str, root: Path, step: str, answers: Connection) -> None:
    death = Death(step, FATAL)
    death.number = FATAL
    blobs_module.rename_new = death.after("renamed", blobs_module.rename_new)
    Flushing.wait = death.after("flushed", Flushing.wait)
    archive = open_archive(root, Database.open(url))
    write = archive.committer.quarantine
    archive.committer.quarantine = death.after("row written", write)
    staged = archive.stage(b"<html>")
    archive.ingest.ingest(staged, an_origin())


@pytest.mark.parametrize("step", ["renamed", "flushed", "row written"])
def test_a_refused_instance_is_in_quarantine_once_whenever_the_node_is_killed(tmp_path: Path, step: str):
    url = f"sqlite:///{tmp_path / 'vienanh.db'}"
    database = Database.open(url)
    database.migrate()
    database.close()
    open_archive(tmp_path / "blobs", Database.open(url)).database.close()  # so that its folders are there

    assert killed(_refuse, url, tmp_path / "blobs", step) == []

    database = Database.open(url)
    archive = open_archive(tmp_path / "blobs", database)
    archive.blobs.sweep()
    with pytest.raises(MalformedInstance):
        archive.ingest.ingest(archive.stage(b"<html>"), an_origin())
    assert archive.count(quarantine) == len(archive.files("quarantine")) == 1
    assert check(database, archive.blobs).is_whole
    database.close()
