"""The API of what readers measure in images: read the present state, save another. The server writes the document."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from consult.findings.marks import (
    Calibration,
    Figure,
    Kind,
    Mark,
    Quantity,
    Unit,
    Where,
)
from consult.findings.measurements import Marks
from consult.marks import MARKS_MAX, POINTS_MAX, TEXT_CHARACTERS_MAX, Place
from kernel.access import Scope
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from viewer.server.callers import Visit, holder, looker, visitor
from viewer.server.documents import DocumentState, NewState, state_of
from viewer.server.models import Model
from viewer.server.services import Services

ONE = "/studies/{study_uid}/marks"
FIGURES_MAX = 8


class MarkFigure(Model):
    """One number that was shown beside a mark."""

    quantity: Quantity
    value: float
    unit: Unit


class StudyMark(Model):
    """One mark on an image; places are (column, row) in pixels from the corner of the first pixel."""

    uid: str = Field(max_length=UID_CHARACTERS_MAX, description="Of the 2.25 root; names the mark for ever.")
    kind: Kind
    series_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    sop_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    frame_number: int | None = Field(description="From one; null for an instance that has but one frame.")
    points: list[Place] = Field(max_length=POINTS_MAX)
    figures: list[MarkFigure] = Field(max_length=FIGURES_MAX, description="As the reader saw them.")
    calibration: Calibration = Field(description="Where millimetres come from.")
    text: str = Field(max_length=TEXT_CHARACTERS_MAX)


class StudyMarks(DocumentState):
    """The present state of a study's marks."""

    marks: list[StudyMark]


class NewMarks(NewState):
    """A state to save."""

    marks: list[StudyMark] = Field(max_length=MARKS_MAX)


def add_marks(router: APIRouter, services: Services) -> None:
    """Add the routes of marks on images."""
    look = visitor(services, looker(services))
    write = visitor(services, holder(services, Scope.API_WRITE))

    @router.get(ONE, tags=["findings"])
    def marks(visit: Annotated[Visit, Depends(look)]) -> StudyMarks:
        """Return the marks on a study's images as they were saved last."""
        return _told(services.measurements.of(visit.grant))

    @router.post(ONE, tags=["findings"])
    def save(visit: Annotated[Visit, Depends(write)], new: NewMarks) -> StudyMarks:
        """Save marks as the new state, as DICOM SR (TID 1500) in the study; 409 if another was saved since."""
        marks = [_taken(one) for one in new.marks]
        return _told(services.measurements.save(visit.grant, marks, new.base, visit.author))


def _taken(one: StudyMark) -> Mark:
    where = Where(one.series_instance_uid, one.sop_instance_uid, one.frame_number)
    figures = tuple(Figure(figure.quantity, figure.value, figure.unit) for figure in one.figures)
    return Mark(one.uid, one.kind, where, tuple(one.points), figures, one.calibration, one.text)


def _told(saved: Marks) -> StudyMarks:
    marks = [
        StudyMark(
            uid=one.uid,
            kind=one.kind,
            series_instance_uid=one.where.series_instance_uid,
            sop_instance_uid=one.where.sop_instance_uid,
            frame_number=one.where.frame_number,
            points=list(one.points),
            figures=[MarkFigure(quantity=f.quantity, value=f.value, unit=f.unit) for f in one.figures],
            calibration=one.calibration,
            text=one.text,
        )
        for one in saved.content
    ]
    return StudyMarks(**state_of(saved), marks=marks)
