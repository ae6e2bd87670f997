"""What the upper layer tells its user: indications and confirmations as values (PS3.8 7)."""

from dataclasses import dataclass

from gateway.dimse.upper_layer.commands import CommandSet
from gateway.dimse.upper_layer.pdu import AbortReason, AssociateAccept, AssociateReject, AssociateRequest


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context, with the roles and the extension that were negotiated for its SOP class."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    peer_is_scu: bool = True  # it may ask (PS3.7 D.3.3.4)
    peer_is_scp: bool = False  # it may be asked: C-STORE of a C-GET, for example
    extended: bytes = b""  # agreed service-class-application-information; empty: nothing was agreed (PS3.7 D.3.3.5)


@dataclass(frozen=True, slots=True)
class Requested:
    """A-ASSOCIATE indication: answer with `accept` or `reject` before the next event is asked for."""

    request: AssociateRequest


@dataclass(frozen=True, slots=True)
class Accepted:
    """A-ASSOCIATE confirmation: the peer accepts; which contexts, `Requestor.contexts` says."""

    answer: AssociateAccept


@dataclass(frozen=True, slots=True)
class Rejected:
    """A-ASSOCIATE confirmation: the peer rejects."""

    answer: AssociateReject


@dataclass(slots=True)
class Command:
    """A whole command set; `has_data_set` says whether fragments follow."""

    context: Context
    command: CommandSet
    has_data_set: bool


@dataclass(slots=True)
class Fragment:
    """Bytes of the current data set, a view of the received buffer."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class DataSetEnd:
    """The last fragment of the current data set was handed on."""


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """A-RELEASE indication: answer with `release`."""


@dataclass(frozen=True, slots=True)
class Released:
    """A-RELEASE confirmation: the association is over, in order."""


@dataclass(frozen=True, slots=True)
class Aborted:
    """The peer aborted."""

    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class Violated:
    """The peer broke the protocol; an A-ABORT with `reason` waits in `outgoing`. `text` holds nothing of a patient's."""

    text: str
    reason: AbortReason


Event = (
    Requested | Accepted | Rejected | Command | Fragment | DataSetEnd | ReleaseRequested | Released | Aborted | Violated
)
