"""Pixels that a cleaner is not sure of wait for a person, who has boxes masked, or keeps the instance for good."""

import io
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from sqlalchemy import select

from anonymizer.pixels.cleaner import Cleaner
from kernel import audit
from kernel.dicom.pixels.boxes import Box
from kernel.errors import InvalidRequest, NotFound
from kernel.events import EventName
from routing import pixel_reviews, status
from routing.pixel_reviews import BOXES_MAX, Reviewer
from routing.report_page import page
from routing.study_reports import StudyReports
from routing.tables import consignment, pixel_review
from tests.support.builders import a_ct, an_us_cine

PAGE = Box(0, 0, 40, 60)
LAN = Reviewer("bs.lan", "10.0.0.7")


class Sees:
    """A finder that sees text in one place, masked or not."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = boxes

    def find(self, picture, long_side):
        return tuple((box, "text") for box in self.boxes if picture[box.top : box.bottom, box.left : box.right].any())


@pytest.fixture
def doubtful(hospital):
    """A hospital with an ultrasound cine that is mostly text."""
    hospital.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(Sees(PAGE))
    hospital.receives(an_us_cine())
    hospital.settles()
    return hospital


def waiting(hospital) -> list[pixel_reviews.Review]:
    with hospital.database.read() as connection:
        return pixel_reviews.reviews(connection)


def decide(hospital, decision, *arguments):
    now = hospital.clock.now()
    return hospital.database.write(lambda connection: decision(connection, *arguments, LAN, now))


def sent(hospital) -> pydicom.Dataset:
    (content,) = hospital.hub.contents.values()
    return pydicom.dcmread(io.BytesIO(content), force=True)


def test_what_is_cleaned_goes_and_what_is_doubtful_waits_with_a_proposal(hospital):
    hospital.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(Sees(Box(2, 2, 10, 60)))

    hospital.receives(an_us_cine())
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert waiting(hospital) == []
    assert sent(hospital).BurnedInAnnotation == "NO"


def test_a_doubtful_instance_is_held_and_listed_by_boxes_alone(doubtful):
    (review,) = waiting(doubtful)

    assert doubtful.hub.batches == []
    assert (review.reason, review.state) == ("mostly-text", "waiting")
    assert review.proposed[0].holds(PAGE)
    (held,) = doubtful.details(EventName.STUDY_HELD)
    assert (held["because"], held["kind"]) == ("pixel-review", "mostly-text")


def test_accepted_boxes_are_masked_and_the_instance_goes(doubtful):
    (review,) = waiting(doubtful)
    box = Box(0, 0, 5, 64)

    assert decide(doubtful, pixel_reviews.accept, review, [box]) == 1
    doubtful.settles()

    given = sent(doubtful)
    original = an_us_cine()
    frames = np.frombuffer(given.PixelData, np.uint8).reshape(-1, original.Rows, original.Columns, 3)
    before = np.frombuffer(original.PixelData, np.uint8).reshape(frames.shape)
    assert (frames[:, :5] == 0).all()
    assert np.array_equal(frames[:, 5:], before[:, 5:])
    assert waiting(doubtful) == []
    assert len(doubtful.events(EventName.STUDY_DELIVERED)) == 1


def test_the_report_of_a_study_tells_where_it_was_masked_and_why(doubtful):
    (review,) = waiting(doubtful)
    decide(doubtful, pixel_reviews.accept, review, [Box(0, 0, 5, 64)])
    doubtful.settles()

    told = StudyReports(doubtful.database, doubtful.blobs).of(review.site, review.study_instance_uid)

    by_instance = {one["instance"]: one["masks"] for one in told["masked"]["instances"]}
    assert [{"box": [0, 0, 5, 64], "why": "person"}] in by_instance.values()
    assert set(by_instance) >= set(doubtful.hub.instances)
    assert "<td>0–5 × 0–64</td><td>người duyệt vẽ · a person drew it</td>" in page(told)


def test_a_decision_leaves_an_audit_line_with_who_and_how_many_masks(doubtful):
    (review,) = waiting(doubtful)

    decide(doubtful, pixel_reviews.accept, review, [Box(0, 0, 5, 5)])

    with doubtful.database.read() as connection:
        *_, line = audit.of_study(connection, review.study_instance_uid)
    assert (line.who, line.address) == ("bs.lan", "10.0.0.7")
    assert (line.detail["pixels"], line.detail["masks"]) == ("accepted", 1)


def test_what_a_person_rejected_cannot_be_released_by_another(doubtful):
    (review,) = waiting(doubtful)

    assert decide(doubtful, pixel_reviews.reject, review) == 1
    released = doubtful.database.write(
        lambda connection: status.release(connection, review.study_instance_uid, "chi.minh", doubtful.clock.now())
    )
    doubtful.settles()

    assert released == 0
    assert doubtful.hub.batches == []


def test_a_study_is_complete_without_what_a_person_rejected(hospital_on_each):
    hospital = hospital_on_each.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(Sees(PAGE))
    cine = an_us_cine()
    hospital.receives(cine, a_ct(StudyInstanceUID=cine.StudyInstanceUID))
    hospital.settles()
    assert hospital.events(EventName.STUDY_DELIVERED) == []
    (review,) = waiting(hospital)

    decide(hospital, pixel_reviews.reject, review)
    hospital.settles()

    assert [told["instances"] for told in hospital.details(EventName.STUDY_DELIVERED)] == [1]
    assert (hospital.hub.announced[-1].instances, hospital.hub.announced[-1].complete) == (1, "association-released")


def test_what_was_rejected_while_the_study_is_open_is_not_awaited_when_it_closes(hospital):
    hospital.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(Sees(PAGE))
    cine = an_us_cine()
    hospital.receives(cine, released=False)
    hospital.settles()
    decide(hospital, pixel_reviews.reject, *waiting(hospital))

    hospital.receives(a_ct(StudyInstanceUID=cine.StudyInstanceUID))
    hospital.settles()

    assert [told["instances"] for told in hospital.details(EventName.STUDY_DELIVERED)] == [1]


def test_what_was_rejected_and_then_deleted_is_withdrawn_once(hospital):
    hospital.with_rules({"to": "hub"})
    hospital.deidentifier._cleaner = Cleaner(Sees(PAGE))
    cine = an_us_cine()
    hospital.receives(cine, a_ct(StudyInstanceUID=cine.StudyInstanceUID))
    hospital.settles()
    decide(hospital, pixel_reviews.reject, *waiting(hospital))

    hospital.deletes(cine, instance=True)
    hospital.settles()

    (row,) = hospital.rows(select(consignment.c.instances, consignment.c.delivered))
    assert tuple(row) == (1, 1)


def test_what_was_released_waits_for_nobody_any_longer(doubtful):
    (review,) = waiting(doubtful)

    released = doubtful.database.write(
        lambda connection: status.release(connection, review.study_instance_uid, "chi.minh", doubtful.clock.now())
    )
    doubtful.settles()

    assert (released, len(doubtful.hub.instances), waiting(doubtful)) == (1, 1, [])
    with pytest.raises(NotFound, match="review of this instance that waits"):
        decide(doubtful, pixel_reviews.reject, review)


def test_a_second_decision_comes_too_late(doubtful):
    (review,) = waiting(doubtful)
    decide(doubtful, pixel_reviews.reject, review)

    with pytest.raises(NotFound, match="review of this instance that waits"):
        decide(doubtful, pixel_reviews.accept, review, [])


def test_what_is_doubtful_again_after_a_decision_waits_again(doubtful):
    (review,) = waiting(doubtful)
    decide(doubtful, pixel_reviews.reject, review)
    again = SimpleNamespace(
        site=review.site,
        sop_instance_uid=review.sop_instance_uid,
        profile=review.profile,
        study_instance_uid=review.study_instance_uid,
        fallback_charset="",
    )

    doubtful.database.write(lambda connection: pixel_reviews.ask(connection, again, "text-left", [], review.at))

    (asked,) = waiting(doubtful)
    assert (asked.reason, asked.state, asked.decided_by) == ("text-left", "waiting", "")


@pytest.mark.parametrize(
    "boxes", [[Box(0, 0, 0, 5)], [Box(-1, 0, 5, 5)], [Box(0, 0, 5, 70_000)], [Box(0, 0, 1, 1)] * (BOXES_MAX + 1)]
)
def test_masks_that_cannot_be_are_refused(doubtful, boxes):
    (review,) = waiting(doubtful)

    with pytest.raises(InvalidRequest, match="at most 200 boxes"):
        decide(doubtful, pixel_reviews.accept, review, boxes)

    assert len(waiting(doubtful)) == 1


def test_nothing_waits_for_a_destination_that_takes_pixels_as_they_are(hospital):
    hospital.with_rules({"to": "hub", "hold": "none"})
    hospital.deidentifier._cleaner = Cleaner(Sees(PAGE))

    hospital.receives(an_us_cine(), a_ct())
    hospital.settles()

    assert len(hospital.hub.instances) == 2
    assert hospital.rows(select(pixel_review)) == []
