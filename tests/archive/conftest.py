"""An archive on real parts: blobs in a temporary folder, the database on each engine in turn, a clock moved by hand."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import func, select

from kernel.archive.blobs.durable import Flush
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Completed, Ingested, Origin, Received, Staged, Stored
from kernel.clock import ManualClock
from kernel.database import Database
from kernel.events import event
from tests.support.builders import as_dataset_bytes

EXPLICIT = "1.2.840.10008.1.2.1"
ON_DISK = Flush()  # of a blob that was made durable before
ON_DISK.succeed()


def an_origin(site: str = "BVA", *, session: str = "s1", peer: str = "CT1", trace_id: str | None = None) -> Origin:
    return Origin(
        site=site, channel="dimse", peer=peer, called="VIENANH", address="10.0.0.1", session=session, trace_id=trace_id
    )


@dataclass
class Archive:
    """One node's archive, as a test drives it."""

    root: Path
    database: Database
    clock: ManualClock
    blobs: Blobs
    committer: LocalCommitter
    ingest: Ingest
    stored: list[Stored] = field(default_factory=list)
    completed: list[Completed] = field(default_factory=list)

    def stage(self, ds: Dataset | bytes, uid: str = "", class_uid: str = "", syntax: str = EXPLICIT) -> Staged:
        content = ds if isinstance(ds, bytes) else as_dataset_bytes(ds, syntax)
        if isinstance(ds, Dataset):
            uid, class_uid = uid or ds.get("SOPInstanceUID", ""), class_uid or ds.get("SOPClassUID", "")
        stage = self.blobs.stage(class_uid, uid, syntax)
        stage.write(content)
        return stage.finish()

    def prepared(self, ds: Dataset) -> Received:
        """Return a checked instance whose blob is durable and whose rows are not written."""
        staged = self.stage(ds)
        received = self.ingest._check(staged, an_origin(), None, None, None)
        self.blobs.promote(staged)
        return received

    def receives(self, *datasets: Dataset, origin: Origin | None = None, syntax: str = EXPLICIT) -> list[Ingested]:
        origin = origin or an_origin()
        return [self.ingest.ingest(self.stage(ds, syntax=syntax), origin) for ds in datasets]

    def count(self, table) -> int:
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(table))

    def row(self, query):
        with self.database.read() as connection:
            return connection.execute(query).one()

    def rows(self, query):
        with self.database.read() as connection:
            return connection.execute(query).all()

    def events(self) -> list[tuple[str, dict]]:
        return [
            (row.name, json.loads(row.detail) if row.detail else {})
            for row in self.rows(select(event).order_by(event.c.seq))
        ]

    def files(self, folder: str = "incoming") -> list[str]:
        return sorted(path.name for path in (self.root / folder).iterdir())


def open_archive(root: Path, database: Database, **settings) -> Archive:
    clock = ManualClock()
    blobs = Blobs(root, free_bytes_min=0)
    stored: list[Stored] = []
    completed: list[Completed] = []
    committer = LocalCommitter(
        database,
        clock,
        participants=[lambda _, group: stored.extend(group)],
        completion_participants=[lambda _, group: completed.extend(group)],
        quarantine_bytes_max=settings.get("quarantine_bytes_max", 1 << 30),
    )
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, lambda _: None)
    return Archive(root, database, clock, blobs, committer, ingest, stored, completed)


@pytest.fixture
def archive(tmp_path: Path, database: Database) -> Archive:
    return open_archive(tmp_path / "blobs", database)


@pytest.fixture
def sqlite_archive(tmp_path: Path):
    """The same on SQLite alone, for what does not depend on the engine."""
    database = Database.open(tmp_path / "vienanh.db")
    database.migrate()
    yield open_archive(tmp_path / "blobs", database)
    database.close()
