"""On a line of 2 Mbit/s a picture is there in steps: at a quarter of its resolution first, exact at last."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Demo
from tests.browser.pixels import grey_error
from tests.browser.room import PATIENCE_MS, Room
from tests.browser.test_reading_room import CT

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

THIN_LINE = {"offline": False, "latency": 60, "downloadThroughput": 2_000_000 / 8, "uploadThroughput": 2_000_000 / 8}
FREE_LINE = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@contextmanager
def a_thin_line(page: Page) -> Generator[None]:
    """Give the page 2 Mbit/s and 60 ms."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", THIN_LINE)
    try:
        yield
    finally:
        session.send("Network.emulateNetworkConditions", FREE_LINE)


@pytest.fixture
def thin(browser_without_webgl: Browser, demo: Demo) -> Iterator[Room]:
    """A reader before the worklist, whose line becomes thin when a study is opened."""
    room = Room.open(browser_without_webgl, demo.url)
    room.sign_in(demo.account, demo.password)
    expect(room.rows(CT, r"có đủ (3\d|[67]\d)").first).to_be_visible()
    yield room
    room.close()


def test_a_slice_is_a_preview_first_and_exact_at_last(thin: Room):
    asked: list[str] = []
    thin.page.on("request", lambda request: asked.append(request.url))
    seen: list[str] = []
    thin.page.expose_function("noteTier", lambda tier: seen.append(tier))  # noqa: PLW0108 - a builtin takes no mark of Playwright's
    thin.page.evaluate(
        """() => new MutationObserver(() => {
          const tier = document.querySelector('[data-tier]')?.dataset.tier;
          if (tier && tier !== window.lastTier) { window.lastTier = tier; window.noteTier(tier); }
        }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-tier'] })"""
    )

    with a_thin_line(thin.page):
        thin.open_study(CT, r"có đủ (3\d|[67]\d)")

    assert seen[:3] == ["0", "1", "2"]
    expect(thin.readout("bottomRight")).to_contain_text("Nguyên gốc")
    tiers = [url for url in asked if "/tiers/" in url]
    first = tiers[0].rsplit("/tiers/", 1)[0]
    assert tiers[:3] == [f"{first}/tiers/{tier}" for tier in range(3)]


def test_what_was_sharpened_shows_the_grey_levels_of_the_stored_samples(thin: Room):
    with a_thin_line(thin.page):
        thin.open_study(CT, r"có đủ (3\d|[67]\d)")
        thin.press("1")
        thin.press("o")
        assert grey_error(thin, 1, window=(400, 40)) < 1.5


def test_all_slices_are_there_at_a_quarter_before_any_other_is_at_a_half(thin: Room):
    asked: list[str] = []
    thin.page.on("request", lambda request: asked.append(request.url))

    with a_thin_line(thin.page):
        thin.open_study(CT, r"có đủ (3\d|[67]\d)")
        count = thin.slices()
        thin.page.wait_for_function(
            "count => performance.getEntriesByType('resource').filter(e => e.name.endsWith('/tiers/1')).length > 2",
            arg=count,
        )

    order = [url.rsplit("/", 1)[1] for url in asked if "/tiers/" in url][3:]
    assert order[: count - 1] == ["0"] * (count - 1)
    assert "1" in order


def test_a_length_waits_until_the_slice_is_exact(thin: Room):
    held: list[Route] = []
    thin.page.route(re.compile(r"/tiers/2$"), lambda route: held.append(route))  # noqa: PLW0108 - as above
    with a_thin_line(thin.page):
        thin.rows(CT, r"có đủ (3\d|[67]\d)").first.click()
        expect(thin.page.locator("[data-tier='1']")).to_be_visible(timeout=PATIENCE_MS)
        thin.page.keyboard.press("l")
        x, y = thin.middle()
        thin.page.mouse.move(x - 100, y)
        thin.page.mouse.down()
        thin.page.mouse.move(x + 100, y, steps=4)
        thin.page.mouse.up()

        expect(thin.page.get_by_text("đo được khi tải xong")).to_be_visible()
        assert thin.marks() == []
        for route in held:
            route.continue_()
        thin.page.unroute(re.compile(r"/tiers/2$"))
        thin.wait_until_whole()

    thin.drag((200, 0))
    assert len(thin.marks()) == 1


def test_on_a_fast_line_frames_come_whole(thin: Room):
    """The page's clock is slowed, which makes any line a fast one: what this machine's is must not decide."""
    thin.page.evaluate("() => { const now = performance.now.bind(performance); performance.now = () => now() / 20; }")

    thin.open_study(CT, r"có đủ (3\d|[67]\d)")

    thin.page.wait_for_function(
        "most => performance.getEntriesByType('resource').filter(e => /frames.\\d+$/.test(e.name)).length > most",
        arg=thin.slices() // 2,
    )
