"""Builders of instances that are documents: structured reports, key objects, presentation states, encapsulated files."""

from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    EncapsulatedCDAStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
)

from tests.support.builders import a_dataset, a_uid


def a_code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a coded entry."""
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning = value, scheme, meaning
    return ds


def an_item(
    value_type: str, concept: tuple[str, str, str] | None, relationship: str = "CONTAINS", **value: Any
) -> Dataset:
    """Return a content item; `value` by keyword."""
    ds = Dataset()
    ds.RelationshipType, ds.ValueType = relationship, value_type
    if concept:
        ds.ConceptNameCodeSequence = Sequence([a_code(*concept)])
    for keyword, one in value.items():
        setattr(ds, keyword, one)
    return ds


def a_text(concept: tuple[str, str, str], text: str, relationship: str = "CONTAINS") -> Dataset:
    return an_item("TEXT", concept, relationship, TextValue=text)


def a_number(concept: tuple[str, str, str], number: str, unit: str = "mm") -> Dataset:
    measured = Dataset()
    measured.NumericValue = number
    measured.MeasurementUnitsCodeSequence = Sequence([a_code(unit, "UCUM", unit)])
    return an_item("NUM", concept, MeasuredValueSequence=Sequence([measured]))


def a_reference(sop_class_uid: str, sop_instance_uid: str) -> Sequence:
    ds = Dataset()
    ds.ReferencedSOPClassUID, ds.ReferencedSOPInstanceUID = sop_class_uid, sop_instance_uid
    return Sequence([ds])


def evidence(study: str, series: str, instance: str, sop_class_uid: str = CTImageStorage) -> Sequence:
    """Return the hierarchical references of a document (PS3.3 C.17.2.1)."""
    of_study, of_series = Dataset(), Dataset()
    of_series.SeriesInstanceUID, of_series.ReferencedSOPSequence = series, a_reference(sop_class_uid, instance)
    of_study.StudyInstanceUID, of_study.ReferencedSeriesSequence = study, Sequence([of_series])
    return Sequence([of_study])


FINDING, OBSERVER = ("121071", "DCM", "Finding"), ("121008", "DCM", "Person Observer Name")
DIAMETER = ("81827009", "SCT", "Diameter")


def a_report(*items: Dataset, seed: str = "ct", number: int = 1, **attributes: Any) -> Dataset:
    """Return a Comprehensive SR about the first slice of the CT with the same seed."""
    ds = a_dataset(ComprehensiveSRStorage, seed=seed, instance=9000 + number, Modality="SR")
    ds.SeriesInstanceUID = a_uid(seed, "reports")
    ds.StudyDescription = "CT so nao"
    ds.ReferencedPerformedProcedureStepSequence = Sequence()
    ds.CompletionFlag, ds.VerificationFlag, ds.PerformedProcedureCodeSequence = "COMPLETE", "UNVERIFIED", Sequence()
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = Sequence([a_code("11528-7", "LN", "Radiology Report")])
    ds.CurrentRequestedProcedureEvidenceSequence = evidence(
        ds.StudyInstanceUID, a_uid(seed, "series"), a_uid(seed, "instance", 1)
    )
    ds.ContentSequence = Sequence(items)
    ds.update(attributes_of(attributes))
    return ds


def an_image_item(seed: str = "ct", instance: int = 1) -> Dataset:
    return an_item("IMAGE", None, ReferencedSOPSequence=a_reference(CTImageStorage, a_uid(seed, "instance", instance)))


def key_objects(*items: Dataset, seed: str = "ct", **attributes: Any) -> Dataset:
    """Return a Key Object Selection Document about the first slice of the CT with the same seed."""
    ds = a_report(an_image_item(seed), *items, seed=seed, number=50)
    ds.SOPClassUID, ds.Modality = KeyObjectSelectionDocumentStorage, "KO"
    for keyword in ("CompletionFlag", "VerificationFlag", "PerformedProcedureCodeSequence"):
        delattr(ds, keyword)
    ds.ConceptNameCodeSequence = Sequence([a_code("113000", "DCM", "Of Interest")])
    ds.update(attributes_of(attributes))
    return ds


def a_presentation(*texts: str, seed: str = "ct", **attributes: Any) -> Dataset:
    """Return a Grayscale Softcopy Presentation State with one circle and `texts` on the CT with the same seed."""
    ds = a_dataset(GrayscaleSoftcopyPresentationStateStorage, seed=seed, instance=8000, Modality="PR")
    ds.SeriesInstanceUID = a_uid(seed, "presentations")
    ds.PresentationCreationDate, ds.PresentationCreationTime = "20261121", "020000"
    ds.ContentLabel, ds.ContentDescription, ds.ContentCreatorName = "MARKS", "", "Lê^Văn Bình"
    reference = Dataset()
    reference.SeriesInstanceUID = a_uid(seed, "series")
    reference.ReferencedImageSequence = a_reference(CTImageStorage, a_uid(seed, "instance", 1))
    ds.ReferencedSeriesSequence = Sequence([reference])
    annotation, graphic = Dataset(), Dataset()
    annotation.GraphicLayer = "LAYER"
    graphic.GraphicAnnotationUnits, graphic.GraphicDimensions, graphic.NumberOfGraphicPoints = "PIXEL", 2, 2
    graphic.GraphicData, graphic.GraphicType, graphic.GraphicFilled = [10.0, 10.0, 20.0, 10.0], "CIRCLE", "N"
    annotation.GraphicObjectSequence = Sequence([graphic])
    annotation.TextObjectSequence = Sequence([_text_object(text) for text in texts])
    ds.GraphicAnnotationSequence = Sequence([annotation])
    layer = Dataset()
    layer.GraphicLayer, layer.GraphicLayerOrder = "LAYER", 1
    ds.GraphicLayerSequence = Sequence([layer])
    area = Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [64, 64]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    ds.DisplayedAreaSelectionSequence = Sequence([area])
    ds.PresentationLUTShape = "IDENTITY"
    ds.update(attributes_of(attributes))
    return ds


def _text_object(text: str) -> Dataset:
    ds = Dataset()
    ds.AnchorPointAnnotationUnits, ds.UnformattedTextValue = "PIXEL", text
    ds.AnchorPoint, ds.AnchorPointVisibility = [5.0, 5.0], "N"
    return ds


def an_encapsulated(content: bytes, *, seed: str = "ct", cda: bool = False, **attributes: Any) -> Dataset:
    """Return an Encapsulated PDF or CDA."""
    ds = a_dataset(EncapsulatedCDAStorage if cda else EncapsulatedPDFStorage, seed=seed, instance=7000, Modality="DOC")
    ds.SeriesInstanceUID = a_uid(seed, "documents")
    ds.ConversionType, ds.BurnedInAnnotation, ds.AcquisitionDateTime = "WSD", "YES", "20261121013000"
    ds.DocumentTitle, ds.ConceptNameCodeSequence = "", Sequence()
    ds.MIMETypeOfEncapsulatedDocument = "text/XML" if cda else "application/pdf"
    ds.EncapsulatedDocumentLength = len(content)
    ds.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    ds.update(attributes_of(attributes))
    return ds


def attributes_of(attributes: dict[str, Any]) -> Dataset:
    ds = pydicom.Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds
