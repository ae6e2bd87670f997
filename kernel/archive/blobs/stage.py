"""An instance on its way to disk: written, hashed and its beginning kept as it passes; nothing is promised."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from kernel.archive.blobs.durable import begin_write_back
from kernel.archive.digest import Digest
from kernel.archive.open_file import OpenFile
from kernel.archive.records import Staged
from kernel.dicom.scanning.part10 import file_meta
from kernel.errors import StorageFull

HEAD_BYTES: Final = 64 * 1024  # of each data set kept in memory: the header of nearly every instance
WATERMARK_STEP_BYTES: Final = 64 * 1024 * 1024  # free space is looked at again after so many bytes of one instance
WRITE_BACK_STEP_BYTES: Final = 8 * 1024 * 1024  # of a large instance; so that its end does not wait for its beginning
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Space(Protocol):
    """The disk that a stage is written to."""

    @property
    def free_bytes(self) -> int:
        """Bytes that may still be taken above the reserve."""
        ...

    def check_space(self, needed_bytes: int) -> None:
        """Raise StorageFull when taking so many bytes would touch the reserve."""
        ...


class Stage:
    """An instance that is being received: written and hashed as it passes."""

    def __init__(self, space: Space, path: Path, declared: tuple[str, str, str]) -> None:
        self._space = space
        self._path = path
        self._declared = declared
        self._digest = Digest()
        self._head = bytearray()
        meta = file_meta(*declared)
        self.dataset_offset = len(meta)
        self._look_again_at = WATERMARK_STEP_BYTES
        self._written_back_bytes = 0
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise told(error, space, len(meta)) from error
        self._before = meta  # goes ahead of the first bytes, in one call with them
        self.size_bytes = len(meta)

    @property
    def head(self) -> bytearray:
        """The first bytes of the data set so far, at most HEAD_BYTES; not to be changed."""
        return self._head

    def write(self, *buffers: bytes | bytearray | memoryview) -> None:
        """Add the next bytes of the data set, in one call of the system if it takes them.

        Raises
        ------
        StorageFull
            The disk is full, or its reserve was reached; the stage is discarded.
        """
        for buffer in buffers:
            if len(self._head) < HEAD_BYTES:
                self._head += memoryview(buffer)[: HEAD_BYTES - len(self._head)]
            self._digest.add(buffer)  # ahead of the writing, beside which it is hashed
        self._put(buffers)
        if self.size_bytes - self._written_back_bytes >= WRITE_BACK_STEP_BYTES:
            begin_write_back(self._descriptor, self._written_back_bytes, self.size_bytes - self._written_back_bytes)
            self._written_back_bytes = self.size_bytes
        if self.size_bytes >= self._look_again_at:
            self._look_again_at = self.size_bytes + WATERMARK_STEP_BYTES
            try:
                self._space.check_space(WATERMARK_STEP_BYTES)
            except StorageFull:
                self.discard()
                raise

    def finish(self) -> Staged:
        """End the stage, complete; what it holds is in the file, nothing is flushed or promised yet."""
        if self._before:
            self._put(())
        if self._written_back_bytes:
            begin_write_back(self._descriptor, self._written_back_bytes)
        file, self._descriptor = OpenFile(self._descriptor), -1
        class_uid, instance_uid, syntax_uid = self._declared
        return Staged(
            path=self._path,
            size_bytes=self.size_bytes,
            dataset_offset=self.dataset_offset,
            digest=self._digest,
            transfer_syntax_uid=syntax_uid,
            sop_class_uid=class_uid,
            sop_instance_uid=instance_uid,
            head=bytes(self._head),
            file=file,
        )

    def discard(self) -> None:
        """Forget what was received; safe to call twice."""
        self._close()
        self._path.unlink(missing_ok=True)

    def _put(self, buffers: Sequence[bytes | bytearray | memoryview]) -> None:
        """Write bytes of the data set, and ahead of the first ones the file meta."""
        before, self._before = self._before, b""
        buffers = (before, *buffers)
        wanted = sum(map(len, buffers))
        try:
            written = os.writev(self._descriptor, buffers)
            while written < wanted:  # a signal came, or one call does not take so much
                written += os.write(self._descriptor, memoryview(b"".join(buffers))[written:])
        except OSError as error:
            self.discard()
            raise told(error, self._space, wanted) from error
        self.size_bytes += wanted - len(before)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def told(error: OSError, space: Space, needed_bytes: int) -> Exception:
    """Return StorageFull for a full disk or quota, and any other error of the system as it is."""
    if error.errno in _FULL:
        return StorageFull(needed_bytes=needed_bytes, free_bytes=max(0, space.free_bytes))
    return error
