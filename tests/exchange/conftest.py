"""What tests of commands start from: the folder of a node that never ran."""

import shutil
from pathlib import Path

import pytest

from exchange.terminal.options import read_config
from kernel.config import Config


@pytest.fixture
def empty_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_sqlite: Path) -> Config:
    """A node's folder with a database in which nothing is; commands find it without being told."""
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    config = read_config(None)
    config.node.data.mkdir()
    shutil.copyfile(migrated_sqlite, config.node.data / "vienanh.db")
    return config
