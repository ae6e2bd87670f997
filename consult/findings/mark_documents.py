"""Marks on images as a DICOM document and back: Comprehensive SR (PS3.3 A.35.3) with TID 1500.

Lines and angles are numbers inferred from SCOORD (TID 1501); outlines, probes and arrows are planar regions (TID 1410).
The way of drawing is a private code of the finding, a person's words are a Comment (121106, DCM) of the group.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from consult.documents import Sheet, completed, date, person_name
from consult.findings import mark_codes as coded
from consult.findings.mark_shapes import graphics_of, points_of
from consult.findings.marks import KINDS, NEEDED, Calibration, Figure, Kind, Mark, Place, Where
from consult.highdicom_door import sr
from kernel.archive.records import Located
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_VERSION_NAME

DESCRIPTION: Final = "Measurements"
SERIES_NUMBER: Final = 901
_COMMENT: Final = sr.CodedConcept("121106", "DCM", "Comment")
_IMAGING: Final = sr.CodedConcept("363679005", "SCT", "Imaging procedure")
_MEASUREMENTS, _GROUP, _TRACKING_UID, _FINDING, _DERIVATION = "126010", "125007", "112040", "121071", "121401"
_SOME_CODE: Final = codes.SCT.Length


def document(header: Dataset, images: Sequence[Located], marks: Sequence[Mark], sheet: Sheet) -> Dataset:
    """Return the document that keeps all marks of a study.

    Parameters
    ----------
    header
        Of the first image; patient and study are taken from it.
    images
        Those that marks are on; when there are no marks, any of the study.
    """
    classes = {one.sop_instance_uid: one.sop_class_uid for one in images}
    person = sr.PersonObserverIdentifyingAttributes(name=person_name(sheet.author))
    groups = [_group(mark, ordinal, classes) for ordinal, mark in enumerate(marks, start=1)]
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=sr.ObserverContext(codes.DCM.Person, person)),
        procedure_reported=_IMAGING,
        imaging_measurements=groups or [_nothing()],
    )
    if not marks:  # highdicom makes no report of nothing
        del next(item for item in report[0].ContentSequence if _concept(item) == _MEASUREMENTS).ContentSequence
    ds: Dataset = sr.ComprehensiveSR(
        evidence=evidence_of(header, images),
        content=report[0],
        series_instance_uid=sheet.series_instance_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=sheet.sop_instance_uid,
        instance_number=sheet.number,
        manufacturer=IMPLEMENTATION_VERSION_NAME,
        is_complete=True,
        series_description=DESCRIPTION,
    )
    date(ds, sheet.at)
    return ds


def evidence_of(header: Dataset, images: Sequence[Located]) -> list[Dataset]:
    """Return what a document refers to: the first image's header, of the others their identity."""
    found = [completed(header)]
    for one in images[1:]:
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = one.sop_class_uid, one.sop_instance_uid
        ds.StudyInstanceUID, ds.SeriesInstanceUID = one.study_instance_uid, one.series_instance_uid
        found.append(ds)
    return found


def _group(mark: Mark, ordinal: int, classes: dict[str, str]) -> sr.MeasurementsAndQualitativeEvaluations:
    where = mark.where
    frames = None if where.frame_number is None else [where.frame_number]
    image = sr.SourceImageForRegion(classes[where.sop_instance_uid], where.sop_instance_uid, frames)
    graphics = [(kind, np.array(points)) for kind, points in graphics_of(mark)]
    tracking = sr.TrackingIdentifier(uid=mark.uid, identifier=f"{mark.kind} {ordinal}")
    finding = sr.CodedConcept(mark.kind, coded.SCHEME, coded.MEANINGS[mark.kind])
    calibrated = [sr.QualitativeEvaluation(coded.CALIBRATION, coded.CALIBRATIONS[mark.calibration])]
    if mark.kind in NEEDED:
        lines = [sr.CoordinatesForMeasurement(kind, points, image) for kind, points in graphics]
        parts = [[line] for line in lines] if len(mark.figures) == len(lines) else [lines]
        group: Any = sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            finding_type=finding,
            measurements=[_measured(one, part) for one, part in zip(mark.figures, parts, strict=True)],
            qualitative_evaluations=calibrated,
        )
    else:
        ((kind, points),) = graphics
        group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_region=sr.ImageRegion(kind, points, image),
            finding_type=finding,
            measurements=[_measured(one, None) for one in mark.figures] or None,
            qualitative_evaluations=calibrated,
        )
    if mark.text:
        group[0].ContentSequence.append(sr.TextContentItem(_COMMENT, mark.text, sr.RelationshipTypeValues.CONTAINS))
    return group


def _measured(figure: Figure, lines: list[sr.CoordinatesForMeasurement] | None) -> sr.Measurement:
    name = coded.LENGTHS.get(figure.quantity) or coded.SAMPLES.get(figure.unit) or coded.SAMPLES[""]
    derivation = coded.DERIVATIONS.get(figure.quantity)
    unit = coded.UNITS[figure.unit]
    return sr.Measurement(name, figure.value, unit, derivation=derivation, referenced_coordinates=lines)


def _nothing() -> sr.MeasurementsAndQualitativeEvaluations:
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid="2.25.0", identifier="nothing"),
        measurements=[sr.Measurement(_SOME_CODE, 0.0, codes.UCUM.Millimeter)],
    )


def marks_of(ds: Dataset) -> tuple[Mark, ...]:
    """Return the marks of a document that `document` made; what it does not know is passed over."""
    series = {instance: series for series, instance in referred(ds)}
    found: list[Mark] = []
    for group in _groups(ds):
        with suppress(AttributeError, IndexError, TypeError, ValueError):  # somebody else's, under our code
            found += [mark for mark in (_mark(group, series),) if mark is not None]
    return tuple(found)


def _groups(ds: Dataset) -> Iterator[Dataset]:
    for item in ds.get("ContentSequence", ()):
        if _concept(item) == _GROUP:
            yield item
        else:
            yield from _groups(item)


def _mark(group: Dataset, series: dict[str, str]) -> Mark | None:
    items = list(group.get("ContentSequence", ()))
    named = {_concept(item): item for item in items}
    finding, uid = named.get(_FINDING), named.get(_TRACKING_UID)
    kind = None if finding is None else _kind(finding)
    drawn = [one for item in items for one in (item, *item.get("ContentSequence", ())) if one.ValueType == "SCOORD"]
    if kind is None or uid is None or not drawn:
        return None
    image = drawn[0].ContentSequence[0].ReferencedSOPSequence[0]
    instance, frame = str(image.ReferencedSOPInstanceUID), image.get("ReferencedFrameNumber")
    comment = named.get(_COMMENT.value)
    return Mark(
        str(uid.UID),
        kind,
        Where(series.get(instance, ""), instance, None if frame is None else int(frame)),
        points_of(kind, [_places(one) for one in drawn]),
        tuple(figure for item in items if item.ValueType == "NUM" and (figure := _figure(item))),
        _calibration(named.get(coded.CALIBRATION.value)),
        "" if comment is None else str(comment.TextValue),
    )


def _kind(finding: Dataset) -> Kind | None:
    code = finding.ConceptCodeSequence[0]
    kinds: dict[str, Kind] = {one: one for one in KINDS}
    return kinds.get(str(code.CodeValue)) if code.CodingSchemeDesignator == coded.SCHEME else None


def _places(scoord: Dataset) -> tuple[Place, ...]:
    flat = [float(at) for at in scoord.GraphicData]
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _figure(item: Dataset) -> Figure | None:
    measured = item.MeasuredValueSequence[0]
    unit = coded.UNIT_OF.get(str(measured.MeasurementUnitsCodeSequence[0].CodeValue))
    derivation = next((one for one in item.get("ContentSequence", ()) if _concept(one) == _DERIVATION), None)
    code = str(derivation.ConceptCodeSequence[0].CodeValue) if derivation is not None else _concept(item)
    value = float(measured.get("FloatingPointValue", measured.NumericValue))
    return None if unit is None else Figure(coded.QUANTITY_OF.get(code, "value"), value, unit)


def _calibration(item: Dataset | None) -> Calibration:
    code = "" if item is None else str(item.ConceptCodeSequence[0].CodeValue)
    known: dict[str, Calibration] = {one: one for one in coded.CALIBRATIONS}
    return known.get(code, "none")


def referred(ds: Dataset) -> set[tuple[str, str]]:
    """Return (series, instance) of what a document refers to, or was made beside."""
    return {
        (str(series.get("SeriesInstanceUID", "")), str(one.get("ReferencedSOPInstanceUID", "")))
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in ds.get(keyword, ())
        for series in study.get("ReferencedSeriesSequence", ())
        for one in series.get("ReferencedSOPSequence", ())
    }


def _concept(item: Any) -> str:
    name = item.get("ConceptNameCodeSequence")
    return str(name[0].get("CodeValue", "")) if name else ""
