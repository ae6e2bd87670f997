"""Nothing that was drawn is lost: not when the line drops, the tab or the browser dies, nor at another computer."""

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Playwright, expect

from tests.browser.axe import found_in_the_way
from tests.browser.conftest import FLAGS, NO_WEBGL
from tests.browser.room import LAPTOP, LOOKS, PASSWORD, Language, Room, Scheme
from tests.browser.test_findings import draw
from tests.browser.test_hanging import CHEST, PERSON, a_series
from tests.browser.test_slides import SlideRoom
from tests.support.nodes import HUB, NodeProcess, wait_until
from tests.wsi.dicom_builders import a_volume

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

DATES = ("20261120", "20261119", "20261118", "20261117", "20261116", "20261115")
ONE_PICTURE = json.dumps({"hanging": {"automatic": False, "defaults": {}}})
SECRET = "ổ máu tụ của bà Hoa"
SEALED = "Phần chưa lưu được giữ trên máy này, đã mã hoá."
RESTORED = "Đã khôi phục phần chưa lưu của bạn"
KEPT = "bản nháp đã giữ ở máy chủ"

# Every byte that lies in the browser's stores, as text: each byte a letter, so that nothing can hide in another coding.
STORED = """async () => {
  const said = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  const letters = (bytes) => Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  const settled = (asked) => new Promise((done, failed) => {
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  let records = 0;
  for (const { name } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      for (const row of await settled(database.transaction(store).objectStore(store).getAll())) {
        records += 1;
        for (const value of Object.values(row))
          said.push(value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? letters(value) : String(value));
      }
    }
    database.close();
  }
  return [records, said.join("\\n")];
}"""

# The room has the key from the node and has made its store: from here on the line may drop.
STORE_IS_READY = "async () => (await indexedDB.databases()).length > 0"

# As many drafts as a browser keeps, of windows that are gone.
FILLED = """async () => {
  const settled = (asked) => new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  const database = await settled(indexedDB.open("vienanh"));
  const store = database.transaction("drafts", "readwrite").objectStore("drafts");
  const nothing = { iv: new Uint8Array(12), sealed: new ArrayBuffer(0) };
  for (let at = 0; at < 64; at += 1)
    await settled(store.put({ name: "of somebody", window: `w${at}`, at: Date.now(), ...nothing }));
  database.close();
}"""


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with a study for each test, and a slide."""
    node = NodeProcess(tmp_path_factory.mktemp("drafts"), HUB)
    node.start()
    for name in ("bs.lan", "bs.minh"):
        node.add_user(name, "reader", PASSWORD)
    studies = [one for date in DATES for one in a_series(f"draft {date}", 1, "5 mm", CHEST, date)]
    node.store([*studies, a_volume(600, 400, 200, FrameOfReferenceUID="1.2.3.9")])
    yield node
    node.stop()


Opening = Callable[[str], Room]


@pytest.fixture
def opening(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Opening]:
    """What opens a browser of its own on the study of a date, with a reader signed in."""
    rooms: list[Room] = []

    def opened(date: str) -> Room:
        room = Room.open(browser_without_webgl, hub.url, drafts=True)
        rooms.append(room)
        room.sign_in("bs.lan", PASSWORD)
        room.open_study(f"{date[6:]}/{date[4:6]}/{date[:4]}")
        room.page.wait_for_function(STORE_IS_READY)
        return room

    yield opened
    for room in rooms:
        room.close()


def again(room: Room) -> None:
    """Open the study in another tab of the same browser, where the first one is gone."""
    address = room.page.url
    room.page.close()
    room.context.set_offline(False)
    room.page = room.context.new_page()
    room.page.goto(address)
    room.wait_for_picture()


def draft_of(room: Room, part: str = "marks") -> str:
    """Return what the node keeps."""
    study, site = room.dicomweb().rsplit("/", 1)[1], room.dicomweb().split("/")[2]
    told = room.get(f"/api/studies/{study}/draft?site={site}&part={part}", "application/json").json()
    return str(told["content"])


def bar(room: Room) -> Locator:
    return room.page.get_by_role("status").filter(has_text=RESTORED)


def lengths(room: Room) -> Locator:
    return room.page.locator("[data-backend] svg text").filter(has_text="mm")


def stored(room: Room) -> tuple[int, str]:
    count, text = room.page.evaluate(STORED)
    return int(count), str(text)


def an_arrow_that_says(room: Room, words: str) -> None:
    draw(room, "n", (-150, 60), (80, 40))
    room.page.get_by_role("textbox").fill(words)
    room.page.keyboard.press("Enter")


def test_what_was_drawn_without_a_line_outlives_the_tab_and_lies_there_unreadable(opening: Opening, artifacts: Path):
    room = opening(DATES[0])
    room.context.set_offline(True)
    draw(room, "l", (-150, -100), (120, 0))
    an_arrow_that_says(room, SECRET)
    expect(room.page.get_by_role("alert")).to_contain_text(SEALED)
    room.press("ArrowDown")
    room.press("k")
    wait_until(lambda: stored(room)[0] == 2, what="marks and key image are in the browser's store")

    _, text = stored(room)
    study = room.dicomweb().rsplit("/", 1)[1]
    told = (
        SECRET,
        "Hoa",
        PERSON["PatientID"],
        PERSON["PatientName"],
        "Hùng",
        study,
        "1.2.",
        "2.25.",
        "length",
        "bs.lan",
    )
    hidden = [
        word
        for plain in told
        for word in (plain, plain.encode().decode("latin-1"), plain.encode("utf-16-le").decode("latin-1"))
    ]
    assert [word for word in hidden if word in text] == []
    assert found_in_the_way(room, artifacts / "draft-offline-laptop-vi-dark.png") == []
    again(room)

    expect(bar(room)).to_be_visible()
    room.press("Home")
    expect(lengths(room)).to_have_count(1)
    expect(room.page.locator("[data-backend] svg text").filter(has_text=SECRET)).to_have_count(1)
    wait_until(
        lambda: SECRET in draft_of(room) and "sopInstanceUID" in draft_of(room, "key-images"), what="the node has both"
    )
    wait_until(lambda: stored(room)[0] == 0, what="nothing is left in the browser")


def test_a_draft_is_there_at_another_computer_and_gone_when_it_is_saved(opening: Opening):
    room = opening(DATES[1])
    room.press(",")
    draw(room, "l", (-150, -100), (120, 0))
    expect(room.page.get_by_role("complementary")).to_contain_text(KEPT)

    other = opening(DATES[1])

    expect(bar(other)).to_be_visible()
    expect(lengths(other)).to_have_count(1)
    other.press(",")
    other.page.get_by_role("button", name="Lưu số đo vào ca").click()
    expect(bar(other)).to_have_count(0)
    wait_until(lambda: draft_of(other) == "", what="what was saved is no draft")
    third = opening(DATES[1])
    expect(lengths(third)).to_have_count(1)
    third.press(",")
    expect(third.page.get_by_role("button", name="Lưu số đo vào ca")).to_be_disabled()
    expect(bar(third)).to_have_count(0)


def test_a_draft_that_came_back_and_is_not_wanted_goes_at_a_click(opening: Opening):
    room = opening(DATES[2])
    draw(room, "l", (-150, -100), (120, 0))
    wait_until(lambda: draft_of(room) != "", what="the node has it")
    again(room)
    expect(lengths(room)).to_have_count(1)

    bar(room).get_by_role("button", name="Bỏ phần này").click()

    expect(bar(room)).to_have_count(0)
    expect(lengths(room)).to_have_count(0)
    wait_until(lambda: draft_of(room) == "", what="the node has none any more")


def test_two_windows_with_one_draft_lose_nothing_to_each_other(opening: Opening, artifacts: Path):
    one, two = opening(DATES[3]), opening(DATES[3])
    draw(one, "l", (-150, -100), (120, 0))
    wait_until(lambda: draft_of(one) != "", what="the first window's is kept")

    draw(two, "l", (-150, 100), (150, 0))
    alert = two.page.get_by_role("alert").filter(has_text="Một cửa sổ khác của bạn")
    expect(alert).to_be_visible()
    assert draft_of(one).count('"kind":"length"') == 1
    assert found_in_the_way(two, artifacts / "draft-two-windows-laptop-vi-dark.png") == []
    alert.get_by_role("button", name="Gộp vào đây").click()

    expect(alert).to_have_count(0)
    expect(lengths(two)).to_have_count(2)
    wait_until(lambda: draft_of(one).count('"kind":"length"') == 2, what="both are kept")
    draw(one, "l", (-150, 150), (60, 0))
    expect(one.page.get_by_role("alert").filter(has_text="Một cửa sổ khác của bạn")).to_be_visible()


def test_somebody_else_at_this_browser_cannot_open_what_was_left_there(opening: Opening):
    room = opening(DATES[4])
    address = room.page.url
    room.context.set_offline(True)
    draw(room, "l", (-150, -100), (120, 0))
    expect(room.page.get_by_role("alert")).to_contain_text(SEALED)
    room.page.close()
    room.context.set_offline(False)
    room.page = room.context.new_page()

    for account, marks in (("bs.minh", 0), ("bs.lan", 1)):
        room.context.clear_cookies()
        room.page.goto(room.base_url)
        room.sign_in(account, PASSWORD)
        room.page.goto(address)
        room.wait_for_picture()
        if marks:
            expect(bar(room)).to_be_visible()
        else:
            room.press(",")
            expect(room.page.get_by_role("complementary")).to_contain_text("Chưa đo gì")
        expect(lengths(room)).to_have_count(marks)


def test_a_browser_that_takes_no_more_drafts_says_that_the_page_must_stay(opening: Opening):
    room = opening(DATES[4])
    room.page.evaluate(FILLED)
    room.context.set_offline(True)

    draw(room, "l", (-150, 150), (120, 0))

    expect(room.page.get_by_role("alert")).to_contain_text("đừng đóng trang")
    assert stored(room)[0] == 64
    room.context.set_offline(False)
    wait_until(lambda: draft_of(room) != "", what="the node has it")


@pytest.mark.parametrize(("name", "size", "language", "scheme"), LOOKS)
def test_the_bars_of_drafts_stand_in_nobodys_way(
    browser_without_webgl: Browser,
    hub: NodeProcess,
    artifacts: Path,
    *,
    name: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, hub.url, size=size, language=language, scheme=scheme, drafts=True)
    room.sign_in("bs.minh", PASSWORD)
    room.open_study("20/11/2026")
    study, site = room.dicomweb().rsplit("/", 1)[1], room.dicomweb().split("/")[2]
    address = f"{room.base_url}/api/studies/{study}/draft?site={site}&part=key-images"
    csrf = room.get("/api/session", "application/json").json()["csrf"]
    content = json.dumps(
        {
            "put": [{"uid": "1.2 1", "seriesInstanceUID": "1.1", "sopInstanceUID": "1.2", "frameNumber": None}],
            "removed": [],
        }
    )
    version = room.get(address.removeprefix(room.base_url), "application/json").json()["version"]
    room.context.request.put(address, data={"version": version, "content": content}, headers={"X-Vienanh-CSRF": csrf})
    room.page.reload()
    room.wait_for_picture()
    restored = room.page.get_by_role("status").filter(has_text={"vi": RESTORED, "en": "is back, kept since"}[language])
    expect(restored).to_be_visible()
    room.context.set_offline(True)
    room.press("k")
    place = {"vi": SEALED, "en": "What is not saved is kept on this computer, encrypted."}[language]
    expect(room.page.get_by_role("alert")).to_contain_text(place)

    assert found_in_the_way(room, artifacts / f"drafts-{name}-{language}-{scheme}.png") == []
    room.close()


def test_what_is_drawn_on_a_slide_outlives_the_tab_too(browser_without_webgl: Browser, hub: NodeProcess):
    room = Room.open(browser_without_webgl, hub.url, drafts=True)
    slide = SlideRoom(room)
    slide.press("c")
    slide.click(60, 40)
    wait_until(lambda: '"kind":"point"' in draft_of(room, "slide-1.2.3.1.1"), what="the node has it")
    address = room.page.url

    room.page.close()
    room.page = room.context.new_page()
    room.page.goto(address)

    expect(bar(room)).to_be_visible()
    room.close()


class OtherWindow(SlideRoom):
    """The same slide in another window of the same browser."""

    def __init__(self, slide: SlideRoom) -> None:
        self.room, self.page = slide.room, slide.room.context.new_page()
        self.page.goto(slide.page.url)
        self.settle()


def test_a_slide_in_two_windows_has_the_same_marks_in_both(browser_without_webgl: Browser, hub: NodeProcess):
    room = Room.open(browser_without_webgl, hub.url, drafts=True)
    one = SlideRoom(room)
    two = OtherWindow(one)
    drawn = [window.page.locator(".va-mark-label").filter(has_text=re.compile("một|hai")) for window in (one, two)]

    two.write("hai")
    one.write("một")

    for there in drawn:
        expect(there).to_have_count(2)
    two.page.get_by_role("button", name="Lưu vào ca").click()
    expect(two.page.get_by_text("bs.lan lưu")).to_be_visible()
    expect(one.page.get_by_text("bs.lan lưu")).to_be_visible()  # nothing is left to save there, either
    room.close()


def process_of(profile: Path) -> int:
    """Return the identifier of the browser that works in a profile."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"--user-data-dir={profile}\0".encode() in said and b"--type=" not in said:
                return int(entry.name)
    raise AssertionError("no browser works in this profile")


def test_what_was_drawn_without_a_line_outlives_the_browser_and_no_file_tells_it(
    playwright_driver: Playwright, hub: NodeProcess, tmp_path: Path
):
    program = shutil.which("chromium")
    profile = tmp_path / "profile"

    def begun() -> Room:
        context = playwright_driver.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            headless=False,
            args=[*FLAGS, *NO_WEBGL],
            viewport={"width": LAPTOP[0], "height": LAPTOP[1]},
        )
        context.add_init_script(f"localStorage['vienanh.preferences'] ??= {json.dumps(ONE_PICTURE)};")
        return Room(context, hub.url)

    room = begun()
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("15/11/2026")
    room.context.set_offline(True)
    an_arrow_that_says(room, SECRET)
    expect(room.page.get_by_role("alert")).to_contain_text(SEALED)

    with room.context.expect_event("close"):
        os.kill(process_of(profile), signal.SIGKILL)
    files = [file for file in (profile / "Default" / "IndexedDB").rglob("*") if file.is_file()]
    assert len(files) > 3
    for file in files:
        content = file.read_bytes()
        for word in (SECRET, "máu", PERSON["PatientID"], "Hùng", "2.25.", "arrow"):
            assert word.encode() not in content, file.name
            assert word.encode("utf-16-le") not in content, file.name

    room = begun()
    if room.page.locator("input[name=name]").or_(room.page.locator("main#list")).first.get_attribute("name"):
        room.sign_in("bs.lan", PASSWORD)
    room.open_study("15/11/2026")
    expect(bar(room)).to_be_visible()
    expect(room.page.locator("[data-backend] svg text").filter(has_text=SECRET)).to_have_count(1)
    room.close()
