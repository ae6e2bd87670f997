"""What a person is told about lanes and studies."""

from routing import status
from routing.jobs import JobState
from routing.transport import Cause
from tests.support.builders import a_ct, a_ct_series


def lanes(hospital, *names: str):
    with hospital.database.read() as connection:
        return {lane.name: lane for lane in status.lanes(connection, names, hospital.clock.now())}


def test_a_lane_tells_its_backlog_its_age_and_why_it_does_not_flow(hospital, clock):
    hospital.hub.down = Cause.FULL
    hospital.receives(*a_ct_series(3), released=False)
    hospital.settles()
    clock.advance(1)

    lane = lanes(hospital, "hub")["hub"]

    assert (lane.ready, lane.running, lane.held, lane.dead) == (3, 0, 0, 0)
    assert (lane.oldest_age_s, lane.paused_s) == (1, 1)
    assert (lane.flowing, lane.cause, lane.status, lane.detail) == (False, "full", "503", "not now")
    assert lane.delivered_at is None


def test_a_lane_that_delivered_tells_when_and_is_empty(hospital, clock):
    hospital.receives(a_ct())
    hospital.settles()

    lane = lanes(hospital, "hub")["hub"]

    assert (lane.ready, lane.oldest_age_s, lane.flowing, lane.delivered_at) == (0, None, True, clock.now())


def test_lanes_of_destinations_that_the_configuration_forgot_are_told_too(hospital):
    hospital.hub.down = Cause.LINK
    hospital.receives(a_ct())
    hospital.settles()

    assert list(lanes(hospital, "pacs")) == ["local", "pacs", "hub"]


def test_a_study_tells_how_far_it_is(hospital):
    hospital.with_rules({"to": ["hub", "pacs"]})
    hospital.hub.down = Cause.LINK
    hospital.receives(*a_ct_series(2))
    hospital.settles()

    with hospital.database.read() as connection:
        hub, pacs = status.progress(connection, "BVA", a_ct().StudyInstanceUID)

    assert (hub.destination, hub.delivered, hub.instances, hub.delivered_at) == ("hub", 0, 2, None)
    assert (pacs.destination, pacs.delivered, pacs.evidence) == ("pacs", 2, "association-released")
    assert pacs.sent_study_instance_uid == a_ct().StudyInstanceUID != hub.sent_study_instance_uid


def test_stopped_jobs_can_be_asked_for_by_lane(hospital):
    hospital.with_rules({"to": ["hub", "pacs"], "hold": "review"})
    hospital.receives(a_ct())
    hospital.settles()

    with hospital.database.read() as connection:
        held = status.stopped_jobs(connection, JobState.HELD, "pacs")

    assert [(one.lane, one.kind, one.cause) for one in held] == [("pacs", "deliver", "review")]


def test_releasing_names_the_site_when_two_have_the_same_uid(hospital, clock):
    hospital.with_rules({"to": "hub", "hold": "review"})
    hospital.receives(a_ct())
    hospital.settles()

    def release(site):
        return hospital.database.write(
            lambda connection: status.release(connection, a_ct().StudyInstanceUID, "lan", clock.now(), site)
        )

    assert release("BVB") == 0
    assert release("BVA") == 1
