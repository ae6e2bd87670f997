"""Asks pydicom, in a process of its own, for what the scanner does not understand; see `kernel.dicom.scanning.mending`."""

import math
from dataclasses import dataclass
from typing import Final

from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.dicom.scanning.elements import Buffer
from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded, malformed

MENDED_BYTES_MAX: Final = 256 * MEBIBYTE  # of an instance, which is copied whole; larger ones are never so odd
ANSWER_BYTES_MAX: Final = MENDED_BYTES_MAX * 5 // 4  # explicit headers are longer than implicit ones
MENDING_BYTES_MAX: Final = 4096 * MEBIBYTE  # of address space, libraries included
MENDING_SECONDS_MAX: Final = 30.0
WAIT_SECONDS_MAX: Final = 120.0  # for the process, which all threads share
MENDERS: Final = 1  # processes at once

_PREFIX: Final = slice(128, 132)
_BEGINNINGS: Final = (b"\0\0", b"\2\0", b"\x08\0", b"\0\x08")  # groups 0, 2 and 8; 8 in big endian


@dataclass(frozen=True, slots=True)
class Mended:
    """What a process answers: a Part 10 file, or why there is none."""

    content: bytes = b""
    refusal: str = ""


def may_be_mended(source: Buffer) -> bool:
    """Whether something is worth a look: it begins as a Part 10 file does, or as a data set without one."""
    return bytes(source[_PREFIX]) == b"DICM" or bytes(source[:2]) in _BEGINNINGS


class Menders:
    """One process, shared by all threads."""

    def __init__(self, *, seconds_max: float = MENDING_SECONDS_MAX) -> None:
        self._seconds_max = seconds_max
        self._children = Children(
            "kernel.dicom.scanning.mending_process",
            "reading an odd instance",
            Mended,
            processes=MENDERS,
            wait_seconds_max=WAIT_SECONDS_MAX,
        )

    def mend(self, source: Buffer) -> bytes:
        """Return the instance as a Part 10 file in Explicit VR Little Endian, or compressed as it was.

        Raises
        ------
        MalformedInstance
            pydicom does not read it whole either.
        LimitExceeded
            It is larger than `MENDED_BYTES_MAX`, or took too long.
        Busy
            The process was busy for `WAIT_SECONDS_MAX`, or could not be begun.
        """
        if len(source) > MENDED_BYTES_MAX:
            raise exceeded("MENDED_BYTES_MAX", len(source), MENDED_BYTES_MAX)
        try:
            answer = self._children.ask(bytes(source), ANSWER_BYTES_MAX, self._seconds_max)
        except ChildEndedError as error:
            if error.was_late:
                bound = math.ceil(self._seconds_max)
                raise exceeded("seconds to read an odd instance", bound + 1, bound) from None
            raise malformed("pydicom cannot read it") from None
        if answer.refusal:
            raise malformed(answer.refusal[:300])
        return answer.content

    def close(self) -> None:
        """End the process; a later instance begins a new one."""
        self._children.close()


shared_menders: Final = OfThisProcess(Menders)
