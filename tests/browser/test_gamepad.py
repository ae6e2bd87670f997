"""A gamepad at a slide: sticks move, triggers magnify, buttons are keys that a reader may change like any other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.room import PASSWORD, Room
from tests.browser.test_slides import SlideRoom
from tests.support.nodes import HUB, NodeProcess, wait_until
from tests.wsi.dicom_builders import a_volume

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

# A pad of the standard layout that a test holds: hold({axes: [..], buttons: {7: 1}}).
PAD = """
  window.pad = null;
  window.hold = ({ axes = [], buttons = {} } = {}) => {
    const values = Array.from({ length: 17 }, (_, at) => buttons[at] ?? 0);
    window.pad = {
      connected: true, mapping: "standard", axes: [0, 1, 2, 3].map((at) => axes[at] ?? 0),
      buttons: values.map((value) => ({ value, pressed: value > 0.5 })),
    };
    window.dispatchEvent(new Event("gamepadconnected"));
  };
  navigator.getGamepads = () => [null, window.pad];
"""
LB, RB, A, B, UP, RIGHT_TRIGGER = 4, 5, 0, 1, 12, 7


@pytest.fixture(scope="module")
def node(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with a case of two slides."""
    second = {"SeriesInstanceUID": "1.2.3.1.2", "SOPInstanceUID": "1.2.3.1.2.1", "SeriesDescription": "A1 Ki-67"}
    node = NodeProcess(tmp_path_factory.mktemp("gamepad"), HUB).start()
    node.add_user("bs.lan", "reader", PASSWORD)
    first = a_volume(1500, 1000, 250, SeriesNumber=1, SeriesDescription="A1 H&E")
    node.store([first, a_volume(600, 400, 200, SeriesNumber=2, **second)])
    yield node
    node.stop()


@pytest.fixture
def slide(browser_without_webgl: Browser, node: NodeProcess) -> Iterator[SlideRoom]:
    room = Room.open(browser_without_webgl, node.url)
    room.context.add_init_script(PAD)
    room.page.reload()
    yield SlideRoom(room)
    room.close()


def hold(slide: SlideRoom, axes: tuple[float, ...] = (), **buttons: float) -> None:
    held = {"axes": list(axes), "buttons": {name.removeprefix("b"): value for name, value in buttons.items()}}
    slide.page.evaluate("(held) => window.hold(held)", held)


def push(slide: SlideRoom, button: int) -> None:
    """Press a button and let it go, each seen by the page."""
    for value in (1, 0):
        hold(slide, **{f"b{button}": value})
        slide.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def magnification(slide: SlideRoom) -> float:
    text = slide.page.locator("[class*=overlays]").inner_text()
    found = re.search(r"([\d,.]+)\s*[x×]", text)
    assert found is not None, text
    return float(found[1].replace(",", "."))


def test_sticks_move_and_triggers_magnify(slide: SlideRoom):
    slide.press("0")
    before, power = slide.patch().astype(int), magnification(slide)

    hold(slide, axes=(1, 0))
    wait_until(lambda: bool((slide.patch() != before).any()), what="the slide moves")
    hold(slide)
    slide.settle()
    still = slide.patch()
    slide.settle()
    assert (slide.patch() == still).all()

    hold(slide, b7=1)
    wait_until(lambda: magnification(slide) > power * 1.2, what="it is magnified")
    hold(slide)


def test_buttons_mark_change_the_objective_and_the_slide(slide: SlideRoom):
    push(slide, B)
    marks = slide.page.get_by_role("complementary", name="Dấu vẽ")
    expect(marks).to_be_visible()
    push(slide, A)
    expect(marks.get_by_role("listitem")).to_have_count(1)

    push(slide, UP)
    expect(slide.page.get_by_role("button", name="Xem ở 40x")).to_have_attribute("aria-pressed", "true")

    push(slide, RB)
    dialog = slide.page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("Bỏ")).click()
    expect(slide.page.get_by_role("button", name=re.compile("A1 Ki-67"))).to_have_attribute("aria-current", "true")


def test_a_button_is_changed_in_the_table_of_keys_like_a_key(slide: SlideRoom):
    slide.page.keyboard.press("?")
    dialog = slide.page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("Đánh dấu điểm giữa màn hình.*Pad A")).click()
    push(slide, 11)
    expect(dialog.get_by_role("button", name=re.compile("Đánh dấu điểm giữa màn hình.*Pad RS"))).to_be_visible()
    slide.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    push(slide, A)
    push(slide, B)
    marks = slide.page.get_by_role("complementary", name="Dấu vẽ")
    expect(marks).to_be_visible()
    expect(marks.get_by_role("listitem")).to_have_count(0)
    push(slide, 11)
    expect(marks.get_by_role("listitem")).to_have_count(1)
