"""The API of slides: what a slide is, and its tiles.

A tile is asked for hundreds of times in a session, so its way is short: leave to read the study from memory, the place of
the tile from memory, one read. Only what must be waited for goes to a thread.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from consult.pathology.validation import Standing, summary
from consult.slides.shelf import OpenSlide
from consult.slides.vendor_files import VendorFile
from kernel.errors import NotFound
from viewer.server.callers import Visit, Visitor, looker, visitor
from viewer.server.models import Model
from viewer.server.pathology import Stands
from viewer.server.services import Services
from viewer.server.slide_protocols import add_protocols
from viewer.server.slide_tiles import in_thread, made_tile, stored_tile
from wsi.jpeg import spliced_profile
from wsi.slide import Address

API: Final = "/api"
ONE: Final = "/slides/{study_uid}/{series_uid}"
VENDOR_FILE: Final = ONE + "/vendor-file"
GLASS_PICTURE: Final = VENDOR_FILE + "/{picture}"
PROFILE: Final = ONE + "/t/{revision}/icc"
TILE: Final = ONE + "/t/{revision}/{path}/{plane}/{octave}/{column_row}"
AT_SITE: Final = "/sites/{site}"  # before either, where one UID is at several sites
PROFILE_TYPE: Final = "application/vnd.iccprofile"
IMMUTABLE: Final = "private, max-age=31536000, immutable"
NOT_KEPT: Final = {"Cache-Control": "private, no-store"}  # by browsers
_NUMBER: Final = re.compile(r"[0-9]{1,7}", re.ASCII)


class SlideOctave(Model):
    """One level as viewers see it, half the one before."""

    number: int
    width: int
    height: int
    columns: int
    rows: int
    stored: bool


class SlideFocalPlane(Model):
    """A height over the glass that can be looked at."""

    number: int
    microns: float


class SlideOpticalPath(Model):
    """A way of the light that can be looked at, such as a fluorescence channel."""

    number: int
    name: str


class SlideLabel(Model):
    """A picture of the glass beside the tissue, on which the patient's name may stand."""

    kind: Literal["label", "macro", "other"]
    sop_instance_uid: str | None = Field(description="Of the series; null of a picture in the scanner's own file.")
    picture: str | None = Field(description="Where the picture is that is in the scanner's own file.")


class SlideItem(Model):
    """What a slide is, and where its tiles are: `{tiles}/{path}/{plane}/{octave}/{column}_{row}`."""

    revision: str
    width: int
    height: int
    tile_width: int
    tile_height: int
    octaves: list[SlideOctave]
    mpp: tuple[float, float] | None
    objective: float | None
    focal_planes: list[SlideFocalPlane]
    optical_paths: list[SlideOpticalPath]
    orientation: list[float] | None
    origin_mm: tuple[float, float] | None
    has_icc: bool
    icc: str | None = Field(description="Where the colour profile is that is too long to be in every tile, if it is.")
    container: str = Field(description="Identifier of the glass, as who made the slide calls it.")
    specimens: list[str] = Field(description="What lies on the glass, in words.")
    stains: list[str]
    associated: list[str]
    labels: list[SlideLabel] = Field(description="Of who may see labels alone, and of one frame each.")
    vendor_file: str | None = Field(
        description="Of who may see labels alone: where the scanner's own file is, if kept."
    )
    tiles: str
    validation: Stands | None = Field(description="The reader's own record; none: tell so. Null of programs.")


def add_slides(router: APIRouter, services: Services) -> None:
    """Add the routes of slides."""
    look = visitor(services, looker(services))

    @router.get(ONE, tags=["slides"])
    def slide(
        visit: Annotated[Visit, Depends(look)], study_uid: str, series_uid: str, site: str | None = None
    ) -> SlideItem:
        """Describe the slide of a series: its pyramid, its scale, its place on the glass, where its tiles are."""
        opened = services.slides.shelf.current(visit.grant, series_uid)
        prefix = router.prefix + (AT_SITE.format(site=site) if site else "")
        one = ONE.format(study_uid=study_uid, series_uid=series_uid)
        standing = None
        if visit.principal.kind == "account":
            standing = summary(services.validations.of(visit.principal.name)).standing
        kept = services.slides.vendor_files
        described = _described(opened, f"{prefix}{one}/t/{opened.revision}", standing)
        if kept is None or not kept.has(visit.grant, series_uid):
            return described
        file = f"{prefix}{one}/vendor-file"
        pictures = [
            SlideLabel(kind=name, sop_instance_uid=None, picture=f"{file}/{name}")
            for name in kept.pictures(visit.grant, series_uid)
        ]
        return described.model_copy(update={"labels": [*described.labels, *pictures], "vendor_file": file})

    add_protocols(router, services, ONE)


def tile_routes(services: Services) -> list[BaseRoute]:
    """Return the routes of tiles, which come before all others: looking through those costs more than a tile."""
    look = visitor(services, looker(services))

    async def tile(request: Request) -> Response:
        etag = '"{revision}-{path}-{plane}-{octave}-{column_row}"'.format(**request.path_params)
        headers = {"ETag": etag, "Cache-Control": IMMUTABLE}
        opened, address, content = await in_thread(_place, services, look, request)
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if content is None:
            content = await made_tile(services.slides.making, request, opened, address)
        return Response(content, media_type="image/jpeg", headers=headers)

    async def profile(request: Request) -> Response:
        opened = await in_thread(_opened, services, look, request)
        if not opened.slide.index.icc_profile:
            raise NotFound(what="colour profile of this slide")
        headers = {"ETag": f'"{opened.revision}-icc"', "Cache-Control": IMMUTABLE}
        return Response(opened.slide.index.icc_profile, media_type=PROFILE_TYPE, headers=headers)

    async def vendor_file(request: Request) -> Response:
        found = await asyncio.to_thread(_vendor_file, services, look, request)
        return FileResponse(found.path, media_type="application/octet-stream", filename=found.name, headers=NOT_KEPT)

    async def glass_picture(request: Request) -> Response:
        found = await asyncio.to_thread(_vendor_file, services, look, request)
        path = found.picture(request.path_params["picture"])
        return FileResponse(path, media_type="image/jpeg", headers=NOT_KEPT)

    both = ((TILE, tile), (PROFILE, profile), (VENDOR_FILE, vendor_file), (GLASS_PICTURE, glass_picture))
    return [Route(API + at + path, route, methods=["GET"]) for path, route in both for at in ("", AT_SITE)]


def _opened(services: Services, look: Visitor, request: Request) -> OpenSlide:
    asked = request.path_params
    grant = look(request, asked["study_uid"], asked.get("site")).grant
    return services.slides.shelf.at(grant, asked["series_uid"], asked["revision"])


def _vendor_file(services: Services, look: Visitor, request: Request) -> VendorFile:
    """Return the file that a slide was made of, and write down that its label is looked at."""
    asked, kept = request.path_params, services.slides.vendor_files
    visit = look(request, asked["study_uid"], asked.get("site"))
    if kept is None:
        raise NotFound(what="vendor's file of this slide")
    found = kept.of(visit.grant, asked["series_uid"])
    services.access.tell_label(visit.principal, visit.grant, visit.address)
    return found


def _place(services: Services, look: Visitor, request: Request) -> tuple[OpenSlide, Address, bytes | None]:
    """Return slide, address, and the tile if it is stored."""
    opened, address = _opened(services, look, request), _address(request.path_params)
    return opened, address, stored_tile(opened, address)


def _address(asked: dict[str, Any]) -> Address:
    texts = (asked["path"], asked["plane"], asked["octave"], *asked["column_row"].split("_"))
    if len(texts) != len(Address._fields) or not all(_NUMBER.fullmatch(text) for text in texts):
        raise NotFound(what="tile")
    return Address(*map(int, texts))


def _described(opened: OpenSlide, tiles: str, validation: Standing | None) -> SlideItem:
    slide, index = opened.slide, opened.slide.index
    finest, glass = slide.octaves[0], index.on_glass
    return SlideItem(
        revision=opened.revision,
        width=finest.width,
        height=finest.height,
        tile_width=finest.tile_width,
        tile_height=finest.tile_height,
        octaves=[
            SlideOctave(
                number=one.number,
                width=one.width,
                height=one.height,
                columns=one.columns,
                rows=one.rows,
                stored=slide.as_stored(one),
            )
            for one in slide.octaves
        ],
        mpp=index.mpp,
        objective=index.objective,
        focal_planes=[SlideFocalPlane(number=at, microns=one) for at, one in enumerate(index.focal_planes)],
        optical_paths=[SlideOpticalPath(number=at, name=one) for at, one in enumerate(index.optical_paths)],
        orientation=list(glass.orientation) if glass else None,
        origin_mm=glass.origin_mm if glass else None,
        has_icc=bool(index.icc_profile),
        icc=f"{tiles}/icc" if index.icc_profile and not spliced_profile(index.icc_profile) else None,
        container=index.glass.container,
        specimens=list(index.glass.specimens),
        stains=list(index.glass.stains),
        associated=[one.kind for one in index.associated if one.kind == "thumbnail"],
        labels=list(_labels(opened)),
        vendor_file=None,
        tiles=tiles,
        validation=validation.value if validation else None,
    )


def _labels(opened: OpenSlide) -> Iterator[SlideLabel]:
    """Yield the pictures that show or may show whose slide it is; who may not see them has none of their instances."""
    for one in sorted(opened.slide.index.associated, key=lambda one: one.kind):
        instance = opened.located[one.place]
        if one.kind != "thumbnail" and instance.number_of_frames <= 1:
            yield SlideLabel(kind=one.kind, sop_instance_uid=instance.sop_instance_uid, picture=None)
