"""A person looks at pixels that may name the patient, has them masked, or keeps them: in a real browser, on a site."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from tests.anonymizer.documents import an_encapsulated
from tests.browser.axe import found_in_the_way
from tests.browser.conftest import a_site_that_holds
from tests.browser.room import LAPTOP, LOOKS, PASSWORD, PHONE, Language, Room, Scheme
from tests.support.builders import an_us_cine, as_file, with_pixels
from tests.support.nodes import NodeProcess, wait_until
from tests.support.papers import a_typed_pdf

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

ROWS, COLUMNS, FRAMES = 240, 320, 4
PROPOSED = [4, 8, 20, 150]


def a_cine_with_a_name(seed: str) -> bytes:
    """Return an ultrasound cine with a name in one corner and a date in another."""
    frames = []
    for number in range(FRAMES):
        picture = Image.new("RGB", (COLUMNS, ROWS))
        draw = ImageDraw.Draw(picture)
        draw.pieslice((60, 40, 260, 300), 240, 300, fill=(90, 90 + 20 * number, 100))
        draw.text((10, 6), "NGUYEN THI HOA 1961", fill="white")
        draw.text((210, 222), "22-11-2026 08:14", fill=(70, 70, 70))
        frames.append(np.asarray(picture))
    cine = an_us_cine(seed=seed, frames=FRAMES, ManufacturerModelName="Sono 5")
    with_pixels(cine, np.stack(frames))
    return as_file(cine)


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A site at which three cines wait for a person; one mask is proposed for each."""
    report = a_typed_pdf(["Ho ten: NGUYEN THI HOA 1961", "Gan to, 12 mm"], ["Ket luan: theo doi"])
    parts = [*map(a_cine_with_a_name, ("first", "second", "third")), as_file(an_encapsulated(report))]
    with a_site_that_holds(tmp_path_factory.mktemp("review"), {"chi.mai": "admin"}) as node:
        node.store(parts)
        wait_until(lambda: len(asked(node)) == len(parts), what="the cines' waiting")
        told(node, "UPDATE pixel_review SET proposed = ?", json.dumps([PROPOSED]))
        yield node


def asked(node: NodeProcess) -> list[dict[str, object]]:
    """Return what waits."""
    with node.client() as client:
        return client.get("/api/pixel-reviews").raise_for_status().json()


def told(node: NodeProcess, statement: str, *values: str) -> list[tuple[str, ...]]:
    """Run a statement in the node's database."""
    with sqlite3.connect(node.data / "vienanh.db", timeout=30) as connection:
        return connection.execute(statement, values).fetchall()


def listed(room: Room) -> None:
    """Go from the door to what waits."""
    room.sign_in("chi.mai", PASSWORD)
    room.page.get_by_role("button", name=re.compile("^(Text in pixels|Chữ trên ảnh):")).click()


def opened(room: Room) -> None:
    """Go from the door to the first cine that waits, and wait for its picture."""
    listed(room)
    room.page.locator("ul button").filter(has_text=re.compile("US")).first.click()
    room.page.wait_for_function(
        "([columns, rows]) => [...document.images].some(i => i.naturalWidth === columns && i.naturalHeight === rows)",
        arg=[COLUMNS, ROWS],
    )


@pytest.mark.parametrize(("_name", "size", "language", "scheme"), LOOKS)
def test_a_person_draws_where_a_device_writes_over_one_of_its_pictures(
    browser_without_webgl: Browser,
    site: NodeProcess,
    artifacts: Path,
    _name: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, site.url, size=size, language=language, scheme=scheme)
    listed(room)
    room.page.get_by_role("button", name=re.compile("^(Zones of devices|Vùng chữ của máy)$")).click()
    device = room.page.locator("ul button").filter(has_text="sono 5").first
    expect(device).to_contain_text(re.compile("with a sample|có ảnh mẫu"))
    assert found_in_the_way(room, artifacts / f"zones-list-{size[0]}-{language}-{scheme}.png") == []
    device.click()
    room.page.wait_for_function("columns => [...document.images].some(i => i.naturalWidth === columns)", arg=COLUMNS)
    masks = room.page.locator("rect[data-mask]")
    before = masks.count()
    room.press("n")
    expect(masks).to_have_count(before + 1)
    room.press("Shift+ArrowDown")
    assert found_in_the_way(room, artifacts / f"zones-{size[0]}-{language}-{scheme}.png") == []

    room.page.get_by_role("button", name=re.compile("^(Save|Lưu) ")).click()

    expect(room.page.get_by_role("alert")).to_have_text(re.compile("^(Saved|Đã lưu)"))
    ((boxes, drawn_by),) = told(site, "SELECT boxes, drawn_by FROM drawn_zone")
    assert (len(json.loads(boxes)), drawn_by) == (before + 1, "chi.mai")
    room.close()


def test_a_person_draws_over_a_date_and_sends_the_cine(
    browser_without_webgl: Browser, site: NodeProcess, artifacts: Path
):
    room = Room.open(browser_without_webgl, site.url, size=LAPTOP, language="en", scheme="dark")
    opened(room)
    masks = room.page.locator("rect[data-mask]")
    expect(masks).to_have_count(1)
    area = room.page.locator("svg[role=group]").bounding_box()
    assert area is not None

    def place(row: float, column: float) -> tuple[float, float]:
        return area["x"] + column / COLUMNS * area["width"], area["y"] + row / ROWS * area["height"]

    send = room.page.get_by_role("button", name=re.compile("^Send with"))
    expect(send).to_be_disabled()
    expect(room.page.get_by_text("Before it is sent, look at 1 more picture.")).to_be_visible()
    room.press("PageDown")
    expect(room.page.get_by_role("slider", name="Shown")).to_have_value("2")
    expect(send).to_be_enabled()
    room.press("b")
    expect(room.page.get_by_role("slider", name="Level")).to_have_value("14")
    room.page.mouse.move(*place(218.5, 205.5))
    room.page.mouse.down()
    room.page.mouse.move(*place(236.5, 316.5), steps=4)
    room.page.mouse.up()
    expect(masks).to_have_count(2)
    room.press("n")
    expect(masks).to_have_count(3)
    room.press("Shift+ArrowDown")
    assert found_in_the_way(room, artifacts / "review-laptop-en-dark.png") == []
    room.press("Delete")
    masks.nth(1).click()
    grip = room.page.locator("[data-corner='3']").bounding_box()
    assert grip is not None
    room.page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    room.page.mouse.down()
    room.page.mouse.move(*place(230.5, 300.5), steps=4)
    room.page.mouse.up()

    room.page.get_by_role("button", name="Send with 2 masks").click()

    expect(room.page.get_by_role("alert")).to_have_text("Accepted: it is made anew and goes to 1 destination.")
    ((drawn,),) = told(site, "SELECT drawn FROM pixel_review WHERE state = 'accepted'")
    first, second = json.loads(drawn)
    assert first == PROPOSED
    assert np.abs(np.subtract(second, [218, 205, 231, 301])).max() <= 1
    seen = told(site, "SELECT DISTINCT action FROM audit WHERE who = 'chi.mai' AND study_uid <> ''")
    assert {("DICOM Instances Accessed",), ("Application Activity",)} <= set(seen)
    room.close()


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "vi", "light"), (PHONE, "en", "dark")], ids=["laptop", "phone"]
)
def test_nothing_serious_stands_in_anybodys_way_from_the_list_to_the_question(
    browser_without_webgl: Browser, site: NodeProcess, size: tuple[int, int], language: Language, scheme: Scheme
):
    room = Room.open(browser_without_webgl, site.url, size=size, language=language, scheme=scheme)
    opened(room)
    room.page.get_by_role("button", name=re.compile("^(Never send|Không bao giờ gửi)$")).click()
    expect(room.page.get_by_role("dialog")).to_be_visible()
    assert found_in_the_way(room) == []
    room.page.reload()
    expect(room.page.locator("ul button").first).to_be_visible()
    assert found_in_the_way(room) == []
    room.close()


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "vi", "dark"), (PHONE, "en", "light")], ids=["laptop", "phone"]
)
def test_nobody_leaves_masks_that_they_drew_without_being_asked(
    browser_without_webgl: Browser,
    site: NodeProcess,
    artifacts: Path,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, site.url, size=size, language=language, scheme=scheme)
    opened(room)
    masks = room.page.locator("rect[data-mask]")
    question = room.page.get_by_role("dialog", name=re.compile("^(Có ô che chưa gửi|Masks are not sent)$"))
    room.press("n")
    expect(masks).to_have_count(2)

    room.page.keyboard.press("j")
    expect(question).to_be_visible()
    assert found_in_the_way(room, artifacts / f"review-leaving-{size[0]}-{language}-{scheme}.png") == []
    question.get_by_role("button", name=re.compile("^(Ở lại|Stay)$")).click()
    expect(question).to_have_count(0)
    expect(masks).to_have_count(2)

    room.page.go_back()
    expect(question).to_be_visible()
    expect(room.page).to_have_url(re.compile("/reviews$"))
    question.get_by_role("button", name=re.compile("^(Bỏ ô che rồi đi|Leave without the masks)$")).click()
    expect(room.page).to_have_url(re.compile("/(worklist)?$"))
    room.close()


def test_a_person_masks_a_name_on_a_page_of_a_report(
    browser_without_webgl: Browser, site: NodeProcess, artifacts: Path
):
    room = Room.open(browser_without_webgl, site.url, size=LAPTOP, language="vi", scheme="light")
    listed(room)
    room.page.locator("ul button").filter(has_text=re.compile("Tài liệu")).click()
    slider = room.page.get_by_role("slider", name="Đang xem")
    expect(slider).to_have_attribute("aria-valuetext", "Trang 1")
    room.page.wait_for_function("() => [...document.images].some(i => i.naturalWidth > 1000)")
    room.press("n")
    expect(room.page.get_by_role("button", name="Gửi với 2 ô che")).to_be_disabled()
    assert found_in_the_way(room, artifacts / "review-pages-laptop-vi-light.png") == []
    room.press("PageDown")

    room.page.get_by_role("button", name="Gửi với 2 ô che").click()

    expect(room.page.get_by_role("alert")).to_contain_text("Đã chấp nhận")
    room.close()


def test_who_administers_alone_is_told_what_waits_but_shown_no_picture(site: NodeProcess):
    token = site.run("token", "create", "a-script", "--scope", "admin").stdout.strip()
    with site.client(token) as client:
        one = client.get("/api/pixel-reviews").raise_for_status().json()[0]
        series = f"/dicom-web/studies/{one['studyInstanceUID']}/series/{one['picture']['seriesInstanceUID']}"

        answer = client.get(f"{series}/instances/{one['sopInstanceUID']}/frames/1/rendered")

    assert answer.status_code == 403


def test_a_person_with_a_phone_keeps_a_cine_for_good(
    browser_without_webgl: Browser, site: NodeProcess, artifacts: Path
):
    room = Room.open(browser_without_webgl, site.url, size=PHONE, language="vi", scheme="light")
    opened(room)
    assert found_in_the_way(room, artifacts / "review-phone-vi-light.png") == []

    room.page.get_by_role("button", name="Không bao giờ gửi").click()
    room.page.get_by_role("dialog").get_by_role("button", name="Không bao giờ gửi").click()

    expect(room.page.get_by_role("alert")).to_have_text("Đã từ chối: ảnh không gửi tới 1 nơi.")
    assert told(site, "SELECT drawn FROM pixel_review WHERE state = 'rejected'") == [("[]",)]
    room.close()
