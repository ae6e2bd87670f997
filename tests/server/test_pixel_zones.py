"""Where devices write, over the API: what is known of each device, who may draw, and what is kept of it."""

import pytest

from kernel import audit
from kernel.dicom.pixels.boxes import Box
from routing import pixel_zones
from routing.drawn_zones import boxes_of
from tests.server.test_pixel_reviews import bearer, wait
from tests.support.builders import an_us_cine
from tests.support.looks import a_look

ALL = "/api/pixel-zones"
SONO = {"site": "MK02", "manufacturer": "ACME", "model": "Sono  5", "rows": 48, "columns": 64}
BAND = [[0, 0, 10, 64]]


def of_the_site(room):
    with room.client(**bearer(room, "admin")) as client:
        return [one for one in client.get(ALL).json() if one["site"] == "MK02"]


def draws(room, boxes, who: str = "lan", **more):
    with room.client(**bearer(room, "admin", who=who)) as client:
        return client.put(ALL, json={**SONO, "boxes": boxes, **more})


@pytest.fixture
def sample(room):
    """A room in which an ultrasound cine of a device waits."""
    ds = an_us_cine(Manufacturer="ACME", ManufacturerModelName="Sono 5")
    wait(room, ds.SOPInstanceUID, room.take_in(ds, site="MK02"))
    room.waiting = ds
    return room


def test_a_device_whose_picture_waits_is_listed_with_it_though_it_has_no_zones(sample):
    (one,) = of_the_site(sample)

    assert (one["origin"], one["manufacturer"], one["model"], one["rows"], one["columns"], one["boxes"]) == (
        "none", "acme", "sono 5", sample.waiting.Rows, sample.waiting.Columns, [],
    )  # fmt: skip
    assert one["sample"]["sopInstanceUID"] == sample.waiting.SOPInstanceUID
    assert not one["inUse"]


def test_what_is_drawn_is_kept_with_who_drew_it_and_listed_with_a_picture(sample):
    size = {"rows": sample.waiting.Rows, "columns": sample.waiting.Columns}

    assert draws(sample, [[0, 0, 4, 20]], **size).status_code == 204

    (one,) = of_the_site(sample)
    assert (one["origin"], one["boxes"], one["by"], one["inUse"], one["usedAt"]) == (
        "drawn", [[0, 0, 4, 20]], "lan", True, None,
    )  # fmt: skip
    assert one["sample"]["sopInstanceUID"] == sample.waiting.SOPInstanceUID


def test_drawn_anew_it_takes_the_place_of_what_was_drawn(room):
    draws(room, BAND)
    draws(room, [[40, 0, 48, 64], [0, 0, 5, 5]], who="mai")

    (one,) = of_the_site(room)

    assert (one["boxes"], one["by"]) == ([[40, 0, 48, 64], [0, 0, 5, 5]], "mai")


def test_removed_it_is_no_longer_masked_and_nobody_removes_it_twice(room):
    draws(room, BAND)
    (one,) = of_the_site(room)

    with room.client(**bearer(room, "admin")) as client:
        gone = client.delete(f"{ALL}/{one['name']}", params={"site": "MK02"})
        again = client.delete(f"{ALL}/{one['name']}", params={"site": "MK02"})

    assert (gone.status_code, again.status_code, of_the_site(room)) == (204, 404, [])
    with room.stores.db.read() as connection:
        assert boxes_of(connection, "MK02", []) == {}


def test_what_was_learnt_and_what_the_file_has_is_listed_too_and_the_first_can_be_forgotten(room):
    look = a_look("acme", "sono 5", Box(2, 2, 6, 30))
    now = room.stores.clock.now()
    room.stores.db.write(lambda connection: pixel_zones.learn(connection, "MK02", "2.25.1", look, now))

    (learnt,) = of_the_site(room)
    with room.client(**bearer(room, "admin")) as client:
        file = [one for one in client.get(ALL).json() if one["origin"] == "file"]
        forgotten = client.delete(f"{ALL}/{learnt['name']}", params={"site": "MK02", "origin": "learnt"})

    assert (learnt["origin"], learnt["exams"], learnt["examsWanted"], learnt["inUse"]) == ("learnt", 1, 5, False)
    assert [(one["model"], one["boxes"]) for one in file] == [("of the file", [[0, 0, 4, 64]])]
    assert (forgotten.status_code, of_the_site(room)) == (204, [])


IMPOSSIBLE = (
    ([], {}),
    ([[0, 0, 1, 1]] * 65, {}),
    ([[0, 0, 49, 64]], {}),
    ([[5, 5, 5, 9]], {}),
    ([[-1, 0, 5, 9]], {}),
    (BAND, {"model": "x" * 65}),
    (BAND, {"model": "   "}),
    (BAND, {"rows": 0}),
    (BAND, {"columns": 65_536}),
)


def test_zones_that_could_not_be_are_refused(room):
    assert [draws(room, boxes, **more).status_code for boxes, more in IMPOSSIBLE] == [400] * len(IMPOSSIBLE)
    assert of_the_site(room) == []


def test_nobody_without_the_right_sees_or_draws_and_nobody_about_a_site_that_is_not_theirs(room):
    draws(room, BAND)
    token = room.stores.access.tokens.create("far", ["admin"], site="ELSEWHERE", by="test")
    far = {"Authorization": f"Bearer {token}"}
    with room.client() as client:
        anybody = bearer(room, "dicomweb:read")
        refused = [client.get(ALL, headers=anybody), client.put(ALL, json={**SONO, "boxes": BAND}, headers=anybody)]
        listed = client.get(ALL, headers=far).json()
        drawn = client.put(ALL, json={**SONO, "boxes": [[0, 0, 1, 1]]}, headers=far)

    assert [one.status_code for one in refused] == [403, 403]
    assert (listed, drawn.status_code) == ([], 404)
    assert of_the_site(room)[0]["boxes"] == BAND


def test_each_change_is_an_audit_line_that_names_the_device_by_its_digest_alone(room):
    draws(room, BAND)
    (one,) = of_the_site(room)
    with room.client(**bearer(room, "admin", who="mai")) as client:
        client.delete(f"{ALL}/{one['name']}", params={"site": "MK02"})

    with room.stores.db.read() as connection:
        lines = [row for row in connection.execute(audit.audit.select()) if "zones_" in str(row.detail)]

    assert [(line.who, line.site) for line in lines] == [("lan", "MK02"), ("mai", "MK02")]
    assert all(one["name"] in str(line.detail) and "sono" not in str(line.detail).lower() for line in lines)
