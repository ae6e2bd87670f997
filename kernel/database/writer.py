"""One writer at a time, and its natural group commit.

Whatever was queued while the last commit ran goes into the next one: no timer, no waiting when idle, one flush for
many under load. Who waits for the result writes itself when nobody else does, together with all that is queued: handing
a change to another thread and back costs more than the change. The writing thread takes what was only submitted, and what is left over. A result is handed back only after
COMMIT. One change that fails does not undo its neighbours: the group is first run plainly, and when something in it
raises, undone and run again with a SAVEPOINT around each change (a savepoint around every change, always, costs more
than the rare second run).
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from kernel.database.engines import translated
from kernel.database.topics import Topics, afterwards, begin_afterwards
from kernel.errors import Busy, ShuttingDown
from kernel.telemetry import COMMIT_CHANGES, get_logger, stage

T = TypeVar("T")
Item = TypeVar("Item")
Change = Callable[[Connection], T]
Batcher = Callable[[Connection, list[Item]], Sequence[T | Exception]]

log = get_logger("database")

QUEUE_MAX = 4096  # changes waiting; a producer beyond it is told Busy at once


@dataclass(slots=True, eq=False)
class _Waiting:
    call: Callable[..., Any]
    item: Any
    batched: bool
    future: Future[Any]


_Unit = list[_Waiting]  # what one call answers for: a single change, or all items of one batcher
_Outcome = tuple[_Waiting, Any, BaseException | None]


class Writer:
    """Runs changes in groups, in the order in which they came. Started by its constructor.

    Whoever holds the baton is the writer: it alone uses the connection.
    """

    def __init__(self, engine: Engine, topics: Topics, *, group_max: int, queue_max: int = QUEUE_MAX) -> None:
        self._engine = engine
        self._topics = topics
        self._group_max = group_max
        self._queue_max = queue_max
        self._queue: deque[_Waiting] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self.commits = 0  # so far, those that failed included; counted before anybody hears of one
        self._connection: Connection | None = None
        self._baton = threading.Lock()
        self._holder: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[..., Any], item: Any = None, *, batched: bool = False) -> Future[Any]:
        """Queue a change, or one item for a batcher.

        Raises
        ------
        Busy
            `queue_max` changes wait already.
        ShuttingDown
            The database is being closed.
        """
        return self.submit_all(call, (item,), batched=batched)[0]

    def submit_all(self, call: Callable[..., Any], items: Sequence[Any], *, batched: bool = True) -> list[Future[Any]]:
        """Queue some items for a batcher, all or none, so that they share a commit. Raises as `submit`."""
        futures = self._enqueue(call, items, batched=batched)
        with self._condition:
            self._condition.notify()
        return futures

    def run(self, call: Callable[..., Any], item: Any = None, *, batched: bool = False) -> Any:
        """Do the same and return the result: as the writer when nobody else is it, else when it was done.

        Raises
        ------
        Busy, ShuttingDown
            As `submit`; and whatever the change raised.
        """
        (future,) = self._enqueue(call, (item,), batched=batched)
        if self._baton.acquire(blocking=False):
            try:
                self._write_group()
            finally:
                self._baton.release()
        if self._queue:  # it came while somebody wrote, or was beyond the group: the thread goes on
            with self._condition:
                self._condition.notify()
        return future.result()

    def _enqueue(self, call: Callable[..., Any], items: Sequence[Any], *, batched: bool) -> list[Future[Any]]:
        assert threading.current_thread() is not self._holder, "a change that writes must use its own connection"
        waiting = [_Waiting(call, item, batched, Future()) for item in items]
        with self._condition:
            if self._closing:
                raise ShuttingDown
            if len(self._queue) + len(waiting) > self._queue_max:
                raise Busy(what="the database's queue is full")
            self._queue.extend(waiting)
        return [one.future for one in waiting]

    def close(self) -> None:
        """Run what is queued, then end the thread and give its connection back."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait():
            with self._baton:
                self._write_group()
        with self._baton:
            self._let_go()

    def _wait(self) -> bool:
        """Return whether there is something to do; False when all is done and the database is being closed."""
        with self._condition:
            while not self._queue and not self._closing:
                self._condition.wait()
            return bool(self._queue)

    def _write_group(self) -> None:
        """Commit what is queued, at most a group. The caller holds the baton."""
        with self._condition:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self._group_max))]
        running = [waiting for waiting in group if waiting.future.set_running_or_notify_cancel()]
        if not running:
            return
        self._holder = threading.current_thread()
        try:
            self._commit(running)
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            _answer((waiting, None, error) for waiting in running)
            self._let_go()
        finally:
            self._holder = None

    def _let_go(self) -> None:
        """Close the connection; the next group opens a fresh one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _commit(self, group: list[_Waiting]) -> None:
        if self._connection is None:
            self._connection = self._engine.connect()
        connection = self._connection
        units = _units(group)
        try:
            with stage("commit"):
                outcomes = _run_together(connection, units)
                if outcomes is None:
                    outcomes = _run_apart(connection, units)
        finally:
            self.commits += 1
        COMMIT_CHANGES.observe(len(group))
        _answer(outcomes)
        self._do_afterwards(connection)

    def _do_afterwards(self, connection: Connection) -> None:
        wanted = begin_afterwards(connection)
        for callback in wanted.callbacks:
            try:
                callback()
            except Exception:  # what was committed stays so, and the next one is not to blame
                log.exception("after_commit_failed")
        for name in wanted.topics:
            self._topics.wake(name)


def _units(group: list[_Waiting]) -> list[_Unit]:
    """Gather the items of each batcher at the place of its first one."""
    units: list[_Unit] = []
    batches: dict[Callable[..., Any], _Unit] = {}
    for waiting in group:
        if waiting.batched and waiting.call in batches:
            batches[waiting.call].append(waiting)
            continue
        units.append([waiting])
        if waiting.batched:
            batches[waiting.call] = units[-1]
    return units


def _call(connection: Connection, unit: _Unit) -> list[_Outcome]:
    first = unit[0]
    if not first.batched:
        return [(first, first.call(connection), None)]
    results = first.call(connection, [waiting.item for waiting in unit])
    assert len(results) == len(unit), "a batcher answers for every item"
    return [
        (waiting, None, result) if isinstance(result, Exception) else (waiting, result, None)
        for waiting, result in zip(unit, results, strict=True)
    ]


def _run_together(connection: Connection, units: list[_Unit]) -> list[_Outcome] | None:
    """Run everything in one transaction; return None, with nothing done, when something raised."""
    begin_afterwards(connection)
    try:
        with connection.begin():
            return [outcome for unit in units for outcome in _call(connection, unit)]
    except Exception as error:
        if _lost(error):
            raise
        begin_afterwards(connection)
        return [(units[0][0], None, error)] if len(units) == 1 and len(units[0]) == 1 else None


def _run_apart(connection: Connection, units: list[_Unit]) -> list[_Outcome]:
    """Run each unit behind its own savepoint; a batch that fails is tried again item by item."""
    outcomes: list[_Outcome] = []
    with connection.begin():
        for unit in units:
            done = _behind_savepoint(connection, unit)
            if len(unit) > 1 and all(error is not None for _, _, error in done):
                done = [one for waiting in unit for one in _behind_savepoint(connection, [waiting])]
            outcomes += done
    return outcomes


def _behind_savepoint(connection: Connection, unit: _Unit) -> list[_Outcome]:
    before = begin_afterwards(connection)
    outcomes: list[_Outcome]
    try:
        with connection.begin_nested():
            outcomes = _call(connection, unit)
        before.add(afterwards(connection))
    except Exception as error:
        if _lost(error):
            raise
        outcomes = [(waiting, None, error) for waiting in unit]
    begin_afterwards(connection)
    afterwards(connection).add(before)
    return outcomes


def _lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _answer(outcomes: Iterable[_Outcome]) -> None:
    for waiting, result, error in outcomes:
        if waiting.future.done():
            continue
        if error is None:
            waiting.future.set_result(result)
        else:
            waiting.future.set_exception(translated(error))
