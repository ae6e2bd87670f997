"""The API of what is drawn on slides: read the present state, save another. The server writes the DICOM document."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from consult.marks import MARKS_MAX, POINTS_MAX, TEXT_CHARACTERS_MAX, Place
from consult.slides.annotations import SlideMarks
from consult.slides.marks import Kind, Mark
from kernel.access import Scope
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from viewer.server.callers import Visit, holder, looker, visitor
from viewer.server.documents import DocumentState, NewState, state_of
from viewer.server.models import Model
from viewer.server.services import Services

ONE = "/slides/{study_uid}/{series_uid}/annotations"


class SlideMark(Model):
    """One mark on a slide; places are millimetres in the slide's coordinate system."""

    uid: str = Field(max_length=UID_CHARACTERS_MAX, description="Of the 2.25 root; names the mark for ever.")
    kind: Kind
    points: list[Place] = Field(max_length=POINTS_MAX)
    text: str = Field(max_length=TEXT_CHARACTERS_MAX)


class SlideAnnotations(DocumentState):
    """The present state of a slide's marks."""

    marks: list[SlideMark]


class NewAnnotations(NewState):
    """A state to save."""

    marks: list[SlideMark] = Field(max_length=MARKS_MAX)


def add_annotations(router: APIRouter, services: Services) -> None:
    """Add the routes of marks on slides."""
    look = visitor(services, looker(services))
    write = visitor(services, holder(services, Scope.API_WRITE))

    @router.get(ONE, tags=["slides"])
    def annotations(visit: Annotated[Visit, Depends(look)], series_uid: str) -> SlideAnnotations:
        """Return what was saved last on a slide."""
        return _told(services.annotations.of(visit.grant, series_uid))

    @router.post(ONE, tags=["slides"])
    def save(visit: Annotated[Visit, Depends(write)], series_uid: str, new: NewAnnotations) -> SlideAnnotations:
        """Save marks as the new state, as DICOM SR (TID 1500) in the slide's study; 409 if another was saved since."""
        marks = [Mark(one.uid, one.kind, tuple(one.points), one.text) for one in new.marks]
        return _told(services.annotations.save(visit.grant, series_uid, marks, new.base, visit.author))


def _told(saved: SlideMarks) -> SlideAnnotations:
    marks = [SlideMark(uid=one.uid, kind=one.kind, points=list(one.points), text=one.text) for one in saved.content]
    return SlideAnnotations(**state_of(saved), marks=marks)
