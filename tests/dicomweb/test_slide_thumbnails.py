"""The thumbnail of a slide, its series or its study: all of the tissue, whatever else the series has."""

import io

import numpy as np
import pytest
from PIL import Image

from consult.slides import making
from tests.dicomweb.test_slide_labels import LABELS, READ, SERIES_URL, STUDY_URL, a_label
from tests.wsi.builders import jpeg, texture
from tests.wsi.dicom_builders import a_header, a_volume, as_file, tiles_of


def picture(response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


@pytest.mark.parametrize("path", [STUDY_URL, SERIES_URL])
@pytest.mark.parametrize("scopes", [READ, LABELS])
def test_it_is_the_whole_slide_and_not_a_tile_or_a_label(node, path, scopes):
    node.store(a_volume(), a_label(), a_label("OVERVIEW", 63))
    token = node.a_token(*scopes)

    shown = picture(node.get(f"{path}/thumbnail", token, Accept="image/jpeg"))

    whole = Image.fromarray(texture(300, 200)).resize(shown.size, Image.Resampling.BOX)
    assert shown.size == (128, 85)
    assert np.abs(np.asarray(shown, int) - np.asarray(whole, int)).mean() < 12
    png = picture(node.get(f"{path}/thumbnail?viewport=60,60", token, Accept="image/png"))
    assert (png.format, png.size) == ("PNG", (60, 40))


def test_it_is_asked_for_again_only_when_the_slide_has_changed(node):
    node.store(a_volume())
    first = node.get(f"{SERIES_URL}/thumbnail", Accept="image/jpeg")

    again = node.get(f"{SERIES_URL}/thumbnail", Accept="image/jpeg", **{"If-None-Match": first.headers["etag"]})
    node.store(a_volume(150, 100))
    then = node.get(f"{SERIES_URL}/thumbnail", Accept="image/jpeg", **{"If-None-Match": first.headers["etag"]})

    assert (again.status_code, then.status_code) == (304, 200)


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png"])
def test_of_a_slide_that_is_not_ready_there_is_a_first_look_which_nobody_keeps(node, monkeypatch, media_type):
    monkeypatch.setattr(making, "DECODED_MAX", 9)
    tissue = texture(300, 200)
    tissue[:, :150] //= 4  # its left half is dark
    node.store(as_file(a_header(300, 200, 64, 20), [jpeg(one) for one in tiles_of(tissue, 64)]))

    looks = [node.get(f"{SERIES_URL}/thumbnail", Accept=media_type)]
    while "Warning" in looks[-1].headers:
        assert len(looks) < 5
        looks.append(node.get(f"{SERIES_URL}/thumbnail", Accept=media_type))

    first, last = picture(looks[0]), picture(looks[-1])
    assert len(looks) > 1
    assert (
        looks[0]
        .headers["Warning"]
        .endswith('"The slide is being made ready: a first look, from a part of its tiles. Ask again."')
    )
    assert (looks[0].headers["Cache-Control"], "ETag" in looks[0].headers) == ("no-store", False)
    assert "ETag" in looks[-1].headers
    assert (first.format, first.size) == (last.format, last.size) == (media_type[6:].upper(), (128, 85))
    left, right = (np.asarray(first.convert("L"), int)[:, part].mean() for part in (slice(48), slice(80, 128)))
    assert left < 70
    assert right > 130


def test_of_a_slide_that_cannot_be_opened_its_coarsest_level_is_shown(node):
    part = a_header(
        256, 192, 64, 2, ConcatenationUID="1.2.9", ConcatenationFrameOffsetNumber=0, InConcatenationNumber=1
    )
    tiles = tiles_of(texture(256, 192), 64)[:2]
    node.store(as_file(part, [jpeg(one) for one in tiles]), a_label("THUMBNAIL", 62), a_label())

    shown = picture(node.get(f"{SERIES_URL}/thumbnail", Accept="image/jpeg"))

    assert shown.size == (64, 128)  # one tile, in the shape of its pixels, which are twice as high as wide


def test_a_series_of_labels_alone_has_no_thumbnail(node):
    node.store(a_label(), a_label("OVERVIEW", 63))

    assert node.get(f"{SERIES_URL}/thumbnail", node.a_token(*LABELS), Accept="image/jpeg").status_code == 404
