"""Pictures side by side: series of one study, and a study of another day, scrolled together."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LAPTOP, PASSWORD, PATIENCE_MS, PHONE, Room
from tests.support.builders import a_ct, a_uid, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

PERSON = {"PatientID": "BN-77", "PatientName": "Lê^Thị Mai"}


def a_series(seed: str, number: int, count: int, step_mm: float, frame: str, **attributes: object) -> list[bytes]:
    """Return axial slices of a study, each with its own number written into its pixels."""
    files = []
    for instance in range(1, count + 1):
        ds = a_ct(seed=seed, instance=instance, **PERSON, **attributes)
        rows, columns = np.mgrid[0:256, 0:256]
        disc = (rows - 128) ** 2 + (columns - 128) ** 2 < (40 + 3 * instance) ** 2
        with_pixels(ds, np.where(disc, 1060, 24).astype("<i2"))
        ds.SeriesInstanceUID, ds.SeriesNumber = a_uid(seed, "series", number), number
        ds.SOPInstanceUID = a_uid(seed, "instance", number, instance)
        ds.FrameOfReferenceUID = a_uid(frame)
        ds.ImagePositionPatient = ["-64", "-64", str(step_mm * (instance - 1))]
        ds.SeriesDescription = f"{step_mm:g} mm"
        files.append(as_file(ds))
    return files


def a_side_view(seed: str, frame: str) -> bytes:
    ds = a_ct(seed=seed, instance=1, **PERSON)
    with_pixels(ds, np.full((256, 256), 1044, "<i2"))
    ds.SeriesInstanceUID, ds.SeriesNumber = a_uid(seed, "series", 3), 3
    ds.SOPInstanceUID = a_uid(seed, "instance", 3, 1)
    ds.FrameOfReferenceUID = a_uid(frame)
    ds.ImageOrientationPatient, ds.ImagePositionPatient = ["0", "1", "0", "0", "0", "-1"], ["0", "-64", "100"]
    ds.SeriesDescription = "sagittal"
    return as_file(ds)


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub where one person has a study of three series, and one of another year."""
    node = NodeProcess(tmp_path_factory.mktemp("layouts"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    parts = [
        *a_series("now", 1, 10, 5, "of now", StudyDate="20261122"),
        *a_series("now", 2, 20, 2.5, "of now", StudyDate="20261122"),
        a_side_view("now", "of now"),
        *a_series("then", 1, 12, 5, "of then", StudyDate="20240105", StudyDescription="CT cu"),
        *a_series("mr", 1, 3, 5, "of mr", StudyDate="20230105", StudyDescription="MR cu", Modality="MR"),
    ]
    node.store(parts)
    yield node
    node.stop()


@pytest.fixture
def reading(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """A reader before the newer study's first picture."""
    room = opened(browser_without_webgl, hub)
    yield room
    room.close()


def opened(browser: Browser, hub: NodeProcess, **look: object) -> Room:
    room = Room.open(browser, hub.url, **look)  # type: ignore[arg-type]
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("22/11/2026")
    return room


def pane(room: Room, number: int) -> Locator:
    return room.page.locator("section[data-active]").nth(number)


def at_slice(room: Room, number: int, text: str) -> None:
    expect(pane(room, number).locator("[class*=bottomRight]")).to_contain_text(text, timeout=PATIENCE_MS)


def test_two_series_side_by_side_show_the_same_place(reading: Room):
    reading.press("d")
    at_slice(reading, 0, "Lát 1/10")
    at_slice(reading, 1, "Lát 1/20")

    for _ in range(3):
        reading.press("ArrowDown")

    at_slice(reading, 0, "Lát 4/10")
    at_slice(reading, 1, "Lát 7/20")
    reading.press("y")
    reading.press("ArrowDown")
    at_slice(reading, 0, "Lát 5/10")
    at_slice(reading, 1, "Lát 7/20")


def test_a_key_goes_to_the_next_picture_and_round(reading: Room):
    reading.press("d")
    at_slice(reading, 1, "Lát 1/20")
    reading.press("y")

    reading.press("Shift+ArrowRight")
    expect(pane(reading, 1)).to_have_attribute("data-active", "true")
    reading.press("ArrowDown")
    at_slice(reading, 1, "Lát 2/20")

    reading.press("Shift+ArrowRight")
    expect(pane(reading, 0)).to_have_attribute("data-active", "true")
    reading.press("ArrowDown")
    at_slice(reading, 0, "Lát 2/10")
    at_slice(reading, 1, "Lát 2/20")


def test_the_picture_that_is_pressed_is_the_one_that_keys_and_the_strip_work_on(reading: Room):
    reading.press("d")
    at_slice(reading, 1, "Lát 1/20")

    pane(reading, 1).locator("[data-backend]").click(position={"x": 200, "y": 300})
    expect(pane(reading, 1)).to_have_attribute("data-active", "true")
    reading.page.get_by_role("button", name="sagittal").click()

    at_slice(reading, 1, "Lát 1/1")
    at_slice(reading, 0, "Lát 1/10")


def test_a_study_of_another_day_is_beside_this_one_says_so_and_follows(reading: Room, artifacts: Path):
    reading.press("PageDown")
    reading.page.get_by_role("button", name="Bố cục, so sánh").click()
    reading.page.get_by_role("menuitem", name="05/01/2024").click()

    expect(pane(reading, 1)).to_contain_text("Ca ngày 05/01/2024")
    at_slice(reading, 1, "Lát 1/12")
    reading.press("ArrowUp")
    reading.press("ArrowUp")
    reading.press("ArrowDown")
    at_slice(reading, 0, "Lát 9/10")
    at_slice(reading, 1, "Lát 1/12")
    assert found_in_the_way(reading, artifacts / "prior-laptop-vi-dark.png") == []


def test_windows_are_those_of_the_other_study_s_modality_and_it_is_not_reconstructed_as_this_one(
    reading: Room, artifacts: Path
):
    lung = reading.page.get_by_role("menuitem", name="Phổi")
    reconstruct = reading.page.get_by_role("button", name="MPR")
    windows = reading.page.get_by_role("button", name="Cửa sổ", exact=True)
    expect(reconstruct).to_be_enabled()
    windows.click()
    expect(lung).to_be_visible()
    reading.press("Escape")
    reading.page.get_by_role("button", name="Bố cục, so sánh").click()
    reading.page.get_by_role("menuitem", name="05/01/2023").click()
    at_slice(reading, 1, "Lát 1/3")

    pane(reading, 1).locator("[data-backend]").click(position={"x": 200, "y": 300})
    expect(pane(reading, 1)).to_have_attribute("data-active", "true")

    expect(reconstruct).to_be_disabled()
    windows.click()
    expect(reading.page.get_by_role("menuitem", name="Toàn dải")).to_be_visible()
    expect(lung).to_have_count(0)
    reading.press("Escape")
    reading.press("Shift+M")
    expect(reading.page.get_by_text("ảnh đang chọn thuộc ca khác")).to_be_visible()
    assert found_in_the_way(reading, artifacts / "prior-not-reconstructed-laptop-vi-dark.png") == []


def test_a_line_shows_where_the_other_picture_cuts_through(reading: Room):
    reading.press("d")
    at_slice(reading, 1, "Lát 1/20")
    lines = reading.page.locator("svg[class*=lines] line")
    expect(lines).to_have_count(0)
    pane(reading, 1).locator("[data-backend]").click(position={"x": 200, "y": 300})
    reading.page.get_by_role("button", name="sagittal").click()

    at_slice(reading, 1, "Lát 1/1")
    expect(lines).to_have_count(2)
    reading.settle()
    before = float(pane(reading, 1).locator("line").get_attribute("y1") or "nan")
    pane(reading, 0).locator("[data-backend]").click(position={"x": 200, "y": 300})
    reading.press("ArrowDown")
    expect(pane(reading, 1).locator("line")).not_to_have_attribute("y1", str(before))
    after = float(pane(reading, 1).locator("line").get_attribute("y1") or "nan")
    assert after < before  # the next slice is 5 mm higher


@pytest.mark.parametrize(("size", "scheme"), [(LAPTOP, "light"), (PHONE, "dark")], ids=["laptop", "phone"])
def test_four_pictures_stand_in_nobody_s_way(
    browser_without_webgl: Browser, hub: NodeProcess, artifacts: Path, size: tuple[int, int], scheme: str
):
    room = opened(browser_without_webgl, hub, size=size, language="en", scheme=scheme)
    room.press("d")
    room.press("d")

    expect(room.page.locator("section[data-active]")).to_have_count(4)
    assert found_in_the_way(room, artifacts / f"four-{size[0]}-en-{scheme}.png") == []
    room.close()
