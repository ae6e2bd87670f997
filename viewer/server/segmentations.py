"""The API of segmentations of slides: which there are, why one cannot be shown, and their tiles (`wsi.segment_tiles`)."""

import asyncio
import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from consult.slides.segment_making import tile_name
from consult.slides.segments import Overlay
from consult.slides.shelf import OpenSlide
from kernel.errors import NotFound
from viewer.server.callers import Visit, looker, visitor
from viewer.server.models import Model
from viewer.server.services import Services
from viewer.server.slide_tiles import made_picture
from wsi.segment_tiles import OCTAVE_MAX, TilePlace
from wsi.segmentation import Reason

ALL: Final = "/slides/{study_uid}/{series_uid}/segmentations"
TILE: Final = ALL + "/{revision}/{overlay}/{place:path}"
IMMUTABLE: Final = "private, max-age=31536000, immutable"
_PLACE: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,6})_([0-9]{1,6})", re.ASCII)
"""Octave, column, row."""


class SlideSegment(Model):
    """One segment: what its pixels are."""

    number: int
    label: str
    category: str
    type: str
    algorithm: str


class SlideSegmentation(Model):
    """One segmentation; its tiles: `{tiles}/{octave}/{column}_{row}`."""

    id: str
    label: str
    segments: list[SlideSegment]
    reason: Reason | None = Field(description="Why it cannot be shown; null if it can.")
    tiles: str


class SlideSegmentations(Model):
    """What is segmented on a slide."""

    segmentations: list[SlideSegmentation]


def add_segmentations(router: APIRouter, services: Services) -> None:
    """Add the routes of segmentations of slides."""
    look = visitor(services, looker(services))

    @router.get(ALL, tags=["slides"])
    def segmentations(visit: Annotated[Visit, Depends(look)], study_uid: str, series_uid: str) -> SlideSegmentations:
        """List the segmentations (DICOM SEG) of a slide."""
        slide, found = services.slides.segments.of(visit.grant, series_uid)
        base = router.prefix + ALL.format(study_uid=study_uid, series_uid=series_uid)
        listed = [
            SlideSegmentation(
                id=one.id,
                label=one.label,
                segments=[
                    SlideSegment(
                        number=segment.number,
                        label=segment.label,
                        category=segment.category,
                        type=segment.type,
                        algorithm=segment.algorithm,
                    )
                    for segment in one.segments
                ],
                reason=one.reason,
                tiles=f"{base}/{slide.revision}/{one.id}",
            )
            for one in found
        ]
        return SlideSegmentations(segmentations=listed)

    def found(request: Request) -> tuple[OpenSlide, Overlay, TilePlace]:
        asked = request.path_params
        grant = look(request, asked["study_uid"], request.query_params.get("site")).grant
        place = _PLACE.fullmatch(asked["place"])
        if place is None or int(place[1]) > OCTAVE_MAX:
            raise NotFound(what="tile")
        tile = TilePlace(*map(int, place.groups()))
        slide, overlay = services.slides.segments.one(grant, asked["series_uid"], asked["revision"], asked["overlay"])
        if not tile.is_on(slide.slide.index):  # each tile is kept: nobody fills the disk with places beside the slide
            raise NotFound(what="tile")
        return slide, overlay, tile

    async def tile(request: Request) -> Response:
        slide, overlay, place = await asyncio.to_thread(found, request)
        slides = services.slides
        making = slides.segment_making
        content = await made_picture(
            slides.making, request, slide, tile_name(overlay, place), lambda _: making.tile(slide, overlay, place)
        )
        headers = {"Cache-Control": IMMUTABLE, "Content-Encoding": "gzip"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    router.add_route(router.prefix + TILE, tile, methods=["GET"], include_in_schema=False)
