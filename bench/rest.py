"""Brings the machine to rest before servers are compared at writing, the same for each.

On a virtual machine whose host takes free memory back, a page that has to be given anew costs many times the copy into
it. Who happens upon such pages pays for it, and then the host is what is compared. On a node that runs for a while the
cache of files is full, and its pages are used again; here it is emptied just before, so that there are as many at hand.
"""

import contextlib
import os
from pathlib import Path


def rest() -> None:
    """Write all that is to be written, and give back the pages of files, where this may."""
    os.sync()
    with contextlib.suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("1")
