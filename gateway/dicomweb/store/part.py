"""One part of a STOW-RS body on its way to the stage: file meta from its first bytes, the data set as it comes."""

from collections.abc import Mapping
from typing import Final

from gateway.dicomweb.http.media import parse_media_type
from kernel.archive.blobs.store import Blobs, Stage
from kernel.archive.records import Staged
from kernel.dicom.part10 import META_BYTES_MAX, read_file_meta
from kernel.dicom.uids import check_uid
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
            self._head += data[:lacking]
            if len(self._head) < META_BYTES_MAX:
                return
            data = data[lacking:]
            self._stage = self._open()
        if self.refusal is None or self._size <= REFUSED_BYTES_MAX:
            self._stage.write(data)

    def finish(self) -> Staged:
        """Close the part and return its stage.

        Raises
        ------
        StorageFull
            The part is discarded.
        """
        self._stage = self._stage or self._open()
        return self._stage.finish()

    def discard(self) -> None:
        """Forget what was received; safe to call twice."""
        if self._stage is not None:
            self._stage.discard()

    def _open(self) -> Stage:
        try:
            if self.refusal is not None:
                raise self.refusal
            meta = read_file_meta(self._head)
            uids = (
                check_uid(meta.sop_class_uid, "MediaStorageSOPClassUID"),
                check_uid(meta.sop_instance_uid, "MediaStorageSOPInstanceUID"),
                check_uid(meta.transfer_syntax_uid, "TransferSyntaxUID"),
            )
            start = meta.dataset_offset
        except Refused as refusal:
            self.refusal, uids, start = refusal, ("", "", ""), 0
        stage = self._blobs.stage(*uids)
        stage.write(memoryview(self._head)[start:])
        return stage


def _refused_type(content_type: str) -> Refused | None:
    try:
        name = parse_media_type(content_type).name
    except Refused as refusal:
        return refusal
    return None if name == "application/dicom" else UnsupportedMediaType(media_type=name, offered="application/dicom")
