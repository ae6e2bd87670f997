"""Bulk annotations made in memory, element by element, as any writer may."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from kernel.dicom.scanning.part10 import file_meta
from tests.dicom.builders import encoded
from tests.wsi.dicom_builders import EXPLICIT, SERIES, STUDY
from wsi.bulk import BULK_ANNOTATIONS


def a_code(meaning: str, value: str = "4421005", scheme: str = "SCT") -> DicomSequence:
    """Make a coded entry."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return DicomSequence([code])


def a_measurement(values: Sequence[float], numbers: Sequence[int] = ()) -> Dataset:
    """Make areas of a group's annotations: of all, or of those with these numbers."""
    figures, ds = Dataset(), Dataset()
    figures.FloatingPointValues = np.array(values, "<f4").tobytes()
    if numbers:
        figures.AnnotationIndexList = np.array(numbers, "<u4").tobytes()
    ds.ConceptNameCodeSequence = a_code("Area", "42798000")
    ds.MeasurementUnitsCodeSequence = a_code("square micrometer", "um2", "UCUM")
    ds.MeasurementValuesSequence = DicomSequence([figures])
    return ds


def a_group(points: Sequence[Sequence[Sequence[float]]], graphic: str = "POLYGON", **attributes: Any) -> Dataset:
    """Make a group; `points` of each annotation."""
    flat = np.array([value for one in points for point in one for value in point], "<f4")
    ds = Dataset()
    ds.AnnotationGroupNumber, ds.AnnotationGroupUID, ds.AnnotationGroupLabel = 1, "1.2.3.7", "Nhân tế bào"
    ds.AnnotationGroupGenerationType = "AUTOMATIC"
    ds.AnnotationPropertyCategoryCodeSequence = a_code("Anatomical Structure")
    ds.AnnotationPropertyTypeCodeSequence = a_code("Nucleus")
    ds.NumberOfAnnotations = len(points)
    ds.GraphicType = graphic
    ds.PointCoordinatesData = flat.tobytes()
    if graphic in ("POLYGON", "POLYLINE"):
        counts = [sum(map(len, one)) for one in points]
        ds.LongPrimitivePointIndexList = (np.cumsum([0, *counts[:-1]]) + 1).astype("<u4").tobytes()
    for name, value in attributes.items():
        setattr(ds, name, value)
    return ds


def an_annotation(*groups: Dataset, image: str = "", **attributes: Any) -> bytes:
    """Make a Part 10 file that is about the series of `tests.wsi.dicom_builders`; 2D if it names an `image`."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = BULK_ANNOTATIONS, "1.2.3.9.1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, "1.2.3.9"
    ds.PatientID, ds.PatientName, ds.Modality = "BN-1", "Nguyen^Thi Hoa", "ANN"
    ds.AnnotationCoordinateType = "2D" if image else "3D"
    reference = Dataset()
    reference.SeriesInstanceUID = SERIES
    ds.ReferencedSeriesSequence = DicomSequence([reference])
    if image:
        referenced = Dataset()
        referenced.ReferencedSOPInstanceUID = image
        ds.ReferencedImageSequence = DicomSequence([referenced])
    ds.AnnotationGroupSequence = DicomSequence(groups)
    for name, value in attributes.items():
        setattr(ds, name, value)
    return file_meta(BULK_ANNOTATIONS, str(ds.SOPInstanceUID), EXPLICIT) + encoded(ds)
