"""The three calls that make a file and its name survive a power cut, and nothing else."""

import ctypes
import errno
import os
from pathlib import Path
from typing import Any, Final

_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1  # linux/fs.h
_UNSUPPORTED: Final = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)

_libc: Final = ctypes.CDLL(None, use_errno=True)
_renameat2: Final[Any] = getattr(_libc, "renameat2", None)  # glibc 2.28, musl 1.2.6; file system's support varies
flush_data: Final = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def rename_new(source: Path, target: Path) -> bool:
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
    source.unlink()
    return True


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
