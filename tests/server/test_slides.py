"""A slide is described and its tiles served to those who may read its study, as stored or made once."""

import io
import time
from collections.abc import Iterator

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image
from sqlalchemy import Engine, event

from kernel import audit
from kernel.access.studies import GRANT_S
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Origin
from kernel.dicom.scanning.part10 import read_file_meta
from tests.wsi.builders import jpeg, pixels_of, texture
from tests.wsi.dicom_builders import SERIES, STUDY, a_header, a_volume, as_file

SLIDE = f"/api/slides/{STUDY}/{SERIES}"


def takes(room, *files: bytes, site: str = "LOCAL") -> None:
    """Take instances into the archive."""
    blobs, db, clock = room.stores.blobs, room.stores.db, room.stores.clock
    committer = LocalCommitter(db, clock, quarantine_bytes_max=1 << 20)
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, lambda _: None)
    for file in files:
        meta = read_file_meta(file)
        stage = blobs.stage(
            meta.sop_class_uid, pydicom.dcmread(io.BytesIO(file)).SOPInstanceUID, meta.transfer_syntax_uid
        )
        stage.write(file[meta.dataset_offset :])
        ingest.ingest(stage.finish(), Origin(site, "dicomweb", "T", "", "127.0.0.1", "one"))


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What is said to the database, as it is said."""
    said: list[str] = []

    def hear(_connection, _cursor, statement, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield said
    event.remove(Engine, "before_cursor_execute", hear)


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    with room.signed_in() as signed:
        yield signed


def test_a_slide_is_described_and_its_stored_tiles_are_the_scanner_s_pixels(room, client):
    takes(room, a_volume(300, 200, 64))

    told = client.get(SLIDE).raise_for_status().json()
    tile = client.get(f"{told['tiles']}/0/0/0/1_2").raise_for_status()

    assert (told["width"], told["height"], told["tileWidth"], told["mpp"]) == (300, 200, 64, [0.25, 0.5])
    assert [(one["width"], one["columns"], one["stored"]) for one in told["octaves"]] == [
        (300, 5, True),
        (150, 3, False),
        (75, 2, False),
        (38, 1, False),
    ]
    assert (told["orientation"], told["originMm"]) == ([0, -1, 0, -1, 0, 0], [20, 40])
    assert (told["focalPlanes"], told["opticalPaths"]) == (
        [{"number": 0, "microns": 0.0}],
        [{"number": 0, "name": "Brightfield"}],
    )
    assert tile.headers["Content-Type"] == "image/jpeg"
    assert np.abs(pixels_of(tile.content).astype(int) - texture(300, 200)[128:192, 64:128]).mean() < 4


def test_a_tile_is_kept_by_the_browser_and_asked_for_once(room, client):
    takes(room, a_volume())
    tiles = client.get(SLIDE).json()["tiles"]

    first = client.get(f"{tiles}/0/0/0/0_0")
    again = client.get(f"{tiles}/0/0/0/0_0", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")


def test_tiles_of_every_octave_end_where_the_slide_ends(room, client):
    takes(room, a_volume(300, 200, 64))
    told = client.get(SLIDE).json()

    assert len(told["octaves"]) > 3
    for octave in told["octaves"]:
        column, row = octave["columns"] - 1, octave["rows"] - 1
        last = client.get(f"{told['tiles']}/0/0/{octave['number']}/{column}_{row}").raise_for_status()
        wanted = (octave["height"] - 64 * row, octave["width"] - 64 * column, 3)
        assert pixels_of(last.content).shape == wanted


def test_a_missing_octave_is_made_once_and_looks_like_the_finer_one(room, client):
    takes(room, a_volume(256, 256, 64))
    tiles = client.get(SLIDE).json()["tiles"]

    made = client.get(f"{tiles}/0/0/2/0_0").raise_for_status()

    wanted = np.asarray(Image.fromarray(texture(256, 256)).resize((64, 64), Image.Resampling.BOX)).astype(int)
    assert np.abs(pixels_of(made.content) - wanted).mean() < 6
    kept = room.stores.config.node.data / "slides"
    assert [path.read_bytes() for path in kept.glob("*/0-0-2-0_0")] == [made.content]
    assert client.get(f"{tiles}/0/0/2/0_0").content == made.content


@pytest.mark.parametrize(
    "place", ["0/0/0/5_0", "0/0/0/0_4", "0/0/9/0_0", "1/0/0/0_0", "0/1/0/0_0", "0/0/0/x_0", "0/0/0/0"]
)
def test_a_tile_that_is_not_there_is_404(room, client, place):
    takes(room, a_volume(300, 200, 64))
    tiles = client.get(SLIDE).json()["tiles"]

    answer = client.get(f"{tiles}/{place}")

    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


def test_a_tile_asks_the_database_nothing_and_leave_to_read_is_looked_at_every_few_seconds(
    room, client, statements, monkeypatch
):
    seconds = [time.monotonic()]
    monkeypatch.setattr(type(room.stores.clock), "monotonic_s", lambda _: seconds[0])
    takes(room, a_volume(300, 200, 64))
    tiles = client.get(SLIDE).json()["tiles"]
    client.get(f"{tiles}/0/0/0/0_0").raise_for_status()
    statements.clear()

    for number in range(20):
        client.get(f"{tiles}/0/0/0/{number % 5}_{number // 5}").raise_for_status()
    for_tiles = len(statements)
    seconds[0] += GRANT_S + 1
    client.get(f"{tiles}/0/0/0/0_0").raise_for_status()

    assert for_tiles == 0
    assert 0 < len(statements) <= 10


def test_a_slide_that_grew_has_another_revision_and_the_old_one_is_gone_after_a_restart(room, client):
    takes(room, a_volume(300, 200, 64))
    before = client.get(SLIDE).json()

    takes(room, a_volume(150, 100, 64))
    after = client.get(SLIDE).json()
    room.slides.shelf.forget()

    assert [one["stored"] for one in after["octaves"]] == [True, True, False, False]
    assert before["revision"] != after["revision"]
    assert client.get(f"{before['tiles']}/0/0/0/0_0").json()["detail"].startswith("There is no such revision")
    assert client.get(f"{after['tiles']}/0/0/1/0_0").status_code == 200


def test_an_index_is_found_again_after_a_restart(room, client, monkeypatch):
    takes(room, a_volume())
    revision = client.get(SLIDE).json()["revision"]
    kept = room.stores.config.node.data / "slides" / revision / "index"

    assert kept.exists()
    monkeypatch.setattr("consult.slides.shelf.shared_index_maker", None)
    room.slides.shelf._open.clear()

    assert client.get(SLIDE).json()["revision"] == revision


def test_nobody_sees_a_slide_of_another_site_or_without_signing_in(room):
    takes(room, a_volume())
    with room.signed_in() as allowed:
        tiles = allowed.get(SLIDE).json()["tiles"]

    with room.client() as stranger, room.signed_in("bot") as elsewhere:
        for path in (SLIDE, f"{tiles}/0/0/0/0_0", f"{tiles}/0/0/1/0_0"):
            assert stranger.get(path).status_code == 401
            assert elsewhere.get(path).status_code == 404


def test_a_session_that_ended_has_no_more_tiles(room, client):
    takes(room, a_volume())
    tiles = client.get(SLIDE).json()["tiles"]
    assert client.get(f"{tiles}/0/0/0/0_0").status_code == 200
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    client.delete("/api/session").raise_for_status()

    with room.client(Cookie=cookie) as thief:
        assert thief.get(f"{tiles}/0/0/0/0_0").status_code == 401


def test_opening_a_slide_is_one_audit_line_however_many_tiles_follow(room, client):
    takes(room, a_volume(300, 200, 64))
    tiles = client.get(SLIDE).json()["tiles"]
    for column in range(5):
        client.get(f"{tiles}/0/0/0/{column}_0")

    with room.stores.db.read() as connection:
        lines = audit.of_study(connection, STUDY)
    assert [line.action.value for line in lines] == [audit.Action.INSTANCES_ACCESSED.value]


def test_a_study_of_two_sites_is_asked_for_by_its_site(room, client):
    takes(room, a_volume())
    takes(room, a_volume(), site="ELSEWHERE")

    assert client.get(SLIDE).status_code == 409
    tiles = client.get(SLIDE, params={"site": "ELSEWHERE"}).json()["tiles"]
    assert tiles.startswith("/api/sites/ELSEWHERE/slides/")
    assert client.get(f"{tiles}/0/0/0/0_0").status_code == 200


def test_pictures_of_the_label_are_named_to_who_may_see_them_alone(room, client):
    def beside(flavour: str, width: int) -> bytes:
        frames = -(-width // 64)
        header = a_header(width, 48, 64, frames, ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"])
        return as_file(header, [jpeg(texture(64, 64))] * frames)

    takes(room, a_volume(), beside("LABEL", 64), beside("OVERVIEW", 63), beside("THUMBNAIL", 62))
    takes(room, beside("OVERVIEW", 130))  # in tiles: no one of them is the picture

    assert client.get(SLIDE).json()["labels"] == []
    with room.signed_in("root") as allowed:
        told = allowed.get(SLIDE).json()
    assert told["labels"] == [
        {"kind": "label", "sopInstanceUID": "1.2.3.1.1.64", "picture": None},
        {"kind": "macro", "sopInstanceUID": "1.2.3.1.1.63", "picture": None},
    ]
    assert (told["associated"], told["vendorFile"]) == (["thumbnail"], None)


def test_a_series_without_a_slide_is_404(room, client):
    uid = room.add_study(seed="one")
    (series,) = client.get(f"/api/studies/{uid}/series").json()

    answer = client.get(f"/api/slides/{uid}/{series['seriesInstanceUID']}")

    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such slide in this series.")


def test_a_deleted_slide_leaves_nothing_that_was_made_of_it(room, client):
    takes(room, a_volume())
    tiles = client.get(SLIDE).json()["tiles"]
    client.get(f"{tiles}/0/0/2/0_0").raise_for_status()
    kept = room.stores.config.node.data / "slides"

    room.slides.shelf.forget()
    room.slides.sweep()

    assert not kept.exists()
    assert client.get(f"{tiles}/0/0/2/0_0").status_code == 200  # the rows are there still: it is made again


def test_a_real_slide_is_served(room, client, samples):
    files = [path.read_bytes() for path in sorted((samples / "wsi-cmu1-dicom").glob("*.dcm"))]
    takes(room, *files)
    first = pydicom.dcmread(io.BytesIO(files[0]), stop_before_pixels=True)

    told = client.get(f"/api/slides/{first.StudyInstanceUID}/{first.SeriesInstanceUID}").raise_for_status().json()

    assert (told["width"], told["height"], told["hasIcc"], told["associated"]) == (2220, 2967, True, ["thumbnail"])
    for octave in told["octaves"]:
        last = f"{octave['columns'] - 1}_{octave['rows'] - 1}"
        tile = client.get(f"{told['tiles']}/0/0/{octave['number']}/{last}").raise_for_status()
        assert max(pixels_of(tile.content).shape) <= 240  # this converter did not pad its edges
        assert "icc_profile" in Image.open(io.BytesIO(tile.content)).info


@pytest.mark.parametrize(
    "name", ["highdicom_sm_image.dcm", "highdicom_sm_image_jpegls.dcm", "highdicom_sm_image_jpegls_nobot.dcm"]
)
def test_tiles_that_browsers_do_not_show_are_decoded(room, client, samples, name):
    path = samples / "slides" / name
    takes(room, path.read_bytes())
    ds = pydicom.dcmread(path)

    told = client.get(f"/api/slides/{ds.StudyInstanceUID}/{ds.SeriesInstanceUID}").raise_for_status().json()
    tile = client.get(f"{told['tiles']}/0/0/0/2_3").raise_for_status()

    assert told["octaves"][0]["stored"] is False
    frame = ds.pixel_array[3 * 5 + 2].astype(int)
    assert np.abs(pixels_of(tile.content) - frame).mean() < 12


def test_a_tile_whose_jpeg_claims_65000_pixels_a_side_is_refused_and_nobody_dies(room, client):
    good = jpeg(texture(64, 64))
    at = good.index(b"\xff\xc0") + 5
    lying = good[:at] + (65000).to_bytes(2, "big") * 2 + good[at + 4 :]
    takes(room, as_file(a_header(128, 64, 64, 2), [lying, good]))
    tiles = client.get(SLIDE).json()["tiles"]

    refused = client.get(f"{tiles}/0/0/0/0_0")

    assert (refused.status_code, refused.json()["code"]) == (400, "MalformedSlide")
    assert client.get(f"{tiles}/0/0/0/1_0").status_code == 200
    assert client.get(f"{tiles}/0/0/1/0_0").status_code == 400  # it stands on the tile that lies


def test_a_slide_that_is_damaged_says_why(room, client):
    takes(room, a_volume(300, 200, 64, TotalPixelMatrixColumns=9000))

    answer = client.get(SLIDE)

    assert (answer.status_code, answer.json()["code"]) == (400, "MalformedSlide")
    assert "frames where its matrix asks for" in answer.json()["detail"]


def test_blobs_that_are_gone_are_told_as_ours_to_repair(room, client):
    takes(room, a_volume())
    tiles = client.get(SLIDE).json()["tiles"]
    for path in (room.stores.config.node.data / "blobs").glob("??/*"):
        path.unlink()

    assert client.get(f"{tiles}/0/0/0/0_0").json()["code"] == "BlobMissing"
