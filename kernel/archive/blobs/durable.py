"""The calls that make a file and its name survive a power cut, and the promise that they were made."""

import ctypes
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from kernel.errors import Busy

FLUSH_WAIT_S: Final = 10.0  # for somebody's flush, before it counts as failed rather than everybody kept waiting
_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1  # linux/fs.h
_UNSUPPORTED: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)

_libc: Final = ctypes.CDLL(None, use_errno=True)
_renameat2: Final[Any] = getattr(_libc, "renameat2", None)  # glibc 2.28, musl 1.2.6; file system's support varies
_sync_file_range: Final[Any] = getattr(_libc, "sync_file_range", None)  # Linux only
_WRITE: Final = 2  # SYNC_FILE_RANGE_WRITE: begin to write what is dirty, wait for nothing
flush_data: Final = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def rename_new(source: str | Path, target: str | Path) -> bool:
    """Rename unless `target` exists; return whether it was done.

    Of two callers with one target exactly one succeeds, so the one who does owns the file behind the name and may flush
    it afterwards. Neither name is durable yet.
    """
    if _renameat2 is not None:
        result = _renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE)
        if result == 0:
            return True
        code = ctypes.get_errno()
        if code == errno.EEXIST:
            return False
        if code not in _UNSUPPORTED:
            raise OSError(code, os.strerror(code))
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in (*_UNSUPPORTED, errno.EPERM):  # no hard links here: say it exists, the caller flushes first
            return False
        raise
    Path(source).unlink()
    return True


def begin_write_back(descriptor: int, offset: int = 0, length: int = 0) -> None:
    """Let the system begin to write dirty bytes, to the end when `length` is 0; promises nothing and waits for nothing.

    The disk works while the header is read, and the flush that follows finds little left to do. Where the system cannot,
    the flush does all of it.
    """
    if _sync_file_range is not None:
        _sync_file_range(descriptor, ctypes.c_int64(offset), ctypes.c_int64(length), _WRITE)


def flush_folder(folder: str | Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Flush:
    """A flush under way in another thread; whoever waits goes on when it is done, or fails as it did."""

    __slots__ = ("_callbacks", "_error", "_over", "_settled")

    def __init__(self) -> None:
        self._over = threading.Event()
        self._settled = threading.Lock()
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[BaseException | None], None]] = []

    def succeed(self) -> None:
        """Say that the bytes are durable."""
        self._settle(None)

    def fail(self, error: BaseException) -> None:
        """Say that they are not; the first word counts."""
        self._settle(error)

    def wait(self) -> None:
        """Return when the bytes are durable.

        Raises
        ------
        Busy
            It took too long; the flush counts as failed from now on.
        """
        if not self._over.wait(FLUSH_WAIT_S):
            self.fail(Busy(what="a blob is not flushed"))
        if self._error is not None:
            raise self._error

    def when_over(self, callback: Callable[[BaseException | None], None]) -> None:
        """Call `callback` with the error or None once it is over, in the thread that says so; at once if it is."""
        with self._settled:
            if not self._over.is_set():
                self._callbacks.append(callback)
                return
        callback(self._error)

    def _settle(self, error: BaseException | None) -> None:
        with self._settled:
            if self._over.is_set():
                return
            self._error = error
            self._over.set()
        for callback in self._callbacks:
            callback(error)
