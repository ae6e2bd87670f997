"""The room remembers which images a reader has had on the screen as they are stored: a preview is none of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Request, Route, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LOOKS, PASSWORD, Language, Room, Scheme
from tests.browser.test_tiers import a_thin_line
from tests.support.builders import a_ct, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

SLICES = 6
SIDE = 256
READERS = {"browser_without_webgl": "bs.minh", "browser_with_software_webgl": "bs.hoa"}
WHOLE_STEP = re.compile(r"/tiers/2$")


@pytest.fixture(scope="module")
def instances() -> list[str]:
    """The SOP Instance UIDs of the series that `hub` has, in the order of its stack."""
    return []


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory, instances: list[str]) -> Iterator[NodeProcess]:
    """A hub with one CT that is worth sending in steps, and a reader for each test."""
    node = NodeProcess(tmp_path_factory.mktemp("shown"), HUB)
    node.start()
    for name in ("bs.lan", "bs.minh", "bs.hoa", "bs.ngoc"):
        node.add_user(name, "reader", PASSWORD)
    files, noise = [], np.random.default_rng(6)
    for number in range(1, SLICES + 1):
        ds = a_ct(seed="shown", instance=number, PatientName="Đỗ^Văn Hùng")
        with_pixels(ds, noise.integers(0, 2_000, (SIDE, SIDE)).astype("<i2"))
        ds.ImagePositionPatient = ["0", "0", str(5 * number)]
        instances.append(ds.SOPInstanceUID)
        files.append(as_file(ds))
    node.store(files)
    yield node
    node.stop()


def signed_in(browser: Browser, hub: NodeProcess, account: str) -> Room:
    room = Room.open(browser, hub.url)
    room.sign_in(account, PASSWORD)
    return room


def is_telling(request: Request) -> bool:
    return request.method == "POST" and request.url.split("?")[0].endswith("/shown")


def drawn_in(request: Request) -> list[str]:
    """Return the SOP Instance UIDs that a page tells of."""
    return [one["sopInstanceUID"] for series in request.post_data_json["series"] for one in series["instances"]]


def seen(room: Room) -> Locator:
    return room.page.get_by_role("navigation").locator("[class*=_seen]")


def test_a_preview_does_not_count_and_what_is_merely_loaded_neither(
    browser_without_webgl: Browser, hub: NodeProcess, instances: list[str]
):
    room = signed_in(browser_without_webgl, hub, "bs.lan")
    held: dict[str, Route] = {}
    told: list[str] = []

    def hold(route: Route) -> None:
        held[route.request.url.split("/instances/")[1].split("/")[0]] = route

    room.page.route(WHOLE_STEP, hold)
    room.page.on("request", lambda request: told.extend(drawn_in(request)) if is_telling(request) else None)
    with a_thin_line(room.page):
        room.rows().first.click()
        for number in range(1, 5):  # each is on the screen as a preview, and asked for whole
            expect(room.readout("bottomRight")).to_contain_text(f"{number}/{SLICES}")
            expect(room.page.locator("[data-tier='1']")).to_be_visible()
            room.page.wait_for_function("() => !document.querySelector('[class*=_loading]')")
            if number < 4:
                room.page.keyboard.press("ArrowDown")
        second, fourth = instances[1], instances[3]
        with room.page.expect_response(lambda answer: second in answer.url and "/tiers/2" in answer.url):
            held.pop(second).continue_()  # whole, and not on the screen
        with room.page.expect_request(is_telling) as first:
            held.pop(fourth).continue_()
        assert drawn_in(first.value) == [fourth]
        expect(seen(room)).to_have_text(f"Đã hiện gốc 1/{SLICES}")

        with room.page.expect_request(is_telling):
            room.page.keyboard.press("ArrowUp")
            room.page.keyboard.press("ArrowUp")
        expect(seen(room)).to_have_text(f"Đã hiện gốc 2/{SLICES}")

    assert told == [fourth, second]
    for route in held.values():
        route.abort()
    room.page.unroute(WHOLE_STEP)
    room.close()


@pytest.mark.parametrize("graphics", READERS)
def test_what_was_seen_is_remembered_for_its_reader_on_every_computer(
    request: pytest.FixtureRequest, hub: NodeProcess, graphics: str
):
    browser, account = request.getfixturevalue(graphics), READERS[graphics]
    room = signed_in(browser, hub, account)
    room.open_study()
    expect(seen(room)).to_have_text(f"Đã hiện gốc 1/{SLICES}")
    for _ in range(SLICES - 1):
        room.press("ArrowDown")
    expect(seen(room)).to_have_text("Đã hiện hết bản gốc")
    room.close()

    elsewhere = signed_in(browser, hub, account)
    elsewhere.open_study()
    expect(seen(elsewhere)).to_have_text("Đã hiện hết bản gốc")
    elsewhere.close()


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS, ids=str)
def test_the_mark_is_read_in_both_languages_and_stands_in_nobody_s_way(
    browser_without_webgl: Browser,
    hub: NodeProcess,
    artifacts: Path,
    width: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, hub.url, size=size, language=language, scheme=scheme)
    room.sign_in("bs.ngoc", PASSWORD)
    room.open_study()

    expect(seen(room)).to_have_text(re.compile(r"(gốc|original) \d/6"))
    assert found_in_the_way(room, artifacts / f"shown-{width}-{language}-{scheme}.png") == []
    room.close()
