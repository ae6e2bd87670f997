"""Pictures for the eye: the formulas of PS3.3 C.11 written a second time, pydicom's processing, and the order of steps."""

import io
import itertools
import math
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from kernel.dicom.pictures import picture_files, viewport
from kernel.dicom.pictures.annotate import annotated, lines_of
from kernel.dicom.pictures.picture_files import FileOptions, encode_gif, encode_picture
from kernel.dicom.pictures.render import _table, drawn, render
from kernel.dicom.pictures.viewport import Region, Viewport
from kernel.dicom.pixels.image import Window
from kernel.dicom.pixels.palette import SEGMENTS_MAX
from kernel.dicom.pixels.reading import open_pixels
from kernel.errors import InvalidRequest, LimitExceeded, MalformedInstance
from tests.dicom.builders import EXPLICIT, encoded, part10
from tests.dicom.test_pixels import an_image

SAMPLE_BYTES_MAX = 1_000_000  # larger samples add time and no other codec

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def picture(ds: Dataset, frame_index: int = 0, syntax: str = EXPLICIT, **options) -> np.ndarray:
    with open_pixels(part10(encoded(ds, syntax), syntax)) as pixels:
        return np.asarray(render(pixels, frame_index, **options))


RAMP = np.arange(256, dtype=np.int16).reshape(16, 16) * 8 - 1024


def linear(x: float, c: float, w: float) -> float:
    if x <= c - 0.5 - (w - 1) / 2:
        return 0
    if x > c - 0.5 + (w - 1) / 2:
        return 255
    return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255


def linear_exact(x: float, c: float, w: float) -> float:
    if x <= c - w / 2:
        return 0
    if x > c + w / 2:
        return 255
    return ((x - c) / w + 0.5) * 255


def sigmoid(x: float, c: float, w: float) -> float:
    return 255 / (1 + math.exp(min(-4 * (x - c) / w, 700)))


@pytest.mark.parametrize(
    ("function", "formula"), [("LINEAR", linear), ("LINEAR_EXACT", linear_exact), ("SIGMOID", sigmoid)]
)
@pytest.mark.parametrize(("center", "width"), [(40, 400), (-600, 1500), (0, 2), (10.5, 33.25)])
def test_a_window_is_applied_by_its_formula(function, formula, center, width):
    ds = an_image(RAMP, WindowCenter=center, WindowWidth=width, VOILUTFunction=function)

    found = picture(ds)

    expected = [[formula(float(x), center, width) for x in row] for row in RAMP]
    assert np.abs(found - np.asarray(expected)).max() <= 0.51


def test_the_rescale_comes_before_the_window():
    ds = an_image(RAMP, RescaleSlope="2", RescaleIntercept="-100", WindowCenter="0", WindowWidth="200")

    found = picture(ds)

    expected = [[linear(2.0 * x - 100, 0, 200) for x in row] for row in RAMP]
    assert np.abs(found - np.asarray(expected)).max() <= 0.51


def test_a_dose_is_windowed_in_its_unit():
    dose = an_image(np.arange(256, dtype=np.uint32).reshape(16, 16) * 1000, DoseGridScaling="1e-5")

    found = picture(dose, window=Window(1.28, 2.56, "LINEAR_EXACT"))

    assert np.abs(found - np.arange(256).reshape(16, 16) * 255 / 256).max() <= 0.5


def test_monochrome1_and_an_inverse_presentation_are_shown_inverted():
    plain = picture(an_image(RAMP, WindowCenter="0", WindowWidth="1000"))

    for changes in ({"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}):
        inverted = picture(an_image(RAMP, WindowCenter="0", WindowWidth="1000", **changes))
        assert np.abs(255 - plain.astype(int) - inverted).max() <= 1


def test_a_window_that_is_asked_for_takes_the_place_of_the_own_one():
    ds = an_image(RAMP, WindowCenter=["0", "500"], WindowWidth=["1000", "20"])

    assert np.array_equal(
        picture(ds, window=Window(500, 20)), picture(an_image(RAMP, WindowCenter=500, WindowWidth=20))
    )
    assert np.array_equal(picture(ds), picture(an_image(RAMP, WindowCenter=0, WindowWidth=1000)))


def test_without_a_window_all_values_in_use_are_shown_but_not_the_padding():
    array = np.array([[-2000, 100], [200, 300]], dtype=np.int16)
    ds = an_image(array)
    ds.add_new(0x00280120, "SS", -2000)

    assert picture(ds).tolist() == [[0, 0], [128, 255]]


def test_a_picture_of_one_value_is_black():
    assert picture(an_image(np.full((2, 2), 7, np.uint16))).max() == 0


def test_bits_above_the_stored_ones_are_no_part_of_the_value():
    array = np.array([[0x0000, 0x07FF], [0x0800, 0x0FFF]], dtype=np.uint16)
    ds = an_image(array | 0xA000, BitsStored=12, HighBit=11, PixelRepresentation=1, WindowCenter=0, WindowWidth=4096)

    found = picture(ds)

    signed = [[0, 2047], [-2048, -1]]
    assert np.abs(found - np.array([[linear(x, 0, 4096) for x in row] for row in signed])).max() <= 0.51


def lut_item(first: int, entries: list[int], bits: int, signed: bool = False) -> Dataset:
    one = Dataset()
    one.add_new(0x00283002, "SS" if signed else "US", [len(entries), first, bits])
    one.add_new(0x00283006, "US", entries)
    return one


def test_a_voi_lut_is_applied_and_clamped_at_its_ends():
    array = np.array([[0, 10], [11, 200]], dtype=np.uint16)
    ds = an_image(array, VOILUTSequence=Sequence([lut_item(10, [0, 1023], 10)]), WindowCenter=1, WindowWidth=1)

    assert picture(ds).tolist() == [[0, 0], [255, 255]]


def test_a_voi_lut_of_signed_values_begins_below_zero():
    array = np.array([[-5, -4], [-3, 0]], dtype=np.int16)
    ds = an_image(array, VOILUTSequence=Sequence([lut_item(-4, [10, 20, 255], 8, signed=True)]))

    assert picture(ds).tolist() == [[10, 10], [20, 255]]


def test_a_modality_lut_comes_before_the_window():
    array = np.array([[0, 1], [2, 3]], dtype=np.uint16)
    ds = an_image(array, ModalityLUTSequence=Sequence([lut_item(0, [0, 1000, 500, 250], 16)]))
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = "500", "1000", "LINEAR_EXACT"

    assert picture(ds).tolist() == [[0, 255], [128, 64]]


def test_a_damaged_voi_lut_gives_way_to_the_window():
    damaged = lut_item(0, [0, 255], 8)
    damaged.LUTDescriptor = [300, 0, 8]
    ds = an_image(np.array([[0, 100]], np.uint16), VOILUTSequence=Sequence([damaged]))

    assert picture(ds).tolist() == [[0, 255]]
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = "100", "200", "LINEAR_EXACT"
    assert picture(ds).tolist() == [[0, 128]]


@pytest.mark.parametrize("is_empty", [False, True])
def test_without_its_modality_lut_an_image_is_shown_over_all_its_stored_values(is_empty):
    damaged = lut_item(0, [0, 1000], 16)
    damaged.LUTDescriptor = [300, 0, 16]
    ds = an_image(np.array([[10, 20], [30, 10]], np.uint16), ModalityLUTSequence=Sequence([damaged]))
    ds.RescaleSlope, ds.RescaleIntercept = "2", "-1024"
    ds.WindowCenter, ds.WindowWidth = "5000", "100"
    ds.VOILUTSequence = Sequence([lut_item(0, [9, 9], 8)])
    if is_empty:
        del damaged.LUTDescriptor, damaged.LUTData

    assert picture(ds).tolist() == [[0, 128], [255, 0]]


def test_each_frame_has_its_own_transformations_before_the_shared_ones():
    array = np.stack([RAMP] * 2)
    ds = an_image(array, frames=2)

    def groups(center: float, width: float) -> Dataset:
        voi, group = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = center, width
        group.FrameVOILUTSequence = Sequence([voi])
        return group

    scale, shared = Dataset(), Dataset()
    scale.RescaleSlope, scale.RescaleIntercept = 1, 100
    shared.PixelValueTransformationSequence = Sequence([scale])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence([groups(0, 100), groups(50, 1000)])

    for n, (center, width) in enumerate([(0, 100), (50, 1000)]):
        expected = [[linear(x + 100.0, center, width) for x in row] for row in RAMP]
        assert np.abs(picture(ds, n) - np.asarray(expected)).max() <= 0.51


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_applied(bits):
    array = np.array([[0, 1], [2, 9]], dtype=np.uint8)
    ds = an_image(array, photometric="PALETTE COLOR")
    scale = 1 if bits == 8 else 257
    for n, color in enumerate(("Red", "Green", "Blue")):
        entries = np.array([10 + n, 100 + n, 200 + n], dtype=np.uint16) * scale
        data = entries.astype(np.uint8 if bits == 8 else np.uint16).tobytes()
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [3, 0, bits])
        setattr(ds, f"{color}PaletteColorLookupTableData", data + b"\0" * (len(data) % 2))

    assert picture(ds).tolist() == [[[10, 11, 12], [100, 101, 102]], [[200, 201, 202], [200, 201, 202]]]


def test_a_palette_of_sixteen_bits_that_holds_bytes_alone_is_taken_as_they_are():
    ds = an_image(np.array([[0, 1]], dtype=np.uint8), photometric="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [2, 0, 16])
        setattr(ds, f"{color}PaletteColorLookupTableData", np.array([7, 250], dtype="<u2").tobytes())

    assert picture(ds).tolist() == [[[7, 7, 7], [250, 250, 250]]]


def segmented(data: bytes, count: int = 8) -> Dataset:
    ds = an_image(np.arange(8, dtype=np.uint8).reshape(2, 4), photometric="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [count, 0, 8])
        setattr(ds, f"Segmented{color}PaletteColorLookupTableData", data)
    return ds


def test_a_segmented_palette_is_expanded():
    ds = segmented(bytes([0, 2, 10, 20, 1, 4, 100, 2, 1, 0, 0, 0, 0, 0]))

    assert picture(ds)[..., 0].ravel().tolist() == [10, 20, 40, 60, 80, 100, 10, 20]


@pytest.mark.parametrize(
    "data", [bytes([1, 4, 100, 0]), bytes([7, 1, 1, 1]), bytes([0, 1, 5, 1]), bytes([0, 1, 5, 2, 1, 3, 0, 0, 0, 0])]
)
def test_a_damaged_segmented_palette_is_refused(data):
    with pytest.raises(MalformedInstance, match="palette"):
        picture(segmented(data))


def test_a_segmented_palette_that_copies_nothing_again_and_again_is_refused():
    empty = bytes([0, 0]) * 250
    copies = bytes([2, 250, 0, 0, 0, 0]) * 2000

    with pytest.raises(LimitExceeded, match=f"SEGMENTS_MAX exceeded: {SEGMENTS_MAX + 1}"):
        picture(segmented(empty + copies))


def test_a_palette_that_is_missing_is_refused():
    with pytest.raises(MalformedInstance, match="a palette is missing"):
        picture(an_image(np.zeros((2, 2), np.uint8), photometric="PALETTE COLOR"))


def test_rgb_of_sixteen_bits_is_reduced_to_eight():
    array = np.array([[[0, 32768, 65535]]], dtype=np.uint16)

    assert picture(an_image(array)).tolist() == [[[0, 128, 255]]]


def test_a_picture_fits_its_viewport_in_its_proportions():
    ds = an_image(np.zeros((100, 200), np.uint8))

    assert picture(ds, viewport=Viewport(50, 50)).shape == (25, 50)
    assert picture(ds, viewport=Viewport(1000, 10)).shape == (10, 20)
    assert picture(ds, viewport=Viewport(1000, 1000)).shape == (500, 1000)
    assert picture(ds, viewport=Viewport(1000, 1000, may_enlarge=False)).shape == (100, 200)
    assert picture(ds, viewport=Viewport(1, 1)).shape == (1, 1)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (Region(), [[0, 1, 2], [3, 4, 5]]),
        (Region(1, 0), [[1, 2], [4, 5]]),
        (Region(1, 1, 2, 1), [[4, 5]]),
        (Region(0, 0, -3, 2), [[2, 1, 0], [5, 4, 3]]),
        (Region(0, 0, 3, -2), [[3, 4, 5], [0, 1, 2]]),
        (Region(1, 0, -2, -2), [[5, 4], [2, 1]]),
        (Region(2, 1, 100, 100), [[5]]),
    ],
)
def test_a_region_is_cut_out_and_flipped(region, expected):
    ds = an_image(np.arange(6, dtype=np.uint8).reshape(2, 3), WindowCenter="128", WindowWidth="256")
    size = len(expected[0]), len(expected)

    assert picture(ds, viewport=Viewport(*size, region)).tolist() == expected


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ({"PixelAspectRatio": ["2", "1"]}, (80, 60)),
        ({"PixelAspectRatio": ["3", "4"]}, (40, 80)),
        ({"PixelSpacing": ["0.5", "1"]}, (40, 120)),
        ({"PixelSpacing": ["0.5", "0.503"]}, (40, 60)),
        ({"ImagerPixelSpacing": ["1", "0.5"], "PixelSpacing": ["1", "1"]}, (40, 60)),
        ({"ImagerPixelSpacing": ["1", "0.5"]}, (80, 60)),
        ({"PixelAspectRatio": ["0", "1"]}, (40, 60)),
        ({"PixelAspectRatio": ["1000", "1"]}, (40, 60)),
    ],
)
def test_a_picture_has_the_proportions_of_its_pixels(said, size):
    assert picture(an_image(np.zeros((40, 60), np.uint8), **said)).shape == size


def test_pixels_that_are_not_square_fit_a_viewport_and_are_cut_by_the_samples_that_are_stored():
    ds = an_image(np.zeros((40, 60), np.uint8), PixelAspectRatio=["2", "1"])

    assert picture(ds, viewport=Viewport(40, 40)).shape == (40, 30)
    assert picture(ds, viewport=Viewport(1000, 1000, may_enlarge=False)).shape == (80, 60)
    assert picture(ds, viewport=Viewport(20, 20, Region(0, 0, 20, 10))).shape == (20, 20)


def test_a_frame_has_the_proportions_of_its_own_group():
    measures = Dataset()
    measures.PixelSpacing = ["1", "2"]
    group = Dataset()
    group.PixelMeasuresSequence = [measures]
    ds = an_image(np.zeros((40, 60), np.uint8), PixelSpacing=["1", "1"], SharedFunctionalGroupsSequence=[group])

    assert picture(ds).shape == (40, 120)


def test_a_picture_that_is_stretched_stays_within_its_bound(monkeypatch):
    monkeypatch.setattr(viewport, "ENLARGED_PIXELS_MAX", 1200)

    rows, columns = picture(an_image(np.zeros((40, 60), np.uint8), PixelAspectRatio=["2", "1"])).shape

    assert rows * columns <= 1250
    assert rows / columns == pytest.approx(80 / 60, rel=0.05)


def test_a_viewport_does_not_stretch_a_picture_beyond_its_bound(monkeypatch):
    monkeypatch.setattr(viewport, "ENLARGED_PIXELS_MAX", 1200)
    ds = an_image(np.zeros((40, 60), np.uint8), PixelAspectRatio=["2", "1"])

    assert picture(ds, viewport=Viewport(30, 40)).shape == (40, 30)
    for room in (Viewport(60, 80), Viewport(59, 79), Viewport(1000, 1000, may_enlarge=False)):
        with pytest.raises(LimitExceeded, match="ENLARGED_PIXELS_MAX"):
            picture(ds, viewport=room)


def test_a_region_outside_the_picture_is_refused():
    with pytest.raises(InvalidRequest, match="outside the image"):
        picture(an_image(np.zeros((10, 10), np.uint8)), viewport=Viewport(5, 5, Region(10, 0)))


def test_a_picture_is_not_enlarged_without_bound():
    with pytest.raises(LimitExceeded, match="ENLARGED_PIXELS_MAX"):
        picture(an_image(np.zeros((10, 10), np.uint8)), viewport=Viewport(16384, 16384))


def test_a_table_is_made_once_for_all_slices_of_a_series():
    _table.cache_clear()
    for n in range(5):
        picture(an_image(RAMP + n, WindowCenter="0", WindowWidth="1000"))

    assert (_table.cache_info().misses, _table.cache_info().hits) == (1, 4)


@pytest.mark.parametrize("kind", ["image/png", "image/jp2", "image/gif", "image/jpeg"])
@pytest.mark.parametrize("color", [False, True])
def test_pictures_are_encoded(kind, color):
    ds = an_image(np.stack([RAMP.astype("u1")] * 3, axis=-1)) if color else an_image(RAMP)
    with open_pixels(part10(encoded(ds))) as pixels:
        drawn = render(pixels)

    found = Image.open(io.BytesIO(encode_picture(drawn, kind)))

    assert found.format == {"image/jp2": "JPEG2000"}.get(kind, kind.removeprefix("image/").upper())
    difference = np.abs(np.asarray(found.convert(drawn.mode)).astype(int) - np.asarray(drawn)).max()
    assert difference == 0 if kind in ("image/png", "image/jp2") else difference <= 24


def test_quality_makes_files_smaller():
    drawn = Image.fromarray(np.random.default_rng(1).integers(0, 255, (128, 128), np.uint8))

    for kind in ("image/jpeg", "image/jp2"):
        sizes = [len(encode_picture(drawn, kind, FileOptions(quality))) for quality in (10, 60, 95)]
        assert sizes == sorted(sizes)


def test_an_animation_has_its_frames_and_their_time():
    frames = [Image.new("L", (8, 8), grey) for grey in (0, 100, 200)]

    found = Image.open(io.BytesIO(encode_gif(frames, 120.0)))

    assert (found.n_frames, found.info["duration"], found.info["loop"]) == (3, 120, 0)


def test_an_animation_is_bounded(monkeypatch):
    frame = Image.new("L", (8, 8))
    with pytest.raises(LimitExceeded, match="GIF_FRAMES_MAX"):
        encode_gif(itertools.repeat(frame), 40)
    monkeypatch.setattr(picture_files, "GIF_BYTES_MAX", 100)
    with pytest.raises(LimitExceeded, match="GIF_BYTES_MAX"):
        encode_gif([frame] * 2, 40)


def test_patient_and_technique_are_written_where_they_were_asked_for():
    ds = an_image(np.zeros((256, 256), np.uint8), WindowCenter="128", WindowWidth="256")
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Đặng^Thị Hương", "BN1", "19700412", "F"
    ds.Modality, ds.KVP, ds.SliceThickness = "CT", "120", "5"
    with open_pixels(part10(encoded(ds))) as pixels:
        header, plain = pixels.header, render(pixels)

    assert lines_of(header, "patient") == ["Đặng Thị Hương", "BN1", "12/04/1970 F"]
    assert lines_of(header, "technique") == ["CT", "120 kV", "5 mm"]
    for annotation, half in (("patient", 0), ("technique", 1)):
        written = np.asarray(annotated(plain, header, [annotation])).reshape(2, 128, 256)
        assert written[half].max() == 255
        assert written[1 - half].max() == 0
    assert np.asarray(plain).max() == 0


def expected_grey(ds: pydicom.Dataset, array: np.ndarray) -> np.ndarray | None:
    """Return what pydicom's own processing shows; None where it has no VOI to apply."""
    if "ModalityLUTSequence" in ds and not ds.ModalityLUTSequence[0].get("LUTDescriptor"):
        return None
    values = apply_modality_lut(array, ds)
    if "VOILUTSequence" in ds:
        bits = ds.VOILUTSequence[0].LUTDescriptor[2]
        grey = apply_voi_lut(values.astype(np.int64), ds).astype(float) / (2**bits - 1)
    elif "WindowWidth" in ds and "WindowCenter" in ds:
        span = ds.copy()
        span.BitsStored, span.PixelRepresentation = 16, 0
        for keyword in ("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"):
            if keyword in span:
                delattr(span, keyword)
        grey = apply_voi_lut(values.astype(np.float64), span) / 65535
    else:
        return None
    inverse = ds.PhotometricInterpretation == "MONOCHROME1"
    return 255 * ((1 - grey) if inverse else grey)


@pytest.mark.slow
def test_real_samples_look_as_pydicom_processes_them_within_one_grey_level(samples: Path):
    grey, color = 0, 0
    for path in sorted(file for file in samples.rglob("*") if file.is_file()):
        if path.stat().st_size > SAMPLE_BYTES_MAX or path.read_bytes()[128:132] != b"DICM":
            continue
        try:
            ds = pydicom.dcmread(path)
            assert ds.pixel_array is not None
        except Exception:  # noqa: BLE001 pydicom's many ways to say that there are no pixels, or no codec
            continue
        if "PerFrameFunctionalGroupsSequence" in ds:
            continue
        with open_pixels(path) as pixels:
            array, found = pixels.decode(0), drawn(pixels)  # that frames are right is another test's
        if ds.PhotometricInterpretation == "PALETTE COLOR" and "RedPaletteColorLookupTableData" in ds:
            theirs = apply_color_lut(array, ds)
            depth = ds.RedPaletteColorLookupTableDescriptor[2]
            assert np.array_equal(found, theirs >> 8 if depth > 8 and theirs.dtype == np.uint16 else theirs), path.name
            color += 1
        elif array.ndim == 2 and ds.PhotometricInterpretation.startswith("MONOCHROME"):
            expected = expected_grey(ds, array)
            if expected is not None:
                assert np.abs(found - expected).max() <= 1.0, path.name
                grey += 1
    assert (grey, color) > (60, 2)
