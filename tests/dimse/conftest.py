"""A listener on loopback before a real archive, and peers: DCMTK's programs and a socket that says what the test tells it."""

import dataclasses
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import select

from gateway import source_tables
from gateway.dimse.listening.identity import Identification
from gateway.dimse.listening.listener import Listener
from gateway.dimse.listening.places import Places
from gateway.dimse.listening.reception import Callers
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.scp.offered import offers
from gateway.dimse.upper_layer import commands, pdu, wire
from gateway.peers import SERVICES
from kernel.access import Access, AccessKeys
from kernel.access.asked import AskedAccess, serve_access
from kernel.access.identity import JwtRules
from kernel.archive.blobs.store import Blobs
from kernel.archive.commitment.desk import CommitmentDesk, serve_commitments
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.complete import ASSOCIATION_RELEASED
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.owner.asking import LocalOwner
from kernel.archive.tables import conflict, instance, quarantine, study
from kernel.clock import SystemClock
from kernel.config import ArchiveConfig, Config, DimseConfig, NodeConfig
from kernel.database import Database
from tests.dimse import scripts
from tests.dimse.commitment_modality import PATIENCE_S, Modality
from tests.support.access import CHEAP
from tests.support.builders import a_ct_series, as_file

EVERYTHING = DimseConfig(port=0, idle_timeout_s=PATIENCE_S, unknown_caller_services=tuple(SERVICES))


@dataclass
class Node:
    """One node's DIMSE side, as a test drives it."""

    root: Path
    database: Database
    blobs: Blobs
    listener: Listener
    sessions: list[tuple[str, str, bool]] = field(default_factory=list)
    desk: CommitmentDesk | None = None
    access: Access | None = None

    @property
    def port(self) -> int:
        return self.listener.port

    def rows(self, query):
        with self.database.read() as connection:
            return connection.execute(query).all()

    def instances(self) -> list[str]:
        return [row.sop_instance_uid for row in self.rows(select(instance).order_by(instance.c.pk))]

    def blob_paths(self) -> list[Path]:
        return [self.blobs.path(row.blob_key) for row in self.rows(select(instance).order_by(instance.c.pk))]

    def studies(self):
        return [(row.state, row.evidence, row.number_of_instances) for row in self.rows(select(study))]

    def conflicts(self) -> int:
        return len(self.rows(select(conflict)))

    def quarantined(self) -> list[str]:
        return [row.code for row in self.rows(select(quarantine).order_by(quarantine.c.pk))]

    def incoming(self) -> list[Path]:
        return list((self.root / "blobs" / "incoming").iterdir())

    def call(self, **changes) -> "Peer":
        return Peer(self.port, scripts.an_associate_request(**changes))

    def answers(self, **changes) -> pdu.PDU | None:
        """Return the answer to an association request."""
        with self.call(**changes) as peer:
            return peer.answer


class Peer:
    """A scripted requestor: says bytes, hears PDUs."""

    def __init__(self, port: int, request: pdu.AssociateRequest | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.answer = None
        if request is not None:
            self.say(wire.encode(request))
            self.answer = self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self):
        """Return the next PDU, the body of a P-DATA-TF as bytes, None at the end of the connection."""
        try:
            header = self._exactly(6)
            if not header:
                return None
            body = self._exactly(int.from_bytes(header[2:], "big"))
        except ConnectionResetError:
            return None
        return body if header[0] == pdu.Kind.P_DATA else wire.decode(pdu.Kind(header[0]), body)

    def hear_response(self) -> dict:
        body = self.hear()
        assert isinstance(body, bytes), body
        return commands.decode(body[6:])

    def stores(self, data_set: bytes, **changes) -> dict:
        self.say(scripts.a_message(scripts.a_store_request(**changes), data_set))
        return self.hear_response()

    def releases(self) -> None:
        self.say(wire.encode(pdu.ReleaseRequest()))
        assert self.hear() == pdu.ReleaseReply()

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (piece := self.socket.recv(count - len(data))):
            data += piece
        return data


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A migrated database without rows, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "vienanh.db"
    database = Database.open(path)
    database.migrate()
    database.close()
    return path


@pytest.fixture
def start_node(tmp_path: Path, empty_database: Path) -> Iterator[Callable[..., Node]]:
    """Start nodes: `dimse` fields of the configuration as keywords, `sources`, `free_bytes_min`, `destinations`, more `rows` of offers."""
    nodes: list[Node] = []

    def start(*, sources=(), destinations=(), rows: Mapping[str, Offer] = {}, free_bytes_min: int = 1, **dimse) -> Node:
        root = tmp_path / f"node{len(nodes)}"
        config = Config(
            node=NodeConfig(site="BVA", data=root),
            dimse=dataclasses.replace(EVERYTHING, **dimse),
            archive=ArchiveConfig(free_bytes_min=free_bytes_min),
            source=tuple(sources),
            destination=tuple(destinations),
        )
        clock = SystemClock()
        blobs = Blobs(root / "blobs", free_bytes_min)
        shutil.copy(empty_database, root / "vienanh.db")
        database = Database.open(root / "vienanh.db")
        committer = LocalCommitter(database, clock, quarantine_bytes_max=1 << 30)
        known = source_tables.sources(config)
        ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, known.fallback_charset_of)
        sessions: list[tuple[str, str, bool]] = []

        def ended(site: str, session: str, released: bool) -> None:
            sessions.append((site, session, released))
            committer.end_session(site, session, ASSOCIATION_RELEASED if released else None)

        owner = LocalOwner()
        access = Access(
            database,
            clock,
            config.access,
            keys=AccessKeys(b"k" * 32, None, CHEAP),
            site="BVA",
            jwt_rules=JwtRules.of(config.dimse),
        )
        serve_access(owner, access)
        desk = CommitmentDesk(database, blobs, clock, digests=True)
        serve_commitments(owner, desk)
        desk.start()
        backing = Backing(config, clock, database, blobs, owner, AskedAccess(owner))
        table = offers(config, ingest, blobs, clock, backing)
        listener = Listener(
            config.dimse,
            with_rows(table, rows),
            Callers(known, Places(root / "places"), Identification(config.dimse.user_identity, access)),
            on_session_end=ended,
            clock=clock,
        )
        listener.start()
        nodes.append(Node(root, database, blobs, listener, sessions, desk, access))
        return nodes[-1]

    yield start
    for node in nodes:
        node.listener.stop(2.0)
        if node.desk is not None:
            node.desk.stop(2.0)
        node.database.close()


def with_rows(table: Offers, rows: Mapping[str, Offer]) -> Offers:
    return Offers(table.rows | rows, table.storage, private_storage=table.private_storage)


@pytest.fixture
def node(start_node) -> Node:
    return start_node()


@pytest.fixture
def a_series(tmp_path: Path) -> list[Path]:
    """Five CT slices on disk."""
    folder = tmp_path / "series"
    folder.mkdir()
    for number, ds in enumerate(a_ct_series(5), start=1):
        (folder / f"{number}.dcm").write_bytes(as_file(ds))
    return sorted(folder.iterdir())


def dcmtk(program: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one of DCMTK's programs to its end."""
    return subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=check, timeout=PATIENCE_S * 3
    )


@pytest.fixture
def modality() -> Iterator[Modality]:
    """A modality that asks for storage commitment."""
    one = Modality()
    yield one
    one.server.shutdown()
