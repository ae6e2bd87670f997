"""What de-identification gives: new bytes around the pixel data that stays, and a truthful record of what was done."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from mmap import mmap
from typing import Final, NamedTuple

from anonymizer.pseudonyms.vault import VaultEntry
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.frames import Span
from kernel.dicom.transcoding.header import Change

CHUNK_BYTES: Final = 1024 * 1024
SMALL_BYTES: Final = 64 * 1024  # pieces below it are put together

Buffer = bytes | bytearray | memoryview | mmap
Piece = bytes | memoryview | Span  # new bytes, or bytes of the source as they are


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """Who the new instance says it is; nothing here leads back without the vault."""

    patient_id: str  # the pseudonym
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


class Mask(NamedTuple):
    """A rectangle that was made black in every frame."""

    box: Box
    why: str  # words of `anonymizer.pixels.cleaner`: region, zone, text, person; several are parted by spaces


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """What was done to one instance: numbers and codes, never a value."""

    profile: str  # name@edition, such as basic@2026d
    profile_digest: str  # SHA-256 hex of the merged profile
    method_codes: tuple[str, ...]  # CID 7050
    key_id: str
    actions: Mapping[str, int]  # action code to number of elements: X, Z, D, U, C, P (private)
    comments: int = 0  # segments within frames of the pixel data that were made blank
    masks: tuple[Mask, ...] = ()


@dataclass(frozen=True, slots=True)
class NewPixels:
    """What becomes of the pixel data, decided before the header is written (`anonymizer.pixels`)."""

    pieces: tuple[Piece, ...] = field(repr=False)  # the new value of the element
    transfer_syntax_uid: str  # of the whole new instance
    changes: Mapping[int, Change] = field(default_factory=dict)  # of top-level attributes; None: it goes
    method_codes: tuple[str, ...] = ()  # CID 7050: what was done to these pixels
    comments: int = 0  # segments within its frames that were made blank
    masks: tuple[Mask, ...] = ()  # what is black in it


@dataclass(frozen=True, slots=True)
class Deidentified:
    """A de-identified Part 10 file: `head`, the value of the pixel data in `pixels`, and `trailer`.

    `head` ends with the pixel data element's tag, VR and length; `pixels` is one span of the source when nothing is
    masked, empty for an instance without pixel data; `trailer` is what stood after the pixel data, cleaned, and is
    nearly always empty. `chunks` gives it all in order.
    """

    head: bytes = field(repr=False)
    pixels: tuple[Piece, ...] = field(repr=False)
    trailer: bytes = field(repr=False)
    dataset_offset: int  # where the data set begins in `head`
    identity: NewIdentity
    record: ActionRecord
    vault_entries: tuple[VaultEntry, ...] = field(repr=False)
    has_cleaned_document: bool = False  # an encapsulated document that was understood and may leave

    @property
    def header_bytes(self) -> bytes:
        """Everything but the pixel data: what the residue check searches."""
        return self.head + self.trailer

    @property
    def size_bytes(self) -> int:
        """The size of the whole new file."""
        return len(self.head) + sum(map(size_of, self.pixels)) + len(self.trailer)

    def chunks(self, source: Buffer) -> Iterator[bytes | memoryview]:
        """Yield the whole new file, in chunks of no more than CHUNK_BYTES besides the header."""
        yield self.head
        yield from chunks_of(self.pixels, source)
        yield self.trailer

    def sha256(self, source: Buffer) -> str:
        """Return the digest of the new encoded data set, as the archive counts it."""
        digest = hashlib.sha256(memoryview(self.head)[self.dataset_offset :])
        for chunk in chunks_of(self.pixels, source):
            digest.update(chunk)
        digest.update(self.trailer)
        return digest.hexdigest()

    def without_source(self, source: Buffer) -> "Deidentified":
        """Return the same with its pixel data in memory: for a source that nobody else has."""
        return replace(self, pixels=(joined(chunks_of(self.pixels, source)),) if self.pixels else ())

    def to_bytes(self, source: Buffer) -> bytes:
        """Return the whole new file: for tests and small instances; others write the chunks."""
        return joined(self.chunks(source))


def size_of(piece: Piece) -> int:
    """Return how many bytes a piece has."""
    return piece.length if isinstance(piece, Span) else len(piece)


def chunks_of(pieces: tuple[Piece, ...], source: Buffer) -> Iterator[bytes | memoryview]:
    """Yield pieces as bytes, small ones together; views of the source hold it only as long as they are kept."""
    small = bytearray()
    for part in _parts(pieces, source):
        if len(part) < SMALL_BYTES:
            small += part
        if small and (len(small) >= SMALL_BYTES or len(part) >= SMALL_BYTES):
            yield bytes(small)
            small.clear()
        if len(part) >= SMALL_BYTES:
            yield part
    if small:
        yield bytes(small)


def _parts(pieces: tuple[Piece, ...], source: Buffer) -> Iterator[bytes | memoryview]:
    with memoryview(source) as view:
        for piece in pieces:
            if not isinstance(piece, Span):
                yield piece
                continue
            end = piece.offset + piece.length
            for begin in range(piece.offset, end, CHUNK_BYTES):
                yield view[begin : min(begin + CHUNK_BYTES, end)]


def joined(chunks: Iterator[bytes | memoryview]) -> bytes:
    """Return chunks as one."""
    whole = bytearray()
    for chunk in chunks:
        whole += chunk
    return bytes(whole)
