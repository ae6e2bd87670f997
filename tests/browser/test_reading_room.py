"""A person reads a study in Chromium: from the door to a length on a slice."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import Demo
from tests.browser.pixels import frame_of_slice, grey_error
from tests.browser.room import PHONE, Room

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

CT = "CT"


def open_ct(room: Room) -> int:
    """Open a CT that is all there and return how many slices it has."""
    room.open_study(CT, r"có đủ (3\d|[67]\d)")
    return room.slices()


def test_a_reader_signs_in_scrolls_the_ct_changes_the_window_and_measures(reader: Room, artifacts: Path):
    count = open_ct(reader)
    assert count > 20
    first = reader.grey()
    assert first.mean() > 3
    assert first.std() > 10

    reader.wheel(5)
    assert reader.slice_number() == 6
    assert np.abs(reader.grey().astype(int) - first).mean() > 0.5

    own = reader.window()
    reader.press("3")
    assert reader.window() == (2000, 400)
    bone = reader.grey()
    reader.drag((60, 40))
    assert reader.window() not in (own, (2000, 400))
    assert not np.array_equal(reader.grey(), bone)

    reader.press("l")
    reader.drag((200, 0))
    assert [re.fullmatch(r"[\d,]+ mm", text) is not None for text in reader.marks()] == [True]
    reader.page.screenshot(path=artifacts / "reading-ct.png")


def test_every_slice_of_the_ct_is_a_picture_of_its_own(reader: Room):
    count = open_ct(reader)

    seen = set()
    for number in range(1, count + 1):
        assert reader.slice_number() == number
        picture = reader.grey()
        assert picture.max() > 40, f"slice {number} is black"
        seen.add(picture.tobytes())
        reader.press("ArrowDown")

    assert len(seen) == count


def test_what_was_chosen_holds_for_the_next_slice_until_it_is_reset(reader: Room):
    open_ct(reader)
    fitted = reader.zoom_percent()

    reader.press("2")
    reader.press("+")
    reader.press("ArrowDown")

    assert reader.window() == (1500, -600)
    assert reader.zoom_percent() > fitted
    reader.press("r")
    assert reader.zoom_percent() == fitted
    assert reader.window() != (1500, -600)


def test_every_window_that_the_image_brings_along_can_be_chosen_by_its_name_and_by_a_key(reader: Room):
    reader.open_study(CT, r"có đủ 36")
    brain, bone = (80, 40), (2800, 600)
    menu = reader.page.get_by_role("button", name="Cửa sổ", exact=True)
    assert reader.window() == brain

    menu.click()
    expect(reader.page.get_by_role("menuitem", name="Mặc định của ảnh: NAO")).to_contain_text("W 80 · L 40")
    reader.page.get_by_role("menuitem", name="XUONG").click()
    reader.settle()
    assert reader.window() == bone

    assert [[reader.press(";"), reader.window()][1] for _ in range(2)] == [brain, bone]
    reader.press("0")
    assert reader.window() == brain
    reader.press("Shift+M")
    expect(reader.page.locator("[data-whole=true]")).to_be_visible()
    reader.press(";")
    expect(reader.page.get_by_text("W 2.800 · L 600").first).to_be_visible()


def test_a_picture_that_was_hidden_is_as_it_was_when_it_is_shown_again(reader: Room):
    open_ct(reader)
    reader.press("+")
    zoom, grey = reader.zoom_percent(), reader.grey()
    display = "display => { document.querySelector('[data-backend]').style.display = display; }"

    reader.page.evaluate(display, "none")
    reader.settle()
    width = reader.page.evaluate("() => document.querySelector('[data-backend] canvas').width")
    reader.page.evaluate(display, "")
    reader.settle()

    assert width > 0  # a canvas of none cannot be read
    assert reader.zoom_percent() == zoom
    assert np.array_equal(reader.grey(), grey)


def test_the_grey_levels_are_those_of_the_standard(reader: Room):
    open_ct(reader)
    reader.press("PageDown")
    reader.press("1")
    reader.press("o")

    assert grey_error(reader, reader.slice_number(), window=(400, 40)) < 1.5


def test_a_length_is_the_number_of_pixels_times_their_spacing(reader: Room):
    open_ct(reader)
    _, metadata = frame_of_slice(reader, 1)
    spacing_mm = float(metadata["00280030"]["Value"][1])
    reader.press("o")
    assert reader.zoom_percent() == 100

    reader.press("l")
    reader.drag((200, 0))

    (text,) = reader.marks()
    assert float(text.removesuffix(" mm").replace(",", ".")) == pytest.approx(200 * spacing_mm, abs=0.6)


def test_the_worklist_puts_the_emergency_first_in_words_and_finds_names_without_accents(reader: Room):
    first = reader.rows().first
    expect(first).to_contain_text("STAT")
    everything = reader.rows().count()

    patient = first.locator("[role=gridcell]").nth(1).locator("span").first.inner_text()
    reader.press("/")
    reader.page.keyboard.type(patient.lower())
    expect(reader.rows()).not_to_have_count(everything)

    expect(reader.rows().first).to_contain_text(patient)
    reader.press("Escape")
    expect(reader.rows()).to_have_count(everything)


def test_the_worklist_is_worked_with_the_keyboard_alone(reader: Room):
    expect(reader.rows().first).to_be_visible()
    reader.press("ArrowDown")
    expect(reader.rows().first).to_have_attribute("aria-selected", "true")
    reader.press("ArrowDown")
    expect(reader.rows().nth(1)).to_have_attribute("aria-selected", "true")
    reader.press("ArrowUp")
    reader.press("Enter")
    reader.wait_for_picture()
    reader.press("q")
    expect(reader.rows().first).to_be_visible()
    expect(reader.rows().first).to_have_attribute("aria-selected", "true")


def test_on_a_phone_the_study_opens_that_is_touched_though_it_stood_below(browser_without_webgl: Browser, demo: Demo):
    room = Room.open(browser_without_webgl, demo.url, size=PHONE)
    room.sign_in(demo.account, demo.password)
    expect(room.rows().nth(2)).to_be_visible()  # the demo's three studies
    lowest = room.rows().last
    patient = lowest.locator("[class*=patient] [class*=main]").inner_text()

    lowest.click()

    expect(room.page).to_have_url(re.compile("/study/"))
    expect(room.page.get_by_text(patient).first).to_be_visible()
    room.close()


def test_pictures_say_whose_they_are_that_they_are_pseudonymised_and_no_diagnosis(reader: Room):
    open_ct(reader)

    expect(reader.page.get_by_role("region", name="Người bệnh")).to_contain_text("Đã ẩn danh")
    expect(reader.page.locator("footer")).to_contain_text("Không dùng thay chẩn đoán chính")


def test_the_journey_of_a_study_is_a_line_of_dots(reader: Room):
    open_ct(reader)

    reader.press("t")

    drawer = reader.page.get_by_role("dialog")
    expect(drawer.locator("li").filter(has_text="Nhận ảnh")).not_to_have_count(0)
    expect(drawer.locator("time").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_a_study_that_grows_while_it_is_read_keeps_slice_window_and_zoom(reader: Room):
    arrived = Arrivals(reader, latest=10)
    open_ct(reader)
    assert reader.slices() == 10
    for key in ("ArrowDown", "ArrowDown", "2", "+"):
        reader.press(key)
    before = reader.grey()

    arrived.everything()

    reader.wait_for_slices_beyond(10)
    assert reader.slice_number() == reader.slices() - 10 + 3
    assert reader.window() == (1500, -600)
    assert np.array_equal(reader.grey(), before)
    reader.press("ArrowUp")
    assert reader.slice_number() == reader.slices() - 10 + 2
    assert not np.array_equal(reader.grey(), before)


def test_an_ultrasound_plays(reader: Room):
    reader.open_study("US")
    expect(reader.readout("topRight")).to_contain_text("Nén mất dữ liệu")
    before = reader.slice_number()

    reader.press("c")

    expect(reader.readout("bottomRight")).not_to_contain_text(f" {before}/", timeout=20_000)
    rate = reader.page.get_by_label("Tốc độ phim")
    expect(rate).to_have_value("30")  # Frame Time 33.3 ms
    reader.page.keyboard.press(">")
    expect(rate).to_have_value("40")


def test_a_wrong_password_says_so_and_lets_nobody_in(room: Room, demo: Demo):
    room.try_to_sign_in(demo.account, "khong phai mat khau")

    expect(room.page.get_by_role("alert")).to_contain_text("không đúng")
    assert room.page.locator("main#list").count() == 0


def test_a_lost_line_is_told_and_reading_goes_on_when_it_is_back(reader: Room):
    count = open_ct(reader)
    reader.press("End")
    reader.context.set_offline(True)
    expect(reader.page.get_by_role("alert").first).to_contain_text("Mất kết nối")
    reader.press("Home")

    reader.context.set_offline(False)

    expect(reader.page.get_by_text("Mất kết nối")).to_have_count(0)
    reader.press("End")
    assert reader.slice_number() == count


def test_the_graphics_card_shows_the_same_picture(browser_with_software_webgl: Browser, reader: Room, demo: Demo):
    open_ct(reader)
    reader.press("1")
    by_cpu = reader.grey().astype(int)
    room = Room.open(browser_with_software_webgl, demo.url, backend="gpu")
    room.sign_in(demo.account, demo.password)
    open_ct(room)
    room.press("1")

    assert room.page.locator("[data-backend=gpu]").count() == 1
    by_gpu = room.grey().astype(int)
    assert by_gpu.shape == by_cpu.shape
    assert np.abs(by_gpu - by_cpu).mean() < 2
    room.close()


# ----------------------------------------------------------------------------------------------------------------------


class Arrivals:
    """Lets only a series' last instances be seen, as if the others were still on their way."""

    def __init__(self, room: Room, latest: int) -> None:
        self.latest: int | None = latest
        room.page.route(re.compile(r"/api/studies/[\d.]+/series"), self._series)
        room.page.route(re.compile(r"/metadata$"), self._metadata)

    def everything(self) -> None:
        self.latest = None

    def _series(self, route: Route) -> None:
        answer = route.fetch()
        series = answer.json()
        for one in series:
            one["instances"] = min(one["instances"], self.latest or one["instances"])
        route.fulfill(response=answer, json=series)

    def _metadata(self, route: Route) -> None:
        answer = route.fetch()
        instances = sorted(answer.json(), key=lambda one: int(one["00200013"]["Value"][0]))
        route.fulfill(response=answer, json=instances[-self.latest :] if self.latest else instances)
