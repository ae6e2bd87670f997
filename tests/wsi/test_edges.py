"""Tiles at the right and lower edge of a slide lose their padding and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image

from kernel.errors import MalformedSlide
from tests.wsi.builders import jpeg, pixels_of, texture
from wsi import edges
from wsi.edges import has_padding, without_padding
from wsi.tile_index import Grid

GRID = Grid(width=300, height=200, tile_width=64, tile_height=64)  # the last tile: 44 by 8 pixels
TILE = texture(64, 64)


@pytest.mark.peer("libturbojpeg")
def test_a_tile_at_the_edge_is_cut_to_what_lies_on_the_slide():
    tile = jpeg(TILE, subsampling=0)

    assert np.array_equal(pixels_of(without_padding(tile, GRID, 4, 3)), pixels_of(tile)[:8, :44])
    assert np.array_equal(pixels_of(without_padding(tile, GRID, 4, 0)), pixels_of(tile)[:, :44])
    assert np.array_equal(pixels_of(without_padding(tile, GRID, 0, 3)), pixels_of(tile)[:8])


def test_a_tile_inside_the_slide_is_not_even_looked_at():
    assert not has_padding(b"anything", GRID, 3, 2)
    assert without_padding(b"anything", GRID, 0, 0) == b"anything"


def test_a_tile_that_nobody_padded_stays_as_it_is():
    tile = jpeg(TILE[:8, :44])

    assert without_padding(tile, GRID, 4, 3) is tile


@pytest.mark.parametrize("sampling", ["absent", "unknown"])
def test_without_the_library_or_a_name_for_its_sampling_a_tile_is_encoded_anew(monkeypatch, sampling):
    if sampling == "absent":
        monkeypatch.setattr(edges, "has_library", lambda: False)
    else:
        monkeypatch.setattr(edges, "jpeg_sampling", lambda _: [0x22, 0x21, 0x21])
    tile = jpeg(TILE, icc_profile=b"profile")

    cut = without_padding(tile, GRID, 4, 3)

    assert Image.open(io.BytesIO(cut)).info["icc_profile"] == b"profile"
    assert np.abs(pixels_of(cut).astype(int) - pixels_of(tile)[:8, :44]).mean() < 6


def test_a_tile_that_is_no_jpeg_is_refused(monkeypatch):
    monkeypatch.setattr(edges, "has_library", lambda: False)
    cut_off = jpeg(TILE)
    for broken in (b"no JPEG", cut_off[:30], cut_off[: cut_off.index(b"\xff\xda")] + b"\xff\xd9"):
        with pytest.raises(MalformedSlide):
            without_padding(broken, GRID, 4, 3)
