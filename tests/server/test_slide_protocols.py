"""Other viewers see the same slide: DeepZoom and IIIF are translations of the reading room's own tiles."""

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.server.test_slides import SLIDE, takes
from tests.wsi.builders import jpeg, pixels_of, texture
from tests.wsi.dicom_builders import a_volume, tiles_of

DZ, IIIF = f"{SLIDE}/dz_files", f"{SLIDE}/iiif"
WHOLE = texture(300, 200).astype(int)


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    takes(room, a_volume(300, 200, 64))
    with room.signed_in() as signed:
        yield signed


def picture(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return pixels_of(answer.content).astype(int)


def small(width: int, height: int, box: tuple[int, int, int, int] = (0, 0, 300, 200)) -> np.ndarray:
    whole = Image.fromarray(texture(300, 200)).crop((box[0], box[1], box[0] + box[2], box[1] + box[3]))
    return np.asarray(whole.resize((width, height), Image.Resampling.BOX)).astype(int)


def test_deep_zoom_says_its_size_and_its_tiles(client):
    told = ET.fromstring(client.get(f"{SLIDE}/dz.dzi").raise_for_status().text)

    assert (told.get("TileSize"), told.get("Overlap"), told.get("Format")) == ("64", "0", "jpg")
    assert {name: told[0].get(name) for name in ("Width", "Height")} == {"Width": "300", "Height": "200"}


def test_a_deep_zoom_tile_inside_the_slide_is_the_stored_one(client):
    tiles = client.get(SLIDE).json()["tiles"]

    assert client.get(f"{DZ}/9/1_2.jpg").content == client.get(f"{tiles}/0/0/0/1_2").content


def test_deep_zoom_tiles_at_the_edges_have_no_padding_and_every_level_is_there(client):
    assert picture(client.get(f"{DZ}/9/4_3.jpg")).shape == (8, 44, 3)
    assert np.abs(picture(client.get(f"{DZ}/9/4_3.jpg")) - WHOLE[192:, 256:]).mean() < 6
    for level, (width, height) in enumerate([(1, 1), (2, 1), (3, 2), (5, 4), (10, 7), (19, 13), (38, 25)]):
        made = picture(client.get(f"{DZ}/{level}/0_0.jpg"))
        assert made.shape == (height, width, 3), level
        assert np.abs(made.mean(axis=(0, 1)) - WHOLE.mean(axis=(0, 1))).max() < 12, level


@pytest.mark.peer("libturbojpeg")
def test_a_tile_at_the_edge_is_the_same_for_all_and_cut_without_encoding_it_anew(client, room):
    tiles = client.get(SLIDE).json()["tiles"]

    cut = client.get(f"{tiles}/0/0/0/4_3").raise_for_status().content

    assert client.get(f"{DZ}/9/4_3.jpg").content == cut
    assert client.get(f"{IIIF}/256,192,44,8/44,8/0/default.jpg").content == cut
    assert [path.read_bytes() for path in (room.stores.config.node.data / "slides").glob("*/0-0-0-4_3-cut")] == [cut]
    stored = jpeg(tiles_of(texture(300, 200), 64)[19])
    assert np.array_equal(luminance(cut), luminance(stored)[:8, :44])


def luminance(stream: bytes) -> np.ndarray:
    opened = Image.open(io.BytesIO(stream))
    opened.draft("L", opened.size)
    return np.asarray(opened)


def test_a_tile_of_an_octave_that_is_made_is_given_as_the_reading_room_has_it(client):
    tiles = client.get(SLIDE).json()["tiles"]

    for deep_zoom, region, ours in (("8/0_0", "0,0,128,128/64,64", "1/0_0"), ("7/1_0", "256,0,44,200/11,50", "2/1_0")):
        made = client.get(f"{tiles}/0/0/{ours}").raise_for_status().content
        assert client.get(f"{DZ}/{deep_zoom}.jpg").content == made
        assert client.get(f"{IIIF}/{region}/0/default.jpg").content == made


@pytest.mark.parametrize("tile", ["10/0_0.jpg", "9/5_0.jpg", "9/0_4.jpg", "9/0_0.png", "x/0_0.jpg", "99/0_0.jpg"])
def test_deep_zoom_tiles_that_are_not_there_are_404(client, tile):
    assert client.get(f"{DZ}/{tile}").status_code == 404


def test_iiif_describes_its_tiles_in_halves(client):
    told = client.get(f"{IIIF}/info.json").raise_for_status()

    document = told.json()
    assert told.headers["Content-Type"].startswith("application/ld+json")
    assert (document["type"], document["profile"], document["width"]) == ("ImageService3", "level1", 300)
    assert document["tiles"] == [{"width": 64, "height": 64, "scaleFactors": [1, 2, 4, 8]}]
    assert document["id"].endswith(f"{SLIDE}/iiif")
    assert document["maxArea"] == 4 * 1024 * 1024


def test_an_iiif_region_that_is_a_tile_is_the_stored_one(client):
    tiles = client.get(SLIDE).json()["tiles"]

    assert client.get(f"{IIIF}/64,128,64,64/64,64/0/default.jpg").content == client.get(f"{tiles}/0/0/0/1_2").content


@pytest.mark.parametrize(
    ("region", "size", "box", "shape"),
    [
        ("full", "max", (0, 0, 300, 200), (300, 200)),
        ("full", "75,", (0, 0, 300, 200), (75, 50)),
        ("square", ",50", (50, 0, 200, 200), (50, 50)),
        ("10,20,100,60", "50,30", (10, 20, 100, 60), (50, 30)),
        ("250,150,500,500", "max", (250, 150, 50, 50), (50, 50)),
    ],
)
def test_any_iiif_region_is_drawn_at_any_smaller_size(client, region, size, box, shape):
    made = picture(client.get(f"{IIIF}/{region}/{size}/0/default.jpg"))

    assert made.shape == (shape[1], shape[0], 3)
    assert np.abs(made - small(*shape, box)).mean() < 8


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("300,0,10,10/max/0/default.jpg", 400),
        ("0,0,0,10/max/0/default.jpg", 400),
        ("full/301,/0/default.jpg", 400),
        ("full/,/0/default.jpg", 400),
        ("full/0,/0/default.jpg", 400),
        ("pct:0,0,10,10/max/0/default.jpg", 400),
        ("full/max/90/default.jpg", 400),
        ("full/max/0/gray.jpg", 400),
        ("99999999,0,1,1/max/0/default.jpg", 400),
    ],
)
def test_what_level_1_does_not_have_is_refused(client, path, status):
    assert client.get(f"{IIIF}/{path}").status_code == status


def test_a_picture_of_too_many_pixels_is_refused_and_max_keeps_the_bound(client, monkeypatch):
    monkeypatch.setattr("wsi.region.AREA_MAX", 10_000)
    monkeypatch.setattr("viewer.server.slide_protocols.AREA_MAX", 10_000)

    assert client.get(f"{IIIF}/full/300,200/0/default.jpg").status_code == 413
    assert picture(client.get(f"{IIIF}/full/max/0/default.jpg")).shape == (81, 122, 3)


def test_answers_that_still_hold_cost_nothing(client):
    for path in (f"{DZ}/9/1_1.jpg", f"{IIIF}/full/75,/0/default.jpg"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, first.headers["Cache-Control"]) == (304, "private, no-cache")


def test_nobody_else_sees_them(room, client):
    with room.client() as stranger, room.signed_in("bot") as elsewhere:
        for path in (f"{SLIDE}/dz.dzi", f"{DZ}/9/0_0.jpg", f"{IIIF}/info.json", f"{IIIF}/full/max/0/default.jpg"):
            assert stranger.get(path).status_code == 401
            assert elsewhere.get(path).status_code == 404


def test_the_colour_profile_stays(client, room, samples):
    files = [path.read_bytes() for path in sorted((samples / "wsi-cmu1-dicom").glob("*.dcm"))]
    takes(room, *files)
    study, series = (
        "1.2.826.0.1.3680043.8.498.27490749450233343986413375710927046708",
        "1.2.826.0.1.3680043.8.498.75583119590044576326066741511663189977",
    )

    made = client.get(f"/api/slides/{study}/{series}/iiif/full/200,/0/default.jpg").raise_for_status()

    assert "icc_profile" in Image.open(io.BytesIO(made.content)).info
