"""Hands on a slide in Chromium: the fine focus, a walk field by field, two fingers, and the strip of a case's slides."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, CDPSession, expect
from pydicom.dataset import Dataset

from tests.browser.room import PASSWORD, PATIENCE_MS, PHONE, Room
from tests.browser.test_slides import SlideRoom
from tests.support.nodes import HUB, NodeProcess
from tests.wsi.builders import jpeg, texture
from tests.wsi.dicom_builders import a_code, a_header, a_volume, as_file, tiles_of, used

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

WIDTH, HEIGHT, TILE = 1500, 1000, 250
OCTAVE = re.compile(r"/t/[0-9a-f]+/\d+/\d+/(\d+)/\d+_\d+$")
SHADES = (0.4, 0.7, 1.0)  # how bright each focal plane is, from the glass up


def a_stack_of_planes() -> bytes:
    """Return a slide with three focal planes, two microns apart."""
    tissue = texture(WIDTH, HEIGHT)
    frames = [jpeg(tile) for shade in SHADES for tile in tiles_of((tissue * shade).astype(np.uint8), TILE)]
    header = a_header(WIDTH, HEIGHT, TILE, len(frames), TotalPixelMatrixFocalPlanes=len(SHADES))
    header.SeriesDescription, header.SeriesNumber = "A1 H&E", 1
    return as_file(header, frames)


@pytest.fixture(scope="module")
def node(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with a case of three slides."""
    third = {"SeriesInstanceUID": "1.2.3.1.3", "SOPInstanceUID": "1.2.3.1.3.1", "SeriesDescription": "40x"}
    specimen = Dataset()
    specimen.SpecimenShortDescription = "Dạ dày"
    specimen.SpecimenPreparationSequence = [used(a_code("424361007", "Using substance"), text="PAS")]
    glass = {"ContainerIdentifier": "K26-147 A1", "SpecimenDescriptionSequence": [specimen]}
    second = {"SeriesInstanceUID": "1.2.3.1.2", "SOPInstanceUID": "1.2.3.1.2.1", "SeriesDescription": "A1 Ki-67"}
    node = NodeProcess(tmp_path_factory.mktemp("hands"), HUB).start()
    node.add_user("bs.lan", "reader", PASSWORD)
    large = a_volume(4000, 3000, 250, SeriesNumber=3, SpecificCharacterSet="ISO_IR 192", **third, **glass)
    node.store([a_stack_of_planes(), a_volume(600, 400, 200, SeriesNumber=2, **second), large])
    yield node
    node.stop()


@pytest.fixture
def slide(browser_without_webgl: Browser, node: NodeProcess) -> Iterator[SlideRoom]:
    room = Room.open(browser_without_webgl, node.url)
    yield SlideRoom(room)
    room.close()


def test_the_fine_focus_goes_through_the_planes_and_stays_at_the_last(slide: SlideRoom):
    focus = slide.page.get_by_role("slider", name="Mặt phẳng nét")
    expect(focus).to_have_attribute("aria-valuetext", "2,0 µm")
    middle = slide.patch().mean()

    slide.press("PageUp")
    expect(focus).to_have_attribute("aria-valuetext", "4,0 µm")
    assert slide.patch().mean() / middle == pytest.approx(SHADES[2] / SHADES[1], rel=0.05)
    slide.press("PageUp")
    expect(focus).to_have_attribute("aria-valuetext", "4,0 µm")

    focus.focus()
    slide.press("Home")
    expect(focus).to_have_attribute("aria-valuetext", "0,0 µm")
    assert slide.patch().mean() / middle == pytest.approx(SHADES[0] / SHADES[1], rel=0.05)


def test_a_walk_by_one_key_shows_field_after_field_and_ends_at_the_last(slide: SlideRoom):
    slide.press("0")
    shown = []
    for _ in range(9):
        slide.press("N")
    for _ in range(9):
        shown.append(slide.patch())
        slide.press("n")

    assert not np.array_equal(shown[0], shown[1])
    assert not any(np.array_equal(shown[0], one) for one in shown[1:])
    assert np.array_equal(slide.patch(), shown[-1])  # there is nothing further


def test_a_field_takes_the_tiles_of_its_own_magnification_and_no_finer_or_coarser_ones(slide: SlideRoom):
    slide.page.get_by_role("navigation", name="Các chuỗi ảnh").get_by_role("button", name=re.compile("PAS")).click()
    expect(slide.text(re.compile("PAS"))).to_be_visible()
    slide.settle()
    slide.press("5")  # half of the scanner's own 40x
    asked: list[str] = []
    slide.page.on("request", lambda request: asked.append(request.url))

    slide.press("n", "n", "N", "N", "N")

    octaves = [found[1] for url in asked if (found := OCTAVE.search(url))]
    assert len(octaves) >= 6
    assert set(octaves) == {"1"}


def test_two_fingers_magnify_and_one_moves(browser_without_webgl: Browser, node: NodeProcess):
    room = Room.open(browser_without_webgl, node.url, size=PHONE)
    slide = SlideRoom(room)
    before = power(slide)
    hand = room.context.new_cdp_session(room.page)
    x, y = slide.middle()

    touch(hand, [[(x - 20 - 8 * step, y), (x + 20 + 8 * step, y)] for step in range(10)])
    slide.settle()

    assert power(slide) > 1.5 * before
    here, near = slide.patch(), power(slide)
    touch(hand, [[(x - 6 * step, y - 4 * step)] for step in range(12)])
    slide.settle()
    assert not np.array_equal(slide.patch(), here)
    assert power(slide) == near
    room.close()


def power(slide: SlideRoom) -> float:
    """Return how much is magnified, as it is told."""
    return float(slide.text(re.compile(r"^[\d,]+x$")).inner_text().removesuffix("x").replace(",", "."))


def touch(hand: CDPSession, steps: list[list[tuple[float, float]]]) -> None:
    """Put fingers down at the first places, move them through the others, and take them up."""
    for number, fingers in enumerate(steps):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if number else "touchStart", "touchPoints": points})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_the_strip_shows_every_slide_of_the_case_and_opens_the_one_that_is_chosen(slide: SlideRoom):
    strip = slide.page.get_by_role("navigation", name="Các chuỗi ảnh")
    expect(strip.get_by_role("button")).to_have_count(3)
    expect(strip.locator("canvas:visible")).to_have_count(3, timeout=PATIENCE_MS)

    strip.get_by_role("button", name=re.compile("Ki-67")).click()
    expect(slide.text("A1 Ki-67")).to_be_visible()
    slide.settle()

    slide.press("[")
    expect(slide.text("A1 H&E")).to_be_visible()


def test_a_slide_is_called_by_its_glass_where_somebody_said_which_it_is(slide: SlideRoom, artifacts: Path):
    name = "K26-147 A1 · Dạ dày · PAS"
    strip = slide.page.get_by_role("navigation", name="Các chuỗi ảnh")
    expect(strip.get_by_role("button")).to_contain_text(["A1 H&E", "A1 Ki-67", name])

    slide.page.get_by_role("button", name="Xem cạnh nhau").click()
    expect(slide.page.get_by_role("menuitem", name=name)).to_be_visible()
    slide.page.keyboard.press("Escape")
    strip.get_by_role("button", name=re.compile("PAS")).click()
    expect(slide.text(name)).to_be_visible()
    slide.settle()
    slide.page.screenshot(path=artifacts / "slide-names.png")
