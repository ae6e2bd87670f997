"""A photograph or a PDF as a DICOM instance (PS3.3 A.32.4 VL Photographic Image, A.45.1 Encapsulated PDF), marked as no diagnosis.

What a phone adds to a photograph, such as where it was taken, does not come along: the picture is drawn anew. The same file
for the same patient gives the same instance, bit by bit, so that it may be sent again.
"""

import hashlib
import io
import re
from dataclasses import astuple, dataclass
from typing import Final, Literal

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from kernel.dicom.pictures.photographs import Drawing, photographic, shared_photographs
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, JPEG_BASELINE
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from kernel.errors import InvalidRequest, LimitExceeded

PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"  # Encapsulated PDF Storage
FILE_BYTES_MAX: Final = 32 * 1024 * 1024
PIXELS_MAX: Final = 64_000_000  # of a photograph as it comes
SIDE_MAX: Final = 4_096  # of the picture that is kept
QUALITY: Final = 92
MARK: Final = "KHÔNG DÙNG ĐỂ CHẨN ĐOÁN / NOT FOR DIAGNOSIS"
OFFERED: Final = "a JPEG or PNG picture, or a PDF"
_DATE = re.compile(r"(\d{8})?")
_LENGTHS: Final = {"patient_name": 64, "patient_id": 64, "description": 64, "accession_number": 16}
_PHOTO_NUMBER, _PDF_NUMBER = 1, 2


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose it is, and of what study; as a person typed it."""

    patient_name: str  # family^given, or as it is spoken
    patient_id: str
    study_date: str  # YYYYMMDD
    patient_birth_date: str = ""
    patient_sex: str = ""
    description: str = ""
    accession_number: str = ""

    def check(self) -> None:
        """Check what was typed. Raises InvalidRequest, which names the field and never what is in it."""
        for name, characters_max in _LENGTHS.items():
            text: str = getattr(self, name)
            if len(text) > characters_max or "\\" in text or not text.isprintable():
                raise InvalidRequest(reason=f"{name} has at most {characters_max} characters and no backslash")
        if not self.patient_id.strip() or not self.patient_name.strip() or not self.study_date:
            raise InvalidRequest(reason="patient_name, patient_id and study_date are needed")
        if not _DATE.fullmatch(self.patient_birth_date) or not _DATE.fullmatch(self.study_date):
            raise InvalidRequest(reason="dates are YYYYMMDD")
        if self.patient_sex not in ("", "F", "M", "O"):
            raise InvalidRequest(reason="patient_sex is F, M, O or empty")


def wrapped(content: bytes, bearer: Bearer, site: str) -> bytes:
    """Return a Part 10 file of a photograph or a PDF.

    Raises
    ------
    InvalidRequest
        What was typed is not what it may be, or the picture cannot be read.
    LimitExceeded
        The file or its picture is too large, or it took too long.
    UnsupportedMediaType
        It is neither.
    Busy
        Another photograph was being read for too long.
    """
    bearer.check()
    if len(content) > FILE_BYTES_MAX:
        raise LimitExceeded(limit="FILE_BYTES_MAX", value=len(content), bound=FILE_BYTES_MAX)
    is_pdf = content.startswith(b"%PDF-")
    ds = _described(bearer, site, "pdf" if is_pdf else "photograph")
    ds.SOPInstanceUID = _uid(str(ds.StudyInstanceUID), hashlib.sha256(content).hexdigest())
    if is_pdf:
        _put_pdf(ds, content)
    else:
        _put_photograph(ds, content)
    buffer = io.BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def _described(bearer: Bearer, site: str, kind: Literal["pdf", "photograph"]) -> Dataset:
    """Return what photographs and documents have alike: patient, study, series, equipment."""
    study_uid = _uid("study", site, *astuple(bearer))
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName = bearer.patient_name.strip()
    ds.PatientID = bearer.patient_id.strip()
    ds.PatientBirthDate, ds.PatientSex = bearer.patient_birth_date, bearer.patient_sex
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study_uid, _uid(study_uid, kind)
    ds.StudyDate, ds.StudyTime, ds.StudyID = bearer.study_date, "", ""
    ds.AccessionNumber, ds.ReferringPhysicianName = bearer.accession_number.strip(), ""
    ds.StudyDescription = bearer.description.strip()
    ds.SeriesDescription = MARK
    ds.SeriesNumber = _PDF_NUMBER if kind == "pdf" else _PHOTO_NUMBER
    ds.InstanceNumber = 1
    ds.Manufacturer = ""
    ds.BurnedInAnnotation = "YES"  # a film shows a name, and so does a letter
    ds.ContentDate, ds.ContentTime = bearer.study_date, "000000"
    return ds


def _put_pdf(ds: Dataset, content: bytes) -> None:
    ds.SOPClassUID, ds.Modality, ds.ConversionType = PDF, "DOC", "WSD"
    ds.AcquisitionDateTime = ""
    ds.DocumentTitle = MARK
    ds.ConceptNameCodeSequence = []
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(content)
    ds.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    ds.file_meta = _meta(ds, EXPLICIT_VR_LITTLE_ENDIAN)


def _put_photograph(ds: Dataset, content: bytes) -> None:
    drawing = Drawing(PIXELS_MAX, SIDE_MAX, QUALITY)
    jpeg = shared_photographs().draw(content, ("JPEG", "PNG"), drawing, OFFERED)
    for keyword, value in photographic(jpeg, "YBR_FULL_422", is_anew=True).items():
        setattr(ds, keyword, value)
    ds["PixelData"].VR = "OB"
    ds.ImageComments = MARK
    ds.Laterality = ds.PatientOrientation = ""  # nobody said which
    ds.file_meta = _meta(ds, JPEG_BASELINE)


def _meta(ds: Dataset, transfer_syntax_uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def _uid(*parts: str) -> str:
    """Return a UID of the 2.25 root (PS3.5 B.2) that these parts alone give."""
    digest = hashlib.sha256("\0".join(("wrapped", *parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"
