"""TIFF slides give up their tiles as they are stored; what must be decoded is declined, what lies is refused."""

import numpy as np
import openslide
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import ExchangeError, LimitExceeded, MalformedSlide, NotFound
from tests.wsi.builders import (
    ASCII,
    LONG,
    RATIONAL,
    SHORT,
    Field,
    Picture,
    a_level,
    a_strip,
    a_tiff,
    an_svs,
    pixels_of,
    texture,
)
from wsi.index_file import load, save
from wsi.octave import reduced_tile
from wsi.pyramid import octaves
from wsi.tiff_slide import Decline, index_tiff
from wsi.tile_index import SlideIndex

SVS = an_svs()


def tile_of(content: bytes, index: SlideIndex, level: int, column: int, row: int) -> bytes:
    one = index.levels[level]
    span = one.span(one.number(column, row))
    return index.completion(level).complete(content[span.offset : span.offset + span.length])


def test_an_aperio_slide_says_its_levels_its_scale_and_its_pictures():
    index = index_tiff(SVS)

    assert isinstance(index, SlideIndex)
    assert (index.vendor, index.mpp, index.objective) == ("aperio", (0.252, 0.252), 40.0)
    assert [(one.width, one.height, one.columns, one.rows) for one in index.levels] == [
        (500, 380, 8, 6),
        (125, 95, 2, 2),
    ]
    assert [one.kind for one in index.associated] == ["thumbnail", "label", "macro"]


@pytest.mark.parametrize("options", [{"big": True}, {"order": ">"}], ids=["BigTIFF", "big endian"])
def test_every_form_of_tiff_gives_the_same_tiles(options):
    other = an_svs(**options)

    assert tile_of(other, index_tiff(other), 1, 1, 0) == tile_of(SVS, index_tiff(SVS), 1, 1, 0)


def test_pixels_are_openslide_s_own(tmp_path):
    (tmp_path / "a.svs").write_bytes(SVS)
    index = index_tiff(SVS)

    with openslide.OpenSlide(tmp_path / "a.svs") as peer:
        assert peer.level_dimensions == tuple((one.width, one.height) for one in index.levels)
        for level, one in enumerate(index.levels):
            scale = round(index.levels[0].width / one.width)
            for row in range(one.rows):
                for column in range(one.columns):
                    x, y = column * one.tile_width, row * one.tile_height
                    size = (min(one.tile_width, one.width - x), min(one.tile_height, one.height - y))
                    theirs = np.asarray(peer.read_region((x * scale, y * scale), level, size).convert("RGB"))
                    ours = pixels_of(tile_of(SVS, index, level, column, row))[: size[1], : size[0]]
                    assert np.array_equal(ours, theirs)


def test_a_real_slide_of_unmarked_rgb_has_openslide_s_pixels(samples):
    path = samples / "slides" / "CMU-1-Small-Region.svs"
    content = path.read_bytes()
    index = index_tiff(content)
    one = index.levels[0]

    with openslide.OpenSlide(path) as peer:
        for row in range(0, one.rows, 3):
            for column in range(0, one.columns, 2):
                x, y = column * one.tile_width, row * one.tile_height
                size = (min(one.tile_width, one.width - x), min(one.tile_height, one.height - y))
                theirs = np.asarray(peer.read_region((x, y), 0, size).convert("RGB"))
                assert np.array_equal(pixels_of(tile_of(content, index, 0, column, row))[: size[1], : size[0]], theirs)
    assert [one.kind for one in index.associated] == ["thumbnail", "label", "macro"]


def test_octaves_that_a_real_slide_does_not_store_are_its_pixels_reduced(samples):
    path = samples / "slides" / "CMU-1-Small-Region.svs"
    content = path.read_bytes()
    index = index_tiff(content)
    steps = octaves(index)

    def tile(number: int, column: int, row: int) -> bytes:
        octave = steps[number]
        if octave.stored is not None:
            return tile_of(content, index, octave.stored, column, row)
        source = steps[octave.source]
        return reduced_tile(octave, source, column, row, lambda x, y: tile(source.number, x, y), icc_profile=b"")

    with openslide.OpenSlide(path) as peer:
        whole = peer.read_region((0, 0), 0, peer.dimensions).convert("RGB")
    for number in (1, 2, 3, 4):
        scale = 1 << number
        theirs = np.asarray(whole.crop((0, 0, min(240 * scale, 2208), min(240 * scale, 2960))).reduce(scale)).astype(
            int
        )
        ours = pixels_of(tile(number, 0, 0))[: theirs.shape[0], : theirs.shape[1]]
        assert abs(ours - theirs).mean() < 4  # levels of 255: JPEG, and its coarser colours
        assert abs((ours - theirs).mean(axis=(0, 1))).max() < 1


def test_an_index_beside_the_slide_gives_the_same_tiles(tmp_path):
    index = index_tiff(SVS)
    save(index, tmp_path / "a.tiles")

    again = load(tmp_path / "a.tiles")

    assert (again.vendor, again.mpp, again.objective, again.associated) == (
        index.vendor,
        index.mpp,
        index.objective,
        index.associated,
    )
    assert tile_of(SVS, again, 1, 0, 1) == tile_of(SVS, index, 1, 0, 1)


def test_an_index_that_was_cut_off_is_refused(tmp_path):
    save(index_tiff(SVS), tmp_path / "a.tiles")
    whole = (tmp_path / "a.tiles").read_bytes()

    for size in (4, 15, 40, len(whole) - 1):
        (tmp_path / "b.tiles").write_bytes(whole[:size])
        with pytest.raises(MalformedSlide):
            load(tmp_path / "b.tiles")


def test_a_generic_pyramid_is_read_from_the_finest_level_down():
    whole = texture(300, 200)
    resolution = {"X_RESOLUTION": Field(RATIONAL, [(40000, 1)]), "Y_RESOLUTION": Field(RATIONAL, [(20000, 1)])}
    content = a_tiff(
        a_level(whole, RESOLUTION_UNIT=Field(SHORT, [3]), **resolution),
        a_level(whole[::4, ::4]),
        a_level(whole[::2, ::2]),
        a_level(texture(90, 90)),  # of other proportions: no level of this slide
        a_strip("anything", 0),
    )

    index = index_tiff(content)

    assert (index.vendor, index.mpp) == ("generic-tiff", (0.25, 0.5))
    assert [(one.width, one.height) for one in index.levels] == [(300, 200), (150, 100), (75, 50)]
    assert [one.kind for one in index.associated] == ["other"]  # it may be a label


def test_focal_planes_and_channels_are_refused_and_not_left_out_in_silence():
    planes = [a_level(texture(128, 64, seed)) for seed in range(3)]

    with pytest.raises(LimitExceeded, match=r"full size \(focal planes, channels\) exceeded: 3 is more than 1"):
        index_tiff(a_tiff(*planes, a_level(texture(64, 32))))
    assert len(index_tiff(a_tiff(planes[0], a_level(texture(64, 32)))).levels) == 2


def test_an_empty_tile_is_where_nothing_was_scanned():
    sparse = Picture(dict(a_level(texture(128, 64)).fields), [b"", a_level(texture(64, 64)).pieces[0]])
    index = index_tiff(a_tiff(sparse))

    assert index.levels[0].span(0).length == 0
    assert index.levels[0].span(1).length > 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (a_tiff(a_strip("scan", 0)), "no tiles"),
        (a_tiff(a_level(texture(64, 64), COMPRESSION=Field(SHORT, [8]))), "compressed"),
        (a_tiff(a_level(texture(64, 64), MAKE=Field(ASCII, b"Hamamatsu\0"))), "overlap"),
        (a_tiff(a_level(texture(64, 64), description=b"<scn xmlns='x'>")), "overlap"),
        (a_tiff(a_level(texture(64, 64), BITS_PER_SAMPLE=Field(SHORT, [16, 16, 16]))), "8 bits"),
        (a_tiff(a_level(texture(64, 64), PLANAR_CONFIGURATION=Field(SHORT, [2]))), "8 bits"),
    ],
    ids=["strips", "deflate", "Hamamatsu", "SCN", "16 bits", "planes"],
)
def test_what_must_be_decoded_is_declined(content, why):
    declined = index_tiff(content)

    assert isinstance(declined, Decline)
    assert why in declined.reason


@pytest.mark.parametrize(
    "lie",
    [
        {"IMAGE_WIDTH": Field(LONG, [0])},
        {"IMAGE_WIDTH": Field(LONG, [4_294_967_295])},
        {"IMAGE_LENGTH": Field(LONG, [1000])},
        {"TILE_WIDTH": Field(LONG, [1])},
        {"TILE_WIDTH": Field(LONG, [65535])},
        {"TILE_OFFSETS": Field(LONG, [0xFFFFFFF0])},
        {"TILE_BYTE_COUNTS": Field(LONG, [0xFFFFFFF0])},
        {"TILE_OFFSETS": Field(LONG, [8, 8])},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_numbers_that_do_not_hold_together_are_refused(lie):
    with pytest.raises((MalformedSlide, LimitExceeded)):
        index_tiff(a_tiff(a_level(texture(64, 64), **lie)))


def test_a_tile_outside_the_grid_is_not_found():
    level = index_tiff(SVS).levels[0]

    for address in ((8, 0), (0, 6), (-1, 0), (0, 0, 1), (0, 0, 0, 1)):
        with pytest.raises(NotFound):
            level.number(*address)


def test_missing_octaves_come_from_the_nearest_finer_one_that_is_stored():
    steps = octaves(index_tiff(SVS))

    assert [(one.width, one.height) for one in steps] == [(500, 380), (250, 190), (125, 95), (63, 48)]
    assert [one.stored for one in steps] == [0, None, 1, None]
    assert [one.source for one in steps] == [0, 0, 2, 2]


def test_a_reduced_tile_is_padded_with_the_colour_of_glass():
    index = index_tiff(SVS)
    steps = octaves(index)

    made = pixels_of(reduced_tile(steps[1], steps[0], 3, 2, lambda *_: None, icc_profile=b""))

    assert made.shape == (64, 64, 3)
    assert (made == 255).all()


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_slide_raises_nothing_but_our_errors(data):
    damaged = bytearray(SVS)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        index = index_tiff(bytes(damaged))
        if isinstance(index, SlideIndex):
            octaves(index)
            tile_of(bytes(damaged), index, 0, 0, 0)
    except ExchangeError:
        pass
