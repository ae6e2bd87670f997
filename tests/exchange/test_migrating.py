"""A newer program's command beside a node that runs changes nothing under it."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.node.stores import LOCK_FILE
from kernel.database import Database

upgrade = importlib.import_module("kernel.database.upgrade")  # its package has a function of this name
HOLDS = """
import fcntl, os, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
os.write(file.fileno(), b"4711")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a node whose program was one migration older than this, on each engine."""
    older = tmp_path / "older"
    shutil.copytree(upgrade.SCRIPTS, older, ignore=shutil.ignore_patterns("__pycache__"))
    max((older / "versions").glob("[0-9]*.py")).unlink()
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VIENANH_DATABASE_URL", database_url)
    (tmp_path / "data").mkdir()
    with monkeypatch.context() as then, opened(database_url) as database:
        then.setattr(upgrade, "SCRIPTS", older)
        database.migrate()
    return tmp_path / "data"


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()


def standing(url: str) -> str:
    with opened(url) as database:
        return database.standing()


@contextmanager
def a_node_running_on(folder: Path) -> Iterator[None]:
    """Hold the lock of a node, in a process of its own as the lock is one process's."""
    command = [sys.executable, "-S", "-c", HOLDS, str(folder / LOCK_FILE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield
        process.stdin.close()


def run(*arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, list(arguments))
    return told.exit_code, told.output


def test_beside_a_running_node_of_an_older_program_a_command_is_refused_and_changes_nothing(data, database_url):
    sqlite = database_url.startswith("sqlite")
    assert standing(database_url) == "behind"

    with a_node_running_on(data):
        code, told = run("lanes")
        explicit, told_explicitly = run("migrate")

    assert (code, explicit) == (2, 2), told + told_explicitly
    assert ("(process 4711): stop the node, or run the node's own version" if sqlite else "`vienanh migrate`") in told
    assert "another node runs on it (process 4711)" in told_explicitly
    assert standing(database_url) == "behind"


def test_where_no_node_runs_a_file_is_brought_forward_by_any_command_and_a_server_by_the_one_that_says_so(
    data, database_url
):
    sqlite = database_url.startswith("sqlite")

    code, told = run("lanes")

    assert code == (0 if sqlite else 2), told
    assert standing(database_url) == ("current" if sqlite else "behind")
    assert run("migrate") == (0, "Nothing to do.\n" if sqlite else "The database is of this program's version now.\n")
    assert run("lanes")[0] == 0
    assert standing(database_url) == "current"


def test_a_new_database_is_begun_by_any_command_and_then_read_by_all_beside_the_node(
    tmp_path, database_url, monkeypatch
):
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VIENANH_DATABASE_URL", database_url)

    begun, told = run("user", "add", "lan", "--role", "reader", "--password", "mat khau dai du")

    assert begun == 0, told
    with a_node_running_on(tmp_path / "data"):
        assert run("lanes")[0] == 0
