"""Bulk annotations are read as PS3.3 C.37 says, within bounds, and cut into tiles that a screen can show."""

import struct
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from highdicom.ann import Measurements
from pydicom.sr.coding import Code

from kernel.dicom.scanning.part10 import read_file_meta
from kernel.errors import LimitExceeded, MalformedSlide
from tests.wsi.bulk_builders import a_group, a_measurement, an_annotation
from tests.wsi.dicom_builders import a_volume
from wsi import bulk
from wsi.bulk import read_groups
from wsi.bulk_measurements import MEASUREMENTS_MAX
from wsi.bulk_tiles import SIDE, bulk_tile
from wsi.dicom_slide import Instance, index_dicom

FINE, COARSE = "1.2.3.1.1.4000", "1.2.3.1.1.2000"
SQUARE = [[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]]
TRIANGLE = [[100.0, 50.0], [140.0, 50.0], [120.0, 90.0]]


@pytest.fixture(scope="module")
def slide():
    files = [a_volume(4000, 2000, 1000), a_volume(2000, 1000, 1000)]
    metas = [read_file_meta(file) for file in files]
    return index_dicom(
        [Instance(file, meta.transfer_syntax_uid, meta.dataset_offset) for file, meta in zip(files, metas, strict=True)]
    )


def read(slide, file: bytes):
    meta = read_file_meta(file)
    return read_groups(file, meta.transfer_syntax_uid, meta.dataset_offset, slide, (FINE, COARSE))


def told(tile: bytes):
    """Return dots, [number, points] of each shape, whether they are closed; a second reading of the tile's form."""
    assert tile[:4] == b"VAB1"
    dots, shapes, points, closed = struct.unpack_from("<4I", tile, 4)
    at = 20
    places = np.frombuffer(tile, "<u2", 2 * dots, at).reshape(-1, 2)
    numbers = np.frombuffer(tile, "<u4", shapes, at + 4 * dots)
    ends = np.frombuffer(tile, "<u4", shapes, at + 4 * dots + 4 * shapes)
    corners = np.frombuffer(tile, "<f4", 2 * points, at + 4 * dots + 8 * shapes).reshape(-1, 2)
    assert at + 4 * dots + 8 * shapes + 8 * points == len(tile)
    cut = np.split(corners, ends[:-1]) if shapes else []
    return places.tolist(), [(int(number), one.tolist()) for number, one in zip(numbers, cut, strict=True)], closed


def test_pixels_count_from_the_image_that_is_referred_to(slide):
    (fine,) = read(slide, an_annotation(a_group([SQUARE, TRIANGLE]), image=FINE))
    (coarse,) = read(slide, an_annotation(a_group([SQUARE, TRIANGLE]), image=COARSE))

    assert (fine.label, fine.type, fine.count, fine.is_closed) == ("Nhân tế bào", "Nucleus", 2, True)
    assert fine.points.tolist() == [*SQUARE, *TRIANGLE]
    assert fine.starts.tolist() == [0, 4, 7]
    assert fine.boxes.tolist() == [[10, 10, 30, 30], [100, 50, 140, 90]]
    assert np.allclose(coarse.points, 2 * fine.points)


@pytest.mark.parametrize("z", [True, False], ids=["common z", "own z"])
def test_millimetres_on_the_glass_are_led_back_to_pixels(slide, z):
    # The builder's slide: a pixel is 0.25 by 0.5 microns, rows run against Y from (20, 40), columns against X.
    right, down = 1000, 400
    place = [20 - 0.0005 * (down - 0.5), 40 - 0.00025 * (right - 0.5)]
    group = a_group([[[*place] if z else [*place, 0.0]]], "POINT", **({"CommonZCoordinateValue": 0.0} if z else {}))

    (read_back,) = read(slide, an_annotation(group))

    assert np.allclose(read_back.points, [[right, down]], atol=0.02)


def test_measurements_belong_to_all_annotations_in_their_order_or_to_those_listed(slide):
    of_all, of_some = a_measurement([400.0, 800.5]), a_measurement([7.5], [2])
    group = a_group([SQUARE, TRIANGLE], MeasurementsSequence=[of_all, of_some])

    (read_back,) = read(slide, an_annotation(group, image=FINE))

    first, second = read_back.measurements
    assert (first.code, first.name, first.unit) == ("42798000", "Area", "um2")
    assert [first.of(number) for number in (0, 1, 2, 3)] == [None, 400.0, 800.5, None]
    assert [second.of(number) for number in (0, 1, 2, 3)] == [None, None, 7.5, None]


def test_measurements_of_another_writer_are_read_where_some_annotations_have_none(slide):
    area, unit = Code("42798000", "SCT", "Area"), Code("um2", "UCUM", "square micrometer")
    measured = Measurements(area, np.array([np.nan, 12.5]), unit)
    group = a_group([SQUARE, TRIANGLE], MeasurementsSequence=[measured])

    (read_back,) = read(slide, an_annotation(group, image=FINE))

    assert [read_back.measurements[0].of(number) for number in (1, 2)] == [None, 12.5]


@pytest.mark.parametrize(
    "measurement",
    [
        a_measurement([1.0]),
        a_measurement([1.0, 2.0, 3.0]),
        a_measurement([1.0], [3]),
        a_measurement([1.0], [0]),
        a_measurement([1.0, 2.0], [2, 2]),
        a_measurement([1.0, 2.0], [1]),
    ],
    ids=["too few", "too many", "beyond the last", "before the first", "one twice", "more than are listed"],
)
def test_figures_of_annotations_that_are_not_there_are_refused(slide, measurement):
    group = a_group([SQUARE, TRIANGLE], MeasurementsSequence=[measurement])

    with pytest.raises(MalformedSlide):
        read(slide, an_annotation(group, image=FINE))


def test_a_group_with_too_many_measurements_is_refused(slide):
    group = a_group([SQUARE], MeasurementsSequence=[a_measurement([1.0])] * (MEASUREMENTS_MAX + 1))

    with pytest.raises(LimitExceeded):
        read(slide, an_annotation(group, image=FINE))


def test_ellipses_and_rectangles_have_outlines(slide):
    ellipse = a_group([[[0, 50], [200, 50], [100, 0], [100, 100]]], "ELLIPSE")
    rectangle = a_group([SQUARE], "RECTANGLE", AnnotationGroupNumber=2)

    round_, square = read(slide, an_annotation(ellipse, rectangle, image=FINE))

    assert round_.boxes[0] == pytest.approx([0, 0, 200, 100], abs=1e-3)
    assert square.points.tolist() == SQUARE


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (a_group([SQUARE], NumberOfAnnotations=2), "a group says 2 annotations and has 1"),
        (a_group([SQUARE], LongPrimitivePointIndexList=struct.pack("<I", 99)), "leads nowhere"),
        (a_group([SQUARE], LongPrimitivePointIndexList=struct.pack("<II", 1, 1)), "leads nowhere"),
        (a_group([SQUARE], LongPrimitivePointIndexList=b""), "leads nowhere"),
        (a_group([SQUARE], GraphicType="SPIRAL"), "no graphic type that there is"),
        (a_group([[[np.inf, 0.0]]], "POINT"), "is no number"),
        (a_group([SQUARE[:3]], "RECTANGLE"), "is not whole"),
        (a_group([SQUARE], PointCoordinatesData=b"1234"), "are not whole"),
    ],
)
def test_arrays_that_lie_are_refused(slide, group, reason):
    with pytest.raises(MalformedSlide, match=reason):
        read(slide, an_annotation(group, image=FINE))


def test_annotations_of_another_image_or_of_frames_are_refused(slide):
    with pytest.raises(MalformedSlide, match="not there"):
        read(slide, an_annotation(a_group([SQUARE]), image="1.2.3.4"))
    with pytest.raises(MalformedSlide, match="single frames"):
        read(slide, an_annotation(a_group([SQUARE]), image=FINE, PixelOriginInterpretation="FRAME"))


@pytest.mark.parametrize("bound", ["GROUPS_MAX", "ANNOTATIONS_MAX", "POINTS_MAX"])
def test_more_than_a_slide_may_have_is_refused(slide, monkeypatch, bound):
    monkeypatch.setattr(bulk, bound, 1)
    groups = [a_group([SQUARE, TRIANGLE], AnnotationGroupNumber=number) for number in (1, 2)]

    with pytest.raises((LimitExceeded, MalformedSlide)):
        read(slide, an_annotation(*groups, image=FINE))


def test_outlines_of_ellipses_are_counted_before_they_are_made(slide, monkeypatch):
    ellipses = [[[0, 50], [200, 50], [100, 0], [100, 100]]] * 3
    monkeypatch.setattr(bulk, "POINTS_MAX", 3 * bulk.ELLIPSE_CORNERS - 1)
    monkeypatch.setattr(bulk, "_outlines", lambda _: pytest.fail("outlines were made"))

    with pytest.raises(LimitExceeded, match="points of bulk annotations exceeded: 72 is more than 71"):
        read(slide, an_annotation(a_group(ellipses, "ELLIPSE"), image=FINE))


def test_a_tile_of_a_large_group_copies_what_is_near_alone(slide):
    (group,) = read(slide, an_annotation(a_group([SQUARE]), image=FINE))
    far = np.full((100_000, 4), 5_000_000, np.float32)
    large = replace(
        group,
        boxes=np.concatenate([group.boxes, far]),
        points=np.concatenate([group.points, far[:, :2]]),
        starts=np.arange(len(far) + 2) + np.concatenate([[0], np.full(len(far) + 1, len(group.points) - 1)]),
    )
    whole = bulk_tile(group, 0, 0, 0)

    tracemalloc.start()
    tile = bulk_tile(large, 0, 0, 0)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert tile == whole
    assert peak_bytes < large.boxes.nbytes


def test_a_tile_has_the_outlines_that_touch_it_and_dots_for_what_is_small(slide):
    shift = [[right + SIDE, down] for right, down in SQUARE]
    (group,) = read(slide, an_annotation(a_group([SQUARE, TRIANGLE, shift]), image=FINE))

    dots, shapes, closed = told(bulk_tile(group, 0, 0, 0))
    assert (dots, shapes, closed) == ([], [(1, SQUARE), (2, TRIANGLE)], 1)
    assert told(bulk_tile(group, 0, 1, 0))[1] == [(3, SQUARE)]
    assert told(bulk_tile(group, 0, 0, 1)) == ([], [], 1)
    # Eight times smaller the squares are no shapes any more.
    dots, shapes, _ = told(bulk_tile(group, 3, 0, 0))
    assert [number for number, _ in shapes] == [2]
    assert dots == [[3, 3], [131, 3]]


def test_a_tile_is_bounded_whatever_the_group_holds(slide, monkeypatch):
    monkeypatch.setattr("wsi.bulk_tiles.TILE_POINTS_MAX", 8)
    many = [[[right, down], [right + 5 + size, down], [right, down + 5]] for size, (right, down) in enumerate(SQUARE)]
    (group,) = read(slide, an_annotation(a_group(many), image=FINE))

    dots, shapes, _ = told(bulk_tile(group, 0, 0, 0))

    assert [number for number, _ in shapes] == [3, 4]  # the largest
    assert len(dots) == 2


def test_points_that_no_screen_tells_apart_are_sent_once(slide):
    wavy = [[index / 100, 10.0 + index / 2000] for index in range(2000)] + [[20.0, 40.0]]
    (group,) = read(slide, an_annotation(a_group([wavy, SQUARE]), image=FINE))

    _, ((first, thin), (second, square)), _ = told(bulk_tile(group, 0, 0, 0))

    assert (first, second) == (1, 2)
    assert len(thin) < 100
    assert square == SQUARE
