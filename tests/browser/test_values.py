"""What stored values become on the screen and under the probe, by either renderer, against PS3.3 C.11's own formulas."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    MRImageStorage,
    ParametricMapStorage,
    PositronEmissionTomographyImageStorage,
    RTDoseStorage,
    SecondaryCaptureImageStorage,
)

from tests.browser.pixels import flat_places
from tests.browser.room import PASSWORD, Room
from tests.browser.test_marks import a_click_of_its_own
from tests.support.builders import a_dataset, a_uid, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

SIDE = 256
RAMP = np.add.outer(np.arange(SIDE), np.arange(SIDE))  # 0 to 510, slowly
OFF_MAX = 1.5  # grey levels, on average
FLAT_MIN = 500
Values = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """An image, what its values are, and how grey they are: 0 to 1."""

    name: str
    image: Dataset
    values: Values
    grey: Callable[[Values], Values]
    unit: str = ""


def a_table(first: int, bits: int, entries: list[int]) -> Dataset:
    table = Dataset()
    table.add_new(0x00283002, "US", [len(entries) % 65536, first % 65536, bits])
    table.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return table


def a_damaged_table() -> Dataset:
    """Return one that says it has more entries than came, too many to stand in the metadata."""
    table = a_table(0, 16, [7] * 4000)
    table[0x00283002].value = [4096, 0, 16]
    return table


def linear(center: float, width: float) -> Callable[[Values], Values]:
    return lambda values: np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def exact(center: float, width: float) -> Callable[[Values], Values]:
    return lambda values: np.clip((values - center) / width + 0.5, 0, 1)


def sigmoid(center: float, width: float) -> Callable[[Values], Values]:
    return lambda values: 1 / (1 + np.exp(-4 * (values - center) / width))


def all_of(values: Values) -> Callable[[Values], Values]:
    return exact((values.max() + values.min()) / 2, values.max() - values.min())


def an_image(sop_class_uid: str, name: str, pixels: Values, **attributes: Any) -> Dataset:
    ds = a_dataset(sop_class_uid, seed=f"values {name}", SeriesDescription=name, **attributes)
    ds.StudyInstanceUID, ds.PatientID = a_uid("values", "study"), "BN1"
    return with_pixels(ds, pixels)


def cases() -> list[Case]:
    signed, unsigned = RAMP.astype("i2"), RAMP.astype("u2")
    window = {"WindowCenter": 0, "WindowWidth": 300}
    ct = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -250, "RescaleType": "HU"}
    curve = [round(4095 * (entry / 510) ** 2) for entry in range(511)]
    dose, uptake = RAMP * 1e5 * 2.5e-9, RAMP * 0.0137
    fractions = np.asarray(RAMP / 510 - 0.25, "<f4")
    return [
        Case(
            "sigmoid",
            an_image(CTImageStorage, "sigmoid", signed, **ct, **window, VOILUTFunction="SIGMOID"),
            RAMP - 250,
            sigmoid(0, 300),
            " HU",
        ),
        Case("linear", an_image(CTImageStorage, "linear", signed, **ct, **window), RAMP - 250, linear(0, 300), " HU"),
        Case(
            "narrow",
            an_image(
                MRImageStorage,
                "narrow",
                unsigned,
                Modality="MR",
                RescaleSlope="0.001",
                RescaleIntercept=0,
                WindowCenter="0.25",
                WindowWidth="0.4",
                VOILUTFunction="LINEAR_EXACT",
            ),
            RAMP * 0.001,
            exact(0.25, 0.4),
        ),
        Case(
            "modality table",
            an_image(
                ComputedRadiographyImageStorage,
                "modality table",
                unsigned,
                Modality="CR",
                ModalityLUTSequence=[a_table(0, 16, [entry * entry // 8 for entry in range(511)])],
                WindowCenter=16000,
                WindowWidth=30000,
            ),
            RAMP * RAMP // 8,
            linear(16000, 30000),
        ),
        Case(
            "VOI table",
            an_image(
                ComputedRadiographyImageStorage,
                "VOI table",
                unsigned,
                Modality="CR",
                VOILUTSequence=[a_table(0, 12, curve)],
            ),
            RAMP,
            lambda values: np.asarray(curve)[values] / 4095,
        ),
        Case(
            "VOI table, white to black",
            an_image(
                ComputedRadiographyImageStorage,
                "VOI table, white to black",
                unsigned,
                Modality="CR",
                VOILUTSequence=[a_table(0, 12, curve)],
            ),
            RAMP,
            lambda values: 1 - np.asarray(curve)[values] / 4095,
        ),
        Case(
            "damaged modality table",
            an_image(
                CTImageStorage,
                "damaged modality table",
                unsigned,
                **ct,
                **window,
                ModalityLUTSequence=[a_damaged_table()],
                VOILUTSequence=[a_table(0, 12, curve)],
            ),
            RAMP,
            all_of(RAMP),
        ),
        Case(
            "damaged VOI table",
            an_image(CTImageStorage, "damaged VOI table", signed, **ct, **window, VOILUTSequence=[a_damaged_table()]),
            RAMP - 250,
            linear(0, 300),
            " HU",
        ),
        Case(
            "dose",
            an_image(
                RTDoseStorage,
                "dose",
                (RAMP * 100_000).astype("u4"),
                Modality="RTDOSE",
                DoseUnits="GY",
                DoseGridScaling="2.5e-9",
            ),
            dose,
            all_of(dose),
            " Gy",
        ),
        Case(
            "uptake",
            an_image(
                PositronEmissionTomographyImageStorage,
                "uptake",
                unsigned,
                Modality="PT",
                Units="BQML",
                RescaleSlope="0.0137",
                RescaleIntercept=0,
            ),
            uptake,
            all_of(uptake),
            " Bq/ml",
        ),
        Case("fractions", _of_fractions(fractions), fractions, all_of(fractions), " mm2/s"),
    ]


def _of_fractions(fractions: Values) -> Dataset:
    ds = an_image(ParametricMapStorage, "fractions", fractions.astype("u2"), Modality="OT")
    for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        delattr(ds, keyword)
    ds.BitsAllocated = 32
    ds.FloatPixelData = fractions.tobytes()
    unit, mapping = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "mm2/s", "UCUM", "mm2/s"
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 1.0, 0.0
    mapping.MeasurementUnitsCodeSequence = [unit]
    ds.RealWorldValueMappingSequence = [mapping]
    return ds


CASES = {case.name: case for case in cases()}
CASES["VOI table, white to black"].image.PhotometricInterpretation = "MONOCHROME1"
TALL = "twice as high"


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with one study that has a series for each case."""
    node = NodeProcess(tmp_path_factory.mktemp("values"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    square = np.full((SIDE, SIDE), 200, "u1")
    square[SIDE // 2, SIDE // 2] = 0
    tall = an_image(SecondaryCaptureImageStorage, TALL, square, Modality="OT")
    tall.PixelAspectRatio = [2, 1]
    node.store([as_file(one) for one in (*(case.image for case in CASES.values()), tall)])
    yield node
    node.stop()


@pytest.fixture(scope="module", params=["cpu", "gpu"])
def reading(request: pytest.FixtureRequest, hub: NodeProcess) -> Iterator[Room]:
    """A reader before the study, with either renderer."""
    browser = "browser_without_webgl" if request.param == "cpu" else "browser_with_software_webgl"
    room = Room.open(request.getfixturevalue(browser), hub.url, backend=request.param)
    room.sign_in("bs.lan", PASSWORD)
    room.page.goto(f"{hub.url}/study/{a_uid('values', 'study')}?site=HUB")
    room.wait_for_picture()
    expect(room.page.locator(f"[data-backend={request.param}]")).to_be_visible()
    yield room
    room.close()


def show(room: Room, name: str) -> None:
    title = room.page.get_by_text(re.compile(rf"^[A-Z]+ {name}$"))
    room.page.get_by_role("navigation").get_by_role("button").filter(has=title).click()
    expect(room.readout("topLeft")).to_contain_text(name)
    room.wait_for_picture()
    room.settle()


def off(room: Room, grey: Values) -> float:
    """Return how many grey levels, on average, the fitted picture is off, where it is flat."""
    shown = room.grey().astype(float)
    side = min(shown.shape)
    wanted = np.asarray(Image.fromarray((grey * 255).astype("f4")).resize((side, side), Image.Resampling.BILINEAR))
    top, left = (shown.shape[0] - side) // 2, (shown.shape[1] - side) // 2
    flat = flat_places(wanted)
    assert flat.sum() > FLAT_MIN
    return float(np.abs(shown[top : top + side, left : left + side] - wanted)[flat].mean())


@pytest.mark.parametrize("name", CASES)
def test_values_become_the_greys_of_the_standard(reading: Room, name: str):
    case = CASES[name]

    show(reading, name)

    assert off(reading, case.grey(case.values)) < OFF_MAX


def test_a_series_that_comes_back_is_loaded_to_its_last_sample_again(reading: Room):
    for name in ("linear", "sigmoid", "linear"):
        show(reading, name)  # which waits until it is no preview

    assert off(reading, CASES["linear"].grey(CASES["linear"].values)) < OFF_MAX


def test_the_readers_window_takes_the_place_of_the_images_table(reading: Room):
    show(reading, "VOI table")
    expect(reading.readout("bottomLeft")).to_contain_text("Theo LUT của ảnh")

    reading.press("1")

    assert off(reading, CASES["VOI table"].values / 510) < OFF_MAX
    reading.press("0")
    assert off(reading, CASES["VOI table"].grey(RAMP)) < OFF_MAX


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("damaged modality table", "Giá trị lưu, không đơn vị"),
        ("damaged VOI table", "Không áp dụng được VOI LUT"),
        ("VOI table", ""),
    ],
)
def test_an_image_says_that_it_is_shown_without_a_damaged_table(reading: Room, name: str, words: str):
    show(reading, name)

    expect(reading.readout("topRight").get_by_text(re.compile("LUT"))).to_have_count(1 if words else 0)
    expect(reading.readout("topRight")).to_contain_text(words)


@pytest.mark.parametrize(("name", "count"), [("damaged modality table", 0), ("damaged VOI table", 1)])
def test_windows_in_hounsfield_units_are_offered_for_values_that_have_that_unit(reading: Room, name: str, count: int):
    show(reading, name)

    reading.page.get_by_role("button", name="Cửa sổ", exact=True).click()

    expect(reading.page.get_by_role("menuitem", name="Mặc định của ảnh")).to_be_visible()
    expect(reading.page.get_by_role("menuitem", name="Bụng")).to_have_count(count)
    reading.press("Escape")


@pytest.mark.parametrize(
    "name",
    [
        "linear",
        "narrow",
        "modality table",
        "damaged modality table",
        "damaged VOI table",
        "dose",
        "uptake",
        "fractions",
    ],
)
def test_the_probe_tells_modality_values_in_their_unit(reading: Room, name: str):
    show(reading, name)
    reading.press("h")
    x, y = reading.middle()

    a_click_of_its_own(reading, x + 0.3, y + 0.3)
    reading.settle()

    (text,) = reading.marks()
    unit = CASES[name].unit
    assert text.endswith(unit)
    told = float(text.removesuffix(unit).replace(".", "").replace(",", "."))
    around = CASES[name].values[SIDE // 2 - 1 : SIDE // 2 + 2, SIDE // 2 - 1 : SIDE // 2 + 2].astype(float)
    assert np.abs(around - told).min() <= abs(told) * 0.001
    reading.page.get_by_role("button", name="Xoá các số đo").click()


@pytest.mark.parametrize("name", ["linear", "sigmoid", "VOI table", "VOI table, white to black"])
def test_the_magnifier_has_the_greys_of_the_picture(reading: Room, name: str):
    case = CASES[name]
    show(reading, name)
    reading.press("m")
    x, y = reading.middle()
    by = 60 * min(reading.grey().shape) / SIDE  # to where a curve and a straight line differ by most
    reading.page.mouse.move(x - 100, y - 60)
    reading.page.mouse.down()
    reading.page.wait_for_selector(".magnifyTool canvas")
    reading.page.mouse.move(x + by, y + by, steps=4)
    reading.settle()

    shown = reading.grey(".magnifyTool canvas").astype(float)

    reading.page.mouse.up()
    reading.press("w")
    near = slice(SIDE // 2 + 60 - 4, SIDE // 2 + 60 + 4)
    wanted = case.grey(case.values)[near, near].mean() * 255
    assert shown[120:160, 120:160].mean() == pytest.approx(wanted, abs=4 * OFF_MAX)


def test_pixels_that_are_higher_than_wide_are_drawn_so(reading: Room):
    show(reading, TALL)

    rows, columns = np.nonzero(reading.grey() > 100)

    height, width = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
    assert height / width == pytest.approx(2, rel=0.02)
