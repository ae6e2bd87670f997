"""A study is hung as it is opened: which series stand where, with which window, beside which other study."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import PASSWORD, PHONE, Room
from tests.support.builders import a_ct, a_uid, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

PERSON = {"PatientID": "BN-78", "PatientName": "Đỗ^Văn Hùng"}
SLICES = 3
CHEST = ("CHEST", "CT nguc")
NECK = ("NECK", "CT co")


def a_series(seed: str, number: int, description: str, study: tuple[str, str], date: str) -> list[bytes]:
    files = []
    for instance in range(1, SLICES + 1):
        ds = a_ct(seed=seed, instance=instance, **PERSON, StudyDate=date)
        ds.BodyPartExamined, ds.StudyDescription = study
        with_pixels(ds, np.full((64, 64), 1000 + 10 * instance, "<i2"))
        ds.SeriesInstanceUID, ds.SeriesNumber = a_uid(seed, "series", number), number
        ds.SOPInstanceUID = a_uid(seed, "instance", number, instance)
        ds.ImagePositionPatient = ["0", "0", str(5 * instance)]
        ds.SeriesDescription = description
        files.append(as_file(ds))
    return files


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub where one person has a CT of the chest, and a CT of the neck now and another year."""
    node = NodeProcess(tmp_path_factory.mktemp("hanging"), HUB)
    node.start()
    for name in ("bs.lan", "bs.minh"):
        node.add_user(name, "reader", PASSWORD)
    node.store(
        [
            *a_series("chest", 1, "Trung that 5 mm", CHEST, "20261120"),
            *a_series("chest", 2, "Phoi 1 mm", CHEST, "20261120"),
            *a_series("neck", 1, "5 mm", NECK, "20261121"),
            *a_series("then", 1, "5 mm", NECK, "20240105"),
        ]
    )
    yield node
    node.stop()


def opened(browser: Browser, hub: NodeProcess, account: str) -> Room:
    """Return a reader before the worklist, for whom studies are hung."""
    room = Room.open(browser, hub.url, hanging=True)
    room.sign_in(account, PASSWORD)
    return room


@pytest.fixture
def room(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    reader = opened(browser_without_webgl, hub, "bs.lan")
    yield reader
    reader.close()


@pytest.fixture
def another(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """One who keeps a way of one's own."""
    reader = opened(browser_without_webgl, hub, "bs.minh")
    yield reader
    reader.close()


def panes(room: Room) -> Locator:
    return room.page.locator("main section:has([data-backend])")


def shows(room: Room, number: int, *texts: str) -> None:
    for text in texts:
        expect(panes(room).nth(number)).to_contain_text(text)


def test_a_chest_opens_with_lungs_and_mediastinum_each_in_its_window(room: Room, artifacts: Path):
    room.rows("20/11/2026").first.click()

    shows(room, 0, "Phoi 1 mm", "W 1.500 · L -600")
    shows(room, 1, "Trung that 5 mm", "W 350 · L 50")
    expect(panes(room)).to_have_count(2)
    room.page.get_by_role("button", name="Bố cục, so sánh").click()
    expect(room.page.get_by_role("menuitem", name="CT ngực: phổi, trung thất")).to_have_attribute(
        "aria-current", "true"
    )
    assert found_in_the_way(room, artifacts / "hanging-laptop-vi-dark.png") == []


def test_on_a_phone_the_first_of_them_stands_there_in_the_same_window(browser_without_webgl: Browser, hub: NodeProcess):
    room = Room.open(browser_without_webgl, hub.url, size=PHONE, hanging=True)
    room.sign_in("bs.lan", PASSWORD)

    room.rows("20/11/2026").first.click()

    shows(room, 0, "Phoi 1 mm", "W 1.500 · L -600")
    expect(panes(room)).to_have_count(1)
    room.close()


def test_an_earlier_study_of_the_same_region_stands_beside_this_one(room: Room):
    room.rows("21/11/2026").first.click()

    shows(room, 0, "Lát 1/3")
    shows(room, 1, "Ca ngày 05/01/2024", "Lát 1/3")


def test_a_key_goes_on_to_the_next_way_and_what_is_kept_comes_again(another: Room):
    another.rows("20/11/2026").first.click()
    shows(another, 1, "W 350 · L 50")

    another.page.keyboard.press("Shift+D")
    expect(panes(another)).to_have_count(1)
    another.page.get_by_role("button", name="Bố cục, so sánh").click()
    another.page.get_by_role("menuitemcheckbox", name="Luôn bày thế này cho CT ngực").click()
    another.page.reload()

    shows(another, 0, "Lát 1/3")
    another.page.get_by_role("button", name="Bố cục, so sánh").click()
    expect(another.page.get_by_role("menuitem", name="Một ô")).to_have_attribute("aria-current", "true")
    expect(panes(another)).to_have_count(1)
