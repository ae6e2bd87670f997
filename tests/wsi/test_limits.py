"""Every bound of a slide is reached by a test: what keeps it is taken, and one more is refused in words."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from pydicom.sequence import Sequence

from kernel.errors import LimitExceeded, MalformedSlide
from tests.wsi import builders
from tests.wsi.builders import LONG, Field, a_level, a_tiff, texture
from tests.wsi.dicom_builders import Place, a_header, an_optical_path, as_file, index_of, placed
from wsi import dicom_slide, tiff_slide, tile_index
from wsi.index_file import HEADER_BYTES_MAX, MAGIC, load
from wsi.limits import (
    PROFILE_BYTES_MAX,
    SIDE_PIXELS_MAX,
    TABLES_BYTES_MAX,
    TILE_BYTES_MAX,
    TILE_SIDE_MAX,
    TILE_SIDE_MIN,
)
from wsi.tiff_slide import index_tiff
from wsi.tile_index import Level, checked


def a_grid(width: int, height: int, tile: int = 256, **changes) -> Level:
    count = -(-width // tile) * -(-height // tile)
    numbers = {
        "offsets": np.zeros(count, np.uint64),
        "lengths": np.full(count, 10, np.uint32),
        "files": np.zeros(count, np.uint16),
    }
    one = Level(width, height, tile, tile, "jpeg", "YCbCr", b"", 1, 1, **numbers)
    return replace(one, **changes)


@pytest.mark.parametrize(
    ("most", "more", "why"),
    [
        (a_grid(SIDE_PIXELS_MAX, 256), a_grid(SIDE_PIXELS_MAX + 1, 256), "pixels of a slide's side"),
        (a_grid(8, 8, TILE_SIDE_MIN), a_grid(8, 8, TILE_SIDE_MIN - 1), "smaller than 8 pixels"),
        (a_grid(256, 256, TILE_SIDE_MAX), a_grid(256, 256, TILE_SIDE_MAX + 1), "pixels of a tile's side"),
        (
            a_grid(256, 256, lengths=np.array([TILE_BYTES_MAX], np.uint32)),
            a_grid(256, 256, lengths=np.array([TILE_BYTES_MAX + 1], np.uint32)),
            "a tile is longer",
        ),
        (
            a_grid(256, 256, tables=b"t" * TABLES_BYTES_MAX),
            a_grid(256, 256, tables=b"t" * (TABLES_BYTES_MAX + 1)),
            "bytes of JPEG tables",
        ),
        (
            a_grid(256, 256, offsets=np.array([2**40 - 10], np.uint64)),
            a_grid(256, 256, offsets=np.array([2**40 - 9], np.uint64)),
            "past the end",
        ),
        (
            a_grid(256, 256),
            a_grid(256, 256, offsets=np.array([2**64 - 5], np.uint64)),
            "past the end",
        ),  # their sum is small
    ],
    ids=["side", "small tiles", "large tiles", "bytes", "tables", "end", "beyond every address"],
)
def test_a_level_at_its_bound_is_taken_and_one_beyond_it_is_refused(most, more, why):
    assert checked(most, [2**40]) is most

    with pytest.raises((LimitExceeded, MalformedSlide), match=why):
        checked(more, [2**40])


def test_a_level_has_as_many_tiles_as_it_may_and_no_more(monkeypatch):
    monkeypatch.setattr(tile_index, "TILES_MAX", 4)
    four, six = a_grid(16, 16, 8), a_grid(16, 24, 8)

    assert checked(four, [100]) is four
    with pytest.raises(LimitExceeded, match="tiles of a level exceeded: 6 is more than 4"):
        checked(six, [100])


def test_65535_by_65535_tiles_are_refused_at_once_whatever_is_said_of_their_places(request):
    """Four thousand million tiles of 8 pixels: no number is read, and none made, for each."""
    sides = {name: Field(LONG, [65_535 * 8]) for name in ("IMAGE_WIDTH", "IMAGE_LENGTH")}
    tiff = a_tiff(a_level(texture(8, 8), tile=8, **sides))
    tracemalloc.start()
    request.addfinalizer(tracemalloc.stop)

    with pytest.raises(LimitExceeded, match="tiles of a level exceeded: 4294836225 is more than 4000000"):
        index_tiff(tiff)
    with pytest.raises(LimitExceeded, match="tiles of a level exceeded: 4294836225 is more than 4000000"):
        index_of(as_file(placed(a_header(65_535 * 8, 65_535 * 8, 8, 1), [Place(1, 1)]), [b"tile"]))

    assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2


@pytest.mark.parametrize("name", ["TILE_OFFSETS", "TILE_BYTE_COUNTS"])
def test_more_places_than_a_level_may_have_tiles_are_not_read(name, monkeypatch):
    monkeypatch.setattr(tiff_slide, "TILES_MAX", 3)
    four = a_tiff(a_level(texture(128, 128), tile=64))

    with pytest.raises(LimitExceeded, match="4 is more than 3"):
        index_tiff(four)


def test_a_profile_and_tables_longer_than_they_may_be_are_refused():
    for name, bound in (("ICC_PROFILE", PROFILE_BYTES_MAX), ("JPEG_TABLES", TABLES_BYTES_MAX)):
        longer = a_level(texture(64, 64), **{name: Field(builders.BYTE, b"x" * (bound + 1))})

        with pytest.raises(LimitExceeded, match=f"{bound + 1} is more than {bound}"):
            index_tiff(a_tiff(longer))


def test_more_focal_planes_or_optical_paths_than_may_be_are_refused(monkeypatch):
    monkeypatch.setattr(dicom_slide, "PLANES_MAX", 1)
    monkeypatch.setattr(dicom_slide, "PATHS_MAX", 1)
    two_planes = as_file(a_header(64, 64, 64, 2, TotalPixelMatrixFocalPlanes=2), [b"one.", b"two."])
    paths = Sequence([an_optical_path("1", ""), an_optical_path("2", "")])
    two_paths = as_file(a_header(64, 64, 64, 2, OpticalPathSequence=paths), [b"one.", b"two."])

    with pytest.raises(LimitExceeded, match="focal planes"):
        index_of(two_planes)
    with pytest.raises(LimitExceeded, match="optical paths"):
        index_of(two_paths)


def test_the_header_of_an_index_has_a_bound(tmp_path):
    (tmp_path / "index").write_bytes(MAGIC + (HEADER_BYTES_MAX + 1).to_bytes(8, "little"))

    with pytest.raises(LimitExceeded, match="bytes of an index's header"):
        load(tmp_path / "index")
