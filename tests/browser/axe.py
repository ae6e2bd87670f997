"""What axe-core finds in a page, as far as it would keep somebody from working there."""

from pathlib import Path
from typing import Any

from tests.browser.room import Room

AXE = Path(__file__).parents[2] / "viewer" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"


def serious_findings(room: Room) -> list[str]:
    """Return what axe-core finds serious, one line each."""
    room.page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found: dict[str, Any] = room.page.evaluate(RUN)
    return [
        f"{one['id']}: {node['html'][:160]} ({node['any'][0]['message'] if node['any'] else one['help']})"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
