"""What was acknowledged is there after kill -9."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.audit import verify
from kernel.database import Database
from kernel.events import event

ROOT = Path(__file__).parents[2]
ACKNOWLEDGED_MIN = 300

# Eight threads write events and audit lines and print an id when, and only when, its write has returned.
WRITER = """
import os, sys, threading
from datetime import UTC, datetime
from kernel.audit import Action, Line, append
from kernel.database import Database
from kernel.events import Event, EventName, record

database, now = Database.open(sys.argv[1]), datetime(2026, 11, 22, tzinfo=UTC)
database.migrate()

def produce(thread):
    for number in range(1_000_000):
        one = Event(EventName.INSTANCE_RECEIVED, now, "LOCAL", f"1.2.{thread}.{number}")
        def change(connection):
            record(connection, one)
            append(connection, Line(now, Action.IMPORT, "writer", study_instance_uid=one.study_instance_uid))
        database.write(change)
        os.write(1, f"{one.study_instance_uid}\\n".encode())

for thread in range(8):
    threading.Thread(target=produce, args=(thread,), daemon=True).start()
threading.Event().wait()
"""


def test_every_acknowledged_change_survives_kill_9(database_url: str, tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "errors").open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, database_url], env=environment, stdout=subprocess.PIPE, stderr=errors
        )
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().decode().strip() for _ in range(ACKNOWLEDGED_MIN)]
    child.send_signal(signal.SIGKILL)
    acknowledged += child.stdout.read().decode().split()  # what was said before it died
    child.wait()
    child.stdout.close()
    if not acknowledged[0]:
        pytest.fail((tmp_path / "errors").read_text())

    database = Database.open(database_url)
    database.migrate()
    with database.read() as connection:
        kept = set(connection.scalars(select(event.c.study_uid)))
        lines = verify(connection)
    database.close()

    assert len(acknowledged) >= ACKNOWLEDGED_MIN
    assert set(acknowledged) <= kept
    assert lines == len(kept)
