"""What must be durable before a receiver says that it has an instance, and nothing else: for the floors of receiving.

Bytes go to a new file and SHA-256, the file gets its name, file and folder are flushed side by side; one transaction of four
statements (SQLite, WAL, FULL), shared by who waits meanwhile, says that it is here. Without `safe` nothing is flushed.
"""

import hashlib
import os
import secrets
import threading
from collections import deque
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pysqlite3 import dbapi2

from kernel.archive.blobs.durable import begin_write_back, rename_new
from kernel.archive.blobs.flushing import Flushing
from kernel.archive.blobs.folders import Folders

TABLES = """
CREATE TABLE series(pk INTEGER PRIMARY KEY, instances INTEGER, at TEXT);
CREATE TABLE study(pk INTEGER PRIMARY KEY, instances INTEGER, bytes INTEGER, at TEXT);
CREATE TABLE instance(pk INTEGER PRIMARY KEY, series_pk INTEGER REFERENCES series, uid TEXT UNIQUE, size INTEGER, sha256 TEXT,
    metadata BLOB);
CREATE INDEX instance_series ON instance(series_pk);
CREATE TABLE event(seq INTEGER PRIMARY KEY, study TEXT, detail TEXT);
CREATE INDEX event_study ON event(study);
INSERT INTO series VALUES (1, 0, ''); INSERT INTO study VALUES (1, 0, 0, '');
"""
METADATA = secrets.token_bytes(900)  # as much as zstd leaves of a slice's DICOM JSON
AT = "2026-11-22 08:15:00.000000"
Row = tuple[str, int, str]  # SOP Instance UID, bytes, digest
_folders = cache(Folders)


class Arriving:
    """One instance on its way to disk."""

    def __init__(self, folder: Path, *, safe: bool) -> None:
        self._folder, self._folders, self._safe = folder, _folders(folder), safe
        self._path = f"{folder}/incoming/{secrets.token_hex(12)}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self.digest = ""

    def write(self, data: memoryview) -> None:
        """Add the next bytes."""
        self.size_bytes += os.write(self._file, data)
        self._hash.update(data)

    def finish(self) -> Flushing | None:
        """Give the file its name, and begin to flush both; the caller waits for that and ends it."""
        self.digest = self._hash.hexdigest()
        home = f"{self._folder}/{self.digest[:2]}"
        if not self._safe:
            rename_new(self._path, f"{home}/{self.digest}")
            os.close(self._file)
            return None
        begin_write_back(self._file)
        rename_new(self._path, f"{home}/{self.digest}")
        return Flushing(self._file, self._folders.descriptor(self.digest[:2]), lambda error: error)


class Index:
    """One connection; whoever finds it free writes what everybody has queued."""

    def __init__(self, path: Path, *, safe: bool) -> None:
        self._connection = dbapi2.connect(path, check_same_thread=False, isolation_level=None)
        settings = ("journal_mode = WAL", f"synchronous = {'FULL' if safe else 'OFF'}", "wal_autocheckpoint = 4000")
        for setting in settings:
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.executescript(TABLES)
        self._turn = threading.Lock()
        self._queue: deque[tuple[Sequence[Row], threading.Event]] = deque()

    def commit(self, rows: Sequence[Row]) -> None:
        """Write rows; durable on return."""
        done = threading.Event()
        self._queue.append((rows, done))
        with self._turn:
            if not done.is_set():
                self._write([self._queue.popleft() for _ in range(len(self._queue))])

    def _write(self, groups: list[tuple[Sequence[Row], threading.Event]]) -> None:
        run, count = self._connection.execute, sum(len(rows) for rows, _ in groups)
        run("BEGIN IMMEDIATE")
        for rows, _ in groups:
            for uid, size, digest in rows:
                run("INSERT INTO instance VALUES (NULL, 1, ?, ?, ?, ?)", (uid, size, digest, METADATA))
                run("INSERT INTO event VALUES (NULL, ?, ?)", (uid, digest))
        run("UPDATE series SET instances = instances + ?, at = ? WHERE pk = 1", (count, AT))
        run("UPDATE study SET instances = instances + ?, bytes = bytes + 1, at = ? WHERE pk = 1", (count, AT))
        run("COMMIT")
        for _, done in groups:
            done.set()


def new_folder(folder: Path) -> None:
    """Make the folders that files get their names in."""
    for name in ("incoming", *(f"{number:02x}" for number in range(256))):
        (folder / name).mkdir(parents=True)
