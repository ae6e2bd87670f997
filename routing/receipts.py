"""What the receipts of a batch mean, written in one transaction: deliveries, ended jobs, failed jobs, the breaker.

At-least-once sending becomes exactly-once effect here: a receipt and the end of its job are one commit, an instance
without a receipt is sent again, and a receiver that has it already says `duplicate`, which counts as delivered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from kernel.database import upsert
from kernel.events import Event, EventName, record, record_many
from kernel.telemetry import DELIVERIES
from routing import queue
from routing.breakers import STATUS_CHARACTERS, Pace, Said, pace_lane
from routing.consignments import ConsignmentKey, count_delivered, note_announced
from routing.jobs import SIGNAL_OF, LaneFailure, Signal, suspect_pause_s
from routing.queue import Failure, Holder, Job
from routing.tables import DETAIL_CHARACTERS, delivery
from routing.transport import Cause, Manifest, Receipt, ReceiptState

DAMAGED = "damaged"  # a cause of ours: the blob is missing, or shorter than it was


@dataclass(frozen=True, slots=True)
class Answered:
    """A job and the word about it. `damaged` when our own bytes could not be sent."""

    job: Job
    receipt: Receipt
    damaged: bool = False


def match(jobs: Sequence[Job], sent_as: Sequence[str], receipts: Sequence[Receipt]) -> list[Answered]:
    """Pair jobs with receipts; `sent_as` are the SOP Instance UIDs under which the jobs' instances were sent.

    What a transport says of an instance that was not sent counts for nothing, and silence about one that was is no
    success: it will be sent again.
    """
    by_uid = {receipt.sop_instance_uid: receipt for receipt in receipts}
    silence = "the transport gave no receipt"
    return [
        Answered(job, by_uid.get(uid) or Receipt(uid, ReceiptState.RETRY, Cause.LINK, "", silence))
        for job, uid in zip(jobs, sent_as, strict=True)
    ]


def record_receipts(
    connection: Connection,
    holder: Holder,
    answers: Sequence[Answered],
    manifest: Manifest | None,
    pace: Pace,
    *,
    now: datetime,
) -> None:
    """Write what a batch came to. Answers are of one lane, study and profile; `manifest` is what went with them."""
    arrived = [answer for answer in answers if answer.receipt.is_success]
    if arrived and manifest is not None:
        note_announced(connection, key_of(arrived[0].job), manifest.version)
    stopped = [answer for answer in answers if answer.damaged or _signal(answer) is Signal.REFUSED]
    cut = [answer for answer in answers if not (answer.receipt.is_success or answer in stopped)]
    _record_arrived(connection, holder, arrived, now)
    _record_stopped(connection, holder, stopped, now)
    pauses = [
        Failure(
            Signal.LANE_FAILED,
            answer.receipt.cause or Cause.LINK,
            answer.receipt.detail,
            now + timedelta(seconds=_own_pause_s(answer, pace)),
            counts=answer.receipt.cause is Cause.LINK,
        )
        for answer in cut
    ]
    queue.fail(connection, holder, [(answer.job, failure) for answer, failure in zip(cut, pauses, strict=True)])
    _pace_lane(connection, answers, cut[0] if cut else None, pace, now=now)


def record_announced(
    connection: Connection, holder: Holder, answer: Answered, manifest: Manifest | None, pace: Pace, *, now: datetime
) -> None:
    """Write what an announcement came to; without a manifest there was nothing to say yet, and that is no failure."""
    job, receipt = answer.job, answer.receipt
    if receipt.is_success:
        if queue.complete(connection, holder, [job]) and manifest is not None:
            note_announced(connection, key_of(job), manifest.version)
            _pace_lane(connection, [answer], None, pace, now=now)
        return
    failure = Failure(_signal(answer), _cause_word(answer), receipt.detail, now, counts=False)
    if not queue.fail(connection, holder, [(job, failure)]):
        return
    if failure.signal is Signal.REFUSED:
        tell_failed(connection, job, failure.cause, receipt, now)
    else:
        _pace_lane(connection, [answer], answer, pace, now=now)


def _signal(answer: Answered) -> Signal:
    return SIGNAL_OF[answer.receipt.cause] if answer.receipt.cause else Signal.SUCCEEDED


def _own_pause_s(answer: Answered, pace: Pace) -> float:
    """Only a lost link says something about the instance that was on it."""
    if answer.receipt.cause is not Cause.LINK:
        return 0.0
    return suspect_pause_s(answer.job.attempts, pace.backoff, pace.random)


def _record_arrived(connection: Connection, holder: Holder, arrived: Sequence[Answered], now: datetime) -> None:
    ended = queue.complete(connection, holder, [answer.job for answer in arrived])
    ours = [answer for answer in arrived if answer.job.pk in ended]
    if not ours:
        return
    new = _not_yet_delivered(connection, [answer.job for answer in ours])
    _write_deliveries(connection, ours, now)
    record_many(
        connection,
        [
            Event(
                EventName.INSTANCE_DELIVERED,
                now,
                answer.job.site,
                answer.job.study_instance_uid,
                answer.job.trace_id,
                {
                    "sop_instance_uid": answer.job.sop_instance_uid,
                    "destination": answer.job.lane,
                    "as": answer.receipt.state.value,
                },
            )
            for answer in ours
            if answer.job.sop_instance_uid in new
        ],
    )
    count_delivered(connection, key_of(ours[0].job), len(new), len(ours) - len(new), now)


def _record_stopped(connection: Connection, holder: Holder, stopped: Sequence[Answered], now: datetime) -> None:
    failures = [
        (answer.job, Failure(Signal.REFUSED, _cause_word(answer), answer.receipt.detail, now)) for answer in stopped
    ]
    ours = queue.fail(connection, holder, failures)
    told = [answer for answer in stopped if answer.job.pk in ours]
    _write_deliveries(connection, told, now)
    for answer in told:
        tell_failed(connection, answer.job, _cause_word(answer), answer.receipt, now)


def _cause_word(answer: Answered) -> str:
    return DAMAGED if answer.damaged else str(answer.receipt.cause or "")


def _pace_lane(
    connection: Connection, answers: Sequence[Answered], cut: Answered | None, pace: Pace, *, now: datetime
) -> None:
    """Let the lane flow or pause after a batch; what begins to fail is told once."""
    job = answers[0].job
    heard = any(answer.receipt.state is not ReceiptState.RETRY and not answer.damaged for answer in answers)
    if cut is None and not heard:
        return
    failure = None
    if cut is not None:
        receipt = cut.receipt
        failure = LaneFailure(receipt.cause or Cause.LINK, receipt.status, receipt.detail, receipt.retry_after_s)
    arrived = any(answer.receipt.is_success and bool(answer.job.sop_instance_uid) for answer in answers)
    is_new = pace_lane(connection, job.lane, Said(failure, heard, arrived), pace, now)
    if cut is not None and is_new:
        tell_failed(connection, job, str(cut.receipt.cause or Cause.LINK), cut.receipt, now)


def tell_failed(connection: Connection, job: Job, cause: str, receipt: Receipt, now: datetime) -> None:
    """Record DeliveryFailed: for an instance that stopped, or once when a lane begins to fail."""
    detail = {
        "destination": job.lane,
        "cause": cause,
        "status": receipt.status[:STATUS_CHARACTERS],
        "detail": receipt.detail[:DETAIL_CHARACTERS],
        "sop_instance_uid": job.sop_instance_uid,
    }
    record(connection, Event(EventName.DELIVERY_FAILED, now, job.site, job.study_instance_uid, job.trace_id, detail))


def key_of(job: Job) -> ConsignmentKey:
    """Return the consignment to which a job of delivery belongs."""
    return ConsignmentKey(job.lane, job.site, job.study_instance_uid, job.profile)


def _not_yet_delivered(connection: Connection, jobs: Sequence[Job]) -> set[str]:
    known = connection.execute(
        select(delivery.c.sop_instance_uid).where(
            delivery.c.destination == jobs[0].lane,
            delivery.c.site == jobs[0].site,
            delivery.c.sop_instance_uid.in_([job.sop_instance_uid for job in jobs]),
            delivery.c.profile == jobs[0].profile,
            delivery.c.state.in_([ReceiptState.DELIVERED.value, ReceiptState.DUPLICATE.value]),
        )
    ).scalars()
    return {job.sop_instance_uid for job in jobs} - set(known)


def _write_deliveries(connection: Connection, answers: Sequence[Answered], now: datetime) -> None:
    rows = [
        {
            "destination": answer.job.lane,
            "site": answer.job.site,
            "sop_instance_uid": answer.job.sop_instance_uid,
            "profile": answer.job.profile,
            "study_instance_uid": answer.job.study_instance_uid,
            "state": ReceiptState.REFUSED.value if answer.damaged else answer.receipt.state.value,
            "cause": _cause_word(answer),
            "status": answer.receipt.status[:STATUS_CHARACTERS],
            "detail": answer.receipt.detail[:DETAIL_CHARACTERS],
            "attempts": answer.job.attempts,
            "at": now,
        }
        for answer in answers
    ]
    key = ["destination", "site", "sop_instance_uid", "profile"]
    told = ["study_instance_uid", "state", "cause", "status", "detail", "attempts", "at"]
    upsert(connection, delivery, rows, key=key, update=told)


def count_metrics(answers: Sequence[Answered]) -> None:
    """Count what became of a batch, once its rows are durable."""
    for answer in answers:
        outcome = DAMAGED if answer.damaged else answer.receipt.state.value
        DELIVERIES.labels(answer.job.lane, outcome).inc()
