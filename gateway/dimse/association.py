"""The life of one association: a socket and its thread around the protocol core (PS3.8 9.2).

The socket blocks; its timeouts are the kernel's (SO_RCVTIMEO), so a receive is one system call. One buffer serves for the
whole association; data sets go from it to the service without a copy.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from gateway.dimse import negotiation
from gateway.dimse.acceptor import Acceptor
from gateway.dimse.indications import (
    Aborted,
    Command,
    DataSetEnd,
    Event,
    Fragment,
    ReleaseRequested,
    Requested,
    Violated,
)
from gateway.dimse.pdu import AbortReason, AssociateReject, AssociateRequest
from gateway.dimse.services import Receiver, Services, Session, Unrecognized, int_of, is_request
from gateway.dimse.states import State
from gateway.peers import Sources
from kernel import telemetry
from kernel.clock import Clock
from kernel.errors import LimitExceeded, UnknownCaller

RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024  # touched as far as one receive fills it
CLOSING_S = 2.0  # how long a peer has to close after a release, a rejection or an abort (ARTIM)
SHORTEST_WAIT_S = 0.001  # a timeout of zero would mean none

_log = telemetry.get_logger("gateway.dimse")


@dataclass(frozen=True, slots=True)
class Desk:
    """What all associations of a process share."""

    policy: negotiation.Policy
    sources: Sources
    services: Services
    unrecognized: Unrecognized
    on_session_end: Callable[[str, str, bool], None]  # site, session, whether it was released
    clock: Clock
    new_identifier: Callable[[], str]
    negotiation_timeout_s: float
    idle_timeout_s: float


class Association:
    """Serves one connection from its first byte to its close."""

    def __init__(self, connection: socket.socket, address: str, desk: Desk, *, refuse: bool = False) -> None:
        self._connection = connection
        self._address = address
        self._desk = desk
        self._refuse = refuse
        self._acceptor = Acceptor()
        self._session: Session | None = None
        self._receiver: Receiver | None = None
        self._message: Command | None = None
        self._ending = "closed by the peer"
        self._ended = False
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # between `stop` and the end of a message

    def run(self) -> None:
        """Serve until the connection ends; nothing is raised."""
        try:
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _set_timeout(self._connection, socket.SO_SNDTIMEO, self._desk.idle_timeout_s)
            self._converse()
        except BlockingIOError:
            self._ending = "silent"
            self._abort(AbortReason.NOT_SPECIFIED)
        except OSError as error:
            self._ending = f"connection lost ({error.errno})"
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
            with contextlib.suppress(OSError):
                if at_once or not self._acceptor.busy:
                    self._connection.shutdown(socket.SHUT_RD)
            if not at_once:
                self._lock.release()

    # --- the conversation ---------------------------------------------------------------------------------------------

    def _converse(self) -> None:
        buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        acceptor, connection = self._acceptor, self._connection
        self._await_request(buffer)
        _set_timeout(connection, socket.SO_RCVTIMEO, self._desk.idle_timeout_s)
        while acceptor.state is State.ESTABLISHED:
            if self._stopping.is_set() and not acceptor.busy:
                self._ending = "stopped"
                self._abort(None)
                return
            count = connection.recv_into(buffer)
            if not count:
                if self._stopping.is_set():
                    self._ending = "stopped"
                    self._abort(None)
                return
            self._hear(buffer[:count])

    def _await_request(self, buffer: memoryview) -> None:
        """Receive until the request is answered, within one deadline for all of it (ARTIM)."""
        clock = self._desk.clock
        deadline_s = clock.monotonic_s() + self._desk.negotiation_timeout_s
        while self._acceptor.state is State.AWAITING_REQUEST:
            left_s = deadline_s - clock.monotonic_s()
            if left_s <= 0:
                raise BlockingIOError
            _set_timeout(self._connection, socket.SO_RCVTIMEO, left_s)
            count = self._connection.recv_into(buffer)
            if not count:
                return
            self._hear(buffer[:count])

    def _hear(self, data: memoryview) -> None:
        with self._lock:
            for event in self._acceptor.receive(data):
                self._on(event)
            self._send()

    def _on(self, event: Event) -> None:
        match event:
            case Fragment(data):
                self._write(data)
            case Command():
                self._begin(event)
            case DataSetEnd():
                self._answer()
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

    def _begin(self, message: Command) -> None:
        assert self._session is not None
        if not is_request(message):
            if message.has_data_set:  # a response with a data set: nobody asked for it
                self._abort(AbortReason.UNEXPECTED_PDU_PARAMETER)
            return
        field = int_of(message.command, "CommandField")
        service = self._desk.services.get(field, self._desk.unrecognized)
        self._message, self._receiver = message, service.begin(self._session, message)
        if not message.has_data_set:
            self._answer()

    def _write(self, data: memoryview) -> None:
        assert self._receiver is not None
        try:
            self._receiver.write(data)
        except LimitExceeded:
            self._ending = "sent without end"
            self._abort(AbortReason.NOT_SPECIFIED)

    def _answer(self) -> None:
        assert self._receiver is not None
        assert self._message is not None
        receiver, self._receiver = self._receiver, None
        for command, data_set in receiver.finish():
            self._acceptor.send(self._message.context, command, data_set)
            self._send()

    def _negotiate(self, request: AssociateRequest) -> None:
        desk = self._desk
        called, calling = request.called_ae_title, request.calling_ae_title
        answer = negotiation.REJECT_LOCAL_LIMIT if self._refuse else negotiation.negotiate(request, desk.policy)
        try:
            source = desk.sources.resolve(called, calling, self._address)
        except UnknownCaller:
            answer, source = negotiation.REJECT_CALLING_TITLE, None
        if isinstance(answer, AssociateReject):
            self._ending = f"rejected ({answer.result},{answer.source},{answer.reason})"
            self._acceptor.reject(answer)
            return
        assert source is not None
        self._session = Session(desk.new_identifier(), source, called, calling, self._address)
        self._acceptor.accept(answer)

    # --- the end ------------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._session.identifier if self._session else ""

    def _send(self) -> None:
        data = self._acceptor.outgoing()
        if data:
            self._connection.sendall(data)

    def _abort(self, reason: AbortReason | None) -> None:
        self._acceptor.abort(reason)
        with contextlib.suppress(OSError):
            self._send()

    def _end(self, *, released: bool) -> None:
        """Forget what is not whole, and say once how the session ended: before a release is answered."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.discard()
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
        clock, connection = self._desk.clock, self._connection
        with contextlib.suppress(OSError), connection:
            if self._acceptor.state is State.AWAITING_CLOSE:
                connection.shutdown(socket.SHUT_WR)
                scrap = bytearray(64 * 1024)
                deadline_s = clock.monotonic_s() + CLOSING_S
                while (left_s := deadline_s - clock.monotonic_s()) > 0:
                    _set_timeout(connection, socket.SO_RCVTIMEO, left_s)
                    if not connection.recv_into(scrap):
                        break


def _set_timeout(connection: socket.socket, option: int, seconds: float) -> None:
    microseconds = int(max(seconds, SHORTEST_WAIT_S) * 1_000_000)
    connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", *divmod(microseconds, 1_000_000)))
