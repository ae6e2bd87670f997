"""One instance of a retrieval on its way out: in which transfer syntax, and its bytes.

The stored bytes go as they are whenever the receiver takes their transfer syntax. Only when it does not is an instance
transcoded, which takes memory and time; an instance too large for that counts as failed.
"""

import mmap
import os
from collections.abc import Collection, Iterator
from contextlib import closing
from typing import Final, NamedTuple

from kernel.archive.blobs.spool import Scratch
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Located
from kernel.dicom.transcoding.transcode import LOSSLESS_TARGETS, can_transcode, transcode
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import BlobMissing

READ_BYTES_MAX: Final = 1024 * 1024  # of a stored instance that is read; of a larger one the file's pages are sent
PLAIN: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
# What is made when the stored syntax is not taken, best first; nothing is lost.
FALLBACKS: Final = (*PLAIN, *sorted(LOSSLESS_TARGETS.difference(PLAIN)))


def syntax_for(located: Located, accepted: Collection[str]) -> str | None:
    """Return the transfer syntax in which an instance goes, None when the receiver takes none that we can make."""
    if located.transfer_syntax_uid in accepted:
        return located.transfer_syntax_uid
    stored = located.transfer_syntax_uid
    return next((uid for uid in FALLBACKS if uid in accepted and can_transcode(stored, uid)), None)


class DataSets:
    """The data sets of one retrieval, one at a time, and the next made ready ahead."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._ahead: _Ahead | None = None
        self._buffer = memoryview(b"")  # one for all small instances: mapping each costs more than reading

    def of(self, located: Located, transfer_syntax_uid: str) -> memoryview | Iterator[bytes]:
        """Return an encoded data set, whole or in pieces; good until the next is made ready or asked for.

        Whatever can fail for this instance alone fails before the first byte.

        Raises
        ------
        BlobMissing
            The blob is gone, or its size is not what the index says.
        UnsupportedTransferSyntax, MalformedInstance, LimitExceeded
            It cannot be transcoded.
        StorageFull
            There is no space for a transcoded one to wait.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead.what != (located.blob_key, transfer_syntax_uid):
            _forget(ahead)
            return _given(self._made(located, transfer_syntax_uid))
        if isinstance(ahead.made, Exception):
            raise ahead.made
        return _given(ahead.made)

    def ready(self, located: Located, transfer_syntax_uid: str) -> None:
        """Make ready what will be asked for next, while the peer works on what it was sent; `of` tells what failed."""
        _forget(self._ahead)
        made: _Made | Exception
        try:
            made = self._made(located, transfer_syntax_uid)
        except Exception as error:  # noqa: BLE001 (as `of` would raise it)
            made = error
        self._ahead = _Ahead((located.blob_key, transfer_syntax_uid), made)

    def close(self) -> None:
        """Forget what was made ready and not asked for."""
        ahead, self._ahead = self._ahead, None
        _forget(ahead)

    def _made(self, located: Located, transfer_syntax_uid: str) -> "_Made":
        path = self._blobs.path(located.blob_key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BlobMissing(key=located.blob_key) from None
        try:
            if os.fstat(descriptor).st_size != located.size_bytes:
                raise BlobMissing(key=located.blob_key)
            if transfer_syntax_uid == located.transfer_syntax_uid:
                return self._stored(descriptor, located)
        finally:
            os.close(descriptor)
        waiting = self._blobs.scratch()
        try:
            made = transcode(path, transfer_syntax_uid, scratch=self._blobs.scratch)
            for chunk in made.chunks:  # a damaged frame shows here, before anything is sent
                waiting.append(chunk)
        except BaseException:
            waiting.close()
            raise
        return waiting

    def _stored(self, descriptor: int, located: Located) -> memoryview:
        """Return the stored bytes, read or as a view of the file's pages: of a large instance nothing is copied."""
        size = located.size_bytes - located.dataset_offset
        if size > READ_BYTES_MAX:
            mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)  # goes with the last view of it
            return memoryview(mapped)[located.dataset_offset :]
        if not self._buffer:
            self._buffer = memoryview(bytearray(READ_BYTES_MAX))
        if os.preadv(descriptor, [self._buffer[:size]], located.dataset_offset) != size:
            raise BlobMissing(key=located.blob_key)
        return self._buffer[:size]


_Made = memoryview | Scratch


class _Ahead(NamedTuple):
    """What was made ready, or why that failed."""

    what: tuple[str, str]  # key of the blob, transfer syntax
    made: _Made | Exception


def _forget(ahead: _Ahead | None) -> None:
    if ahead is not None and isinstance(ahead.made, Scratch):
        ahead.made.close()


def _given(made: _Made) -> memoryview | Iterator[bytes]:
    return _waiting(made) if isinstance(made, Scratch) else made


def _waiting(scratch: Scratch) -> Iterator[bytes]:
    with closing(scratch):
        yield from scratch.chunks()
