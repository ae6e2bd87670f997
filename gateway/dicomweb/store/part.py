"""One part of a STOW-RS body on its way to the stage: file meta from its first bytes, the data set as it comes."""

import hashlib
from collections.abc import Mapping
from typing import Final

from gateway.dicomweb.http.media import parse_media_type
from kernel.archive.blobs.store import Blobs, Stage
from kernel.archive.records import Staged
from kernel.dicom.scanning.part10 import META_BYTES_MAX, read_file_meta
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import LimitExceeded, Refused, UnsupportedMediaType

REFUSED_BYTES_MAX: Final = 16 * 1024 * 1024  # of a part that is no instance: what a person needs to see what it was


class Part:
    """Receives one part; `refusal` says why it cannot be an instance, its bytes are staged nevertheless."""

    def __init__(self, blobs: Blobs, headers: Mapping[str, str], bytes_max: int) -> None:
        self._blobs = blobs
        self._bytes_max = bytes_max
        self._size = 0
        self._head = bytearray()
        self._stage: Stage | None = None
        self._uids = ("", "", "")  # of class, instance and transfer syntax, as the file meta says
        self._start = 0  # of the data set, behind the file meta
        self.refusal = _refused_type(headers.get("content-type", "application/dicom"))

    def write(self, data: memoryview) -> None:
        """Take the next bytes.

        Raises
        ------
        StorageFull, LimitExceeded
            The part is discarded; nothing more may be written.
        """
        self._size += len(data)
        if self._size > self._bytes_max:
            self.discard()
            raise LimitExceeded(limit="instance_bytes_max", value=self._size, bound=self._bytes_max)
        if self._stage is None:
            lacking = META_BYTES_MAX - len(self._head)
            if not self._head and len(data) >= lacking:  # nothing to put together
                self._stage = self._open(data)
                return
            self._head += data[:lacking]
            if len(self._head) == META_BYTES_MAX:
                self._stage = self._open(self._head, data[lacking:])
        elif self.refusal is None or self._size <= REFUSED_BYTES_MAX:
            self._stage.write(data)

    def refused_digest(self) -> str | None:
        """Return the SHA-256 of a whole part that cannot be an instance and is still in memory, None of any other."""
        if self._stage is not None:
            return None
        self._read_meta(self._head)
        return None if self.refusal is None else hashlib.sha256(self._head).hexdigest()

    def finish(self) -> Staged:
        """Close the part and return its stage.

        Raises
        ------
        StorageFull
            The part is discarded.
        """
        self._stage = self._stage or self._open(self._head)
        return self._stage.finish()

    def discard(self) -> None:
        """Forget what was received; safe to call twice."""
        if self._stage is not None:
            self._stage.discard()

    def _open(self, head: bytearray | memoryview, *behind: memoryview) -> Stage:
        """Open the stage and write the part's beginning, in which the whole file meta is, and what came behind."""
        self._read_meta(head)
        stage = self._blobs.stage(*self._uids)
        stage.write(memoryview(head)[self._start :], *behind)
        return stage

    def _read_meta(self, head: bytearray | memoryview) -> None:
        """Read the file meta, unless the part is refused already or this is its second reading."""
        if self.refusal is not None or self._start:
            return
        try:
            meta = read_file_meta(head)
            self._uids = (
                check_uid(meta.sop_class_uid, "MediaStorageSOPClassUID"),
                check_uid(meta.sop_instance_uid, "MediaStorageSOPInstanceUID"),
                check_uid(meta.transfer_syntax_uid, "TransferSyntaxUID"),
            )
            self._start = meta.dataset_offset
        except Refused as refusal:
            self.refusal = refusal


def _refused_type(content_type: str) -> Refused | None:
    try:
        name = parse_media_type(content_type).name
    except Refused as refusal:
        return refusal
    return None if name == "application/dicom" else UnsupportedMediaType(media_type=name, offered="application/dicom")
