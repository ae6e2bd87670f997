"""Whether a node can take studies: asked by those who do not wait for long."""

import threading
from types import SimpleNamespace

import pytest

from exchange.node import readiness
from exchange.node.readiness import ready_checks
from kernel.config import Config
from kernel.database import Database
from kernel.errors import DatabaseUnavailable


@pytest.fixture
def node(tmp_path):
    """What the checks look at: a database, a folder, and no listeners."""
    database = Database.open(tmp_path / "vienanh.db")
    node = SimpleNamespace(data=tmp_path)
    config = SimpleNamespace(node=node, archive=SimpleNamespace(free_bytes_min=Config().archive.free_bytes_min))
    yield SimpleNamespace(stores=SimpleNamespace(db=database, config=config), listener=None, orders=None)
    database.close()


def test_a_database_that_takes_no_change_is_said_to_in_time_and_is_ready_again_after(node, monkeypatch):
    monkeypatch.setattr(readiness, "READY_WITHIN_S", 0.05)
    begun, release = threading.Event(), threading.Event()
    node.stores.db.submit(lambda _: begun.set() or release.wait(20))
    assert begun.wait(20)

    waiting = ready_checks(node)["database"]
    release.set()
    monkeypatch.setattr(readiness, "READY_WITHIN_S", 20)

    assert waiting == "a change waits for longer than 0.05 s"
    assert ready_checks(node)["database"] == ""


def test_a_database_that_cannot_be_written_is_told_with_its_reason(node, monkeypatch):
    def fail(_: object) -> None:
        raise DatabaseUnavailable(reason="database is locked")

    monkeypatch.setattr(node.stores.db, "submit", fail)

    assert ready_checks(node)["database"] == "cannot be written: The database cannot be used now: database is locked."
