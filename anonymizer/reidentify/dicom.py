"""A DICOM object that came back about a released study, with its patient, study, UIDs and dates as they were here.

For what others wrote about a study: structured reports, encapsulated documents, presentation states, segmentations,
key object selections, structure sets. It is read and written whole, so it has a bound; pixels are not looked at.
Whose it is was found by the caller, who asked the vault (`anonymizer.reidentify.way_back`); nothing is guessed here.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID

from anonymizer.engine.result import Buffer
from anonymizer.reidentify.pdf import fill_in, is_encrypted, is_pdf, uids_in
from anonymizer.reidentify.texts import text_led_back, text_of
from anonymizer.reidentify.way_back import NEW_UID, WayBack
from kernel.dicom.scanning.part10 import PYDICOM_ERRORS, file_meta, open_dataset, read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import LimitExceeded, MalformedInstance

RETURNED_BYTES_MAX: Final = 256 * 1024 * 1024
UTF_8: Final = "ISO_IR 192"
TEXT_VALUE: Final = 0x0040A160
SUBJECT_ID: Final = ("121030", "DCM")
DOCUMENT, MEDIA_TYPE = 0x00420011, "MIMETypeOfEncapsulatedDocument"
PDF: Final = "application/pdf"
UID_LEFT: Final = "uid-left"
ENCRYPTED: Final = "encrypted"
IDENTIFIERS: Final = frozenset({0x00100020, 0x00101000, 0x00120040})  # in whose place an id belongs, not a name
_TEXTS: Final = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_DATES: Final = frozenset({"DA", "DT"})
_STUDY: Final = ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName", "StudyInstanceUID")
_PATIENT: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_NO_MORE_TRUE: Final = (
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """Whom and what a returned object names: what the vault is asked."""

    patient_id: str = field(repr=False)  # should be a pseudonym; may be anything
    study_instance_uid: str
    sop_instance_uid: str
    studies: frozenset[str]  # Study Instance UIDs anywhere in it
    uids: frozenset[str]  # that may have been made by a de-identification, anywhere in it


@dataclass(frozen=True, slots=True)
class Reidentified:
    """A whole Part 10 file; never to leave the site."""

    content: bytes = field(repr=False)
    dataset_offset: int
    study_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    changed: int  # values that were led back
    # Of an encapsulated document: filled-in, unchanged, or UID_LEFT or ENCRYPTED, which must not come home; empty when
    # there is none.
    document: str = ""


def named_in(source: Buffer) -> Named:
    """Return what an object names.

    Raises
    ------
    LimitExceeded, MalformedInstance
        It is larger than `RETURNED_BYTES_MAX`, or not readable.
    """
    if len(source) > RETURNED_BYTES_MAX:
        raise LimitExceeded(limit="RETURNED_BYTES_MAX", value=len(source), bound=RETURNED_BYTES_MAX)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    uids: set[str] = set()
    studies: set[str] = set()
    for element in header.walk():
        if element.items is not None or element.vr not in _TEXTS | {"UI"}:
            if element.tag == DOCUMENT and element.depth == 0:
                uids |= _in_document(header.value(element), header.raw(0x00420012))
            continue
        text = header.value(element).decode("latin-1")
        uids.update(match[0] for match in NEW_UID.finditer(text))
        if element.tag == 0x0020000D:
            studies.add(text.strip(" \0"))

    def value(tag: int) -> str:
        return header.raw(tag).decode("latin-1").strip(" \0")

    return Named(value(0x00100020), value(0x0020000D), value(0x00080018), frozenset(studies), frozenset(uids))


def _in_document(document: bytes, media_type: bytes) -> frozenset[str]:
    """Return the UIDs that an encapsulated document names."""
    if media_type.strip(b" \0").decode("latin-1") == PDF or is_pdf(document):
        return uids_in(document)
    return frozenset(NEW_UID.findall(text_of(document)))


def reidentify(source: Buffer, way: WayBack) -> Reidentified:
    """Return the object as the site knows its patient. The same source and way give the same bytes.

    Raises
    ------
    MalformedInstance
        It cannot be read, or not be written again.
    """
    content = bytes(source)
    try:
        return _led_back(content, way)
    except PYDICOM_ERRORS as error:  # values are read when they are asked for
        raise MalformedInstance(reason=f"it cannot be read or written again ({type(error).__name__})") from None


def _led_back(content: bytes, way: WayBack) -> Reidentified:
    syntax = read_file_meta(content).transfer_syntax_uid
    ds = open_dataset(content)
    work = _Work(replace(way, dates_came_moved=way.has_moved(str(ds.get("StudyDate", "")))))
    work.data_set(ds)
    document = work.document(ds)
    _put_back(ds, way)
    encoded = _encoded(ds, syntax)
    meta = file_meta(str(ds.SOPClassUID), str(ds.SOPInstanceUID), syntax)
    return Reidentified(
        content=meta + encoded,
        dataset_offset=len(meta),
        study_instance_uid=str(ds.StudyInstanceUID),
        sop_class_uid=str(ds.SOPClassUID),
        sop_instance_uid=str(ds.SOPInstanceUID),
        transfer_syntax_uid=syntax,
        changed=work.changed,
        document=document,
    )


class _Work:
    """Leads values back, and counts them."""

    def __init__(self, way: WayBack) -> None:
        self._way = way
        self.changed = 0

    def data_set(self, ds: Dataset) -> None:
        """Lead back every element, nested ones too; all text becomes Unicode, to be written as UTF-8."""
        identifiers = IDENTIFIERS | ({TEXT_VALUE} if _is_about_an_id(ds) else frozenset())
        for element in ds:  # each is decoded by the character set that is declared now
            if element.VR == "SQ":
                for item in element.value or ():
                    self.data_set(item)
            else:
                self._element(element, identifiers)
        if "SpecificCharacterSet" in ds:
            ds.SpecificCharacterSet = UTF_8

    def document(self, ds: Dataset) -> str:
        """Fill in the names of an encapsulated document; return what was done, empty when there is none."""
        if not ds.get("EncapsulatedDocument"):
            return ""
        element = ds[DOCUMENT]
        old = bytes(element.value).rstrip(b"\0")  # its padding
        if ds.get(MEDIA_TYPE, "") == PDF or is_pdf(old):
            if is_encrypted(old):
                return ENCRYPTED
            new = fill_in(old, self._way)
            if uids_in(new) & self._way.uids.keys():
                return UID_LEFT
        else:
            new = text_led_back(old, self._way)
        if new == old:
            return "unchanged"
        element.value = new + b"\0" * (len(new) % 2)
        if "EncapsulatedDocumentLength" in ds:
            ds.EncapsulatedDocumentLength = len(new)
        self.changed += 1
        return "filled-in"

    def _element(self, element: DataElement, identifiers: frozenset[int]) -> None:
        if element.VR == "UI":
            self._each(element, lambda value: self._way.uids.get(value, value))
        elif element.VR == "PN" and self._way.pseudonym in str(element.value):
            self._each(element, self._name)
        elif element.VR in _TEXTS:
            self._each(element, self._way.identifier if element.tag in identifiers else self._way.text)
        elif element.VR in _DATES and self._way.dates_came_moved:
            self._each(element, self._way.date)

    def _each(self, element: DataElement, lead_back: Callable[[str], str]) -> None:
        if element.value is None or element.value == "":
            return
        old = [str(one) for one in element.value] if isinstance(element.value, MultiValue) else [str(element.value)]
        new = [lead_back(one) for one in old]
        if new != old:
            element.value = new if len(new) > 1 else new[0]
            self.changed += 1

    def _name(self, value: str) -> str:
        return self._way.identity.get("PatientName", "") if self._way.is_name(value) else value


def _is_about_an_id(item: Dataset) -> bool:
    """Whether a content item says the id of its subject (PS3.16 TID 1007)."""
    return any(
        (one.get("CodeValue"), one.get("CodingSchemeDesignator")) == SUBJECT_ID
        for one in item.get("ConceptNameCodeSequence") or ()
    )


def _put_back(ds: Dataset, way: WayBack) -> None:
    """Write the patient's and the study's own attributes."""
    for keyword in _NO_MORE_TRUE:
        if keyword in ds:
            delattr(ds, keyword)
    for keyword in _PATIENT:
        setattr(ds, keyword, way.identity.get(keyword, ""))
    for keyword in _STUDY:
        setattr(ds, keyword, way.study.get(keyword, ""))
    for keyword, values in (("IssuerOfPatientID", way.identity), ("StudyDescription", way.study)):
        if values.get(keyword):
            setattr(ds, keyword, values[keyword])
    ds.SpecificCharacterSet = UTF_8


def _encoded(ds: Dataset, syntax: str) -> bytes:
    buffer = io.BytesIO()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    written = buffer.getvalue()
    return written[read_file_meta(written).dataset_offset :]
