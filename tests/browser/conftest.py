"""A running demo and a real browser: the system's Chromium, without a graphics card as most of our readers have it.

It is the build without windows of its own (chromium-headless-shell): the pages are the same, and no processor time goes
to tabs that nobody sees.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.browser.room import PASSWORD, PATIENCE_MS, Room
from tests.support.absent import absent
from tests.support.nodes import SITE, NodeProcess

expect.set_options(timeout=PATIENCE_MS)  # what is to come comes when the machine is busy, too

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / ".artifacts"
START_S = 120
STOP_S = 60
NOWHERE = "http://127.0.0.1:9"  # nothing is delivered here; it would go there

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_WEBGL = ("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis")
SOFTWARE_WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@dataclass(frozen=True)
class Demo:
    """Where a hub is that studies arrive at, and who may read there."""

    url: str
    account: str
    password: str


@pytest.fixture(scope="session")
def built() -> Path:
    """Folder of the room as it was built; who needs it is passed over without it."""
    folder = ROOT / "viewer" / "static"
    if not (folder / "index.html").exists():
        absent("the reading room is not built: npm run build in viewer/web")
    return folder


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> Generator[Demo]:
    """`vienanh demo --json`, or a demo that already runs (VIENANH_DEMO holds the line it printed)."""
    running = os.environ.get("VIENANH_DEMO")
    if running:
        yield _demo_of(running)
        return
    request.getfixturevalue("built")
    command = [sys.executable, "-m", "exchange", "demo", "--json", "--http-port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    reader = Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        yield _demo_of(_first_line(process, said))
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(STOP_S)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _first_line(process: "subprocess.Popen[str]", said: list[str]) -> str:
    lines: Queue[str] = Queue()
    Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
    try:
        return next(line for line in iter(lambda: lines.get(timeout=START_S), None) if line.startswith("{"))
    except Empty:
        pytest.fail(f"the demo did not start in {START_S} s; it said:\n{''.join(said)[-3000:]}")


def _demo_of(line: str) -> Demo:
    told = json.loads(line)
    return Demo(url=told["url"].rstrip("/"), account=told["account"], password=told["password"])


@pytest.fixture(scope="session")
def playwright_driver() -> Generator[Playwright]:
    with sync_playwright() as driver:
        yield driver


def _launch(driver: Playwright, graphics: tuple[str, ...]) -> Browser:
    program = shutil.which("chromium-headless-shell")
    assert program is not None, "the peer marker looks for it first"
    return driver.chromium.launch(executable_path=program, headless=False, args=[*FLAGS, *graphics])


@pytest.fixture(scope="session")
def browser_without_webgl(playwright_driver: Playwright) -> Generator[Browser]:
    browser = _launch(playwright_driver, NO_WEBGL)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def browser_with_software_webgl(playwright_driver: Playwright) -> Generator[Browser]:
    browser = _launch(playwright_driver, SOFTWARE_WEBGL)
    yield browser
    browser.close()


@contextmanager
def a_site_that_holds(folder: Path, accounts: dict[str, str]) -> Generator[NodeProcess]:
    """Run a site with these accounts and their roles, where a person looks at pixels; nothing is ever delivered."""
    settings = SITE.replace("HUB_URL", NOWHERE) + "[anonymizer]\nclean_pixels = false\n"
    node = NodeProcess(folder, settings)
    (node.folder / "hub.token").write_text("no hub takes it")
    node.start()
    for name, role in accounts.items():
        node.add_user(name, role, PASSWORD)
    yield node
    node.stop()


@pytest.fixture
def room(browser_without_webgl: Browser, demo: Demo) -> Generator[Room]:
    """The reading room at its door; leaving it fails when the page threw, or asked for anything from elsewhere."""
    opened = Room.open(browser_without_webgl, demo.url)
    yield opened
    opened.close()


@pytest.fixture
def reader(room: Room, demo: Demo) -> Room:
    """The reading room with a reader signed in, before the worklist."""
    room.sign_in(demo.account, demo.password)
    return room


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Folder of pictures for a person to look at; not in git."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS
