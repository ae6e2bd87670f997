"""The streaming upper layer without sockets: bytes in, events out, bytes to send (PS3.8 9).

The bytes of data sets are never copied: a `Fragment` is a view of the very buffer that was given to `receive`, good until
the next call. Only headers, association PDUs and command sets are collected, each with a bound. The same bytes give the
same events however they were split, but for where fragments are cut. `acceptor` and `requestor` are the two sides.
"""

from collections.abc import Iterable, Iterator

from gateway.dimse.upper_layer import commands
from gateway.dimse.upper_layer.commands import CommandSet
from gateway.dimse.upper_layer.indications import Aborted, Command, Context, DataSetEnd, Event, Fragment, Violated
from gateway.dimse.upper_layer.pdu import (
    BODY_BYTES_MAX,
    HEADER_BYTES,
    PDU,
    Abort,
    AbortReason,
    BadPDU,
    Kind,
    ReleaseReply,
)
from gateway.dimse.upper_layer.states import ABORTING, NEXT_STATE, TABLE, Action, State
from gateway.dimse.upper_layer.wire import decode, encode

P_DATA_BYTES_MAX = 4 * 1024 * 1024  # some senders overlook the length that we ask for; beyond this it is an attack
SENT_PDU_BYTES_MAX = 131072  # ours, when the peer sets no limit
PDV_HEADER_BYTES = 6  # length, context ID, message control header (PS3.8 9.3.5.1, E.2)
SERVICE_USER, SERVICE_PROVIDER = 0, 2  # sources of an A-ABORT (PS3.8 table 9-26)


class UpperLayer:
    """What both sides of an association have in common."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.contexts: dict[int, Context] = {}
        self._peer_pdu_bytes_max = 0
        self._outgoing = bytearray()
        self._collected = bytearray()  # of a header or of a short PDU
        self._kind: Kind | None = None  # of the PDU whose body is being collected or skipped
        self._pdu_left = 0
        self._pdv_left = 0
        self._pdv_open = False
        self._pdv_is_command = self._pdv_is_last = False
        self._command = bytearray()
        self._context: Context | None = None  # of the message under way
        self._expects_data_set = False
        self._deaf = False  # after our A-ABORT the peer's bytes mean nothing any more

    @property
    def busy(self) -> bool:
        """Whether a message is under way: its first byte has come and its last has not."""
        return bool(self._collected or self._pdu_left or self._context)

    def outgoing(self) -> bytes:
        """Take the bytes that must be sent now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: memoryview) -> Iterator[Event]:
        """Yield what `data` means; bytes after a release, a rejection or an abort are read over."""
        position = 0
        try:
            while position < len(data) and not self._deaf and self.state is not State.CLOSED:
                if self._kind is Kind.P_DATA:
                    event, position = self._receive_data(data, position)
                else:
                    event, position = self._receive_short(data, position)
                if event is not None:
                    yield event
                if self._pdv_open and not self._pdv_left and (end := self._end_value()) is not None:
                    yield end
        except BadPDU as error:
            yield from self._violated(str(error), error.reason, TABLE[None][self.state])

    def send(self, context: Context, command: CommandSet) -> None:
        """Send a command set in PDUs that the peer takes (PS3.8 D.1); its data set, if any, goes by `cut`."""
        assert self.state is State.ESTABLISHED
        for header, value in self.cut(context, (commands.encode(command),), is_command=True):
            self._outgoing += header
            self._outgoing += value

    def cut(
        self, context: Context, chunks: Iterable[bytes | memoryview], *, is_command: bool = False
    ) -> Iterator[tuple[bytes, memoryview]]:
        """Yield what comes in chunks of any size as PDUs of one value each: header and value."""
        value: memoryview | None = None  # held back until it is known whether it is the last
        for chunk in chunks:
            for start in range(0, len(chunk), self.fragment_bytes):
                if value is not None:
                    yield fragment_header(context, len(value), is_command=is_command, last=False), value
                value = memoryview(chunk)[start : start + self.fragment_bytes]
        value = memoryview(b"") if value is None else value
        yield fragment_header(context, len(value), is_command=is_command, last=True), value

    @property
    def fragment_bytes(self) -> int:
        """How many bytes of a message go into one PDU."""
        limit = min(self._peer_pdu_bytes_max or SENT_PDU_BYTES_MAX, SENT_PDU_BYTES_MAX)
        return max(limit - PDV_HEADER_BYTES, 1)

    def release(self) -> None:
        """Agree to the peer's release (AR-4)."""
        assert self.state is State.AWAITING_LOCAL_RELEASE
        self._outgoing += encode(ReleaseReply())
        self.state = State.AWAITING_CLOSE

    def abort(self, reason: AbortReason | None = None) -> None:
        """Abort (AA-1): as the provider with `reason`, or as the service's user without."""
        if self._deaf or self.state is State.CLOSED:
            return
        source = SERVICE_USER if reason is None else SERVICE_PROVIDER
        self._outgoing += encode(Abort(source, reason or AbortReason.NOT_SPECIFIED))
        self.state = State.AWAITING_CLOSE
        self._deaf = True

    # --- inside -------------------------------------------------------------------------------------------------------

    def _indicate(self, action: Action, value: PDU) -> Event | None:
        """Say what a whole association PDU means; the sides differ."""
        raise NotImplementedError

    def _violated(self, text: str, reason: AbortReason, action: Action) -> Iterator[Event]:
        if action is Action.IGNORE:
            return
        self.abort(reason)
        if action in (Action.ABORT_AND_INDICATE, Action.ABORT_UNASKED):
            yield Violated(text, reason)

    def _collect(self, data: memoryview, position: int, wanted: int) -> int:
        """Collect up to `wanted` bytes altogether; return the new position."""
        end = position + min(wanted - len(self._collected), len(data) - position)
        self._collected += data[position:end]
        return end

    def _receive_short(self, data: memoryview, position: int) -> tuple[Event | None, int]:
        """Take in a PDU header, or the body of a PDU that is no P-DATA-TF."""
        if self._kind is None:
            position = self._collect(data, position, HEADER_BYTES)
            if len(self._collected) < HEADER_BYTES:
                return None, position
            number, length = self._collected[0], int.from_bytes(self._collected[2:HEADER_BYTES], "big")
            self._collected.clear()
            self._kind, self._pdu_left = self._begin(number, length)
            if self._pdu_left:
                return None, position
        position = self._collect(data, position, self._pdu_left)
        if len(self._collected) < self._pdu_left:
            return None, position
        kind, body = self._kind, bytes(self._collected)
        self._kind, self._pdu_left = None, 0
        self._collected.clear()
        return self._act(kind, body), position

    def _begin(self, number: int, length: int) -> tuple[Kind, int]:
        """Check a PDU header against the state and the bounds before anything of the body is kept."""
        try:
            kind = Kind(number)
        except ValueError:
            raise BadPDU(f"PDU type {number:02X}", AbortReason.UNRECOGNIZED_PDU) from None
        if length > BODY_BYTES_MAX.get(kind, P_DATA_BYTES_MAX):
            raise BadPDU(f"{kind.name} of {length} bytes")
        action = TABLE[kind][self.state]
        if action in ABORTING:
            raise BadPDU(f"{kind.name} in {self.state.value}", AbortReason.UNEXPECTED_PDU)
        if kind is Kind.P_DATA and length < PDV_HEADER_BYTES:
            raise BadPDU(f"{kind.name} of {length} bytes")
        return kind, length

    def _act(self, kind: Kind, body: bytes) -> Event | None:
        action = TABLE[kind][self.state]
        if action is Action.IGNORE:
            return None
        value = decode(kind, body)
        self.state = NEXT_STATE[action]
        if isinstance(value, Abort):
            return Aborted(value.source, value.reason)
        if action is Action.ANSWER_COLLISION:
            self._outgoing += encode(ReleaseReply())
            return None
        if self._context is not None:
            raise BadPDU("release inside a message", AbortReason.UNEXPECTED_PDU)
        return self._indicate(action, value)

    def _receive_data(self, data: memoryview, position: int) -> tuple[Event | None, int]:
        """Take in a piece of a P-DATA-TF PDU: a PDV header, or bytes of its value."""
        if self.state is not State.ESTABLISHED:  # after a release: read over (AR-6, AA-6)
            taken = min(self._pdu_left, len(data) - position)
            self._take(taken)
            return None, position + taken
        if not self._pdv_open:
            if self._pdu_left < PDV_HEADER_BYTES:
                raise BadPDU(f"{self._pdu_left} bytes left over in a P_DATA")
            position = self._collect(data, position, PDV_HEADER_BYTES)
            if len(self._collected) == PDV_HEADER_BYTES:
                header = bytes(self._collected)
                self._collected.clear()
                self._take(PDV_HEADER_BYTES)
                self._begin_value(int.from_bytes(header[:4], "big") - 2, header[4], header[5])
            return None, position
        taken = min(self._pdv_left, len(data) - position)
        piece = data[position : position + taken]
        self._pdv_left -= taken
        self._take(taken)
        if self._pdv_is_command:
            self._command += piece
            return None, position + taken
        return Fragment(piece), position + taken

    def _take(self, count: int) -> None:
        self._pdu_left -= count
        if not self._pdu_left:
            self._kind = None

    def _begin_value(self, length: int, context_id: int, control: int) -> None:
        """Check a PDV header: its length, its context, and whether its kind is due (PS3.8 E.2)."""
        if not 0 <= length <= self._pdu_left:
            raise BadPDU(f"presentation data value of {length + 2} bytes in a PDU with {self._pdu_left + 2} left")
        context = self.contexts.get(context_id)
        if context is None:
            raise BadPDU(f"presentation context {context_id} was not accepted")
        is_command = bool(control & 1)
        if is_command == self._expects_data_set or (self._context is not None and context is not self._context):
            raise BadPDU("a fragment out of turn", AbortReason.UNEXPECTED_PDU_PARAMETER)
        if is_command and len(self._command) + length > commands.COMMAND_BYTES_MAX:
            raise BadPDU(f"command set of more than {commands.COMMAND_BYTES_MAX} bytes")
        self._context = context
        self._pdv_open, self._pdv_left = True, length
        self._pdv_is_command, self._pdv_is_last = is_command, bool(control & 2)

    def _end_value(self) -> Event | None:
        """Close a presentation data value; the last one of its kind makes an event."""
        self._pdv_open = False
        if not self._pdv_is_last:
            return None
        context, self._context = self._context, None
        assert context is not None
        if not self._pdv_is_command:
            self._expects_data_set = False
            return DataSetEnd()
        try:
            command = commands.decode(self._command)
        except commands.BadCommand as error:
            raise BadPDU(f"command set: {error}") from None
        self._command.clear()
        self._expects_data_set = command.get("CommandDataSetType", commands.NO_DATA_SET) != commands.NO_DATA_SET
        if self._expects_data_set:
            self._context = context
        return Command(context, command, self._expects_data_set)


def fragment_header(context: Context, length: int, *, is_command: bool, last: bool) -> bytes:
    """Make the twelve bytes before `length` bytes of a message that go as one value in one PDU (PS3.8 9.3.5)."""
    total = length + PDV_HEADER_BYTES
    control = is_command | last << 1
    return b"\x04\0%b%b%b" % (
        total.to_bytes(4, "big"),
        (total - 4).to_bytes(4, "big"),
        bytes((context.context_id, control)),
    )
