"""What the handlers work with: the rooms below, threads, and the small memories that make repeated requests cheap."""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consult.workitems import WorkitemDesk
from gateway.dicomweb.http.seats import Seats
from gateway.dicomweb.retrieve.frame_source import FrameSource
from gateway.dicomweb.ups.ups_channels import Channels
from gateway.dicomweb.ups.ups_query import filter_keys
from kernel.access import Access
from kernel.access.memory import Recent
from kernel.archive.blobs.store import Blobs
from kernel.archive.commitment.desk import CommitmentDesk
from kernel.archive.deletion.deletion import Deletions
from kernel.archive.derived.metadata import Metadata
from kernel.archive.derived.remembered import Remembered
from kernel.archive.derived.tiers import Tiers
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.search.finder import Finder
from kernel.clock import Clock
from kernel.config import Config
from kernel.database import Database
from kernel.dicom.pixels.decoders import DECODERS

if TYPE_CHECKING:
    from consult.slides.room import SlideRoom
    from consult.slides.uploads import Uploads
    from gateway.dicomweb.deidentify.order import Deidentification
    from gateway.dicomweb.http.row import Row

READERS: Final = 8  # threads that answer GET requests
RECEIVERS: Final = 4  # threads that take request bodies apart; never wait for each other
INGESTERS: Final = 8  # threads that make instances durable; their commits share flushes
STORES_MAX: Final = 32  # requests whose bodies are being received; more are answered 503
STORES_OF_ONE_MAX: Final = 16  # of one caller, so that one site cannot keep the others out

VIDEOS_BYTES_MAX: Final = 64 * 1024 * 1024  # of videos that were made
FRAMES_BYTES_MAX: Final = 64 * 1024 * 1024  # of whereabouts of frames
DENIED_EVERY_S: Final = 600.0  # one audit line per caller, address, route and reason in so many seconds
DENIED_MAX: Final = 10_000  # such lines remembered


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a node that DICOMweb needs; made by exchange/node/assemble.py."""

    config: Config
    clock: Clock
    access: Access
    db: Database
    blobs: Blobs
    ingest: Ingest
    quarantine: Quarantine
    committer: LocalCommitter
    deletions: Deletions
    tiers: Tiers
    random: Callable[[int], str] = secrets.token_hex
    commitments: CommitmentDesk | None = None
    deidentification: "Deidentification | None" = None
    slide_uploads: "Uploads | None" = None
    slides: "SlideRoom | None" = None


class Room:
    """One DICOMweb service while it runs. Counts are touched by the event loop only."""

    def __init__(self, services: Services, rows: Sequence["Row"]) -> None:
        self.services = services
        self.rows = rows  # the route table
        self.readers = ThreadPoolExecutor(READERS, "dicomweb-read")
        self.makers = ThreadPoolExecutor(DECODERS, "dicomweb-make")
        self.receivers = ThreadPoolExecutor(RECEIVERS, "dicomweb-receive")
        self.ingesters = ThreadPoolExecutor(INGESTERS, "dicomweb-ingest")
        self.boundary = services.random(16).encode()  # of multipart answers: nobody can put it into what is stored
        self.frames = Remembered[tuple[str, ...], FrameSource](FRAMES_BYTES_MAX)
        self.videos = Remembered[str, bytes](VIDEOS_BYTES_MAX)
        self.metadata = Metadata(services.db)
        self.finder = Finder(services.db)
        self.channels = Channels()
        self.workitems = WorkitemDesk(services.db, services.clock, filter_keys, self.channels.notify)
        self.requests = 0
        most = services.config.http.requests_max
        self.callers = Seats(
            most, most_of_one=max(1, most // 2), what="it serves as many requests of one caller as it may"
        )
        self.stores = Seats(
            STORES_MAX,
            most_of_one=STORES_OF_ONE_MAX,
            what="as many bodies are being received as this node takes at once, or from one caller",
        )
        self.waiting = 0  # for changes
        self.denials: Recent[tuple[str, ...], object] = Recent(services.clock, seconds=DENIED_EVERY_S, most=DENIED_MAX)
        services.deletions.when_deleted(self._forget)

    def _forget(self) -> None:
        """Forget what is remembered of studies: some were deleted, and their keys may be given to others."""
        self.frames.clear()
        self.videos.clear()
        self.metadata.forget()
        self.services.access.forget_studies()

    def close(self) -> None:
        """Let running work end and give the threads back."""
        for pool in (self.makers, self.receivers, self.ingesters, self.readers):
            pool.shutdown(wait=True, cancel_futures=True)
