"""The threads of routing: local workers, two slots for each destination, and the keeper of their leases.

A slot is woken by the database's topic right after the commit that gave it work; it looks now and then all the same,
because a wake-up is only a hint. The second slot of a destination, and one local worker, are kept free for STAT.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from sqlalchemy import Connection

from kernel.archive.blobs.store import Blobs
from kernel.clock import Clock, SetBack
from kernel.config import RoutingConfig
from kernel.database import Database
from kernel.errors import Retriable
from kernel.telemetry import get_logger
from routing import leases, queue
from routing.jobs import RETRY_AFTER_MAX_S
from routing.local import LocalWork
from routing.queue import LOCAL_LANE, Holder, topic_of
from routing.reidentification import Reidentifier
from routing.relay import ANY, STAT, Relay, Turn
from routing.set_right import set_right
from routing.steps import Deidentifier
from routing.transport import Transport

POLL_S: Final = 5.0  # between looks that no wake-up asked for
FAILED_PAUSE_S: Final = 1.0  # after a turn that our own database could not take
KEEPS_PER_LEASE: Final = 3
OWNER_CHARACTERS: Final = 64  # a longer name, such as a path, is kept as its digest

log = get_logger("routing")


class Slot(Protocol):
    """What a thread turns."""

    lane: str
    in_flight: frozenset[int]

    def turn(self, holder: Holder) -> Turn:
        """Do at most one batch."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class Worker:
    """Everything of routing that runs by itself in one process.

    `owner` names the process's data folder for good, not the process: with it a restarted node takes up at once what
    it held when it was killed. `transports` makes the transport of each destination, once for each slot.
    """

    def __init__(  # noqa: PLR0913 (the parts that one page wires)
        self,
        db: Database,
        blobs: Blobs,
        clock: Clock,
        settings: RoutingConfig,
        *,
        owner: str,
        deidentifier: Deidentifier,
        reidentifier: Reidentifier,
        transports: Mapping[str, Callable[[], Transport]],
    ) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._owner = owner if len(owner) <= OWNER_CHARACTERS else hashlib.sha256(owner.encode()).hexdigest()
        self._stopping = threading.Event()
        self._set_back = SetBack(clock)
        self._holders: dict[str, Holder] = {}
        self._slots: list[Slot] = [
            LocalWork(db, clock, settings, deidentifier, reidentifier, is_stopping=self._stopping.is_set)
            for _ in range(settings.workers)
        ]
        self._slots.append(
            LocalWork(
                db, clock, settings, deidentifier, reidentifier, priority_max=STAT, is_stopping=self._stopping.is_set
            )
        )
        for name, transport in transports.items():
            for priority_max in (ANY, STAT):
                self._slots.append(
                    Relay(
                        name,
                        transport(),
                        db=db,
                        blobs=blobs,
                        clock=clock,
                        settings=settings,
                        priority_max=priority_max,
                    )
                )
        self._lanes = (LOCAL_LANE, *transports)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take the leases and begin to work."""
        longest_s = max(self._settings.backoff_cap_s, RETRY_AFTER_MAX_S)
        self._db.write(lambda connection: self._set_right(connection, longest_s))
        self.keep()
        self._threads = [
            threading.Thread(target=self._run, args=(slot,), name=f"routing-{slot.lane}", daemon=True)
            for slot in self._slots
        ]
        self._threads.append(threading.Thread(target=self._keep_on, name="routing-keeper", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Claim nothing more, finish what is being carried, give up the leases; False if that took too long.

        What is not finished by then is not lost: its lease ends, or this owner takes it up when it starts again.
        """
        self._stopping.set()
        for lane in self._lanes:
            self._db.notify(topic_of(lane))
        deadline_s = self._clock.monotonic_s() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - self._clock.monotonic_s()))
        if any(thread.is_alive() for thread in self._threads):
            return False
        self._db.write(self._give_up)
        for slot in self._slots:
            slot.close()
        return True

    def keep(self) -> None:
        """Take or renew the leases, keep alive what is being worked on, and reap what silent workers hold."""
        self._holders = self._db.write(self._kept)

    def _kept(self, connection: Connection) -> dict[str, Holder]:
        now, lease_s = self._clock.now(), self._settings.lease_s
        if self._set_back.noticed():
            log.warning("clock_set_back", now=now.isoformat())
            self._set_right(connection, 0.0)
        held: dict[str, Holder] = {}
        for lane in self._lanes:
            holder = self._holders.get(lane)
            if holder is None or not leases.keep(connection, lane, holder, now, lease_s):
                holder = leases.take(connection, lane, self._owner, now, lease_s)
            if holder is not None:
                held[lane] = holder
        for slot in self._slots:
            if slot.lane in held:
                queue.heartbeat(connection, held[slot.lane], slot.in_flight, now, lease_s)
        queue.reap(connection, now)
        return held

    def _set_right(self, connection: Connection, longest_s: float) -> None:
        set_right(connection, self._clock.now(), longest_s=longest_s, lease_s=self._settings.lease_s)

    def _give_up(self, connection: Connection) -> None:
        for lane, holder in self._holders.items():
            leases.give_up(connection, lane, holder)

    def _keep_on(self) -> None:
        while not self._stopping.wait(self._settings.lease_s / KEEPS_PER_LEASE):
            try:
                self.keep()
            except Exception:  # whatever it is, the next beat must come
                log.exception("routing_keeper_failed")

    def _run(self, slot: Slot) -> None:
        ear = self._db.topic(topic_of(slot.lane))
        while not self._stopping.is_set():
            ear.clear()
            pause_s = self._turn(slot)
            if pause_s > 0 and not self._stopping.is_set():
                ear.wait(pause_s)
        ear.close()

    def _turn(self, slot: Slot) -> float:
        """Turn a slot once and return how long it may rest, unless it is woken."""
        holder = self._holders.get(slot.lane)
        if holder is None:
            return POLL_S
        try:
            turn = slot.turn(holder)
        except Retriable as error:
            log.warning("routing_turn_failed", lane=slot.lane, reason=str(error))
            return FAILED_PAUSE_S
        except Exception:  # a lane must not end for one mistake; it is told and tried again
            log.exception("routing_turn_failed", lane=slot.lane)
            return FAILED_PAUSE_S
        if turn.worked:
            return 0.0
        return POLL_S if turn.wait_s is None else min(turn.wait_s, POLL_S)
