"""The stores of a node, opened for a command that works beside it: rows and blobs, no listeners, no workers."""

import fcntl
import os
import pwd
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.access import Access
from kernel.archive.blobs.store import Blobs
from kernel.clock import Clock, SystemClock
from kernel.config import Config, NodeConfig
from kernel.database import Database
from kernel.database.target import target_of
from kernel.errors import InvalidConfiguration

BLOBS_FOLDER = "blobs"
LOCK_FILE: Final = "node.lock"  # locked while a node runs; has its process id, for who is told of it
TAKEN: Final = "another node runs on it (process {process}); a folder is one node's"
NOT_BESIDE_A_NODE: Final = (
    "a node of an older version than this program runs on it (process {process}): stop the node, or run the node's own "
    "version"
)


@dataclass(frozen=True, slots=True)
class Stores:
    """What is on disk."""

    config: Config
    clock: Clock
    db: Database
    blobs: Blobs
    access: Access


@contextmanager
def opened(
    config: Config, *, clock: Clock | None = None, dev_token: str | None = None, is_node: bool = False
) -> Generator[Stores]:
    """Open the stores of `config`, and close them at the end.

    A node brings its database forward, a command only where no node runs: one of an older program would go on
    writing tables that it does not know. A command begins a folder that somebody named, but none where it happens to be
    started: an account, a token or a slide would be made there, and the node that was meant not have it.

    Raises
    ------
    InvalidConfiguration
        No folder was named and none was begun here; root asks and the node is another account's; the data folder
        cannot be made or written; the password file cannot be read; or the database is of another version than this
        program and may not be changed.
    """
    clock = clock or SystemClock()
    if not is_node and config.node.data == NodeConfig().data and not is_begun(config):
        raise _not_begun(config)
    if not is_node:
        _check_account(config)
    make_data_folder(config)
    db = open_database(config)
    try:
        if is_node:
            db.migrate()
        else:
            _bring_forward(config, db)
        blobs = Blobs(config.node.data / BLOBS_FOLDER, free_bytes_min=config.archive.free_bytes_min)
        yield Stores(config, clock, db, blobs, Access.open(db, clock, config, dev_token=dev_token))
    finally:
        db.close()


def migrate(config: Config) -> bool:
    """Bring a database forward for a node that is stopped; return whether there was anything to do.

    Raises
    ------
    InvalidConfiguration
        A node runs on the folder, or the database was made by a newer version.
    """
    with reserved(config):
        db = open_database(config)
        try:
            if db.standing() == "current":
                return False
            db.migrate()
            return True
        finally:
            db.close()


def _bring_forward(config: Config, db: Database) -> None:
    """Migrate beside no node; that no other folder's node uses a database server cannot be seen from here."""
    found = db.standing()
    if found == "current":
        return
    if found == "behind" and not db.is_sqlite:
        reason = (
            "is of an older version than this program, and a node may be using it: run the node's own version, or "
            "stop the node and run `vienanh migrate`"
        )
        raise InvalidConfiguration(source=config.origin, key="database.url", reason=reason)
    with reserved(config, otherwise=NOT_BESIDE_A_NODE):
        db.migrate()


@contextmanager
def begun(config: Config) -> Generator[Stores]:
    """Open the stores of a node that was begun before, for a command that asks about it; raises as `opened`, too.

    Raises
    ------
    InvalidConfiguration
        No node was begun there: a question about it has no answer, least of all "nothing waits".
    """
    if not is_begun(config):
        raise _not_begun(config)
    with opened(config) as stores:
        yield stores


def is_begun(config: Config) -> bool:
    """Whether there are stores to open; a database server is believed."""
    target, _ = target_of(config)
    return not isinstance(target, Path) or target.exists()


@contextmanager
def reserved(config: Config, *, otherwise: str = TAKEN) -> Generator[None]:
    """Keep the data folder to this process: a second node would sweep away what the first one is receiving.

    The lock is the process's own (POSIX record lock): no child inherits it, and the kernel frees it with the process.

    Raises
    ------
    InvalidConfiguration
        Another node runs on the folder, or it cannot be made or written.
    """
    make_data_folder(config)
    try:
        descriptor = os.open(config.node.data / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable_folder(config, f"{config.node.data} cannot be written: {error.strerror}") from error
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield
    except BlockingIOError as error:
        process = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
        raise _unusable_folder(config, otherwise.format(process=process)) from error
    finally:
        os.close(descriptor)


def _check_account(config: Config) -> None:
    """Refuse root beside a node of another account: keys, blobs and sockets that root makes are shut to the node."""
    try:
        owner = (config.node.data / LOCK_FILE).stat().st_uid  # of who began the node; the folder may be a volume's
    except OSError:
        return
    if os.geteuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        reason = f"its node is of the account {name}: run this as it (`runuser -u {name} --`), not as root"
        raise _unusable_folder(config, reason)


def _not_begun(config: Config) -> InvalidConfiguration:
    where = config.node.data.resolve()
    return _unusable_folder(config, f"no node was begun in {where}; --config or --data names the one that is meant")


def _unusable_folder(config: Config, reason: str) -> InvalidConfiguration:
    return InvalidConfiguration(source=config.origin, key="node.data", reason=reason)


def make_data_folder(config: Config) -> None:
    """Make the data folder, readable by this account alone."""
    try:
        config.node.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable_folder(config, f"{config.node.data} cannot be made: {error.strerror}") from error


def open_database(config: Config) -> Database:
    """Open the database that the configuration names."""
    target, password = target_of(config)
    return Database.open(target, password=password, group_max=config.database.group_max)
