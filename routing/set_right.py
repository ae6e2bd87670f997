"""After the machine's clock was put back: what waits for a time of the clock that was wrong is due now.

Nothing is lost by a clock that is put back an hour, but pauses and leases were written as moments, and would last an hour
longer. Here they end: a pause that ends early costs one question to a destination, a lease begins anew.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, literal_column, select, update

from kernel.archive.commitment import requests as commitments
from kernel.database import tx_notify
from routing.queue import topic_of
from routing.tables import handover, job, lane


def set_right(connection: Connection, now: datetime, *, longest_s: float, lease_s: float) -> None:
    """Let nothing wait for longer than `longest_s`, the longest pause that there can be, and no lease last beyond its own.

    With `longest_s` zero every pause ends.
    """
    latest, lease = now + timedelta(seconds=longest_s), now + timedelta(seconds=lease_s)
    ready = update(job).where(job.c.state == literal_column("'ready'"), job.c.run_at > latest)
    connection.execute(ready.values(run_at=now))
    due = update(handover).where(handover.c.state == "due", handover.c.next_at > latest)
    connection.execute(due.values(next_at=now))
    connection.execute(update(lane).where(lane.c.until > latest).values(until=now))
    commitments.set_right(connection, latest, now)
    running = update(job).where(job.c.state == literal_column("'running'"), job.c.lease_until > lease)
    connection.execute(running.values(lease_until=lease))
    connection.execute(update(lane).where(lane.c.lease_until > lease).values(lease_until=lease))
    for name in connection.execute(select(lane.c.name)).scalars():
        tx_notify(connection, topic_of(name))
