"""What a reader has had on the screen as it is stored: told by the room, kept for that reader alone, asked by anybody."""

import pytest

from consult.shown.book import MISSING_MAX
from consult.shown.tables import shown_series
from exchange.node.assemble import deletions_of
from kernel.access import NewAccount
from kernel.archive.deletion.deletion import Wish
from kernel.archive.deletion.removal import Target
from tests.server.conftest import PASSWORD, taking_in
from tests.server.test_slides import SERIES, STUDY, takes
from tests.support.builders import a_ct_series
from tests.wsi.dicom_builders import a_volume
from viewer.server.shown import FRAMES_MAX, INSTANCES_MAX, SERIES_MAX

SLICES = 3


@pytest.fixture
def ct(room):
    """Three slices that the node has."""
    slices = list(a_ct_series(SLICES, seed="seen", rows=16, columns=16))
    room.take_in(*slices)
    return slices


def drawn(*instances, frames: tuple[int, ...] = (1,)) -> dict:
    """Return what a room tells of instances of one series."""
    one = [{"sopInstanceUID": ds.SOPInstanceUID, "frames": list(frames)} for ds in instances]
    return {"series": [{"seriesInstanceUID": instances[0].SeriesInstanceUID, "instances": one}]}


def address(ds) -> str:
    return f"/api/studies/{ds.StudyInstanceUID}/shown"


def of_series(ds) -> str:
    return f"/api/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/shown"


def counts(client, ds) -> list[tuple[int, int]]:
    return [(one["shown"], one["images"]) for one in client.get(address(ds)).raise_for_status().json()]


def test_what_was_drawn_is_counted_once_and_what_is_missing_is_named(room, ct):
    with room.signed_in() as client:
        assert counts(client, ct[0]) == [(0, SLICES)]

        told = client.post(address(ct[0]), json=drawn(ct[0], ct[2])).raise_for_status().json()
        again = client.post(address(ct[0]), json=drawn(ct[2])).raise_for_status().json()

        series = {"seriesInstanceUID": ct[0].SeriesInstanceUID, "shown": 2, "images": SLICES}
        assert told == again == client.get(address(ct[0])).json() == [series]
        assert client.get(of_series(ct[0])).json() == {
            "missing": [{"sopInstanceUID": ct[1].SOPInstanceUID, "frames": "1"}],
            "more": False,
        }


def test_it_is_there_at_the_next_sign_in_and_for_nobody_else(room, ct):
    room.stores.access.accounts.create(NewAccount("minh", ["reader"]), PASSWORD, by="test")
    with room.signed_in() as client:
        client.post(address(ct[0]), json=drawn(*ct)).raise_for_status()

    with room.signed_in() as client:
        assert counts(client, ct[0]) == [(SLICES, SLICES)]
        assert client.get(of_series(ct[0])).json() == {"missing": [], "more": False}
    with room.signed_in("minh") as client:
        assert counts(client, ct[0]) == [(0, SLICES)]


def test_frames_are_images(room):
    film = next(iter(a_ct_series(1, seed="film", rows=16, columns=16)))
    film.NumberOfFrames, film.PixelData = 5, film.PixelData * 5
    room.take_in(film)
    with room.signed_in() as client:
        client.post(address(film), json=drawn(film, frames=(1, 2, 4, 6, 900))).raise_for_status()

        assert counts(client, film) == [(3, 5)]  # it has no sixth
        assert client.get(of_series(film)).json()["missing"] == [
            {"sopInstanceUID": film.SOPInstanceUID, "frames": "3,5"}
        ]


def test_what_the_study_has_not_is_passed_over(room, ct):
    other = next(iter(a_ct_series(1, seed="another", rows=16, columns=16)))
    room.take_in(other)
    told = drawn(other)
    told["series"].append(
        {"seriesInstanceUID": ct[0].SeriesInstanceUID, "instances": drawn(other)["series"][0]["instances"]}
    )
    with room.signed_in() as client:
        assert client.post(address(ct[0]), json=told).status_code == 200

        assert counts(client, ct[0]) == [(0, SLICES)]
        assert counts(client, other) == [(0, 1)]
    with room.stores.db.read() as connection:
        assert connection.execute(shown_series.select()).all() == []


def test_slides_are_no_images_that_are_drawn_at_once(room):
    takes(room, a_volume())
    with room.signed_in() as client:
        assert client.get(f"/api/studies/{STUDY}/shown").json() == []
        assert client.get(f"/api/studies/{STUDY}/series/{SERIES}/shown").status_code == 404


def test_who_may_not_see_the_study_hears_nothing_and_programs_keep_nothing(room, ct):
    with room.signed_in("bot") as client:
        assert client.get(address(ct[0])).status_code == 404
        assert client.post(address(ct[0]), json=drawn(ct[0])).status_code == 404
    token = room.stores.access.tokens.create("his", ["api:read"], by="test")
    with room.client(Authorization=f"Bearer {token}") as client:
        assert counts(client, ct[0]) == [(0, SLICES)]
        assert client.post(address(ct[0]), json=drawn(ct[0])).status_code == 403


@pytest.mark.parametrize("beyond", ["series", "instances", "frames", "zero"])
def test_more_than_a_room_draws_between_two_tellings_is_refused(room, ct, beyond):
    told = drawn(ct[0])
    instances = told["series"][0]["instances"]
    match beyond:
        case "series":
            told["series"] = told["series"] * (SERIES_MAX + 1)
        case "instances":
            told["series"][0]["instances"] = [{"sopInstanceUID": "1", "frames": [1]}] * (INSTANCES_MAX + 1)
        case "frames":
            instances[0]["frames"] = [1] * (FRAMES_MAX + 1)
        case _:
            instances[0]["frames"] = [0]
    with room.signed_in() as client:
        assert client.post(address(ct[0]), json=told).status_code in (400, 422)


def test_only_so_many_missing_images_are_named(room, ct, monkeypatch):
    monkeypatch.setattr("consult.shown.book.MISSING_MAX", 2)
    assert MISSING_MAX == 1_000
    with room.signed_in() as client:
        told = client.get(of_series(ct[0])).json()

    assert [one["sopInstanceUID"] for one in told["missing"]] == [ds.SOPInstanceUID for ds in ct[:2]]
    assert told["more"] is True


def test_when_anything_of_a_series_goes_nothing_of_it_was_shown(room, ct):
    other = next(iter(a_ct_series(1, seed="beside", rows=16, columns=16)))
    other.StudyInstanceUID, other.PatientID, other.PatientName = (
        ct[0].StudyInstanceUID,
        ct[0].PatientID,
        ct[0].PatientName,
    )
    room.take_in(other)
    committer, _ = taking_in(room.stores)
    deletions = deletions_of(room.stores, committer)
    with room.signed_in() as client:
        for series in (drawn(*ct), drawn(other)):
            client.post(address(ct[0]), json=series).raise_for_status()
        assert sorted(counts(client, ct[0])) == [(1, 1), (SLICES, SLICES)]

        target = Target("LOCAL", *map(str, (ct[0].StudyInstanceUID, ct[0].SeriesInstanceUID, ct[0].SOPInstanceUID)))
        deletions.delete(Wish(target, "admin", "admin", "", "duplicate", is_admin=True, is_forced=True))

        assert sorted(counts(client, ct[0])) == [(0, SLICES - 1), (1, 1)]
