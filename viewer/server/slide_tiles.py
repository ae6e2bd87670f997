"""The way of a tile to who asks for it: from memory on the event loop, from a thread, or made while somebody waits."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from starlette.requests import Request

from consult.slides.making import Errand, Make, Making
from consult.slides.shelf import OpenSlide
from kernel.access.memory import NotRemembered, remembered_only
from wsi.edges import has_padding
from wsi.slide import Address

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Return what a function returns; in a thread if anything has to be waited for, else here."""
    try:
        with remembered_only():
            return function(*arguments, **named)
    except NotRemembered:
        return await asyncio.to_thread(function, *arguments, **named)


def stored_tile(opened: OpenSlide, address: Address) -> bytes | None:
    """Return a tile that is stored; None if it must be made, or cut because the slide ends within it.

    Raises
    ------
    NotFound
        The slide has no such tile.
    MalformedSlide, BlobMissing
        It is not what its level says, or not there.
    """
    octave = opened.slide.octave(address)
    if not opened.slide.as_stored(octave):
        return None
    tile = opened.slide.stored(address, octave, opened.read) or opened.slide.blank(octave)
    return None if has_padding(tile, octave, address.column, address.row) else tile


async def made_tile(making: Making, request: Request, opened: OpenSlide, address: Address) -> bytes:
    """Wait for a tile, unless the client leaves; errors are those of decoding, and Busy."""
    return await _waited_for(making, request, making.ask_tile(opened, address))


async def made_picture(making: Making, request: Request, opened: OpenSlide, name: str, make: Make) -> bytes:
    """Wait for a picture, unless the client leaves; errors are those of `make`, and Busy."""
    return await _waited_for(making, request, making.ask(opened, name, make))


async def _waited_for(making: Making, request: Request, errand: Errand) -> bytes:
    try:
        made = asyncio.wrap_future(errand.future)
        made.add_done_callback(lambda one: one.cancelled() or one.exception())  # told, whoever is left to hear it
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({made, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        return made.result() if made.done() else b""  # to nobody
    finally:
        making.leave(errand)


async def _gone(request: Request) -> None:
    """Wait until the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
