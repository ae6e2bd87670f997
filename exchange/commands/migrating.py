"""`vienanh migrate`: bring a stopped node's database to the version of this program."""

from exchange.node import stores
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors


def migrate(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Bring the database of a stopped node to the version of this program; there is no way back but a back-up.

    A node does so by itself when it starts. Other commands do so only with SQLite, and only while no node runs.
    """
    with plain_errors():
        changed = stores.migrate(read_config(config, data))
        out.print("The database is of this program's version now." if changed else "Nothing to do.")
