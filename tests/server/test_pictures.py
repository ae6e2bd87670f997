"""A picture of the screen is taken by who may take studies away, and each is a line of the audit before it is had."""

import pytest

from kernel import audit
from kernel.access import NewAccount
from tests.server.conftest import PASSWORD
from tests.support.builders import a_ct_series
from viewer.server.pictures import IMAGES_MAX


@pytest.fixture
def ct(room):
    """One slice that the node has, and somebody who may take it away."""
    (ds,) = a_ct_series(1, seed="taken", rows=16, columns=16)
    room.take_in(ds)
    room.stores.access.accounts.create(NewAccount("yen", ["requester"]), PASSWORD, by="test")
    return ds


def taken(ds, **changes: object) -> dict[str, object]:
    uids = {"seriesInstanceUID": ds.SeriesInstanceUID, "sopInstanceUID": ds.SOPInstanceUID}
    return {"kind": "picture", "images": 1, "named": False, **uids, **changes}


def exports(room, ds) -> list[audit.Line]:
    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, ds.StudyInstanceUID)
    return [one for one in lines if one.action == audit.Action.EXPORT]


def test_each_picture_is_a_line_of_its_own_that_tells_what_was_taken(room, ct):
    address = f"/api/studies/{ct.StudyInstanceUID}/pictures"
    with room.signed_in("yen") as client:
        for kind, images in (("picture", 1), ("film", 60)):
            assert client.post(address, json=taken(ct, kind=kind, images=images, named=True)).status_code == 204

    lines = exports(room, ct)
    assert [(one.who, one.detail["what"], one.detail["images"]) for one in lines] == [
        ("yen", "film of the screen", 60),
        ("yen", "picture of the screen", 1),
    ]
    assert {one.detail["sop_instance_uid"] for one in lines} == {ct.SOPInstanceUID}
    assert {one.detail["named"] for one in lines} == {True}


def test_who_may_not_take_the_study_away_takes_no_picture_either(room, ct):
    with room.signed_in() as client:
        assert client.post(f"/api/studies/{ct.StudyInstanceUID}/pictures", json=taken(ct)).status_code == 403

    assert exports(room, ct) == []


@pytest.mark.parametrize(
    "changes", [{"sopInstanceUID": "1.2.3"}, {"images": 0}, {"images": IMAGES_MAX + 1}, {"kind": "x"}]
)
def test_what_is_no_picture_of_the_study_is_refused_and_no_line(room, ct, changes):
    with room.signed_in("yen") as client:
        answer = client.post(f"/api/studies/{ct.StudyInstanceUID}/pictures", json=taken(ct, **changes))

    assert answer.status_code in (400, 404)
    assert exports(room, ct) == []
