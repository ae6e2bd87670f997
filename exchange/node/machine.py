"""What a machine must give a node, in words where it does not: a clock, its addresses, room for files."""

import os
import resource
import socket
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kernel.listening import what_to_do

CLOCK_OFF: Final = timedelta(minutes=5)  # tokens, certificates and Kerberos of hospitals bear no more
FILES_FREE_MIN: Final = 10_000  # names that a file system must have left; an instance takes one
_CHANGED_OFTEN: Final = ("vienanh.db", "vienanh.db-wal", "listening.json", "node.lock")


def clock_fault(data: Path, program: Path, now: datetime) -> str:
    """Tell whether the clock was set back: files of the past cannot have been written later than now."""
    for file in (program, *(data / name for name in _CHANGED_OFTEN)):
        try:
            written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        except OSError:
            continue
        if written - now > CLOCK_OFF:
            return f"it says {_told(now)}, but {file.name} was written at {_told(written)}: it is slow, or was set back"
    return ""


def apart(ours: datetime, theirs: datetime) -> str:
    """Tell when another computer's clock says something else than ours."""
    if abs(ours - theirs) <= CLOCK_OFF:
        return ""
    return f"its clock says {_told(theirs)}, this one's {_told(ours)}: one is wrong"


def taken_addresses(wanted: Iterable[tuple[str, str, int, str]]) -> Iterator[str]:
    """Tell which of (what, host, port, setting of the port) a node could not listen on now; port 0 is always free."""
    for what, host, port, setting in wanted:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((host, port))
        except OSError as error:
            yield f"{what} cannot listen on {host}:{port}: {what_to_do(error, setting)}"


def few_open_files(wanted: int) -> str:
    """Tell whether this account may open as many files as a node wants."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        return ""
    return f"this account may open {hard} at once, {wanted} are wanted: LimitNOFILE= of the service, or ulimit -Hn"


def few_names(folder: Path) -> str:
    """Tell whether the file system has run out of names (inodes), though it may have bytes."""
    found = os.statvfs(folder)
    if not found.f_files or found.f_favail >= FILES_FREE_MIN:  # some file systems do not count
        return ""
    return f"only {found.f_favail} more files can be made in its file system"


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
