"""Real palette color images and enhanced multi-frame ones, seen in the room as the node itself draws them."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from pydicom.uid import UltrasoundImageStorage

from tests.browser.pixels import flat_places
from tests.browser.room import PASSWORD, Room
from tests.support.builders import a_dataset, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]
NAMES = {
    "palette of 16 bits": "cornerstone3d/TestPattern_Palette_16.dcm",
    "palette in segments, too long for the metadata": "pydicom-data/gdcm-US-ALOKA-16.dcm",
    "enhanced MR": "pydicom-data/emri_small.dcm",
    "enhanced CT": "pydicom-data/eCT_Supplemental.dcm",
}
GREY_LEVELS_OFF_MAX = 3.0
FLAT_MIN = 500


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[NodeProcess]:
    """A hub with these files."""
    missing = [name for name in NAMES.values() if not (samples / name).is_file()]
    if missing:
        pytest.skip(f"not among the samples here: {missing}")
    node = NodeProcess(tmp_path_factory.mktemp("samples"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store([(samples / name).read_bytes() for name in NAMES.values()])
    yield node
    node.stop()


@pytest.fixture(scope="module")
def reading(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """A reader who is signed in."""
    room = Room.open(browser_without_webgl, hub.url)
    room.sign_in("bs.lan", PASSWORD)
    yield room
    room.close()


@pytest.mark.parametrize("what", list(NAMES))
def test_the_room_shows_what_the_node_draws(reading: Room, hub: NodeProcess, samples: Path, what: str):
    ds = pydicom.dcmread(samples / NAMES[what], stop_before_pixels=True)
    reading.page.goto(f"{hub.url}/study/{ds.StudyInstanceUID}?site=HUB")
    reading.wait_for_picture()
    frames = int(ds.get("NumberOfFrames") or 1)
    expect(reading.readout("bottomRight")).to_contain_text(re.compile(f"/{frames}"))

    instance = f"{reading.dicomweb()}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"
    drawn = Image.open(io.BytesIO(reading.get(f"{instance}/frames/1/rendered", "image/png").body())).convert("L")
    shown = reading.grey().astype(float)
    height, width = shown.shape
    scale = min(width / drawn.width, height / drawn.height)
    across, down = round(drawn.width * scale), round(drawn.height * scale)
    wanted = np.asarray(drawn.resize((across, down), Image.Resampling.BILINEAR)).astype(float)
    top, left = (height - down) // 2, (width - across) // 2
    flat = flat_places(wanted)
    assert flat.sum() > FLAT_MIN
    assert np.abs(shown[top : top + down, left : left + across] - wanted)[flat].mean() < GREY_LEVELS_OFF_MAX


def test_what_the_room_cannot_color_it_says_and_shows_nothing(reading: Room, hub: NodeProcess):
    ds = a_dataset(UltrasoundImageStorage, seed="damaged palette", Modality="US")
    with_pixels(ds, np.arange(256, dtype="u1").reshape(16, 16), PhotometricInterpretation="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [256, 0, 8])
        setattr(ds, f"Segmented{color}PaletteColorLookupTableData", bytes([0, 2, 10, 20, 7, 9]))
    hub.store([as_file(ds)])

    reading.page.goto(f"{hub.url}/study/{ds.StudyInstanceUID}?site=HUB")

    expect(reading.page.get_by_role("alert")).to_contain_text("bảng màu của ảnh thiếu hoặc hỏng")
    assert reading.grey().max() == 0


def test_numbers_too_large_to_draw_are_said_to_be_so(reading: Room, hub: NodeProcess):
    ds = a_dataset(UltrasoundImageStorage, seed="numbers of 64 bits", Modality="US")
    with_pixels(ds, np.arange(256, dtype="u2").reshape(16, 16))
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 64, 64, 63
    ds.PixelData = np.arange(256, dtype="u8").tobytes()
    hub.store([as_file(ds)])

    reading.page.goto(f"{hub.url}/study/{ds.StudyInstanceUID}?site=HUB")

    expect(reading.page.get_by_role("alert")).to_contain_text("64 bit")
    assert reading.grey().max() == 0


def test_a_damaged_file_is_said_to_be_damaged(reading: Room, hub: NodeProcess):
    ds = a_dataset(UltrasoundImageStorage, seed="cut off", Modality="US")
    with_pixels(ds, np.arange(256, dtype="u1").reshape(16, 16))
    ds.PixelData = ds.PixelData[:100]
    hub.store([as_file(ds)])

    reading.page.goto(f"{hub.url}/study/{ds.StudyInstanceUID}?site=HUB")

    expect(reading.page.get_by_role("alert")).to_contain_text("hỏng hoặc thiếu dữ liệu")
    thumbnail = reading.page.get_by_role("navigation").get_by_role("img", name="hỏng hoặc thiếu dữ liệu")
    expect(thumbnail).to_have_attribute("title", re.compile("hỏng"))
