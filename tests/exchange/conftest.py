"""What tests of commands start from: the folder of a node that never ran."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.terminal.options import read_config
from kernel.config import Config

PASSWORD = "mat khau dai du"


@pytest.fixture
def empty_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_sqlite: Path) -> Config:
    """A node's folder with a database in which nothing is; commands find it without being told."""
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    config = read_config(None)
    config.node.data.mkdir()
    shutil.copyfile(migrated_sqlite, config.node.data / "vienanh.db")
    return config


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    """Run a command on a node's folder of its own, as a terminal would."""
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))

    def run(*arguments: str, given: str = ""):
        return CliRunner().invoke(app, list(arguments), input=given)

    return run


def a_fresh_node(run) -> None:
    """Begin a node, as who is to read there has an account before it is served."""
    assert run("user", "add", "lan", "--role", "reader", "--password", PASSWORD).exit_code == 0
