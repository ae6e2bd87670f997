"""Refused instances, kept with the reason for a person to look at; bounded, and never dropped silently.

The bytes are durable before their row, the row before the refusal reaches the sender. When the quarantine is full the
sender is told StorageFull instead: it keeps the instance and tries again.
"""

from collections.abc import Callable
from typing import Final, Protocol

from sqlalchemy import Connection, Row, case, func, insert, select

from kernel.archive import rows
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Origin, Refusal, Staged
from kernel.archive.tables import quarantine
from kernel.clock import Clock
from kernel.errors import Refused, StorageFull
from kernel.events import Event, EventName, record

CHARGE_BYTES_MIN: Final = 64 * 1024  # what an entry counts for at least, so that the number of entries is bounded too
LISTED_MAX: Final = 1000


class Keeper(Protocol):
    """Who writes the rows: the committer, here or in the process that owns the database."""

    def quarantine(self, refusal: Refusal) -> None:
        """Write the row of a refused instance, durably."""
        ...


class Quarantine:
    """Where refused instances go."""

    def __init__(self, blobs: Blobs, keeper: Keeper, clock: Clock) -> None:
        self._blobs = blobs
        self._keeper = keeper
        self._clock = clock

    def keep(self, staged: Staged, origin: Origin, refusal: Refused) -> None:
        """Keep a refused stage and why it was refused; both are durable on return.

        Raises
        ------
        StorageFull
            The quarantine or the disk is full; nothing was kept, the sender must keep it.
        """
        key = self._blobs.set_apart(staged)
        try:
            self._keeper.quarantine(
                Refusal(
                    origin=origin,
                    at=self._clock.now(),
                    code=refusal.code,
                    reason=str(refusal),
                    sop_class_uid=staged.sop_class_uid,
                    sop_instance_uid=staged.sop_instance_uid,
                    sha256=staged.sha256,
                    blob_key=key,
                    size_bytes=staged.size_bytes,
                    dataset_offset=staged.dataset_offset,
                )
            )
        except StorageFull:
            self._blobs.delete(key)  # no row names it: bytes that are already here are never refused as too many
            raise


def write_refusal(bytes_max: int) -> Callable[[Connection, Refusal], None]:
    """Return the change that writes one refusal into a quarantine of at most `bytes_max`."""

    def write(connection: Connection, refusal: Refusal) -> None:
        here = connection.execute(
            select(quarantine.c.code).where(
                quarantine.c.site == refusal.origin.site, quarantine.c.blob_key == refusal.blob_key
            )
        ).scalars()
        codes = set(here)
        if refusal.code in codes:
            return
        if not codes and not _known(connection, refusal.blob_key):
            _check_room(connection, refusal, bytes_max)
        origin = refusal.origin
        pk = connection.execute(
            insert(quarantine)
            .values(
                site=origin.site,
                at=refusal.at,
                code=refusal.code,
                reason=rows.clean(refusal.reason),
                declared_sop_class_uid=rows.clean(refusal.sop_class_uid),
                declared_sop_instance_uid=rows.clean(refusal.sop_instance_uid),
                channel=origin.channel,
                peer=rows.clean(origin.peer),
                called=rows.clean(origin.called),
                address=rows.clean(origin.address),
                session=rows.clean(origin.session),
                sha256=refusal.sha256,
                blob_key=refusal.blob_key,
                size_bytes=refusal.size_bytes,
                dataset_offset=refusal.dataset_offset,
            )
            .returning(quarantine.c.pk)
        ).scalar_one()
        record(
            connection,
            Event(
                EventName.INSTANCE_QUARANTINED,
                at=refusal.at,
                site=origin.site,
                study_instance_uid="",
                trace_id=origin.trace_id or "",
                detail={"quarantine": pk, "code": refusal.code, "sha256": refusal.sha256},
            ),
        )

    return write


def _known(connection: Connection, blob_key: str) -> bool:
    return connection.scalar(select(quarantine.c.pk).where(quarantine.c.blob_key == blob_key).limit(1)) is not None


def _check_room(connection: Connection, refusal: Refusal, bytes_max: int) -> None:
    charge = case((quarantine.c.size_bytes < CHARGE_BYTES_MIN, CHARGE_BYTES_MIN), else_=quarantine.c.size_bytes)
    used = connection.scalar(select(func.coalesce(func.sum(charge), 0)))
    needed, free = max(refusal.size_bytes, CHARGE_BYTES_MIN), bytes_max - int(used or 0)
    if needed > free:
        raise StorageFull(needed_bytes=needed, free_bytes=max(0, free))


def listed(connection: Connection, limit: int = LISTED_MAX) -> list[Row[tuple[object, ...]]]:
    """Return the newest entries, at most `limit`."""
    query = select(quarantine).order_by(quarantine.c.at.desc(), quarantine.c.pk.desc()).limit(min(limit, LISTED_MAX))
    return list(connection.execute(query))
