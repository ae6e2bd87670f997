"""The directory of a DICOM medium: DICOMDIR of one study (PS3.3 F, PS3.10 8.6), made while its instances go by.

Which attributes a record has is pydicom's table (PS3.3 F.5). What a record must have and an instance lacks is filled in,
as DCMTK's dcmmkdir does when it is told to: a medium that lists all is worth more than a date that nobody knew.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.fileset import (
    DIRECTORY_RECORDERS,
    _four_level_record_type,  # pyright: ignore[reportPrivateUsage] - PS3.3 table F.4-1, nowhere public in pydicom
)
from pydicom.filewriter import write_dataset

from kernel.dicom.scanning.part10 import PYDICOM_ERRORS, file_meta
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

DIRECTORY_STORAGE: Final = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
IN_USE: Final = 0xFFFF
# Of the instance's DICOM JSON; the long ones of pixels and functional groups are nobody's business here.
_KEYWORDS: Final = (
    "AccessionNumber BlendingSequence Columns CompletionFlag ConceptNameCodeSequence ContentCreatorName ContentDate "
    "ContentDescription ContentLabel ContentTime DataPointColumns DataPointRows DocumentTitle DoseSummationType ImageType "
    "InstanceCreationDate InstanceCreationTime InstanceNumber MIMETypeOfEncapsulatedDocument Manufacturer Modality "
    "NumberOfFrames PatientID PatientName PresentationCreationDate PresentationCreationTime RTPlanDate RTPlanLabel "
    "RTPlanTime ReferencedImageEvidenceSequence ReferencedSeriesSequence Rows SOPClassUID SeriesInstanceUID SeriesNumber "
    "StructureSetDate StructureSetLabel StructureSetTime StudyDate StudyDescription StudyID StudyInstanceUID StudyTime "
    "TreatmentDate TreatmentTime UserContentLabel UserContentLongLabel VerificationDateTime VerificationFlag"
)
_TAGS: Final = frozenset(f"{TAG_OF[keyword]:08X}" for keyword in _KEYWORDS.split())
_FILLED: Final[Mapping[str, Any]] = {
    "PatientID": "NONE",
    "StudyDate": "19000101",
    "StudyTime": "000000",
    "StudyID": "1",
    "Modality": "OT",
    "SeriesNumber": 0,
    "InstanceNumber": 0,
    "ContentDate": "19000101",
    "ContentTime": "000000",
    "CompletionFlag": "PARTIAL",
    "VerificationFlag": "UNVERIFIED",
    "ContentLabel": "NONE",
    "PresentationCreationDate": "19000101",
    "PresentationCreationTime": "000000",
}
_ABOVE: Final[Mapping[str, int | None]] = {"PATIENT": None, "STUDY": 0}  # the record that stands above
_ODD: Final = (*PYDICOM_ERRORS, OverflowError)  # the last of a number without end
_PDF_CLASS_ROOT: Final = "1.2.840.10008.5.1.4.1.1.104."  # encapsulated documents
# Where the offsets of a record stand, counted from its item's tag: (0004,1400) and (0004,1420), PS3.3 F.3.2.2.
_NEXT, _LOWER = 8 + 8, 8 + 12 + 10 + 8


@dataclass(frozen=True, slots=True)
class Leaf:
    """An instance on the medium."""

    file_id: Sequence[str]  # components of at most 8 characters of A-Z, 0-9 and _ (PS3.10 8.2)
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


@dataclass(slots=True)
class _Record:
    """An encoded record, and which ones follow it and lie below it; by their numbers."""

    content: bytearray
    next: int | None = None
    lower: int | None = None
    last_below: int | None = None


class Directory:
    """A DICOMDIR that grows; instances come series by series."""

    def __init__(self) -> None:
        self._records: list[_Record] = []
        self._series: dict[str, int] = {}

    def add(self, item: Mapping[str, Any], leaf: Leaf) -> None:
        """Write down an instance by its DICOM JSON; the first one tells whose study it is and which."""
        kept = {tag: item[tag] for tag in _TAGS.intersection(item) if "BulkDataURI" not in item[tag]}
        try:
            ds, records = self._new(kept, leaf)
        except _ODD:  # it lies on the medium as it is; the directory tells what can be told
            ds, records = self._new({tag: one for tag, one in kept.items() if _is_sound(tag, one)}, leaf)
        uid = str(ds.get("SeriesInstanceUID", ""))
        for kind, content in records:
            if kind in _ABOVE:
                self._append(content, above=_ABOVE[kind])
            elif kind == "SERIES":
                self._series[uid] = self._append(content, above=1)
            else:
                self._append(content, above=self._series[uid])

    def _new(self, kept: Mapping[str, Any], leaf: Leaf) -> tuple[Dataset, list[tuple[str, bytearray]]]:
        """Return the records that an instance adds, by their types. Raises what pydicom raises of odd values."""
        ds = _of_interest(kept, leaf)
        wanted = [] if self._records else ["PATIENT", "STUDY"]
        if str(ds.get("SeriesInstanceUID", "")) not in self._series:
            wanted.append("SERIES")
        kind = "ENCAP DOC" if leaf.sop_class_uid.startswith(_PDF_CLASS_ROOT) else _four_level_record_type(ds)
        return ds, [*((one, _encoded(one, ds, None)) for one in wanted), (kind, _encoded(kind, ds, leaf))]

    def encoded(self, sop_instance_uid: str) -> bytes:
        """Return the DICOMDIR file."""
        head = file_meta(DIRECTORY_STORAGE, sop_instance_uid, EXPLICIT_VR_LITTLE_ENDIAN)
        start = len(head) + _FIXED_BYTES
        offsets: list[int] = []
        for record in self._records:
            offsets.append(start)
            start += len(record.content)
        for record in self._records:
            _put(record.content, _NEXT, offsets, record.next)
            _put(record.content, _LOWER, offsets, record.lower)
        items = b"".join(record.content for record in self._records)
        first = offsets[0] if offsets else 0
        return head + _fixed(first, first, len(items)) + items

    def _append(self, content: bytearray, above: int | None) -> int:
        number = len(self._records)
        self._records.append(_Record(content))
        if above is not None:
            parent = self._records[above]
            if parent.last_below is None:
                parent.lower = number
            else:
                self._records[parent.last_below].next = number
            parent.last_below = number
        return number


def _is_sound(tag: str, one: Mapping[str, Any]) -> bool:
    """Whether an attribute is of the VR that it should be, and can be written again."""
    try:
        _written(Dataset.from_json({tag: one}))
    except _ODD:
        return False
    return one.get("vr") == VR_OF[int(tag, 16)]


def _of_interest(kept: Mapping[str, Any], leaf: Leaf) -> Dataset:
    """Return what records may have of an instance."""
    ds = Dataset.from_json(dict(kept))
    ds.SOPClassUID = leaf.sop_class_uid
    for keyword, value in _FILLED.items():
        if ds.get(keyword) in (None, ""):
            setattr(ds, keyword, value)
    return ds


def _encoded(kind: str, ds: Dataset, leaf: Leaf | None) -> bytearray:
    """Return one item of the Directory Record Sequence, its offsets still zero."""
    try:
        record = DIRECTORY_RECORDERS[kind](ds)
    except ValueError:  # it lacks what its record needs: it is listed all the same
        record = Dataset()
        record.InstanceNumber = ds.InstanceNumber
    record.SpecificCharacterSet = "ISO_IR 192"
    record.OffsetOfTheNextDirectoryRecord = 0
    record.RecordInUseFlag = IN_USE
    record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.DirectoryRecordType = kind
    if leaf is not None:
        record.ReferencedFileID = list(leaf.file_id)
        record.ReferencedSOPClassUIDInFile = leaf.sop_class_uid
        record.ReferencedSOPInstanceUIDInFile = leaf.sop_instance_uid
        record.ReferencedTransferSyntaxUIDInFile = leaf.transfer_syntax_uid
    content = _written(record)
    return bytearray(struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content)


def _written(ds: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, ds, "utf-8")
    return buffer.getvalue()


def _put(content: bytearray, at: int, offsets: Sequence[int], number: int | None) -> None:
    struct.pack_into("<I", content, at, 0 if number is None else offsets[number])


def _fixed(first: int, last: int, items_bytes: int) -> bytes:
    """Return what stands before the records: no File-set ID, first and last root record, consistent, the sequence."""
    out = BytesIO()
    out.write(struct.pack("<HH2sH", 4, 0x1130, b"CS", 0))
    out.write(struct.pack("<HH2sHI", 4, 0x1200, b"UL", 4, first))
    out.write(struct.pack("<HH2sHI", 4, 0x1202, b"UL", 4, last))
    out.write(struct.pack("<HH2sHH", 4, 0x1212, b"US", 2, 0))
    out.write(struct.pack("<HH2sHI", 4, 0x1220, b"SQ", 0, items_bytes))
    return out.getvalue()


_FIXED_BYTES: Final = len(_fixed(0, 0, 0))
