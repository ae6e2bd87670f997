"""The stores of a node, opened for a command that works beside it: rows and blobs, no listeners, no workers."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from kernel.access import Access
from kernel.archive.blobs.store import Blobs
from kernel.clock import Clock, SystemClock
from kernel.config import Config
from kernel.database import Database
from kernel.database.target import target_of
from kernel.errors import InvalidConfiguration

BLOBS_FOLDER = "blobs"


@dataclass(frozen=True, slots=True)
class Stores:
    """What is on disk."""

    config: Config
    clock: Clock
    db: Database
    blobs: Blobs
    access: Access


@contextmanager
def opened(config: Config, *, clock: Clock | None = None, dev_token: str | None = None) -> Generator[Stores]:
    """Open the stores of `config`, bring the database forward, and close it at the end.

    Raises
    ------
    InvalidConfiguration
        The data folder cannot be made or written, or the password file cannot be read.
    """
    clock = clock or SystemClock()
    make_data_folder(config)
    db = open_database(config)
    try:
        db.migrate()
        blobs = Blobs(config.node.data / BLOBS_FOLDER, free_bytes_min=config.archive.free_bytes_min)
        yield Stores(config, clock, db, blobs, Access.open(db, clock, config, dev_token=dev_token))
    finally:
        db.close()


def make_data_folder(config: Config) -> None:
    """Make the data folder, readable by this account alone."""
    try:
        config.node.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InvalidConfiguration(
            source=config.origin, key="node.data", reason=f"cannot be made: {error.strerror}"
        ) from error


def open_database(config: Config) -> Database:
    """Open the database that the configuration names."""
    target, password = target_of(config)
    return Database.open(target, password=password, group_max=config.database.group_max)
