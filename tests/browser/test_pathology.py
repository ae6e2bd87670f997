"""Beside a slide in Chromium: form 25/BV2, and a reader's validation record with its banner."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LOOKS, PASSWORD, Language, Room, Scheme
from tests.support.nodes import HUB, NodeProcess
from tests.wsi.dicom_builders import a_volume

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

BANNER = "Bạn chưa có hồ sơ thẩm định đọc tiêu bản trên màn hình."


@pytest.fixture(scope="module")
def node(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with a slide and three readers."""
    node = NodeProcess(tmp_path_factory.mktemp("pathology"), HUB).start()
    for name in ("bs.lan", "bs.minh", "bs.hoa"):
        node.add_user(name, "reader", PASSWORD)
    node.store([a_volume(600, 400, 200)])
    yield node
    node.stop()


def opened(browser: Browser, node: NodeProcess, account: str, **how: object) -> Room:
    """Open the slide as a reader."""
    room = Room.open(browser, node.url, **how)  # type: ignore[arg-type] - of Room.open's own
    room.sign_in(account, PASSWORD)
    room.rows().first.click()
    expect(room.page.locator("[data-settled=true]")).to_have_count(1)
    return room


def test_a_reader_without_a_validation_record_is_told_and_puts_the_first_case_on_file(
    browser_without_webgl: Browser, node: NodeProcess
):
    room = opened(browser_without_webgl, node, "bs.lan")
    banner = room.page.get_by_text(BANNER)
    expect(banner).to_be_visible()

    room.page.get_by_role("button", name="Xem, ghi ca").click()
    panel = room.page.get_by_role("complementary", name="Thẩm định đọc tiêu bản số")
    panel.get_by_role("button", name="Ghi ca").click()
    expect(panel.get_by_text("Cần điền")).to_have_count(5)
    fill_case(panel, "K26-101", glass_on="01/06/2026", digital_on="20/06/2026")

    expect(panel.get_by_text("Ca tính được: 1 trên 60")).to_be_visible()
    expect(panel.get_by_text("Tương hợp: 100% (cần 95%)")).to_be_visible()
    expect(panel.get_by_role("listitem")).to_have_text(re.compile("K26-101 tương hợp"))
    expect(banner).to_have_count(0)
    fill_case(panel, "K26-101", glass_on="01/06/2026", digital_on="02/06/2026")
    expect(panel.get_by_role("alert")).to_have_text("Ca này đã ghi rồi.")
    room.close()


def fill_case(panel: Locator, number: str, *, glass_on: str, digital_on: str) -> None:
    """Record a concordant case."""
    for name, value in {"number": number, "glass": "Viêm mạn", "digital": "Viêm mạn"}.items():
        panel.locator(f"[name={name}]").fill(value)
    panel.get_by_role("textbox", name="Ngày đọc kính").fill(glass_on)
    panel.get_by_role("textbox", name="Ngày đọc trên màn hình").fill(digital_on)
    panel.get_by_label("Hai chẩn đoán tương hợp").check()
    panel.get_by_role("button", name="Ghi ca").click()


def test_the_banner_can_be_put_away_and_is_back_when_the_case_is_opened_again(
    browser_without_webgl: Browser, node: NodeProcess
):
    room = opened(browser_without_webgl, node, "bs.minh")

    room.page.get_by_role("button", name="Để sau").click()
    expect(room.page.get_by_text(BANNER)).to_have_count(0)
    room.page.keyboard.press("q")
    room.rows().first.click()

    expect(room.page.get_by_text(BANNER)).to_be_visible()
    room.close()


def test_the_form_is_filled_in_beside_the_slide_and_what_somebody_else_saved_is_not_lost(
    browser_without_webgl: Browser, node: NodeProcess
):
    first = opened(browser_without_webgl, node, "bs.lan")
    second = opened(browser_without_webgl, node, "bs.minh")
    form, other = form_of(first), form_of(second)
    expect(form.get_by_text("Chưa ai điền phiếu này.")).to_be_visible()

    form.get_by_label("Vị trí lấy mẫu").fill("Hang vị")
    form.get_by_label("Số block").fill("2")
    form.get_by_role("button", name="Lưu phiếu").click()
    expect(form.get_by_text(re.compile("lưu lúc|bs.lan lưu"))).to_be_visible()

    other.get_by_label("Nhận xét vi thể").fill("Niêm mạc viêm mạn, không loạn sản.")
    other.get_by_role("button", name="Lưu phiếu").click()
    expect(other.get_by_role("alert")).to_contain_text("Người khác vừa lưu phiếu này")
    other.get_by_role("button", name="Lấy bản mới, giữ phần tôi gõ").click()
    expect(other.get_by_label("Vị trí lấy mẫu")).to_have_value("Hang vị")
    expect(other.get_by_label("Nhận xét vi thể")).to_have_value("Niêm mạc viêm mạn, không loạn sản.")
    other.get_by_role("button", name="Lưu phiếu").click()
    expect(other.get_by_text(re.compile("bs.minh lưu"))).to_be_visible()
    first.close()
    second.close()


def test_what_was_typed_into_the_form_is_there_when_it_is_opened_again(
    browser_without_webgl: Browser, node: NodeProcess
):
    room = opened(browser_without_webgl, node, "bs.hoa")
    form = form_of(room)
    form.get_by_label("Bàn luận").fill("Hội chẩn lại")

    form.get_by_role("button", name="Đóng").click()
    room.page.keyboard.press("y")

    expect(form.get_by_label("Bàn luận")).to_have_value("Hội chẩn lại")
    expect(form.get_by_text("Có thay đổi chưa lưu")).to_be_visible()
    room.context.close()  # the browser would ask


def test_who_leaves_the_study_is_asked_about_a_form_that_is_not_saved_open_or_closed(
    browser_without_webgl: Browser, node: NodeProcess
):
    room = opened(browser_without_webgl, node, "bs.hoa")
    form = form_of(room)
    form.get_by_label("Nhận xét đại thể").fill("Hai mảnh mô")
    form.get_by_role("button", name="Đóng").click()

    room.page.keyboard.press("q")

    question = room.page.get_by_role("dialog", name="Phiếu chưa lưu")
    question.get_by_role("button", name="Ở lại").click()
    expect(form_of(room).get_by_label("Nhận xét đại thể")).to_have_value("Hai mảnh mô")
    form.get_by_role("button", name="Đóng").click()
    room.page.keyboard.press("q")
    question.get_by_role("button", name="Lưu rồi đi").click()
    room.rows().first.click()
    expect(room.page.locator("[data-settled=true]")).to_have_count(1)
    expect(form_of(room).get_by_label("Nhận xét đại thể")).to_have_value("Hai mảnh mô")
    expect(form.get_by_text("Có thay đổi chưa lưu")).to_have_count(0)
    room.page.keyboard.press("q")
    expect(room.rows()).to_have_count(1)
    room.close()


def form_of(room: Room) -> Locator:
    """Open the form and return it."""
    room.page.keyboard.press("y")
    form = room.page.get_by_role("complementary", name="Phiếu xét nghiệm giải phẫu bệnh (25/BV2)")
    expect(form.get_by_label("Bàn luận")).to_be_visible()
    return form


@pytest.mark.parametrize(("name", "size", "language", "scheme"), LOOKS)
def test_nothing_of_the_form_or_the_record_is_in_the_way_of_anybody(
    browser_without_webgl: Browser,
    node: NodeProcess,
    tmp_path: Path,
    name: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = opened(browser_without_webgl, node, "bs.minh", size=size, language=language, scheme=scheme)
    for key, words in (("y", "25.BV2"), ("", "Thẩm định|Validation")):
        if key:
            room.page.keyboard.press(key)
        else:
            room.page.get_by_role("button", name=re.compile("Xem, ghi ca|See it, record cases")).click()
        panel = room.page.get_by_role("complementary", name=re.compile(words))
        expect(panel.locator("form")).to_be_visible()
        assert found_in_the_way(room, tmp_path / f"{name}-{language}-{key or 'v'}.png") == []
        panel.get_by_role("button", name=re.compile("Đóng|Close")).click()
    room.close()
