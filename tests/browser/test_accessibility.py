"""Every screen as a person sees it: axe-core finds nothing serious, and pictures are kept for a person to look at."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import found_in_the_way
from tests.browser.conftest import Demo
from tests.browser.room import EVERY_LOOK, Language, Room, Scheme

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]


def the_door(_: Room) -> None:
    pass


def no_screen(room: Room) -> None:
    answer = room.page.goto(room.base_url + "/elsewhere")
    assert answer is not None
    assert answer.status == 404
    expect(room.page.get_by_role("heading", name=re.compile("no such page|Không có trang này"))).to_be_visible()


def the_worklist(room: Room) -> None:
    expect(room.rows().first).to_be_visible()


def the_keys(room: Room) -> None:
    room.press("?")
    expect(room.page.get_by_role("dialog")).to_be_visible()


def the_pictures(room: Room) -> None:
    room.open_study("CT", "STAT")
    room.settle()


def the_account(room: Room) -> None:
    room.page.get_by_role("button", name=re.compile("^(Account|Tài khoản): ")).click()
    expect(room.page.get_by_role("menuitem").first).to_be_visible()


def the_password(room: Room) -> None:
    room.page.get_by_role("menuitem", name=re.compile("password|mật khẩu")).click()
    expect(room.page.locator("input[type=password]").first).to_be_visible()


def the_marks(room: Room) -> None:
    room.press("l")
    room.drag((80, 20))
    room.press(",")
    expect(room.page.get_by_role("complementary")).to_be_visible()


def the_question(room: Room) -> None:
    room.page.keyboard.press("q")
    expect(room.page.get_by_role("dialog")).to_be_visible()


def the_reading_keys(room: Room) -> None:
    room.page.keyboard.press("Escape")
    expect(room.page.get_by_role("dialog")).to_have_count(0)
    room.press("?")
    expect(room.page.get_by_role("dialog")).to_be_visible()


def the_header(room: Room) -> None:
    room.page.keyboard.press("Escape")
    expect(room.page.get_by_role("dialog")).to_have_count(0)
    room.press("Shift+T")
    expect(room.page.get_by_role("dialog").get_by_role("searchbox")).to_be_visible()


def the_journey(room: Room) -> None:
    room.press("t")
    expect(room.page.get_by_role("dialog").locator("li").first).to_be_visible()


# Each row is one visit: a screen is reached from the one before it.
VISITS: tuple[dict[str, Callable[[Room], None]], ...] = (
    {"door": the_door, "no-screen": no_screen},
    {"worklist": the_worklist, "keys": the_keys},
    {"pictures": the_pictures, "journey": the_journey},
    {"account": the_account, "password": the_password},
    {
        "pictures-again": the_pictures,
        "marks": the_marks,
        "leaving": the_question,
        "reading-keys": the_reading_keys,
        "header": the_header,
    },
)


@pytest.mark.parametrize(("width", "size", "language", "scheme"), EVERY_LOOK, ids=str)
@pytest.mark.parametrize("screens", VISITS, ids="-".join)
def test_nothing_serious_stands_in_anybodys_way(
    browser_without_webgl: Browser,
    demo: Demo,
    artifacts: Path,
    screens: dict[str, Callable[[Room], None]],
    width: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    findings: dict[str, list[str]] = {}
    room = Room.open(browser_without_webgl, demo.url, size=size, language=language, scheme=scheme)
    if "door" not in screens:
        room.sign_in(demo.account, demo.password)
    for name, go in screens.items():
        go(room)
        findings[name] = found_in_the_way(room, artifacts / f"{name}-{width}-{language}-{scheme}.png")
    room.close()

    told = "\n".join(f"{name}: {one}" for name, ones in findings.items() for one in ones)
    assert not told, told
