"""What a person decides about pixels that a cleaner is not sure of: to mask boxes and send, or never to send.

The row has boxes and words of a list, nothing that is written in the pixels. Accepting makes the instance anew with the
boxes that the person wants masked: its held deliveries go, and a de-identification that leads to them takes their place.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, delete, select, update

from kernel.audit import Action, Line, append
from kernel.database import upsert
from kernel.dicom.pixels.boxes import Box
from kernel.errors import InvalidRequest, NotFound
from routing import consignments
from routing.consignments import ConsignmentKey
from routing.jobs import JobState
from routing.queue import LOCAL_LANE, Job, NewJob, enqueue
from routing.tables import job, pixel_review

PIXEL_REVIEW: Final = "pixel-review"  # the cause of a delivery that waits for a look at its pixels
REJECTED: Final = "pixels-rejected"  # a person looked: it does not leave
REVIEWS_MAX: Final = 500  # listed at once
BOXES_MAX: Final = 200  # drawn on one instance
SIDE_MAX: Final = 65_535  # Rows and Columns have 16 bits

ReviewState = Literal["waiting", "accepted", "rejected", "released"]


@dataclass(frozen=True, slots=True)
class Review:
    """An instance that waits for a person, or waited."""

    site: str
    study_instance_uid: str
    sop_instance_uid: str
    profile: str
    reason: str
    proposed: tuple[Box, ...]
    state: ReviewState
    at: datetime
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides, from where."""

    who: str
    address: str = ""


def ask(connection: Connection, done: Job, reason: str, proposed: Sequence[Box], now: datetime) -> None:
    """Let an instance wait for a person; a decision that was made about it before is no longer valid."""
    row = {
        "site": done.site,
        "sop_instance_uid": done.sop_instance_uid,
        "profile": done.profile,
        "study_instance_uid": done.study_instance_uid,
        "reason": reason,
        "proposed": json.dumps(proposed[:BOXES_MAX]),
        "state": "waiting",
        "drawn": "",
        "decided_by": "",
        "fallback_charset": done.fallback_charset,
        "at": now,
        "decided_at": None,
    }
    key = ["site", "sop_instance_uid", "profile"]
    upsert(connection, pixel_review, [row], key=key, update=[name for name in row if name not in key])


def drawn_on(connection: Connection, of: Job) -> tuple[Box, ...] | None:
    """Return the boxes that a person wants masked in the instance of a job; None when nobody decided."""
    text = connection.execute(
        select(pixel_review.c.drawn).where(
            _is(of.site, of.sop_instance_uid, of.profile), pixel_review.c.state == "accepted"
        )
    ).scalar_one_or_none()
    return None if text is None else _boxes(text)


def reviews(
    connection: Connection, state: ReviewState = "waiting", sites: frozenset[str] | None = None
) -> list[Review]:
    """Return reviews, oldest first, at most REVIEWS_MAX; of all sites if `sites` is None."""
    query = select(pixel_review).where(pixel_review.c.state == state)
    if sites is not None:
        query = query.where(pixel_review.c.site.in_(sites))
    return [_review(row) for row in connection.execute(query.order_by(pixel_review.c.at).limit(REVIEWS_MAX))]


def find(connection: Connection, site: str | None, sop_instance_uid: str, profile: str | None = None) -> Review:
    """Return the review of an instance that waits.

    Raises
    ------
    NotFound
        None waits; or several do, of other sites or profiles, and these were not named.
    """
    query = select(pixel_review).where(
        pixel_review.c.sop_instance_uid == sop_instance_uid, pixel_review.c.state == "waiting"
    )
    if site is not None:
        query = query.where(pixel_review.c.site == site)
    if profile is not None:
        query = query.where(pixel_review.c.profile == profile)
    rows = connection.execute(query.limit(2)).all()
    if len(rows) != 1:
        raise NotFound(what="review of this instance that waits")
    return _review(rows[0])


def accept(connection: Connection, review: Review, boxes: Sequence[Box], by: Reviewer, now: datetime) -> int:
    """Have the instance made anew with `boxes` masked and sent; return to how many destinations.

    Raises
    ------
    InvalidRequest
        The boxes are too many, or none that could be.
    NotFound
        Somebody else decided meanwhile.
    """
    if len(boxes) > BOXES_MAX or any(box.is_empty or min(box) < 0 or max(box) > SIDE_MAX for box in boxes):
        raise InvalidRequest(reason=f"masks are at most {BOXES_MAX} boxes of top, left, bottom, right in pixels")
    charset = _decide(connection, review, boxes, by, now)
    held = connection.execute(
        delete(job).where(_waits(review)).returning(job.c.lane, job.c.priority, job.c.trace_id, job.c.size_bytes)
    ).all()
    if held:
        again = NewJob(
            kind="deidentify",
            lane=LOCAL_LANE,
            priority=min(row.priority for row in held),
            site=review.site,
            study_instance_uid=review.study_instance_uid,
            sop_instance_uid=review.sop_instance_uid,
            profile=review.profile,
            trace_id=held[0].trace_id,
            targets=json.dumps([(row.lane, PIXEL_REVIEW) for row in held]),
            fallback_charset=charset,
            size_bytes=held[0].size_bytes,
        )
        enqueue(connection, [again], now)
    return len(held)


def reject(connection: Connection, review: Review, by: Reviewer, now: datetime) -> int:
    """Never send the instance; return from how many destinations it is kept. Nobody can release it afterwards.

    It is promised there no more: the study is complete without it.

    Raises
    ------
    NotFound
        Somebody else decided meanwhile.
    """
    _decide(connection, review, None, by, now)
    kept = update(job).where(_waits(review)).values(cause=REJECTED).returning(job.c.lane)
    lanes = connection.execute(kept).scalars().all()
    keys = [ConsignmentKey(lane, review.site, review.study_instance_uid, review.profile) for lane in lanes]
    consignments.withdraw(connection, Counter(keys), now)
    return len(lanes)


def release(connection: Connection, study_instance_uid: str, who: str, now: datetime, site: str | None = None) -> None:
    """Let nothing of a study wait any longer, for its instances go as they are; nobody decided about masks."""
    waiting = update(pixel_review).where(
        pixel_review.c.study_instance_uid == study_instance_uid, pixel_review.c.state == "waiting"
    )
    if site is not None:
        waiting = waiting.where(pixel_review.c.site == site)
    connection.execute(waiting.values(state="released", decided_by=who, decided_at=now))


def forget(connection: Connection, site: str, sop_instance_uids: Sequence[str]) -> None:
    """Remove what was asked about instances that are deleted."""
    connection.execute(
        delete(pixel_review).where(
            pixel_review.c.site == site, pixel_review.c.sop_instance_uid.in_(list(sop_instance_uids))
        )
    )


def _decide(connection: Connection, review: Review, drawn: Sequence[Box] | None, by: Reviewer, now: datetime) -> str:
    """Record a decision with its audit line, None for a rejection; return the fallback charset of the instance."""
    state = "rejected" if drawn is None else "accepted"
    decided = connection.execute(
        update(pixel_review)
        .where(_is(review.site, review.sop_instance_uid, review.profile), pixel_review.c.state == "waiting")
        .values(state=state, drawn=json.dumps(list(drawn or ())), decided_by=by.who, decided_at=now)
        .returning(pixel_review.c.fallback_charset)
    ).one_or_none()
    if decided is None:
        raise NotFound(what="review of this instance that waits")
    detail = {"pixels": state, "sop_instance_uid": review.sop_instance_uid, "masks": len(drawn or ())}
    line = Line(
        now,
        Action.APPLICATION_ACTIVITY,
        by.who,
        site=review.site,
        study_instance_uid=review.study_instance_uid,
        address=by.address,
        detail=detail,
    )
    append(connection, line)
    return str(decided.fallback_charset)


def _waits(review: Review) -> ColumnElement[bool]:
    return (
        (job.c.kind == "deliver")
        & (job.c.site == review.site)
        & (job.c.study_instance_uid == review.study_instance_uid)
        & (job.c.sop_instance_uid == review.sop_instance_uid)
        & (job.c.profile == review.profile)
        & (job.c.state == JobState.HELD.value)
        & (job.c.cause == PIXEL_REVIEW)
    )


def _is(site: str, sop_instance_uid: str, profile: str) -> ColumnElement[bool]:
    return (
        (pixel_review.c.site == site)
        & (pixel_review.c.sop_instance_uid == sop_instance_uid)
        & (pixel_review.c.profile == profile)
    )


def _boxes(text: str) -> tuple[Box, ...]:
    return tuple(Box(*box) for box in json.loads(text or "[]"))


def _review(row: Any) -> Review:
    return Review(
        row.site,
        row.study_instance_uid,
        row.sop_instance_uid,
        row.profile,
        row.reason,
        _boxes(row.proposed),
        row.state,
        row.at,
        row.decided_by,
        row.decided_at,
    )
