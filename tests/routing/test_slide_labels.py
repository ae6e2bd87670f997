"""The label and the overview of a slide stay at the site: nothing of them is promised, and nobody is asked."""

import pytest
from sqlalchemy import select, update

from kernel.archive.tables import study
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.events import EventName
from routing import pixel_reviews
from routing.report_page import page
from routing.study_reports import StudyReports
from routing.tables import consignment, derived, job
from tests.support.builders import a_ct


def of_a_slide(flavour: str, instance: int, **attributes):
    kind = ["ORIGINAL", "PRIMARY", flavour, "NONE"]
    return a_ct(instance=instance, SOPClassUID=WHOLE_SLIDE, Modality="SM", ImageType=kind, **attributes)


VOLUME, THUMBNAIL = of_a_slide("VOLUME", 1), of_a_slide("THUMBNAIL", 2)
LABEL, OVERVIEW = of_a_slide("LABEL", 3), of_a_slide("OVERVIEW", 4)


def reviews(hospital):
    with hospital.database.read() as connection:
        return pixel_reviews.reviews(connection)


def report(hospital):
    return StudyReports(hospital.database, hospital.blobs).of("BVA", VOLUME.StudyInstanceUID)


@pytest.mark.parametrize("hold", ["", "none", "pixel-review"])
def test_the_tissue_goes_complete_without_the_label(hospital_on_each, hold):
    hospital = hospital_on_each.with_rules({"to": "hub"} | ({"hold": hold} if hold else {}))

    hospital.receives(VOLUME, LABEL, OVERVIEW, THUMBNAIL)
    hospital.settles()

    assert len(hospital.hub.instances) == 2
    assert hospital.details(EventName.STUDY_DELIVERED)[0]["instances"] == 2
    assert [kept["instances"] for kept in hospital.details(EventName.LABEL_KEPT)] == [1, 1]
    assert {tuple(kept["from"]) for kept in hospital.details(EventName.LABEL_KEPT)} == {("hub",)}
    assert (hospital.count(job), hospital.count(derived), reviews(hospital)) == (0, 2, [])


def test_a_label_that_comes_first_promises_nothing(hospital):
    hospital.receives(LABEL, released=False)
    hospital.settles()
    assert (hospital.count(consignment), hospital.count(job)) == (0, 0)

    hospital.receives(VOLUME)
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert hospital.details(EventName.STUDY_DELIVERED)[0]["instances"] == 1


def test_a_label_is_not_among_those_that_the_hub_is_told_to_expect(hospital):
    hospital.receives(VOLUME, LABEL, released=False)
    hospital.database.write(lambda connection: connection.execute(update(study).values(expected_instances=3)))

    hospital.settles()

    assert hospital.hub.batch_manifests[0].instances == 2  # the volume, and one that is still to come


def test_a_label_that_comes_again_or_after_the_rules_changed_stays_as_well(hospital):
    hospital.receives(VOLUME, LABEL)
    hospital.settles()

    hospital.with_rules({"to": "hub", "profile": "basic"})
    hospital.receives(LABEL, OVERVIEW, session="s2")
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert (hospital.count(job), hospital.count(derived)) == (0, 1)


def test_a_label_goes_where_studies_leave_as_received(hospital):
    hospital.with_rules({"to": ["hub", "pacs"]})

    hospital.receives(VOLUME, LABEL)
    hospital.settles()

    assert set(hospital.pacs.instances) == {VOLUME.SOPInstanceUID, LABEL.SOPInstanceUID}
    assert len(hospital.hub.instances) == 1
    rows = hospital.rows(select(consignment.c.destination, consignment.c.instances, consignment.c.delivered))
    assert {tuple(row) for row in rows} == {("hub", 1, 1), ("pacs", 2, 2)}


@pytest.mark.parametrize(
    "doubtful", [of_a_slide("OTHER", 5), of_a_slide("VOLUME", 5, SpecimenLabelInImage="YES")], ids=["other", "says-yes"]
)
def test_what_may_be_tissue_waits_for_a_person(hospital, doubtful):
    hospital.receives(VOLUME, doubtful)
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert [one.sop_instance_uid for one in reviews(hospital)] == [doubtful.SOPInstanceUID]
    assert hospital.events(EventName.LABEL_KEPT) == []
    assert report(hospital)["totals"] == {"written": 2, "held": 1, "unreadable": 0, "labels_kept": 0}


def test_the_report_of_the_study_counts_the_labels(hospital_on_each):
    hospital_on_each.receives(VOLUME, LABEL, OVERVIEW)
    hospital_on_each.settles()

    told = report(hospital_on_each)

    assert told["totals"] == {"written": 1, "held": 0, "unreadable": 0, "labels_kept": 2}
    assert "Labels of slides kept at the site</td><td>2</td>" in page(told)
