"""Vendors' slides taken into the archive, as DICOM under UIDs made of the slide.

Scans are copied byte for byte; only what nobody else reads is decoded and encoded anew, and says so. A slide that was
taken is known again by its UIDs, so that what was broken off is simply begun again. Label and macro pictures are not
taken over, nor anything that the scanner wrote: whose slide it is comes from the caller alone.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from consult.slides.vendor_files import VendorFiles, Whose
from kernel.archive.blobs.stage import told
from kernel.archive.blobs.store import Blobs
from kernel.archive.index import known_instances, studies_of_instances
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.records import Origin
from kernel.archive.search.search import StudyQuery, search_studies, series_of_study
from kernel.database import Database
from kernel.dicom.pictures.photographs import PHOTOGRAPH
from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.dicom.vocabulary.syntaxes import JPEG_BASELINE
from kernel.dicom.vocabulary.uids import uid_of
from kernel.errors import IdentityMismatch
from wsi.convert import Converter, Part, parts_of
from wsi.dicom_header import Identity, slide_uid
from wsi.limits import at_most
from wsi.photograph import BYTES_MAX, photograph
from wsi.source import opened_source

T = TypeVar("T")
DECODING: Final = "decoding"
STORING: Final = "storing"
MODALITY: Final = "SM"
_NUMBER_MAX: Final = 2**31 - 1  # of an IS (PS3.5 6.2)
_META_BYTES: Final = 4096  # that hold our own file meta
_PIECE_BYTES: Final = 1024 * 1024
_ELSEWHERE: Final = "that under which this slide is here already"
_OF_THE_STUDY: Final = "that of the study"

Progress = Callable[[str, int, int], None]
"""Told what is done, DECODING or STORING, and how many tiles of how many are done."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a slide."""

    study_instance_uid: str
    series_instance_uid: str
    instances: int  # that were taken now
    here: int  # that were here already
    derivation: str  # how its tiles were made, where they are not the scanner's own


class SlideIntake:
    """Takes slides; safe in threads."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        ingest: Ingest,
        scratch: Path,
        part_bytes_max: int,
        *,
        vendor_files: VendorFiles | None = None,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._ingest = ingest
        self._scratch = scratch
        self._vendor_files = vendor_files  # None: they are not kept
        self._part_bytes_max = part_bytes_max  # larger levels become concatenations

    def study_of(self, site: str, identity: Identity) -> str:
        """Return the one study of the patient's accession number that is here; empty if there is none."""
        if not identity.accession_number:
            return ""
        matches = {
            "PatientID": parse_key("PatientID", "LO", identity.patient_id),
            "AccessionNumber": parse_key("AccessionNumber", "SH", identity.accession_number),
        }
        with self._db.read() as connection:
            page = search_studies(connection, StudyQuery(matches=matches, sites=frozenset({site}), limit=2))
        return page.rows[0].study_instance_uid if len(page.rows) == 1 else ""

    def take(self, file: Path, identity: Identity, mpp: float, origin: Origin, progress: Progress) -> Taken:
        """Take one slide into the study that is named, or that of the accession number, or a new one.

        Raises
        ------
        MalformedSlide, LimitExceeded
            It cannot be read.
        IdentityMismatch
            The slide, or the study that is named, is here as somebody else's.
        StorageFull
            There is no space.
        What `progress` and ingest raise.
        """
        size = file.stat().st_size
        self._blobs.check_space(size)
        try:
            return self._taken(file, identity, mpp, origin, progress)
        except OSError as error:  # of the scratch folder, where tiles and instances are made
            raise told(error, self._blobs, size) from error

    def _taken(self, file: Path, identity: Identity, mpp: float, origin: Origin, progress: Progress) -> Taken:
        named = identity.study_instance_uid or self.study_of(origin.site, identity)
        with opened_source(file, mpp, self._scratch, lambda done, total: progress(DECODING, done, total)) as source:
            study = named or slide_uid(source.digest, "study")
            series = slide_uid(source.digest, "series")
            number = self._series_number(origin.site, study, series)
            identity = replace(identity, study_instance_uid=study, series_number=number)
            converter = Converter(source.read, source.slide, identity, source.digest)
            parts = {converter.sop_instance_uid(part): part for part in parts_of(source.slide, self._part_bytes_max)}
            new = self._new(origin.site, identity, parts)
            done, total = 0, sum(part.frames for part in new)

            def stored(frames: int) -> None:
                nonlocal done
                done += frames
                progress(STORING, done, total)

            for part in new:
                self._store(converter, part, origin, stored)
            if self._vendor_files is not None:
                self._vendor_files.keep(file, Whose(origin.site, study, series))
            return Taken(study, series, len(new), len(parts) - len(new), source.slide.derivation)

    def take_photograph(self, file: Path, identity: Identity, description: str, number: int, origin: Origin) -> Taken:
        """Take a photograph of a field into the study that is named, or that of the accession number, or a new one.

        Raises
        ------
        MalformedSlide, LimitExceeded
            It cannot be read.
        IdentityMismatch
            The study is another patient's.
        What ingest raises.
        """
        at_most("bytes of a photograph", file.stat().st_size, BYTES_MAX)
        content = file.read_bytes()
        study = (
            identity.study_instance_uid or self.study_of(origin.site, identity) or uid_of(sha256(content).digest()[:16])
        )
        made = photograph(content, replace(identity, study_instance_uid=study), description, number)
        new = self._new(origin.site, replace(identity, study_instance_uid=study), {made.sop_instance_uid: made})
        for one in new:
            stage = self._blobs.stage(PHOTOGRAPH, one.sop_instance_uid, JPEG_BASELINE, len(one.dataset))
            stage.write(one.dataset)
            self._ingest.ingest(stage.finish(), origin)
        return Taken(study, "", len(new), 1 - len(new), "")

    def _series_number(self, site: str, study: str, series: str) -> int:
        """Return which of a study's slides a series is, or will be."""
        with self._db.read() as connection:
            slides = [row for row in series_of_study(connection, site, study) if row.modality == MODALITY]
        numbers = {row.series_instance_uid: row.series_number or 0 for row in slides}
        return numbers.get(series) or 1 + min(max(numbers.values(), default=0), _NUMBER_MAX - 1)

    def _new(self, site: str, identity: Identity, parts: dict[str, T]) -> list[T]:
        """Return what is not here yet. Raises IdentityMismatch."""
        study, sites = identity.study_instance_uid, frozenset({site})
        with self._db.read() as connection:
            here = known_instances(connection, site, list(parts))
            for _, found in studies_of_instances(connection, list(here), sites):
                if found != study:
                    raise IdentityMismatch(keyword="StudyInstanceUID", elsewhere=_ELSEWHERE)
            matches = {"StudyInstanceUID": parse_key("StudyInstanceUID", "UI", study)}
            for row in search_studies(connection, StudyQuery(matches=matches, sites=sites, limit=1)).rows:
                if row.patient_id != identity.patient_id:
                    raise IdentityMismatch(keyword="PatientID", elsewhere=_ELSEWHERE if here else _OF_THE_STUDY)
        return [part for uid, part in parts.items() if uid not in here]

    def _store(self, converter: Converter, part: Part, origin: Origin, progress: Callable[[int], None]) -> None:
        """Write one instance beside the blobs and ingest it."""
        uid = converter.sop_instance_uid(part)
        with tempfile.TemporaryDirectory(prefix="slide-", dir=self._scratch) as folder:
            path = Path(folder) / "instance"
            converter.write(part, path, progress)
            with path.open("rb") as written:
                meta = read_file_meta(written.read(_META_BYTES))
                stage = self._blobs.stage(WHOLE_SLIDE, uid, meta.transfer_syntax_uid, path.stat().st_size)
                written.seek(meta.dataset_offset)
                while piece := written.read(_PIECE_BYTES):
                    stage.write(piece)
        self._ingest.ingest(stage.finish(), origin)
