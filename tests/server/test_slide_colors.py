"""The colors of a slide are those of its profile for every viewer, however long that is."""

import io
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.server.test_slides import SLIDE, takes
from tests.wsi.builders import a_swapped_profile, pixels_of
from tests.wsi.dicom_builders import a_volume, an_optical_path
from wsi.jpeg import ICC_EMBEDDED_BYTES_MAX, ICC_SPLICED_BYTES_MAX

LONG = a_swapped_profile(150_000)  # more than two segments of a JPEG hold


def a_colored(profile: bytes) -> bytes:
    path = an_optical_path("1", "Brightfield")
    path.ICCProfile = profile
    return a_volume(300, 200, 64, OpticalPathSequence=[path])


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    with room.signed_in() as signed:
        yield signed


def shown(content: bytes) -> np.ndarray:
    """Return the colors that a viewer shows who heeds profiles."""
    opened = Image.open(io.BytesIO(content))
    converted = ImageCms.profileToProfile(
        opened, io.BytesIO(opened.info["icc_profile"]), ImageCms.createProfile("sRGB")
    )
    return np.asarray(converted).astype(int)


def test_a_long_profile_is_given_once_under_the_revision(room, client):
    takes(room, a_colored(LONG))
    told = client.get(SLIDE).raise_for_status().json()

    given = client.get(told["icc"]).raise_for_status()

    assert (told["hasIcc"], told["icc"]) == (True, f"{told['tiles']}/icc")
    assert given.content == LONG
    assert given.headers["Content-Type"] == "application/vnd.iccprofile"
    assert given.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "icc_profile" not in Image.open(io.BytesIO(client.get(f"{told['tiles']}/0/0/0/0_0").content)).info


@pytest.mark.parametrize("size", [ICC_SPLICED_BYTES_MAX, ICC_SPLICED_BYTES_MAX + 2, len(LONG)])
def test_viewers_that_know_no_other_way_are_given_the_profile_in_every_picture(room, client, size):
    profile = a_swapped_profile(size)
    takes(room, a_colored(profile))

    for path in ("dz_files/9/1_2.jpg", "dz_files/9/4_3.jpg", "dz_files/8/0_0.jpg", "iiif/full/75,/0/default.jpg"):
        picture = client.get(f"{SLIDE}/{path}").raise_for_status().content
        assert Image.open(io.BytesIO(picture)).info["icc_profile"] == profile, path
        swapped = pixels_of(picture)[..., [1, 0, 2]].astype(int)  # as the profile says: red is green
        assert np.abs(shown(picture) - swapped).mean() < 3, path


def test_a_profile_that_no_picture_could_carry_is_left_to_those_who_ask_for_it(room, client):
    profile = a_swapped_profile(ICC_EMBEDDED_BYTES_MAX + 2)
    takes(room, a_colored(profile))

    picture = client.get(f"{SLIDE}/dz_files/9/1_2.jpg").raise_for_status().content

    assert "icc_profile" not in Image.open(io.BytesIO(picture)).info
    assert client.get(client.get(SLIDE).json()["icc"]).content == profile


def test_a_short_profile_is_in_every_tile_and_one_that_is_absent_nowhere(room, client):
    takes(room, a_colored(a_swapped_profile(1000)))
    short = client.get(SLIDE).json()
    tile = client.get(f"{short['tiles']}/0/0/0/0_0").content

    assert (short["hasIcc"], short["icc"]) == (True, None)
    assert len(Image.open(io.BytesIO(tile)).info["icc_profile"]) == 1000


def test_a_slide_without_a_profile_has_none(room, client):
    takes(room, a_volume())
    told = client.get(SLIDE).json()

    assert (told["hasIcc"], told["icc"]) == (False, None)
    assert client.get(f"{told['tiles']}/icc").status_code == 404


def test_nobody_else_is_given_a_profile(room, client):
    takes(room, a_colored(LONG))
    profile = client.get(SLIDE).json()["icc"]

    with room.client() as stranger, room.signed_in("bot") as elsewhere:
        assert stranger.get(profile).status_code == 401
        assert elsewhere.get(profile).status_code == 404
