"""The DIMSE listener of one process: connections in, a thread for each association, a bound on their number.

It accepts on a port of its own, or is given connections by `process`, which shares one port among several processes.
"""

import secrets
import socket
import threading
from collections.abc import Callable

from gateway.dimse.listening.association import Arrival, Association, Desk
from gateway.dimse.listening.conversation import Rules
from gateway.dimse.listening.pace import Pace, Paces
from gateway.dimse.listening.ports import Ports
from gateway.dimse.listening.reception import Callers, Reception
from gateway.dimse.listening.waiting import Waiting, most_waiting
from gateway.dimse.scp.offer import Offers
from gateway.dimse.upper_layer.tls import ServerTls
from gateway.peers import Source
from kernel import telemetry
from kernel.clock import Clock
from kernel.config import DimseConfig

REFUSALS_MAX = 16  # associations beyond the limit that are told so at once; more are just closed

_log = telemetry.get_logger("gateway.dimse")
SessionEnd = Callable[[str, str, bool], None]  # site, session, whether it was released


class Listener:
    """Serves associations in threads of this process."""

    def __init__(
        self,
        config: DimseConfig,
        offers: Offers,
        callers: Callers,
        *,
        on_session_end: SessionEnd,
        clock: Clock,
    ) -> None:
        def pace_of(source: Source) -> Pace:
            instances_max = max(1, (source.instances_max or config.source_instances_max) // callers.shares)
            speed = None if source.bytes_per_second is None else source.bytes_per_second / callers.shares
            return Pace(clock, instances_max=instances_max, wait_s=config.idle_timeout_s, bytes_per_second=speed)

        self._config = config
        self._clock = clock
        self._desk = Desk(
            reception=Reception(config, callers, offers),
            rules=Rules(offers, config.instance_bytes_max),
            paces=Paces(pace_of),
            bytes_per_second_min=config.bytes_per_second_min,
            tls=ServerTls.of(config),
            prover=callers.identification.prover,
            on_session_end=on_session_end,
            clock=clock,
            new_identifier=lambda: secrets.token_hex(8),
            negotiation_timeout_s=config.negotiation_timeout_s,
            idle_timeout_s=config.idle_timeout_s,
        )
        self._waiting = Waiting(most_waiting(config.associations_max, callers.shares))
        self._ports: Ports | None = None
        self._threads: dict[threading.Thread, Association] = {}
        self._changed = threading.Condition()
        self._stopping = False

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
        """Whether callers are accepted."""
        return self._ports is not None and not self._stopping

    @property
    def associations(self) -> int:
        """How many connections are being served."""
        return len(self._threads)

    def start(self) -> None:
        """Take the port of the configuration and accept on it in a thread of its own.

        Raises
        ------
        InvalidConfiguration
            The address or the port cannot be had.
        """
        self._ports = Ports(self._config)
        self._ports.accept(lambda connection, address, secure: self.adopt(connection, address, Arrival(secure)))

    def adopt(
        self,
        connection: socket.socket,
        address: str,
        how: Arrival,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve a connection that was accepted, or refuse it; `ended` is called when it is closed."""
        limit = self._config.associations_max
        with self._changed:
            count = len(self._threads)
            if self._stopping or count >= limit + REFUSALS_MAX:
                connection.close()
                ended()
                return
            refuse = how.refuse or count >= limit
            leave = self._waiting.enter(address)
            if leave is not None:
                association = Association(connection, address, self._desk, Arrival(how.secure, refuse, leave))
                closing = (leave, ended)
                thread = threading.Thread(target=self._serve, args=(association, closing), name="dimse", daemon=True)
                self._threads[thread] = association
                thread.start()
                return
        _log.warning("too_many_waiting", address=address)
        connection.close()
        ended()

    def stop(self, timeout_s: float) -> None:
        """Accept no more, let messages under way end, then abort; return when all is closed or `timeout_s` passed."""
        with self._changed:
            self._stopping = True
            associations = list(self._threads.values())
        if self._ports is not None:
            self._ports.close()
        for association in associations:
            association.stop()
        if not self._wait(timeout_s):
            for association in list(self._threads.values()):
                association.stop(at_once=True)
            self._wait(1.0)

    def _wait(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._threads, timeout_s)

    def _serve(self, association: Association, closing: tuple[Callable[[], None], ...]) -> None:
        try:
            association.run()
        finally:
            with self._changed:
                del self._threads[threading.current_thread()]
                self._changed.notify_all()
            for told in closing:
                told()
