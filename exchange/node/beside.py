"""What a command needs to write into a data folder: the node that runs on it, or without one the same parts here."""

import socket

from exchange.node.assemble import COMMIT_SOCKET, committer_of, planner_of
from exchange.node.stores import Stores
from gateway import source_tables
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.owner.messages import socket_address
from kernel.config import Config
from routing.settings import parse


def is_served(config: Config) -> bool:
    """Whether a node runs on this data folder; an error other than nobody being there is told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            with socket_address(config.node.data / COMMIT_SOCKET) as address:
                line.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True


def own_committer(stores: Stores) -> LocalCommitter:
    """Return a committer that plans as the node would."""
    return committer_of(stores, planner_of(stores, parse(stores.config), source_tables.sources(stores.config)))
