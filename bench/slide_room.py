"""How soon a reader sees a slide: the reading room in Chromium, over lines that Chromium emulates.

    python -m bench.slide_room [--short] [--json FILE]

Two slides of 40,960 x 30,720 pixels (10,240 x 7,680 with --short) are one case. Each round is a browser that has the
program in its cache, as after a look at the worklist, and no picture. A view counts as complete when every tile of it is
drawn at its own magnification. On the walk each field is looked at for a second, in which the room fetches the next one;
once more with a browser that is asked to save data, for which nothing is fetched before it is wanted.
"""

import contextlib
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from bench import peers, slide_files
from bench.report import Report, arguments, say

ROOT = Path(__file__).parents[1]
ACCOUNT, PASSWORD = "bench", "mat khau dai du"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking")
NO_WEBGL = ("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis")
SAVE_DATA = 'Object.defineProperty(Navigator.prototype, "connection", { get: () => ({ saveData: true }) })'
FIELDS = 12
LOOK_MS = 1_000  # at a field before the next
PREFETCHED_MS = 1_500  # for what belongs to the room's program, after it

# Does something to the page and returns the milliseconds until what is shown is complete, and stays so; how many answers
# came meanwhile, and their bytes.
TIMED = """async ([what, slide]) => {
  const isThere = () => {
    const stage = document.querySelector("[data-slide]");
    return stage !== null && stage.dataset.slide !== slide
      && stage.parentElement.querySelector("[data-settled=true]") !== null;
  };
  const frame = () => new Promise(next => requestAnimationFrame(next));
  performance.clearResourceTimings();
  performance.setResourceTimingBufferSize(10_000);
  const begun = performance.now();
  if (what === "open") document.querySelector("[role=row][id^=study-]").click();
  else window.dispatchEvent(new KeyboardEvent("keydown", { key: what, bubbles: true }));
  let since;
  for (let steady = 0; steady < 20; ) {
    await frame();
    steady = isThere() ? steady + 1 : 0;
    if (steady === 1) since = performance.now();
  }
  const answers = performance.getEntriesByType("resource").filter(one => one.transferSize > 0);
  return [since - begun, answers.length, answers.reduce((bytes, one) => bytes + one.transferSize, 0)];
}"""


class Shown(NamedTuple):
    """What it took to show something."""

    ms: float
    answers: float
    kilobytes: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line between a reader and the node."""

    megabits_s: float
    delay_ms: int  # there and back

    @property
    def name(self) -> str:
        """How a row calls it."""
        return f"{self.megabits_s:g} Mbit/s, {self.delay_ms} ms"


THIN, USUAL = Line(2, 150), Line(20, 20)


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    options = arguments(__doc__.splitlines()[0]).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    try:
        peers.room_for(folder, 3 * 2**30)
        width, height = (10_240, 7_680) if options.short else (40_960, 30_720)
        report = Report(f"Slides of {width} x {height} pixels in the reading room")
        _case(folder, width, height)
        with peers.our_node(folder) as node, sync_playwright() as driver:
            program = shutil.which("chromium")
            assert program is not None, "the bench needs chromium"
            with contextlib.closing(
                driver.chromium.launch(executable_path=program, headless=False, args=[*FLAGS, *NO_WEBGL])
            ) as browser:
                report.versions["Chromium"] = browser.version
                _measure(report, browser, node.dicomweb.removesuffix("/dicom-web"), 2 if options.short else 5)
        return report.finish(options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _case(folder: Path, width: int, height: int) -> None:
    """Make two slides, and a node's data with them as one study and with a reader."""
    say("making slides")
    data = ["--data", str(folder / "node")]
    exchange = [sys.executable, "-m", "exchange"]
    for name, less in (("a", 0), ("b", 1024)):
        path = slide_files.svs(folder / f"{name}.svs", slide_files.Size(width, height - less))
        command = ["slides", "add", str(path), "--patient-id", "BENCH", "--accession-number", "BENCH-1"]
        subprocess.run([*exchange, *command, *data], check=True, capture_output=True, cwd=ROOT)
    account = ["user", "add", ACCOUNT, "--role", "reader", "--password", PASSWORD]
    subprocess.run([*exchange, *account, *data], check=True, capture_output=True, cwd=ROOT)


def _measure(report: Report, browser: Browser, url: str, rounds: int) -> None:
    first: list[Shown] = []
    ahead: list[Shown] = []
    asked: list[Shown] = []
    changes: list[Shown] = []
    for number in range(rounds):
        say(f"round {number}")
        with _reader(browser, url, THIN) as page:
            first.append(_timed(page, "open"))
        with _reader(browser, url, USUAL) as page:
            ahead += _walk(page)
            changes.append(_timed(page, "]", str(page.locator("[data-slide]").get_attribute("data-slide"))))
        with _reader(browser, url, USUAL, saves_data=True) as page:
            asked += _walk(page)
    _row(report, "first complete view", THIN, first, 3000)
    _row(report, "next field at 20x, after a look of a second at the one before", USUAL, ahead, 250)
    _row(report, "next field at 20x, nothing fetched ahead", USUAL, asked, 250)
    _row(report, "change of slide", USUAL, changes, 1000)


def _walk(page: Page) -> list[Shown]:
    """Open the slide, go to the objective of 20x, and from field to field."""
    _timed(page, "open")
    _timed(page, "5")
    fields: list[Shown] = []
    for _ in range(FIELDS):
        page.wait_for_timeout(LOOK_MS)
        fields.append(_timed(page, "n"))
    return fields


def _row(report: Report, name: str, line: Line, shown: list[Shown], at_most_ms: float) -> None:
    median = Shown(*(statistics.median(values) for values in zip(*shown, strict=True)))
    report.figure(f"{name}, {line.name}", "ms", median.ms, at_most=at_most_ms)
    report.figure("  95th percentile", "ms", sorted(one.ms for one in shown)[math.ceil(0.95 * len(shown)) - 1])
    report.figure("  answers", "", median.answers)
    report.figure("  their bytes", "kB", median.kilobytes)
    report.figure("  what the line alone takes for these", "ms", median.kilobytes * 8 / line.megabits_s)


@contextlib.contextmanager
def _reader(browser: Browser, url: str, line: Line, *, saves_data: bool = False) -> Generator[Page]:
    """Open the worklist as a reader whose browser has the program; what follows goes over the line."""
    with contextlib.closing(browser.new_context(viewport={"width": 1366, "height": 768})) as context:
        page = context.new_page()
        if saves_data:
            page.add_init_script(SAVE_DATA)
        with page.expect_response(lambda answer: "/assets/SlideRoom" in answer.url and answer.url.endswith(".js")):
            page.goto(url)
            page.fill("input[name=name]", ACCOUNT)
            page.fill("input[name=password]", PASSWORD)
            page.click("button[type=submit]")
        page.locator("[role=row][id^=study-]").first.wait_for()
        page.wait_for_timeout(PREFETCHED_MS)
        throughput = line.megabits_s * 1e6 / 8
        context.new_cdp_session(page).send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": line.delay_ms,
                "downloadThroughput": throughput,
                "uploadThroughput": throughput,
            },
        )
        yield page


def _timed(page: Page, what: str, slide: str = "") -> Shown:
    elapsed_ms, answers, length = page.evaluate(TIMED, [what, slide])
    return Shown(elapsed_ms, answers, length / 1000)


if __name__ == "__main__":
    sys.exit(main())
