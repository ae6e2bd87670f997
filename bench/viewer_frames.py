"""How many pictures a second the reading room draws on loopback, as fast as the page can: a stack, and three planes of MPR.

Each turn of the wheel is followed by the next at the page's next frame, and the browser does not wait for a screen's
refresh. Counted is what was drawn onto canvases that are in the page, so that a turn that draws nothing counts for nothing.
"""

import statistics
import time
from typing import Final

from playwright.sync_api import Page

from bench.report import Report

UNBOUND: Final = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
TURNS: Final = 200
GOAL: Final = 60.0
QUIET_S: Final = 2.0  # in which nobody asks for pixels: all are here
STACK: Final = "[data-backend]"
AXIAL: Final = "[data-mpr=axial] [role=img]"
PLANES: Final = 3

# Runs before the page's own scripts.
COUNT: Final = """
window.drawn = 0;
for (const name of ["putImageData", "drawImage"]) {
  const real = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...given) {
    if (this.canvas.isConnected) window.drawn += 1;
    return real.apply(this, given);
  };
}
"""
# Turns the wheel over a picture, to and fro; returns how many pictures were drawn a second.
TURN: Final = """([where, turns]) => new Promise((done) => {
  const target = document.querySelector(where);
  const { x, y, width, height } = target.getBoundingClientRect();
  const at = { clientX: x + width / 2, clientY: y + height / 2, bubbles: true, cancelable: true };
  let [left, down] = [turns, 1];
  const [before, began] = [window.drawn, performance.now()];
  const turn = () => {
    if (!left--) {
      done((window.drawn - before) / (performance.now() - began) * 1000);
      return;
    }
    if (left % 50 === 0) down = -down;
    target.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: 100 * down }));
    requestAnimationFrame(turn);
  };
  requestAnimationFrame(turn);
})"""


def measure(report: Report, page: Page, address: str, rounds: int) -> None:
    """Add the rows of the stack at an address, opened on a page whose context has `COUNT`; the first round warms up."""
    asked: list[float] = []
    page.on("request", lambda request: asked.append(time.monotonic()) if "/frames/" in request.url else None)
    page.goto(address)
    page.wait_for_selector("[data-tier='2']")
    while time.monotonic() - asked[-1] < QUIET_S:  # until every slice is here without loss
        page.wait_for_timeout(200)
    before = len(asked)
    report.figure("stack scrolled on loopback: pictures", "1/s", _drawn(page, STACK, rounds), at_least=GOAL)
    page.keyboard.press("Shift+M")
    page.wait_for_selector("[data-mpr=coronal] canvas")
    frames = _drawn(page, AXIAL, rounds) / PLANES
    report.figure("MPR scrolled, all three planes drawn: frames", "1/s", frames, at_least=GOAL)
    assert len(asked) == before, "pixels came while pictures were counted"


def _drawn(page: Page, where: str, rounds: int) -> float:
    """Return the median of the rounds."""
    return statistics.median([page.evaluate(TURN, [where, TURNS]) for _ in range(rounds + 1)][1:])
