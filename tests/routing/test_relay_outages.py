"""What happens when an instance cannot be sent: a cut, a full, absent or unwilling destination, a poison instance."""

from sqlalchemy import select

from kernel.events import EventName
from routing import status
from routing.jobs import JobState
from routing.tables import delivery, job
from routing.transport import Cause
from tests.support.builders import a_ct, a_ct_series


def lanes(hospital):
    with hospital.database.read() as connection:
        return status.lanes(connection, ["hub", "pacs"], hospital.clock.now())


def stopped(hospital, state):
    with hospital.database.read() as connection:
        return status.stopped_jobs(connection, state)


def test_after_a_cut_only_what_has_no_receipt_is_sent_again(hospital_on_each, clock):
    hospital = hospital_on_each
    hospital.hub.cut_after = 3
    hospital.receives(*a_ct_series(8))

    hospital.settles()
    assert len(hospital.hub.instances) == 3
    clock.advance(2)
    hospital.settles()

    first, *later = hospital.hub.batches
    assert len(hospital.hub.instances) == 8
    assert set(first[:3]).isdisjoint(uid for batch in later for uid in batch)
    assert sorted(first[:3] + [uid for batch in later for uid in batch]) == sorted(hospital.hub.instances)
    assert hospital.names_of(a_ct().StudyInstanceUID).count("StudyDelivered") == 1


def test_an_answer_that_is_lost_makes_duplicates_which_are_a_success(hospital, clock):
    hospital.hub.loses_next_answer = True
    hospital.receives(*a_ct_series(4))
    hospital.settles()
    clock.advance(2)

    hospital.settles()

    states = [row.state for row in hospital.rows(select(delivery.c.state))]
    assert states == ["duplicate"] * 4
    assert len(hospital.hub.instances) == 4
    assert hospital.names_of(a_ct().StudyInstanceUID)[-1] == "StudyDelivered"


def test_a_destination_that_is_down_all_day_gets_everything_and_is_asked_seldom(hospital, clock):
    hospital.hub.down = Cause.LINK
    for hour in range(12):
        hospital.receives(*a_ct_series(2, seed=f"study {hour}"), session=f"s{hour}")
        for _ in range(12):
            hospital.settles()
            clock.advance(300)
    attempts = len(hospital.hub.batches) + hospital.hub.probes
    assert hospital.hub.instances == {}
    assert len(hospital.hub.batches) == 1  # then one probe each time, never a batch
    assert attempts <= 12 * 12 + 10  # the pause is capped at five minutes, and grows to them at once
    (lane,) = [lane for lane in lanes(hospital) if lane.name == "hub"]
    assert (lane.ready, lane.flowing, lane.cause) == (24, False, "link")

    hospital.hub.down = None
    clock.advance(300)
    hospital.settles()

    assert len(hospital.hub.instances) == 24
    assert hospital.count(job) == 0
    assert len(hospital.events(EventName.STUDY_DELIVERED)) == 12
    assert len(hospital.events(EventName.DELIVERY_FAILED)) == 1  # told once, not at each attempt


def test_pauses_of_a_lane_are_capped(hospital, clock):
    hospital.hub.down = Cause.LINK
    hospital.receives(a_ct())
    pauses = []

    for _ in range(12):
        hospital.settles()
        (lane,) = [lane for lane in lanes(hospital) if lane.name == "hub"]
        pauses.append(lane.paused_s)
        clock.advance(lane.paused_s)

    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_a_full_destination_is_left_alone_for_as_long_as_it_asks(hospital, clock):
    hospital.hub.down, hospital.hub.retry_after_s = Cause.FULL, 90
    hospital.receives(a_ct())
    hospital.settles()
    hospital.hub.down = None
    clock.advance(89)
    hospital.settles()
    assert hospital.hub.instances == {}

    clock.advance(1)
    hospital.settles()

    assert len(hospital.hub.instances) == 1


def test_a_destination_that_lets_nobody_in_is_told_to_a_person_who_says_retry(hospital, clock):
    hospital.hub.down = Cause.AUTHENTICATION
    hospital.receives(a_ct())
    hospital.settles()
    (failure,) = hospital.details(EventName.DELIVERY_FAILED)
    assert (failure["destination"], failure["cause"]) == ("hub", "authentication")

    hospital.hub.down = None
    hospital.settles()
    assert hospital.hub.instances == {}  # the longest pause, at once

    hospital.database.write(lambda connection: status.retry(connection, "hub", clock.now()))
    hospital.settles()

    assert len(hospital.hub.instances) == 1


def test_a_poison_instance_does_not_block_its_study(hospital):
    hospital.with_rules({"to": "pacs"})
    slices = list(a_ct_series(5))
    hospital.pacs.poison = {slices[1].SOPInstanceUID}

    hospital.receives(*slices)
    hospital.settles()

    assert len(hospital.pacs.instances) == 4
    (dead,) = stopped(hospital, JobState.DEAD)
    assert (dead.sop_instance_uid, dead.cause, dead.attempts) == (slices[1].SOPInstanceUID, "poison", 1)
    (failure,) = hospital.details(EventName.DELIVERY_FAILED)
    assert (failure["sop_instance_uid"], failure["status"]) == (slices[1].SOPInstanceUID, "C000")
    assert hospital.events(EventName.STUDY_DELIVERED) == []


def test_a_dead_instance_that_is_retried_completes_its_study(hospital, clock):
    hospital.with_rules({"to": "pacs"})
    slices = list(a_ct_series(3))
    hospital.pacs.poison = {slices[1].SOPInstanceUID}
    hospital.receives(*slices)
    hospital.settles()
    hospital.pacs.poison = set()

    came_back = hospital.database.write(lambda connection: status.retry(connection, "pacs", clock.now()))
    hospital.settles()

    assert came_back == 1
    assert len(hospital.pacs.instances) == 3
    assert len(hospital.events(EventName.STUDY_DELIVERED)) == 1


def test_an_instance_that_makes_the_peer_hang_up_does_not_block_its_study(hospital, clock):
    hospital.with_rules({"to": "pacs"})
    slices = list(a_ct_series(20))
    culprit = slices[0].SOPInstanceUID
    hospital.pacs.hangs_up_on = {culprit}
    hospital.receives(*slices)

    for _ in range(40):
        hospital.settles()
        clock.advance(10)

    assert len(hospital.pacs.instances) == 19
    assert [len(batch) for batch in hospital.pacs.batches if culprit in batch][-1] == 1

    hospital.pacs.hangs_up_on = set()
    clock.advance(300)
    hospital.settles()

    assert len(hospital.pacs.instances) == 20


def test_other_bytes_at_the_receiver_are_reported_and_the_rest_goes_on(hospital):
    hospital.with_rules({"to": "pacs"})
    slices = list(a_ct_series(3))
    hospital.pacs.instances[slices[0].SOPInstanceUID] = "another digest"

    hospital.receives(*slices)
    hospital.settles()

    (dead,) = stopped(hospital, JobState.DEAD)
    assert dead.cause == "conflict"
    assert len(hospital.pacs.studies[slices[0].StudyInstanceUID]) == 2


def test_a_blob_that_is_gone_stops_its_instance_alone(hospital):
    hospital.with_rules({"to": "pacs"})
    hospital.receives(*a_ct_series(3), released=False)
    key = hospital.rows(select(job.c.sop_instance_uid))[0].sop_instance_uid
    (path,) = [path for path in hospital.root.rglob("*-1.2.840*") if key.encode() in path.read_bytes()]
    path.unlink()

    hospital.settles()

    assert len(hospital.pacs.instances) == 2
    (dead,) = stopped(hospital, JobState.DEAD)
    assert (dead.cause, dead.detail) == ("damaged", "the blob is missing or shorter than it was")


def test_a_lane_that_another_owner_took_is_left_alone(hospital, clock):
    hospital.with_rules({"to": "pacs"})
    stale = hospital.holders["pacs"]
    hospital.starts()
    hospital.receives(a_ct())

    assert not hospital.relays["pacs"].turn(stale).worked
    assert hospital.relays["pacs"].turn(hospital.holders["pacs"]).worked
