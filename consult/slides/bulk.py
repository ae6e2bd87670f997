"""The bulk annotations of a slide that are in its study, read once and remembered within a bound."""

import mmap
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from consult.slides.shelf import OpenSlide, Shelf
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Located
from kernel.database import Database
from kernel.errors import LimitExceeded, MalformedInstance, MalformedSlide, NotFound
from wsi.bulk import BULK_ANNOTATIONS, Group, read_groups, refers_to
from wsi.limits import at_most

INSTANCES_MAX: Final = 64  # of bulk annotations in one study
BYTES_MAX: Final = 1 << 29  # of one of them
REMEMBERED_POINTS_MAX: Final = 20_000_000

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Bulk:
    """One instance's groups."""

    sop_instance_uid: str
    groups: tuple[Group, ...]

    @property
    def points(self) -> int:
        """What it costs to remember; two figures of a measurement are as much as a point."""
        figures = sum(len(one.values) for group in self.groups for one in group.measurements)
        return sum(len(group.points) for group in self.groups) + figures


class BulkAnnotations:
    """Reads bulk annotations of slides; safe in threads."""

    def __init__(self, db: Database, blobs: Blobs, shelf: Shelf) -> None:
        self._db = db
        self._blobs = blobs
        self._shelf = shelf
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # one at a time: each takes memory
        self._read: OrderedDict[Key, Bulk] = OrderedDict()

    def of(self, grant: StudyGrant, series_instance_uid: str) -> tuple[OpenSlide, list[Bulk], int]:
        """Return a slide, all that is annotated in bulk on it, and how many instances of that cannot be read.

        Raises
        ------
        NotFound, MalformedSlide
            As `Shelf.current`.
        LimitExceeded
            The study has too many.
        """
        slide = self._shelf.current(grant, series_instance_uid)
        with self._db.read() as connection:
            study = archive_index.locate_study(connection, grant)
        found = [one for one in study if one.sop_class_uid == BULK_ANNOTATIONS]
        at_most("instances of bulk annotations in a study", len(found), INSTANCES_MAX)
        read: list[Bulk] = []
        unread = 0
        for one in found:
            try:
                if self._is_about(one, series_instance_uid, slide):
                    read.append(self._bulk(grant, series_instance_uid, slide, one))
            except (MalformedInstance, MalformedSlide, LimitExceeded):
                unread += 1
        return slide, read, unread

    def group(self, grant: StudyGrant, series_instance_uid: str, revision: str, instance: str, number: int) -> Group:
        """Return one group on one revision of a slide.

        Raises
        ------
        NotFound
            There is none.
        As `wsi.bulk.read_groups`.
        """
        key = (grant.site, grant.study_instance_uid, series_instance_uid, revision, instance)
        with self._lock:
            bulk = self._read.get(key)
        if bulk is None:
            slide = self._shelf.at(grant, series_instance_uid, revision)
            with self._db.read() as connection:
                one = next(iter(archive_index.locate_some(connection, grant, [instance])), None)
            if one is None or one.sop_class_uid != BULK_ANNOTATIONS:
                raise NotFound(what="bulk annotations")
            bulk = self._bulk(grant, series_instance_uid, slide, one)
        group = next((group for group in bulk.groups if group.number == number), None)
        if group is None:
            raise NotFound(what="group of annotations")
        return group

    def forget(self) -> None:
        """Forget all that was read: instances were deleted."""
        with self._lock:
            self._read.clear()

    def _is_about(self, one: Located, series: str, slide: OpenSlide) -> bool:
        with self._mapped(one) as buffer:
            refers = refers_to(buffer, one.transfer_syntax_uid, one.dataset_offset)
        return series in refers.series or any(file.sop_instance_uid in refers.instances for file in slide.located)

    def _bulk(self, grant: StudyGrant, series: str, slide: OpenSlide, one: Located) -> Bulk:
        key = (grant.site, grant.study_instance_uid, series, slide.revision, one.sop_instance_uid)
        with self._reading:
            with self._lock:
                known = self._read.get(key)
            if known is not None:
                return known
            files = tuple(file.sop_instance_uid for file in slide.located)
            with self._mapped(one) as buffer:
                groups = read_groups(buffer, one.transfer_syntax_uid, one.dataset_offset, slide.slide.index, files)
            bulk = Bulk(one.sop_instance_uid, groups)
        with self._lock:
            self._read[key] = bulk
            while len(self._read) > 1 and sum(each.points for each in self._read.values()) > REMEMBERED_POINTS_MAX:
                self._read.popitem(last=False)
        return bulk

    def _mapped(self, one: Located) -> mmap.mmap:
        at_most("bytes of bulk annotations", one.size_bytes, BYTES_MAX)
        with self._blobs.open(one.blob_key) as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
