"""The least that a receiver must do to keep the archive's promise, at DCMTK's storescu: what is left is the machine's.

    python -m bench.floor PORT FOLDER [--unsafe]

Bytes go from the socket to a new file and SHA-256; the file gets its name; file and folder are flushed side by side; one
transaction of four statements (SQLite, WAL, FULL), shared by who waits meanwhile, says that it is here; Success. No header
is read, nothing is checked, counted, logged or routed, and whatever came is believed: this is no receiver.
`--unsafe` leaves every flush out.
"""

import argparse
import hashlib
import os
import secrets
import socket
import sys
import threading
from collections import deque
from pathlib import Path

from pysqlite3 import dbapi2

from gateway.dimse.upper_layer.acceptor import Acceptor
from gateway.dimse.upper_layer.commands import CommandSet, Field
from gateway.dimse.upper_layer.indications import Command, DataSetEnd, Fragment, ReleaseRequested, Requested
from gateway.dimse.upper_layer.pdu import AnsweredContext, AssociateAccept, AssociateRequest, ContextResult
from gateway.dimse.upper_layer.states import State
from kernel.archive.blobs.durable import begin_write_back, rename_new
from kernel.archive.blobs.flushing import Flushing

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


class Index:
    """One connection; whoever finds it free writes what everybody has queued."""

    def __init__(self, path: Path, *, safe: bool) -> None:
        self._connection = dbapi2.connect(path, check_same_thread=False, isolation_level=None)
        settings = ("journal_mode = WAL", f"synchronous = {'FULL' if safe else 'OFF'}", "wal_autocheckpoint = 4000")
        for setting in settings:
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.executescript(TABLES)
        self._turn = threading.Lock()
        self._queue: deque[tuple[Row, threading.Event]] = deque()

    def commit(self, row: Row) -> None:
        """Write a row; durable on return."""
        done = threading.Event()
        self._queue.append((row, done))
        with self._turn:
            if not done.is_set():
                self._write([self._queue.popleft() for _ in range(len(self._queue))])

    def _write(self, group: list[tuple[Row, threading.Event]]) -> None:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        for (uid, size, digest), _ in group:
            run("INSERT INTO instance VALUES (NULL, 1, ?, ?, ?, ?)", (uid, size, digest, METADATA))
            run("INSERT INTO event VALUES (NULL, ?, ?)", (uid, digest))
        run("UPDATE series SET instances = instances + ?, at = ? WHERE pk = 1", (len(group), AT))
        run("UPDATE study SET instances = instances + ?, bytes = bytes + 1, at = ? WHERE pk = 1", (len(group), AT))
        run("COMMIT")
        for _, done in group:
            done.set()


class Association:
    """One sender."""

    def __init__(self, connection: socket.socket, folder: Path, index: Index, *, safe: bool) -> None:
        self._connection = connection
        self._folder = str(folder)
        self._index = index
        self._safe = safe
        self._acceptor = Acceptor()
        self._command: Command | None = None
        self._file, self._size, self._digest = -1, 0, hashlib.sha256()

    def run(self) -> None:
        """Take instances until the sender goes."""
        buffer = memoryview(bytearray(4 << 20))
        while self._acceptor.state is not State.CLOSED and (count := self._connection.recv_into(buffer)):
            for event in self._acceptor.receive(buffer[:count]):
                if isinstance(event, Fragment):
                    self._size += os.write(self._file, event.data)
                    self._digest.update(event.data)
                elif isinstance(event, Command):
                    self._command, self._size, self._digest = event, 0, hashlib.sha256()
                    self._path = f"{self._folder}/incoming/{secrets.token_hex(12)}"
                    self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                elif isinstance(event, DataSetEnd):
                    self._finish()
                elif isinstance(event, Requested):
                    self._acceptor.accept(_answer(event.request))
                elif isinstance(event, ReleaseRequested):
                    self._acceptor.release()
            if data := self._acceptor.outgoing():
                self._connection.sendall(data)
        self._connection.close()

    def _finish(self) -> None:
        assert self._command is not None
        digest, asked = self._digest.hexdigest(), self._command.command
        home = f"{self._folder}/{digest[:2]}"
        uid = str(asked["AffectedSOPInstanceUID"])
        if self._safe:
            begin_write_back(self._file)
            rename_new(self._path, f"{home}/{digest}")
            with Flushing(self._file, os.open(home, os.O_RDONLY), lambda error: error) as flushing:
                flushing.wait()
        else:
            rename_new(self._path, f"{home}/{digest}")
            os.close(self._file)
        self._index.commit((uid, self._size, digest))
        answer: CommandSet = {
            "AffectedSOPClassUID": asked["AffectedSOPClassUID"],
            "CommandField": Field.C_STORE_RSP,
            "MessageIDBeingRespondedTo": asked["MessageID"],
            "CommandDataSetType": 0x0101,
            "Status": 0,
            "AffectedSOPInstanceUID": uid,
        }
        self._acceptor.send(self._command.context, answer)


def _answer(request: AssociateRequest) -> AssociateAccept:
    accepted = tuple(
        AnsweredContext(one.context_id, ContextResult.ACCEPTANCE, one.transfer_syntaxes[0]) for one in request.contexts
    )
    return AssociateAccept(request.called_ae_title, request.calling_ae_title, accepted, request.user)


def main() -> int:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--unsafe", action="store_true", help="flush nothing")
    options = parser.parse_args()
    for name in ("incoming", *(f"{number:02x}" for number in range(256))):
        (options.folder / name).mkdir(parents=True)
    index = Index(options.folder / "index.db", safe=not options.unsafe)
    with socket.create_server(("127.0.0.1", options.port), backlog=16) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            association = Association(connection, options.folder, index, safe=not options.unsafe)
            threading.Thread(target=association.run, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
