"""Alembic's entry: runs the versions on the connection that `upgrade` hands over, in that connection's transaction."""

from alembic import context
from sqlalchemy import MetaData

from kernel.database.columns import NAMING_CONVENTION

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=MetaData(naming_convention=NAMING_CONVENTION),
    render_as_batch=True,
)
context.run_migrations()
