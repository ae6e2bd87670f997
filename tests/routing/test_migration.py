"""The written-out migration makes the tables that the code describes, on both engines."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Table

from kernel.database import Database, metadata
from routing import tables

OURS = {
    table.name
    for table in (
        tables.study_plan,
        tables.job,
        tables.lane,
        tables.consignment,
        tables.delivery,
        tables.derived,
        tables.pixel_review,
        tables.pixel_zone,
        tables.drawn_zone,
        tables.vault_entry,
        tables.vault_request,
        tables.handover,
        tables.follower,
    )
}


def test_the_migration_makes_the_tables_of_routing(database: Database):
    def differences(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [change for change in compare_metadata(context, metadata) if _table_of(change) in OURS]

    assert database.write(differences) == []


def test_every_table_of_routing_is_compared():
    assert {table.name for table in vars(tables).values() if isinstance(table, Table)} == OURS


def _table_of(change) -> str:
    change = change[0] if isinstance(change, list) else change
    things = [getattr(part, "table", part) for part in change[1:]]
    names = [getattr(thing, "name", thing) for thing in things]
    return next((name for name in names if name in OURS), "")
