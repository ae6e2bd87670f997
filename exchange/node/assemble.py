"""From a Config to a running exchange: the wiring, on one page. Nothing here decides anything about a study."""

import functools
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_hex

from anonymizer.pixels.cleaner import Cleaner
from anonymizer.pixels.zones import Zones, read_zones
from consult.asked import serve_performed
from consult.deletion import ReadingDependents
from consult.ordering import OrderDesk, random_uid
from consult.performing import PerformedSteps
from consult.slides.intake import SlideIntake
from consult.slides.kept import Kept
from consult.slides.readying import Readying
from consult.slides.room import SlideRoom
from consult.slides.upload_taking import Taking
from consult.slides.uploads import Uploads
from consult.slides.vendor_files import VendorFiles
from consult.stations import Stations
from exchange.node import stores
from exchange.node.key_files import check_keys, site_keys
from exchange.node.stores import Stores
from gateway import source_tables
from gateway.dicomweb.client.committing import ask_commitment
from gateway.dicomweb.client.sending import StowTransport
from gateway.dimse.listening.identity import Identification
from gateway.dimse.listening.listener import Listener
from gateway.dimse.listening.places import PLACES_FILE, Places
from gateway.dimse.listening.process import Settings as ListenerSettings
from gateway.dimse.listening.reception import Callers
from gateway.dimse.listening.supervisor import ListenerProcesses
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.commitment_reporter import CommitmentReporter, call_back
from gateway.dimse.scp.offered import offers
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.handover_worker import HandoverWorker, HttpAsk
from gateway.dimse.scu.sender import DimseSender
from gateway.dimse.scu.targets import target_of
from gateway.hl7.intake import Intake
from gateway.hl7.listener import MllpListener
from gateway.peers import Sources
from kernel.access.asked import serve_access
from kernel.archive.blobs import verify
from kernel.archive.commitment.desk import CommitmentDesk, serve_commitments
from kernel.archive.deletion.asked import serve_deletions
from kernel.archive.deletion.deletion import Deletions
from kernel.archive.derived.tier_maker import TierMaker
from kernel.archive.derived.tiers import Tiers
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.complete import ASSOCIATION_RELEASED
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.owner.asking import LocalOwner
from kernel.archive.owner.commit_socket import CommitServer
from kernel.clock import Clock
from kernel.config import Config
from kernel.database import Database
from routing import drawn_zones
from routing.deletion import DeliveryDependents
from routing.destinations import Destination
from routing.planning import Planner
from routing.profiles import finder_of
from routing.reidentification import Reidentifier
from routing.rules import Rules
from routing.settings import parse
from routing.steps import Deidentifier
from routing.tables import derived
from routing.transport import Transport
from routing.worker import Worker

COMMIT_SOCKET = "commit.sock"
SLIDES_FOLDER = "slides"
VENDOR_FILES_FOLDER = "vendor-slides"
UPLOADS_FOLDER = "slide-uploads"
NAMING_BLOBS = (*verify.NAMED, derived)  # every table that names blobs
CORES_FOR_THREADS = 2  # up to which one process receives more than several that hand rows over


@dataclass(frozen=True, slots=True)
class Node:
    """A node's parts, wired and not yet started."""

    stores: Stores
    rules: Rules
    committer: LocalCommitter
    commit_server: CommitServer
    quarantine: Quarantine
    ingest: Ingest
    deletions: Deletions
    listener: Listener | ListenerProcesses | None
    orders: MllpListener | None
    worker: Worker
    commitments: CommitmentDesk
    reports: CommitmentReporter
    handovers: HandoverWorker
    tiers: Tiers
    tier_maker: TierMaker | None  # a site sends studies away; who reads there has copies made when they are asked for
    slides: SlideRoom
    readying: Readying
    slide_uploads: Uploads


@contextmanager
def assembled(config: Config, *, clock: Clock | None = None, dev_token: str | None = None) -> Generator[Node]:
    """Open the stores of `config` and wire a node on them; everything is closed at the end.

    Raises
    ------
    kernel.errors.InvalidConfiguration, kernel.errors.InvalidRule
        Names the key or rule, and the file.
    """
    rules, sources = parse(config), source_tables.sources(config)
    with stores.opened(config, clock=clock, dev_token=dev_token, is_node=True) as opened:
        check_keys(config, opened.db)
        clock = opened.clock
        planner = planner_of(opened, rules, sources)
        steps = PerformedSteps(opened.db, clock)
        committer = committer_of(opened, planner, steps)
        steps.begin(committer.complete)
        quarantine = Quarantine(opened.blobs, committer, clock)
        ingest = Ingest(opened.blobs, committer, quarantine, clock, sources.fallback_charset_of)
        deletions = deletions_of(opened, committer)
        deletions.when_deleted(planner.forget)
        slides = slides_of(opened)
        deletions.when_deleted(slides.forget)
        owner = LocalOwner()
        serve_deletions(owner, deletions)
        serve_access(owner, opened.access)
        commitments = CommitmentDesk(opened.db, opened.blobs, clock, digests=config.archive.commitment_digests)
        serve_commitments(owner, commitments)
        serve_performed(owner, steps)
        tiers = Tiers(opened.blobs, config.archive.tiers_bytes_max)
        yield Node(
            stores=opened,
            rules=rules,
            committer=committer,
            commit_server=CommitServer(config.node.data / COMMIT_SOCKET, committer, owner),
            quarantine=quarantine,
            ingest=ingest,
            deletions=deletions,
            listener=listener_of(opened, sources, ingest, committer, owner) if config.dimse.enabled else None,
            orders=orders_of(opened) if config.hl7.enabled else None,
            worker=Worker(
                opened.db,
                opened.blobs,
                clock,
                config.routing,
                owner=str(config.node.data.resolve()),
                deidentifier=Deidentifier(
                    opened.db, opened.blobs, finder_of(config), site_keys(config), cleaner=cleaner_of(config)
                ),
                reidentifier=Reidentifier(
                    opened.db,
                    opened.blobs,
                    ingest,
                    site_keys(config),
                    clock,
                    from_peers=config.routing.returns_from,
                ),
                transports=transports(config, rules, clock),
            ),
            commitments=commitments,
            reports=CommitmentReporter(
                opened.db,
                clock,
                requesters(rules, config),
                call_back(sources, config.routing.request_timeout_s),
            ),
            handovers=HandoverWorker(opened.db, clock, owner, handover_ways(rules, config, clock), random_uid),
            tiers=tiers,
            tier_maker=None if config.node.role == "site" else TierMaker(opened.db, tiers, clock),
            slides=slides,
            readying=slides.readying(opened.db, clock),
            slide_uploads=slide_uploads_of(opened, ingest, committer),
        )


def slides_of(opened: Stores) -> SlideRoom:
    """Return what opens slides, and keeps what it makes in the data folder."""
    config = opened.config
    folder, bytes_max = config.node.data / SLIDES_FOLDER, config.archive.slides_bytes_max
    files = vendor_files_of(opened)
    return SlideRoom.on(opened.db, opened.blobs, Kept(folder, bytes_max, opened.blobs), files)


def vendor_files_of(opened: Stores) -> VendorFiles:
    """Return what keeps vendors' files; those that were kept before are given and removed where none are kept now."""
    return VendorFiles(opened.config.node.data / VENDOR_FILES_FOLDER, opened.db, opened.blobs)


def slide_intake(opened: Stores, ingest: Ingest) -> SlideIntake:
    """Return what takes vendors' slides: of the node, and of a command beside it."""
    config = opened.config
    return SlideIntake(
        opened.db,
        opened.blobs,
        ingest,
        config.node.data,
        config.dimse.instance_bytes_max // 2,
        vendor_files=vendor_files_of(opened) if config.archive.keep_vendor_files else None,
    )


def slide_uploads_of(opened: Stores, ingest: Ingest, committer: LocalCommitter) -> Uploads:
    """Return what takes slides that come in pieces over HTTP."""
    config = opened.config
    taking = Taking(opened.db, slide_intake(opened, ingest), committer, token_hex)
    folder, bytes_max = config.node.data / UPLOADS_FOLDER, config.http.body_bytes_max
    return Uploads(folder, opened.blobs, taking, opened.clock, token_hex, bytes_max=bytes_max)


def cleaner_of(config: Config) -> Cleaner | None:
    """Return what cleans pixels, with the site's zones."""
    if not config.anonymizer.clean_pixels:
        return None
    return Cleaner(zones=zones_of(config))


def cleaners_of(config: Config, db: Database) -> Callable[[str], Cleaner | None]:
    """Return what gives the cleaner of a site's orders, with what its people drew."""

    def of_site(site: str) -> Cleaner | None:
        cleaner = cleaner_of(config)
        return cleaner and replace(cleaner, drawn=partial(drawn_zones.asked_of, db, site))

    return of_site


def zones_of(config: Config) -> Zones:
    """Return the zones of the file that the configuration names."""
    zones = config.anonymizer.pixel_zones
    return read_zones(zones) if zones else {}


def listener_of(
    opened: Stores, sources: Sources, ingest: Ingest, committer: LocalCommitter, owner: LocalOwner
) -> Listener | ListenerProcesses:
    """Return the DIMSE listener: threads of this process on a small machine, processes of their own on a larger one."""
    config = opened.config
    if config.dimse.processes == 0 and (os.cpu_count() or 1) <= CORES_FOR_THREADS:

        def end_session(site: str, session: str, released: bool) -> None:  # noqa: FBT001 (SessionEnd's signature)
            committer.end_session(site, session, ASSOCIATION_RELEASED if released else None)

        backing = Backing(config, opened.clock, opened.db, opened.blobs, owner, opened.access)
        table = offers(config, ingest, opened.blobs, opened.clock, backing)
        return Listener(
            config.dimse,
            table,
            Callers(
                sources,
                Places(config.node.data / PLACES_FILE),
                Identification(config.dimse.user_identity, opened.access),
            ),
            on_session_end=end_session,
            clock=opened.clock,
        )
    data = config.node.data
    settings = ListenerSettings(config, data / stores.BLOBS_FOLDER, data / COMMIT_SOCKET)
    return ListenerProcesses(settings, opened.clock)


def orders_of(opened: Stores) -> MllpListener:
    """Return the listener for orders by HL7 v2."""
    config, clock = opened.config, opened.clock
    desk = OrderDesk(opened.db, clock)
    intake = Intake(desk, Stations.from_config(config), config.node.site, config.hl7.charset or None, clock)
    return MllpListener(config.hl7, intake, clock)


def planner_of(opened: Stores, rules: Rules, sources: Sources) -> Planner:
    """Return what plans here: of the node, and of a command that stores while none runs."""
    returns_from = opened.config.routing.returns_from
    return Planner(rules, opened.clock, fallback_charset_of=sources.fallback_charset_of, returns_from=returns_from)


def committer_of(opened: Stores, planner: Planner, steps: PerformedSteps | None = None) -> LocalCommitter:
    """Return the committer whose transactions also make the plans and end what modalities announced."""
    return LocalCommitter(
        opened.db,
        opened.clock,
        participants=(planner.participant, *((steps.participant,) if steps else ())),
        completion_participants=(planner.on_complete,),
        quarantine_bytes_max=opened.config.archive.quarantine_bytes_max,
    )


def deletions_of(opened: Stores, committer: LocalCommitter) -> Deletions:
    """Return what deletes, with all rooms that keep something of an instance."""
    dependents = (DeliveryDependents(site_keys(opened.config)), ReadingDependents())
    return Deletions(opened.db, opened.clock, opened.config.archive, committer, dependents)


def transports(config: Config, rules: Rules, clock: Clock) -> Mapping[str, Callable[[], Transport]]:
    """Return how to make the transport of each destination."""
    return {name: functools.partial(_transport, one, config, clock) for name, one in rules.destinations.items()}


def handover_ways(rules: Rules, config: Config, clock: Clock) -> Mapping[str, tuple[Destination, Target | HttpAsk]]:
    """Return the destinations, and how each is asked or told after a delivery, by name."""
    found: dict[str, tuple[Destination, Target | HttpAsk]] = {}
    for name, one in rules.destinations.items():
        if one.kind == "dimse":
            found[name] = (one, target_of(one, config))
        else:
            found[name] = (one, ask_commitment(functools.partial(_stow, one, config, clock), name, clock))
    return found


def requesters(rules: Rules, config: Config) -> Mapping[str, Target]:
    """Return where DIMSE peers are called back, by AE title."""
    dimse = [one for one in rules.destinations.values() if one.kind == "dimse"]
    return {one.ae_title: target_of(one, config) for one in reversed(dimse)}


def _transport(destination: Destination, config: Config, clock: Clock) -> Transport:
    if destination.kind == "stow":
        return _stow(destination, config, clock)
    return DimseSender(target_of(destination, config))


def _stow(destination: Destination, config: Config, clock: Clock) -> StowTransport:
    return StowTransport(
        destination.name,
        destination.url,
        clock,
        timeout_s=config.routing.request_timeout_s,
        token_file=_beside(config, destination.token_file),
        ca_file=_beside(config, destination.ca_file),
    )


def _beside(config: Config, file: Path | None) -> Path | None:
    """Return a file that the configuration names, relative to the configuration's own folder."""
    return None if file is None else Path(config.origin).parent / file
