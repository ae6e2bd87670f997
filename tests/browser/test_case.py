"""A case of a slide and a CT: its images stand beside the slide, and each is worked with by itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.room import PASSWORD, Room
from tests.support.builders import a_ct_series, as_file
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium")]

SLICES = 5


@pytest.fixture(scope="module")
def node(built: Path, tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[NodeProcess]:
    """A hub with one study: a slide, and a CT."""
    node = NodeProcess(tmp_path_factory.mktemp("case"), HUB).start()
    node.add_user("bs.lan", "reader", PASSWORD)
    files = sorted((samples / "wsi-cmu1-dicom").glob("*.dcm"))
    slide = pydicom.dcmread(files[0], stop_before_pixels=True)
    node.store(file.read_bytes() for file in files)
    of_the_case = {name: slide[name].value for name in ("StudyInstanceUID", "PatientID", "PatientName", "StudyDate")}
    node.store(as_file(ds) for ds in a_ct_series(SLICES, seed="case", rows=64, columns=64, **of_the_case))
    yield node
    node.stop()


@pytest.fixture
def room(browser_without_webgl: Browser, node: NodeProcess) -> Iterator[Room]:
    room = Room.open(browser_without_webgl, node.url, language="en")
    room.sign_in("bs.lan", PASSWORD)
    room.rows().first.click()
    expect(room.page.locator("[data-slide]").first).to_be_visible()
    yield room
    room.close()


def test_the_images_of_the_case_stand_beside_the_slide_and_are_scrolled_there(room: Room, artifacts: Path):
    page = room.page
    page.keyboard.press("v")  # there is no other slide
    picture = page.get_by_role("img", name="Image viewport")
    expect(picture).to_be_visible()
    expect(page.locator("[data-tier='2']")).to_be_visible()

    picture.click()
    page.keyboard.press("PageDown")

    expect(page.get_by_text(f"Slice {SLICES}/{SLICES}")).to_be_visible()
    expect(page.locator("[data-slide]")).to_have_count(1)
    expect(page.get_by_text(re.compile(r"Seen in original [1-5]/5"))).to_be_visible()
    page.screenshot(path=artifacts / "case.png")


def test_keys_are_the_slides_again_when_one_goes_back_to_it(room: Room):
    page = room.page
    page.keyboard.press("v")
    page.get_by_role("img", name="Image viewport").click()
    page.keyboard.press("v")

    expect(page.get_by_role("img", name="Image viewport")).to_have_count(0)
    page.keyboard.press("4")
    expect(page.get_by_text("10x", exact=True).first).to_be_visible()
