"""Segmentations of slides: read, laid on their slide, and drawn in tiles of it."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from kernel.dicom.pixels.reading import open_pixels
from kernel.errors import LimitExceeded, MalformedInstance, MalformedSlide
from tests.wsi.dicom_builders import a_volume, index_of
from tests.wsi.segment_builders import SPACE, a_segmentation, read
from wsi import segment_tiles, segmentation
from wsi.segment_places import Laid, laid_on
from wsi.segment_tiles import SIDE, Planes, TilePlace, decoded, drawn, encoded, reduced, sight, together
from wsi.segmentation import Segmentation

WIDTH, HEIGHT = 300, 200
FINE = "1.2.3.1.1.300"
FIRST = TilePlace(0, 0, 0)
SLIDE = index_of(a_volume(WIDTH, HEIGHT, 64))


def a_mask(left: int, top: int, right: int, bottom: int, *, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return a rectangle of ones."""
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


TUMOUR, STROMA = a_mask(40, 30, 110, 90), a_mask(90, 60, 250, 180)


def laid(one: Segmentation, space: str = SPACE) -> Laid:
    """Return how it lies on the slide."""
    found = laid_on(SLIDE, space, (FINE,), one)
    assert isinstance(found, Laid), found
    return found


def shown(file: bytes, place: TilePlace = FIRST) -> Planes:
    """Draw a tile of a segmentation."""
    one = read(file)
    assert isinstance(one, Segmentation), one
    with open_pixels(file) as pixels:
        return drawn(one, laid(one), sight(one, laid(one), place), pixels.samples)


def on_slide(plane: np.ndarray) -> np.ndarray:
    """Return the part of a plane that lies on the slide, as of nothing and one."""
    assert not plane[HEIGHT:].any()
    assert not plane[:, WIDTH:].any()
    return (plane[:HEIGHT, :WIDTH] == 255).astype(np.uint8)


@pytest.mark.parametrize("tile", [10, 32, 64, 300], ids=str)
@pytest.mark.parametrize("full", [False, True], ids=["sparse", "full"])
def test_each_segment_is_where_its_frames_are_also_where_they_overlap(tile: int, full: bool):
    planes = shown(a_segmentation({1: TUMOUR, 2: STROMA}, tile=tile, full=full))

    assert sorted(planes) == [1, 2]
    assert (on_slide(planes[1]) == TUMOUR).all()
    assert (on_slide(planes[2]) == STROMA).all()


def test_frames_may_lie_on_no_grid_and_over_each_other():
    planes = shown(a_segmentation({1: TUMOUR, 2: STROMA}, tile=32, step=23))

    assert (on_slide(planes[1]) == TUMOUR).all()
    assert (on_slide(planes[2]) == STROMA).all()


def test_a_label_map_is_its_segments_without_the_background():
    labels = TUMOUR * 3
    labels[100:120] = 9

    planes = shown(a_segmentation({0: labels}, kind="LABELMAP", labels=[9, 3], PixelPaddingValue=9))

    assert sorted(planes) == [3]
    assert (on_slide(planes[3]) == TUMOUR).all()


def test_of_a_label_map_only_what_is_a_segment_is_shown():
    assert not shown(a_segmentation({0: TUMOUR * 3}, kind="LABELMAP", labels=[2]))


@pytest.mark.parametrize("full", [False, True], ids=["sparse", "full"])
def test_fractions_are_of_their_maximum_whatever_segment_they_are_of(full: bool):
    planes = shown(a_segmentation({1: TUMOUR * 50, 2: STROMA * 200}, kind="FRACTIONAL", full=full))

    assert (planes[1][:HEIGHT, :WIDTH] == TUMOUR * 64).all()  # 50 of 200
    assert (planes[2][:HEIGHT, :WIDTH] == STROMA * 255).all()


def test_a_maximum_that_no_sample_reaches_is_one_all_the_same():
    planes = shown(a_segmentation({1: TUMOUR * 100}, kind="FRACTIONAL", MaximumFractionalValue=1000))

    assert planes[1].max() == 26


def test_samples_that_are_less_than_nothing_are_refused():
    with pytest.raises(MalformedSlide, match="no numbers of segments"):
        read(a_segmentation({1: TUMOUR}, kind="FRACTIONAL", PixelRepresentation=1))


def test_a_segmentation_says_what_its_segments_are():
    one = read(a_segmentation({1: TUMOUR}))

    assert isinstance(one, Segmentation)
    (segment,) = one.segments
    assert (one.label, segment.label, segment.type) == ("Vùng u", "Phân vùng 1", "Neoplasm")
    assert (segment.category, segment.algorithm) == ("Morphologically Altered Structure", "Mạng nơ-ron")


def test_a_coarser_one_is_drawn_as_large_as_its_pixels_are():
    coarse = a_mask(10, 5, 20, 15, width=75, height=50)
    # Four times as large: the center of its first pixel is a pixel and a half further, down (X) and to the right (-Y).
    origin = (20 - 1.5 * 0.0005, 40 - 1.5 * 0.00025)

    file = a_segmentation({1: coarse}, spacing_mm=(0.002, 0.001), origin_mm=origin)

    assert (on_slide(shown(file)[1]) == coarse.repeat(4, 0).repeat(4, 1)).all()
    one = read(file)
    assert isinstance(one, Segmentation)
    assert laid(one).octave == 2


def test_one_whose_pixels_are_as_large_as_no_level_s_lies_where_it_does():
    odd = a_mask(50, 25, 150, 125, width=250, height=166)
    origin = (20 - 0.1 * 0.0005, 40 - 0.1 * 0.00025)  # the center of its first pixel

    planes = shown(a_segmentation({1: odd}, spacing_mm=(0.0006, 0.0003), origin_mm=origin))

    assert (on_slide(planes[1]) == a_mask(60, 30, 180, 150)).all()


def test_a_part_of_a_slide_lies_where_that_part_is():
    part = a_mask(0, 0, 20, 10, width=64, height=40)
    origin = (20 - 60 * 0.0005, 40 - 100 * 0.00025)  # the slide's rows go along -Y, its columns along -X

    planes = shown(a_segmentation({1: part}, origin_mm=origin))

    assert (on_slide(planes[1]) == a_mask(100, 60, 120, 70)).all()


def test_one_that_lies_otherwise_on_the_glass_is_turned_with_it():
    # Its rows go along -X, which are the slide's columns, and its columns along +Y: up the slide's rows from their end.
    turned = np.rot90(TUMOUR, -1)
    rows, columns = turned.shape
    assert (rows, columns) == (WIDTH, HEIGHT)
    upside = a_segmentation(
        {1: np.ascontiguousarray(turned[:, ::-1])},
        spacing_mm=(0.00025, 0.0005),
        orientation=(-1, 0, 0, 0, -1, 0),
    )

    assert (on_slide(shown(upside)[1]) == TUMOUR).all()


def test_one_that_is_mirrored_is_shown_as_it_lies_on_the_glass():
    mirrored = a_segmentation(
        {1: np.ascontiguousarray(TUMOUR[:, ::-1])},
        orientation=(0, 1, 0, -1, 0, 0),
        origin_mm=(20, 40 - (WIDTH - 1) * 0.00025),
    )

    assert (on_slide(shown(mirrored)[1]) == TUMOUR).all()


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"spacing_mm": None}, "unplaced"),
        ({"FrameOfReferenceUID": "1.2.3.7"}, "elsewhere"),
        ({"orientation": (0.1, -0.995, 0, -0.995, -0.1, 0)}, "turned"),
    ],
)
def test_one_that_lies_nobody_knows_where_says_so(attributes, reason):
    one = read(a_segmentation({1: TUMOUR}, **attributes))

    assert isinstance(one, Segmentation)
    assert laid_on(SLIDE, SPACE, (FINE,), one) == reason


def test_one_without_a_place_that_is_as_large_as_the_image_it_was_made_of_lies_on_that():
    planes = shown(a_segmentation({1: TUMOUR}, spacing_mm=None, ReferencedSeriesSequence=made_of(FINE)))

    assert (on_slide(planes[1]) == TUMOUR).all()


def made_of(uid: str) -> list[pydicom.Dataset]:
    """Return a Referenced Series Sequence that names an image."""
    reference, instance = pydicom.Dataset(), pydicom.Dataset()
    instance.ReferencedSOPInstanceUID = uid
    reference.ReferencedInstanceSequence = [instance]
    return [reference]


def test_one_that_lies_a_pixel_beside_the_image_it_was_made_of_lies_on_it():
    origin = (20 - 0.0005, 40)

    planes = shown(a_segmentation({1: TUMOUR}, origin_mm=origin, ReferencedSeriesSequence=made_of(FINE)))
    elsewhere = shown(a_segmentation({1: TUMOUR}, origin_mm=origin))

    assert (on_slide(planes[1]) == TUMOUR).all()
    assert (on_slide(elsewhere[1]) == np.roll(TUMOUR, 1, 0)).all()


def test_one_that_lies_further_away_lies_there_whatever_it_was_made_of():
    planes = shown(a_segmentation({1: TUMOUR}, origin_mm=(20 - 2 * 0.0005, 40), ReferencedSeriesSequence=made_of(FINE)))

    assert (on_slide(planes[1]) == np.roll(TUMOUR, 2, 0)).all()


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [({"SegmentationType": "CONTOUR"}, "kind"), ({"tile": segmentation.FRAME_SIDE_MAX + 1}, "large")],
)
def test_what_is_not_shown_says_why(attributes, reason):
    assert read(a_segmentation({1: TUMOUR}, **attributes)) == reason


def test_more_segments_than_a_screen_is_for_are_not_shown(monkeypatch):
    file = a_segmentation({1: TUMOUR, 2: STROMA})
    monkeypatch.setattr(segmentation, "SEGMENTS_MAX", 1)

    assert read(file) == "many"


def test_more_frames_than_are_read_are_refused(monkeypatch):
    sparse, full = (a_segmentation({1: TUMOUR}, full=full) for full in (False, True))
    monkeypatch.setattr(segmentation, "TOLD_FRAMES_MAX", 3)
    monkeypatch.setattr(segmentation, "TILES_MAX", 3)

    for file in (sparse, full):
        with pytest.raises(LimitExceeded):
            read(file)


def test_frames_that_do_not_say_where_they_are_or_are_too_few_are_refused():
    with pytest.raises(MalformedSlide, match="does not say where it is"):
        read(a_segmentation({1: TUMOUR}, full=True, DimensionOrganizationType="TILED_SPARSE"))
    with pytest.raises(MalformedSlide, match="where its matrix asks for"):
        read(a_segmentation({1: TUMOUR}, DimensionOrganizationType="TILED_FULL"))
    with pytest.raises(MalformedSlide, match="and tells of 0"):
        read(a_segmentation({1: TUMOUR}, PerFrameFunctionalGroupsSequence=[]))
    with pytest.raises(MalformedInstance):
        read(a_segmentation({1: TUMOUR}, full=True)[:-4000])


def test_from_afar_a_pixel_is_the_mean_and_what_is_small_is_not_lost():
    plane = np.zeros((SIDE, SIDE), np.uint8)
    plane[:200, :200] = 255
    plane[300, 301] = 255
    faint = np.full((SIDE, SIDE), 3, np.uint8)

    planes = reduced([{1: plane}, {2: faint}, {}, {1: plane}])

    half = SIDE // 2
    assert (planes[1][99, 99], planes[1][100, 100]) == (255, 0)
    assert planes[1][150, 150] == segment_tiles.FAINTEST
    assert (planes[1][half:, half:] == planes[1][:half, :half]).all()
    assert (planes[2][:half, half:] == 3).all()
    assert not planes[2][half:].any()
    again = reduced([planes, {}, {}, {}])
    assert again[1][75, 75] == segment_tiles.FAINTEST


def test_parts_are_put_together():
    one, other = np.zeros((2, SIDE, SIDE), np.uint8)
    one[0], other[1] = 255, 100

    planes = together([{1: one}, {1: other, 2: other}])

    assert (planes[1] == one + other).all()
    assert (planes[2] == other).all()


def test_a_tile_is_read_as_it_was_written():
    planes = {3: np.eye(SIDE, dtype=np.uint8), 1: np.zeros((SIDE, SIDE), np.uint8)}

    back = decoded(encoded(planes))

    assert sorted(back) == [1, 3]
    assert all((back[number] == planes[number]).all() for number in planes)
    assert decoded(encoded({})) == {}


@pytest.mark.parametrize("content", [b"", b"nothing", encoded({})[:-5], encoded({1: np.zeros((4, 4), np.uint8)})])
def test_a_tile_that_is_damaged_is_told(content):
    with pytest.raises(MalformedSlide):
        decoded(content)


@pytest.mark.parametrize(
    "name",
    [
        "seg_image_sm_dots",
        "seg_image_sm_dots_tiled_full",
        "seg_image_sm_control",
        "seg_image_sm_control_labelmap",
        "seg_image_sm_control_labelmap_palette_color",
    ],
)
def test_highdicom_s_own_are_where_pydicom_puts_them(samples: Path, name: str):
    path = samples / "highdicom" / f"{name}.dcm"
    ds = pydicom.dcmread(path)
    made_of = str(ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID)
    slide = index_of((samples / "highdicom" / "sm_image.dcm").read_bytes())
    one = read(path.read_bytes())
    assert isinstance(one, Segmentation)
    place = laid_on(slide, str(ds.FrameOfReferenceUID), (made_of,), one)
    assert isinstance(place, Laid), place
    with open_pixels(path) as pixels:
        planes = drawn(one, place, sight(one, place, FIRST), pixels.samples)

    expected: dict[int, np.ndarray] = {}
    for at, frame in enumerate(np.atleast_3d(ds.pixel_array)):
        number, left, top = where(ds, at)
        for segment in [number] if number else set(np.unique(frame)) - {0}:
            whole = expected.setdefault(int(segment), np.zeros((60, 60), bool))
            whole[top : top + 10, left : left + 10] |= (frame > 0) if number else frame == segment
    expected = {number: whole[:50, :50] for number, whole in expected.items() if whole[:50, :50].any()}
    assert sorted(planes) == sorted(expected)
    for number, whole in expected.items():
        assert ((planes[number][:50, :50] == 255) == whole).all()


def where(ds: pydicom.Dataset, at: int) -> tuple[int, int, int]:
    """Return segment, column and row of a frame of highdicom's samples: 5 by 5 tiles of 10 pixels."""
    if ds.get("DimensionOrganizationType") == "TILED_FULL":
        return at // 25 + 1, at % 5 * 10, at // 5 % 5 * 10
    group = ds.PerFrameFunctionalGroupsSequence[at]
    position = group.PlanePositionSlideSequence[0]
    segment = group.get("SegmentIdentificationSequence")
    return (
        segment[0].ReferencedSegmentNumber if segment else 0,
        position.ColumnPositionInTotalImagePixelMatrix - 1,
        position.RowPositionInTotalImagePixelMatrix - 1,
    )
