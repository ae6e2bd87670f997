"""The bytes of a slide that comes in pieces, on disk: its folder, its record, and the turn to write its next bytes.

    <folder>/<upload>/about     the record
    <folder>/<upload>/slide     the bytes so far

Who sends says which byte it goes on with, and it must be the next one. A later sender takes the turn of an earlier one,
whose line may be dead without anybody knowing.
"""

import copy
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from consult.slides.upload_record import FINAL, Record, State
from kernel.archive.blobs.durable import flush_data, flush_folder
from kernel.archive.blobs.stage import WATERMARK_STEP_BYTES, Space, told
from kernel.errors import LimitExceeded, UploadMoved


class Upload:
    """One slide on its way; its lock is held while its bytes are written."""

    def __init__(self, record: Record, folder: Path) -> None:
        self.record = record
        self.folder = folder
        self.lock = threading.Lock()
        self.turn: Turn | None = None
        self.is_queued = False

    @property
    def file(self) -> Path:
        """Its bytes."""
        return self.folder / "slide"

    def keep(self) -> None:
        """Write the record; durable on return."""
        unnamed = self.folder / "about.new"
        with unnamed.open("wb") as file:
            file.write(msgspec.json.encode(self.record))
            file.flush()
            flush_data(file.fileno())
        unnamed.replace(self.folder / "about")
        flush_folder(self.folder)


class Turn:
    """The leave to write the next bytes of a slide, until somebody else has it."""

    def __init__(self, upload: Upload, space: Space, received: Callable[[Upload], None]) -> None:
        """Write to a disk; `received` is told when the turn ends, with the upload's lock held."""
        self._upload = upload
        self._space = space
        self._received = received
        self._looked_at = 0

    def write(self, chunks: Iterable[bytes]) -> None:
        """Add bytes.

        Raises
        ------
        UploadMoved
            Somebody else sends now.
        LimitExceeded
            There are more than were announced.
        StorageFull
            There is no space.
        """
        one = self._upload
        with one.lock:
            self._check()
            record = one.record
            with one.file.open("r+b", buffering=0) as file:
                file.seek(record.offset)
                for chunk in chunks:
                    if record.offset + len(chunk) > record.form.bytes:
                        raise LimitExceeded(
                            limit="bytes of this slide", value=record.offset + len(chunk), bound=record.form.bytes
                        )
                    self._write(file.fileno(), chunk)
            if record.offset >= self._looked_at:
                self._space.check_space(WATERMARK_STEP_BYTES)
                self._looked_at = record.offset + WATERMARK_STEP_BYTES

    def end(self) -> Record:
        """Make durable what came, and take the slide if it is whole; return how it is. Raises UploadMoved."""
        one = self._upload
        with one.lock:
            self._check()
            one.turn = None
            with one.file.open("rb") as file:
                flush_data(file.fileno())
            self._received(one)
            return copy.copy(one.record)

    def _check(self) -> None:
        if self._upload.turn is not self:
            raise UploadMoved(offset=self._upload.record.offset)

    def _write(self, descriptor: int, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            try:
                written = os.write(descriptor, view)
            except OSError as error:
                raise told(error, self._space, len(view)) from error
            self._upload.record.offset += written
            view = view[written:]


def found(folder: Path) -> Upload | None:
    """Return what an earlier run left in a folder; None if it was never answered, or is damaged."""
    try:
        record = msgspec.json.decode((folder / "about").read_bytes(), type=Record)
        one = Upload(record, folder)
        if record.state in FINAL:
            return one
        if one.file.stat().st_size < record.offset:
            return None
        os.truncate(one.file, record.offset)  # what came after it may not have reached the disk
    except (OSError, msgspec.DecodeError):
        return None
    if record.state is not State.RECEIVING:
        record.state = State.WAITING
    return one
