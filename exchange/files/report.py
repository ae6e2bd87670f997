"""What `vienanh deidentify --report` tells of each study that was written. The report stays at the site: it names the inputs."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from exchange.files.release import Outcome
from routing.described import Piece, Report, described
from routing.report_page import page


def studies_of(output: Path, outcomes: Iterable[Outcome]) -> list[Report]:
    """Describe each study that was written, by its new UID."""
    files: dict[str, list[str]] = defaultdict(list)
    for file in sorted({one.file for one in outcomes if one.file}):
        files[file.partition("/")[0]].append(file)
    return [
        described(uid, [Piece(file.rpartition("/")[0], file, output / file) for file in found])
        for uid, found in sorted(files.items())
    ]


def write_report(file: Path, report: Report) -> None:
    """Write the report as a page when the file is called .html, else as JSON."""
    if file.suffix.lower() in {".html", ".htm"}:
        file.write_text(page(report), "utf-8")
    else:
        file.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
