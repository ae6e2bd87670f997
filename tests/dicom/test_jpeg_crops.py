"""A JPEG frame is cut at any pixel, and what remains of it is what it was: no coefficient is another."""

import ctypes
import io
from collections import defaultdict

import numpy as np
import pytest
from PIL import Image

from kernel.dicom.pixels.codestream import jpeg_sampling
from kernel.dicom.pixels.decoders import Decoders
from kernel.dicom.pixels.jpeg_crops import cropped_jpeg
from kernel.dicom.pixels.jpeg_transform import Extent, transformed
from kernel.errors import MalformedInstance
from tests.wsi.builders import jpeg, pixels_of, texture

pytestmark = pytest.mark.peer("libturbojpeg")

WHOLE = texture(80, 64)
KEPT = Extent(columns=43, rows=37)  # neither a whole block nor a whole minimum coded unit
FORMS = {
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "RGB": {"keep_rgb": True, "subsampling": 0},
    "restart markers": {"subsampling": 2, "restart_marker_blocks": 2},
    "a restart marker in each row": {"subsampling": 0, "restart_marker_rows": 1},
    "tables of its own": {"subsampling": 1, "optimize": True},
}


def coefficients(stream: bytes) -> dict[int, np.ndarray]:
    """Return the quantized coefficients of each component, shape (rows of blocks, blocks, 64)."""
    rows: dict[int, list[np.ndarray]] = defaultdict(list)

    def seen(address, array, _plane, component, _transform, _data) -> int:
        values = np.ctypeslib.as_array((ctypes.c_int16 * (array.w * array.h)).from_address(address))
        rows[component].append(values.reshape(array.h // 8, -1, 64).copy())
        return 0

    transformed(stream, changed=seen)
    return {component: np.concatenate(found) for component, found in rows.items()}


def reduction(stream: bytes) -> list[tuple[int, int]]:
    """Return how many pixels a sample of each component is for, across and down."""
    factors = [(one >> 4, one & 15) for one in jpeg_sampling(stream)]
    return [(factors[0][0] // across, factors[0][1] // down) for across, down in factors]


@pytest.mark.parametrize("form", FORMS)
def test_every_block_that_stays_keeps_its_coefficients(form):
    source = jpeg(WHOLE, **FORMS[form])

    cut = cropped_jpeg(source, KEPT)

    before, after = coefficients(source), coefficients(cut)
    assert after.keys() == before.keys() == {0, 1, 2}
    for component, (across, down) in enumerate(reduction(source)):
        shown = (slice(-(-KEPT.rows // (8 * down))), slice(-(-KEPT.columns // (8 * across))))  # the rest fills a unit
        assert np.array_equal(after[component][shown], before[component][shown]), component
    assert Image.open(io.BytesIO(cut)).size == KEPT


@pytest.mark.parametrize("form", FORMS)
def test_what_remains_decodes_to_the_same_pixels(form):
    source = jpeg(WHOLE, **FORMS[form])

    cut = pixels_of(cropped_jpeg(source, KEPT))

    wanted = pixels_of(source)[: KEPT.rows, : KEPT.columns]
    smoothed = FORMS[form].get("subsampling")  # color of the last column and row, for want of a neighbour
    inside = (slice(None, -2 if smoothed == 2 else None), slice(None, -2 if smoothed else None))
    assert np.array_equal(cut[inside], wanted[inside])
    assert np.abs(cut.astype(int) - wanted).max() < 24


@pytest.mark.parametrize("form", ["4:2:2", "4:2:0"])
def test_where_color_has_fewer_samples_luminance_is_the_same_up_to_the_edge(form):
    source = jpeg(WHOLE, **FORMS[form])

    def luminance(stream: bytes) -> np.ndarray:
        picture = Image.open(io.BytesIO(stream))
        picture.draft("L", picture.size)
        return np.asarray(picture)

    assert np.array_equal(luminance(cropped_jpeg(source, KEPT)), luminance(source)[: KEPT.rows, : KEPT.columns])


def test_a_gray_frame_is_cut_too():
    source = jpeg(WHOLE[..., 0])

    cut = np.asarray(Image.open(io.BytesIO(cropped_jpeg(source, KEPT))))

    assert np.array_equal(cut, np.asarray(Image.open(io.BytesIO(source)))[: KEPT.rows, : KEPT.columns])


@pytest.mark.parametrize("keep_rgb", [True, False], ids=["RGB", "YCbCr"])
def test_the_color_profile_and_the_meaning_of_the_components_stay(keep_rgb):
    source = jpeg(WHOLE, keep_rgb=keep_rgb, subsampling=0, icc_profile=b"profile" * 20_000)

    cut = cropped_jpeg(source, KEPT)

    assert Image.open(io.BytesIO(cut)).info["icc_profile"] == b"profile" * 20_000
    assert np.array_equal(pixels_of(cut), pixels_of(source)[: KEPT.rows, : KEPT.columns])


@pytest.mark.parametrize(
    "kept", [Extent(1, 1), Extent(80, 1), Extent(1, 64), Extent(80, 64), Extent(16, 16), Extent(79, 63)]
)
def test_any_size_can_be_cut(kept):
    cut = Image.open(io.BytesIO(cropped_jpeg(jpeg(WHOLE, subsampling=2), kept)))

    assert cut.size == kept
    cut.load()


@pytest.mark.parametrize("kept", [Extent(81, 10), Extent(10, 65), Extent(0, 10), Extent(10, 0), Extent(-1, 10)])
def test_what_a_frame_does_not_have_cannot_be_cut_out_of_it(kept):
    with pytest.raises(MalformedInstance, match="not as large"):
        cropped_jpeg(jpeg(WHOLE), kept)


@pytest.mark.parametrize("broken", [b"", b"no JPEG", jpeg(WHOLE)[:40], jpeg(WHOLE)[:2]])
def test_what_is_no_jpeg_is_refused(broken):
    with pytest.raises(MalformedInstance):
        cropped_jpeg(broken, KEPT)


def test_cutting_is_done_in_a_process_of_its_own_and_refusals_come_back():
    decoders = Decoders(1)
    source = jpeg(WHOLE)
    try:
        assert decoders.crop(source, KEPT) == cropped_jpeg(source, KEPT)
        with pytest.raises(MalformedInstance, match="cannot be read"):
            decoders.crop(source[: source.index(b"\xff\xda")] + b"\xff\xd9", KEPT)
        with pytest.raises(MalformedInstance, match="no JPEG"):
            decoders.crop(b"\xff\xd8\xff\xd9", KEPT)
    finally:
        decoders.close()
