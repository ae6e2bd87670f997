"""A node's DIMSE listener on loopback before a real archive, for suites that need one as a receiver."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway import source_tables
from gateway.dimse.listening.listener import Listener
from gateway.dimse.listening.places import Places
from gateway.dimse.listening.reception import Callers
from gateway.dimse.scp.offered import offers
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.clock import SystemClock
from kernel.config import Config, DimseConfig, NodeConfig
from kernel.database import Database


@contextmanager
def running_listener(folder: Path) -> Iterator[tuple[int, Database]]:
    """Run a listener; gives its port and the database in which what it took can be seen."""
    folder.mkdir(exist_ok=True)
    config = Config(node=NodeConfig(site="HUB", data=folder), dimse=DimseConfig(port=0))
    clock, blobs, database = SystemClock(), Blobs(folder / "blobs", 1), Database.open(folder / "vienanh.db")
    database.migrate()
    committer = LocalCommitter(database, clock, quarantine_bytes_max=1 << 30)
    sources = source_tables.sources(config)
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, sources.fallback_charset_of)

    def ended(site: str, session: str, _released: bool) -> None:
        committer.end_session(site, session, None)

    table = offers(config, ingest, blobs, clock)
    listener = Listener(
        config.dimse, table, Callers(sources, Places(folder / "places")), on_session_end=ended, clock=clock
    )
    listener.start()
    try:
        yield listener.port, database
    finally:
        listener.stop(2.0)
        database.close()
