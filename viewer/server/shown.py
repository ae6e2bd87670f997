"""The API of what was shown as it is stored: the room tells what it drew, anybody asks for their own."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from consult.shown.book import SeriesShown
from kernel.access import Scope
from kernel.dicom.vocabulary.uids import UID_CHARACTERS_MAX
from viewer.server.callers import Visit, holder, visitor
from viewer.server.models import Model
from viewer.server.services import Services

SHOWN = "/studies/{study_uid}/shown"
OF_SERIES = "/studies/{study_uid}/series/{series_uid}/shown"
SERIES_MAX = 50  # in one telling
INSTANCES_MAX = 500  # of one series in one telling
FRAMES_MAX = 1_000  # of one instance in one telling


class ShownSeries(Model):
    """How many images of a series were drawn with every sample as it is stored; a frame is an image."""

    series_instance_uid: str
    shown: int
    images: int


class NotShown(Model):
    """An instance of which not all was drawn so."""

    sop_instance_uid: str
    frames: str = Field(description='Frame numbers from one, such as "1-60,72".')


class ShownOfSeries(Model):
    """What is left of a series."""

    missing: list[NotShown] = Field(description="In the series' order, 1,000 at most.")
    more: bool = Field(description="There are more than are named.")


class DrawnInstance(Model):
    """An instance that was drawn, or some of its frames."""

    sop_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    frames: list[Annotated[int, Field(ge=1)]] = Field(max_length=FRAMES_MAX, description="Frame numbers from one.")


class DrawnSeries(Model):
    """What was drawn of a series."""

    series_instance_uid: str = Field(max_length=UID_CHARACTERS_MAX)
    instances: list[DrawnInstance] = Field(max_length=INSTANCES_MAX)


class Drawn(Model):
    """What a room drew since it told last."""

    series: list[DrawnSeries] = Field(max_length=SERIES_MAX)


def add_shown(router: APIRouter, services: Services) -> None:
    """Add the routes of what was shown."""
    read = visitor(services, holder(services, Scope.API_READ))

    @router.get(SHOWN, tags=["reading"])
    def shown(visit: Annotated[Visit, Depends(read)]) -> list[ShownSeries]:
        """Return how many images of each series the caller has had on the screen as they are stored."""
        return _told(services.shown.of(visit.grant, visit.principal))

    @router.post(SHOWN, tags=["reading"])
    def tell_shown(visit: Annotated[Visit, Depends(read)], drawn: Drawn) -> list[ShownSeries]:
        """Keep what was drawn on the caller's screen; images that the study has not are passed over."""
        frames: dict[str, dict[str, set[int]]] = {}
        for one in drawn.series:
            of_series = frames.setdefault(one.series_instance_uid, {})
            for instance in one.instances:
                of_series.setdefault(instance.sop_instance_uid, set()).update(instance.frames)
        return _told(services.shown.note(visit.grant, visit.principal, frames))

    @router.get(OF_SERIES, tags=["reading"])
    def missing(visit: Annotated[Visit, Depends(read)], series_uid: str) -> ShownOfSeries:
        """Return which images of a series the caller has not had on the screen as they are stored."""
        found, more = services.shown.missing(visit.grant, visit.principal, series_uid)
        named = [NotShown(sop_instance_uid=one.sop_instance_uid, frames=one.frames) for one in found]
        return ShownOfSeries(missing=named, more=more)


def _told(found: list[SeriesShown]) -> list[ShownSeries]:
    return [
        ShownSeries(series_instance_uid=one.series_instance_uid, shown=one.shown, images=one.images) for one in found
    ]
