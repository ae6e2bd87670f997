"""The API of what is drawn on slides: read the present state, save another. The server writes the DICOM document."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from consult.documents import Author
from consult.slides.annotations import Saved
from consult.slides.marks import MARKS_MAX, POINTS_MAX, TEXT_CHARACTERS_MAX, Kind, Mark
from kernel.access import Action, Principal, Scope, StudyGrant
from viewer.server.models import Model
from viewer.server.services import Services, address_of, principal_of

ONE = "/slides/{study_uid}/{series_uid}/annotations"
UID_CHARACTERS_MAX = 64
Place = tuple[float, float]


class SlideMark(Model):
    """One mark on a slide; places are millimetres in the slide's coordinate system."""

    uid: str = Field(max_length=UID_CHARACTERS_MAX, description="Of the 2.25 root; names the mark for ever.")
    kind: Kind
    points: list[Place] = Field(max_length=POINTS_MAX)
    text: str = Field(max_length=TEXT_CHARACTERS_MAX)


class SlideAnnotations(Model):
    """The present state of a slide's marks."""

    instance: str | None = Field(description="SOP Instance UID of the document; null while nothing was saved.")
    author: str
    at: datetime | None
    marks: list[SlideMark]


class NewAnnotations(Model):
    """A state to save."""

    base: str | None = Field(max_length=UID_CHARACTERS_MAX, description="The instance that was opened, or null.")
    marks: list[SlideMark] = Field(max_length=MARKS_MAX)


def add_annotations(router: APIRouter, services: Services) -> None:
    """Add the routes of marks on slides."""

    def reader(request: Request) -> Principal:
        principal = principal_of(services, request)
        principal.require_look()
        return principal

    def writer(request: Request) -> Principal:
        principal = principal_of(services, request)
        principal.require(Scope.API_WRITE)
        return principal

    def granted(request: Request, principal: Principal, study_uid: str, site: str | None) -> StudyGrant:
        return services.access.open_study(principal, study_uid, Action.INSTANCES_ACCESSED, address_of(request), site)

    @router.get(ONE, tags=["slides"])
    def annotations(
        request: Request,
        principal: Annotated[Principal, Depends(reader)],
        study_uid: str,
        series_uid: str,
        site: str | None = None,
    ) -> SlideAnnotations:
        """Return what was saved last on a slide."""
        return _told(services.annotations.of(granted(request, principal, study_uid, site), series_uid))

    @router.post(ONE, tags=["slides"])
    def save(
        request: Request,
        principal: Annotated[Principal, Depends(writer)],
        study_uid: str,
        series_uid: str,
        new: NewAnnotations,
        *,
        site: str | None = None,
    ) -> SlideAnnotations:
        """Save marks as the new state, as DICOM SR (TID 1500) in the slide's study; 409 if another was saved since."""
        grant = granted(request, principal, study_uid, site)
        marks = [Mark(one.uid, one.kind, tuple(one.points), one.text) for one in new.marks]
        author = Author(principal.name, principal.display, address_of(request))
        return _told(services.annotations.save(grant, series_uid, marks, new.base, author))


def _told(saved: Saved) -> SlideAnnotations:
    marks = [SlideMark(uid=one.uid, kind=one.kind, points=list(one.points), text=one.text) for one in saved.marks]
    return SlideAnnotations(instance=saved.sop_instance_uid, author=saved.author, at=saved.at, marks=marks)
