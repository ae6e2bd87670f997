"""A listener process: what runs in it. `supervisor` starts it, gives it connections and starts it again when it dies.

It stages and prepares instances and hands them to the process that owns the database; it reads that database, and asks its
owner for what must be written. When the owner is gone it ends at once: nothing could be acknowledged any more.
"""

import contextlib
import gc
import os
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from gateway import source_tables
from gateway.dimse.listening.association import Arrival
from gateway.dimse.listening.control import Adopt, Channel, Closed, Counted, Message, Ready, Stop
from gateway.dimse.listening.identity import Identification
from gateway.dimse.listening.listener import Listener
from gateway.dimse.listening.places import PLACES_FILE, Places
from gateway.dimse.listening.reception import Callers
from gateway.dimse.scp.backing import Backing
from gateway.dimse.scp.offered import offers
from kernel import telemetry
from kernel.access.asked import AskedAccess
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.complete import ASSOCIATION_RELEASED
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.owner.asking import RemoteOwner
from kernel.archive.owner.commit_socket import RemoteCommitter
from kernel.clock import Clock, SystemClock
from kernel.config import Config
from kernel.database import ReadOnly
from kernel.database.target import target_of

DRAIN_S = 10.0  # for messages under way, when somebody else than the node tells us to end
COUNT_EVERY_S = 5.0  # how often the node learns what was counted here
GONE = 70  # exit code when the node's process is gone (EX_SOFTWARE)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a listener process is given."""

    config: Config
    blobs_root: Path
    commit_socket: Path
    processes: int = 1  # how many share the port


def run(settings: Settings, end: socket.socket) -> None:
    """Serve until told to stop. The target of a spawned process; `end` is its end of a `control.Channel`."""
    channel, clock = Channel(end), SystemClock()
    telemetry.configure(settings.config.log)
    listener, db = _wired(settings, clock)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to the node, which stops us in order

    def leave(timeout_s: float) -> None:
        listener.stop(timeout_s)
        db.close()
        _tell(channel, Counted(telemetry.tally()))
        os._exit(0)

    def begin_to_leave(timeout_s: float) -> None:
        threading.Thread(target=leave, args=(timeout_s,), name="dimse-leave", daemon=True).start()

    # A handler of Python's runs after the next message when a receive is just beginning; a thread that hears does not wait.
    heard, signalled = socket.socketpair()
    signalled.settimeout(0)
    signal.set_wakeup_fd(signalled.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)

    def leave_when_signalled() -> None:
        heard.recv(1)
        leave(DRAIN_S)

    threading.Thread(target=leave_when_signalled, name="dimse-signal", daemon=True).start()
    gc.collect()
    gc.freeze()  # what was imported stays for good: collections need not look at it again
    channel.send(Ready())
    threading.Thread(target=_count, args=(channel, clock), name="dimse-count", daemon=True).start()
    while received := channel.receive():
        message, connection = received
        match message:
            case Adopt(address, refuse, secure):
                assert connection is not None
                listener.adopt(connection, address, Arrival(secure, refuse), lambda: _tell(channel, Closed()))
            case Stop(timeout_s):
                begin_to_leave(timeout_s)
            case _:
                raise AssertionError(message)
    os._exit(GONE)


def _wired(settings: Settings, clock: Clock) -> tuple[Listener, ReadOnly]:
    """Make the listener, and the database that it reads."""
    sources = source_tables.sources(settings.config)
    blobs = Blobs(settings.blobs_root, settings.config.archive.free_bytes_min)
    committer = RemoteCommitter(settings.commit_socket)
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, sources.fallback_charset_of)

    def end_session(site: str, session: str, released: bool) -> None:  # noqa: FBT001 SessionEnd's signature
        committer.end_session(site, session, ASSOCIATION_RELEASED if released else None)

    owner = RemoteOwner(settings.commit_socket)
    target, password = target_of(settings.config)
    db = ReadOnly.open(target, password=password)
    access = AskedAccess(owner)
    backing = Backing(settings.config, clock, db, blobs, owner, access)
    identification = Identification(settings.config.dimse.user_identity, access)
    table = offers(settings.config, ingest, blobs, clock, backing)
    listener = Listener(
        settings.config.dimse,
        table,
        Callers(sources, Places(settings.config.node.data / PLACES_FILE), identification, settings.processes),
        on_session_end=end_session,
        clock=clock,
    )
    return listener, db


def _count(channel: Channel, clock: Clock) -> None:
    while True:
        clock.wait(threading.Event(), COUNT_EVERY_S)
        _tell(channel, Counted(telemetry.tally()))


def _tell(channel: Channel, message: Message) -> None:
    with contextlib.suppress(OSError):  # the node is gone; `run` notices and ends
        channel.send(message)
