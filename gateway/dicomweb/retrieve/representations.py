"""Instances in the transfer syntax that a client wants: which can be had, and their bytes (PS3.18 8.7.3, 10.4.1.1.1).

Without a transfer-syntax parameter Explicit VR Little Endian is meant, `*` means as stored. What has no pixel data, or
samples that the wanted syntax cannot hold, comes as Explicit VR Little Endian; what nobody here can decode (video), or
what turns out to be damaged, comes as it is stored. The part's Content-Type says which.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from gateway.dicomweb.http.answers import CHUNK_BYTES
from gateway.dicomweb.http.negotiation import DICOM, Offer
from gateway.dicomweb.http.spans import FileSpan
from kernel.archive.blobs.store import Blobs
from kernel.archive.records import Located
from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.transcoding.transcode import TARGETS, can_transcode, transcode
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import BlobMissing, Refused

AS_STORED: Final = "*"
PRIMED_BYTES: Final = 4 * 1024 * 1024  # made before anything is promised; damage found later breaks off the answer
ZIP: Final = "application/zip"


class Instance(NamedTuple):
    """One instance as it is given."""

    transfer_syntax_uid: str
    chunks: Iterator[bytes] | FileSpan  # a Part 10 file: made, or where it lies


@lru_cache(maxsize=256)
def offers(stored: frozenset[str], shapes: tuple[bool, ...] = (True,)) -> tuple[Offer, ...]:
    """Return what instances of these transfer syntaxes are on offer as, multipart (True) or alone."""
    targets = sorted(TARGETS | stored, key=lambda uid: (uid != EXPLICIT_VR_LITTLE_ENDIAN, uid))
    offered: list[Offer] = []
    for target in targets:
        asked = frozenset({"", target} if target == EXPLICIT_VR_LITTLE_ENDIAN else {target})
        if target == EXPLICIT_VR_LITTLE_ENDIAN or all(can_transcode(one, target) for one in stored):
            offered += [Offer(DICOM, shape, asked, target) for shape in shapes]
    return (*offered, *(Offer(DICOM, shape, frozenset({AS_STORED}), AS_STORED) for shape in shapes))


@lru_cache(maxsize=256)
def zip_offers(stored: frozenset[str]) -> tuple[Offer, ...]:
    """Return the same in a ZIP file, where as stored is the default."""
    wanted = [offer for offer in offers(stored, (False,)) if offer.transfer_syntax_uid != AS_STORED]
    named = (Offer(ZIP, False, frozenset({one.transfer_syntax_uid}), one.transfer_syntax_uid) for one in wanted)  # noqa: FBT003 (a row)
    return (Offer(ZIP, False, frozenset({"", AS_STORED}), AS_STORED), *named)  # noqa: FBT003 (a row)


def syntax_of(located: Located, wanted: str) -> str:
    """Return the transfer syntax in which an instance is meant to be given."""
    stored = located.transfer_syntax_uid
    if wanted in (AS_STORED, stored) or not can_transcode(stored, wanted):
        return stored
    return wanted


def given(located: Located, blobs: Blobs, wanted: str) -> Instance:
    """Return an instance in the transfer syntax that was chosen, or the nearest that can be had.

    Raises
    ------
    BlobMissing
        Its bytes are not there.
    StorageFull
        There is no space for compressed frames to wait.
    """
    blob = blobs.path(located.blob_key)
    target, stored = syntax_of(located, wanted), located.transfer_syntax_uid
    for candidate in (target, EXPLICIT_VR_LITTLE_ENDIAN) if target != stored else ():
        if candidate == stored:
            break
        try:
            return Instance(candidate, _primed(_made(blobs, blob, candidate)))
        except Refused:
            continue
    return Instance(stored, FileSpan(blob, 0, located.size_bytes))


def _made(blobs: Blobs, blob: Path, target: str) -> Iterator[bytes]:
    try:
        made = transcode(blob, target, scratch=blobs.scratch)
    except FileNotFoundError:
        raise BlobMissing(key=blob.name) from None
    return chain([file_meta(made.sop_class_uid, made.sop_instance_uid, target)], made.chunks)


def _primed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same chunks, the first of them made already."""
    first: list[bytes] = []
    size = 0
    for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size >= PRIMED_BYTES:
            break
    return chain(first, chunks)


def bytes_of(instance: Instance) -> Iterator[bytes]:
    """Yield the Part 10 file of a given instance."""
    if not isinstance(instance.chunks, FileSpan):
        yield from instance.chunks
        return
    yield from instance.chunks.chunks(CHUNK_BYTES)


def stored_syntaxes(located: Sequence[Located]) -> frozenset[str]:
    """Return the transfer syntaxes in which instances are stored."""
    return frozenset(one.transfer_syntax_uid for one in located)
