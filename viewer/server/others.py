"""The API of marks that were not made in this room: what other documents of a study draw, to be shown and not changed."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from consult.findings.drawn import DrawnMark, Graphic, Shape
from consult.findings.marks import Kind
from consult.findings.others import OthersDocument
from viewer.server.callers import Visit, looker, visitor
from viewer.server.models import Model
from viewer.server.services import Services

ONE = "/studies/{study_uid}/others-marks"


class OthersAmount(Model):
    """A number as the document calls it."""

    name: str
    value: float
    unit: str = Field(description="UCUM code or words; empty for none.")


class OthersShape(Model):
    """One graphic of a mark."""

    graphic: Graphic
    points: list[list[float]] = Field(
        description="(column, row) in pixels from the corner of the image's first pixel, or (x, y, z) in millimetres."
    )
    series_instance_uid: str = Field(description="Of the image; empty when the study does not have it.")
    sop_instance_uid: str = Field(description="Of the image; empty when only a place in space is told.")
    frames: list[int] = Field(description="From one; none: all of the image.")
    frame_of_reference_uid: str = Field(description="Of places in space, else empty.")


class OthersMark(Model):
    """A mark and what it says."""

    name: str
    kind: Kind | None = Field(description="When it was drawn in a reading room of this program.")
    amounts: list[OthersAmount]
    text: str
    shapes: list[OthersShape]


class OthersMarksDocument(Model):
    """A structured report that draws."""

    instance: str
    title: str
    author: str
    at: datetime | None
    day: str = Field(description="Content Date (DA), where no moment is known.")
    verified: bool
    marks: list[OthersMark]


class StudyOthersMarks(Model):
    """What a study's other documents draw."""

    documents: list[OthersMarksDocument]
    whole: bool = Field(description="False when there is more, or a document could not be read.")


def add_others(router: APIRouter, services: Services) -> None:
    """Add the route of others' marks."""
    visit = visitor(services, looker(services))

    @router.get(ONE, tags=["findings"])
    def others_marks(here: Annotated[Visit, Depends(visit)]) -> StudyOthersMarks:
        """Return what structured reports of the study draw that were not saved in it by this reading room."""
        told = services.others.of(here.grant)
        return StudyOthersMarks(documents=[_document(one) for one in told.documents], whole=told.whole)


def _document(one: OthersDocument) -> OthersMarksDocument:
    return OthersMarksDocument(
        instance=one.sop_instance_uid,
        title=one.title,
        author=one.author,
        at=one.at,
        day=one.day,
        verified=one.verified,
        marks=[_mark(mark, one.series) for mark in one.marks],
    )


def _mark(mark: DrawnMark, series: dict[str, str]) -> OthersMark:
    return OthersMark(
        name=mark.name,
        kind=mark.kind,
        amounts=[OthersAmount(name=one.name, value=one.value, unit=one.unit) for one in mark.amounts],
        text=mark.text,
        shapes=[_shape(shape, series) for shape in mark.shapes],
    )


def _shape(shape: Shape, series: dict[str, str]) -> OthersShape:
    return OthersShape(
        graphic=shape.graphic,
        points=[list(at) for at in shape.points],
        series_instance_uid=series.get(shape.sop_instance_uid, ""),
        sop_instance_uid=shape.sop_instance_uid,
        frames=list(shape.frames),
        frame_of_reference_uid=shape.frame_of_reference_uid,
    )
