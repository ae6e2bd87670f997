"""One outgoing association on a blocking socket: C-STORE and C-ECHO SCU (PS3.7 9.1, PS3.4 B).

Data sets go from disk to the socket in pieces of one PDU, so memory does not depend on an instance's size (pynetdicom's
own SCU queues a whole instance). Whatever peer or network do ends as `Lost`, with the cause that `routing` acts on.
"""

import contextlib
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.dimse.commands import NO_DATA_SET, CommandSet, Field, Value
from gateway.dimse.indications import (
    Aborted,
    Accepted,
    Command,
    Context,
    DataSetEnd,
    Event,
    Rejected,
    Released,
    Violated,
)
from gateway.dimse.negotiation import VERIFICATION
from gateway.dimse.pdu import AssociateReject, AssociateRequest, ProposedContext, UserInformation
from gateway.dimse.protocol import fragment_header
from gateway.dimse.requestor import Requestor
from gateway.dimse.services import int_of
from gateway.dimse.sockets import send_parts, set_timeout
from gateway.dimse.states import State
from kernel.dicom.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from kernel.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from routing.transport import Cause, Parcel

CONTEXTS_MAX = 128  # odd numbers from 1 to 255 (PS3.8 9.3.2.2)
RECEIVE_BUFFER_BYTES = 64 * 1024
OUR_PDU_BYTES_MAX = 65536  # responses are small
RELEASE_S = 5.0  # how long a peer has to agree to a release
PRIORITY_MEDIUM = 0

Pair = tuple[str, str]  # SOP class, transfer syntax


class Lost(Exception):
    """The association cannot be had, or is gone."""

    def __init__(self, cause: Cause, status: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Target:
    """Where to call, as whom, and how long to bear silence."""

    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str
    request_timeout_s: float


class Line:
    """An open association; one thread uses it."""

    def __init__(self, target: Target, pairs: Sequence[Pair]) -> None:
        """Connect and associate, proposing Verification and one context for each pair.

        Raises
        ------
        Lost
            The peer cannot be reached, or rejects.
        """
        self.proposed = tuple(pairs[: CONTEXTS_MAX - 1])
        self._upper = Requestor(_request(target, self.proposed))
        self._events: list[Event] = []
        self._buffer = memoryview(bytearray(RECEIVE_BUFFER_BYTES))
        self._message_id = 0
        try:
            self._socket = socket.create_connection((target.host, target.port), timeout=target.request_timeout_s)
        except OSError as error:
            raise Lost(Cause.LINK, "connect", f"no connection: {error.strerror or type(error).__name__}") from None
        self._socket.settimeout(None)
        set_timeout(self._socket, socket.SO_RCVTIMEO, target.request_timeout_s)
        set_timeout(self._socket, socket.SO_SNDTIMEO, target.request_timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._associate()
        except BaseException:
            self._socket.close()
            raise
        self._contexts = {
            (context.abstract_syntax, context.transfer_syntax): context for context in self._upper.contexts.values()
        }

    def _associate(self) -> None:
        self._flush()
        match self._next():
            case Accepted():
                return
            case Rejected(answer):
                raise _rejected(answer)
            case _:
                raise Lost(Cause.LINK, "protocol", "the peer answered out of turn")

    def accepts(self, pair: Pair) -> bool:
        """Whether the peer takes this SOP class in this transfer syntax."""
        return pair in self._contexts

    @property
    def alive(self) -> bool:
        """Whether the peer still holds its end; looked at before an old association is used again."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False  # the end, or an abort

    def echo(self) -> int:
        """C-ECHO; return its status.

        Raises
        ------
        Lost
            No answer.
        """
        context = self._contexts.get((VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN))
        if context is None:
            return 0  # the association itself was answer enough
        self._send_command(
            context,
            {"AffectedSOPClassUID": VERIFICATION, "CommandField": Field.C_ECHO_RQ, "CommandDataSetType": NO_DATA_SET},
        )
        return self._status()

    def store(self, parcel: Parcel) -> int:
        """C-STORE; return the peer's status.

        Raises
        ------
        Lost
            No answer; nothing is known about the instance.
        OSError
            The blob cannot be read; the association was aborted.
        """
        context = self._contexts[parcel.sop_class_uid, parcel.transfer_syntax_uid]
        self._send_command(
            context,
            {
                "AffectedSOPClassUID": parcel.sop_class_uid,
                "CommandField": Field.C_STORE_RQ,
                "Priority": PRIORITY_MEDIUM,
                "CommandDataSetType": 1,
                "AffectedSOPInstanceUID": parcel.sop_instance_uid,
            },
        )
        try:
            self._send_data_set(context, parcel)
        except OSError:
            self.abort()
            raise
        return self._status()

    def release(self) -> None:
        """End the association in order; a peer that does not agree in time is left."""
        with contextlib.suppress(Lost, OSError), self._socket:
            if self._upper.state is State.ESTABLISHED:
                set_timeout(self._socket, socket.SO_RCVTIMEO, RELEASE_S)
                self._upper.begin_release()
                self._flush()
                while not isinstance(self._next(), Released):
                    pass

    def abort(self) -> None:
        """End the association at once."""
        with contextlib.suppress(Lost, OSError), self._socket:
            self._upper.abort()
            self._flush()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _send_command(self, context: Context, command: dict[str, Value]) -> None:
        self._message_id = self._message_id % 0xFFFF + 1
        self._upper.send(context, command | {"MessageID": self._message_id})
        self._flush()

    def _send_data_set(self, context: Context, parcel: Parcel) -> None:
        left = parcel.size_bytes - parcel.dataset_offset
        if not left:
            self._transmit([fragment_header(context, 0, is_command=False, last=True)])
        for chunk in parcel.chunks(parcel.dataset_offset, self._upper.fragment_bytes):
            left -= len(chunk)
            self._transmit([fragment_header(context, len(chunk), is_command=False, last=left <= 0), chunk])

    def _flush(self) -> None:
        self._transmit([self._upper.outgoing()])

    def _transmit(self, parts: Iterable[bytes | memoryview]) -> None:
        try:
            send_parts(self._socket, *parts)
        except OSError as error:
            raise _broken(error) from None

    def _status(self) -> int:
        """Wait for the response to the last request and return its status."""
        while True:
            event = self._next()
            if not isinstance(event, Command):
                raise Lost(Cause.LINK, "protocol", "the peer answered out of turn")
            while event.has_data_set and not isinstance(self._next(), DataSetEnd):
                pass
            if int_of(event.command, "MessageIDBeingRespondedTo") == self._message_id:
                return _status_of(event.command)

    def _next(self) -> Event:
        while not self._events:
            try:
                count = self._socket.recv_into(self._buffer)
            except OSError as error:
                raise _broken(error) from None
            if not count:
                raise Lost(Cause.LINK, "closed", "the peer closed the connection")
            self._events += self._upper.receive(self._buffer[:count])
        event = self._events.pop(0)
        match event:
            case Aborted(source, reason):
                raise Lost(Cause.LINK, "abort", f"the peer aborted (source {source}, reason {reason})")
            case Violated(text):
                with contextlib.suppress(Lost):
                    self._flush()
                raise Lost(Cause.LINK, "protocol", f"the peer broke the protocol: {text}")
            case _:
                return event


def _request(target: Target, pairs: Sequence[Pair]) -> AssociateRequest:
    wanted = [(VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN), *pairs]
    return AssociateRequest(
        called_ae_title=target.called_ae_title,
        calling_ae_title=target.calling_ae_title,
        contexts=tuple(ProposedContext(2 * number + 1, uid, (syntax,)) for number, (uid, syntax) in enumerate(wanted)),
        user=UserInformation(OUR_PDU_BYTES_MAX, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME),
    )


def _rejected(answer: AssociateReject) -> Lost:
    """Transient: later; by the service's user: a person must change a title; by the provider: another protocol."""
    cause = Cause.FULL if answer.result == 2 else Cause.AUTHENTICATION
    status = f"reject {answer.result}/{answer.source}/{answer.reason}"
    return Lost(cause, status, f"the peer rejects the association (PS3.8 table 9-21: {status})")


def _broken(error: OSError) -> Lost:
    if isinstance(error, BlockingIOError):
        return Lost(Cause.LINK, "timeout", "the peer was silent for too long")
    return Lost(Cause.LINK, "lost", f"connection lost: {error.strerror or type(error).__name__}")


def _status_of(command: CommandSet) -> int:
    status = command.get("Status")
    if not isinstance(status, int):
        raise Lost(Cause.LINK, "protocol", "a response without a status")
    return status
