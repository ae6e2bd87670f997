"""`vienanh archive report`: what de-identification made of a study at this node."""

from pathlib import Path
from typing import Annotated

import typer

from exchange.files.report import write_report
from exchange.node.stores import begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors
from kernel.archive import index
from routing.study_reports import StudyReports


def report_study(
    study_uid: Annotated[str, typer.Argument(help="The Study Instance UID at this node.")],
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write: a page (.html), or JSON.")],
    site: Annotated[str | None, typer.Option(help="The site, when two sites have the same UID.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Write what was made of a study by de-identification: by which profile, what is held, and each text that is left."""
    with plain_errors(), begun(read_config(config, data)) as stores:
        with stores.db.read() as connection:
            owner = index.study_row(connection, study_uid, None if site is None else frozenset({site})).site
        report = StudyReports(stores.db, stores.blobs).of(owner, study_uid)
        write_report(file, report)
        made = report["totals"]
        counts = f"{made['written']} copies, {made['held']} held, {made['labels_kept']} labels kept at the site"
        out.print(f"{counts}: {file}", markup=False)
