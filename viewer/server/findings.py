"""The API of key images, and of structured reports as they are read on a screen."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from consult.findings.key_images import DESCRIPTION_CHARACTERS_MAX, IMAGES_MAX, Choice, KeyImages, Title
from consult.findings.marks import Where
from consult.findings.reports import Report
from kernel.access import Scope
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from viewer.server.callers import Visit, holder, looker, visitor
from viewer.server.documents import DocumentState, NewState, state_of
from viewer.server.models import Model
from viewer.server.services import Services

KEYS = "/studies/{study_uid}/key-images"
REPORTS = "/studies/{study_uid}/series/{series_uid}/reports"


class KeyImage(Model):
    """An image, or a frame of one, that somebody chose."""

    series_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    sop_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    frame_number: int | None = Field(description="From one; null for an instance that has but one frame.")


class KeyImageChoice(DocumentState):
    """One document's choice."""

    title: str = Field(description="What they were chosen for: a name of ours, else the document's own words.")
    description: str
    images: list[KeyImage]


class StudyKeyImages(KeyImageChoice):
    """The present choice of the reading room, and those of other documents in the study."""

    others: list[KeyImageChoice]


class NewKeyImages(NewState):
    """A choice to save."""

    title: Title
    description: str = Field(max_length=DESCRIPTION_CHARACTERS_MAX)
    images: list[KeyImage] = Field(max_length=IMAGES_MAX)


class ReportLine(Model):
    """One content item of a report."""

    depth: int
    kind: str
    name: str
    text: str
    sop_instance_uid: str = Field(description="Of what it refers to, empty when it refers to nothing.")


class ReportContent(Model):
    """What a structured report says."""

    instance: str
    title: str
    author: str
    at: datetime | None
    complete: bool
    verified: bool
    whole: bool = Field(description="False when it has more than is shown.")
    lines: list[ReportLine]


def add_findings(router: APIRouter, services: Services) -> None:
    """Add the routes of key images and reports."""
    look = visitor(services, looker(services))
    write = visitor(services, holder(services, Scope.API_WRITE))

    @router.get(KEYS, tags=["findings"])
    def key_images(visit: Annotated[Visit, Depends(look)]) -> StudyKeyImages:
        """Return a study's key images: as they were saved here last, and what other documents chose."""
        own, others = services.key_images.of(visit.grant), services.key_images.of_others(visit.grant)
        return StudyKeyImages(**_choice(own).model_dump(), others=[_choice(one) for one in others])

    @router.post(KEYS, tags=["findings"])
    def choose(visit: Annotated[Visit, Depends(write)], new: NewKeyImages) -> KeyImageChoice:
        """Save key images as a DICOM Key Object Selection in the study; 409 if another was saved since."""
        images = tuple(Where(one.series_instance_uid, one.sop_instance_uid, one.frame_number) for one in new.images)
        chosen = Choice(new.title, new.description, images)
        return _choice(services.key_images.save(visit.grant, chosen, new.base, visit.author))

    @router.get(REPORTS, tags=["findings"])
    def reports(visit: Annotated[Visit, Depends(look)], series_uid: str) -> list[str]:
        """Return the SOP Instance UIDs of a series' structured reports, the newest first."""
        return services.structured_reports.listed(visit.grant, series_uid)

    @router.get(REPORTS + "/{instance_uid}", tags=["findings"])
    def report(visit: Annotated[Visit, Depends(look)], series_uid: str, instance_uid: str) -> ReportContent:
        """Return what a structured report says, line by line."""
        return _report(instance_uid, services.structured_reports.read(visit.grant, series_uid, instance_uid))


def _choice(one: KeyImages) -> KeyImageChoice:
    images = [
        KeyImage(
            series_instance_uid=where.series_instance_uid,
            sop_instance_uid=where.sop_instance_uid,
            frame_number=where.frame_number,
        )
        for where in one.content.images
    ]
    return KeyImageChoice(**state_of(one), title=one.content.title, description=one.content.description, images=images)


def _report(sop_instance_uid: str, one: Report) -> ReportContent:
    content = one.content
    lines = [
        ReportLine(
            depth=line.depth, kind=line.kind, name=line.name, text=line.text, sop_instance_uid=line.sop_instance_uid
        )
        for line in content.lines
    ]
    return ReportContent(
        instance=sop_instance_uid,
        title=content.title,
        author=one.author,
        at=one.at,
        complete=content.complete,
        verified=content.verified,
        whole=content.whole,
        lines=lines,
    )
