"""What a reading room makes about a series, by highdicom: segmentations, marks, selections, measurements; and by hand a
structure set and an encapsulated PDF. Each refers to its images in the ways of its kind, nested ones included.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from highdicom.sr import content as sr_content
from highdicom.sr import templates
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import EncapsulatedPDFStorage, RLELossless, RTStructureSetStorage

from tests.support.builders import a_uid, as_file
from tests.support.reports import placeholder_pdf

MAKER: dict[str, Any] = {
    "manufacturer": "Vien Anh",
    "manufacturer_model_name": "Reading room",
    "software_versions": "1",
    "device_serial_number": "7",
}
_CARRIED = (
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
    "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName", "PatientIdentityRemoved", "DeidentificationMethod",
)  # fmt: skip


def _of_series(kind: str, images: Sequence[Dataset]) -> dict[str, Any]:
    return {
        "series_instance_uid": a_uid("hub", kind, images[0].StudyInstanceUID),
        "series_number": 90,
        "sop_instance_uid": a_uid("hub", kind, "instance", images[0].SOPInstanceUID),
        "instance_number": 1,
    }


def a_segmentation(images: Sequence[Dataset], *, compressed: bool = False) -> Dataset:
    """A bright disc as a segment: references per frame, derivation images, a frame of reference."""
    described = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="Nodule",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Nodule,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=a_uid("hub", "tracking"),
        tracking_id="u1",
    )
    masks = np.stack([image.pixel_array > 500 for image in images]).astype(np.uint8)
    kind = hd.seg.SegmentationTypeValues.FRACTIONAL if compressed else hd.seg.SegmentationTypeValues.BINARY
    return hd.seg.Segmentation(
        source_images=images,
        pixel_array=masks,
        segmentation_type=kind,
        segment_descriptions=[described],
        content_label="NODULE",
        content_creator_name="Tran^Doc",
        **({"transfer_syntax_uid": RLELossless} if compressed else {}),
        **_of_series("seg", images),
        **MAKER,
    )


def a_presentation_state(images: Sequence[Dataset]) -> Dataset:
    """A circle and words on the images, with the pseudonym in them."""
    layer = hd.pr.GraphicLayer("MARKS", order=1)
    circle = hd.pr.GraphicObject(
        graphic_type=hd.pr.GraphicTypeValues.CIRCLE,
        graphic_data=np.array([[10.0, 10.0], [20.0, 10.0]]),
        units=hd.pr.AnnotationUnitsValues.PIXEL,
        tracking_id="u1",
        tracking_uid=a_uid("hub", "tracking"),
    )
    words = hd.pr.TextObject(
        text_value=f"{images[0].PatientID}: u 12 mm",
        units=hd.pr.AnnotationUnitsValues.PIXEL,
        anchor_point=(5.0, 5.0),
    )
    return hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=images,
        content_label="MARKS",
        content_creator_name="Tran^Doc",
        graphic_layers=[layer],
        graphic_annotations=[
            hd.pr.GraphicAnnotation(
                referenced_images=images, graphic_layer=layer, graphic_objects=[circle], text_objects=[words]
            )
        ],
        **_of_series("pr", images),
        **MAKER,
    )


def a_selection(images: Sequence[Dataset]) -> Dataset:
    """Key objects, with a description that names the pseudonym."""
    content = hd.ko.KeyObjectSelection(
        document_title=codes.DCM.OfInterest,
        referenced_objects=images[:2],
        description=f"xem u cua {images[0].PatientID}",
    )
    return hd.ko.KeyObjectSelectionDocument(
        evidence=images[:2], content=content, **_of_series("ko", images), manufacturer=MAKER["manufacturer"]
    )


def a_measurement(images: Sequence[Dataset]) -> Dataset:
    """A measurement report (TID 1500) of a region in space and one on an image; its subject is the pseudonym."""
    image = images[0]
    region = sr_content.ImageRegion(
        graphic_type=hd.sr.GraphicTypeValues.CIRCLE,
        graphic_data=np.array([[10.0, 10.0], [20.0, 10.0]]),
        source_image=sr_content.SourceImageForRegion.from_source_image(image),
    )
    group = templates.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=templates.TrackingIdentifier(uid=a_uid("hub", "tracking"), identifier="u1"),
        referenced_region=region,
        finding_type=codes.SCT.Nodule,
        measurements=[templates.Measurement(name=codes.SCT.Diameter, value=12.5, unit=codes.UCUM.Millimeter)],
    )
    return _a_measurement_report(images, group, "sr")


def a_region_in_space(images: Sequence[Dataset], places: Sequence[tuple[float, float, float]]) -> Dataset:
    """A measurement report of a closed line in the images' frame of reference, which names no image."""
    group = templates.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=templates.TrackingIdentifier(uid=a_uid("hub", "space"), identifier="u2"),
        referenced_region=sr_content.ImageRegion3D(
            graphic_type=hd.sr.GraphicTypeValues3D.POLYGON,
            graphic_data=np.array(places),
            frame_of_reference_uid=images[0].FrameOfReferenceUID,
        ),
        finding_type=codes.SCT.Nodule,
        measurements=[templates.Measurement(name=codes.SCT.Area, value=400.0, unit=codes.UCUM.SquareMillimeter)],
    )
    return _a_measurement_report(images, group, "sr in space")


def _a_measurement_report(images: Sequence[Dataset], group: Any, kind: str) -> Dataset:
    observer = templates.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=templates.PersonObserverIdentifyingAttributes("Tran^Doc"),
    )
    report = templates.MeasurementReport(
        observation_context=templates.ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    context = hd.sr.RelationshipTypeValues.HAS_OBS_CONTEXT
    number = images[0].PatientID
    report[0].ContentSequence += [
        hd.sr.PnameContentItem(codes.DCM.SubjectName, f"BN {number}", relationship_type=context),
        hd.sr.TextContentItem(codes.DCM.SubjectID, number, relationship_type=context),
    ]
    return hd.sr.Comprehensive3DSR(
        evidence=images,
        content=report[0],
        is_complete=True,
        is_verified=False,
        **_of_series(kind, images),
        manufacturer=MAKER["manufacturer"],
    )


def _a_document(sop_class_uid: str, modality: str, images: Sequence[Dataset]) -> Dataset:
    ds = Dataset()
    for keyword in _CARRIED:
        setattr(ds, keyword, images[0].get(keyword, ""))
    of_series = _of_series(modality, images)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class_uid, of_series["sop_instance_uid"]
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber = of_series["series_instance_uid"], 90, 1
    ds.Modality, ds.Manufacturer = modality, MAKER["manufacturer"]
    return ds


def _item(**attributes: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def a_structure_set(images: Sequence[Dataset]) -> Dataset:
    """A contour on each image; study, series, images and frame of reference are referred to four levels deep."""
    ds = _a_document(RTStructureSetStorage, "RTSTRUCT", images)
    ds.StructureSetLabel, ds.StructureSetDate, ds.StructureSetTime = "U", "20261123", "081500"
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = images[0].FrameOfReferenceUID, ""
    pictures = [
        _item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
        for image in images
    ]
    of_series = _item(SeriesInstanceUID=images[0].SeriesInstanceUID, ContourImageSequence=pictures)
    of_study = _item(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=images[0].StudyInstanceUID,
        RTReferencedSeriesSequence=[of_series],
    )
    frame = images[0].FrameOfReferenceUID
    ds.ReferencedFrameOfReferenceSequence = [_item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[of_study])]
    ds.StructureSetROISequence = [
        _item(ROINumber=1, ReferencedFrameOfReferenceUID=frame, ROIName="u", ROIGenerationAlgorithm="MANUAL")
    ]
    contours = [
        _item(
            ContourImageSequence=[picture],
            ContourGeometricType="POINT",
            NumberOfContourPoints=1,
            ContourData=[str(value) for value in image.ImagePositionPatient],
        )
        for image, picture in zip(images, pictures, strict=True)
    ]
    ds.ROIContourSequence = [_item(ReferencedROINumber=1, ContourSequence=contours)]
    ds.RTROIObservationsSequence = [
        _item(ObservationNumber=1, ReferencedROINumber=1, RTROIInterpretedType="GTV", ROIInterpreter="Tran^Doc")
    ]
    ds.ApprovalStatus = "UNAPPROVED"
    return ds


def a_document(images: Sequence[Dataset], content: bytes) -> Dataset:
    """An encapsulated PDF with the images that it was made of."""
    ds = _a_document(EncapsulatedPDFStorage, "DOC", images)
    ds.ConversionType, ds.BurnedInAnnotation, ds.DocumentTitle = "WSD", "YES", f"Ket qua {images[0].PatientID}"
    ds.ContentDate, ds.ContentTime, ds.AcquisitionDateTime = "20261123", "081500", ""
    ds.ConceptNameCodeSequence = []
    ds.SourceInstanceSequence = [
        _item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
        for image in images
    ]
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocument, ds.EncapsulatedDocumentLength = content + b"\0" * (len(content) % 2), len(content)
    return ds


def as_sent(ds: Dataset) -> bytes:
    """Return the Part 10 file of one of these; highdicom's know their transfer syntax."""
    if "file_meta" not in ds.__dict__:
        return as_file(ds)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


MADE: dict[str, Callable[[Sequence[Dataset]], Dataset]] = {
    "segmentation": a_segmentation,
    "compressed segmentation": lambda images: a_segmentation(images, compressed=True),
    "presentation state": a_presentation_state,
    "key objects": a_selection,
    "measurements": a_measurement,
    "structure set": a_structure_set,
    "document": lambda images: a_document(images, placeholder_pdf(images[0].PatientID)),
}
