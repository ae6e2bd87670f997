"""`vienanh slides add`: vendors' slides into this node's archive, as DICOM under UIDs made of the slide."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Final

import typer
from rich.progress import Progress

from consult.slides.intake import DECODING, SlideIntake, Taken
from exchange.node import stores
from exchange.node.assemble import COMMIT_SOCKET, slide_intake
from exchange.node.beside import is_served, own_committer
from exchange.node.stores import Stores
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import err, out, plain_errors, progress_bar
from gateway import source_tables
from kernel.archive.ingest.committer import Committer
from kernel.archive.ingest.complete import ASSOCIATION_RELEASED
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.owner.commit_socket import RemoteCommitter
from kernel.archive.records import Origin
from kernel.config import Config
from kernel.errors import ExchangeError, LimitExceeded
from wsi.dicom_header import Identity

FILES_MAX: Final = 1000  # of one command

Take = Callable[[SlideIntake, Path, Identity, Origin, Progress], Taken]
"""Takes one file; the next one is of the same study."""


def add(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Slides of one patient's case.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID (0010,0020).")],
    patient_name: Annotated[str, typer.Option(help="Patient's Name (0010,0010), as Family^Given.")] = "",
    accession_number: Annotated[str, typer.Option(help="Accession Number (0008,0050): slides join its study.")] = "",
    study_uid: Annotated[str, typer.Option(help="Study Instance UID; otherwise of the accession, or of a slide.")] = "",
    container: Annotated[str, typer.Option(help="Container Identifier (0040,0512); each file's name otherwise.")] = "",
    stain: Annotated[str, typer.Option(help="How they are stained, in words: HE.")] = "",
    mpp: Annotated[float, typer.Option(help="Microns a pixel, where the file does not say.")] = 0.0,
    site: Annotated[str, typer.Option(help="Whose patient this is; this node's own site otherwise.")] = "",
    config_file: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Take slides into the archive of this node, running or not.

    For example: vienanh slides add K26-1.svs K26-2.svs --patient-id 123 --accession-number K26. All files become one
    study, one series each. Label and macro pictures are not taken over: they show whose slide it is. Keep the files
    if you want these. What is here already is passed over.
    """
    identity = Identity(patient_id, patient_name, accession_number, study_uid, container, stain)

    def take(intake: SlideIntake, file: Path, identity: Identity, origin: Origin, bar: Progress) -> Taken:
        task = bar.add_task(file.name)

        def progress(what: str, done: int, total: int) -> None:
            doing = f"{file.name}: {what}" if what == DECODING else file.name
            bar.update(task, description=doing, completed=done, total=total)

        named = replace(identity, container=identity.container or file.stem)
        taken = intake.take(file, named, mpp, origin, progress)
        bar.remove_task(task)
        return taken

    with plain_errors():
        add_all(read_config(config_file, data), files, site, identity, take)


def add_all(config: Config, files: list[Path], site: str, identity: Identity, take: Take) -> None:
    """Take files into the archive of a node as one study, and tell what became of each.

    Raises
    ------
    LimitExceeded
        They are too many.
    What `take` raises; what was taken before stays.
    """
    if len(files) > FILES_MAX:
        raise LimitExceeded(limit="slides added at once", value=len(files), bound=FILES_MAX)
    with stores.opened(config) as opened:
        committer = RemoteCommitter(config.node.data / COMMIT_SOCKET) if is_served(config) else own_committer(opened)
        _add_all(
            files,
            opened,
            committer,
            Origin(site or config.node.site, "upload", "slides-add", "", "", token_hex(8)),
            identity,
            take,
        )


def _add_all(
    files: list[Path], opened: Stores, committer: Committer, origin: Origin, identity: Identity, take: Take
) -> None:
    clock = opened.clock
    fallback = source_tables.sources(opened.config).fallback_charset_of
    ingest = Ingest(opened.blobs, committer, Quarantine(opened.blobs, committer, clock), clock, fallback)
    intake = slide_intake(opened, ingest)
    evidence = None
    try:
        with progress_bar() as bar:
            for file in files:
                try:
                    taken = take(intake, file, identity, origin, bar)
                except ExchangeError:
                    err.print(f"{file.name}: was not taken; what was named before it is here", markup=False)
                    raise
                out.print(f"{file.name}: {_said(taken)}", markup=False, highlight=False)
                identity = replace(identity, study_instance_uid=taken.study_instance_uid)
        evidence = ASSOCIATION_RELEASED
    finally:
        committer.end_session(origin.site, origin.session, evidence)
    out.print(f"Study {identity.study_instance_uid}", markup=False, highlight=False)


def _said(taken: Taken) -> str:
    if not taken.instances:
        return "was here already"
    how = f" ({taken.derivation.lower()}: lossy)" if taken.derivation else ""
    return f"{taken.instances} instances were taken{how}" + (f", {taken.here} were here" if taken.here else "")
