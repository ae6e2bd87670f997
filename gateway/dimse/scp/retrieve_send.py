"""One instance of a retrieval on its way out: in which transfer syntax, and its bytes.

The stored bytes go as they are whenever the receiver takes their transfer syntax. Only when it does not is an instance
transcoded, which takes memory and time; an instance too large for that counts as failed.
"""

import mmap
from collections.abc import Collection, Iterator
from contextlib import closing
from typing import Final

from kernel.archive.blobs import Blobs
from kernel.archive.records import Located
from kernel.archive.spool import Scratch
from kernel.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from kernel.dicom.transcode import LOSSLESS_TARGETS, can_transcode, transcode
from kernel.errors import BlobMissing

PLAIN: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
# What is made when the stored syntax is not taken, best first; nothing is lost.
FALLBACKS: Final = (*PLAIN, *sorted(LOSSLESS_TARGETS.difference(PLAIN)))


def syntax_for(located: Located, accepted: Collection[str]) -> str | None:
    """Return the transfer syntax in which an instance goes, None when the receiver takes none that we can make."""
    if located.transfer_syntax_uid in accepted:
        return located.transfer_syntax_uid
    stored = located.transfer_syntax_uid
    return next((uid for uid in FALLBACKS if uid in accepted and can_transcode(stored, uid)), None)


def data_set_of(blobs: Blobs, located: Located, transfer_syntax_uid: str) -> Iterator[bytes | memoryview]:
    """Return the encoded data set in pieces; whatever can fail for this instance alone fails before the first.

    Raises
    ------
    BlobMissing
        The blob is gone, or shorter than the index says.
    UnsupportedTransferSyntax, MalformedInstance, LimitExceeded
        It cannot be transcoded.
    StorageFull
        There is no space for a transcoded one to wait.
    """
    path = blobs.path(located.blob_key)
    try:
        whole = path.stat().st_size == located.size_bytes
    except FileNotFoundError:
        whole = False
    if not whole:
        raise BlobMissing(key=located.blob_key)
    if transfer_syntax_uid == located.transfer_syntax_uid:
        return _stored(blobs, located)
    whole_of_it = blobs.scratch()
    try:
        made = transcode(path, transfer_syntax_uid, scratch=blobs.scratch)
        for chunk in made.chunks:  # a damaged frame shows here, before anything is sent
            whole_of_it.append(chunk)
    except BaseException:
        whole_of_it.close()
        raise
    return _waiting(whole_of_it)


def _stored(blobs: Blobs, located: Located) -> Iterator[memoryview]:
    """Yield the stored bytes as one view of the file's pages: nothing is copied, however large it is."""
    with blobs.open(located.blob_key) as blob:
        mapped = mmap.mmap(blob.fileno(), 0, access=mmap.ACCESS_READ)  # goes with the last view of it
    yield memoryview(mapped)[located.dataset_offset :]


def _waiting(scratch: Scratch) -> Iterator[bytes]:
    with closing(scratch):
        yield from scratch.chunks()
