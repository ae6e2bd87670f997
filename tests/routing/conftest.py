"""A hospital on real parts: archive, planner, anonymizer and relay, with a clock moved by hand and no threads."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import Table, func, select

from anonymizer.profiles.profile import load
from anonymizer.pseudonyms.keys import derive
from kernel.archive.blobs.store import Blobs
from kernel.archive.deletion.deletion import Deletions, Wish
from kernel.archive.deletion.removal import Target
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Ingested, Origin
from kernel.clock import Clock, ManualClock
from kernel.config import ArchiveConfig, Config, RoutingConfig
from kernel.database import Database
from kernel.events import Event, EventName, of_study, since
from routing import leases
from routing.deletion import DeliveryDependents
from routing.local import LocalWork
from routing.planning import Planner
from routing.queue import LOCAL_LANE, Holder
from routing.reidentification import Reidentifier
from routing.relay import Relay
from routing.settings import parse
from routing.steps import Deidentifier
from tests.support.builders import as_dataset_bytes
from tests.support.receiver import Receiver

EXPLICIT = "1.2.840.10008.1.2.1"
TO_HUB = ({"to": "hub"},)
HUB = {"name": "hub", "kind": "stow", "url": "http://hub.example"}
PACS = {"name": "pacs", "kind": "dimse", "host": "127.0.0.1", "port": 104, "ae_title": "PACS", "profile": "none"}
TURNS_MAX = 20_000


@dataclass
class Hospital:
    """One site as a test drives it."""

    root: Path
    database: Database
    clock: Clock
    rules: tuple = TO_HUB
    destinations: tuple = (HUB, PACS)
    settings: RoutingConfig = field(default_factory=RoutingConfig)
    hub: Receiver = field(default_factory=Receiver)
    pacs: Receiver = field(default_factory=Receiver)

    def __post_init__(self) -> None:
        self.blobs = Blobs(self.root, free_bytes_min=0)
        self.keys = derive(bytes(range(32)), site="BVA")
        self.deidentifier = Deidentifier(self.database, self.blobs, load, lambda _: self.keys)
        self.starts()

    def starts(self) -> None:
        """Assemble everything that lives in memory, as after a restart."""
        config = Config(rule=tuple(self.rules), destination=tuple(self.destinations), origin="node.toml")
        planner = self.planner = Planner(parse(config), self.clock, returns_from=self.settings.returns_from)
        self.committer = LocalCommitter(
            self.database,
            self.clock,
            participants=[planner.participant],
            completion_participants=[planner.on_complete],
            quarantine_bytes_max=1 << 30,
        )
        quarantine = Quarantine(self.blobs, self.committer, self.clock)
        self.ingest = Ingest(self.blobs, self.committer, quarantine, self.clock, lambda _: None)
        self.reidentifier = Reidentifier(
            self.database,
            self.blobs,
            self.ingest,
            lambda _: self.keys,
            self.clock,
            from_peers=self.settings.returns_from,
        )
        self.local = LocalWork(
            self.database, self.clock, self.settings, self.deidentifier, self.reidentifier, random=lambda: 1.0
        )
        self.relays = {"hub": self.relay("hub", self.hub), "pacs": self.relay("pacs", self.pacs)}
        self.holders = {name: self._take(name) for name in (LOCAL_LANE, *self.relays)}

    def relay(self, name: str, receiver: Receiver, **changes) -> Relay:
        return Relay(
            name,
            receiver.transport(),
            db=self.database,
            blobs=self.blobs,
            clock=self.clock,
            settings=self.settings,
            random=lambda: 1.0,
            **changes,
        )

    def _take(self, name: str) -> Holder:
        holder = self.database.write(
            lambda connection: leases.take(connection, name, "bva", self.clock.now(), self.settings.lease_s)
        )
        assert holder is not None
        return holder

    def receives(
        self, *datasets: Dataset, session: str = "s1", peer: str = "CT1", released: bool = True, at_once: int = 1
    ) -> list[Ingested]:
        origin = Origin("BVA", "dimse", peer, "VIENANH", "10.0.0.1", session)

        def ingest(ds: Dataset) -> Ingested:
            stage = self.blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, EXPLICIT)
            stage.write(as_dataset_bytes(ds))
            return self.ingest.ingest(stage.finish(), origin)

        with ThreadPoolExecutor(at_once) as pool:
            ingested = list(pool.map(ingest, datasets))
        if released:
            self.committer.end_session("BVA", session, "association-released")
        return ingested

    def deletes(self, ds: Dataset, *, instance: bool = False) -> int:
        """Have an administrator delete a study, or one instance of it, whatever speaks against it."""
        dependents = DeliveryDependents(lambda _: self.keys)
        deletions = Deletions(self.database, self.clock, ArchiveConfig(), self.committer, (dependents,))
        deletions.when_deleted(self.planner.forget)
        below = (str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID)) if instance else ()
        target = Target("BVA", str(ds.StudyInstanceUID), *below)
        return deletions.delete(Wish(target, "an", "admin", "", "test-data", is_admin=True, is_forced=True))

    def settles(self) -> None:
        """Work until nothing is due."""
        for _ in range(TURNS_MAX):
            turns = [self.local.turn(self.holders[LOCAL_LANE])]
            turns += [relay.turn(self.holders[name]) for name, relay in self.relays.items()]
            if not any(turn.worked for turn in turns):
                return
        raise AssertionError("the hospital never settles")

    def events(self, name: EventName | None = None) -> list[Event]:
        with self.database.read() as connection:
            return [event for event in since(connection, 0) if name in (None, event.name)]

    def details(self, name: EventName) -> list[dict]:
        return [dict(event.detail) for event in self.events(name)]

    def names_of(self, study_instance_uid: str) -> list[str]:
        with self.database.read() as connection:
            return [event.name.value for event in of_study(connection, "BVA", study_instance_uid)]

    def count(self, table: Table) -> int:
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(table))

    def rows(self, query):
        with self.database.read() as connection:
            return connection.execute(query).all()

    def with_rules(self, *rules: dict, **settings) -> "Hospital":
        self.rules = rules
        self.settings = replace(self.settings, **settings)
        self.starts()
        return self


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hospital(tmp_path: Path, clock: ManualClock, migrated_sqlite: Path) -> Iterator[Hospital]:
    """On SQLite, for what does not depend on the engine."""
    shutil.copyfile(migrated_sqlite, tmp_path / "vienanh.db")
    database = Database.open(tmp_path / "vienanh.db")
    yield Hospital(tmp_path / "blobs", database, clock)
    database.close()


@pytest.fixture
def hospital_on_each(tmp_path: Path, database: Database, clock: ManualClock) -> Hospital:
    """On SQLite and on PostgreSQL in turn."""
    return Hospital(tmp_path / "blobs", database, clock)
