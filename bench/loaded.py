"""The databases of the bench of the index: loaded when they are not there yet, and left in their folder."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import peers
from bench.growth import Growth
from bench.load import copy_to_postgresql, load_sqlite
from bench.postgresql import postgresql
from bench.report import timed
from bench.studies import Studies
from bench.tiny import metadata_of_one

BYTES_EACH = 9_000  # of disk for one study: SQLite's file, PostgreSQL's, its log while it is filled


@dataclass(frozen=True, slots=True)
class Loaded:
    """Where the studies are."""

    sqlite: Path
    targets: dict[str, str]  # URL of the database by engine
    versions: dict[str, str]
    pids: dict[str, int]  # of the servers that work beside the node, by engine


@contextmanager
def loaded(folder: Path, studies: int, engines: Collection[str]) -> Iterator[Loaded]:
    """Give databases with `studies` studies; what an earlier run finished loading into `folder` is used as it is."""
    database = folder / "sqlite" / "vienanh.db"
    targets = {"sqlite": f"sqlite:///{database}"}
    if not _mark(folder, "sqlite").exists():
        peers.room_for(folder, studies * BYTES_EACH + (1 << 30))
        shutil.rmtree(database.parent, ignore_errors=True)
        database.parent.mkdir()
        with timed(f"loading {studies:,} studies into SQLite"):
            load_sqlite(database, Studies(studies, metadata_of_one()))
        _mark(folder, "sqlite").touch()
    if "postgresql" not in engines:
        yield Loaded(database, targets, {}, {})
        return
    is_there = _mark(folder, "postgresql").exists()
    cluster = folder / "cluster"
    if not is_there:
        shutil.rmtree(cluster, ignore_errors=True)
    with postgresql(cluster) as server:
        if not is_there:
            with timed("copying them to PostgreSQL"):
                Growth.migrate(server.url)
                copy_to_postgresql(database, server.dsn)
            _mark(folder, "postgresql").touch()
        targets["postgresql"] = server.url
        yield Loaded(database, targets, {"PostgreSQL": server.version}, {"postgresql": server.pid})


def _mark(folder: Path, engine: str) -> Path:
    return folder / f"{engine}.loaded"
