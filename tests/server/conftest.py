"""The reading room's server on loopback, over real stores with a study in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from pydicom import Dataset
from starlette.responses import Response

from anonymizer.pixels.zones import Device
from anonymizer.profiles.profile import load
from consult.displays import Displays
from consult.documents import Documents
from consult.drafts import Drafts
from consult.findings.key_images import KeyImageBook
from consult.findings.measurements import Measurements
from consult.findings.others import OthersBook
from consult.findings.reports import Reports
from consult.pathology.forms import Forms
from consult.pathology.validation import Validations
from consult.shown.book import ShownBook
from consult.shown.taken import Takings
from consult.slides.annotations import Annotations
from consult.slides.room import SlideRoom
from exchange.node.assemble import slides_of
from exchange.node.http import build_app
from exchange.node.key_files import site_keys
from exchange.node.stores import Stores, opened
from kernel import config_reading
from kernel.access import Access, AccessKeys, NewAccount
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Origin
from kernel.dicom.pixels.boxes import Box
from routing.break_glass import BreakGlass
from routing.review_sheets import ReviewSheets
from routing.study_reports import StudyReports
from routing.zone_samples import ZoneSamples
from tests.support.builders import a_ct_series, as_dataset_bytes
from tests.support.http import a_client, served
from viewer.server.api import Services

PASSWORD = "mat khau dai du"


FILE_ZONES = {Device("acme", "of the file", 48, 64): (Box(0, 0, 4, 64),)}


@dataclass
class Room:
    """A served reading room."""

    url: str
    stores: Stores
    static: Path
    slides: SlideRoom

    def client(self, **headers: str) -> httpx.Client:
        return a_client(self.url, headers=headers)

    @contextmanager
    def signed_in(self, name: str = "lan", password: str = PASSWORD) -> Iterator[httpx.Client]:
        with self.client() as client:
            answer = client.post("/api/session", json={"name": name, "password": password})
            assert answer.status_code == 200, answer.text
            client.headers["X-Vienanh-CSRF"] = answer.json()["csrf"]
            yield client

    def add_study(self, *, seed: str, count: int = 2, site: str = "LOCAL", **attributes) -> str:
        """Take in a small CT and return its Study Instance UID."""
        return self.take_in(*a_ct_series(count, seed=seed, rows=16, columns=16, **attributes), site=site)

    def take_in(self, *datasets: Dataset, site: str = "LOCAL") -> str:
        """Take in instances of one study and return its Study Instance UID."""
        _, ingest = taking_in(self.stores)
        origin = Origin(site, "dimse", "CT1", "VIENANH", "127.0.0.1", "a session")
        for ds in datasets:
            stage = self.stores.blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, "1.2.840.10008.1.2.1", None)
            stage.write(as_dataset_bytes(ds))
            ingested = ingest.ingest(stage.finish(), origin)
        return ingested.study_instance_uid


def taking_in(stores: Stores) -> tuple[LocalCommitter, Ingest]:
    """Return what takes instances into these stores."""
    blobs, clock = stores.blobs, stores.clock
    committer = LocalCommitter(stores.db, clock, quarantine_bytes_max=1 << 20)
    return committer, Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, lambda _: None)


async def nothing(scope, receive, send) -> None:
    """Stand in for DICOMweb, which has its own tests."""
    await Response(status_code=404)(scope, receive, send)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>room</title>")
    (static / "assets" / "main-0123abcd.js").write_text("let a = 1;")
    (static / "assets" / "main-0123abcd.js.br").write_bytes(b"brotli")
    (tmp_path / "secret.txt").write_text("not for you")
    config = config_reading.load(
        None, {"VIENANH_NODE_DATA": str(tmp_path / "data"), "VIENANH_ACCESS_SHARED_ISSUERS": "BHYT"}
    )
    with opened(config) as real:
        keys = AccessKeys(b"k" * 32, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        access = Access(real.db, real.clock, config.access, keys=keys, site=config.node.site)
        stores = replace(real, access=access)
        stores.access.accounts.create(NewAccount("lan", ["reader"], None, "BS Lan"), PASSWORD, by="test")
        stores.access.accounts.create(NewAccount("root", ["admin"], None), PASSWORD, by="test")
        stores.access.accounts.create(NewAccount("bot", ["integrator"], ["ELSEWHERE"]), PASSWORD, by="test")
        vault = BreakGlass(stores.db, site_keys(config, {}), stores.clock)
        slides, sheets = slides_of(stores), ReviewSheets(stores.db, stores.blobs, load)
        reports = StudyReports(stores.db, stores.blobs)
        committer, ingest = taking_in(stores)
        documents = Documents(stores.db, stores.blobs, ingest=ingest, committer=committer, clock=stores.clock)
        services = Services(
            config,
            stores.access,
            stores.db,
            "1",
            stores.clock,
            vault,
            slides=slides,
            annotations=Annotations(documents, slides.shelf),
            measurements=Measurements(stores.db, documents),
            key_images=KeyImageBook(stores.db, documents),
            structured_reports=Reports(stores.db, documents),
            others=OthersBook(stores.db, documents),
            displays=Displays(stores.db, stores.clock),
            sheets=sheets,
            samples=ZoneSamples(stores.db, stores.blobs, FILE_ZONES),
            reports=reports,
            pathology=Forms(stores.db, stores.clock),
            validations=Validations(stores.db, stores.clock),
            shown=ShownBook(stores.db, stores.clock),
            drafts=Drafts(stores.db, stores.clock, config.access.draft_days),
            takings=Takings(stores.db, stores.clock),
        )
        with served(build_app(services, nothing, dict, static), ws="none") as url:
            yield Room(url, stores, static, slides)
        slides.close()
