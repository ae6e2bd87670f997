"""The page of displays: a pattern of exact pixels, a register with checks, and one line below every screen."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.axe import found_in_the_way
from tests.browser.conftest import Demo
from tests.browser.room import LOOKS, PASSWORD, Room
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]
LEVELS = """() => {
  const {width, height} = document.querySelector("dialog canvas, [role=dialog] canvas");
  const {data} = document.querySelector("[role=dialog] canvas").getContext("2d").getImageData(0, 0, width, height);
  return [width, height, Array.from({length: width}, (_, x) => data[(Math.floor(height / 2) * width + x) * 4])];
}"""


def standing(room: Room, what: str):
    return room.page.locator(f"footer [data-standing={what}]")


def open_page(room: Room) -> None:
    room.page.get_by_role("button", name="Tài khoản").click()
    room.page.get_by_role("menuitem", name="Màn hình, hình kiểm").click()
    expect(room.page.get_by_role("heading", name="Màn hình và kiểm chuẩn")).to_be_visible()


def test_the_pattern_is_on_the_screen_pixel_for_pixel(reader: Room):
    open_page(reader)
    reader.page.get_by_role("button", name="Mở hình kiểm").click()
    dialog = reader.page.get_by_role("dialog", name="Hình kiểm")
    expect(dialog).to_be_visible()
    reader.page.wait_for_function("() => document.querySelector('[role=dialog] canvas').width > 300")

    width, height, levels = reader.page.evaluate(LEVELS)

    shown = np.asarray(Image.open(io.BytesIO(reader.page.screenshot())).convert("L"))
    assert shown.shape == (height, width)
    assert shown[height // 2].tolist() == levels
    assert {0, 128, 255} <= set(levels)
    reader.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_display_that_was_checked_is_said_so_below_every_screen_after_a_reload_too(reader: Room):
    expect(standing(reader, "unchecked")).to_have_text("Màn hình chưa kiểm chuẩn.")
    open_page(reader)
    reader.page.get_by_label("Tên màn hình").fill("EIZO 1")
    reader.page.get_by_role("button", name="Đăng ký màn hình").click()
    reader.page.get_by_label("Người kiểm").fill("KTV Minh")
    reader.page.get_by_role("button", name="Ghi lần kiểm").click()

    expect(standing(reader, "checked")).to_contain_text("EIZO 1")
    reader.page.reload()
    expect(standing(reader, "checked")).to_contain_text("EIZO 1")
    reader.page.get_by_role("button", name="Về danh sách").click()
    reader.rows().first.click()
    reader.wait_for_picture()
    expect(standing(reader, "checked")).to_be_visible()
    reader.press("q")
    open_page(reader)
    reader.page.get_by_label("Kết quả").select_option("failed")
    reader.page.get_by_label("Người kiểm").fill("KTV Minh")
    reader.page.get_by_role("button", name="Ghi lần kiểm").click()
    expect(standing(reader, "failed")).to_be_visible()
    rows = reader.page.get_by_role("region", name="Các lần kiểm đã ghi").locator("tbody tr")
    expect(rows).to_have_text([re.compile("Không đạtKTV Minh"), re.compile("ĐạtKTV Minh")])
    # Only who looks after the node retires displays.
    expect(reader.page.get_by_role("button", name="Ngừng dùng")).to_have_count(0)
    reader.page.get_by_label("Vạch đo được, mm").fill("200")
    expect(reader.page.get_by_text("Một điểm ảnh 0,250 mm")).to_be_visible()


def test_who_looks_after_the_node_retires_a_display_and_its_checks_stay_in_sight(
    browser_without_webgl: Browser, built: Path, tmp_path: Path
):
    node = NodeProcess(tmp_path / "node", HUB).start()
    try:
        node.add_user("quan.tri", "admin", PASSWORD)
        room = Room.open(browser_without_webgl, node.url)
        room.sign_in("quan.tri", PASSWORD)
        open_page(room)
        room.page.get_by_label("Tên màn hình").fill("EIZO 2")
        room.page.get_by_role("button", name="Đăng ký màn hình").click()
        room.page.get_by_label("Người kiểm").fill("KTV Minh")
        room.page.get_by_role("button", name="Ghi lần kiểm").click()
        expect(standing(room, "checked")).to_be_visible()

        room.page.get_by_role("button", name="Ngừng dùng").click()

        expect(standing(room, "unchecked")).to_be_visible()
        room.page.get_by_text(re.compile("EIZO 2 · ngừng dùng ngày")).click()
        expect(room.page.get_by_role("region", name="Các lần kiểm đã ghi").locator("tbody tr")).to_have_count(1)
        room.close()
    finally:
        node.stop()


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS)
def test_the_page_is_clear_of_everything(
    browser_without_webgl: Browser, demo: Demo, artifacts: Path, width, size, language, scheme
):
    room = Room.open(browser_without_webgl, demo.url, size=size, language=language, scheme=scheme)
    room.sign_in(demo.account, demo.password)
    room.page.goto(demo.url + "/display")
    expect(room.page.locator("h1")).to_be_visible()

    assert found_in_the_way(room, artifacts / f"display-{width}-{language}-{scheme}.png") == []
    if (width, language) == ("laptop", "vi"):
        room.page.get_by_role("button", name="Mở hình kiểm").click()
        room.page.wait_for_function("() => document.querySelector('[role=dialog] canvas').width > 300")
        room.page.screenshot(path=artifacts / "display-pattern.png")
    room.close()
