"""From the scanner's instance to the receipt: what is sent, in which order, and what happens when it cannot be."""

import pytest
from sqlalchemy import update

from kernel.archive.tables import study
from kernel.events import EventName
from routing.tables import derived, job, vault_entry
from routing.transport import Cause
from tests.support.builders import a_cr, a_ct, a_ct_series


def test_a_study_arrives_pseudonymised_and_tells_its_way(hospital_on_each):
    hospital = hospital_on_each
    slices = list(a_ct_series(5))

    hospital.receives(*slices)
    hospital.settles()

    assert len(hospital.hub.instances) == 5
    assert slices[0].StudyInstanceUID not in hospital.hub.studies
    assert not any(b"Nguy" in content or b"HUONG" in content.upper() for content in hospital.hub.contents.values())
    assert hospital.names_of(slices[0].StudyInstanceUID) == [
        "InstanceReceived",
        "PlanMade",
        *["InstanceReceived"] * 4,
        "StudyComplete",
        *["InstanceDeidentified"] * 5,
        "StudyDeidentified",
        *["InstanceDelivered"] * 5,
        "StudyDelivered",
    ]
    assert hospital.count(job) == 0
    assert hospital.count(derived) == 5
    assert hospital.count(vault_entry) > 0


def test_every_event_of_a_study_has_its_trace_id(hospital):
    (ingested, *_) = hospital.receives(*a_ct_series(3))
    hospital.settles()

    assert {event.trace_id for event in hospital.events()} == {ingested.trace_id}
    assert {manifest.trace_id for manifest in hospital.hub.batch_manifests} == {ingested.trace_id}


def test_the_first_instance_is_delivered_before_the_second_comes(hospital):
    hospital.receives(a_ct(instance=1), released=False)

    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert hospital.hub.batch_manifests[0].complete is None


def test_a_destination_without_profile_gets_the_instance_as_received(hospital):
    hospital.with_rules({"to": "pacs"})
    ct = a_ct()

    hospital.receives(ct)
    hospital.settles()

    assert list(hospital.pacs.instances) == [ct.SOPInstanceUID]
    assert hospital.count(derived) == 0


def test_two_destinations_share_one_derived_instance(hospital):
    hospital.with_rules({"to": ["hub", "pacs"], "profile": "basic"})

    hospital.receives(*a_ct_series(3))
    hospital.settles()

    assert hospital.hub.instances == hospital.pacs.instances
    assert hospital.count(derived) == 3


def test_the_same_instance_sent_twice_by_the_scanner_is_delivered_once(hospital):
    hospital.receives(a_ct())
    hospital.settles()

    hospital.receives(a_ct(), session="s2")
    hospital.settles()

    assert len(hospital.hub.batches) == 1


def test_a_study_that_no_rule_wants_stays_and_says_so(hospital):
    hospital.with_rules({"to": "hub", "modality": "CT"})

    hospital.receives(a_cr())
    hospital.settles()

    assert hospital.hub.batches == []
    (plan,) = hospital.details(EventName.PLAN_MADE)
    assert (plan["to"], plan["rules"]) == ([], [])


def test_one_plan_is_told_for_a_study_and_again_after_a_restart_only_if_the_rules_changed(hospital):
    hospital.receives(a_ct(instance=1))
    hospital.starts()
    hospital.receives(a_ct(instance=2), session="s2")
    assert len(hospital.events(EventName.PLAN_MADE)) == 1

    hospital.with_rules({"to": ["hub", "pacs"]})
    hospital.receives(a_ct(instance=3), session="s3")

    assert [plan["to"] for plan in hospital.details(EventName.PLAN_MADE)] == [
        ["hub (tele-read)"],
        ["hub (tele-read)", "pacs (none)"],
    ]


# --- order ------------------------------------------------------------------------------------------------------------


def test_stat_overtakes_five_hundred_routine_instances(hospital):
    hospital.with_rules({"to": "pacs"}, {"to": "pacs", "source": "ER", "priority": "stat"})
    hospital.receives(*a_ct_series(500, seed="routine", rows=8, columns=8), at_once=16)
    relay, holder = hospital.relays["pacs"], hospital.holders["pacs"]
    relay.turn(holder)
    urgent = a_ct(seed="emergency")

    hospital.receives(urgent, peer="ER", session="s2")
    relay.turn(holder)

    assert hospital.pacs.batches[1] == [urgent.SOPInstanceUID]
    hospital.settles()
    assert len(hospital.pacs.instances) == 501


def test_a_slot_is_kept_free_for_stat(hospital):
    hospital.with_rules({"to": "pacs"}, {"to": "pacs", "source": "ER", "priority": "stat"})
    reserved = hospital.relay("pacs", hospital.pacs, priority_max=0)
    urgent = a_ct(seed="emergency")
    hospital.receives(*a_ct_series(20, seed="routine"))
    assert not reserved.turn(hospital.holders["pacs"]).worked

    # While the other slot carries a large routine batch, an emergency comes in.
    def meanwhile(batch):
        hospital.pacs.before_deliver = None
        hospital.receives(urgent, peer="ER", session="s2")
        reserved.turn(hospital.holders["pacs"])

    hospital.pacs.before_deliver = meanwhile
    hospital.relays["pacs"].turn(hospital.holders["pacs"])

    assert hospital.pacs.batches[0] == [urgent.SOPInstanceUID]


def test_a_later_instance_can_make_the_whole_study_urgent(hospital):
    hospital.with_rules(
        {"to": "pacs"}, {"to": "pacs", "description": "*cap cuu*", "priority": "stat"}, batch_instances=1
    )
    hospital.receives(a_ct(seed="a"), session="s1")
    hospital.receives(*a_ct_series(2, seed="b"), session="s2")
    last = a_ct(seed="b", instance=3, StudyDescription="CT sọ não CẤP CỨU")
    hospital.receives(last, session="s3")

    hospital.settles()

    order = [uid for (uid,) in hospital.pacs.batches]
    assert order[-1] == a_ct(seed="a").SOPInstanceUID
    assert {manifest.priority for manifest in hospital.pacs.batch_manifests[:3]} == {"stat"}


def test_a_batch_holds_the_configured_number_of_instances(hospital):
    hospital.with_rules({"to": "pacs"}, batch_instances=4)

    hospital.receives(*a_ct_series(10))
    hospital.settles()

    assert [len(batch) for batch in hospital.pacs.batches] == [4, 4, 2]


# --- failure ----------------------------------------------------------------------------------------------------------


# --- manifests --------------------------------------------------------------------------------------------------------


def test_the_manifest_goes_with_every_batch_and_its_version_only_grows(hospital):
    hospital.with_rules({"to": "hub"}, batch_instances=2)
    hospital.receives(*a_ct_series(3), released=False)
    hospital.settles()
    hospital.receives(a_ct(instance=4), released=True)
    hospital.settles()

    sent = [*hospital.hub.batch_manifests, *hospital.hub.announced]
    versions = [manifest.version for manifest in sent]
    assert versions == sorted(versions)
    assert sent[-1].instances == 4
    assert sent[-1].complete == "association-released"
    assert {manifest.study_instance_uid for manifest in sent} == set(hospital.hub.studies)


def test_a_study_that_is_not_complete_is_said_to_have_what_its_modality_named(hospital):
    def names(instances: int | None) -> None:  # as MPPS does
        hospital.database.write(
            lambda connection: connection.execute(update(study).values(expected_instances=instances))
        )

    hospital.receives(*a_ct_series(2), released=False)
    names(7)
    hospital.settles()
    assert [(one.instances, one.complete) for one in hospital.hub.batch_manifests] == [(7, None)]

    names(2)
    hospital.committer.end_session("BVA", "s1", "association-released")
    hospital.settles()

    assert [(one.instances, one.complete) for one in hospital.hub.announced] == [(2, "association-released")]


def test_completeness_is_announced_when_nothing_is_left_to_send_with_it(hospital):
    hospital.receives(*a_ct_series(2), released=False)
    hospital.settles()
    assert hospital.hub.announced == []

    hospital.committer.end_session("BVA", "s1", "association-released")
    hospital.settles()

    (announced,) = hospital.hub.announced
    assert (announced.complete, announced.instances) == ("association-released", 2)
    assert hospital.names_of(a_ct().StudyInstanceUID)[-1] == "StudyDelivered"


def test_a_later_instance_opens_the_study_again_and_it_is_delivered_again(hospital):
    hospital.receives(a_ct(instance=1))
    hospital.settles()

    hospital.receives(a_ct(instance=2), session="s2", released=False)
    hospital.settles()
    assert hospital.hub.batch_manifests[-1].complete is None
    hospital.committer.end_session("BVA", "s2", "association-released")
    hospital.settles()

    assert [detail["instances"] for detail in hospital.details(EventName.STUDY_DELIVERED)] == [1, 2]


@pytest.mark.parametrize("cause", [Cause.LINK, Cause.FULL, Cause.AUTHENTICATION])
def test_an_announcement_that_fails_is_made_later(hospital, clock, cause):
    hospital.receives(a_ct(), released=False)
    hospital.settles()
    hospital.hub.down = cause
    hospital.committer.end_session("BVA", "s1", "association-released")
    hospital.settles()
    assert hospital.hub.announced == []

    hospital.hub.down = None
    clock.advance(300)
    hospital.settles()

    assert [manifest.complete for manifest in hospital.hub.announced] == ["association-released"]
