"""Pixels that wait for a person, over the API: who may see and decide, and what a decision is."""

import io
import json
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, select, update

from anonymizer.pdf import encapsulated
from anonymizer.pixels import views
from kernel import audit
from kernel.archive.tables import instance
from routing.tables import pixel_review
from tests.anonymizer.documents import an_encapsulated
from tests.support.builders import a_cr, an_us_cine, with_pixels
from tests.support.papers import a_typed_pdf

INSTANCE = "2.25.4711"


def wait(room, sop_instance_uid: str, study_instance_uid: str) -> None:
    """Let an instance of another site wait."""
    row = {
        "site": "MK02",
        "sop_instance_uid": sop_instance_uid,
        "profile": "tele-read",
        "study_instance_uid": study_instance_uid,
        "reason": "text-left",
        "proposed": json.dumps([[1, 2, 3, 4]]),
        "state": "waiting",
        "drawn": "",
        "decided_by": "",
        "fallback_charset": "",
        "at": room.stores.clock.now(),
    }
    room.stores.db.write(lambda connection: connection.execute(insert(pixel_review).values(row)) and None)


@pytest.fixture
def waits(room):
    """A room in which an instance of another site waits that is not in its index."""
    wait(room, INSTANCE, "2.25.1")
    return room


def bearer(room, *scopes: str, who: str = "a person") -> dict[str, str]:
    return {"Authorization": f"Bearer {room.stores.access.tokens.create(who, scopes, by='test')}"}


def states(room) -> list[tuple[str, str]]:
    with room.stores.db.read() as connection:
        return [tuple(row) for row in connection.execute(select(pixel_review.c.state, pixel_review.c.drawn))]


def test_who_administers_lists_and_accepts_with_masks(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        listed = client.get("/api/pixel-reviews").json()
        done = client.post(f"/api/pixel-reviews/{INSTANCE}/acceptance", json={"masks": [[0, 0, 5, 5]]})

    assert [(one["sopInstanceUID"], one["proposed"]) for one in listed] == [(INSTANCE, [[1, 2, 3, 4]])]
    assert (done.status_code, done.json()) == (200, {"destinations": 0})
    assert states(waits) == [("accepted", "[[0, 0, 5, 5]]")]


def test_what_waits_says_where_its_picture_is_and_how_large(room):
    study = room.add_study(seed="us", count=1, site="MK02")
    with room.stores.db.read() as connection:
        uid = connection.execute(select(instance.c.sop_instance_uid)).scalar_one()
    wait(room, uid, study)

    with room.client(**bearer(room, "admin")) as client:
        (listed,) = client.get("/api/pixel-reviews").json()

    picture = listed["picture"]
    assert (picture["modality"], picture["rows"], picture["columns"], picture["numberOfFrames"]) == ("CT", 16, 16, 1)
    assert picture["seriesInstanceUID"]


def test_what_waits_is_listed_without_a_picture_when_the_instance_is_gone(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        assert [one["picture"] for one in client.get("/api/pixel-reviews").json()] == [None]


@pytest.fixture
def cine(room):
    """A room in which a cine of two scenes waits, two short pages after many frames."""
    frames = np.full((12, 24, 32), 40, np.uint8)
    frames[5, 2:4, 2:6] = 250  # in one frame only
    frames[10:] = 220
    ds = with_pixels(an_us_cine(seed="cine", frames=12), frames)
    study = room.take_in(ds, site="MK02")
    wait(room, ds.SOPInstanceUID, study)
    room.address = f"/api/pixel-reviews/{ds.SOPInstanceUID}"
    return room


def test_a_cine_has_a_sheet_of_the_brightest_and_the_darkest_of_each_scene_and_of_each_single_frame(cine):
    with cine.client(**bearer(cine, "admin", "dicomweb:read")) as client:
        sheets = client.get(f"{cine.address}/sheets").json()
        picture = Image.open(io.BytesIO(client.get(f"{cine.address}/sheets/1").content))

    told = [(one["kind"], one["firstFrame"], one["lastFrame"], one["seen"]) for one in sheets]
    assert told == [
        ("brightest", 1, 10, False), ("darkest", 1, 10, False), ("frame", 11, 11, False), ("frame", 12, 12, False),
    ]  # fmt: skip
    assert np.asarray(picture)[3, 4] > np.asarray(picture)[20, 16]


def test_a_cine_is_sent_by_who_was_given_every_sheet_and_by_nobody_else(cine):
    both = ("admin", "dicomweb:read")
    lan, mai = bearer(cine, *both, who="lan"), bearer(cine, *both, who="mai")
    accept, masks = f"{cine.address}/acceptance", {"masks": []}
    with cine.client() as client:
        unseen = client.post(accept, json=masks, headers=lan)
        for number in (1, 2, 3):
            assert client.get(f"{cine.address}/sheets/{number}", headers=lan).status_code == 200
        partly = client.post(accept, json=masks, headers=lan)
        client.get(f"{cine.address}/sheets/4", headers=lan)
        another = client.post(accept, json=masks, headers=mai)
        seen = client.get(f"{cine.address}/sheets", headers=lan).json()
        done = client.post(accept, json=masks, headers=lan)

    assert (unseen.status_code, partly.status_code, another.status_code) == (409, 409, 409)
    assert "3 of 4 pictures were shown" in partly.text
    assert [one["seen"] for one in seen] == [True] * 4
    assert done.status_code == 200


def test_each_sheet_that_is_given_is_an_audit_line_and_wants_the_right_to_read(cine):
    with cine.client() as client:
        refused = client.get(f"{cine.address}/sheets/1", headers=bearer(cine, "admin"))
        client.get(f"{cine.address}/sheets/1", headers=bearer(cine, "admin", "dicomweb:read", who="lan"))
        absent = client.get(f"{cine.address}/sheets/5", headers=bearer(cine, "admin", "dicomweb:read"))
        anybody = client.get(f"{cine.address}/sheets/1", headers=bearer(cine, "dicomweb:read"))

    assert (refused.status_code, absent.status_code, anybody.status_code) == (403, 404, 403)
    with cine.stores.db.read() as connection:
        lines = audit.of_study(connection, an_us_cine(seed="cine").StudyInstanceUID)
    told = [(line.who, line.outcome) for line in lines if line.action == audit.Action.INSTANCES_ACCESSED]
    assert ("lan", audit.AuditOutcome.SUCCESS) in told


def test_a_window_shows_what_the_whole_range_of_a_radiograph_hides(room):
    pixels = np.zeros((24, 32), "<u2")
    pixels[0, 0], pixels[4:8, 4:28] = 4095, 10  # faint letters beside something very bright
    ds = with_pixels(a_cr(seed="faint"), pixels, PhotometricInterpretation="MONOCHROME2", BitsStored=12, HighBit=11)
    wait(room, ds.SOPInstanceUID, room.take_in(ds, site="MK02"))
    address = f"/api/pixel-reviews/{ds.SOPInstanceUID}/sheets"
    with room.client(**bearer(room, "admin", "dicomweb:read")) as client:
        (listed,) = client.get(address).json()
        plain, window = (
            np.asarray(Image.open(io.BytesIO(client.get(f"{address}/1", params=params).content)))
            for params in ({}, {"low": 0, "high": 0.005})
        )
        refused = client.get(f"{address}/1", params={"low": 9})

    assert (listed["deep"], refused.status_code) == (True, 400)
    assert plain[5, 10] - plain[20, 10] < 1
    assert window[5, 10] - window[20, 10] > 100


def test_what_is_asked_anew_is_looked_at_anew(cine):
    lan = bearer(cine, "admin", "dicomweb:read")
    with cine.client(**lan) as client:
        for number in (1, 2, 3, 4):
            client.get(f"{cine.address}/sheets/{number}")
        later = cine.stores.clock.now() + timedelta(hours=1)
        cine.stores.db.write(lambda connection: connection.execute(update(pixel_review).values(at=later)) and None)

        answer = client.post(f"{cine.address}/acceptance", json={"masks": []})

    assert answer.status_code == 409


def test_what_cannot_be_shown_cannot_be_sent_from_the_screen(cine, monkeypatch):
    monkeypatch.setattr(views, "FRAMES_MAX", 3)
    with cine.client(**bearer(cine, "admin", "dicomweb:read")) as client:
        listed = client.get(f"{cine.address}/sheets")
        accepted = client.post(f"{cine.address}/acceptance", json={"masks": []})
        rejected = client.post(f"{cine.address}/rejection")

    assert (listed.status_code, accepted.status_code, rejected.status_code) == (413, 413, 200)


@pytest.fixture
def pdf(room):
    """A room in which a PDF of two pages waits."""
    ds = an_encapsulated(a_typed_pdf(["Ho ten: NGUYEN THI HUONG"], ["Gan to"]), PatientName="Nguyen^Thi Huong")
    study = room.take_in(ds, site="MK02")
    wait(room, ds.SOPInstanceUID, study)
    room.address = f"/api/pixel-reviews/{ds.SOPInstanceUID}"
    return room


@pytest.mark.peer("pixels")
def test_the_pages_of_a_pdf_are_one_strip_and_each_must_have_been_shown(pdf):
    lan = bearer(pdf, "admin", "dicomweb:read")
    with pdf.client(**lan) as client:
        first, second = client.get(f"{pdf.address}/sheets").json()
        early = client.post(f"{pdf.address}/acceptance", json={"masks": [[0, 0, 5, 5]]})
        pages = [Image.open(io.BytesIO(client.get(f"{pdf.address}/sheets/{one}").content)) for one in (1, 2)]
        done = client.post(f"{pdf.address}/acceptance", json={"masks": [[0, 0, 5, 5]]})

    assert (first["kind"], first["top"], second["top"], second["firstFrame"]) == ("page", 0, first["rows"], 2)
    assert [page.size for page in pages] == [(one["columns"], one["rows"]) for one in (first, second)]
    assert (early.status_code, done.status_code) == (409, 200)


def test_what_nobody_can_be_shown_is_not_sent_with_masks(pdf, monkeypatch):
    monkeypatch.setattr(encapsulated, "is_installed", lambda: False)
    with pdf.client(**bearer(pdf, "admin", "dicomweb:read")) as client:
        masked = client.post(f"{pdf.address}/acceptance", json={"masks": [[0, 0, 5, 5]]})
        without = client.post(f"{pdf.address}/acceptance", json={"masks": []})

    assert (masked.status_code, without.status_code) == (409, 200)


def test_a_rejection_is_once_and_for_all(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        first = client.post(f"/api/pixel-reviews/{INSTANCE}/rejection")
        second = client.post(f"/api/pixel-reviews/{INSTANCE}/rejection")

    assert (first.status_code, second.status_code) == (200, 404)
    assert states(waits)[0][0] == "rejected"


def test_masks_that_cannot_be_are_refused(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        answer = client.post(f"/api/pixel-reviews/{INSTANCE}/acceptance", json={"masks": [[5, 5, 5, 5]]})

    assert answer.status_code == 400
    assert states(waits)[0][0] == "waiting"


def test_nobody_else_may_look_or_decide(waits):
    with waits.client(**bearer(waits, "api:read", "api:write")) as client:
        assert client.get("/api/pixel-reviews").status_code == 403
        assert client.post(f"/api/pixel-reviews/{INSTANCE}/rejection").status_code == 403
