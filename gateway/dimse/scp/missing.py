"""Identifiers that a known source leaves out, made here while its instances come in (`missing_identifiers = "fill"`).

The UIDs are the same whenever the same study comes again: a keyed digest of the source and of what tells its studies
apart. Where that does not tell them apart nothing is filled in, and the instance is refused as those of other sources
are. All other bytes stay as they were sent.
"""

import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.peers import Source
from kernel.access.secrets import load_or_create_key
from kernel.archive.blobs.stage import HEAD_BYTES, Stage
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.rewrite import element_header
from kernel.dicom.scanning.scanner import scan
from kernel.errors import Refused

KEY_FILE: Final = "identifiers.key"  # in the data folder, made once
SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
PATIENT_ID, STUDY_DATE, ACCESSION_NUMBER, STUDY_ID = 0x00100020, 0x00080020, 0x00080050, 0x00200010
MODALITY, SERIES_NUMBER, STATION_NAME = 0x00080060, 0x00200011, 0x00081010


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Makes the identifiers of one node."""

    key: bytes = field(repr=False)

    @classmethod
    def in_folder(cls, folder: Path) -> "Identifiers":
        """Use the folder's key; the first time make it."""
        return cls(load_or_create_key(folder / KEY_FILE))

    def filled(self, head: bytes, transfer_syntax_uid: str, source: Source, declared: tuple[str, str]) -> bytes:
        """Return the beginning of a data set with the identifiers that it lacks.

        Parameters
        ----------
        head
            The whole header at least; otherwise, and in big endian or deflated, nothing is filled in.
        declared
            SOP Class and SOP Instance UID of the command.
        """
        try:
            header = scan(head, transfer_syntax_uid, prefix=True)
        except Refused:
            return head
        if header.reencoded:
            return head
        values = self._missing(header, source, declared)
        return _with(head, header, values) if values else head

    def _missing(self, header: Header, source: Source, declared: tuple[str, str]) -> dict[int, str]:
        def lacks(tag: int) -> bool:
            return not header.raw(tag).strip(b" \0")

        values = {tag: uid for tag, uid in zip((SOP_CLASS, SOP_INSTANCE), declared, strict=True) if lacks(tag) and uid}
        study = header.raw(STUDY)
        if lacks(STUDY):
            if lacks(PATIENT_ID) or (lacks(STUDY_DATE) and lacks(ACCESSION_NUMBER)):
                return values  # two studies would become one
            told = [header.raw(tag) for tag in (PATIENT_ID, STUDY_DATE, ACCESSION_NUMBER, STUDY_ID)]
            values[STUDY] = self._uid(source.site.encode(), source.name.encode(), *told)
            study = values[STUDY].encode()
        if lacks(SERIES):
            told = [header.raw(tag) for tag in (MODALITY, SERIES_NUMBER, STATION_NAME)]
            values[SERIES] = self._uid(b"series", study.strip(b" \0"), *told)
        return values

    def _uid(self, *told: bytes) -> str:
        """Return a UID of the kind that PS3.5 B.2 derives from a UUID."""
        text = b"".join(len(part).to_bytes(4, "big") + part for part in (one.strip(b" \0") for one in told))
        return f"2.25.{uuid.UUID(bytes=hmac.digest(self.key, text, 'sha256')[:16], version=5).int}"


class Filling:
    """Keeps back the beginning of a data set until its header is there, fills it in, and lets the rest pass."""

    def __init__(self, stage: Stage, fill: Callable[[bytes], bytes]) -> None:
        self._stage = stage
        self._fill = fill
        self._head: bytearray | None = bytearray()

    def write(self, data: memoryview) -> None:
        """Take the next bytes. Raises as `Stage.write`."""
        if self._head is None:
            self._stage.write(data)
            return
        self._head += data
        if len(self._head) >= HEAD_BYTES:
            self.finish()

    def finish(self) -> None:
        """Let go what is kept back. Raises as `Stage.write`."""
        if self._head is not None:
            head, self._head = bytes(self._head), None
            self._stage.write(self._fill(head))


def _with(head: bytes, header: Header, values: dict[int, str]) -> bytes:
    written, position = bytearray(), 0
    for tag, uid in sorted(values.items()):
        found = header.get(tag)
        start, end = (found.start, found.end) if found is not None else (_place(header, tag),) * 2
        value = uid.encode("ascii") + b"\0" * (len(uid) % 2)
        written += head[position:start] + element_header(tag, "UI", len(value), implicit=header.implicit) + value
        position = end
    return bytes(written) + head[position:]


def _place(header: Header, tag: int) -> int:
    """Return where an element of `tag` stands in the order of tags (PS3.5 7.1)."""
    after = [element.start for element in header.elements if element.tag > tag]
    if header.pixel_data is not None:
        after.append(header.pixel_data.start)
    return min(after, default=header.end)
