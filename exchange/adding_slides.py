"""`vienanh slides add`: vendors' slides into this node's archive, as DICOM under UIDs made of the slide.

Scans are copied byte for byte; only what nobody else reads is decoded and encoded anew, and says so. A slide that was
added is known again by its UIDs, so a run that was broken off is simply begun again.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Final

import typer
from rich.progress import Progress, TaskID

from exchange import stores
from exchange.assemble import COMMIT_SOCKET
from exchange.beside import is_served, own_committer
from exchange.options import ConfigFile, DataFolder, read_config
from exchange.screen import out, plain_errors, progress_bar
from exchange.slide_sources import Source, opened_source
from exchange.stores import Stores
from gateway import source_tables
from kernel.archive.commit_socket import RemoteCommitter
from kernel.archive.committer import Committer
from kernel.archive.complete import ASSOCIATION_RELEASED
from kernel.archive.index import known_instances, studies_of_instances
from kernel.archive.ingest import Ingest
from kernel.archive.quarantine import Quarantine
from kernel.archive.records import Origin
from kernel.archive.search import StudyQuery, search_studies
from kernel.dicom.key_text import parse_key
from kernel.dicom.part10 import read_file_meta
from kernel.dicom.slide_flavour import WHOLE_SLIDE
from kernel.errors import IdentityMismatch, LimitExceeded
from wsi.convert import Converter, Part, parts_of
from wsi.dicom_header import Identity, slide_uid

FILES_MAX: Final = 1000  # of one command
_META_BYTES: Final = 4096  # that hold our own file meta
_PIECE_BYTES: Final = 1024 * 1024
_ELSEWHERE: Final = "that under which this slide is here already"


@dataclass(frozen=True, slots=True)
class _Intake:
    """Where slides go, and as whose."""

    opened: Stores
    site: str
    ingest: Ingest
    session: str
    part_bytes_max: int
    bar: Progress


def add(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Slides of one patient's case.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID (0010,0020).")],
    patient_name: Annotated[str, typer.Option(help="Patient's Name (0010,0010), as Family^Given.")] = "",
    accession_number: Annotated[str, typer.Option(help="Accession Number (0008,0050): slides join its study.")] = "",
    study_uid: Annotated[str, typer.Option(help="Study Instance UID; otherwise of the accession, or of a slide.")] = "",
    container: Annotated[str, typer.Option(help="Container Identifier (0040,0512); each file's name otherwise.")] = "",
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
    with plain_errors():
        if len(files) > FILES_MAX:
            raise LimitExceeded(limit="slides added at once", value=len(files), bound=FILES_MAX)
        config = read_config(config_file, data)
        identity = Identity(patient_id, patient_name, accession_number, study_uid, container)
        with stores.opened(config) as opened:
            committer = (
                RemoteCommitter(config.node.data / COMMIT_SOCKET) if is_served(config) else own_committer(opened)
            )
            _add_all(files, opened, committer, site or config.node.site, identity, mpp)


def _add_all(
    files: list[Path], opened: Stores, committer: Committer, site: str, identity: Identity, mpp: float
) -> None:
    config, clock, session = opened.config, opened.clock, token_hex(8)
    fallback = source_tables.sources(config).fallback_charset_of
    ingest = Ingest(opened.blobs, committer, Quarantine(opened.blobs, committer, clock), clock, fallback)
    evidence = None
    try:
        with progress_bar() as bar:
            intake = _Intake(opened, site, ingest, session, config.dimse.instance_bytes_max // 2, bar)
            for file in files:
                if not identity.study_instance_uid:
                    identity = replace(identity, study_instance_uid=_study_of(intake, identity))
                identity = _add_one(intake, file, identity, mpp)
        evidence = ASSOCIATION_RELEASED
    finally:
        committer.end_session(site, session, evidence)
    out.print(f"Study {identity.study_instance_uid}", markup=False, highlight=False)


def _study_of(intake: _Intake, identity: Identity) -> str:
    """Return the one study of the patient's accession number that is here; empty if there is none."""
    if not identity.accession_number:
        return ""
    matches = {
        "PatientID": parse_key("PatientID", "LO", identity.patient_id),
        "AccessionNumber": parse_key("AccessionNumber", "SH", identity.accession_number),
    }
    with intake.opened.db.read() as connection:
        page = search_studies(connection, StudyQuery(matches=matches, sites=frozenset({intake.site}), limit=2))
    return page.rows[0].study_instance_uid if len(page.rows) == 1 else ""


def _add_one(intake: _Intake, file: Path, identity: Identity, mpp: float) -> Identity:
    """Add one slide; return the identity of the next, which is of the same study."""
    task = intake.bar.add_task(file.name)

    def decoding(done: int, total: int) -> None:
        intake.bar.update(task, description=f"{file.name}: decoding", completed=done, total=total)

    scratch = intake.opened.config.node.data
    intake.opened.blobs.check_space(file.stat().st_size)
    with opened_source(file, mpp, scratch, decoding) as source:
        study_uid = identity.study_instance_uid or slide_uid(source.digest, "study")
        named = replace(identity, study_instance_uid=study_uid, container=identity.container or file.stem)
        converter = Converter(source.read, source.slide, named, source.digest)
        parts = list(parts_of(source.slide, intake.part_bytes_max))
        new = _new(intake, named, converter, parts)
        intake.bar.update(task, description=file.name, completed=0, total=sum(part.frames for part in new))
        for part in new:
            _take(intake, converter, part, task)
    intake.bar.remove_task(task)
    out.print(f"{file.name}: {_said(source, len(new), len(parts))}", markup=False, highlight=False)
    return replace(identity, study_instance_uid=study_uid)


def _said(source: Source, new: int, all_parts: int) -> str:
    if not new:
        return "was here already"
    how = f" ({source.slide.derivation.lower()}: lossy)" if source.slide.derivation else ""
    return f"{new} instances were taken{how}" + (f", {all_parts - new} were here" if new < all_parts else "")


def _new(intake: _Intake, named: Identity, converter: Converter, parts: list[Part]) -> list[Part]:
    """Return what is not here yet.

    Raises
    ------
    IdentityMismatch
        The slide is here as somebody else's.
    """
    uids = {converter.sop_instance_uid(part): part for part in parts}
    with intake.opened.db.read() as connection:
        here = known_instances(connection, intake.site, list(uids))
        sites = frozenset({intake.site})
        for _, study_uid in studies_of_instances(connection, list(here), sites):
            if study_uid != named.study_instance_uid:
                raise IdentityMismatch(keyword="StudyInstanceUID", elsewhere=_ELSEWHERE)
            matches = {"StudyInstanceUID": parse_key("StudyInstanceUID", "UI", study_uid)}
            (row,) = search_studies(connection, StudyQuery(matches=matches, sites=sites, limit=1)).rows
            if row.patient_id != named.patient_id:
                raise IdentityMismatch(keyword="PatientID", elsewhere=_ELSEWHERE)
    return [part for uid, part in uids.items() if uid not in here]


def _take(intake: _Intake, converter: Converter, part: Part, task: TaskID) -> None:
    """Write one instance beside the blobs and ingest it."""
    uid = converter.sop_instance_uid(part)
    with tempfile.TemporaryDirectory(prefix="slide-", dir=intake.opened.config.node.data) as folder:
        path = Path(folder) / "instance"
        converter.write(part, path, lambda frames: intake.bar.advance(task, frames))
        with path.open("rb") as written:
            meta = read_file_meta(written.read(_META_BYTES))
            stage = intake.opened.blobs.stage(WHOLE_SLIDE, uid, meta.transfer_syntax_uid, path.stat().st_size)
            written.seek(meta.dataset_offset)
            while piece := written.read(_PIECE_BYTES):
                stage.write(piece)
    origin = Origin(intake.site, "upload", "slides-add", "", "", intake.session)
    intake.ingest.ingest(stage.finish(), origin)
