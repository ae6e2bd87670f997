"""The life of one association: a socket and its thread around the protocol core (PS3.8 9.2).

The socket blocks; its timeouts are the kernel's (SO_RCVTIMEO), so a receive is one system call. One buffer serves for the
whole association; data sets go from it to the service without a copy.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.dimse.listening import negotiation
from gateway.dimse.listening.conversation import Conversation, Rules
from gateway.dimse.listening.identity import Leave, Prover
from gateway.dimse.listening.pace import Pace, Paces, Trickle
from gateway.dimse.listening.reception import Admitted, Reception
from gateway.dimse.scp.services import PeerGone, Session
from gateway.dimse.upper_layer.acceptor import Acceptor
from gateway.dimse.upper_layer.indications import (
    Aborted,
    Command,
    DataSetEnd,
    Event,
    Fragment,
    ReleaseRequested,
    Requested,
    Violated,
)
from gateway.dimse.upper_layer.pdu import AbortReason, AssociateReject, AssociateRequest
from gateway.dimse.upper_layer.sockets import Link, is_silence
from gateway.dimse.upper_layer.states import State
from gateway.dimse.upper_layer.tls import ServerTls, certificate_of
from kernel import telemetry
from kernel.clock import Clock

if TYPE_CHECKING:
    from gateway.dimse.listening.places import Place
    from gateway.peers import Certificate

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024  # touched as far as one receive fills it
CLOSING_S = 2.0  # how long a peer has to close after a release, a rejection or an abort (ARTIM)

_log = telemetry.get_logger("gateway.dimse")


@dataclass(frozen=True, slots=True)
class Desk:
    """What all associations of a process share."""

    reception: Reception
    rules: Rules
    paces: Paces
    bytes_per_second_min: float
    tls: ServerTls | None
    prover: Prover
    on_session_end: Callable[[str, str, bool], None]  # site, session, whether it was released
    clock: Clock
    new_identifier: Callable[[], str]
    negotiation_timeout_s: float
    idle_timeout_s: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a connection came: on the TLS port or not, whether the node has too many, and whom to tell that it stands."""

    secure: bool = False
    refuse: bool = False
    associated: Callable[[], None] = lambda: None


class Association:
    """Serves one connection from its first byte to its close."""

    def __init__(self, connection: socket.socket, address: str, desk: Desk, how: Arrival) -> None:
        self._link = Link(connection)
        self._address = address
        self._desk = desk
        self._how = how
        self._certificate: Certificate | None = None
        self._acceptor = Acceptor()
        self._session: Session | None = None
        self._conversation: Conversation | None = None
        self._buffer = memoryview(b"")
        self._heard: Iterator[Event] = iter(())  # what is left of the bytes that came last
        self._pace = Pace()
        self._place: Place | None = None
        self._ending = "closed by the peer"
        self._ended = False
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # between `stop` and the end of a message

    def run(self) -> None:
        """Serve until the connection ends; nothing is raised."""
        try:
            if self._how.secure:
                self._secure()
            self._buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
            self._converse()
        except PeerGone:  # out of a service that was at work; `_ending` says how
            with contextlib.suppress(PeerGone):
                self._flush()
        except OSError as error:
            self._broken(error)
        except Exception as error:  # noqa: BLE001 one association never takes the others down
            self._ending = "failed"
            _log.error("association_failed", session=self._name, exc_info=error)
            self._abort(AbortReason.NOT_SPECIFIED)
        finally:
            self._end(released=False)
            self._close()

    def stop(self, *, at_once: bool = False) -> None:
        """Ask for an end: after the message under way, or at once. Called from another thread."""
        self._stopping.set()
        # whoever holds the lock is about to look at `_stopping` itself
        if at_once or self._lock.acquire(blocking=False):
            if at_once or not self._acceptor.busy:
                self._link.end(socket.SHUT_RD)
            if not at_once:
                self._lock.release()

    def _secure(self) -> None:
        """Shake hands (PS3.15 annex B). Raises PeerGone."""
        tls = self._desk.tls
        assert tls is not None
        try:
            link = tls.accept(self._link.socket, self._desk.negotiation_timeout_s)
        except OSError as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else type(error).__name__
            self._ending = f"no TLS ({reason})"
            self._acceptor.state = State.CLOSED
            raise PeerGone from None
        self._link, self._certificate = link, certificate_of(link)

    # --- the conversation ---------------------------------------------------------------------------------------------

    def _converse(self) -> None:
        acceptor, receive, buffer, clock = self._acceptor, self._link.receive, self._buffer, self._desk.clock
        trickle = Trickle(self._desk.bytes_per_second_min)
        self._await_request()
        self._link.bear(receive_s=self._desk.idle_timeout_s)
        while acceptor.state is State.ESTABLISHED:
            if self._stopping.is_set() and not acceptor.busy:
                self._ending = "stopped"
                self._abort(None)
                return
            begun_s = clock.monotonic_s()
            count = receive(buffer)
            waited_s = clock.monotonic_s() - begun_s
            if not count:
                if self._stopping.is_set():
                    self._ending = "stopped"
                    self._abort(None)
                return
            self._hear(buffer[:count])
            if trickle.is_one(waited_s, count, busy=acceptor.busy):
                self.give_up("trickled", AbortReason.NOT_SPECIFIED)
                return
            if delay_s := self._pace.delay_s(count):
                clock.wait(self._stopping, delay_s)

    def _await_request(self) -> None:
        """Receive until the request is answered, within one deadline for all of it (ARTIM)."""
        clock = self._desk.clock
        deadline_s = clock.monotonic_s() + self._desk.negotiation_timeout_s
        while self._acceptor.state is State.AWAITING_REQUEST and not self._stopping.is_set():
            left_s = deadline_s - clock.monotonic_s()
            if left_s <= 0:
                raise BlockingIOError
            self._link.bear(receive_s=left_s, send_s=self._desk.idle_timeout_s)
            count = self._link.receive(self._buffer)
            if not count:
                return
            self._hear(self._buffer[:count])

    def _hear(self, data: memoryview) -> None:
        with self._lock:
            self._heard = self._acceptor.receive(data)
            while (event := next(self._heard, None)) is not None:
                self._on(event)
            self._flush()

    def _on(self, event: Event) -> None:
        match event:
            case Fragment() | Command() | DataSetEnd():
                assert self._conversation is not None
                self._conversation.on(event)
            case Requested(request):
                self._negotiate(request)
            case ReleaseRequested():
                self._ending = "released"
                self._end(released=True)
                self._acceptor.release()
            case Aborted():
                self._ending = "aborted by the peer"
            case Violated(text):
                self._ending = f"violated the protocol: {text}"
            case _:
                raise AssertionError(event)

    # --- what a conversation needs (`conversation.Wire`) --------------------------------------------------------------

    def transmit(self, *parts: bytes | memoryview) -> None:
        """Send bytes. Raises PeerGone."""
        try:
            self._link.send(*parts)
        except OSError as error:
            self._broken(error)
            raise PeerGone from None

    def hear(self, *, wait: bool) -> bool:
        """Handle the next event while a service is at work; False when none has come and `wait` is not set.

        Raises
        ------
        PeerGone
            The connection ended, or was silent for too long.
        """
        while (event := next(self._heard, None)) is None:
            if self._acceptor.state is not State.ESTABLISHED:
                raise PeerGone
            try:
                count = self._link.receive(self._buffer) if wait else self._link.poll(self._buffer)
            except OSError as error:
                self._broken(error)
                raise PeerGone from None
            if count is None:
                return False
            if not count:
                raise PeerGone
            self._heard = self._acceptor.receive(self._buffer[:count])
        self._on(event)
        return True

    def give_up(self, ending: str, reason: AbortReason | None) -> None:
        """Abort."""
        self._ending = ending
        self._abort(reason)

    def _negotiate(self, request: AssociateRequest) -> None:
        called, calling = request.called_ae_title, request.calling_ae_title
        admitted = self._admit(request)
        if isinstance(admitted, AssociateReject):
            self._ending = f"rejected ({admitted.result},{admitted.source},{admitted.reason})"
            self._acceptor.reject(admitted)
            return
        source, self._place = admitted.source, admitted.place
        self._pace = self._desk.paces.of(source)
        name = self._desk.new_identifier()
        leave = None if admitted.proved is None else Leave(admitted.proved, self._desk.prover, self._desk.clock)
        self._session = Session(name, source, called, calling, self._address, self._pace, leave)
        self._conversation = Conversation(self._acceptor, self, self._desk.rules, self._session)
        self._acceptor.accept(admitted.answer)
        self._how.associated()

    def _admit(self, request: AssociateRequest) -> Admitted | AssociateReject:
        if self._stopping.is_set():
            return negotiation.REJECT_CONGESTION
        if self._how.refuse:
            return negotiation.REJECT_LOCAL_LIMIT
        return self._desk.reception.admit(request, self._address, self._certificate)

    # --- the end ------------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._session.identifier if self._session else ""

    def _flush(self) -> None:
        data = self._acceptor.outgoing()
        if data:
            self.transmit(data)

    def _broken(self, error: OSError) -> None:
        """Note how the connection ended; a peer that is only silent is told."""
        if is_silence(error):
            self._ending = "silent"
            self._abort(AbortReason.NOT_SPECIFIED)
        else:
            self._ending = f"connection lost ({error.errno})"

    def _abort(self, reason: AbortReason | None) -> None:
        self._acceptor.abort(reason)
        with contextlib.suppress(OSError):
            self._link.send(self._acceptor.outgoing())

    def _end(self, *, released: bool) -> None:
        """Forget what is not whole, and say once how the session ended: before a release is answered."""
        if self._conversation is not None:
            self._conversation.discard()
        place, self._place = self._place, None
        if place is not None:
            place.leave()
        session = self._session
        if self._ended or session is None:
            if not self._ended and self._acceptor.state is not State.AWAITING_REQUEST:
                _log.info("association_refused", address=self._address, ending=self._ending)
            return
        self._ended = True
        try:
            if session.instances:
                self._desk.on_session_end(session.source.site, session.identifier, released)
        except Exception as error:  # noqa: BLE001 evidence of completeness is lost, instances are not
            _log.error("session_end_failed", session=session.identifier, exc_info=error)
        _log.info(
            "association_ended",
            session=session.identifier,
            source=session.source.name or session.calling_ae_title,
            address=self._address,
            instances=session.instances,
            ending=self._ending,
        )

    def _close(self) -> None:
        """Let the peer read our last word before the connection goes: it closes, or CLOSING_S pass."""
        clock, link = self._desk.clock, self._link
        if self._acceptor.state is State.AWAITING_CLOSE:
            with contextlib.suppress(OSError):
                link.end(socket.SHUT_WR)
                scrap = memoryview(bytearray(64 * 1024))
                deadline_s = clock.monotonic_s() + CLOSING_S
                while (left_s := deadline_s - clock.monotonic_s()) > 0:
                    link.bear(receive_s=left_s)
                    if not link.receive(scrap):
                        break
        link.close()
