"""What the services of a listener stand on: rows to read, blobs, and the process that owns the database.

The same for a listener in threads of the node and for one in a process of its own; which one it is, nothing here tells.
"""

from dataclasses import dataclass

from kernel.access.asked import StudyAccess
from kernel.archive.blobs.store import Blobs
from kernel.archive.owner.asking import Owner
from kernel.clock import Clock
from kernel.config import Config
from kernel.database import Readable


@dataclass(frozen=True, slots=True)
class Backing:
    """One node, as its DIMSE services see it."""

    config: Config
    clock: Clock
    db: Readable  # never written here
    blobs: Blobs
    owner: Owner  # does what must be written
    access: StudyAccess  # who may read what; audited
