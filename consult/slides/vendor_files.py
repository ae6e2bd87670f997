"""The files of vendors' slides as they came, where a laboratory wants the node to keep them (`archive.keep_vendor_files`).

    <root>/<series>/about       whose series it is, and how the file ends
    <root>/<series>/file        the bytes
    <root>/<series>/label.jpg   the picture of the label, where OpenSlide finds one; macro.jpg that of the whole glass

Such a file shows the label, and says who scanned whom: it is no instance, so nothing releases, sends or finds it. It is
given to whom labels are shown, and goes with its series. A slide of several files (MIRAX) is kept as a zip of them, which
is taken again as a slide; nothing in it is compressed.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import threading
import zipfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from kernel.archive import index
from kernel.archive.blobs.durable import flush_data, flush_folder
from kernel.archive.blobs.stage import told
from kernel.archive.blobs.store import Blobs
from kernel.database import Database
from kernel.errors import MalformedSlide, NotFound
from wsi import mirax
from wsi.openslide_child import glass_pictures

_SUFFIX: Final = re.compile(r"\.[a-z]{2,8}", re.ASCII)
_NEW: Final = ".new"
_ZIP: Final = ".zip"
Glass = Literal["label", "macro"]
GLASS: Final[tuple[Glass, ...]] = ("label", "macro")  # pictures of the glass
_NAME: Final = "slide"  # of a slide and its folder within a zip; its own may name a patient


class Whose(msgspec.Struct, frozen=True):
    """The series that a file became."""

    site: str
    study_instance_uid: str
    series_instance_uid: str


class _About(msgspec.Struct, frozen=True):
    whose: Whose
    suffix: str  # of its name; the rest of that may name a patient


class _Study(NamedTuple):
    site: str
    study_instance_uid: str
    labels: bool = True


class VendorFile(NamedTuple):
    """A file, and a name for it that says nothing of a patient."""

    path: Path
    name: str

    def picture(self, name: str) -> Path:
        """Return the picture of this name in `GLASS`. Raises NotFound."""
        path = _picture(self.path.parent, name)
        if name not in GLASS or not path.is_file():
            raise NotFound(what="picture of this slide's glass")
        return path


class VendorFiles:
    """Keeps them in one folder; safe in threads and beside other programs."""

    def __init__(self, root: Path, db: Database, blobs: Blobs) -> None:
        self._root = root
        self._db = db
        self._blobs = blobs
        self._waits = threading.Lock()  # held by a sweep that has not begun
        self._sweeps = threading.Lock()

    def keep(self, file: Path, whose: Whose) -> None:
        """Copy a slide's file, and what is beside it; durable on return. What is kept already is passed over.

        Raises
        ------
        MalformedSlide, LimitExceeded
            It was changed meanwhile, or its folder is not that of a slide.
        StorageFull
            There is no space.
        """
        final = self._folder(whose)
        if final.exists():
            return
        several = mirax.is_mirax(file.name)
        files = [file, *(mirax.companions(file) if several else ())]
        before = [_state(one) for one in files]
        size = sum(size for size, _ in before)
        self._blobs.check_space(size)
        suffix = _ZIP if several else file.suffix.lower()
        about = _About(whose, suffix if _SUFFIX.fullmatch(suffix) else "")
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._copying() as folder:
                if several:
                    _zip(files, folder / "file")
                else:
                    shutil.copyfile(file, folder / "file")
                if before != [_state(one) for one in files]:
                    raise MalformedSlide(reason="it was changed while it was read")
                (folder / "about").write_bytes(msgspec.json.encode(about))
                with suppress(MalformedSlide):  # OpenSlide is not there, or does not know it: the file has them
                    glass_pictures(file, folder)
                for one in folder.iterdir():
                    with one.open("rb") as written:
                        flush_data(written.fileno())
                flush_folder(folder)
                with suppress(OSError):  # another was quicker
                    folder.rename(final)
                    flush_folder(self._root)
        except OSError as error:
            raise told(error, self._blobs, size) from error
        if not self._is_here(whose):  # deleted meanwhile: the sweep that went with it came too early for this file
            self._remove(final)

    def has(self, grant: index.Granted, series_instance_uid: str) -> bool:
        """Whether the file of a series, which is here, is kept and would be given to who asks."""
        return grant.labels and self._folder(Whose(grant.site, grant.study_instance_uid, series_instance_uid)).is_dir()

    def pictures(self, grant: index.Granted, series_instance_uid: str) -> list[Glass]:
        """Return which pictures of the glass are kept of a series, which is here, and would be given to who asks."""
        folder = self._folder(Whose(grant.site, grant.study_instance_uid, series_instance_uid))
        return [name for name in GLASS if grant.labels and _picture(folder, name).is_file()]

    def of(self, grant: index.Granted, series_instance_uid: str) -> VendorFile:
        """Return the file of a series.

        Raises
        ------
        NotFound
            None is kept, the series is gone, or labels are not shown to who asks: the answer is the same.
        """
        whose = Whose(grant.site, grant.study_instance_uid, series_instance_uid)
        folder = self._folder(whose)
        if not grant.labels or not folder.is_dir() or not self._is_here(whose):
            raise NotFound(what="vendor's file of this slide")
        try:
            about = msgspec.json.decode((folder / "about").read_bytes(), type=_About)
        except FileNotFoundError:  # swept since
            raise NotFound(what="vendor's file of this slide") from None
        return VendorFile(folder / "file", f"{series_instance_uid}{about.suffix}")

    def sweep_soon(self) -> None:
        """Sweep in a thread, unless a sweep waits already: however many deletions there are, one runs and one waits."""
        if self._waits.acquire(blocking=False):
            threading.Thread(target=self._sweep_next, name="vendor-files-sweep", daemon=True).start()

    def sweep(self) -> None:
        """Remove the files of series that are gone."""
        if not self._root.is_dir():
            return
        for folder in list(self._root.iterdir()):
            if folder.name.endswith(_NEW):
                continue
            try:
                whose = msgspec.json.decode((folder / "about").read_bytes(), type=_About).whose
            except (OSError, msgspec.DecodeError):
                continue
            if not self._is_here(whose):
                self._remove(folder)
        flush_folder(self._root)

    def begin(self) -> None:
        """Remove what went meanwhile, and what an earlier run left half copied, unless a program beside this one copies."""
        with suppress(FileNotFoundError, BlockingIOError), _locked(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB):
            for folder in self._root.glob(f"*{_NEW}"):
                shutil.rmtree(folder, ignore_errors=True)
        self.sweep()

    def _sweep_next(self) -> None:
        with self._sweeps:
            self._waits.release()
            self.sweep()

    def _remove(self, folder: Path) -> None:
        """Remove a file, whole: what is left of it if the program ends meanwhile is taken for half copied."""
        unnamed = self._root / (secrets.token_hex(8) + _NEW)
        with suppress(OSError):  # another was quicker
            folder.rename(unnamed)
            shutil.rmtree(unnamed, ignore_errors=True)

    @contextmanager
    def _copying(self) -> Generator[Path]:
        """Give a new folder that no start of a node removes; gone afterwards, unless it was named."""
        with _locked(self._root, fcntl.LOCK_SH):
            folder = self._root / (secrets.token_hex(8) + _NEW)
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _is_here(self, whose: Whose) -> bool:
        study = _Study(whose.site, whose.study_instance_uid)
        try:
            with self._db.read() as connection:
                return bool(index.locate_series(connection, study, whose.series_instance_uid))
        except NotFound:
            return False

    def _folder(self, whose: Whose) -> Path:
        return self._root / hashlib.sha256("\0".join(msgspec.structs.astuple(whose)).encode()).hexdigest()


@contextmanager
def _locked(folder: Path, how: int) -> Generator[None]:
    """Hold a lock on a folder, which ends with the process at the latest. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _picture(folder: Path, name: str) -> Path:
    return folder / f"{name}.jpg"


def _state(file: Path) -> tuple[int, int]:
    try:
        told = file.stat()
    except FileNotFoundError:
        return -1, -1
    return told.st_size, told.st_mtime_ns


def _zip(files: Sequence[Path], target: Path) -> None:
    """Write a slide's own file, the first, and those of its folder."""
    own, *beside = files
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, strict_timestamps=False) as whole:
        whole.write(own, _NAME + mirax.SUFFIX)
        for one in beside:
            whole.write(one, f"{_NAME}/{one.name}")
