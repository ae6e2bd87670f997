"""Marks as a DICOM document and back: Comprehensive 3D SR with TID 1500, each mark a planar region (TID 1410).

What the standard's template has no place for is the way of drawing, which is a private code of the finding, and a
person's words, which are a Comment (121106, DCM) of the measurement group.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from consult.documents import Sheet, completed, date, person_name
from consult.highdicom_door import sr
from consult.slides.marks import CLOSED, KINDS, Kind, Mark, area_mm2, length_mm
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_VERSION_NAME

SCHEME: Final = "99VIENANH"
DESCRIPTION: Final = "Annotations"
_MEANINGS: Final[dict[Kind, str]] = {
    "point": "Counted point",
    "line": "Line",
    "polygon": "Polygonal outline",
    "freehand": "Freehand outline",
    "text": "Text at a place",
}
_SHAPES: Final[dict[Kind, str]] = {
    "point": "POINT",
    "line": "POLYLINE",
    "polygon": "POLYGON",
    "freehand": "POLYGON",
    "text": "POINT",
}
_COMMENT: Final = sr.CodedConcept("121106", "DCM", "Comment")
_IMAGING: Final = sr.CodedConcept("363679005", "SCT", "Imaging procedure")
_ANYTHING: Final = Mark("2.25.0", "point", ((0.0, 0.0),))
_MEASUREMENTS: Final = "126010"
_GROUP, _TRACKING_UID, _FINDING, _REGION = "125007", "112040", "121071", "111030"  # concepts of TID 1410


def document(evidence: Dataset, marks: Sequence[Mark], sheet: Sheet) -> Dataset:
    """Return the document that keeps all marks of a slide.

    Parameters
    ----------
    evidence
        The header of the slide's finest level; patient and study are taken from it.
    """
    frame_of_reference_uid = str(completed(evidence).FrameOfReferenceUID)
    person = sr.PersonObserverIdentifyingAttributes(name=person_name(sheet.author))
    context = sr.ObservationContext(observer_person_context=sr.ObserverContext(codes.DCM.Person, person))
    drawn = marks or (_ANYTHING,)
    groups = [_group(mark, ordinal, frame_of_reference_uid) for ordinal, mark in enumerate(drawn, start=1)]
    report = sr.MeasurementReport(
        observation_context=context,
        procedure_reported=_IMAGING,
        imaging_measurements=groups,
    )
    if not marks:  # highdicom makes no report of nothing
        del next(item for item in report[0].ContentSequence if _concept(item) == _MEASUREMENTS).ContentSequence
    ds: Dataset = sr.Comprehensive3DSR(
        evidence=[evidence],
        content=report[0],
        series_instance_uid=sheet.series_instance_uid,
        series_number=900,
        sop_instance_uid=sheet.sop_instance_uid,
        instance_number=sheet.number,
        manufacturer=IMPLEMENTATION_VERSION_NAME,
        is_complete=True,
        series_description=DESCRIPTION,
    )
    date(ds, sheet.at)
    return ds


def _group(mark: Mark, ordinal: int, frame_of_reference_uid: str) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    closed = mark.points[:1] if mark.kind in CLOSED else ()
    places = np.array([(x, y, 0.0) for x, y in (*mark.points, *closed)])
    group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=mark.uid, identifier=f"{mark.kind} {ordinal}"),
        referenced_region=sr.ImageRegion3D(_SHAPES[mark.kind], places, frame_of_reference_uid),
        finding_type=sr.CodedConcept(mark.kind, SCHEME, _MEANINGS[mark.kind]),
        measurements=_measurements(mark),
    )
    if mark.text:
        item = sr.TextContentItem(_COMMENT, mark.text, sr.RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(item)
    return group


def _measurements(mark: Mark) -> list[sr.Measurement] | None:
    if mark.kind == "line":
        return [sr.Measurement(codes.SCT.Length, length_mm(mark), codes.UCUM.Millimeter)]
    if mark.kind in CLOSED:
        return [sr.Measurement(codes.SCT.Area, area_mm2(mark), codes.UCUM.SquareMillimeter)]
    return None


def marks_of(ds: Dataset) -> tuple[Mark, ...]:
    """Return the marks of a document that `document` made; what it does not know is passed over."""
    return tuple(mark for group in _groups(ds) if (mark := _mark(group)) is not None)


def _groups(ds: Dataset) -> Iterator[Dataset]:
    for item in ds.get("ContentSequence", ()):
        if _concept(item) == _GROUP:
            yield item
        else:
            yield from _groups(item)


def _mark(group: Dataset) -> Mark | None:
    items = {_concept(item): item for item in group.get("ContentSequence", ())}
    finding, region, uid = items.get(_FINDING), items.get(_REGION), items.get(_TRACKING_UID)
    if finding is None or region is None or uid is None:
        return None
    code = finding.ConceptCodeSequence[0]
    kinds: dict[str, Kind] = {one: one for one in KINDS}
    kind = kinds.get(str(code.CodeValue)) if code.CodingSchemeDesignator == SCHEME else None
    if kind is None:
        return None
    flat = [float(at) for at in region.GraphicData]
    places = [(flat[at], flat[at + 1]) for at in range(0, len(flat) - 2, 3)]
    comment = items.get(_COMMENT.value)
    text = "" if comment is None else str(comment.TextValue)
    return Mark(str(uid.UID), kind, tuple(places[:-1] if kind in CLOSED else places), text)


def _concept(item: Any) -> str:
    name = item.get("ConceptNameCodeSequence")
    return str(name[0].get("CodeValue", "")) if name else ""
