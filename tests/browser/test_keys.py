"""Keys are a reader's own: changed in the table of keys, kept with the account; one leads to the next case."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import PASSWORD, Room
from tests.browser.test_hanging import CHEST, NECK, a_series
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

LENGTH = re.compile("^Đo độ dài: phím ")


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with two studies and two readers."""
    node = NodeProcess(tmp_path_factory.mktemp("keys"), HUB)
    node.start()
    for name in ("bs.lan", "bs.minh"):
        node.add_user(name, "reader", PASSWORD)
    node.store([*a_series("first", 1, "5 mm", NECK, "20261121"), *a_series("second", 1, "5 mm", CHEST, "20261120")])
    yield node
    node.stop()


def reading(browser: Browser, hub: NodeProcess, account: str) -> Room:
    room = Room.open(browser, hub.url)
    with room.page.expect_response(lambda answer: answer.url.endswith("/api/preferences")):
        room.sign_in(account, PASSWORD)
    room.open_study("20/11/2026")
    return room


def kept(answer: Response) -> bool:
    return answer.url.endswith("/api/preferences") and answer.request.method == "PUT" and answer.ok


def test_a_key_that_was_changed_is_the_reader_s_at_every_computer(
    browser_without_webgl: Browser, hub: NodeProcess, artifacts: Path
):
    room = reading(browser_without_webgl, hub, "bs.lan")
    room.page.keyboard.press("?")
    room.page.get_by_role("button", name=LENGTH).click()
    with room.page.expect_response(kept):
        room.page.keyboard.press("'")
    expect(room.page.get_by_role("button", name=LENGTH)).to_have_text("'")
    assert found_in_the_way(room, artifacts / "keys-laptop-vi-dark.png") == []
    room.close()

    elsewhere = reading(browser_without_webgl, hub, "bs.lan")
    measuring = elsewhere.page.get_by_role("button", name="Đo: Đo độ dài")
    elsewhere.page.keyboard.press("'")
    expect(measuring).to_have_attribute("aria-pressed", "true")
    elsewhere.page.keyboard.press("w")
    expect(measuring).to_have_count(0)
    elsewhere.press("l")
    expect(measuring).to_have_count(0)
    elsewhere.close()


def test_a_key_that_two_things_are_on_is_said_and_the_defaults_come_back(
    browser_without_webgl: Browser, hub: NodeProcess
):
    room = reading(browser_without_webgl, hub, "bs.minh")
    room.page.keyboard.press("?")

    room.page.get_by_role("button", name=LENGTH).click()
    room.page.keyboard.press("3")  # a window
    expect(room.page.get_by_text("trùng phím")).to_have_count(2)
    room.page.get_by_role("button", name=LENGTH).click()
    room.page.keyboard.press("w")
    expect(room.page.get_by_text("trùng phím")).to_have_count(2)
    room.page.get_by_role("button", name="Về mặc định").click()

    expect(room.page.get_by_text("trùng phím")).to_have_count(0)
    expect(room.page.get_by_role("button", name=LENGTH)).to_have_text("L")
    room.close()


def test_the_list_s_keys_are_changed_too_and_those_of_every_room_from_anywhere(
    browser_without_webgl: Browser, hub: NodeProcess
):
    room = Room.open(browser_without_webgl, hub.url)
    room.sign_in("bs.minh", PASSWORD)
    expect(room.rows()).to_have_count(2)
    room.page.keyboard.press("?")
    for what, key in (("Vào ô tìm", "f"), ("Lên, xuống một ca: phím ↓", "j"), ("Mở ca đang chọn", "x")):
        room.page.get_by_role("button", name=re.compile(f"^{what}")).click()
        room.page.keyboard.press(key)
    room.page.get_by_label("Phím ở").select_option("Tiêu bản")
    expect(room.page.get_by_role("button", name=re.compile("^Toàn tiêu bản: phím F"))).to_be_visible()
    room.page.keyboard.press("Escape")
    search = room.page.get_by_role("search").get_by_role("textbox")

    room.page.keyboard.press("/")
    expect(search).not_to_be_focused()
    room.page.keyboard.press("f")
    expect(search).to_be_focused()
    room.page.keyboard.press("Escape")
    for key in ("j", "ArrowDown", "Enter"):
        room.page.keyboard.press(key)
    expect(room.rows().nth(1)).to_have_attribute("aria-selected", "true")
    room.page.keyboard.press("x")

    expect(room.page).to_have_url(re.compile("/study/"))
    room.close()


def test_one_key_leads_to_the_next_case_and_one_back_and_the_list_is_at_its_end(
    browser_without_webgl: Browser, hub: NodeProcess
):
    room = Room.open(browser_without_webgl, hub.url)
    room.sign_in("bs.minh", PASSWORD)
    expect(room.rows()).to_have_count(2)
    room.rows().first.click()
    room.wait_for_picture()
    first = room.page.url

    room.page.keyboard.press("F9")
    expect(room.page).not_to_have_url(first)
    room.wait_for_picture()
    room.page.keyboard.press("M")
    expect(room.page.locator("[data-whole]")).to_be_visible()
    room.page.keyboard.press("F8")
    expect(room.page).to_have_url(first)
    room.wait_for_picture()
    room.page.keyboard.press("F8")
    expect(room.rows()).to_have_count(2)
    room.close()
