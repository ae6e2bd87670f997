"""Upper-layer PDUs as frozen values (PS3.8 9.3); `wire` encodes and decodes them. P-DATA-TF is streamed by `protocol`."""

from dataclasses import dataclass, field
from enum import IntEnum

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 A.2.1, the only one there is
HEADER_BYTES = 6  # type, reserved, length (PS3.8 9.3.1)
ASSOCIATE_BYTES_MAX = 256 * 1024  # 128 contexts with 30 transfer syntaxes each take about 112 KiB
ITEMS_MAX = 128 * 66  # items and sub-items of one A-ASSOCIATE PDU


class Kind(IntEnum):
    """PDU types (PS3.8 9.3.1)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


BODY_BYTES_MAX = {
    Kind.ASSOCIATE_RQ: ASSOCIATE_BYTES_MAX,
    Kind.ASSOCIATE_AC: ASSOCIATE_BYTES_MAX,
    Kind.ASSOCIATE_RJ: 4,
    Kind.RELEASE_RQ: 4,
    Kind.RELEASE_RP: 4,
    Kind.ABORT: 4,
}


class ContextResult(IntEnum):
    """Answer to one presentation context (PS3.8 table 9-18)."""

    ACCEPTANCE = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


class AbortReason(IntEnum):
    """Reason of a provider's A-ABORT (PS3.8 table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PDU_PARAMETER = 4
    UNEXPECTED_PDU_PARAMETER = 5
    INVALID_PDU_PARAMETER_VALUE = 6


class BadPDU(Exception):
    """Bytes that are no PDU that the standard allows; `reason` goes into the A-ABORT."""

    def __init__(self, text: str, reason: AbortReason = AbortReason.INVALID_PDU_PARAMETER_VALUE) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """A presentation context as the requestor proposes it; transfer syntaxes in its order."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredContext:
    """The acceptor's answer to one presentation context."""

    context_id: int
    result: ContextResult
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class Role:
    """SCP/SCU role selection of the requestor for one SOP class (PS3.7 D.3.3.4)."""

    sop_class_uid: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class Extended:
    """SOP Class Extended Negotiation: the service-class-application-information of one SOP class (PS3.7 D.3.3.5)."""

    sop_class_uid: str
    information: bytes


@dataclass(frozen=True, slots=True)
class CommonExtended:
    """SOP Class Common Extended Negotiation: what a SOP class is a specialization of (PS3.7 D.3.3.6)."""

    sop_class_uid: str
    service_class_uid: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operations:
    """The asynchronous operations window; 0 is without bound, 1 is synchronous (PS3.7 D.3.3.3)."""

    invoked: int
    performed: int


@dataclass(frozen=True, slots=True)
class Identity:
    """User identity of the requestor (PS3.7 D.3.3.7): who, and the proof, which is never printed."""

    kind: int  # as in PS3.7 table D.3-14
    wants_response: bool
    primary: bytes = field(repr=False)
    secondary: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class UserInformation:
    """What both sides tell about themselves; `pdu_bytes_max` 0 means no limit (PS3.8 D.1)."""

    pdu_bytes_max: int
    implementation_class_uid: str
    implementation_version_name: str = ""
    roles: tuple[Role, ...] = ()
    extended: tuple[Extended, ...] = ()
    common: tuple[CommonExtended, ...] = ()
    operations: Operations | None = None
    identity: Identity | None = None  # of a request
    identity_response: bytes | None = None  # of an acceptance


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """A-ASSOCIATE-RQ."""

    called_ae_title: str
    calling_ae_title: str
    contexts: tuple[ProposedContext, ...]
    user: UserInformation
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateAccept:
    """A-ASSOCIATE-AC; the titles are the request's, sent back."""

    called_ae_title: str
    calling_ae_title: str
    contexts: tuple[AnsweredContext, ...]
    user: UserInformation


@dataclass(frozen=True, slots=True)
class AssociateReject:
    """A-ASSOCIATE-RJ: result, source and reason as in PS3.8 table 9-21."""

    result: int
    source: int
    reason: int


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A-RELEASE-RQ."""


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """A-RELEASE-RP."""


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT; source 0 is the peer's application, 2 its upper layer, whose `reason` alone means anything."""

    source: int
    reason: int


PDU = AssociateRequest | AssociateAccept | AssociateReject | ReleaseRequest | ReleaseReply | Abort
