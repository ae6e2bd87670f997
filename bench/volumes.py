"""Reconstructions in the browser: pictures a second that one processor core makes of 512 x 512 x 60 samples.

Runs `viewer/web/src/engine/volumes/cut.bench.ts` in Node, the same engine as Chromium's, and reckons in processor time.
The budget is 60 pictures a second of every kind. ./dev bench volumes.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

WEB = Path(__file__).parents[1] / "viewer" / "web"
BUDGET_A_SECOND = 60.0


def measured() -> list[tuple[str, str, float]]:
    """Return kind, picture and milliseconds of each."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = ["npx", "vitest", "bench", "--run", f"--outputJson={answer}", "src/engine/volumes"]
        subprocess.run(command, cwd=WEB, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(answer.read_text())
    return [
        (group["fullName"].rpartition(" > ")[2], one["name"], one["mean"])
        for file in found["files"]
        for group in file["groups"]
        for one in group["benchmarks"]
    ]


def main() -> None:
    """Measure and print; fail when a picture takes longer than its budget."""
    table = Table("kind", "picture", "ms", "a second")
    rows = measured()
    for kind, name, ms in rows:
        table.add_row(kind, name, f"{ms:.1f}", f"{1000 / ms:.0f}")
    Console().print(table)
    sys.exit(any(1000 / ms < BUDGET_A_SECOND for _, _, ms in rows))


if __name__ == "__main__":
    main()
