"""A slide's tile index made in a process with bounds of memory and time: its headers are a stranger's, and may be long."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from kernel import errors
from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.errors import ExchangeError
from wsi.limits import MEBIBYTE, exceeded, malformed

DATA_BYTES_MAX: Final = 2048 * MEBIBYTE  # of the process; the slide's files are mapped, and do not count
SECONDS_MAX: Final = 120.0  # for one slide; 180,000 sparse frames take some three
WAIT_SECONDS_MAX: Final = 120.0  # for the process, which all threads share
ANSWER_BYTES_MAX: Final = 64 * 1024
QUESTION_BYTES_MAX: Final = 16 * MEBIBYTE


class InstanceFile(msgspec.Struct, frozen=True):
    """One of a slide's files."""

    path: str
    transfer_syntax_uid: str
    dataset_offset: int


class Question(msgspec.Struct, frozen=True):
    """Make the index of these files, and keep it there."""

    files: list[InstanceFile]
    target: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of it: nothing to say, an error of ours by its name and fields, or one of the system by its number."""

    error: str = ""
    fields: dict[str, Any] = {}
    errno: int = 0


class IndexMaker:
    """Makes indexes; safe in threads."""

    def __init__(self, *, seconds_max: float = SECONDS_MAX) -> None:
        self._seconds_max = seconds_max
        self._children = Children(
            "wsi.index_process", "reading a slide", Outcome, processes=1, wait_seconds_max=WAIT_SECONDS_MAX
        )

    def make(self, files: Sequence[InstanceFile], target: Path) -> None:
        """Make the index of a slide at `target`, whose folder is there.

        Raises
        ------
        MalformedSlide, MalformedInstance, LimitExceeded, NotFound
            As `wsi.dicom_slide.index_dicom`; also when it takes too long or too much memory.
        BlobMissing
            One of its files is not there.
        Busy
            Other slides were being read for too long.
        OSError
            A file cannot be read, or there is no room for the index: the slide is not to blame.
        """
        try:
            outcome = self._children.ask(Question(list(files), str(target)), ANSWER_BYTES_MAX, self._seconds_max)
        except ChildEndedError as error:
            if error.was_late:
                bound = int(self._seconds_max)
                raise exceeded("seconds to find a slide's tiles", bound + 1, bound) from None
            raise malformed("it takes too much memory, or cannot be read") from None
        if outcome.errno:
            raise OSError(outcome.errno, os.strerror(outcome.errno))
        if outcome.error:
            raise _error(outcome)

    def close(self) -> None:
        """End the process; a later question begins another."""
        self._children.close()


def _error(outcome: Outcome) -> ExchangeError:
    kind = getattr(errors, outcome.error, None)
    if not (isinstance(kind, type) and issubclass(kind, ExchangeError)):
        return malformed("it cannot be read")
    return kind(**outcome.fields)


shared_index_maker: Final = OfThisProcess(IndexMaker)
