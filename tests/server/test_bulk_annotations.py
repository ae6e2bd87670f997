"""Bulk annotations of a slide are listed, and their tiles served, to those who may read its study."""

import pytest

from consult.slides import bulk
from tests.server.test_slides import SLIDE, client, takes
from tests.wsi.bulk_builders import a_group, a_measurement, an_annotation
from tests.wsi.dicom_builders import a_volume
from tests.wsi.test_bulk import SQUARE, TRIANGLE, told

__all__ = ["client"]
FINE = "1.2.3.1.1.300"


@pytest.fixture
def annotated(room, client):
    """A client at a node with a slide on which two groups are annotated."""
    others = a_group([TRIANGLE], AnnotationGroupNumber=2, AnnotationGroupLabel="Khối u", GraphicType="POLYLINE")
    takes(room, a_volume(300, 200, 64), an_annotation(a_group([SQUARE, TRIANGLE]), others, image=FINE))
    return client


def test_groups_are_listed_with_what_they_are(annotated):
    listed = annotated.get(f"{SLIDE}/bulk").raise_for_status().json()

    assert listed["unread"] == 0
    first, second = listed["groups"]
    kept = ("id", "label", "category", "type", "generation", "graphic", "count")
    assert [first[key] for key in kept] == [
        "1.2.3.9.1/1",
        "Nhân tế bào",
        "Anatomical Structure",
        "Nucleus",
        "AUTOMATIC",
        "POLYGON",
        2,
    ]
    assert (second["label"], second["count"]) == ("Khối u", 1)


def test_what_an_annotation_was_measured_to_be_is_told(room, client):
    measured = a_group([SQUARE, TRIANGLE], MeasurementsSequence=[a_measurement([45.25], [2])])
    takes(room, a_volume(300, 200, 64), an_annotation(measured, image=FINE))
    (group,) = client.get(f"{SLIDE}/bulk").raise_for_status().json()["groups"]

    figures = client.get(f"{group['tiles']}/annotations/2").raise_for_status().json()

    assert group["measured"]
    assert figures == [{"code": "42798000", "name": "Area", "value": 45.25, "unit": "um2"}]
    assert client.get(f"{group['tiles']}/annotations/1").json() == []
    for number in ("0", "3"):
        assert client.get(f"{group['tiles']}/annotations/{number}").status_code == 404


def test_a_tile_is_what_a_screen_shows_and_is_kept_by_the_browser(annotated):
    first, second = annotated.get(f"{SLIDE}/bulk").json()["groups"]

    answer = annotated.get(f"{first['tiles']}/0/0_0").raise_for_status()

    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert told(answer.content) == ([], [(1, SQUARE), (2, TRIANGLE)], 1)
    assert told(annotated.get(f"{second['tiles']}/0/0_0").content) == ([], [(1, TRIANGLE)], 0)


@pytest.mark.parametrize("place", ["0/x", "0/0_0_0", "21/0_0", "-1/0_0"])
def test_a_tile_that_is_not_there_is_404(annotated, place):
    tiles = annotated.get(f"{SLIDE}/bulk").json()["groups"][0]["tiles"]

    assert annotated.get(f"{tiles}/{place}").status_code == 404


def test_another_group_instance_or_revision_is_404(annotated):
    tiles = annotated.get(f"{SLIDE}/bulk").json()["groups"][0]["tiles"]
    base, revision, instance, group = tiles.rsplit("/", 3)

    assert annotated.get(f"{base}/{revision}/{instance}/{group}/0/0_0").status_code == 200
    for other in (f"{revision}/{instance}/7", f"{revision}/{FINE}/1", f"{'0' * 32}/{instance}/{group}"):
        assert annotated.get(f"{base}/{other}/0/0_0").status_code == 404


def test_nobody_without_the_right_to_the_study_sees_any(room, annotated):
    tiles = annotated.get(f"{SLIDE}/bulk").json()["groups"][0]["tiles"]
    with room.client() as stranger:
        assert stranger.get(f"{SLIDE}/bulk").status_code == 401
        assert stranger.get(f"{tiles}/0/0_0").status_code == 401


def test_what_cannot_be_read_is_counted_and_the_rest_is_listed(room, annotated):
    lies = a_group([SQUARE], NumberOfAnnotations=9)
    takes(room, an_annotation(lies, image=FINE, SOPInstanceUID="1.2.3.9.2"))

    listed = annotated.get(f"{SLIDE}/bulk").json()

    assert (len(listed["groups"]), listed["unread"]) == (2, 1)


def test_annotations_of_another_slide_are_none_of_this_one_s(room, client):
    takes(room, a_volume(300, 200, 64), an_annotation(a_group([SQUARE]), image="1.2.3.4", ReferencedSeriesSequence=[]))

    assert client.get(f"{SLIDE}/bulk").json() == {"groups": [], "unread": 0}


def test_more_than_is_remembered_is_read_again(room, annotated, monkeypatch):
    monkeypatch.setattr(bulk, "REMEMBERED_POINTS_MAX", 1)
    takes(room, an_annotation(a_group([SQUARE]), image=FINE, SOPInstanceUID="1.2.3.9.2"))

    groups = annotated.get(f"{SLIDE}/bulk").json()["groups"]

    assert [told(annotated.get(f"{one['tiles']}/0/0_0").content)[1][0][1] for one in groups] == [
        SQUARE,
        TRIANGLE,
        SQUARE,
    ]
    room.slides.forget()
    assert annotated.get(f"{groups[0]['tiles']}/0/0_0").status_code == 200


def test_a_study_with_too_many_instances_of_them_is_refused(room, annotated, monkeypatch):
    monkeypatch.setattr(bulk, "INSTANCES_MAX", 0)

    assert annotated.get(f"{SLIDE}/bulk").json()["code"] == "LimitExceeded"


def test_an_instance_that_is_too_large_to_be_read_is_not(room, annotated, monkeypatch):
    monkeypatch.setattr(bulk, "BYTES_MAX", 10)
    room.slides.forget()

    assert annotated.get(f"{SLIDE}/bulk").json() == {"groups": [], "unread": 1}
