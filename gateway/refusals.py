"""What a peer's refusal of one instance means, in words for who sends it: the same of C-STORE and of STOW-RS.

Statuses of PS3.7 annex C and PS3.4 table B.2-1, Failure Reasons (0008,1197) of PS3.18 table I.2-2; they share their
numbers. What an operator is told is here, what the relay does is `outcome_of` and `cause_of_reason`. What the peer itself
writes (Error Comment) is never repeated: it may name a patient.
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


def told(status: int) -> str:
    """Return what a status or Failure Reason means, after a colon; nothing of one that no standard has."""
    words = _OF_ONE.get(status) or _OF_KIND.get(status >> 8)
    return f": {words}" if words else ""
