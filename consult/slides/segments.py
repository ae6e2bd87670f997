"""The segmentations of a slide that are in its study: which there are, where they lie, and why one cannot be shown."""

import hashlib
import mmap
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from consult.slides.shelf import OpenSlide, Shelf
from kernel import telemetry
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Located
from kernel.database import Database
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.scanner import scan_apart
from kernel.dicom.vocabulary.limits import malformed
from kernel.errors import BlobMissing, LimitExceeded, MalformedInstance, MalformedSlide, NotFound
from wsi.limits import at_most
from wsi.segment_places import Laid, laid_on
from wsi.segmentation import SEGMENTATIONS, About, Reason, Segment, Segmentation, about_of, read_segmentation

INSTANCES_MAX: Final = 256  # of segmentations in one study
REMEMBERED_MAX: Final = 16  # slides whose segmentations are remembered,
REMEMBERED_FRAMES_MAX: Final = 8_000_000  # with so many frames at most, if there are several

_Key = tuple[str, str, str, str]
_log = telemetry.get_logger("consult.slides")


@dataclass(frozen=True, slots=True)
class Part:
    """One instance: a level of a pyramid, or a part of one."""

    located: Located
    one: Segmentation
    laid: Laid


@dataclass(frozen=True, slots=True)
class Overlay:
    """One segmentation of a slide."""

    id: str  # a digest of its instances: what is under it never changes
    label: str
    segments: tuple[Segment, ...]
    parts: tuple[Part, ...]
    reason: Reason | None  # None: it can be shown

    def at(self, octave: int) -> tuple[Part, ...]:
        """Return the parts of the level that an octave is made of: the coarsest that is not coarser, else the finest."""
        levels = {part.laid.octave for part in self.parts}
        chosen = max((level for level in levels if level <= octave), default=min(levels))
        return tuple(part for part in self.parts if part.laid.octave == chosen)


class _Remembered(NamedTuple):
    commits: int
    fingerprint: str  # of the instances
    overlays: tuple[Overlay, ...]
    missing: tuple[str, ...]  # blobs that were not there when they were read

    @property
    def frames(self) -> int:
        return sum(len(part.one.frames.numbers) for overlay in self.overlays for part in overlay.parts)


class Segmentations:
    """Reads segmentations of slides; safe in threads."""

    def __init__(self, db: Database, blobs: Blobs, shelf: Shelf) -> None:
        self._db = db
        self._blobs = blobs
        self._shelf = shelf
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # one at a time: each takes memory
        self._read: OrderedDict[_Key, _Remembered] = OrderedDict()

    def of(self, grant: StudyGrant, series_instance_uid: str) -> tuple[OpenSlide, tuple[Overlay, ...]]:
        """Return a slide and its segmentations; from memory alone, if nothing was written since they were asked for.

        Raises
        ------
        NotFound, MalformedSlide
            As `Shelf.current`.
        LimitExceeded
            The study has too many.
        """
        slide = self._shelf.current(grant, series_instance_uid)
        key, commits = (grant.site, grant.study_instance_uid, series_instance_uid, slide.revision), self._db.commits
        known = self._remembered(key)
        if known is not None and known.commits == commits:
            return slide, known.overlays
        with self._db.read() as connection:
            study = archive_index.locate_study(connection, grant)
        found = [one for one in study if one.sop_class_uid in SEGMENTATIONS]
        at_most("instances of segmentations in a study", len(found), INSTANCES_MAX)
        fingerprint = _digest(found)
        with self._reading:
            known = self._remembered(key)
            if known is None or known.fingerprint != fingerprint or self._is_back(known.missing):
                known = _Remembered(commits, fingerprint, *self._overlays(slide, series_instance_uid, found))
            self._remember(key, known._replace(commits=commits))
        return slide, known.overlays

    def one(
        self, grant: StudyGrant, series_instance_uid: str, revision: str, overlay: str
    ) -> tuple[OpenSlide, Overlay]:
        """Return one segmentation that can be shown, on one revision of a slide.

        Raises
        ------
        NotFound
            There is none.
        As `of`.
        """
        slide, overlays = self.of(grant, series_instance_uid)
        found = next((one for one in overlays if one.id == overlay and one.reason is None), None)
        if found is None or slide.revision != revision:
            raise NotFound(what="segmentation of this slide")
        return slide, found

    def forget(self) -> None:
        """Forget all that was read: instances were deleted."""
        with self._lock:
            self._read.clear()

    def mapped(self, one: Located) -> mmap.mmap:
        """Map an instance's file.

        Raises
        ------
        BlobMissing
            It is not there.
        MalformedInstance
            It is empty.
        """
        with self._blobs.open(one.blob_key) as file:
            try:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise malformed("there is nothing in it") from None

    def _is_back(self, missing: Sequence[str]) -> bool:
        return any(self._blobs.path(key).exists() for key in missing)

    def _remembered(self, key: _Key) -> _Remembered | None:
        with self._lock:
            found = self._read.get(key)
            if found is not None:
                self._read.move_to_end(key)
            return found

    def _remember(self, key: _Key, known: _Remembered) -> None:
        with self._lock:
            self._read[key] = known
            self._read.move_to_end(key)
            while len(self._read) > 1 and (
                len(self._read) > REMEMBERED_MAX
                or sum(one.frames for one in self._read.values()) > REMEMBERED_FRAMES_MAX
            ):
                self._read.popitem(last=False)

    def _overlays(
        self, slide: OpenSlide, series: str, found: Sequence[Located]
    ) -> tuple[tuple[Overlay, ...], tuple[str, ...]]:
        """Return the segmentations of a slide, and the blobs that are missing: one that is hides no other."""
        with self.mapped(finest := slide.located[int(slide.slide.index.levels[0].files[0])]) as buffer:
            space = about_of(_scanned(buffer, finest)).frame_of_reference_uid
        missing: list[str] = []
        whole: dict[tuple[str, str], list[tuple[Located, Segmentation | Reason]]] = defaultdict(list)
        for one in found:
            try:
                with self.mapped(one) as buffer:
                    header = _scanned(buffer, one)
                    if not _is_about(about_of(header), series, slide, space):
                        continue
                    read = read_segmentation(header, one.transfer_syntax_uid)
            except BlobMissing:
                _log.error("segmentation_missing", instance=one.sop_instance_uid)
                missing.append(one.blob_key)
                read = "damaged"
            except LimitExceeded:
                read = "large"
            except (MalformedInstance, MalformedSlide, NotFound):
                read = "damaged"
            same = "" if isinstance(read, str) else read.whole
            whole[one.series_instance_uid, same or one.sop_instance_uid].append((one, read))
        return tuple(_overlay(slide, space, parts) for parts in whole.values()), tuple(missing)


def _scanned(buffer: Buffer, one: Located) -> Header:
    return scan_apart(buffer, one.transfer_syntax_uid, offset=one.dataset_offset)


def _is_about(about: About, series: str, slide: OpenSlide, space: str) -> bool:
    """Whether an instance is about a slide: as it says, or if it does not say, because it lies in the slide's space."""
    refers = about.refers
    if not refers.series and not refers.instances:
        return bool(space) and about.frame_of_reference_uid == space
    return series in refers.series or any(file.sop_instance_uid in refers.instances for file in slide.located)


def _overlay(slide: OpenSlide, space: str, found: Sequence[tuple[Located, Segmentation | Reason]]) -> Overlay:
    """Put the instances of one segmentation together."""
    instances = tuple(file.sop_instance_uid for file in slide.located)
    segments: dict[int, Segment] = {}
    parts: list[Part] = []
    label, reason = "", None
    for located, one in found:
        if isinstance(one, str):
            reason = one
            continue
        label = label or one.label
        segments |= {segment.number: segment for segment in one.segments}
        laid = _laid(slide, space, instances, one)
        if isinstance(laid, str):
            reason = laid
        elif len(found) < one.parts:
            reason = "incomplete"
        else:
            parts.append(Part(located, one, laid))
    listed = tuple(segments[number] for number in sorted(segments))
    shown = () if reason else tuple(parts)
    return Overlay(_digest([located for located, _ in found])[:32], label, listed, shown, reason)


def _laid(slide: OpenSlide, space: str, instances: tuple[str, ...], one: Segmentation) -> Laid | Reason:
    try:
        return laid_on(slide.slide.index, space, instances, one)
    except MalformedSlide:
        return "unplaced"


def _digest(found: Sequence[Located]) -> str:
    digest = hashlib.sha256()
    for one in sorted(found, key=lambda each: each.sop_instance_uid):
        digest.update(f"{one.sop_instance_uid} {one.sha256} {one.transfer_syntax_uid}\n".encode())
    return digest.hexdigest()
