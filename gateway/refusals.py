"""What a peer's refusal means, in words for who asked: of an instance (C-STORE, STOW-RS) and of a query or retrieval.

Statuses of PS3.7 annex C and PS3.4 tables B.2-1, C.4-1, C.4-2 and C.4-3, Failure Reasons (0008,1197) of PS3.18 table I.2-2,
which have the numbers of C-STORE. What an operator is told is here, what the relay does is `outcome_of` and
`cause_of_reason`. What the peer itself writes (Error Comment) is never repeated: it may name a patient.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway import status as ours

_OF_ONE: Final[Mapping[int, str]] = MappingProxyType(
    {
        ours.PROCESSING_FAILURE: "something failed there; look at its log",
        ours.DUPLICATE_INSTANCE: "it has another instance under this SOP Instance UID",
        0x0117: "it takes the SOP Instance UID for none; look whether it is well-formed",
        ours.SOP_CLASS_NOT_SUPPORTED: "it does not store this SOP class; look there at what it may take",
        ours.NOT_AUTHORISED: "it does not let this caller store; look there at what the caller may do",
        ours.UNRECOGNIZED_OPERATION: "it knows no C-STORE; look at host, port and AE title",
        ours.CANNOT_UNDERSTAND: "it cannot understand the data set; look at its log, and whether others can read the file",
        ours.TRANSFER_SYNTAX_NOT_SUPPORTED: "it does not take this transfer syntax",
    }
)
_OF_KIND: Final[Mapping[int, str]] = MappingProxyType(  # by the first two digits: the others are the peer's own
    {
        0xA7: "it has no room now; look at its disk",
        0xA9: "the data set does not match its SOP class, or lacks an identifier; look at its Patient ID and UIDs",
        **dict.fromkeys(
            range(0xC0, 0xD0), "it cannot understand the data set, or has a reason of its own; look at its log"
        ),
    }
)
_OF_A_QUERY: Final[Mapping[int, str]] = MappingProxyType(
    {
        ours.PROCESSING_FAILURE: "something failed there; look at its log",
        ours.SOP_CLASS_NOT_SUPPORTED: "it does not offer this query; look there at what it offers",
        ours.NOT_AUTHORISED: "it does not let this caller ask; look there at what the caller may do",
        ours.CANNOT_COUNT_MATCHES: "it finds too many; ask for less",
        ours.CANNOT_PERFORM: "it cannot send them; look at its log, and whether it reaches the receiver",
        ours.MOVE_DESTINATION_UNKNOWN: "it does not know the AE title that it shall send to; enter it there",
        0xB000: "it could not send some of them; look at its log, and at the receiver's",
    }
)
_OF_QUERIES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0xA7: "it is out of resources now",
        0xA9: "it does not take these keys at this level",
        **dict.fromkeys(range(0xC0, 0xD0), "it cannot process the query; look at its log"),
    }
)


def told(status: int) -> str:
    """Return what a status or Failure Reason of an instance means, after a colon; nothing of one that no standard has."""
    return _words(_OF_ONE.get(status) or _OF_KIND.get(status >> 8))


def told_query(status: int) -> str:
    """Return what a status of C-FIND, C-GET or C-MOVE means, after a colon; nothing of one that no standard has."""
    return _words(_OF_A_QUERY.get(status) or _OF_QUERIES.get(status >> 8))


def _words(found: str | None) -> str:
    return f": {found}" if found else ""
