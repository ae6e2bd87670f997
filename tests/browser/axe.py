"""What axe-core finds in a page, as far as it would keep somebody from working there."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.room import Room

AXE = Path(__file__).parents[2] / "viewer" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"


def serious_findings(room: Room) -> list[str]:
    """Return what axe-core finds serious, one line each."""
    return serious_findings_on(room.page)


def serious_findings_on(page: Page) -> list[str]:
    """Return the same of any page."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{one['id']}: {node['html'][:160]} ({node['any'][0]['message'] if node['any'] else one['help']})"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
