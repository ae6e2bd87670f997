"""What delivery has to say when instances are deleted: what still waits, what nobody else has, and what goes with them.

Deliveries, consignments and plans stay: they are the history, and name UIDs only. A consignment counts what was deleted
on its way no more, and what arrived once, however often it comes. The vault's sealed records stay, too:
a report about a copy that was delivered may still come home, and without them nobody could say whose it is. They go when
erasure is the reason (erasure.py).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, Select, and_, delete, func, select

from anonymizer.pseudonyms.keys import Keys
from kernel.archive.deletion.reclaim import Freed
from kernel.archive.deletion.removal import Doomed
from kernel.archive.tables import conflict, instance
from routing import consignments, erasure, pixel_reviews
from routing.consignments import ConsignmentKey
from routing.erasure import GoneCopy
from routing.tables import delivery, derived, job
from routing.transport import ReceiptState

CHUNK: Final = 500  # UIDs in one statement
_ARRIVED: Final = (ReceiptState.DELIVERED.value, ReceiptState.DUPLICATE.value)


class DeliveryDependents:
    """Jobs and pseudonymised copies of what is deleted (`kernel.archive.deletion.deletion.Dependents`)."""

    def __init__(self, keys_of: Callable[[str], Keys]) -> None:
        self._keys_of = keys_of  # of a site; asked for only when something is erased

    def obstacles(self, connection: Connection, doomed: Doomed) -> Sequence[str]:
        """Return that something waits for delivery, or that there is no receipt of somebody who has it."""
        waiting = receipted = 0
        for uids in _chunks(doomed):
            waiting += connection.scalar(_waiting(doomed, uids)) or 0
            receipted += connection.scalar(_receipted(doomed, uids)) or 0
        lacking = len(doomed.instances) - receipted
        found = [f"{waiting} deliveries of it are still to be made"] if waiting else []
        apart = _set_apart(connection, doomed)
        found += [f"{apart} conflicting copies of its instances are nowhere else"] if apart else []
        return [*found, f"{lacking} of its instances have no receipt, this may be the only copy"] if lacking else found

    def forget(self, connection: Connection, doomed: Doomed, *, erase: bool, at: datetime) -> Sequence[Freed]:
        """Remove the jobs and the pseudonymised copies; return the copies' blobs. Nothing waits for what is gone."""
        freed: list[Freed] = []
        gone: list[GoneCopy] = []
        promised: Counter[ConsignmentKey] = Counter()
        for uids in _chunks(doomed):
            of_jobs = (job.c.site == doomed.site, job.c.study_instance_uid == doomed.study_instance_uid)
            gone_jobs = delete(job).where(*of_jobs, job.c.sop_instance_uid.in_(uids))
            for row in connection.execute(gone_jobs.returning(job.c.lane, job.c.profile, job.c.targets, job.c.cause)):
                promised.update(_keys(doomed, row))
            copies = (derived.c.site == doomed.site, derived.c.sop_instance_uid.in_(uids))
            for row in connection.execute(select(derived).where(*copies)):
                freed.append(Freed(row.blob_key, row.new_sop_instance_uid))
                gone.append(GoneCopy(row.new_study_instance_uid, row.new_series_instance_uid, row.new_sop_instance_uid))
            connection.execute(delete(derived).where(*copies))
            pixel_reviews.forget(connection, doomed.site, uids)
        consignments.withdraw(connection, promised, at)
        if erase:
            erasure.erase(connection, doomed, gone, self._keys_of(doomed.site))
        return freed


def _keys(doomed: Doomed, row: Row[str, str, str, str]) -> Iterator[ConsignmentKey]:
    """Yield to whom a job would have led; what a person rejected is promised to nobody."""
    if row.cause == pixel_reviews.REJECTED:
        return
    destinations = [destination for destination, _ in json.loads(row.targets)] if row.targets else [row.lane]
    for destination in destinations:
        yield ConsignmentKey(destination, doomed.site, doomed.study_instance_uid, row.profile)


def _waiting(doomed: Doomed, uids: list[str]) -> Select[int]:
    """Count the jobs that somebody still waits for; nobody does for what a person rejected."""
    return select(func.count()).where(
        job.c.site == doomed.site,
        job.c.study_instance_uid == doomed.study_instance_uid,
        job.c.sop_instance_uid.in_(uids),
        job.c.cause != pixel_reviews.REJECTED,
    )


def _receipted(doomed: Doomed, uids: list[str]) -> Select[int]:
    """Count the instances that somebody said to have, after they came here: an older receipt is of what was deleted.

    The study leads to its receipts; a site may have millions.
    """
    same = and_(instance.c.site == delivery.c.site, instance.c.sop_instance_uid == delivery.c.sop_instance_uid)
    return (
        select(func.count(delivery.c.sop_instance_uid.distinct()))
        .select_from(delivery.join(instance, same))
        .where(
            delivery.c.site == doomed.site,
            delivery.c.study_instance_uid == doomed.study_instance_uid,
            delivery.c.sop_instance_uid.in_(uids),
            delivery.c.state.in_(_ARRIVED),
            delivery.c.at >= instance.c.received_at,
        )
    )


def _set_apart(connection: Connection, doomed: Doomed) -> int:
    """Return how many other bytes are kept beside the instances, under their UIDs: they are never delivered."""
    count, pks = 0, [pk for pk, _, _ in doomed.instances]
    for start in range(0, len(pks), CHUNK):
        same = conflict.c.first_instance_pk.in_(pks[start : start + CHUNK])
        count += connection.scalar(select(func.count()).select_from(conflict).where(same)) or 0
    return count


def _chunks(doomed: Doomed) -> Iterator[list[str]]:
    uids = [uid for _, _, uid in doomed.instances]
    for start in range(0, len(uids), CHUNK):
        yield uids[start : start + CHUNK]
