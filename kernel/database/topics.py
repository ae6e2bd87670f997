"""Wake-ups inside one process: a worker waits for a topic, a transaction raises it when it has committed.

A wake-up is a hint and may be missed by another process; the table is the truth, so a waiter also looks now and then.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

_AFTERWARDS = "vienanh.afterwards"


class Topic:
    """One waiter's ear on a named topic. Made by `Database.topic`."""

    def __init__(self, name: str, forget: Callable[["Topic"], None]) -> None:
        self.name = name
        self.event = threading.Event()  # for `clock.wait(topic.event, timeout_s)`; then call `clear`
        self._forget = forget

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the topic was raised since the last call, or `timeout_s` have passed; return whether it was."""
        raised = self.event.wait(timeout_s)
        self.event.clear()
        return raised

    def clear(self) -> None:
        """Forget a wake-up, before looking at the table."""
        self.event.clear()

    def close(self) -> None:
        """Stop listening."""
        self._forget(self)


class Topics:
    """The ears of one process, by topic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ears: dict[str, list[Topic]] = {}

    def subscribe(self, name: str) -> Topic:
        """Return a new ear on `name`; each ear hears every wake-up once."""
        topic = Topic(name, self._forget)
        with self._lock:
            self._ears.setdefault(name, []).append(topic)
        return topic

    def wake(self, name: str) -> None:
        """Wake everybody who waits for `name`."""
        with self._lock:
            ears = list(self._ears.get(name, ()))
        for ear in ears:
            ear.event.set()

    def _forget(self, topic: Topic) -> None:
        with self._lock:
            ears = self._ears.get(topic.name, [])
            if topic in ears:
                ears.remove(topic)


@dataclass(slots=True)
class Afterwards:
    """What a running transaction wants done once it has committed."""

    topics: set[str] = field(default_factory=set[str])
    callbacks: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def add(self, other: "Afterwards") -> None:
        """Take over what `other` wants too."""
        self.topics |= other.topics
        self.callbacks += other.callbacks


def afterwards(connection: Connection) -> Afterwards:
    """Return what the running transaction has asked for so far."""
    return connection.info.setdefault(_AFTERWARDS, Afterwards())


def begin_afterwards(connection: Connection) -> Afterwards:
    """Start with an empty list, for a new transaction or savepoint, and return the one so far."""
    before = afterwards(connection)
    connection.info[_AFTERWARDS] = Afterwards()
    return before


def tx_notify(connection: Connection, name: str) -> None:
    """Raise topic `name` when the writer's running transaction has committed; never when it is undone."""
    afterwards(connection).topics.add(name)


def tx_after_commit(connection: Connection, callback: Callable[[], None]) -> None:
    """Call `callback` in the writer's thread once the running transaction has committed. It must be short."""
    afterwards(connection).callbacks.append(callback)
