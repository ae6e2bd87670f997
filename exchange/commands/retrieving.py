"""`vienanh get` and `vienanh move`: bring a study here from another PACS. Both go on where an earlier run stopped."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Annotated

import typer

from exchange.node import stores
from exchange.node.assemble import COMMIT_SOCKET
from exchange.node.beside import is_served, own_committer
from exchange.node.stores import Stores
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.peer import Ca, Certificate, Key, Secure, Tls, TlsName, target_of
from exchange.terminal.screen import EXIT_REFUSED, err, out, progress_bar
from gateway import refusals, source_tables
from gateway.dimse.scp.offer import Offer, Offers
from gateway.dimse.scp.store_scp import StoreSCP
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Serving
from gateway.dimse.scu.retrieve_scu import BUFFER_BYTES, REFUSED_BYTES_MAX, Order, Progress, find_instances, retrieve
from gateway.dimse.upper_layer.commands import Field
from gateway.peers import Source
from kernel.archive.index import known_instances
from kernel.archive.ingest.complete import ASSOCIATION_RELEASED
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.owner.commit_socket import RemoteCommitter
from kernel.clock import doubled_s
from kernel.config import Config
from kernel.dicom.vocabulary.syntaxes import SYNTAXES
from routing.transport import Cause

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 600.0  # after a lost association; doubles

StudyUid = Annotated[str, typer.Argument(help="Study Instance UID.")]
From = Annotated[str, typer.Option("--from", help="The PACS that has the study, AE@HOST:PORT.")]
SeriesUid = Annotated[str, typer.Option("--series", help="Only this Series Instance UID.")]
SiteCode = Annotated[str, typer.Option("--site", help="Whose patients these are; this node's own site otherwise.")]
As = Annotated[str, typer.Option("--as", help="Our own AE title; dimse.ae_title otherwise.")]
Tries = Annotated[int, typer.Option(min=1, max=100, help="How often a lost association is opened again.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds the PACS may be silent.")]


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be brought here."""

    order: Order
    series_instance_uid: str
    site: str
    target: Target
    tries: int


def get(
    study: StudyUid,
    peer: From,
    series: SeriesUid = "",
    site: SiteCode = "",
    title: As = "",
    tries: Tries = 5,
    timeout_s: Timeout = 120.0,
    tls: Tls = False,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    tls_name: TlsName = "",
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Bring a study here by C-GET: vienanh get 1.2.3 --from PACS@10.0.0.5:104.

    The instances come on our own association, so the PACS need not know where this node listens. Exits 0 only if
    everything that the PACS has is here.
    """
    settings = read_config(config, data)
    secure = Secure(tls, ca, certificate, key, tls_name)
    target = target_of(peer, "--from", title or settings.dimse.ae_title, timeout_s, secure)
    _run(settings, _Job(Order("get", study), series, site, target, tries))


def move(
    study: StudyUid,
    peer: From,
    series: SeriesUid = "",
    destination: Annotated[str, typer.Option("--to", help="AE title to send to; dimse.ae_title otherwise.")] = "",
    title: As = "",
    tries: Tries = 5,
    timeout_s: Timeout = 120.0,
    tls: Tls = False,
    ca: Ca = None,
    certificate: Certificate = None,
    key: Key = None,
    tls_name: TlsName = "",
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Have a PACS send a study by C-MOVE to this node, which must run and be known there by its AE title."""
    settings = read_config(config, data)
    order = Order("move", study, destination or settings.dimse.ae_title)
    secure = Secure(tls, ca, certificate, key, tls_name)
    target = target_of(peer, "--from", title or settings.dimse.ae_title, timeout_s, secure)
    _run(settings, _Job(order, series, "", target, tries))


def _run(config: Config, job: _Job) -> None:
    stopping = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stopping.set())
    try:
        with stores.opened(config) as opened, progress_bar() as bar:
            task = bar.add_task("retrieving", total=None)

            def tell(progress: Progress) -> bool:
                done = progress.here + progress.completed + progress.warning
                bar.update(task, completed=done, total=progress.total)
                return stopping.is_set()

            progress = _retrieve(opened, job, tell, stopping)
    except Lost as lost:
        err.print(f"{job.target.called_ae_title}: {lost.status}: {lost.detail}", markup=False)
        raise typer.Exit(EXIT_REFUSED) from None
    finally:
        signal.signal(signal.SIGINT, before)
    out.print(
        f"{progress.here + progress.completed + progress.warning} of {progress.total} instances are here"
        f" ({progress.here} were before, {progress.failed} failed)."
    )
    if not progress.is_whole or not progress.total:
        if progress.status:
            err.print(f"The PACS answered {progress.status:04X}{refusals.told_query(progress.status)}.", markup=False)
        raise typer.Exit(EXIT_REFUSED)


def _retrieve(opened: Stores, job: _Job, tell: Callable[[Progress], bool], stopping: threading.Event) -> Progress:
    """Find, ask for what is missing, and begin again after a lost association."""
    site = job.site or opened.config.node.site
    for attempt in range(1, job.tries + 1):
        try:
            there = find_instances(job.target, job.order.study_instance_uid, job.series_instance_uid)
            with opened.db.read() as connection:
                here = known_instances(connection, site, [one.sop_instance_uid for one in there])
            missing = [one for one in there if one.sop_instance_uid not in here]
            progress = Progress(len(there), here=len(here))
            if missing:
                with _serving(opened, job, site, progress) as serving:
                    retrieve(job.target, job.order, missing, progress, serving=serving, tell=tell)
        except Lost as lost:
            if lost.cause is not Cause.LINK or attempt == job.tries or stopping.is_set():
                raise
            opened.clock.wait(stopping, doubled_s(FIRST_PAUSE_S, attempt - 1, LONGEST_PAUSE_S))
        else:
            return progress
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _serving(opened: Stores, job: _Job, site: str, progress: Progress) -> Generator[Serving | None]:
    """Give what takes the instances of a C-GET: this node's own ingest, in the running node or, without one, here."""
    if job.order.how == "move":
        yield None
        return
    config, clock, blobs = opened.config, opened.clock, opened.blobs
    fallback_charset_of = source_tables.sources(config).fallback_charset_of
    committer = RemoteCommitter(config.node.data / COMMIT_SOCKET) if is_served(config) else own_committer(opened)
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, fallback_charset_of)
    store = StoreSCP(ingest, blobs, clock, config.dimse.instance_bytes_max)
    offers = Offers({}, Offer("store", {Field.C_STORE_RQ: store}, SYNTAXES), private_storage=True)
    session = token_hex(8)
    evidence = None
    try:
        yield Serving(offers, Source(job.target.called_ae_title, site), session, REFUSED_BYTES_MAX, BUFFER_BYTES)
        if progress.is_whole:  # not of one that was stopped, or lacks something
            evidence = ASSOCIATION_RELEASED
    finally:
        committer.end_session(site, session, evidence)
