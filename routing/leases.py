"""Who serves a lane: leases with epochs, so that of many machines one sends, and a stale one changes nothing.

A process keeps a lease on every destination it serves and one on its own local work. An owner that starts anew takes
its lanes back at once, because its name is stable, and what it held when it was killed becomes ready again; another
owner must wait until the lease ends.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from kernel.database import tx_notify, upsert
from routing.jobs import JobState, Signal, next_state
from routing.queue import LOCAL_LANE, Holder, topic_of
from routing.tables import job, lane


def lease_name(lane_name: str, owner: str) -> str:
    """Return the row that is leased: a destination's own, or the owner's row for local work, which all may do."""
    return f"{LOCAL_LANE}/{owner}" if lane_name == LOCAL_LANE else lane_name


def take(connection: Connection, lane_name: str, owner: str, now: datetime, lease_s: float) -> Holder | None:
    """Begin to serve a lane; None while another owner's lease lasts. What was held there before becomes ready."""
    name = lease_name(lane_name, owner)
    upsert(connection, lane, [{"name": name}], key=["name"])
    row = connection.execute(
        select(lane.c.owner, lane.c.epoch, lane.c.lease_until).where(lane.c.name == name).with_for_update()
    ).one()
    if row.owner not in ("", owner) and row.lease_until is not None and row.lease_until >= now:
        return None
    holder = Holder(owner, row.epoch + 1)
    connection.execute(
        update(lane)
        .where(lane.c.name == name)
        .values(owner=owner, epoch=holder.epoch, lease_until=now + timedelta(seconds=lease_s))
    )
    left = update(job).where(job.c.state == JobState.RUNNING.value, job.c.lane == lane_name)
    if lane_name == LOCAL_LANE:
        left = left.where(job.c.owner == owner)
    after = next_state(JobState.RUNNING, Signal.LEASE_EXPIRED)
    connection.execute(left.values(state=after.value, owner="", lease_until=None))
    tx_notify(connection, topic_of(lane_name))
    return holder


def keep(connection: Connection, lane_name: str, holder: Holder, now: datetime, lease_s: float) -> bool:
    """Renew a lease; False when the lane has changed hands."""
    kept = connection.execute(
        update(lane)
        .where(lane.c.name == lease_name(lane_name, holder.owner))
        .where(lane.c.owner == holder.owner, lane.c.epoch == holder.epoch)
        .values(lease_until=now + timedelta(seconds=lease_s))
    )
    return kept.rowcount == 1


def holds(connection: Connection, lane_name: str, holder: Holder) -> bool:
    """Return whether the lane is still the holder's, in the running transaction."""
    return (
        connection.execute(
            select(lane.c.name)
            .where(lane.c.name == lease_name(lane_name, holder.owner))
            .where(lane.c.owner == holder.owner, lane.c.epoch == holder.epoch)
        ).one_or_none()
        is not None
    )


def give_up(connection: Connection, lane_name: str, holder: Holder) -> None:
    """End a lease, so that another owner need not wait. The epoch stays, so that a late word changes nothing."""
    connection.execute(
        update(lane)
        .where(lane.c.name == lease_name(lane_name, holder.owner))
        .where(lane.c.owner == holder.owner, lane.c.epoch == holder.epoch)
        .values(owner="", lease_until=None)
    )
