"""The API of bulk annotations on slides: which groups there are, and their tiles (`wsi.bulk_tiles`)."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from kernel.errors import NotFound
from viewer.server.callers import Visit, looker, visitor
from viewer.server.models import Model
from viewer.server.services import Services
from wsi.bulk_tiles import OCTAVE_MAX, bulk_tile

BULK: Final = "/slides/{study_uid}/{series_uid}/bulk"
ONE: Final = BULK + "/{revision}/{instance_uid}/{group}/annotations/{number}"
TILE: Final = BULK + "/{revision}/{instance_uid}/{place:path}"
IMMUTABLE: Final = "private, max-age=31536000, immutable"
_PLACE: Final = re.compile(r"([0-9]{1,5})/([0-9]{1,2})/([0-9]{1,6})_([0-9]{1,6})", re.ASCII)
"""Group, octave, column, row."""


class BulkFigure(Model):
    """What one annotation was measured to be."""

    code: str = Field(description="Of what was measured, such as 42798000 (SCT): area.")
    name: str
    value: float
    unit: str = Field(description="UCUM.")


class BulkGroup(Model):
    """One group of annotations; its tiles: `{tiles}/{octave}/{column}_{row}`; figures: `{tiles}/annotations/{number}`."""

    id: str
    label: str
    category: str
    type: str
    generation: str
    algorithm: str
    graphic: str
    count: int
    measured: bool = Field(description="Whether figures of its annotations are there.")
    tiles: str


class BulkGroups(Model):
    """What is annotated in bulk on a slide."""

    groups: list[BulkGroup]
    unread: int = Field(description="Instances that refer to the slide and cannot be read.")


@dataclass(frozen=True, slots=True)
class One:
    """One annotation, as an address names it."""

    revision: str
    instance_uid: str
    group: int
    number: int  # from 1


def add_bulk_annotations(router: APIRouter, services: Services) -> None:
    """Add the routes of bulk annotations."""
    look = visitor(services, looker(services))

    @router.get(BULK, tags=["slides"])
    def groups(visit: Annotated[Visit, Depends(look)], study_uid: str, series_uid: str) -> BulkGroups:
        """List the groups of bulk annotations (DICOM ANN) on a slide."""
        slide, found, unread = services.slides.bulk.of(visit.grant, series_uid)
        base = router.prefix + BULK.format(study_uid=study_uid, series_uid=series_uid)
        listed = [
            BulkGroup(
                id=f"{bulk.sop_instance_uid}/{group.number}",
                label=group.label,
                category=group.category,
                type=group.type,
                generation=group.generation,
                algorithm=group.algorithm,
                graphic=group.graphic,
                count=group.count,
                measured=bool(group.measurements),
                tiles=f"{base}/{slide.revision}/{bulk.sop_instance_uid}/{group.number}",
            )
            for bulk in found
            for group in bulk.groups
        ]
        return BulkGroups(groups=listed, unread=unread)

    @router.get(ONE, tags=["slides"])
    def figures(
        visit: Annotated[Visit, Depends(look)], study_uid: str, series_uid: str, one: Annotated[One, Depends()]
    ) -> list[BulkFigure]:
        """Tell what one annotation of a group was measured to be."""
        del study_uid  # `look` has read it
        group = services.slides.bulk.group(visit.grant, series_uid, one.revision, one.instance_uid, one.group)
        if not 1 <= one.number <= group.count:
            raise NotFound(what="annotation")
        told = [(figure, figure.of(one.number)) for figure in group.measurements]
        return [
            BulkFigure(code=figure.code, name=figure.name, value=value, unit=figure.unit)
            for figure, value in told
            if value is not None
        ]

    def tile(request: Request) -> Response:
        asked = request.path_params
        grant = look(request, asked["study_uid"], request.query_params.get("site")).grant
        place = _PLACE.fullmatch(asked["place"])
        if place is None or int(place[2]) > OCTAVE_MAX:
            raise NotFound(what="tile")
        number, octave, column, row = map(int, place.groups())
        group = services.slides.bulk.group(grant, asked["series_uid"], asked["revision"], asked["instance_uid"], number)
        content = bulk_tile(group, octave, column, row)
        return Response(content, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})

    router.add_route(router.prefix + TILE, tile, methods=["GET"], include_in_schema=False)
