"""The reading room in a real browser without a graphics card, on a thin line, beside OHIF on the same node.

Chromium without WebGL (OHIF gets software WebGL: without any its picture stays black), a CT of 60 slices of 512 x 512 that
compresses about as real ones do, and a line of 2 Mbit/s and 60 ms emulated by the browser itself. The app is in the
browser's cache, as on every visit but the first; what the first one costs is counted in bytes on the line. Pictures a
second are those of loopback (bench/viewer_frames.py).
./dev bench viewer [--short] [--json FILE]; the reading room must be built whole (npm run build in viewer/web), as the bytes
on the line are those of its compressed files.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench import viewer_frames
from bench.report import Peer, Report, arguments, first_line, say
from bench.slices import study_uids, write_slices
from exchange.commands.second_viewer import VERSION, made_ready
from tests.browser.conftest import FLAGS, NO_WEBGL, SOFTWARE_WEBGL
from tests.support import ohif
from tests.support.nodes import HUB, NodeProcess
from viewer.server.ohif import folder_in

SLICES: Final = 60
STUDY, SMALL = 100_001, 100_002  # the one that is measured, and one that fills the browser's cache
ROUNDS: Final = 3
ROOT: Final = Path(__file__).parents[1]
PASSWORD: Final = "mot mat khau dai"  # noqa: S105 - of an account of a node that lives for this run
PATIENCE_MS: Final = 60_000
COMPRESSED_FROM_BYTES: Final = 4_096  # no script as large stays uncompressed (viewer/web/scripts/compress.mjs)
QUIET_BYTES: Final = 5_000  # in three seconds: nothing of the app is on its way any more
THIN: Final = {"offline": False, "latency": 60, "downloadThroughput": 250_000, "uploadThroughput": 250_000}
FREE: Final = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

# Runs before the page's own scripts: notes when a picture first stands, when every slice has a first tier, when the
# present slice is exact. Times are milliseconds since `window.began`, the click or else the beginning of the page.
WATCH: Final = """
window.began = 0; window.seen = {};
const note = (name) => { window.seen[name] ??= performance.now() - window.began; };
const look = () => {
  const shown = document.querySelector("[data-tier]");
  const canvas = document.querySelector("[data-backend] canvas");
  if (shown && canvas && canvas.width > 0) note("first");
  if (shown && shown.dataset.tier === "2") note("lossless");
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
const arrived = new Set();
new PerformanceObserver((list) => {
  for (const { name, startTime } of list.getEntries()) {
    const found = /instances\\/([0-9.]+)\\/frames\\/1(\\/tiers\\/0)?$/.exec(name);
    if (found) arrived.add(found[1]);
    if (found) window.seen.asked = Math.min(window.seen.asked ?? Infinity, startTime - window.began);
  }
  if (arrived.size >= SLICES) note("usable");
}).observe({ type: "resource", buffered: true });
""".replace("SLICES", str(SLICES))
SHADED: Final = """() => {
  const found = [...document.querySelectorAll("canvas")].some((source) => {
    if (source.width < 300) return false;
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [64, 64];
    const context = copy.getContext("2d");
    context.drawImage(source, 0, 0, 64, 64);
    return new Set(context.getImageData(0, 0, 64, 64).data).size > 16;
  });
  return found ? performance.now() : 0;
}"""


class Line:
    """The line of one page: how thin it is, and how many bytes came over it."""

    def __init__(self, page: Page) -> None:
        self.bytes_received = 0
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")
        self._session.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        self.bytes_received += int(event["encodedDataLength"])

    def busy_ms(self) -> float:
        """Return how much processor time the page's main thread has taken."""
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration") * 1000

    def becomes(self, conditions: dict[str, Any]) -> None:
        """Make the line thin, or free again; what came before is forgotten."""
        self._session.send("Network.emulateNetworkConditions", conditions)
        self.bytes_received = 0


def unready(static: Path) -> str:
    """Return why a build cannot be measured, in words; empty when it can.

    A build by vite alone has no compressed files beside its own, and the node would send it several times as large.
    """
    scripts = [path for path in (static / "assets").glob("*.js") if path.stat().st_size >= COMPRESSED_FROM_BYTES]
    if not scripts:
        return "The reading room is not built: npm run build in viewer/web."
    bare = [path.name for path in scripts if not all(Path(f"{path}{kind}").exists() for kind in (".br", ".gz"))]
    if bare:
        return f"{len(bare)} scripts of the reading room are not compressed, such as {bare[0]}: npm run build in viewer/web."
    return ""


def main() -> int:
    """Measure, print, and return 0 when every goal holds."""
    options = arguments(__doc__ or "").parse_args()
    refusal = unready(ROOT / "viewer" / "static")
    if refusal:
        say(refusal)
        return 2
    report = Report("The reading room on 2 Mbit/s and 60 ms, without a graphics card")
    with tempfile.TemporaryDirectory() as folder, _node(Path(folder)) as node, sync_playwright() as driver:
        program = shutil.which("chromium")
        if program is None:
            say("There is no chromium.")
            return 2

        def launched(*graphics: str) -> Browser:
            return driver.chromium.launch(executable_path=program, headless=False, args=[*FLAGS, *graphics])

        report.versions["Chromium"] = first_line(program, "--version")
        _measure(report, node, launched, options)
    return report.finish(options)


@contextmanager
def _node(folder: Path) -> Generator[NodeProcess]:
    """Run a hub with a study of SLICES and a small one, whose tiers are made."""
    node = NodeProcess(folder / "node", HUB).start()
    try:
        for study, count in ((STUDY, SLICES), (SMALL, 2)):
            node.store(path.read_bytes() for path in write_slices(folder / str(study), count, study=study))
        node.add_user("bs.lan", "reader", PASSWORD)
        made_ready(ohif.package(), folder).rename(folder_in(node.data))
        study, series = study_uids(STUDY)
        with node.client() as client:
            for instance in node.instances(study):
                path = f"/dicom-web/studies/{study}/series/{series}/instances/{instance}/frames/1/tiers/0"
                client.get(path).raise_for_status()
        yield node
    finally:
        node.stop()


def _measure(report: Report, node: NodeProcess, launched: Callable[..., Browser], options: argparse.Namespace) -> None:
    rounds = 1 if options.short else ROUNDS
    ours, theirs, peer = launched(*NO_WEBGL), launched(*SOFTWARE_WEBGL), f"OHIF {VERSION}"
    unbound = launched(*NO_WEBGL, *viewer_frames.UNBOUND)
    try:
        say("the first visit")
        before, whole = _first_visit(ours, node)
        say("a study from the worklist")
        clicked = [_clicked(ours, node) for _ in range(rounds)]
        say("a study by its address")
        opened = [_addressed(ours, node) for _ in range(rounds)]
        say(peer)
        other = [_ohif(theirs, node) for _ in range(rounds)]
        first = _ohif_first(theirs, node)
        say("pictures a second")
        context = _context(unbound)
        context.add_init_script(viewer_frames.COUNT)
        viewer_frames.measure(report, _signed_in(context, node), f"{node.url}/study/{study_uids(STUDY)[0]}", ROUNDS)
    finally:
        for browser in (ours, theirs, unbound):
            browser.close()

    def median(name: str) -> float:
        return statistics.median(one[name] for one in clicked) / 1000

    report.figure("first image after the click", "s", median("first"), at_most=0.7)
    report.figure("  of it until its first bytes are asked for", "s", median("asked"))
    report.figure("  of it the main thread's processor time", "s", median("busy"))
    report.figure("present slice without loss", "s", median("lossless"), at_most=1.7)
    report.figure(f"{SLICES} slices usable", "s", median("usable"), at_most=6.0)
    report.figure("first visit, before the worklist works", "MB", before / 1e6)
    report.figure("first visit, the viewer too", "MB", whole / 1e6, at_most=1.3)
    report.cost(
        "first image by the study's address, app cached",
        "s",
        [one[0] / 1000 for one in opened],
        Peer(peer, [one[0] / 1000 for one in other]),
        at_least=1.0,
    )
    report.cost(
        "bytes on the line until then",
        "kB",
        [one[1] / 1000 for one in opened],
        Peer(peer, [one[1] / 1000 for one in other]),
        at_least=1.0,
    )
    report.cost("bytes of the app, first visit", "MB", [whole / 1e6], Peer(peer, [first / 1e6]), at_least=1.0)
    report.notes.append(
        "OHIF draws with software WebGL, its files compressed with gzip and cached; ours draws without WebGL."
    )


def _context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    context.set_default_timeout(PATIENCE_MS)
    return context


def _signed_in(context: BrowserContext, node: NodeProcess) -> Page:
    page = context.new_page()
    page.goto(node.url + "/")
    page.fill("input[name=name]", "bs.lan")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("[role=row][id^=study-]")
    return page


def _first_visit(browser: Browser, node: NodeProcess) -> tuple[int, int]:
    """Return how many bytes of the app come before the worklist works, and with the viewer, which is fetched behind it."""
    context = _context(browser)
    page = context.new_page()
    line = Line(page)
    page.goto(node.url + "/")
    page.fill("input[name=name]", "bs.lan")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("[role=row][id^=study-]")
    before = line.bytes_received
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((one) => /Reading-.*\\.js$/.test(one.name))"
    )
    whole, last = line.bytes_received, -1
    while whole - last > QUIET_BYTES:  # the worklist goes on asking for news
        page.wait_for_timeout(3_000)
        whole, last = line.bytes_received, whole
    context.close()
    return before, whole


def _warm(context: BrowserContext, node: NodeProcess) -> Page:
    """Return a page of somebody who has looked at another study before: the app is in the cache."""
    page = _signed_in(context, node)
    page.goto(f"{node.url}/study/{study_uids(SMALL)[0]}")
    page.wait_for_selector("[data-tier='2']")
    return page


def _clicked(browser: Browser, node: NodeProcess) -> dict[str, float]:
    """Open the study from the worklist; return when what was seen, in milliseconds after the click."""
    context = _context(browser)
    page = _warm(context, node)
    page.add_init_script(WATCH)
    page.goto(node.url + "/")
    row = f"[role=row][id^=study-]:has-text('{STUDY}')"
    page.wait_for_selector(row)
    page.wait_for_timeout(2_500)  # as somebody who reads the list; the viewer is fetched meanwhile, from the cache
    line = Line(page)
    busy_ms = line.busy_ms()
    line.becomes(THIN)
    page.locator(row).first.evaluate("(row) => { window.began = performance.now(); row.click(); }")
    page.wait_for_function("() => 'first' in window.seen")
    busy_ms = line.busy_ms() - busy_ms
    page.wait_for_function("() => ['first', 'lossless', 'usable'].every((name) => name in window.seen)")
    seen: dict[str, float] = page.evaluate("() => window.seen") | {"busy": busy_ms}
    context.close()
    return seen


def _addressed(browser: Browser, node: NodeProcess) -> tuple[float, int]:
    """Open the study by its address; return milliseconds to the first picture, and the bytes until then."""
    context = _context(browser)
    page = _warm(context, node)
    page.add_init_script(WATCH)
    line = Line(page)
    line.becomes(THIN)
    page.goto(f"{node.url}/study/{study_uids(STUDY)[0]}", wait_until="commit")
    page.wait_for_function("() => 'first' in window.seen")
    answer = (float(page.evaluate("() => window.seen.first")), line.bytes_received)
    context.close()
    return answer


def _ohif(browser: Browser, node: NodeProcess) -> tuple[float, int]:
    """Return the same of OHIF, which has shown the small study before."""
    context = _context(browser)
    page = _signed_in(context, node)
    page.goto(f"{node.url}/ohif/viewer?StudyInstanceUIDs={study_uids(SMALL)[0]}")
    page.wait_for_function(SHADED)
    line = Line(page)
    line.becomes(THIN)
    page.goto(f"{node.url}/ohif/viewer?StudyInstanceUIDs={study_uids(STUDY)[0]}", wait_until="commit")
    found = page.wait_for_function(SHADED, polling=50).json_value()
    answer = (float(found), line.bytes_received)
    context.close()
    return answer


def _ohif_first(browser: Browser, node: NodeProcess) -> int:
    """Return the bytes of OHIF's own files at a first visit to a study."""
    context = _context(browser)
    page = _signed_in(context, node)
    page.goto("about:blank")  # the worklist asks no more
    line = Line(page)
    page.goto(f"{node.url}/ohif/viewer?StudyInstanceUIDs={study_uids(SMALL)[0]}")
    page.wait_for_function(SHADED)
    pixels = sum(
        page.evaluate(
            "() => performance.getEntriesByType('resource').filter((one) => one.name.includes('/dicom-web/'))"
            ".map((one) => one.transferSize)"
        )
    )
    whole = line.bytes_received - int(pixels)
    context.close()
    return whole


if __name__ == "__main__":
    sys.exit(main())
