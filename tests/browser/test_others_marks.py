"""What others measured is drawn on their images, with its value and who drew it, listed, hidden, and never changed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LOOKS, Room
from tests.support import read_studies
from tests.support.builders import a_ct, as_file
from tests.support.nodes import HUB, NodeProcess

pytestmark = [
    pytest.mark.browser,
    pytest.mark.peer("chromium"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # highdicom's, about a name of one part
]

PASSWORD = "mat khau dai du"
SIDE = 64
CORNER = -120.0  # where the center of the first pixel is in the patient, x and y

# Whether anything violet is drawn within a screen pixel of a place of the image.
DRAWN_AT = """([column, row]) => {
  const canvas = document.querySelector("canvas[data-others]");
  const {width, height} = document.querySelector("[data-backend] canvas");
  const side = Math.min(width, height) / SIDE;
  const x = Math.round((width - side * SIDE) / 2 + column * side);
  const y = Math.round((height - side * SIDE) / 2 + row * side);
  const {data} = canvas.getContext("2d").getImageData(x - 1, y - 1, 3, 3);
  return [0, 1, 2, 3, 4, 5, 6, 7, 8].some((at) => data[at * 4 + 3] > 100 && data[at * 4 + 2] > data[at * 4 + 1] + 40);
}""".replace("SIDE", str(SIDE))


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with three slices; somebody else measured on the first, in the space of the second, and chose two images."""
    slices = [
        a_ct(seed="others", instance=number, StudyDate="20261111", PatientID="BN-others", PixelSpacing=["1", "1"])
        for number in (1, 2, 3)
    ]
    places = [
        (CORNER + column, CORNER + row, 10.0) for column, row in ((20, 30), (50, 30), (50, 50), (20, 50), (20, 30))
    ]
    documents = [
        read_studies.a_measurement(slices),
        read_studies.a_region_in_space(slices, places),
        read_studies.a_selection(slices),
    ]
    node = NodeProcess(tmp_path_factory.mktemp("others"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store([*map(as_file, slices), *map(read_studies.as_sent, documents)])
    yield node
    node.stop()


def opened(browser: Browser, hub: NodeProcess, **look) -> Room:
    room = Room.open(browser, hub.url, **look)
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("BN-others")
    room.page.get_by_role("button", name=re.compile("^CT ")).first.click()
    room.wait_for_picture()
    return room


@pytest.fixture
def reading(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """A reader before the study's first slice."""
    room = opened(browser_without_webgl, hub)
    yield room
    room.close()


def expect_drawn(room: Room, count: int) -> None:
    expect(room.page.locator(f"canvas[data-others='{count}']").first).to_be_attached()


def others(room: Room) -> Locator:
    return room.page.get_by_role("complementary").get_by_role("region", name="Dấu của tài liệu khác")


def test_a_measurement_is_drawn_where_it_was_made_on_its_own_image_alone(reading: Room):
    expect_drawn(reading, 2)  # a circle and its words

    assert [reading.page.evaluate(DRAWN_AT, place) for place in ((20, 10), (0, 10), (10, 20), (10, 0))] == [True] * 4
    assert not reading.page.evaluate(DRAWN_AT, (10, 10))
    assert reading.marks() == []  # it is nobody's to change here
    reading.press("End")
    expect_drawn(reading, 0)


def test_a_region_in_space_is_drawn_on_the_slice_of_its_plane(reading: Room):
    reading.press("ArrowDown")

    expect_drawn(reading, 2)
    # Places in space are from the middle of a pixel.
    assert reading.page.evaluate(DRAWN_AT, (35.5, 30.5))
    assert reading.page.evaluate(DRAWN_AT, (50.5, 40.5))
    assert not reading.page.evaluate(DRAWN_AT, (35.5, 40.5))


def test_the_list_tells_values_and_author_and_leads_to_the_slice(reading: Room):
    reading.press("End")
    reading.press(",")

    rows = others(reading).get_by_role("button")
    expect(rows).to_have_count(2)
    expect(others(reading)).to_contain_text("Tran Doc")
    rows.filter(has_text="12,5 mm").click()
    expect(reading.readout("bottomRight")).to_contain_text("1/3")
    rows.filter(has_text="400,0 mm²").click()
    expect(reading.readout("bottomRight")).to_contain_text("2/3")


def test_key_images_of_somebody_else_are_listed_and_said_on_the_image(reading: Room):
    expect(reading.page.get_by_text("★ Ảnh chính")).to_be_visible()
    reading.press("End")
    expect(reading.page.get_by_text("★ Ảnh chính")).to_have_count(0)

    reading.press(",")

    strip = reading.page.get_by_role("complementary").get_by_role("button", name=re.compile(r"Ảnh chính \d"))
    expect(strip).to_have_count(2)
    strip.last.click()
    expect(reading.readout("bottomRight")).to_contain_text("2/3")


def test_they_are_hidden_and_shown_with_what_else_lies_over_the_images(reading: Room):
    expect_drawn(reading, 2)

    reading.page.get_by_role("button", name="Lớp phủ").click()
    reading.page.get_by_role("menuitem", name="Dấu của tài liệu khác: đang hiện").click()

    expect_drawn(reading, 0)
    reading.press("Shift+O")  # hides all that is shown, then shows all
    reading.press("Shift+O")
    expect_drawn(reading, 2)


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS)
def test_they_are_clear_of_everything_in_both_languages_and_schemes(
    browser_without_webgl: Browser, hub: NodeProcess, artifacts: Path, width, size, language, scheme
):
    room = opened(browser_without_webgl, hub, size=size, language=language, scheme=scheme)
    expect_drawn(room, 2)
    room.press(",")

    assert found_in_the_way(room, artifacts / f"others-{width}-{language}-{scheme}.png") == []
    room.close()
