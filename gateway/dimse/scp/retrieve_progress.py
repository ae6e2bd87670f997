"""Counting sub-operations and saying how they went (PS3.4 C.4.2.1.5 to C.4.2.1.10, C.4.3.1). Pure."""

import struct
from dataclasses import dataclass, field
from typing import Final

from gateway.dimse.scp.services import response
from gateway.dimse.scu.sender import WARNINGS
from gateway.dimse.upper_layer.commands import CommandSet, Value
from gateway.dimse.upper_layer.indications import Command
from gateway.status import CANNOT_PERFORM, SUCCESS
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

PENDING: Final = 0xFF00
CANCELLED: Final = 0xFE00
SOME_FAILED: Final = 0xB000
COUNT_MAX: Final = 0xFFFF  # the counts are US (PS3.7 E.1)
FAILED_UIDS_MAX: Final = 1000  # in the list of a final response: UI in explicit VR holds 65,534 bytes
PENDING_EVERY_S: Final = 0.25  # between two pending responses
_FAILED_LIST: Final = (0x0008, 0x0058)


@dataclass(slots=True)
class Progress:
    """How far a retrieval is."""

    remaining: int
    completed: int = 0
    failed: int = 0
    warning: int = 0
    failed_uids: list[str] = field(default_factory=list[str])

    def count(self, sop_instance_uid: str, status: int | None) -> None:
        """Note the end of one sub-operation; None: it could not even be tried."""
        self.remaining -= 1
        if status == SUCCESS:
            self.completed += 1
        elif status is not None and (status in WARNINGS or status & 0xF000 == 0xB000):
            self.warning += 1
        else:
            self.failed += 1
            if len(self.failed_uids) < FAILED_UIDS_MAX:
                self.failed_uids.append(sop_instance_uid)

    @property
    def status(self) -> int:
        """What a retrieval that went to its end answers."""
        if not self.failed and not self.warning:
            return SUCCESS
        return SOME_FAILED if self.completed or self.warning else CANNOT_PERFORM

    def answer(self, message: Command, status: int) -> CommandSet:
        """Make a response that tells the counts; those that remain only while it is pending or when it was cancelled."""
        answer: dict[str, Value] = {
            **response(message, status),
            "NumberOfCompletedSuboperations": self.completed,
            "NumberOfFailedSuboperations": self.failed,
            "NumberOfWarningSuboperations": self.warning,
        }
        if status in (PENDING, CANCELLED):
            answer["NumberOfRemainingSuboperations"] = self.remaining
        return answer

    def failed_list(self, transfer_syntax_uid: str) -> bytes | None:
        """Encode Failed SOP Instance UID List (0008,0058), None when nothing failed."""
        return uid_list(_FAILED_LIST, self.failed_uids, transfer_syntax_uid) if self.failed_uids else None


def uid_list(tag: tuple[int, int], uids: list[str], transfer_syntax_uid: str) -> bytes:
    """Encode a data set of one UI element; at most 65,534 bytes of value."""
    value = "\\".join(uids).encode("ascii")
    value += b"\0" * (len(value) % 2)
    if transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN:
        return struct.pack("<HHI", *tag, len(value)) + value
    order = ">" if transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN else "<"
    return struct.pack(f"{order}HH2sH", *tag, b"UI", len(value)) + value
