"""What a reader writes about a study: structured reports and small PDFs, with what they carry over from it."""

import zlib
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import BasicTextSRStorage

from tests.support.builders import a_uid
from tests.support.papers import a_pdf

CARRIED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "AccessionNumber", "StudyID", "ReferringPhysicianName", "PatientIdentityRemoved",
)  # fmt: skip


def a_structured_report(image: Dataset, text: str, *, seed: str = "report", **attributes: Any) -> Dataset:
    """Return a text report about an image's study, as a hub makes it."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = BasicTextSRStorage
    ds.SOPInstanceUID = a_uid(seed, image.SOPInstanceUID)
    for keyword in CARRIED:
        setattr(ds, keyword, image.get(keyword, ""))
    ds.Modality = "SR"
    ds.SeriesInstanceUID = a_uid(seed, "series", image.StudyInstanceUID)
    ds.SeriesNumber, ds.InstanceNumber = 99, 1
    ds.SeriesDescription = "Ket qua doc phim"
    ds.ContentDate, ds.ContentTime = "20261123", "081500"
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ContentSequence = Sequence([content_item("TEXT", TextValue=text)])
    instance = Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    series = Dataset()
    series.SeriesInstanceUID = image.SeriesInstanceUID
    series.ReferencedSOPSequence = Sequence([instance])
    study = Dataset()
    study.StudyInstanceUID = image.StudyInstanceUID
    study.ReferencedSeriesSequence = Sequence([series])
    ds.CurrentRequestedProcedureEvidenceSequence = Sequence([study])
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def content_item(value_type: str, **attributes: Any) -> Dataset:
    """Return an item of a report's content."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", value_type
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def placeholder_pdf(pseudonym: str, *, packed: bool = False) -> bytes:
    """Return a PDF of one page that shows the pseudonym, also in a field of a form."""
    page = b"BT /F1 12 Tf 72 720 Td (Benh nhan: %s) Tj ET" % pseudonym.encode()
    content = zlib.compress(page) if packed else page
    stream = b"<</Length %d%s>>\nstream\n" % (len(content), b"/Filter/FlateDecode" if packed else b"")
    return a_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/NeedAppearances true>>>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            stream + content + b"\nendstream",
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            b"<</FT/Tx/T(PatientName)/V(%s)>>" % pseudonym.encode(),
        ]
    )
