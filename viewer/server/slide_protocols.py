"""Slides for other viewers: DeepZoom, and the IIIF Image API 3 at level 1. Translations of addresses; the same rights.

    /api/slides/{study}/{series}/dz.dzi, dz_files/{level}/{column}_{row}.jpg
    /api/slides/{study}/{series}/iiif/info.json, {region}/{size}/0/default.jpg

Both name the slide as it is now, so their answers are asked for again when they are old, and cost nothing if they hold.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from consult.slides.making import TileOf
from consult.slides.shelf import OpenSlide
from kernel.errors import InvalidRequest, NotFound
from viewer.server.callers import Visitor, looker, visitor
from viewer.server.services import Services, origin_of
from viewer.server.slide_tiles import in_thread, made_picture, made_tile, stored_tile
from wsi.jpeg import with_profile
from wsi.region import AREA_MAX, Region, Size, clipped, picture, whole_tile
from wsi.slide import Address, Slide

REVALIDATED: Final = "private, no-cache"
IIIF_CONTEXT: Final = "http://iiif.io/api/image/3/context.json"
SIDE_DIGITS: Final = 7
_REGION: Final = re.compile(
    rf"(\d{{1,{SIDE_DIGITS}}}),(\d{{1,{SIDE_DIGITS}}}),(\d{{1,{SIDE_DIGITS}}}),(\d{{1,{SIDE_DIGITS}}})", re.ASCII
)
_SIZE: Final = re.compile(rf"(\d{{0,{SIDE_DIGITS}}}),(\d{{0,{SIDE_DIGITS}}})", re.ASCII)
_TILE: Final = re.compile(r"(\d{1,7})_(\d{1,7})\.jpg", re.ASCII)
"""DeepZoom's name of a tile."""

Answer = Callable[[Request, OpenSlide], "Response | tuple[Any, ...]"]


def add_protocols(router: APIRouter, services: Services, one: str) -> None:
    """Add the routes below `one`, the path of a slide."""
    look = visitor(services, looker(services))

    async def opened(request: Request) -> OpenSlide:
        return await in_thread(_opened, services, look, request)

    async def dzi(request: Request) -> Response:
        return descriptor(await opened(request))

    async def dz_tile(request: Request) -> Response:
        slide = await opened(request)
        level, column, row = deep_zoom_address(request.path_params["level"], request.path_params["tile"])
        region, size, address = deep_zoom_place(slide.slide, level, column, row)
        return await _answer(services, request, slide, region, size, tile_at=address)

    async def info(request: Request) -> Response:
        slide = await opened(request)
        base = f"{origin_of(request, services.config)}{request.url.path.removesuffix('/info.json')}"
        return JSONResponse(
            iiif_info(slide.slide, base), headers=_headers(slide, "info"), media_type="application/ld+json"
        )

    async def iiif(request: Request) -> Response:
        slide, asked = await opened(request), request.path_params
        if asked["rotation"] != "0" or asked["quality"] != "default.jpg":
            raise InvalidRequest(reason="pictures are 0/default.jpg: not rotated, in color, as JPEG")
        region = iiif_region(slide.slide, asked["region"])
        size = iiif_size(region, asked["size"])
        tile_at = whole_tile(slide.slide, region, size)
        return await _answer(services, request, slide, region, size, tile_at=tile_at)

    for path, route in (
        ("/dz.dzi", dzi),
        ("/dz_files/{level}/{tile}", dz_tile),
        ("/iiif/info.json", info),
        ("/iiif/{region}/{size}/{rotation}/{quality}", iiif),
    ):
        router.add_route(router.prefix + one + path, route, methods=["GET"], include_in_schema=False)


def _opened(services: Services, look: Visitor, request: Request) -> OpenSlide:
    asked = request.path_params
    visit = look(request, asked["study_uid"], request.query_params.get("site"))
    return services.slides.shelf.current(visit.grant, asked["series_uid"])


def _headers(opened: OpenSlide, what: str) -> dict[str, str]:
    return {"ETag": f'"{opened.revision}-{what}"', "Cache-Control": REVALIDATED}


async def _answer(
    services: Services, request: Request, opened: OpenSlide, region: Region, size: Size, *, tile_at: Address | None
) -> Response:
    """Give a tile as the reading room has it if the region is one; else draw the region."""
    headers = _headers(opened, "-".join(map(str, (*region, *size))))
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    making = services.slides.making
    if tile_at is None:

        def make(tile_of: TileOf) -> bytes:
            return picture(opened.slide, region, size, tile_of)

        content = await made_picture(making, request, opened, headers["ETag"], make)
    else:
        stored = await in_thread(stored_tile, opened, tile_at)
        tile = stored if stored is not None else await made_tile(making, request, opened, tile_at)
        content = with_profile(tile, opened.slide.index.icc_profile) if tile else tile
    return Response(content, media_type="image/jpeg", headers=headers)


# --- DeepZoom ---------------------------------------------------------------------------------------------------------


def descriptor(opened: OpenSlide) -> Response:
    """Return the descriptor of a slide; its tiles are square and do not overlap.

    Raises
    ------
    NotFound
        The slide's tiles are not square, which DeepZoom cannot say.
    """
    finest = opened.slide.octaves[0]
    if finest.tile_width != finest.tile_height:
        raise NotFound(what="DeepZoom form of this slide: its tiles are not square")
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="jpg" Overlap="0" TileSize="{finest.tile_width}">'
        f'<Size Width="{finest.width}" Height="{finest.height}"/></Image>'
    )
    return Response(content, media_type="application/xml", headers=_headers(opened, "dzi"))


def deep_zoom_address(level: str, tile: str) -> tuple[int, int, int]:
    """Read level, column and row. Raises NotFound."""
    named = _TILE.fullmatch(tile)
    if named is None or not re.fullmatch(r"\d{1,2}", level, re.ASCII):
        raise NotFound(what="tile")
    return int(level), int(named[1]), int(named[2])


def deep_zoom_place(slide: Slide, level: int, column: int, row: int) -> tuple[Region, Size, Address | None]:
    """Return what a DeepZoom tile shows, its size, and which tile of ours it is, if it is one.

    Levels count from one pixel: the last is the finest, each before it half as large (rounded up).

    Raises
    ------
    NotFound
        There is no such tile.
    """
    finest = slide.octaves[0]
    halvings = (max(finest.width, finest.height) - 1).bit_length() - level
    if halvings < 0:
        raise NotFound(what="tile")
    width, height = (-(-side // (1 << halvings)) for side in (finest.width, finest.height))
    tile = finest.tile_width
    if column * tile >= width or row * tile >= height:
        raise NotFound(what="tile")
    size = Size(min(tile, width - column * tile), min(tile, height - row * tile))
    scale = 1 << halvings
    region = clipped(slide, Region(column * tile * scale, row * tile * scale, size.width * scale, size.height * scale))
    return region, size, Address(0, 0, halvings, column, row) if halvings < len(slide.octaves) else None


# --- IIIF -------------------------------------------------------------------------------------------------------------


def iiif_info(slide: Slide, base: str) -> dict[str, Any]:
    """Return the image information document (IIIF Image API 3.0, 5)."""
    finest = slide.octaves[0]
    return {
        "@context": IIIF_CONTEXT,
        "id": base,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level1",
        "width": finest.width,
        "height": finest.height,
        "maxArea": AREA_MAX,
        "sizes": [
            {"width": one.width, "height": one.height}
            for one in reversed(slide.octaves)
            if one.width * one.height <= AREA_MAX
        ],
        "tiles": [
            {
                "width": finest.tile_width,
                "height": finest.tile_height,
                "scaleFactors": [1 << one.number for one in slide.octaves],
            }
        ],
    }


def iiif_region(slide: Slide, text: str) -> Region:
    """Read `full`, `square` or `x,y,w,h` (4.1), cut to the slide. Raises InvalidRequest."""
    finest = slide.octaves[0]
    if text == "full":
        return Region(0, 0, finest.width, finest.height)
    if text == "square":
        side = min(finest.width, finest.height)
        return Region((finest.width - side) // 2, (finest.height - side) // 2, side, side)
    told = _REGION.fullmatch(text)
    if told is None:
        raise InvalidRequest(reason="a region is full, square, or x,y,width,height in whole pixels")
    return clipped(slide, Region(*map(int, told.groups())))


def iiif_size(region: Region, text: str) -> Size:
    """Read `max`, `w,`, `,h` or `w,h` (4.2); nothing is enlarged. Raises InvalidRequest."""
    if text == "max":
        shrunk = min(1.0, (AREA_MAX / (region.width * region.height)) ** 0.5)
        return Size(max(1, int(region.width * shrunk)), max(1, int(region.height * shrunk)))
    told = _SIZE.fullmatch(text)
    if told is None or text == ",":
        raise InvalidRequest(reason="a size is max, or width,height of which one may be left out")
    width, height = (int(side) if side else 0 for side in told.groups())
    width = width if told[1] else max(1, round(region.width * height / region.height))
    height = height if told[2] else max(1, round(region.height * width / region.width))
    if not (1 <= width <= region.width and 1 <= height <= region.height):
        raise InvalidRequest(reason="a picture has at least one pixel and no more than its region")
    return Size(width, height)
