"""What axe-core finds in a page, as far as it would keep somebody from working there."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.room import Room

AXE = Path(__file__).parents[2] / "viewer" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"


def found_in_the_way(room: Room, picture: Path | None = None) -> list[str]:
    """Return what would keep somebody from working at this screen; `picture` is where one is kept for a person."""
    if picture is not None:
        room.page.screenshot(path=picture)
    wide = room.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    return [*serious_findings_on(room.page), *(["the page is wider than the window"] if wide else [])]


def serious_findings_on(page: Page) -> list[str]:
    """Return what axe-core finds serious on any page, one line each."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{one['id']}: {node['html'][:160]} ({node['any'][0]['message'] if node['any'] else one['help']})"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
