"""The line drops while somebody reads: the room says so and goes on with what is loaded, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import PASSWORD, Room
from tests.browser.test_hanging import CHEST, SLICES, a_series
from tests.support.nodes import HUB, NodeProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with one study."""
    node = NodeProcess(tmp_path_factory.mktemp("offline"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store(a_series("offline", 1, "5 mm", CHEST, "20261120"))
    yield node
    node.stop()


@pytest.fixture
def reading(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """A reader who has looked at every slice once."""
    room = Room.open(browser_without_webgl, hub.url)
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("20/11/2026")
    for _ in range(SLICES - 1):
        room.press("ArrowDown")
    yield room
    room.close()


def test_without_a_line_slices_are_read_and_measured_and_what_was_drawn_is_saved_afterwards(
    reading: Room, artifacts: Path
):
    alert = reading.page.get_by_role("alert").filter(has_text="Mất kết nối")

    reading.context.set_offline(True)
    expect(alert).to_be_visible()
    reading.press("Home")
    expect(reading.readout("bottomRight")).to_contain_text(f"1/{SLICES}")
    reading.press("l")
    reading.drag((120, 0))
    expect(reading.page.locator("[data-backend] svg text").first).to_be_attached()
    reading.press("k")
    reading.page.keyboard.press("Control+s")
    expect(reading.page.get_by_text("Không tới được máy chủ")).to_have_count(2)  # the mark, and the key image
    assert found_in_the_way(reading, artifacts / "offline-laptop-vi-dark.png") == []

    reading.context.set_offline(False)
    expect(reading.page.get_by_role("alert")).to_have_count(0)
    picture = reading.page.get_by_role("img", name="Ảnh chính 1")
    wait_until(lambda: picture.evaluate("picture => picture.naturalWidth > 0"), what="the key image is shown")
    with reading.page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/marks")) as saved:
        reading.page.get_by_role("button", name="Lưu số đo vào ca").click()
    assert saved.value.ok
    assert len(saved.value.json()["marks"]) == 1


def test_a_line_that_leads_nowhere_is_told_too(reading: Room):
    alert = reading.page.get_by_role("alert").filter(has_text="Mất kết nối")

    def broken(route: Route) -> None:
        route.abort("connectionrefused")

    reading.page.route("**/api/studies/**", broken)
    expect(alert).to_be_visible()
    reading.page.unroute("**/api/studies/**", broken)
    expect(alert).to_have_count(0)
