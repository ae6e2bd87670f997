"""Slides that are open: from a granted series to its tiles, without a look at the database for each of them.

A slide's revision is a digest of the instances that it was made of, so a tile under a revision never changes. Its index
is kept on disk under that name and found again after a restart; what is remembered here are whereabouts, never rights.
"""

import hashlib
import mmap
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from consult.slides.kept import Kept
from kernel.access.memory import NotRemembered, about_to_wait, may_wait
from kernel.archive import index as archive_index
from kernel.archive.blobs.stage import told
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Located
from kernel.database import Database
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.errors import BlobMissing, MalformedSlide, NotFound
from wsi.frame_form import FrameForm, form_of
from wsi.index_child import InstanceFile, shared_index_maker
from wsi.index_file import load
from wsi.slide import Slide
from wsi.tile_index import SlideIndex, Span

OPEN_MAX: Final = 64  # slides whose indexes are mapped; the longest unused is closed
INDEX_VERSION: Final = b"2"  # changes with what an index says of the same instances
INDEX: Final = "index"
INDEX_BYTES: Final = 1024 * 1024  # of one that finds no room, about: 14 a tile
_MAKERS: Final = 16  # indexes that may be made at once; one slide's is made once
_WITHOUT_WAITING: Final[int] = getattr(os, "RWF_NOWAIT", 0)  # Linux: only what the page cache has


@dataclass(frozen=True, slots=True)
class OpenSlide:
    """A slide of one revision and the files that its tiles are in."""

    revision: str
    slide: Slide
    located: tuple[Located, ...]  # its files, in the order in which the index counts them
    paths: tuple[Path, ...]
    _forms: dict[int, FrameForm] = field(default_factory=dict[int, FrameForm])

    def read(self, span: Span) -> bytes:
        """Read bytes of one of its files.

        Raises
        ------
        BlobMissing
            They are not there.
        NotRemembered
            They are not in the page cache, and this thread may not wait.
        """
        try:
            descriptor = os.open(self.paths[span.file], os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BlobMissing(key=self.paths[span.file].name) from None
        try:
            data = self._read(descriptor, span)
        finally:
            os.close(descriptor)
        if len(data) != span.length:
            about_to_wait()  # only a part of it is in the page cache
            raise BlobMissing(key=self.paths[span.file].name)
        return data

    def _read(self, descriptor: int, span: Span) -> bytes:
        if may_wait():
            return os.pread(descriptor, span.length, span.offset)
        data = bytearray(span.length)
        try:
            got = os.preadv(descriptor, [data], span.offset, _WITHOUT_WAITING)
        except OSError:
            raise NotRemembered from None
        return bytes(data[:got])

    def form_of(self, file: int) -> FrameForm:
        """Return how the frames of one of its files are encoded."""
        form = self._forms.get(file)
        if form is None:
            about_to_wait()
            one = self.located[file]
            with _mapped(self.paths[file]) as view:
                form = self._forms[file] = form_of(view, one.transfer_syntax_uid, one.dataset_offset)
        return form


class Shelf:
    """The open slides of a node; safe in threads."""

    def __init__(self, db: Database, blobs: Blobs, kept: Kept) -> None:
        self._db = db
        self._blobs = blobs
        self._kept = kept
        self._lock = threading.Lock()
        self._making = [threading.Lock() for _ in range(_MAKERS)]
        self._open: OrderedDict[tuple[str, str, str, str], OpenSlide] = OrderedDict()
        self._latest: OrderedDict[tuple[str, str, str, bool], tuple[int, OpenSlide]] = OrderedDict()  # at which commit

    def current(self, grant: archive_index.Granted, series_instance_uid: str) -> OpenSlide:
        """Return the slide of a series as it is now; from memory alone, if nothing was written since it was asked for.

        Raises
        ------
        NotFound
            The series has no slide.
        MalformedSlide, MalformedInstance, LimitExceeded
            It cannot be read, or parts of it have not arrived.
        StorageFull
            There is no space for its index.
        """
        asked, commits = (grant.site, grant.study_instance_uid, series_instance_uid, grant.labels), self._db.commits
        with self._lock:
            latest = self._latest.get(asked)
        if latest is not None and latest[0] == commits:
            return latest[1]
        about_to_wait()
        with self._db.read() as connection:
            found = archive_index.locate_series(connection, grant, series_instance_uid)
        located = sorted(
            (one for one in found if one.sop_class_uid == WHOLE_SLIDE), key=lambda one: one.sop_instance_uid
        )
        if not located:
            raise NotFound(what="slide in this series")
        key = (grant.site, grant.study_instance_uid, series_instance_uid, _revision(located))
        one = self._remembered(key) or self._opened(key, tuple(located))
        with self._lock:
            self._latest[asked] = (commits, one)
            self._latest.move_to_end(asked)
            while len(self._latest) > OPEN_MAX:
                self._latest.popitem(last=False)
        return one

    def at(self, grant: archive_index.Granted, series_instance_uid: str, revision: str) -> OpenSlide:
        """Return the slide of a series in one revision; from memory alone, if it is there.

        Raises
        ------
        NotFound
            The series has become another slide since, or is no slide.
        As `current`.
        """
        key = (grant.site, grant.study_instance_uid, series_instance_uid, revision)
        one = self._remembered(key)
        if one is None:
            about_to_wait()
            one = self.current(grant, series_instance_uid)
        if one.revision != revision:
            raise NotFound(what="revision of this slide; ask for its description again")
        return one

    def forget(self) -> None:
        """Forget all slides and what was made of them: instances were deleted."""
        with self._lock:
            self._open.clear()
            self._latest.clear()
        self._kept.clear()

    def _remembered(self, key: tuple[str, str, str, str]) -> OpenSlide | None:
        with self._lock:
            one = self._open.get(key)
            if one is not None:
                self._open.move_to_end(key)
            return one

    def _opened(self, key: tuple[str, str, str, str], located: tuple[Located, ...]) -> OpenSlide:
        revision = key[3]
        with self._making[int(revision, 16) % _MAKERS]:
            paths = tuple(self._blobs.path(one.blob_key) for one in located)
            one = OpenSlide(revision, Slide(self._index(revision, located, paths)), located, paths)
        with self._lock:
            self._open[key] = one
            while len(self._open) > OPEN_MAX:
                self._open.popitem(last=False)
        return one

    def _index(self, revision: str, located: tuple[Located, ...], paths: tuple[Path, ...]) -> SlideIndex:
        kept = self._kept.path(revision, INDEX)
        try:
            return load(kept)
        except (OSError, ValueError, MalformedSlide):  # not there yet, or of an older version: it is made of the files
            pass
        files = zip(paths, located, strict=True)
        try:
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shared_index_maker().make(
                [InstanceFile(str(path), one.transfer_syntax_uid, one.dataset_offset) for path, one in files], kept
            )
            return load(kept)
        except OSError as error:
            raise told(error, self._blobs, INDEX_BYTES) from error


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise BlobMissing(key=path.name) from None


def _revision(located: list[Located]) -> str:
    digest = hashlib.sha256(INDEX_VERSION)
    for one in located:
        digest.update(f"{one.sop_instance_uid} {one.sha256} {one.transfer_syntax_uid}\n".encode())
    return digest.hexdigest()[:32]
