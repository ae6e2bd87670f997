"""A real node's DICOMweb on loopback: database, blobs, ingest, access, uvicorn. Nothing is pretended."""

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from http.server import ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp
from typing import Any

import httpx
import pytest
from dicomweb_client.api import DICOMwebClient
from sqlalchemy import select

from anonymizer.pseudonyms.keys import Keys, derive
from consult.slides.intake import SlideIntake
from consult.slides.kept import Kept
from consult.slides.room import SlideRoom
from consult.slides.upload_taking import Taking
from consult.slides.uploads import Uploads
from exchange.node.assemble import cleaners_of
from gateway.dicomweb.app import DicomWeb
from gateway.dicomweb.deidentify.order import Deidentification
from gateway.dicomweb.http.direct import Direct
from gateway.dicomweb.service import Services
from kernel.access import Access, AccessKeys
from kernel.archive.blobs.store import Blobs
from kernel.archive.commitment.desk import CommitmentDesk
from kernel.archive.deletion.deletion import Deletions
from kernel.archive.derived.tiers import Tiers
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.tables import quarantine as quarantine_table
from kernel.audit import audit
from kernel.clock import SystemClock
from kernel.config import Config, LogConfig, Role
from kernel.database import Database
from kernel.telemetry import configure
from routing.deletion import DeliveryDependents
from routing.profiles import profiles_of
from tests.dicomweb.scripted import running_script
from tests.support.access import CHEAP
from tests.support.builders import as_file
from tests.support.http import a_client, served

TOKEN = "a-token-for-tests"
SITE = "BV1"


@dataclass
class Node:
    """A running DICOMweb service and what is behind it."""

    url: str
    config: Config
    db: Database
    blobs: Blobs
    access: Access
    committer: LocalCommitter
    token: str = TOKEN

    def http(self, token: str | None = TOKEN, **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return a_client(self.url, headers=headers, **options)

    def dicomweb(self, token: str = TOKEN) -> DICOMwebClient:
        return DICOMwebClient(self.url + "/dicom-web", headers={"Authorization": f"Bearer {token}"})

    def a_token(self, *scopes: str, site: str | None = None) -> str:
        return self.access.tokens.create("a peer", scopes, site=site, by="test")

    def store(self, *instances: Any, token: str = TOKEN, **headers: str) -> httpx.Response:
        """STOW data sets, or the bytes of parts, by hand."""
        parts = [instance if isinstance(instance, bytes) else as_file(instance) for instance in instances]
        with self.http(token) as client:
            return client.post("/dicom-web/studies", content=body_of(parts), headers={**MULTIPART, **headers})

    def get(self, path: str, token: str | None = TOKEN, **headers: str) -> httpx.Response:
        with self.http(token) as client:
            return client.get(path, headers=headers)

    def rows(self, table: Any) -> list[Any]:
        with self.db.read() as connection:
            return list(connection.execute(select(table)))

    def audited(self) -> list[Any]:
        return self.rows(audit)

    def quarantined(self) -> list[Any]:
        return self.rows(quarantine_table)

    def stages(self) -> list[Path]:
        return list((self.config.node.data / "blobs" / "incoming").iterdir())


def site_keys(site: str) -> Keys:
    """The keys of a site's pseudonyms."""
    return derive(b"s" * 32, site=site)


MULTIPART = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=BOUNDARY'}


def body_of(parts: list[bytes], content_type: str = "application/dicom") -> bytes:
    head = b"--BOUNDARY\r\nContent-Type: " + content_type.encode() + b"\r\n\r\n"
    return b"".join(head + part + b"\r\n" for part in parts) + b"--BOUNDARY--\r\n"


@cache
def _migrated() -> Path:
    """A migrated, empty database, to be copied: migrating once is enough."""
    path = Path(mkdtemp(prefix="dicomweb")) / "vienanh.db"
    atexit.register(shutil.rmtree, path.parent)
    db = Database.open(path)
    db.migrate()
    db.close()
    return path


@contextmanager
def running_node(
    folder: Path,
    *,
    site: str = SITE,
    role: Role = "both",
    http: dict[str, Any] | None = None,
    clean_pixels: bool = True,
    **archive: Any,
) -> Iterator[Node]:
    """Run a node's DICOMweb in this process; `http` and `archive` override fields of its configuration."""
    base = Config()
    config = replace(
        base,
        node=replace(base.node, data=folder, site=site, role=role),
        http=replace(base.http, **(http or {})),
        anonymizer=replace(base.anonymizer, clean_pixels=clean_pixels),
        archive=replace(base.archive, free_bytes_min=1, **archive),
    )
    folder.mkdir(exist_ok=True)
    shutil.copyfile(_migrated(), folder / "vienanh.db")
    clock, db, blobs = SystemClock(), Database.open(folder / "vienanh.db"), Blobs(folder / "blobs", 1)
    committer = LocalCommitter(db, clock, quarantine_bytes_max=config.archive.quarantine_bytes_max)
    quarantine = Quarantine(blobs, committer, clock)
    access = Access(db, clock, config.access, keys=AccessKeys(b"k" * 32, TOKEN, CHEAP), site=site)
    ingest = Ingest(blobs, committer, quarantine, clock, lambda _: None)
    desk = CommitmentDesk(db, blobs, clock, digests=True)
    desk.start()
    deletions = Deletions(db, clock, config.archive, committer, (DeliveryDependents(site_keys),))
    slides = SlideRoom.on(db, blobs, Kept(folder / "slides", 2**30, blobs))
    deletions.when_deleted(slides.shelf.forget)
    taking = Taking(db, SlideIntake(db, blobs, ingest, folder, 2**30), committer, token_hex)
    uploads = Uploads(folder / "slide-uploads", blobs, taking, clock, token_hex, bytes_max=config.http.body_bytes_max)
    uploads.start()
    service = DicomWeb(
        Services(
            config,
            clock,
            access,
            db,
            blobs,
            ingest,
            quarantine,
            committer,
            deletions=deletions,
            tiers=Tiers(blobs, config.archive.tiers_bytes_max),
            commitments=desk,
            deidentification=Deidentification(profiles_of(config), site_keys, cleaner_of=cleaners_of(config, db)),
            slide_uploads=uploads,
            slides=slides,
        )
    )
    try:
        with served(Direct(service), ws="websockets-sansio") as url:
            yield Node(url, config, db, blobs, access, committer)
    finally:
        service.close()
        uploads.stop()
        slides.close()
        desk.stop(5)
        db.close()


@pytest.fixture(autouse=True, scope="session")
def _log() -> None:
    configure(LogConfig())


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node for one test."""
    with running_node(tmp_path / "node") as running:
        yield running


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node for the tests of one module that only add to it."""
    with running_node(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest.fixture
def scripted() -> Iterator[ThreadingHTTPServer]:
    """A peer that answers what `Scripted.answer` says."""
    with running_script() as server:
        yield server
