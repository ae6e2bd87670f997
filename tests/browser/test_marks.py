"""Marks say what the stored samples and the image's own millimetres say, in a browser without a graphics card."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.pixels import frame_of_slice, values_of_slice
from tests.browser.room import Room
from tests.browser.test_reading_room import open_ct

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]


def values_of(room: Room) -> tuple[np.ndarray, float]:
    """Return the first slice's Hounsfield units, and the millimetres of a pixel's side."""
    stored, metadata = frame_of_slice(room, 1)
    return values_of_slice(stored, metadata), float(metadata["00280030"]["Value"][0])


def a_click_of_its_own(room: Room, x: float, y: float) -> None:
    """Click later than the renderer waits for the second half of a double click (400 ms)."""
    room.page.mouse.move(x, y, steps=3)
    room.page.wait_for_timeout(500)
    room.page.mouse.click(x, y)
    room.page.wait_for_timeout(500)


def numbers_in(text: str) -> list[float]:
    return [float(one.replace(".", "").replace(",", ".")) for one in re.findall(r"-?\d[\d.]*(?:,\d+)?", text)]


def place_under(room: Room, x: float, y: float, shape: tuple[int, int], zoom: float = 1) -> tuple[float, float]:
    """Return row and column, from the first pixel's corner, under a place of the page; the picture is in the middle."""
    middle_x, middle_y = room.middle()
    return (y - middle_y) / zoom + shape[0] / 2, (x - middle_x) / zoom + shape[1] / 2


def test_a_probe_tells_the_value_of_the_pixel_under_it(reader: Room):
    open_ct(reader)
    values, _ = values_of(reader)
    for key in ("o", "+", "+", "+"):
        reader.press(key)
    reader.press("h")
    x, y = (int(one) for one in reader.middle())
    wide = [(x + right, y + down) for right in range(-220, 220, 7) for down in (-140, -70, 0, 70, 140)]
    places = {at: place_under(reader, *at, values.shape, zoom=1.2**3) for at in wide}
    clear = [at for at, (row, column) in places.items() if 0.3 < row % 1 < 0.7 and 0.3 < column % 1 < 0.7]
    some = clear[:: max(1, len(clear) // 6)]
    assert some

    for at in some:
        a_click_of_its_own(reader, *at)
        reader.settle()
        (text,) = reader.marks()
        row, column = (int(one) for one in places[at])
        assert (numbers_in(text), text[-3:]) == ([values[row, column]], " HU")
        reader.page.get_by_role("button", name="Xoá các số đo").click()


def test_an_ellipse_tells_area_mean_and_deviation(reader: Room):
    open_ct(reader)
    values, spacing_mm = values_of(reader)
    reader.press("o")
    reader.press("e")

    reader.drag((80, 60))

    (text,) = reader.marks()
    area, mean, deviation = numbers_in(text)[:3]
    x, y = reader.middle()
    row, column = place_under(reader, x - 100, y, values.shape)  # it is drawn from its middle
    rows, columns = np.mgrid[0 : values.shape[0], 0 : values.shape[1]] + 0.5
    inside = ((columns - column) / 80) ** 2 + ((rows - row) / 60) ** 2 <= 1
    assert area == pytest.approx(np.pi * 80 * 60 * spacing_mm**2, rel=0.03)
    assert mean == pytest.approx(values[inside].mean(), abs=3)
    assert deviation == pytest.approx(values[inside].std(), rel=0.1)


def test_every_measuring_tool_writes_beside_its_mark(reader: Room):
    open_ct(reader)
    reader.press("o")
    wanted = {
        "b": r"[\d,]+ × [\d,]+ mm",
        "x": r"[\d.,]+ mm²",
        "v": r"[\d.,]+ mm²",
        "a": r"[\d,]+°",
        "g": r"[\d,]+°",
    }
    x, y = reader.middle()

    for key, pattern in wanted.items():
        reader.press(key)
        reader.drag((90, 50))
        if key == "a":
            a_click_of_its_own(reader, x - 20, y - 60)
        if key == "g":
            for place in ((x - 100, y + 80), (x, y + 130)):
                a_click_of_its_own(reader, *place)
        reader.settle()
        assert any(re.search(pattern, text) for text in reader.marks()), (key, reader.marks())
        reader.page.get_by_role("button", name="Xoá các số đo").click()
        reader.settle()


def test_an_arrow_has_the_words_that_were_asked_for(reader: Room):
    open_ct(reader)
    reader.press("n")
    reader.drag((80, 40))
    dialog = reader.page.get_by_role("dialog")
    expect(dialog).to_be_visible()

    reader.page.keyboard.type("ổ máu tụ")
    dialog.get_by_role("button", name="Ghi").click()

    expect(dialog).to_have_count(0)
    reader.settle()
    assert reader.marks() == ["ổ máu tụ"]


def test_a_picture_that_is_turned_or_mirrored_says_where_the_patient_s_sides_are(reader: Room):
    open_ct(reader)
    before = reader.grey()
    edges = reader.page.locator("[class*=edges] span")
    assert edges.all_inner_texts() == ["A", "L", "P", "R"]

    reader.press("j")
    assert edges.all_inner_texts() == ["A", "R", "P", "L"]
    assert np.abs(reader.grey()[:, ::-1].astype(int) - before).mean() < 2
    reader.press("j")
    reader.press("]")
    assert edges.all_inner_texts() == ["R", "A", "L", "P"]
    reader.press("r")

    assert edges.all_inner_texts() == ["A", "L", "P", "R"]
    assert np.array_equal(reader.grey(), before)


def test_the_magnifier_shows_the_place_under_it_larger(reader: Room):
    open_ct(reader)
    reader.press("m")
    x, y = reader.middle()

    reader.page.mouse.move(x - 60, y - 30)
    reader.page.mouse.down()
    reader.page.mouse.move(x - 20, y + 10, steps=6)
    expect(reader.page.locator(".magnifyTool canvas")).to_be_visible()
    reader.page.mouse.up()

    expect(reader.page.locator(".magnifyTool")).to_have_count(0)
