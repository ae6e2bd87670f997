"""The MLLP listener: sockets and threads around the framing core. One connection, one thread, one message at a time.

HL7 v2 proves nothing about who sends, so only addresses that the configuration names may connect.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Final

from gateway.addresses import WANTED, is_within, read_network
from gateway.hl7.mllp import Deframer, framed
from kernel import telemetry
from kernel.clock import Clock
from kernel.config import Hl7Config
from kernel.errors import InvalidConfiguration, InvalidRequest, LimitExceeded
from kernel.listening import cannot_listen

RECEIVE_BYTES: Final = 64 * 1024
BACKLOG: Final = 16
SEND_TIMEOUT_S: Final = 30.0  # for a sender to take its acknowledgement

_log = telemetry.get_logger("gateway.hl7")

Take = Callable[[bytes], bytes]  # a message to its acknowledgement


class MllpListener:
    """Takes connections until it is stopped."""

    def __init__(self, config: Hl7Config, take: Take, clock: Clock) -> None:
        self._config = config
        self._take = take
        self._clock = clock
        try:
            self._networks = [read_network(text) for text in config.address]
        except ValueError:
            raise InvalidConfiguration(source="hl7", key="address", reason=WANTED) from None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._socket is not None
        return self._socket.getsockname()[1]

    @property
    def is_up(self) -> bool:
        """Whether senders are accepted."""
        return self._socket is not None and not self._stopping.is_set()

    def start(self) -> None:
        """Listen.

        Raises
        ------
        InvalidConfiguration
            The address is taken, or is none of this machine.
        """
        config = self._config
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        try:
            self._socket = socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise cannot_listen(config.host, config.port, "hl7.port", error) from error
        self._spawn(self._accept, "hl7-accept")

    def stop(self, drain_s: float) -> None:
        """Take no more, let messages under way be answered, and close."""
        self._stopping.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
            self._socket.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)  # a message under way is still answered
            threads = list(self._threads)
        deadline_s = self._clock.monotonic_s() + drain_s
        for thread in threads:
            thread.join(max(deadline_s - self._clock.monotonic_s(), 0.0))

    def _spawn(self, target: Callable[..., None], name: str, *arguments: object) -> None:
        def run() -> None:
            try:
                target(*arguments)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _accept(self) -> None:
        assert self._socket is not None
        while not self._stopping.is_set():
            try:
                connection, peer = self._socket.accept()
            except OSError:
                if not self._stopping.is_set():
                    _log.warning("hl7_accept_failed")
                    self._clock.wait(self._stopping, 1.0)  # out of descriptors, most likely
                continue
            address = str(peer[0])
            with self._lock:
                refused = "" if is_within(address, self._networks) else "address"
                if len(self._connections) >= self._config.connections_max:
                    refused = "connections_max"
                if not refused:
                    self._connections.add(connection)
            if refused:
                _log.warning("hl7_connection_refused", address=address, reason=refused)
                connection.close()
            else:
                self._spawn(self._serve, "hl7", connection, address)

    def _serve(self, connection: socket.socket, address: str) -> None:
        messages, ending = 0, "closed by the sender"
        try:
            for message in self._messages(connection):
                answer = framed(self._take(message))
                connection.settimeout(SEND_TIMEOUT_S)
                connection.sendall(answer)
                messages += 1
        except TimeoutError:
            ending = "silent or too slow"
        except (LimitExceeded, InvalidRequest) as error:
            ending = str(error)
        except OSError as error:
            ending = f"connection lost ({error.errno})"
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()
        _log.info("hl7_connection_ended", address=address, messages=messages, ending=ending)

    def _messages(self, connection: socket.socket) -> Iterator[bytes]:
        """Yield whole messages; between them a sender may be silent long, within one it may not."""
        config, clock, deframer = self._config, self._clock, Deframer(self._config.message_bytes_max)
        begun_s = clock.monotonic_s()
        while True:
            inside = deframer.inside
            left_s = (config.message_timeout_s if inside else config.idle_timeout_s) - (clock.monotonic_s() - begun_s)
            if left_s <= 0:
                raise TimeoutError
            connection.settimeout(left_s)
            data = connection.recv(RECEIVE_BYTES)
            if not data:
                return
            whole = deframer.receive(data)
            yield from whole
            if whole or deframer.inside != inside:
                begun_s = clock.monotonic_s()
