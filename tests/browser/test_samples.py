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

from tests.browser.pixels import flat_places
from tests.browser.room import PASSWORD, Room
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]
NAMES = {
    "palette of 16 bits": "cornerstone3d/TestPattern_Palette_16.dcm",
    "enhanced MR": "pydicom-data/emri_small.dcm",
    "enhanced CT": "pydicom-data/eCT_Supplemental.dcm",
}
LARGE_PALETTE = "pydicom-data/gdcm-US-ALOKA-16.dcm"  # in segments, too long for the metadata
GREY_LEVELS_OFF_MAX = 3.0
FLAT_MIN = 500


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[NodeProcess]:
    """A hub with these files."""
    names = [*NAMES.values(), LARGE_PALETTE]
    missing = [name for name in names if not (samples / name).is_file()]
    if missing:
        pytest.skip(f"not among the samples here: {missing}")
    node = NodeProcess(tmp_path_factory.mktemp("samples"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store([(samples / name).read_bytes() for name in names])
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


def test_what_the_room_cannot_color_it_says_and_shows_nothing(reading: Room, hub: NodeProcess, samples: Path):
    ds = pydicom.dcmread(samples / LARGE_PALETTE, stop_before_pixels=True)

    reading.page.goto(f"{hub.url}/study/{ds.StudyInstanceUID}?site=HUB")

    expect(reading.page.get_by_role("alert")).to_be_visible()
    assert reading.grey().max() == 0
