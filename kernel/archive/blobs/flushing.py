"""A file and its folder flushed side by side, by the kernel, while the thread that asked goes on (io_submit(2)).

A disk takes hardly longer for two flushes at once than for one, and the rows of the index are written meanwhile. Linux'
older interface for this is three system calls without shared memory: io_uring is switched off in many containers, and a
pool of threads costs two changes of thread an instance. Where the system has none of it, or no place left
(fs.aio-max-nr), both flushes are made one after the other before anybody goes on: slower, and promises the same.
"""

import contextlib
import ctypes
import errno
import os
import platform
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from kernel.archive.blobs import durable
from kernel.errors import Busy

_FSYNC: Final = 2  # IOCB_CMD_FSYNC and IOCB_CMD_FDSYNC of linux/aio_abi.h
_FDATASYNC: Final = 3
GROUP_MAX: Final = 32  # files of which one group is waited for
_CALLS: Final = {"x86_64": (206, 209, 208), "aarch64": (0, 2, 4)}  # io_setup, io_submit, io_getevents
_numbers: Final = _CALLS.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 2**32 else None
_syscall: Final[Any] = getattr(ctypes.CDLL(None, use_errno=True), "syscall", None)
# The same for what returns at once: letting other threads run, and waiting for them, would cost more than the call.
_at_once: Final[Any] = getattr(ctypes.PyDLL(None, use_errno=True), "syscall", None)


class _Control(ctypes.Structure):
    """`struct iocb` of linux/aio_abi.h, on little-endian machines."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("rw_flags", ctypes.c_int32),
        ("opcode", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("descriptor", ctypes.c_uint32),
        ("buffer", ctypes.c_uint64),
        ("size_bytes", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("event_descriptor", ctypes.c_uint32),
    )


class _Event(ctypes.Structure):
    """`struct io_event`."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("control", ctypes.c_uint64),
        ("result", ctypes.c_int64),
        ("result2", ctypes.c_int64),
    )


class _Time(ctypes.Structure):
    """`struct timespec`."""

    _fields_ = (("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_int64))


class _Queue:
    """A place of the kernel's for some flushes under way, each of a kind; used by one `Flushing` or group at a time."""

    def __init__(self, *kinds: int) -> None:
        count = len(kinds)
        self._place = ctypes.c_ulong(0)
        _call(_at_once, 0, ctypes.c_uint(count), ctypes.byref(self._place))
        self._controls = (_Control * count)(*(_Control(opcode=kind) for kind in kinds))
        size = ctypes.sizeof(_Control)
        self._pointers = (ctypes.c_void_p * count)(
            *(ctypes.addressof(self._controls) + size * at for at in range(count))
        )
        self._events = (_Event * count)()

    def begin(self, *descriptors: int) -> int:
        """Begin the flushes of files and folders in their order; return how many were begun. Raises OSError for none."""
        for control, descriptor in zip(self._controls, descriptors, strict=False):
            control.descriptor = descriptor
        return _call(_at_once, 1, self._place, ctypes.c_long(len(descriptors)), self._pointers)

    def over(self, count: int, wait_s: float | None) -> list[int]:
        """Wait until some of `count` are over, or for so long; return the results: 0, or an error number below zero."""
        done = self._gathered(_at_once, count, _Time(0, 0))
        if not done:
            done = self._gathered(
                _syscall, count, None if wait_s is None else _Time(int(wait_s), int(wait_s % 1 * 1e9))
            )
        return [self._events[place].result for place in range(done)]

    def _gathered(self, how: Any, count: int, time: _Time | None) -> int:
        pointer = None if time is None else ctypes.byref(time)
        while True:
            with contextlib.suppress(InterruptedError):
                return _call(how, 2, self._place, ctypes.c_long(count), ctypes.c_long(count), self._events, pointer)


def _call(how: Any, which: int, *arguments: Any) -> int:
    if _numbers is None or how is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    result = how(ctypes.c_long(_numbers[which]), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


_idle: Final[list[_Queue]] = []  # as many as flushes were ever under way at once; they live as long as the process
_wide: Final[list[_Queue]] = []  # the same of groups


class Flushing:
    """The flushes of one file and of the folder that names it. Leave it before the descriptors mean something else.

    `wait` may be called from one thread at a time: whoever writes the rows, while the owner waits for the answer.
    """

    __slots__ = ("_begun", "_error", "_file", "_folder", "_queue", "_told")

    def __init__(self, file: int, folder: int, told: Callable[[OSError], Exception]) -> None:
        """Begin; the file's descriptor is closed at the end, the folder's is the caller's.

        Parameters
        ----------
        told
            How `wait` tells that the disk failed.

        Raises
        ------
        OSError
            The flushes could only be made here and now, and failed.
        """
        self._file, self._folder, self._told = file, folder, told
        self._error: BaseException | None = None
        self._queue: _Queue | None = None
        self._begun = 0
        try:
            self._queue = _idle.pop() if _idle else _Queue(_FDATASYNC, _FSYNC)
            self._begun = self._queue.begin(file, folder)
        except OSError:
            self._queue = None  # it may be a parent process's
        if self._begun < 2:
            self._flush_here()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.end()

    def wait(self) -> None:
        """Return when bytes, size and name are durable.

        Raises
        ------
        Busy
            It took longer than FLUSH_WAIT_S, and counts as failed from now on.
        Exception
            What `told` made of the disk's error.
        """
        while self._begun and self._error is None:
            if not self._take(durable.FLUSH_WAIT_S):
                self._error = Busy(what="a blob is not flushed")
        if self._error is not None:
            raise self._error

    def _take(self, wait_s: float | None) -> bool:
        """Take what is over; False when nothing was for so long."""
        assert self._queue is not None
        results = self._queue.over(self._begun, wait_s)
        self._begun -= len(results)
        for result in results:
            if result < 0 and self._error is None:
                self._error = self._told(OSError(-result, os.strerror(-result)))
        return bool(results)

    def _flush_here(self) -> None:
        try:
            if not self._begun:
                durable.flush_data(self._file)
            os.fsync(self._folder)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Wait for what is still under way, however long: the kernel holds the descriptors; then close."""
        while self._begun:
            self._take(None)
        if self._queue is not None:
            _idle.append(self._queue)
        os.close(self._file)


def flush_together(files: Sequence[int]) -> None:
    """Return when the data and sizes of open files are durable: the disk is waited for once, not once for each.

    Raises
    ------
    OSError
        One could not be flushed.
    """
    for first in range(0, len(files), GROUP_MAX):
        _flush_group(files[first : first + GROUP_MAX])


def _flush_group(files: Sequence[int]) -> None:
    queue, begun = None, 0
    try:
        queue = _wide.pop() if _wide else _Queue(*[_FDATASYNC] * GROUP_MAX)
        begun = queue.begin(*files)
    except OSError:
        queue = None  # it may be a parent process's
    results: list[int] = []
    while queue and len(results) < begun:
        results += queue.over(begun - len(results), None)
    if queue:
        _wide.append(queue)
    for file in files[begun:]:
        durable.flush_data(file)
    failed = next((result for result in results if result < 0), 0)
    if failed:
        raise OSError(-failed, os.strerror(-failed))
