"""What comes back about a study that left pseudonymised: noticed as it is stored, and led home as a job of its own.

It is never planned as it arrived: rules are asked about the re-identified object, and of what they say only the
destinations count that take identified studies. So no report goes round in circles.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from kernel.archive.records import Origin, Stored
from routing.destinations import NO_PROFILE
from routing.queue import LOCAL_LANE, NewJob, enqueue
from routing.rules import Plan, Priority
from routing.tables import VARIANT_CHARACTERS, derived

REIDENTIFIED: Final = "reidentified"  # the source that rules know what was led home by
_OURS: Final = "2.25."  # how UIDs begin that de-identification made


def came_back(connection: Connection, site: str, study_instance_uid: str, peer: str, from_peers: Iterable[str]) -> bool:
    """Whether an instance is about a study that left this site, or claims to be, by coming from such a peer."""
    if peer in from_peers:
        return True
    if not study_instance_uid.startswith(_OURS):
        return False
    released = select(derived.c.site).where(
        derived.c.new_study_instance_uid == study_instance_uid, derived.c.site == site
    )
    return connection.execute(released.limit(1)).first() is not None


def lead_home(connection: Connection, stored: Iterable[Stored], now: datetime) -> None:
    """Promise to re-identify instances."""
    enqueue(
        connection,
        [
            NewJob(
                kind="reidentify",
                lane=LOCAL_LANE,
                priority=Priority.URGENT,
                site=one.received.origin.site,
                study_instance_uid=one.ingested.study_instance_uid,
                sop_instance_uid=one.ingested.sop_instance_uid,
                profile=NO_PROFILE,
                trace_id=one.ingested.trace_id,
                variant=one.received.origin.peer[:VARIANT_CHARACTERS],
                size_bytes=one.received.size_bytes,
            )
            for one in stored
        ],
        now,
    )


def at_home(plan: Plan, origin: Origin) -> Plan:
    """Return a plan without what would leave the site, if the instance was re-identified here."""
    if origin.channel != "returned":
        return plan
    return replace(plan, legs=tuple(leg for leg in plan.legs if leg.profile == NO_PROFILE), kept_from=())
