"""What de-identification gives: new bytes around the untouched pixel data, and a truthful record of what was done."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from mmap import mmap

from anonymizer.vault import VaultEntry

Buffer = bytes | bytearray | memoryview | mmap


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """Who the new instance says it is; nothing here leads back without the vault."""

    patient_id: str  # the pseudonym
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """What was done to one instance: numbers and codes, never a value."""

    profile: str  # name@edition, such as basic@2026d
    profile_digest: str  # SHA-256 hex of the merged profile
    method_codes: tuple[str, ...]  # CID 7050
    key_id: str
    actions: Mapping[str, int]  # action code to number of elements: X, Z, D, U, C, P (private)


@dataclass(frozen=True, slots=True)
class Deidentified:
    """A de-identified Part 10 file in three parts: `head`, then `tail` of the source as it is, then `trailer`.

    `head` ends with the pixel data element's tag, VR and length; `tail` is (offset, length) into the source buffer that
    was given, (0, 0) for an instance without pixel data; `trailer` is what stood after the pixel data, cleaned, and is
    nearly always empty. Of an instance that had to be re-encoded (big endian, deflated), `trailer` begins with its pixel
    data and there is no tail.
    """

    head: bytes = field(repr=False)
    tail: tuple[int, int]
    trailer: bytes = field(repr=False)
    dataset_offset: int  # where the data set begins in `head`
    identity: NewIdentity
    record: ActionRecord
    vault_entries: tuple[VaultEntry, ...] = field(repr=False)
    pixel_bytes_in_trailer: int = 0

    @property
    def header_bytes(self) -> bytes:
        """Everything but the pixel data: what the residue check searches."""
        return self.head + self.trailer[self.pixel_bytes_in_trailer :]

    @property
    def size_bytes(self) -> int:
        """The size of the whole new file."""
        return len(self.head) + self.tail[1] + len(self.trailer)

    def sha256(self, source: Buffer) -> str:
        """Return the digest of the new encoded data set, as the archive counts it."""
        digest = hashlib.sha256(memoryview(self.head)[self.dataset_offset :])
        offset, length = self.tail
        with memoryview(source) as whole, whole[offset : offset + length] as pixels:
            digest.update(pixels)
        digest.update(self.trailer)
        return digest.hexdigest()

    def without_source(self, source: Buffer) -> "Deidentified":
        """Return the same with the pixel data in `trailer`: for a source that nobody else has."""
        offset, length = self.tail
        with memoryview(source) as whole, whole[offset : offset + length] as pixels:
            return replace(self, tail=(0, 0), trailer=bytes(pixels) + self.trailer, pixel_bytes_in_trailer=length)

    def to_bytes(self, source: Buffer) -> bytes:
        """Return the whole new file: for tests and small instances; others write the three parts."""
        offset, length = self.tail
        with memoryview(source) as whole, whole[offset : offset + length] as pixels:
            return b"".join((self.head, pixels, self.trailer))
