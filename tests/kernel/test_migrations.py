"""The migrations make the tables that the code declares, on both engines, and never go backwards."""

import importlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from kernel.database import Database, metadata
from kernel.errors import InvalidConfiguration

# Every module that declares tables; they are found by the line that makes them do so.
ROOT = Path(__file__).parents[2]
ROOMS = ("kernel", "anonymizer", "wsi", "routing", "consult", "gateway", "viewer", "exchange")


@pytest.fixture(scope="module", autouse=True)
def every_table() -> None:
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if "versions" not in path.parts and " = Table(\n" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def test_the_migrated_tables_are_those_that_the_code_declares(database: Database):
    def differences(connection):
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert {"event", "audit", "account", "token", "session", "study", "instance"} <= set(metadata.tables)
    assert database.write(differences) == []


def test_migrating_twice_changes_nothing(database: Database):
    def version(connection):
        return connection.scalar(text("SELECT version_num FROM alembic_version"))

    before = database.write(version)

    database.migrate()

    assert database.write(version) == before


def test_a_database_of_a_newer_program_is_refused_and_left_alone(database: Database):
    database.write(
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")) and None
    )

    with pytest.raises(InvalidConfiguration, match="is of version 9999, which this program does not know"):
        database.migrate()

    with database.read() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
