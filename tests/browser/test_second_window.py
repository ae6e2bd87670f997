"""One reading in two windows: the same study, scrolled together, the same marks, and one end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.axe import found_in_the_way
from tests.browser.room import PASSWORD, Room
from tests.browser.test_findings import draw
from tests.browser.test_hanging import CHEST, NECK, a_series
from tests.support.nodes import HUB, NodeProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

OPEN = "Mở ở cửa sổ thứ hai"
TWO_SCREENS = """
  const here = { availLeft: 0, availTop: 0, availWidth: 1366, availHeight: 768 };
  const there = { availLeft: 1366, availTop: 10, availWidth: 2048, availHeight: 1536 };
  window.getScreenDetails = async () => ({ screens: [here, there], currentScreen: here });
  const open = window.open.bind(window);
  window.open = (address, name, features) => { window.asked = features; return open(address, name, features); };
"""


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with two studies: one of two series, and one of one."""
    node = NodeProcess(tmp_path_factory.mktemp("second"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    chest = [*a_series("two", 1, "Trung that", CHEST, "20261120"), *a_series("two", 2, "Phoi", CHEST, "20261120")]
    node.store([*a_series("other", 1, "5 mm", NECK, "20261119"), *chest])
    yield node
    node.stop()


class Second(Room):
    """The second window: another page of the same browser."""

    def __init__(self, room: Room, page: Page) -> None:
        self.context, self.base_url, self.page, self.faults = room.context, room.base_url, page, room.faults
        page.on("pageerror", lambda error: self.faults.append(f"threw {error}"))


Opening = Callable[..., Room]


@pytest.fixture
def opening(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Opening]:
    """What opens a reader's room on the study of the chest; `script` is there before the page's own."""
    rooms: list[Room] = []

    def opened(script: str = "") -> Room:
        room = Room.open(browser_without_webgl, hub.url, drafts=True)
        rooms.append(room)
        if script:
            room.context.add_init_script(script)
            room.page.reload()
        room.sign_in("bs.lan", PASSWORD)
        room.open_study("20/11/2026")
        return room

    yield opened
    for room in rooms:
        room.close()


@contextmanager
def in_two_windows(room: Room) -> Iterator[Second]:
    with room.context.expect_page() as opened:
        room.page.get_by_role("button", name=OPEN).click()
    second = Second(room, opened.value)
    second.wait_for_picture()
    yield second


def closes(room: Room, second: Second) -> None:
    """Wait until the second window is gone; what a browser tells is heard while it is asked something."""
    wait_until(lambda: room.page.evaluate("true") and second.page.is_closed(), what="the second window closes")


def address(room: Room) -> str:
    return str(room.page.evaluate("location.href"))


def at(room: Room, number: int) -> None:
    expect(room.readout("bottomRight")).to_contain_text(f"{number}/3")


def lengths(room: Room) -> Locator:
    return room.page.locator("[data-backend] svg text").filter(has_text="mm")


def test_both_windows_are_scrolled_together_until_that_is_switched_off(opening: Opening):
    room = opening()
    with in_two_windows(room) as second:
        room.press("ArrowDown")
        at(second, 2)
        second.press("End")
        at(room, 3)

        second.press("y")
        room.press("Home")
        at(room, 1)
        second.press("ArrowUp")
        at(second, 2)
        at(room, 1)


def test_what_is_drawn_in_one_window_is_in_the_other_and_saved_once(opening: Opening, artifacts: Path):
    room = opening()
    room.press(",")
    with in_two_windows(room) as second:
        draw(room, "l", (-150, -100), (120, 0))
        expect(lengths(second)).to_have_count(1)
        draw(second, "l", (-150, 100), (150, 0))
        expect(lengths(room)).to_have_count(2)
        second.press("k")
        expect(room.page.get_by_text("★ Ảnh chính")).to_be_visible()

        second.press(",")
        save = second.page.get_by_role("button", name="Lưu số đo vào ca")
        save.click()
        expect(save).to_be_disabled()
        expect(room.page.get_by_role("button", name="Lưu số đo vào ca")).to_be_disabled()
        room.page.get_by_role("button", name="Xoá dấu").first.click()
        expect(lengths(second)).to_have_count(1)
        assert found_in_the_way(second, artifacts / "second-window-laptop-vi-dark.png") == []
        for one in (room, second):
            expect(one.page.get_by_role("alert")).to_have_count(0)

        again = room.page.get_by_role("button", name="Lưu số đo vào ca")
        again.click()
        expect(again).to_be_disabled()
        expect(save).to_be_disabled()
        room.page.get_by_role("button", name="Lưu ảnh chính vào ca").click()
        expect(second.page.get_by_role("button", name="Lưu ảnh chính vào ca")).to_be_disabled()


def test_the_second_window_shows_the_next_case_with_the_room_and_closes_with_it(opening: Opening):
    room = opening()
    with in_two_windows(room) as second:
        before = address(second)

        second.press("F9")

        expect(room.readout("topLeft")).to_contain_text("5 mm")
        wait_until(lambda: address(second) == address(room) != before, what="both windows are at the next case")
        second.wait_for_picture()
        room.press("q")
        expect(room.page.locator("main#list")).to_be_visible()
        closes(room, second)


def test_the_second_window_outlives_a_reload_of_the_room_but_not_its_leaving(opening: Opening):
    room = opening()
    with in_two_windows(room) as second:
        second.page.clock.install()
        room.page.reload()
        room.wait_for_picture()
        second.page.clock.fast_forward(60_000)

        room.press("ArrowDown")
        at(room, 2)
        at(second, 2)

        room.page.goto(room.base_url + "/api/node")
        second.page.clock.fast_forward(60_000)
        closes(room, second)


def test_the_second_window_closes_by_its_own_way_back_and_opens_again(opening: Opening):
    room = opening()
    with in_two_windows(room) as second:
        with suppress(PlaywrightError):  # the page goes before the key does
            second.page.keyboard.press("q")
        closes(room, second)

    with in_two_windows(room) as second:
        room.press("ArrowDown")
        at(second, 2)


def test_when_the_session_ends_both_windows_end(opening: Opening):
    room = opening()
    with in_two_windows(room) as second:
        room.context.clear_cookies()

        expect(room.page.locator("input[name=password]")).to_be_visible()
        closes(room, second)


def test_it_opens_on_the_other_screen_where_the_browser_knows_one(opening: Opening):
    room = opening(TWO_SCREENS)

    with in_two_windows(room):
        asked = room.page.evaluate("() => window.asked")

    assert asked == "popup,left=1366,top=10,width=2048,height=1536"


def test_a_browser_that_lets_no_window_open_says_so(opening: Opening):
    room = opening("window.open = () => null;")

    room.press("W")

    expect(room.page.get_by_role("alert")).to_contain_text("Trình duyệt đã chặn cửa sổ thứ hai")


@pytest.fixture
def listing(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """A reader at the worklist who has studies opened in a window of their own."""
    room = Room.open(browser_without_webgl, hub.url, drafts=True)
    room.sign_in("bs.lan", PASSWORD)
    room.page.get_by_role("button", name="Tài khoản").click()
    room.page.get_by_role("menuitemcheckbox", name="Mở ca ở cửa sổ ảnh riêng").click()
    room.page.keyboard.press("Escape")
    yield room
    room.close()


def test_the_list_stays_on_one_screen_while_its_studies_are_opened_on_another(listing: Room):
    with listing.context.expect_page() as opened:
        listing.rows("20/11/2026").first.click()
    images = Second(listing, opened.value)
    images.wait_for_picture()
    expect(images.page.get_by_text("20/11/2026")).to_be_visible()
    expect(listing.page.locator("main#list")).to_be_visible()

    listing.rows("19/11/2026").first.click()
    expect(images.page.get_by_text("19/11/2026")).to_be_visible()
    images.wait_for_picture()
    images.press("F8")
    expect(images.page.get_by_text("20/11/2026")).to_be_visible()
    assert len(listing.context.pages) == 2

    images.wait_for_picture()
    draw(images, "l", (-150, 60), (80, 0))
    listing.rows("19/11/2026").first.click()
    question = images.page.get_by_role("dialog")
    expect(question).to_be_visible()
    question.get_by_role("button", name="Bỏ dấu rồi đi").click()
    expect(images.page.get_by_text("19/11/2026")).to_be_visible()

    listing.page.get_by_role("button", name="Tài khoản").click()
    listing.page.get_by_role("menuitem", name="Đăng xuất").click()
    expect(listing.page.locator("input[name=password]")).to_be_visible()
    closes(listing, images)
