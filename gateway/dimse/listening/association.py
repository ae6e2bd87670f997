"""The life of one association: its thread, from the request to how it ended (PS3.8 9.2)."""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.dimse.listening import negotiation
from gateway.dimse.listening.connection import Connection
from gateway.dimse.listening.conversation import Conversation, Rules
from gateway.dimse.listening.identity import Leave, Prover
from gateway.dimse.listening.pace import Pace, Paces, Trickle
from gateway.dimse.listening.reception import Admitted, Reception
from gateway.dimse.scp.services import PeerGone, Session
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
from gateway.dimse.upper_layer.states import State
from gateway.dimse.upper_layer.tls import ServerTls
from kernel import telemetry
from kernel.clock import Clock

if TYPE_CHECKING:
    from gateway.dimse.listening.places import Place
    from gateway.peers import Certificate

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
        self._connection = Connection(connection)
        self._address = address
        self._desk = desk
        self._how = how
        self._certificate: Certificate | None = None
        self._acceptor = self._connection.upper
        self._session: Session | None = None
        self._conversation: Conversation | None = None
        self._pace = Pace()
        self._place: Place | None = None
        self._ended = False
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # between `stop` and the end of a message

    def run(self) -> None:
        """Serve until the connection ends; nothing is raised."""
        try:
            if self._how.secure:
                assert self._desk.tls is not None
                self._certificate = self._connection.secure(self._desk.tls, self._desk.negotiation_timeout_s)
            self._converse()
        except PeerGone:  # out of a service that was at work; `ending` says how
            with contextlib.suppress(PeerGone):
                self._connection.flush()
        except OSError as error:
            self._connection.broken(error)
        except Exception as error:  # noqa: BLE001 one association never takes the others down
            _log.error("association_failed", session=self._name, exc_info=error)
            self._connection.abort("failed", AbortReason.NOT_SPECIFIED)
        finally:
            self._end(released=False)
            self._connection.close(self._desk.clock)

    def stop(self, *, at_once: bool = False) -> None:
        """Ask for an end: after the message under way, or at once. Called from another thread."""
        self._stopping.set()
        # whoever holds the lock is about to look at `_stopping` itself
        if at_once or self._lock.acquire(blocking=False):
            if at_once or not self._acceptor.busy:
                self._connection.link.end(socket.SHUT_RD)
            if not at_once:
                self._lock.release()

    # --- the conversation ---------------------------------------------------------------------------------------------

    def _converse(self) -> None:
        acceptor, receive, clock = self._acceptor, self._connection.receive, self._desk.clock
        trickle = Trickle(self._desk.bytes_per_second_min)
        self._await_request()
        self._connection.link.bear(receive_s=self._desk.idle_timeout_s)
        while acceptor.state is State.ESTABLISHED:
            if self._stopping.is_set() and not acceptor.busy:
                self.give_up("stopped", None)
                return
            begun_s = clock.monotonic_s()
            count = receive()
            waited_s = clock.monotonic_s() - begun_s
            if not count:
                if self._stopping.is_set():
                    self.give_up("stopped", None)
                return
            self._hear()
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
            self._connection.link.bear(receive_s=left_s, send_s=self._desk.idle_timeout_s)
            if not self._connection.receive():
                return
            self._hear()

    def _hear(self) -> None:
        with self._lock:
            while (event := self._connection.event()) is not None:
                self._on(event)
            self._connection.flush()

    def _on(self, event: Event) -> None:
        match event:
            case Fragment() | Command() | DataSetEnd():
                assert self._conversation is not None
                self._conversation.on(event)
            case Requested(request):
                self._negotiate(request)
            case ReleaseRequested():
                self._connection.ending = "released"
                self._end(released=True)
                self._acceptor.release()
            case Aborted():
                self._connection.ending = "aborted by the peer"
            case Violated(text):
                self._connection.ending = f"violated the protocol: {text}"
            case _:
                raise AssertionError(event)

    # --- what a conversation needs (`conversation.Wire`) --------------------------------------------------------------

    def transmit(self, *parts: bytes | memoryview) -> None:
        """Send bytes. Raises PeerGone."""
        self._connection.transmit(*parts)

    def hear(self, *, wait: bool) -> bool:
        """Handle the next event while a service is at work; False when none has come and `wait` is not set.

        Raises
        ------
        PeerGone
            The connection ended, or was silent for too long.
        """
        while (event := self._connection.event()) is None:
            if self._acceptor.state is not State.ESTABLISHED:
                raise PeerGone
            try:
                count = self._connection.receive(wait=wait)
            except OSError as error:
                self._connection.broken(error)
                raise PeerGone from None
            if count is None:
                return False
            if not count:
                raise PeerGone
        self._on(event)
        return True

    def give_up(self, ending: str, reason: AbortReason | None) -> None:
        """Abort."""
        self._connection.abort(ending, reason)

    def _negotiate(self, request: AssociateRequest) -> None:
        called, calling = request.called_ae_title, request.calling_ae_title
        admitted = self._admit(request)
        if isinstance(admitted, AssociateReject):
            self._connection.ending = f"rejected ({admitted.result},{admitted.source},{admitted.reason})"
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
                _log.info("association_refused", address=self._address, ending=self._connection.ending)
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
            ending=self._connection.ending,
        )
