"""Runs an assembled node until a signal: start in order, settle quiet studies, reclaim blobs, tell health, stop."""

import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version

import uvicorn

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
from exchange.node.assemble import NAMING_BLOBS, Node, cleaners_of, zones_of
from exchange.node.http import build_app
from exchange.node.http_door import Door
from exchange.node.https import RenewedFiles
from exchange.node.key_files import site_keys
from exchange.node.origin import local_origin, own_address, told_origin
from exchange.node.readiness import ready_checks
from gateway.addresses import WANTED, read_network
from gateway.dicomweb.app import DicomWeb
from gateway.dicomweb.deidentify.order import Deidentification
from gateway.dicomweb.service import Services as DicomWebServices
from kernel import telemetry
from kernel.archive.deletion.reclaim import reclaim_blobs
from kernel.config import HttpConfig
from kernel.errors import ExchangeError, InvalidConfiguration
from kernel.listening import cannot_listen
from routing.break_glass import BreakGlass
from routing.profiles import finder_of, profiles_of
from routing.review_sheets import ReviewSheets
from routing.study_reports import StudyReports
from routing.zone_samples import ZoneSamples
from viewer.server.api import Services
from viewer.server.pages import build_folder

LISTENING_FILE = "listening.json"  # where the node listens, written when it is ready; read by the demo and by scripts
DRAIN_S = 20.0  # for messages and requests under way when the node stops
SETTLE_EVERY_S = 5.0
BACKLOG = 1024
FILES_BESIDE = 2048  # descriptors for everything that is no HTTP connection
KEEP_ALIVE_S = 75
WS_BYTES_MAX = 64 * 1024  # of a message from a client, to which nobody listens

_log = telemetry.get_logger("exchange")


class Running:
    """A node that runs. `stop` may be called from any thread, `run` from the main one."""

    def __init__(self, node: Node, announce: Callable[["Running"], None]) -> None:
        self._node = node
        self._announce = announce
        self._stopping = threading.Event()
        config = node.stores.config
        self._http_socket = _bound(config.http)
        self._dicomweb = DicomWeb(
            DicomWebServices(
                config=config,
                clock=node.stores.clock,
                access=node.stores.access,
                db=node.stores.db,
                blobs=node.stores.blobs,
                ingest=node.ingest,
                quarantine=node.quarantine,
                committer=node.committer,
                commitments=node.commitments,
                deletions=node.deletions,
                tiers=node.tiers,
                deidentification=Deidentification(
                    profiles_of(config), site_keys(config), cleaner_of=cleaners_of(config, node.stores.db)
                ),
                slide_uploads=node.slide_uploads,
                slides=node.slides,
            )
        )
        stores = node.stores
        vault = BreakGlass(stores.db, site_keys(config), stores.clock)
        documents = Documents(stores.db, stores.blobs, ingest=node.ingest, committer=node.committer, clock=stores.clock)
        services = Services(
            config,
            stores.access,
            stores.db,
            version("vienanh"),
            stores.clock,
            vault,
            slides=node.slides,
            annotations=Annotations(documents, node.slides.shelf),
            measurements=Measurements(stores.db, documents),
            key_images=KeyImageBook(stores.db, documents),
            structured_reports=Reports(stores.db, documents),
            others=OthersBook(stores.db, documents),
            displays=Displays(stores.db, stores.clock),
            sheets=ReviewSheets(stores.db, stores.blobs, finder_of(config)),
            samples=ZoneSamples(stores.db, stores.blobs, zones_of(config)),
            reports=StudyReports(stores.db, stores.blobs),
            pathology=Forms(stores.db, stores.clock),
            validations=Validations(stores.db, stores.clock),
            shown=ShownBook(stores.db, stores.clock),
            drafts=Drafts(stores.db, stores.clock, config.access.draft_days),
            takings=Takings(stores.db, stores.clock),
        )
        app = build_app(services, self._dicomweb, self.checks, build_folder())
        self._server = _Server(uvicorn_settings(config.http, app), on_started=self._ready)

    @property
    def http_url(self) -> str:
        """Where programs of this computer find the node."""
        return local_origin(self._node.stores.config.http, self._http_port)

    @property
    def told_url(self) -> str:
        """Where a person opens it."""
        return told_origin(self._node.stores.config.http, self._http_port, own_address)

    @property
    def _http_port(self) -> int:
        return self._http_socket.getsockname()[1]

    @property
    def dimse_port(self) -> int | None:
        """The port of the DIMSE listener, None without one."""
        return self._node.listener.port if self._node.listener else None

    def run(self) -> None:
        """Start everything, serve until `stop` or a signal, and stop everything."""
        node = self._node
        _allow_files(node.stores.config.http.connections_max + FILES_BESIDE)
        with ExitStack() as stack:
            stack.callback(self._http_socket.close)  # of a start that fails; the server closes its own
            stack.callback(self._dicomweb.close)
            stack.callback(node.slides.close)
            node.stores.blobs.sweep()
            node.slides.sweep()
            node.commit_server.start()
            stack.callback(node.commit_server.stop)
            node.slide_uploads.start()
            stack.callback(node.slide_uploads.stop)
            node.worker.start()
            stack.callback(node.worker.stop, DRAIN_S)
            beside = (node.tier_maker,) if node.tier_maker else ()
            for part in (node.commitments, node.reports, node.handovers, node.readying, *beside):
                part.start()
                stack.callback(part.stop, DRAIN_S)
            if node.listener:
                node.listener.start()
                stack.callback(node.listener.stop, DRAIN_S)
            if node.orders:
                node.orders.start()
                stack.callback(node.orders.stop, DRAIN_S)
            settling = threading.Thread(target=self._settle, name="settle", daemon=True)
            settling.start()
            stack.callback(self._stopping.set)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stop())
            gc.collect()
            gc.freeze()  # what was imported and wired stays for good: collections need not look at it again
            self._server.run(sockets=[self._http_socket])
            _log.info("node_stopping")
        with suppress(OSError):
            (node.stores.config.node.data / LISTENING_FILE).unlink()

    def stop(self) -> None:
        """Begin to stop."""
        self._stopping.set()
        self._server.should_exit = True

    def checks(self) -> Mapping[str, str]:
        """Return what was checked, and what is wrong with it; empty when nothing is."""
        return {"stopping": "the node is stopping" if self._stopping.is_set() else "", **ready_checks(self._node)}

    def _ready(self) -> None:
        self._announce(self)
        data = self._node.stores.config.node.data
        orders = self._node.orders
        content = {
            "http": self.http_url,
            "dimse_port": self.dimse_port,
            "dimse_tls_port": self._node.listener.tls_port if self._node.listener else None,
            "hl7_port": orders.port if orders else None,
            "pid": os.getpid(),
        }
        unnamed = data / (LISTENING_FILE + ".new")
        unnamed.write_text(json.dumps(content))
        unnamed.replace(data / LISTENING_FILE)
        _log.info("node_ready", http=self.http_url, dimse_port=self.dimse_port)

    def _settle(self) -> None:
        node = self._node
        while not self._stopping.wait(SETTLE_EVERY_S):
            try:
                node.committer.settle_quiet(node.stores.config.archive.quiet_s)
                reclaim_blobs(node.stores.db, node.stores.blobs, NAMING_BLOBS, node.stores.clock.now())
                self._dicomweb.sweep()
                node.slide_uploads.sweep()
            except ExchangeError as error:
                _log.warning("settle_failed", reason=str(error))
            except Exception as error:  # noqa: BLE001 (a thread's edge: studies must become complete later, too)
                _log.error("settle_failed", exc_info=error)


def _allow_files(wanted: int) -> None:
    """Let this process open so many files, if the system lets it: a service begins with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        _log.warning("few_files_allowed", allowed=allowed, wanted=wanted)


def _bound(http: HttpConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with ExitStack() as undone:
        try:
            bound = undone.enter_context(socket.socket(family, socket.SOCK_STREAM))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((http.host, http.port))
            bound.listen(BACKLOG)
        except OSError as error:
            raise cannot_listen(http.host, http.port, "http.port", error) from error
        undone.pop_all()
    return bound


def uvicorn_settings(http: HttpConfig, app: object) -> uvicorn.Config:
    """Return how uvicorn serves `app`, with our door's connections.

    Raises
    ------
    InvalidConfiguration
        A trusted proxy is no address or network, or the certificate and its key cannot be used.
    """
    try:
        trusted = [read_network(text) for text in http.trusted_proxies]
    except ValueError:
        raise InvalidConfiguration(source="http", key="trusted_proxies", reason=WANTED) from None
    door = Door(
        requests_max=http.requests_max,
        connections_max=http.connections_max,
        connections_per_address_max=http.connections_per_address_max,
        trusted_proxies=trusted,
        silence_s=http.body_timeout_s,
    )
    files = RenewedFiles.of(http)
    return uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType] - uvicorn's own type of an ASGI application is narrower than ours
        loop="uvloop",
        http=door.connection,  # pyright: ignore[reportArgumentType] - a class is wanted, and only called
        ws="websockets-sansio",
        ws_max_size=WS_BYTES_MAX,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=[str(network) for network in trusted],
        ssl_context_factory=None if files is None else lambda *_: files.context,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(DRAIN_S),
    )


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, telling when it listens."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to the node."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started()
        else:
            sys.exit(1)
