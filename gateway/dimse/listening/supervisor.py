"""The listener processes of a node: one port, several processes, restarted when one dies.

The node's process accepts and passes each connection to the process that serves the fewest. So the bound on associations
is exact, four senders never meet in one process by chance (as they do with SO_REUSEPORT, where a hash decides), and while
a process is started again callers wait in the port's queue instead of being refused.
"""

import contextlib
import dataclasses
import multiprocessing
import os
import socket
import threading
from dataclasses import dataclass, field
from multiprocessing.context import SpawnProcess

from gateway.dimse.listening import process
from gateway.dimse.listening.control import Adopt, Channel, Closed, Counted, Ready, Stop, channels
from gateway.dimse.listening.listener import REFUSALS_MAX
from gateway.dimse.listening.ports import Ports
from gateway.dimse.listening.process import Settings
from gateway.dimse.upper_layer.tls import ServerTls
from kernel import telemetry
from kernel.clock import Clock

PROCESSES_MAX = 2  # when the configuration leaves the number to us
RESTART_PAUSE_S = 1.0  # before a process that died is started again
START_S = 60.0

_log = telemetry.get_logger("gateway.dimse")


@dataclass(slots=True)
class _Child:
    process: SpawnProcess
    channel: Channel
    ready: bool = False
    associations: int = 0
    tally: telemetry.Tally = field(default_factory=list)
    thread: threading.Thread | None = None


class ListenerProcesses:
    """Starts, feeds, watches and stops the listener processes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._ports: Ports | None = None
        self._children: list[_Child] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """The TCP port that was taken."""
        assert self._ports is not None, "start first"
        return self._ports.plain

    @property
    def tls_port(self) -> int | None:
        """The TCP port for TLS that was taken."""
        return None if self._ports is None else self._ports.secure

    @property
    def is_up(self) -> bool:
        """Whether a process is there to serve callers."""
        return bool(self.pids)

    @property
    def pids(self) -> list[int]:
        """The processes that are ready."""
        return [child.process.pid for child in self._children if child.ready and child.process.pid is not None]

    def start(self) -> None:
        """Take the port and start the processes; returns when all are ready.

        Raises
        ------
        InvalidConfiguration
            The address or the port cannot be had, or the TLS files cannot be used.
        TimeoutError
            The processes do not start.
        """
        ServerTls.of(self._settings.config.dimse)  # the processes could not start
        self._ports = Ports(self._settings.config.dimse)
        count = self._settings.config.dimse.processes or min(PROCESSES_MAX, os.cpu_count() or 1)
        self._settings = dataclasses.replace(self._settings, processes=count)
        for _ in range(count):
            self._spawn()
        with self._changed:
            if not self._changed.wait_for(lambda: all(child.ready for child in self._children), START_S):
                raise TimeoutError("the listener processes did not start")
        self._ports.accept(self._pass_on)

    def stop(self, timeout_s: float) -> None:
        """Accept no more, drain, and end the processes; those that do not end in time are killed."""
        self._stopping.set()
        if self._ports is not None:
            self._ports.close()
        with self._changed:
            self._changed.notify_all()
            children = list(self._children)
        for child in children:
            with contextlib.suppress(OSError):
                child.channel.send(Stop(timeout_s))
        deadline_s = self._clock.monotonic_s() + timeout_s + 2.0
        for child in children:
            child.process.join(max(0.0, deadline_s - self._clock.monotonic_s()))
            if child.process.is_alive():
                child.process.kill()
                child.process.join()
            if child.thread is not None:
                child.thread.join(2.0)

    # --- connections --------------------------------------------------------------------------------------------------

    def _pass_on(self, connection: socket.socket, address: str, secure: bool) -> None:  # noqa: FBT001 (Taken's)
        with connection:
            self._give(connection, address, secure=secure)

    def _give(self, connection: socket.socket, address: str, *, secure: bool) -> None:
        limit = self._settings.config.dimse.associations_max
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping.is_set() or any(c.ready for c in self._children))
                total = sum(child.associations for child in self._children)
                if self._stopping.is_set() or total >= limit + REFUSALS_MAX:
                    return
                child = min((c for c in self._children if c.ready), key=lambda c: c.associations)
                child.associations += 1
            try:
                child.channel.send(Adopt(address, refuse=total >= limit, secure=secure), connection)
            except OSError:  # it just died: give the connection to another
                self._forget(child)
            else:
                return

    # --- processes ----------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        ours, theirs = channels()
        with theirs.end:
            spawned = multiprocessing.get_context("spawn").Process(
                target=process.run, args=(self._settings, theirs.end), name="dimse-listener", daemon=True
            )
            spawned.start()
        child = _Child(spawned, ours)
        child.thread = threading.Thread(target=self._watch, args=(child,), name="dimse-watch", daemon=True)
        with self._changed:
            self._children.append(child)
        child.thread.start()

    def _watch(self, child: _Child) -> None:
        """Hear a process until it is gone; then start another in its place."""
        with child.channel.end:
            while received := child.channel.receive():
                self._hear(child, received[0])
        self._forget(child)
        child.process.join()
        telemetry.absorb(f"dimse-{child.process.pid}", child.tally, ended=True)
        if self._stopping.is_set():
            return
        if child.process.exitcode == 0:  # it was told to, as a service manager tells the whole group
            _log.info("listener_left", pid=child.process.pid)
        else:
            _log.error("listener_died", pid=child.process.pid, exit_code=child.process.exitcode)
        self._clock.wait(self._stopping, RESTART_PAUSE_S)
        if not self._stopping.is_set():
            self._spawn()

    def _forget(self, child: _Child) -> None:
        with self._changed:
            child.ready = False
            if child in self._children:
                self._children.remove(child)

    def _hear(self, child: _Child, message: object) -> None:
        match message:
            case Ready():
                with self._changed:
                    child.ready = True
                    self._changed.notify_all()
            case Closed():
                with self._changed:
                    child.associations -= 1
            case Counted(tally):
                child.tally = tally
                telemetry.absorb(f"dimse-{child.process.pid}", tally)
            case _:
                raise AssertionError(message)
