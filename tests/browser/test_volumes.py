"""A stack as a volume: three planes whose every grey is the value of that place in the patient, without WebGL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LAPTOP, PATIENCE_MS, PHONE, Room, pixels_of
from tests.support.builders import a_ct, a_uid, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

PASSWORD = "mat khau dai du"
SIDE, SLICES, STEP_MM = 64, 24, 4.0
CORNER = np.array([-40.0, -30.0, 10.0])
WINDOW = (400.0, 40.0)  # width, center: the abdomen's, key 1
TILT_DEGREES = 20.0
F18_HALF_LIFE_S = 6586.2
TABLE_FIRST, TABLE_ENTRIES = -300, 600  # the VOI LUT of every slice: greys by the square

PICTURE = """(plane) => {
  const source = document.querySelector(`[data-mpr=${plane}] canvas`);
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [source.width, source.height];
  copy.getContext("2d").drawImage(source, 0, 0);
  return copy.toDataURL("image/png");
}"""


# Where the point is on the coronal picture, CSS pixels, and canvas pixels for one of these.
CROSSING = """() => {
  const canvas = document.querySelector("[data-mpr=coronal] canvas");
  const middle = (plane, axis) => {
    const ends = [...document.querySelectorAll(`[data-mpr=coronal] circle[data-plane=${plane}]`)];
    return ends.reduce((sum, end) => sum + end[axis].baseVal.value / 2, 0);
  };
  return [middle("sagittal", "cx"), middle("axial", "cy"), canvas.width / canvas.clientWidth];
}"""


def value_at(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Hounsfield units planted at places in the patient: interpolation gives a plane in space back exactly."""
    return 2.0 * x + 3.0 * y - 1.5 * z + 60


def a_stack(seed: str, column: NDArray[np.float64], places: list[float], day: str, description: str) -> list[bytes]:
    """Return CT slices of 64 x 64 samples of 1 mm at these z, rows along x, columns along `column`."""
    files = []
    row = np.array([1.0, 0.0, 0.0])
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    for number, z in enumerate(places, start=1):
        ds = a_ct(seed=seed, instance=number, PatientID=f"BN-{seed}")
        ds.StudyDate, ds.StudyDescription = day, description
        position = CORNER + np.array([0, 0, z])
        place = position + across[..., None] * row + down[..., None] * column
        with_pixels(ds, (np.rint(value_at(*np.moveaxis(place, -1, 0))) + 1024).astype("<i2"))
        ds.FrameOfReferenceUID = a_uid(seed, "space")
        ds.ImagePositionPatient = [f"{one:.6f}" for one in position]
        ds.ImageOrientationPatient = [f"{one:.9f}" for one in (*row, *column)]
        ds.PixelSpacing, ds.SliceThickness = ["1", "1"], str(STEP_MM)
        ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
        table = pydicom.Dataset()
        table.add_new(0x00283002, "US", [TABLE_ENTRIES, TABLE_FIRST % 65536, 12])
        squares = 4095 * np.linspace(0, 1, TABLE_ENTRIES) ** 2
        table.add_new(0x00283006, "OW", np.rint(squares).astype("<u2").tobytes())
        ds.VOILUTSequence = [table]
        files.append(as_file(ds))
    return files


def studies() -> list[bytes]:
    even = [STEP_MM * index for index in range(SLICES)]
    upright = np.array([0.0, 1.0, 0.0])
    lean = np.radians(TILT_DEGREES)
    leaning = np.array([0.0, np.cos(lean), -np.sin(lean)])
    return [
        *a_stack("tilted", leaning, even, "20261102", "MPR nghieng"),
        *a_stack("holed", upright, [*even[:8], *even[14:]], "20261103", "MPR ho"),
        *a_stack("two", upright, even[:2], "20261104", "Hai lat"),
        *a_pair("20261105", "Hai huong", (1, 2)),
        *a_pair("20251105", "Nam truoc", (1,)),
        a_pet("pet", "20261107", 70),
        a_pet("light", "20261108", None),
        # The last one is the worklist's first, on a phone's screen too.
        *a_stack("even", upright, even, "20261101", "MPR deu"),
    ]


def a_pair(day: str, description: str, numbers: tuple[int, ...]) -> list[bytes]:
    """Return series of one person in one space: 1 axial, 2 sagittal, of 5 mm and 3 mm."""
    files = []
    for number in numbers:
        count, step_mm = ((12, 5.0), (20, 3.0))[number - 1]
        for instance in range(1, count + 1):
            ds = a_ct(seed=f"pair {day}", instance=instance, PatientID="BN-pair")
            ds.SeriesInstanceUID, ds.SeriesNumber = a_uid("pair", day, "series", number), number
            ds.SOPInstanceUID = a_uid("pair", day, "instance", number, instance)
            ds.StudyDate, ds.StudyDescription, ds.SeriesDescription = day, description, ("ngang", "doc")[number - 1]
            ds.FrameOfReferenceUID = a_uid("pair", "space")
            along = step_mm * (instance - 1)
            ds.ImagePositionPatient = [-32, -32, along] if number == 1 else [-30 + along, -32, 60]
            ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0] if number == 1 else [0, 1, 0, 0, 0, -1]
            ds.PixelSpacing, ds.SliceThickness = ["1", "1"], str(step_mm)
            files.append(as_file(ds))
    return files


def a_pet(seed: str, day: str, weight_kg: float | None) -> bytes:
    """Return a PET slice of 7,000 Bq/ml, an hour after 350 MBq of F-18."""
    ds = a_ct(seed=seed, PatientID=f"BN-{seed}")
    with_pixels(ds, np.full((SIDE, SIDE), 3500, "<u2"))
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.128", "PT"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = day
    ds.SeriesTime = ds.AcquisitionTime = "100000"
    ds.RescaleIntercept, ds.RescaleSlope = "0", "2"
    ds.Units, ds.DecayCorrection, ds.CorrectedImage = "BQML", "START", ["ATTN", "DECY"]
    given = pydicom.Dataset()
    given.RadiopharmaceuticalStartTime = "090000"
    given.RadionuclideTotalDose, given.RadionuclideHalfLife = "350000000", str(F18_HALF_LIFE_S)
    ds.RadiopharmaceuticalInformationSequence = [given]
    if weight_kg is not None:
        ds.PatientWeight = weight_kg
    return as_file(ds)


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with four stacks: even, of a leaning gantry, with slices missing, and too short."""
    node = NodeProcess(tmp_path_factory.mktemp("volumes"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store(studies())
    yield node
    node.stop()


Opening = Callable[..., Room]


@pytest.fixture
def opening(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Opening]:
    """Open a study of a day, as a picture or at once as a volume."""
    rooms: list[Room] = []

    def open_study(day: str, *, volume: bool = True, **look: object) -> Room:
        room = Room.open(browser_without_webgl, hub.url, **look)  # type: ignore[arg-type]
        rooms.append(room)
        room.sign_in("bs.lan", PASSWORD)
        room.open_study(day)
        if volume:
            room.page.keyboard.press("Shift+M")
            expect(room.page.locator("section[data-whole=true]")).to_be_visible(timeout=PATIENCE_MS)
            room.page.keyboard.press("1")
            drawn(room)
        return room

    yield open_study
    for room in rooms:
        room.close()


def drawn(room: Room) -> None:
    """Let what was asked for be on the canvas: it is drawn at the next refresh of the screen."""
    room.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def picture(room: Room, plane: str) -> NDArray[np.float64]:
    return pixels_of(str(room.page.evaluate(PICTURE, plane))).astype(float)


def places(
    shape: tuple[int, int], across: tuple[float, float], down: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each of a picture's pixels is: it shows these two extents whole, in its middle, as large as it can."""
    widths = (abs(across[1] - across[0]), abs(down[1] - down[0]))
    scale = min(shape[1] / widths[0], shape[0] / widths[1])
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    return (
        (across[0] + across[1]) / 2 + (columns - shape[1] / 2) / scale * np.sign(across[1] - across[0]),
        (down[0] + down[1]) / 2 + (rows - shape[0] / 2) / scale * np.sign(down[1] - down[0]),
    )


def grey(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the grey levels of a LINEAR window (PS3.3 C.11.2.1.2.1)."""
    width, center = WINDOW
    return np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)


X = (CORNER[0] - 0.5, CORNER[0] + SIDE - 0.5)
Y = (CORNER[1] - 0.5, CORNER[1] + SIDE - 0.5)
Z = (CORNER[2] - STEP_MM / 2, CORNER[2] + STEP_MM * (SLICES - 0.5))
MIDDLE = CORNER + np.array([SIDE // 2, SIDE // 2, STEP_MM * (SLICES // 2)])


def within(values: NDArray[np.float64], extent: tuple[float, float], rim_mm: float) -> NDArray[np.bool_]:
    return (values > extent[0] + rim_mm) & (values < extent[1] - rim_mm)


def test_each_plane_shows_the_values_of_its_places_in_the_patient(opening: Opening):
    room = opening("01/11/2026")
    wanted = {
        "axial": (X, Y, lambda a, b: (a, b, MIDDLE[2])),
        "coronal": (X, Z[::-1], lambda a, b: (a, MIDDLE[1], b)),
        "sagittal": (Y, Z[::-1], lambda a, b: (MIDDLE[0], a, b)),
    }

    for plane, (across, down, place) in wanted.items():
        shown = picture(room, plane)
        a, b = places(shown.shape, across, down)
        expected = grey(value_at(*np.broadcast_arrays(*place(a, b))))
        inside = within(a, across, 3) & within(b, (min(down), max(down)), 6)
        assert inside.mean() > 0.2, plane
        assert np.abs(shown - expected)[inside].mean() < 1.2, plane
        beyond = (a < across[0] - 2) | (a > across[1] + 2) | (b < min(down) - 2) | (b > max(down) + 2)
        assert shown[beyond].max(initial=0) == 0, plane


def test_planes_are_shown_by_the_table_that_the_images_bring_along(opening: Opening):
    room = opening("01/11/2026")
    room.page.keyboard.press("0")
    expect(room.page.locator("[data-mpr=axial]")).to_contain_text("Theo LUT của ảnh")
    drawn(room)

    shown = picture(room, "axial")

    a, b = places(shown.shape, X, Y)
    inside = within(a, X, 3) & within(b, Y, 3)
    share = (value_at(a, b, np.full_like(a, MIDDLE[2])) - TABLE_FIRST) / (TABLE_ENTRIES - 1)
    assert np.abs(shown - 255 * np.clip(share, 0, 1) ** 2)[inside].mean() < 1.2


def test_slices_of_a_leaning_gantry_are_put_where_they_were_in_the_patient(opening: Opening, artifacts: Path):
    room = opening("02/11/2026")
    expect(room.page.locator("[data-mpr=axial]")).to_contain_text("Giàn nghiêng 20,0°")
    lean = np.radians(TILT_DEGREES)
    # The middle sample, and the box that holds slices that go down as they go back.
    half = SIDE // 2
    middle = CORNER + np.array([half, np.cos(lean) * half, STEP_MM * (SLICES // 2) - np.sin(lean) * half])

    room.page.screenshot(path=artifacts / "mpr-tilt-laptop-vi-dark.png")
    column, row, pixel = room.page.evaluate(CROSSING)
    shown = picture(room, "coronal")
    rows, columns = np.mgrid[0 : shown.shape[0], 0 : shown.shape[1]] + 0.5
    # The box around them all: each slice half a step beyond itself, the last rows lower than the first.
    scale = min(shown.shape[1] / SIDE, shown.shape[0] / (SLICES * STEP_MM + SIDE * np.sin(lean)))
    x = middle[0] + (columns - column * pixel) / scale
    z = middle[2] - (rows - row * pixel) / scale
    along = (z - middle[2]) / STEP_MM + SLICES // 2
    inside = within(x, X, 3) & (along > 1) & (along < SLICES - 2)
    expected = grey(value_at(x, np.full_like(x, middle[1]), z))
    assert inside.mean() > 0.1
    assert np.abs(shown - expected)[inside].mean() < 1.2


def test_a_gap_is_left_dark_and_told(opening: Opening):
    room = opening("03/11/2026")
    expect(room.page.locator("[data-mpr=axial]")).to_contain_text("Hở 28,0 mm sau lát 8")

    shown = picture(room, "coronal")
    a, b = places(shown.shape, X, Z[::-1])

    low, high = CORNER[2] + STEP_MM * 7, CORNER[2] + STEP_MM * 14
    hole = within(a, X, 3) & (b > low + 4) & (b < high - 4)
    beside = within(a, X, 3) & (b > low - 6) & (b < low)
    assert shown[hole].max() == 0
    assert shown[beside].min() > 0


def test_a_press_moves_the_point_and_the_other_planes_follow(opening: Opening):
    room = opening("01/11/2026")
    axial = room.page.locator("[data-mpr=axial] [role=img]")
    coronal, before = room.page.locator("[data-mpr=coronal]"), picture(room, "coronal")
    expect(coronal).to_contain_text(f"P {MIDDLE[1]:.1f}".replace(".", ","))

    box = axial.bounding_box()
    assert box is not None
    axial.click(position={"x": box["width"] / 2, "y": box["height"] / 2 - 60})

    expect(coronal).to_contain_text("A ")
    drawn(room)
    assert np.abs(picture(room, "coronal") - before).mean() > 2
    room.page.keyboard.press("ArrowDown")
    expect(room.page.locator("[data-mpr=axial]")).to_contain_text(f"H {MIDDLE[2] + STEP_MM:.1f}".replace(".", ","))


def test_a_slab_shows_the_highest_and_the_lowest_of_what_lies_behind(opening: Opening):
    room = opening("01/11/2026")
    room.page.locator("[data-mpr=axial] [role=img]").focus()
    thin = picture(room, "axial")
    for _ in range(4):
        room.page.keyboard.press(".")
    expect(room.page.locator("[data-mpr=axial]")).to_contain_text("MIP 20,0 mm")
    drawn(room)
    highest = picture(room, "axial")

    room.page.keyboard.press("/")
    expect(room.page.locator("[data-mpr=axial]")).to_contain_text("MinIP 20,0 mm")
    drawn(room)
    lowest = picture(room, "axial")

    # Values fall by 1.5 HU a millimetre upwards: the extremes are two slices, 8 mm, to either side.
    a, b = places(thin.shape, X, Y)
    inside = within(a, X, 3) & within(b, Y, 3)
    plain = value_at(a, b, np.full_like(a, MIDDLE[2]))
    for shown, offset in ((highest, 12.0), (lowest, -12.0)):
        assert np.abs(shown - grey(plain + offset))[inside].mean() < 1.2


def test_leaving_goes_back_to_the_slices_at_the_same_height(opening: Opening):
    room = opening("01/11/2026")
    room.page.locator("[data-mpr=axial] [role=img]").focus()
    for _ in range(3):
        room.page.keyboard.press("ArrowDown")
    room.page.keyboard.press(",")  # thinner; over slices it opens the list of marks

    room.page.keyboard.press("Shift+M")

    expect(room.page.locator("[data-mpr]")).to_have_count(0)
    expect(room.page.get_by_role("complementary", name="Số đo và ảnh chính")).to_have_count(0)
    expect(room.readout("bottomRight")).to_contain_text(f"Lát {SLICES // 2 + 4}/{SLICES}")
    room.settle()
    assert room.grey().std() > 10


def test_two_slices_are_no_volume_and_the_button_says_so(opening: Opening):
    room = opening("04/11/2026", volume=False)

    button = room.page.get_by_role("button", name="ít hơn ba lát")

    expect(button).to_be_disabled()


def side_by_side(room: Room, count: int) -> list[Locator]:
    """Lay out so many pictures and return them once each shows a slice."""
    while room.page.locator("section[data-active]").count() != count:
        room.press("d")
    panes = room.page.locator("section[data-active]").all()
    for pane in panes:
        expect(pane.locator("[class*=bottomRight]")).to_contain_text("Lát", timeout=PATIENCE_MS)
    room.settle()
    return panes


def test_one_key_shows_the_point_under_the_mouse_in_the_other_pictures_of_its_space(opening: Opening, artifacts: Path):
    room = opening("05/11/2026", volume=False)
    axial, sagittal = side_by_side(room, 2)
    box = axial.locator("[data-backend]").bounding_box()
    assert box is not None
    side = min(box["width"], box["height"])
    mouse = (round(box["x"] + box["width"] / 2 + side * 0.21), round(box["y"] + box["height"] / 2 - side * 0.13))

    room.page.mouse.move(*mouse)
    room.press(".")

    x_mm = -32 - 0.5 + SIDE * (0.5 + (mouse[0] - box["x"] - box["width"] / 2) / side)
    nearest = round((x_mm + 30) / 3.0) + 1
    expect(sagittal.locator("[class*=bottomRight]")).to_contain_text(f"Lát {nearest}/20")
    expect(sagittal.locator("[data-point][data-at]")).to_have_count(1)
    own = [float(one) for one in (axial.locator("[data-point]").get_attribute("data-at") or "").split()]
    assert own == pytest.approx([mouse[0] - box["x"], mouse[1] - box["y"]], abs=0.6)
    # On the sagittal picture, 64 samples of 1 mm: y to the right from -32.5, z downwards from 60.5; the slice is at z 0.
    other = sagittal.locator("[data-backend]").bounding_box()
    assert other is not None
    y_mm = -32 - 0.5 + SIDE * (0.5 + (mouse[1] - box["y"] - box["height"] / 2) / side)
    wide = min(other["width"], other["height"])
    wanted = [
        other["width"] / 2 + ((y_mm + 32.5) / SIDE - 0.5) * wide,
        other["height"] / 2 + ((60.5 - 0) / SIDE - 0.5) * wide,
    ]
    there = [float(one) for one in (sagittal.locator("[data-point]").get_attribute("data-at") or "").split()]
    assert there == pytest.approx(wanted, abs=1)
    room.page.screenshot(path=artifacts / "cursor-laptop-vi-dark.png")


def test_a_prior_in_the_same_space_shows_the_point_too(opening: Opening):
    room = opening("05/11/2026", volume=False)
    room.page.get_by_role("button", name="Bố cục, so sánh").click()
    room.page.get_by_role("menuitem", name="05/11/2025").click()
    now, then = side_by_side(room, 2)
    for _ in range(4):
        room.press("ArrowDown")
    room.press("y")
    room.press("ArrowUp")
    box = now.locator("[data-backend]").bounding_box()
    assert box is not None

    room.page.mouse.move(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 30)
    room.press(".")

    expect(then.locator("[class*=bottomRight]")).to_contain_text("Lát 4/12")
    expect(then.locator("[data-point][data-at]")).to_have_count(1)


def test_a_probe_of_a_pet_tells_the_suv_by_body_weight(opening: Opening):
    room = opening("07/11/2026", volume=False)
    room.press("h")

    room.page.mouse.click(*room.middle())

    left = 350e6 * 2 ** (-3600 / F18_HALF_LIFE_S)
    suv = f"{7000 * 70_000 / left:.2f}".replace(".", ",")
    expect(room.page.locator("[data-backend] svg text")).to_contain_text(f"SUV {suv} g/ml")
    expect(room.page.locator("[data-backend] svg text")).to_contain_text("7.000 Bq/ml")


def test_a_pet_without_a_weight_says_that_there_is_no_suv(opening: Opening):
    room = opening("08/11/2026", volume=False)
    expect(room.readout("topRight")).to_contain_text("Không có SUV: thiếu cân nặng")
    room.press("h")

    room.page.mouse.click(*room.middle())

    expect(room.page.locator("[data-backend] svg text")).to_contain_text("7.000 Bq/ml")
    expect(room.page.locator("[data-backend] svg text")).not_to_contain_text("SUV")


@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [(LAPTOP, "vi", "dark"), (LAPTOP, "en", "light"), (PHONE, "en", "dark")],
    ids=["laptop-vi-dark", "laptop-en-light", "phone-en-dark"],
)
def test_a_reconstruction_stands_in_nobody_s_way(
    opening: Opening, artifacts: Path, size: tuple[int, int], language: str, scheme: str
):
    room = opening("01/11/2026", size=size, language=language, scheme=scheme)

    assert found_in_the_way(room, artifacts / f"mpr-{size[0]}-{language}-{scheme}.png") == []
