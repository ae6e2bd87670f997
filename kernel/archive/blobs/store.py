"""Bytes by digest on a local file system: stage, promote, open, verify.

    <root>/incoming/<new>               stages: nothing promised; swept when the node starts
    <root>/ab/<sha256>-<syntax>         blobs: the canonical file meta, then the data set as sent
    <root>/quarantine/<sha256>-<syntax> refused instances, for a person to look at
    <root>/doomed/                      blobs in the moment of being removed
    <root>/made/ab/<sha256>-<syntax>/   what was made of a blob and can be made again; goes when the blob goes

`sha256` is that of the encoded data set and `syntax` its Transfer Syntax UID: together they determine every byte of the
blob, because the file meta is a function of the identifiers alone. So a name is never rewritten with other bytes, two
sites may share a blob, and a blob without a row (a crash between the two) is harmless: the same instance takes it up.
Names hold no patient data. One level of 256 folders is made beforehand, so that no new folder is ever synced on the
way of an instance.

The order is rename, then fdatasync and fsync of the folder side by side (flushing.py). On a journalling file system
whichever comes first commits the new name together with the size, and the other finds nothing to do.
"""

import hashlib
import itertools
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, Protocol

from kernel.archive.blobs.durable import flush_data, flush_folder, rename_new
from kernel.archive.blobs.flushing import Flushing
from kernel.archive.blobs.folders import Folders
from kernel.archive.blobs.spool import IN_MEMORY_BYTES, Scratch, Spool
from kernel.archive.blobs.stage import Stage, told
from kernel.archive.records import Staged
from kernel.errors import BlobMissing, DigestMismatch, StorageFull

DECLARED_CHARACTERS_MAX: Final = 128  # of a declared UID; PS3.5 9.1 allows 64
_INCOMING: Final = "incoming"
_QUARANTINE: Final = "quarantine"
_DOOMED: Final = "doomed"
_MADE: Final = "made"
_KEY: Final = re.compile(r"(?:[0-9a-f]{2}|quarantine)/[0-9a-f]{64}-[0-9.]{1,64}")
_SYNTAX: Final = re.compile(r"[0-9.]{1,64}")


__all__ = ["BlobStore", "Blobs", "Stage", "discard", "key_of"]


class BlobStore(Protocol):
    """What the archive asks of any store of blobs; `Blobs` is the local one, an S3 store would be another."""

    def begin(self, staged: Staged) -> Flushing:
        """Give a stage its key, and begin to make it durable."""
        ...

    def promote(self, staged: Staged) -> str:
        """Make a stage durable under its key, which is returned."""
        ...

    def open(self, key: str) -> BufferedReader:
        """Open a blob for reading."""
        ...

    def verify(self, key: str, sha256: str, dataset_offset: int) -> None:
        """Raise unless the blob's data set has this digest."""
        ...

    def delete(self, key: str) -> None:
        """Forget a blob; absent is fine."""
        ...


class Blobs:
    """The local store. Safe to use from many threads, and from many processes of one node."""

    def __init__(self, root: Path, free_bytes_min: int) -> None:
        self._root = root
        self._free_bytes_min = free_bytes_min
        self._folders = Folders(root)
        self._incoming = root / _INCOMING
        self._first_name = secrets.token_hex(6)  # of this store's stages: several processes may have one folder
        self._numbers = itertools.count()
        folders = [
            root / name
            for name in (_INCOMING, _QUARANTINE, _DOOMED, _MADE, *(f"{number:02x}" for number in range(256)))
        ]
        if not all(folder.is_dir() for folder in folders):
            for folder in folders:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flush_folder(root)

    @property
    def free_bytes(self) -> int:
        """Bytes that may still be taken above the reserve; negative below it."""
        state = os.statvfs(self._root)
        return state.f_bavail * state.f_frsize - self._free_bytes_min

    def check_space(self, needed_bytes: int) -> None:
        """Raise StorageFull when taking so many bytes would touch the reserve."""
        free_bytes = self.free_bytes
        if needed_bytes > free_bytes:
            raise StorageFull(needed_bytes=needed_bytes, free_bytes=max(0, free_bytes))

    def stage(
        self,
        sop_class_uid: str,
        sop_instance_uid: str,
        transfer_syntax_uid: str,
        expected_bytes: int | None = None,
    ) -> Stage:
        """Begin to receive an instance, with the identifiers that the sender declares.

        Raises
        ------
        StorageFull
            Fewer than `expected_bytes` are free above the reserve; nothing was taken.
        """
        self.check_space(expected_bytes or 0)
        path = self._incoming / f"{self._first_name}-{os.getpid():x}-{next(self._numbers):x}"
        declared = (_declared(sop_class_uid), _declared(sop_instance_uid), _declared(transfer_syntax_uid))
        return Stage(self, path, declared)

    def spool(self, expected_bytes: int = 0) -> Spool:
        """Begin to receive bytes that will be put together with others; nothing of them survives.

        Raises
        ------
        StorageFull
            Fewer than `expected_bytes` are free above the reserve.
        """
        self.check_space(expected_bytes)
        return Spool(self, self._incoming)

    def unnamed(self) -> IO[bytes]:
        """Return a new file for bytes that are written in no order; nothing of it survives, as it has no name."""
        return tempfile.TemporaryFile(dir=self._incoming)

    def scratch(self) -> Scratch:
        """Return a place where bytes wait for others; it asks for space when they become many."""
        return Scratch(lambda: self.spool(IN_MEMORY_BYTES))

    def begin(self, staged: Staged) -> Flushing:
        """Give the stage its final name and begin to make bytes, size and name durable: they are when it was waited for.

        A blob of the same name has, or after a power cut should have, the same bytes; it is replaced in one step by
        the ones just flushed, which are known to be whole.

        Raises
        ------
        StorageFull
            The disk is full; the stage is gone. Waiting may raise it too.
        """
        return self._begin(staged, key_of(staged))

    def promote(self, staged: Staged) -> str:
        """Do the same; bytes, size and name are durable when the key is returned. Raises as `begin`."""
        key = key_of(staged)
        with self._begin(staged, key) as flushing:
            flushing.wait()
        return key

    def set_apart(self, staged: Staged) -> str:
        """Move a refused stage into quarantine, durably, and return its key there."""
        key = f"{_QUARANTINE}/{_name_of(staged)}"
        with self._begin(staged, key) as flushing:
            flushing.wait()
        return key

    def _begin(self, staged: Staged, key: str) -> Flushing:
        source, final = str(staged.path), f"{self._root}/{key}"
        try:
            descriptor = staged.file.taken() if staged.file is not None else None
            if descriptor is None:
                descriptor = os.open(source, os.O_RDWR | os.O_CLOEXEC)
            try:
                if not rename_new(source, final):
                    flush_data(descriptor)  # before it replaces what somebody else may have been promised
                    os.replace(source, final)  # noqa: PTH105 (plain texts: this is every instance's way)
                folder = self._folders.descriptor(key.partition("/")[0])
            except BaseException:
                os.close(descriptor)
                raise
            return Flushing(descriptor, folder, lambda error: told(error, self, staged.size_bytes))
        except OSError as error:
            staged.path.unlink(missing_ok=True)
            raise told(error, self, staged.size_bytes) from error

    def path(self, key: str) -> Path:
        """Return where a blob is, for readers that want a file descriptor or a map of it."""
        assert _KEY.fullmatch(key), "keys come from this class"
        return self._root / key

    def made_of(self, key: str) -> Path:
        """Return the folder for what is made of a blob and can be made again; it may not be there yet."""
        assert _KEY.fullmatch(key), "keys come from this class"
        return self._root / _MADE / key

    def all_made(self) -> Iterator[Path]:
        """Yield the folders of `made_of` that are there."""
        for folder in (self._root / _MADE).iterdir():
            with os.scandir(folder) as entries:
                yield from (Path(entry.path) for entry in entries)

    def open(self, key: str) -> BufferedReader:
        """Open a blob for reading.

        Raises
        ------
        BlobMissing
            There is none of that name.
        """
        try:
            return self.path(key).open("rb")
        except FileNotFoundError:
            raise BlobMissing(key=key) from None

    def verify(self, key: str, sha256: str, dataset_offset: int) -> None:
        """Read the whole blob and compare.

        Raises
        ------
        BlobMissing, DigestMismatch
            The bytes that were promised are not there.
        """
        with self.open(key) as blob:
            blob.seek(dataset_offset)
            if hashlib.file_digest(blob, "sha256").hexdigest() != sha256:
                raise DigestMismatch(key=key)

    def delete(self, key: str) -> None:
        """Forget a blob; absent is fine. Whoever calls knows that no row names it."""
        self.path(key).unlink(missing_ok=True)
        shutil.rmtree(self.made_of(key), ignore_errors=True)

    def settled(self, key: str, before: float) -> int | None:
        """Return which file a blob is (its inode) if it got its name before a moment (s since 1970); 0 if it is gone.

        None when it got its name later: somebody may be about to commit the row that names it.
        """
        try:
            state = self.path(key).stat()
        except FileNotFoundError:
            return 0
        return state.st_ino if state.st_ctime <= before else None

    def remove(self, key: str, inode: int) -> bool:
        """Remove a blob unless another file got its name meanwhile; durable on return.

        The file is first given a name that says which it should be, so that one taken by mistake is put back, after a
        crash too.
        """
        doomed = self._root / _DOOMED / f"{key.replace('/', '@')}@{inode}"
        try:
            self.path(key).rename(doomed)
        except FileNotFoundError:
            return False
        removed = self._end(doomed)
        flush_folder(self.path(key).parent)
        shutil.rmtree(self.made_of(key), ignore_errors=True)
        return removed

    def _end(self, doomed: Path) -> bool:
        """Unlink a doomed file, or put it back if it is not the one that was meant."""
        folder, name, inode = doomed.name.split("@")
        if doomed.stat().st_ino == int(inode):
            doomed.unlink()
            return True
        final = self._root / folder / name
        if not rename_new(doomed, final):
            doomed.unlink()  # the same bytes came a third time
        flush_folder(final.parent)
        return False

    def walk(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield every blob's key and state, quarantine included, folder by folder."""
        for folder in sorted(self._root.iterdir()):
            if folder.name in (_INCOMING, _DOOMED, _MADE) or not folder.is_dir():
                continue
            with os.scandir(folder) as entries:
                for entry in entries:
                    yield f"{folder.name}/{entry.name}", entry.stat()

    def sweep(self) -> int:
        """Remove the stages of a run that ended, and end its removals; called once at start, before anybody stages.

        Return how many stages there were.
        """
        for doomed in (self._root / _DOOMED).iterdir():
            self._end(doomed)
        stages = list(self._incoming.iterdir())
        for stage in stages:
            stage.unlink(missing_ok=True)
        return len(stages)


def key_of(staged: Staged) -> str:
    """Return the key under which `Blobs.promote` will keep a stage."""
    return f"{staged.sha256[:2]}/{_name_of(staged)}"


def discard(staged: Staged) -> None:
    """Forget a stage that will not be promoted; safe when it is gone already."""
    if staged.file is not None:
        staged.file.close()
    staged.path.unlink(missing_ok=True)


def _declared(text: str) -> str:
    """Return what a stranger calls a UID in a form that file meta can hold; it stays unequal to any real UID."""
    return text.encode("ascii", "replace").decode("ascii")[:DECLARED_CHARACTERS_MAX]


def _name_of(staged: Staged) -> str:
    syntax = staged.transfer_syntax_uid
    return f"{staged.sha256}-{syntax if _SYNTAX.fullmatch(syntax) else '0'}"
