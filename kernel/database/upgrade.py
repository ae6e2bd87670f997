"""Alembic inside the package: `upgrade` runs the versions in kernel/migrations forwards to the newest.

There is no ini file: the node is its own migration tool.
"""

import threading
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from kernel.errors import InvalidConfiguration

SCRIPTS = Path(__file__).parents[1] / "migrations"  # read as files, never imported: the versions stand above this
_ONE_AT_A_TIME = threading.Lock()  # Alembic's `op` and `context` belong to the whole process
_LOCK = 0x7669656E  # "vien": one process migrates a PostgreSQL database at a time

Standing = Literal["new", "behind", "current"]  # of a database, beside what this program knows


def upgrade(connection: Connection) -> None:
    """Bring the tables behind `connection` to the newest version, inside its transaction.

    Raises
    ------
    InvalidConfiguration
        The database is of a version that this code does not know, so it is newer; nothing was changed.
    """
    config = _configured()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _standing(connection, config) != "current":
            command.upgrade(config, "heads")


def standing(connection: Connection) -> Standing:
    """Return whether `upgrade` would make the tables, change them or leave them; reads alone. Raises as `upgrade`."""
    with _ONE_AT_A_TIME:
        return _standing(connection, _configured())


def _standing(connection: Connection, config: Config) -> Standing:
    scripts = ScriptDirectory.from_config(config)
    present = set(MigrationContext.configure(connection).get_current_heads())
    if not present <= {script.revision for script in scripts.walk_revisions()}:
        reason = f"is of version {', '.join(present)}, which this program does not know; install a newer program"
        raise InvalidConfiguration(source="database", key="database.url", reason=reason)
    if not present:
        return "new"
    return "current" if present == set(scripts.get_heads()) else "behind"


def _configured() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
