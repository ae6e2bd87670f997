"""What lies over an image: its overlay planes, and segmentations, where they belong and gone when they are hidden."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import Room
from tests.support.builders import a_ct, a_dataset, a_uid, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

PASSWORD = "mat khau dai du"
SIDE, PART = 64, 30  # 900 bits are no whole number of bytes
COLUMN, ROW = 10, 22

# The part of the picture, in pixels of the image, that layers cover: left, top, right, bottom; nothing, when none do.
COVERED = """() => {
  const canvas = document.querySelector("canvas[data-layers]");
  const {width, height} = document.querySelector("[data-backend] canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let [left, top, right, bottom, count] = [width, height, 0, 0, 0];
  for (let at = 0; at < width * height; at += 1) {
    if (data[at * 4 + 3] === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
    count += 1;
  }
  const side = Math.min(width, height) / SIDE;
  const [x, y] = [(width - side * SIDE) / 2, (height - side * SIDE) / 2];
  return count ? [(left - x) / side, (top - y) / side, (right - x) / side, (bottom - y) / side] : [];
}""".replace("SIDE", str(SIDE))


def a_study() -> list[bytes]:
    """Return three slices, the last with an overlay, and a segmentation with two segments, on the first and second."""
    slices = [
        a_ct(seed="layers", instance=number, StudyDate="20261110", PatientID="BN-layers", PixelSpacing=["1", "1"])
        for number in (1, 2, 3)
    ]
    with_pixels(slices[0], marked())
    last = slices[2]
    bits = np.zeros((20, 12), np.uint8)
    bits[0, :], bits[-1, :], bits[:, 0], bits[:, -1] = 1, 1, 1, 1
    last.add_new(0x60000010, "US", 20)
    last.add_new(0x60000011, "US", 12)
    last.add_new(0x60000040, "CS", "G")
    last.add_new(0x60000050, "SS", [5, 9])
    last.add_new(0x60000100, "US", 1)
    last.add_new(0x60000102, "US", 0)
    last.add_new(0x60003000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes())
    return [*(as_file(one) for one in (*slices, a_segmentation(slices), a_presentation(slices), *turning(slices)))]


def marked() -> np.ndarray:
    """Return a picture with a bright block at its top left, wider than high."""
    pixels = np.zeros((SIDE, SIDE), np.int16)
    pixels[4:14, 4:24] = 3000
    return pixels


def turning(slices: list[pydicom.Dataset]) -> list[pydicom.Dataset]:
    """Return presentation states that turn the images, turn and mirror them, show a part of them so, and in true size."""
    made = [a_presentation(slices) for _ in range(4)]
    for ds, label, mirrored in zip(made, ("XOAY", "XOAY LAT", "VUNG", "THAT"), "NYYY", strict=True):
        ds.SOPInstanceUID, ds.SeriesInstanceUID = a_uid("layers", label), a_uid("layers", "of", label)
        ds.ContentLabel, ds.ImageRotation, ds.ImageHorizontalFlip = label, 90, mirrored
    # The bright block: its corners as they come to be, once it is turned and mirrored.
    area = an_item(DisplayedAreaTopLeftHandCorner=[5, 5], DisplayedAreaBottomRightHandCorner=[24, 14])
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", ["1", "1"]
    made[2].DisplayedAreaSelectionSequence = [area]
    real = an_item(DisplayedAreaTopLeftHandCorner=[5, 5], DisplayedAreaBottomRightHandCorner=[24, 14])
    real.PresentationSizeMode, real.PresentationPixelSpacing = "TRUE SIZE", ["1", "1"]
    made[3].DisplayedAreaSelectionSequence = [real]
    return made


def an_item(**values: object) -> pydicom.Dataset:
    item = pydicom.Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def a_segmentation(slices: list[pydicom.Dataset]) -> pydicom.Dataset:
    ds = a_dataset("1.2.840.10008.5.1.4.1.1.66.4", seed="layers", PatientID="BN-layers", StudyDate="20261110")
    ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.SeriesNumber = a_uid("layers", "seg"), a_uid("layers", "segs"), 2
    ds.Modality, ds.SegmentationType, ds.FrameOfReferenceUID = "SEG", "BINARY", slices[0].FrameOfReferenceUID
    ds.Rows = ds.Columns = PART
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit, ds.NumberOfFrames = 0, 2
    ds.SegmentSequence = [an_item(SegmentNumber=1, SegmentLabel="Gan"), an_item(SegmentNumber=2, SegmentLabel="Lach")]
    orientation = an_item(ImageOrientationPatient=slices[0].ImageOrientationPatient)
    shared = an_item(PlaneOrientationSequence=[orientation])
    shared.PixelMeasuresSequence = [an_item(PixelSpacing=["1", "1"], SliceThickness="5")]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = [
        an_item(
            SegmentIdentificationSequence=[an_item(ReferencedSegmentNumber=number)],
            PlanePositionSequence=[an_item(ImagePositionPatient=[-120 + COLUMN, -120 + ROW, 5.0 * number])],
        )
        for number in (1, 2)
    ]
    samples = np.ones((2, PART, PART), np.uint8)
    samples[1, : PART // 2] = 0
    data = np.packbits(samples.ravel(), bitorder="little").tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB"
    return ds


def a_label_map() -> list[bytes]:
    """Return a study of its own: a slice, and a label map of background, one segment above and another below."""
    image = a_ct(seed="map", StudyDate="20261109", PatientID="BN-map", PixelSpacing=["1", "1"])
    ds = a_segmentation([image])
    ds.StudyInstanceUID, ds.PatientID = image.StudyInstanceUID, image.PatientID
    ds.SOPInstanceUID, ds.SeriesInstanceUID = a_uid("map", "seg"), a_uid("map", "segs")
    ds.SOPClassUID, ds.SegmentationType = "1.2.840.10008.5.1.4.1.1.66.7", "LABELMAP"
    labels = ((0, "Nen"), (1, "Gan"), (7, "Lach"))
    ds.SegmentSequence = [an_item(SegmentNumber=number, SegmentLabel=label) for number, label in labels]
    (group, _) = ds.PerFrameFunctionalGroupsSequence
    del group.SegmentIdentificationSequence
    ds.PerFrameFunctionalGroupsSequence = [group]
    samples = np.zeros((PART, PART), np.uint8)
    samples[PART // 2 :], samples[: PART // 4] = 7, 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.NumberOfFrames = 8, 8, 7, 1
    ds.PixelData = samples.tobytes()
    return [as_file(image), as_file(ds)]


def a_presentation(slices: list[pydicom.Dataset]) -> pydicom.Dataset:
    """Return a presentation state: a rectangle on the first slice, and a window of its own."""
    ds = a_dataset("1.2.840.10008.5.1.4.1.1.11.1", seed="layers", PatientID="BN-layers", StudyDate="20261110")
    ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.SeriesNumber = a_uid("layers", "pr"), a_uid("layers", "prs"), 3
    ds.Modality, ds.ContentLabel, ds.PresentationLUTShape = "PR", "GAN", "IDENTITY"
    images = [
        an_item(ReferencedSOPClassUID=one.SOPClassUID, ReferencedSOPInstanceUID=one.SOPInstanceUID) for one in slices
    ]
    ds.ReferencedSeriesSequence = [
        an_item(SeriesInstanceUID=slices[0].SeriesInstanceUID, ReferencedImageSequence=images[:2])
    ]
    ds.SoftcopyVOILUTSequence = [an_item(WindowCenter="100", WindowWidth="300")]
    rectangle = an_item(GraphicAnnotationUnits="PIXEL", GraphicDimensions=2, NumberOfGraphicPoints=5)
    rectangle.GraphicData = [3.5, 4.5, 53.5, 4.5, 53.5, 15.5, 3.5, 15.5, 3.5, 4.5]
    rectangle.GraphicType, rectangle.GraphicFilled = "POLYLINE", "N"
    ds.GraphicAnnotationSequence = [
        an_item(ReferencedImageSequence=images[:1], GraphicLayer="A", GraphicObjectSequence=[rectangle])
    ]
    return ds


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with a study that has layers."""
    node = NodeProcess(tmp_path_factory.mktemp("layers"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store([*a_study(), *a_label_map()])
    yield node
    node.stop()


@pytest.fixture
def reading(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """A reader before the study's first slice."""
    room = Room.open(browser_without_webgl, hub.url)
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("10/11/2026")
    room.page.get_by_role("button", name="CT ").first.click()
    yield room
    room.close()


def covered(room: Room, layers: int) -> list[float]:
    """Return what layers cover once so many are drawn: left, top, right, bottom, in pixels of the image."""
    expect(room.page.locator(f"canvas[data-layers='{layers}']").first).to_be_attached()
    return room.page.evaluate(COVERED)


def test_a_segment_lies_where_it_was_made_on_its_own_slice_alone(reading: Room, artifacts: Path):
    assert covered(reading, 1) == pytest.approx([COLUMN, ROW, COLUMN + PART, ROW + PART], abs=0.2)
    assert found_in_the_way(reading, artifacts / "layers-laptop-vi-dark.png") == []

    reading.press("ArrowDown")

    # The second frame begins in the middle of a byte; its upper half is empty.
    assert covered(reading, 1) == pytest.approx([COLUMN, ROW + PART / 2, COLUMN + PART, ROW + PART], abs=0.2)


def test_the_segments_of_a_label_map_are_shown_one_by_one_and_its_background_never(reading: Room, hub: NodeProcess):
    reading.page.goto(f"{hub.url}/study/{a_uid('map', 'study')}?site=HUB")
    reading.page.get_by_role("button", name="CT ").first.click()
    assert covered(reading, 1) == pytest.approx([COLUMN, ROW, COLUMN + PART, ROW + PART], abs=0.2)

    reading.page.get_by_role("button", name="Lớp phủ").click()
    expect(reading.page.get_by_role("menuitem", name="Nen")).to_have_count(0)
    reading.page.get_by_role("menuitem", name="Gan: đang hiện").click()
    reading.settle()

    assert covered(reading, 1) == pytest.approx([COLUMN, ROW + PART / 2, COLUMN + PART, ROW + PART], abs=0.2)


def test_an_overlay_lies_at_its_origin(reading: Room):
    reading.press("End")

    assert covered(reading, 1) == pytest.approx([8, 4, 20, 24], abs=0.2)


def test_layers_are_hidden_and_shown_one_by_one_or_all_at_once(reading: Room):
    covered(reading, 1)
    reading.page.get_by_role("button", name="Lớp phủ").click()
    reading.page.get_by_role("menuitem", name="Gan: đang hiện").click()
    assert covered(reading, 0) == []
    reading.press("ArrowDown")
    covered(reading, 1)

    reading.press("Shift+O")

    assert covered(reading, 0) == []
    reading.press("Shift+O")
    covered(reading, 1)


def test_a_presentation_state_is_shown_when_it_is_chosen(reading: Room, artifacts: Path):
    own = reading.window()
    reading.press("Shift+O")
    assert covered(reading, 0) == []
    reading.page.get_by_role("button", name="Lớp phủ").click()

    reading.page.get_by_role("menuitem", name="Cách trình bày: GAN", exact=True).click()

    expect(reading.page.locator("canvas[data-graphics='1']")).to_be_attached()
    # A line of 1.5 screen pixels, from the first pixel's corner: half a pixel before where it counts from.
    assert covered(reading, 0) == pytest.approx([3, 4, 53, 15], abs=0.25)
    assert reading.window() == (300, 100)
    reading.page.screenshot(path=artifacts / "presentation-laptop-vi-dark.png")
    reading.press("ArrowDown")
    expect(reading.page.locator("canvas[data-graphics='0']")).to_be_attached()
    reading.page.get_by_role("button", name="Lớp phủ").click()
    reading.page.get_by_role("menuitem", name="Cách trình bày: GAN", exact=True).click()
    assert reading.window() == own


PIXEL_MM = 0.05
MEASURED = f"""() => {{
  const sides = [screen.width, screen.height].map((side) => Math.round(side * devicePixelRatio));
  localStorage["vienanh.pixelMm"] = `${{sides.join("x")}} {PIXEL_MM}`;
}}"""


def bright(room: Room) -> list[float]:
    """Return where the picture is bright: left, top, right, bottom, in pixels of the image that fills its canvas."""
    grey = room.grey()
    rows, columns = np.nonzero(grey > 127)
    height, width = grey.shape
    side = min(width, height) / SIDE
    left, top = (width - side * SIDE) / 2, (height - side * SIDE) / 2
    edges = (columns.min() - left, rows.min() - top, columns.max() + 1 - left, rows.max() + 1 - top)
    return [edge / side for edge in edges]


def choose_state(room: Room, label: str) -> None:
    room.page.get_by_role("button", name="Lớp phủ").click()
    room.page.get_by_role("menuitem", name=f"Cách trình bày: {label}", exact=True).click()
    expect(room.page.get_by_role("menuitem")).to_have_count(0)
    room.settle()


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_a_presentation_state_turns_mirrors_and_shows_a_part_on_either_renderer(request, hub: NodeProcess, backend):
    browser = request.getfixturevalue("browser_without_webgl" if backend == "cpu" else "browser_with_software_webgl")
    room = Room.open(browser, hub.url, backend=backend)
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("10/11/2026")
    room.page.get_by_role("button", name="CT ").first.click()
    expect(room.page.locator(f"[data-backend={backend}]")).to_be_visible()
    room.wait_for_picture()
    assert bright(room) == pytest.approx([4, 4, 24, 14], abs=0.6)

    choose_state(room, "XOAY")
    assert bright(room) == pytest.approx([SIDE - 14, 4, SIDE - 4, 24], abs=0.6)
    choose_state(room, "XOAY LAT")
    assert bright(room) == pytest.approx([4, 4, 14, 24], abs=0.6)

    choose_state(room, "VUNG")
    grey = room.grey()
    rows, columns = np.nonzero(grey > 127)
    height, width = grey.shape
    scale = min(width / 10, height / 20)
    across, down = 10 * scale, 20 * scale
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    wanted = [(width - across) / 2, (height - down) / 2, (width + across) / 2, (height + down) / 2]
    assert edges == pytest.approx(wanted, abs=scale * 0.6)
    part = room.page.get_by_text("Vùng ảnh theo cách trình bày", exact=True)
    expect(part).to_be_visible()

    room.press("r")
    assert bright(room) == pytest.approx([4, 4, 24, 14], abs=0.6)
    expect(part).to_have_count(0)

    choose_state(room, "THAT")
    expect(room.page.get_by_text("Vùng ảnh theo cách trình bày, không đúng kích thước thật")).to_be_visible()
    unmeasured = room.page.get_by_text("Chưa có kích thước thật: màn hình này chưa được đo")
    room.press("Shift+Z")
    expect(unmeasured).to_be_visible()
    room.page.get_by_role("button", name="Cỡ ảnh").click()
    expect(room.page.get_by_role("menuitem", name="Kích thước thật")).to_be_disabled()
    expect(room.page.get_by_role("menuitem", name="Đo màn hình này")).to_have_attribute("href", "/display")
    room.page.keyboard.press("Escape")
    room.page.evaluate(MEASURED)
    choose_state(room, "THAT")
    choose_state(room, "THAT")
    rows, columns = np.nonzero(room.grey() > 127)
    size = (columns.max() - columns.min() + 1, rows.max() - rows.min() + 1)
    assert size == pytest.approx((10 / PIXEL_MM, 20 / PIXEL_MM), abs=0.6 / PIXEL_MM)
    in_true_size = room.page.get_by_text("Đúng kích thước thật, theo màn hình đã đo")
    expect(in_true_size).to_be_visible()

    room.press("r")
    expect(in_true_size).to_have_count(0)
    room.press("Shift+Z")
    expect(in_true_size).to_be_visible()
    expect(room.readout("bottomLeft")).to_contain_text(
        f"{1 / PIXEL_MM * 100:,.0f}%".replace(",", ".")
    )  # of 1 mm a pixel
    room.press("+")
    expect(in_true_size).to_have_count(0)
    room.close()
