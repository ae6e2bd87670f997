"""What a reader leaves behind in a study of images: marks that are saved, and are there again exactly."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demo
from tests.browser.room import PATIENCE_MS, Room
from tests.browser.test_reading_room import open_ct

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]
SAVE = "Lưu số đo vào ca"


@pytest.fixture
def another(browser_without_webgl: Browser, demo: Demo) -> Iterator[Room]:
    """Another browser of the same reader."""
    room = Room.open(browser_without_webgl, demo.url)
    room.sign_in(demo.account, demo.password)
    yield room
    room.close()


def save(room: Room) -> None:
    button = room.page.get_by_role("button", name=SAVE)
    expect(button).to_be_enabled()
    with room.page.expect_response(lambda answer: answer.request.method == "POST" and "/marks" in answer.url) as saved:
        button.click()
    assert saved.value.ok
    expect(button).to_be_disabled()


def open_same(room: Room, other: Room) -> None:
    """Open the study that another browser has open: saving may change the worklist's order."""
    room.page.goto(other.page.url)
    room.wait_for_picture()


def draw(room: Room, key: str, start: tuple[int, int], by: tuple[int, int]) -> None:
    """Draw with a tool from a place that is told from the picture's middle, where no other mark is taken hold of."""
    room.press(key)
    x, y = room.middle()
    room.page.mouse.move(x + start[0], y + start[1], steps=3)
    room.page.mouse.down()
    room.page.mouse.move(x + start[0] + by[0], y + start[1] + by[1], steps=8)
    room.page.mouse.up()
    room.settle()


def saved_marks(room: Room) -> list[dict]:
    study = room.dicomweb().rsplit("/", 1)[1]
    site = room.dicomweb().split("/")[2]
    return room.get(f"/api/studies/{study}/marks?site={site}", "application/json").json()["marks"]


def clear_all(room: Room) -> None:
    """Leave the study without marks, whatever another test left."""
    rows = room.page.get_by_role("complementary").get_by_role("button", name="Xoá dấu")
    expect(room.page.get_by_role("button", name=SAVE)).to_be_visible()
    if saved_marks(room):
        expect(rows.first).to_be_visible()
        while rows.count():
            rows.first.click()
        save(room)


def test_marks_are_saved_and_are_there_again_to_the_pixel_in_another_browser(reader: Room, another: Room):
    open_ct(reader)
    reader.press(",")
    clear_all(reader)
    draw(reader, "l", (-200, -100), (90, 50))
    draw(reader, "e", (-100, 100), (40, 25))
    draw(reader, "x", (-220, 60), (50, 40))
    draw(reader, "v", (40, -120), (50, 40))
    drawn = sorted(reader.marks())

    save(reader)

    kept = saved_marks(reader)
    assert sorted(one["kind"] for one in kept) == ["ellipse", "freehand", "length", "rectangle"]
    open_same(another, reader)
    expect(another.page.locator("[data-backend] svg text").first).to_be_visible(timeout=PATIENCE_MS)
    another.settle()
    assert sorted(another.marks()) == drawn
    another.press(",")
    expect(another.page.get_by_role("button", name=SAVE)).to_be_disabled()  # what was opened is not a change
    another.page.get_by_role("complementary").get_by_role("button", name="Xoá dấu").first.click()
    save(another)
    assert len(saved_marks(another)) == len(kept) - 1
    assert all(one in kept for one in saved_marks(another))  # and none of the others moved


def test_who_saves_after_another_is_told_and_keeps_what_they_drew(reader: Room, another: Room):
    open_ct(reader)
    open_same(another, reader)
    for room in (reader, another):
        room.press(",")
        expect(room.page.get_by_role("button", name=SAVE)).to_be_disabled()
        draw(room, "l", (-200, 80 if room is reader else -120), (60, 10))
    before = len(saved_marks(reader))
    save(reader)

    another.page.get_by_role("button", name=SAVE).click()
    expect(another.page.get_by_role("alert")).to_contain_text("Người khác vừa lưu trước")
    another.page.get_by_role("button", name="Mở lại").click()
    expect(another.page.get_by_role("alert")).to_have_count(0)
    save(another)

    assert len(saved_marks(another)) == before + 2


def test_leaving_with_marks_that_are_not_saved_asks_first(reader: Room):
    open_ct(reader)
    draw(reader, "l", (-150, 150), (70, 20))

    reader.press("q")

    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Ở lại").click()
    expect(dialog).to_have_count(0)
    assert len(reader.marks()) >= 1
    where = reader.page.url
    reader.press("F9")
    expect(dialog).to_be_visible()
    reader.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    reader.page.go_back()
    expect(dialog).to_be_visible()
    expect(reader.page).to_have_url(where)
    dialog.get_by_role("button", name=re.compile("Bỏ")).click()
    expect(reader.page.locator("main#list")).to_be_visible()


def test_a_mark_in_the_list_leads_to_its_slice(reader: Room):
    open_ct(reader)
    reader.press(",")
    clear_all(reader)
    reader.press("End")
    last = reader.slice_number()
    draw(reader, "l", (-150, 150), (80, 10))
    reader.press("Home")
    assert reader.slice_number() == 1

    reader.page.get_by_role("complementary").get_by_role("button", name=re.compile("Dài")).click()

    expect(reader.readout("bottomRight")).to_contain_text(f"{last}/")
    reader.press("q")
    reader.page.get_by_role("dialog").get_by_role("button", name=re.compile("Bỏ")).click()


def test_key_images_are_chosen_by_one_key_saved_and_there_in_another_browser(reader: Room, another: Room):
    open_ct(reader)
    reader.press(",")
    panel = reader.page.get_by_role("complementary")
    strip = panel.get_by_role("button", name=re.compile(r"Ảnh chính \d"))
    study, site = reader.dicomweb().rsplit("/", 1)[1], reader.dicomweb().split("/")[2]
    known = reader.get(f"/api/studies/{study}/key-images?site={site}", "application/json").json()["images"]
    expect(strip).to_have_count(len(known))
    reader.press("End")
    last = reader.slice_number()
    if reader.page.get_by_text("★ Ảnh chính").count():  # another test left it
        reader.press("k")
    before = strip.count()

    reader.press("k")

    expect(reader.page.get_by_text("★ Ảnh chính")).to_be_visible()
    expect(strip).to_have_count(before + 1)
    with reader.page.expect_response(
        lambda answer: answer.request.method == "POST" and "/key-images" in answer.url
    ) as told:
        reader.page.keyboard.press("Control+s")
    assert told.value.ok
    open_same(another, reader)
    another.press(",")
    theirs = another.page.get_by_role("complementary").get_by_role("button", name=re.compile(r"Ảnh chính \d"))
    theirs.last.click()
    expect(another.readout("bottomRight")).to_contain_text(f"{last}/")
    expect(another.page.get_by_text("★ Ảnh chính")).to_be_visible()
    another.settle()  # choosing waits for all of the image's pixels
    another.press("k")
    expect(another.page.get_by_text("★ Ảnh chính")).to_have_count(0)
    another.page.get_by_role("complementary").get_by_role("button", name="Lưu ảnh chính vào ca").click()
    expect(theirs).to_have_count(before)


def test_a_structured_report_is_a_page_of_what_it_says(reader: Room):
    open_ct(reader)
    reader.press(",")
    draw(reader, "l", (-150, 150), (70, 20))
    save(reader)
    reader.page.get_by_role("complementary").get_by_role("button", name="Xoá dấu").last.click()
    save(reader)

    reader.page.get_by_role("button", name=re.compile("Measurements")).click()

    page = reader.page.get_by_role("article", name="Báo cáo có cấu trúc")
    expect(page.get_by_role("heading")).to_have_text("Imaging Measurement Report")
    page.get_by_role("combobox").select_option(index=1)
    expect(page).to_contain_text(re.compile(r"Length.*mm"))
