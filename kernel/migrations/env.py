"""Alembic's entry: runs the versions on the connection that `upgrade` hands over, in that connection's transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
