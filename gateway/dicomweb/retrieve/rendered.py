"""Pictures for the eye (PS3.18 10.4.1.1.4, 10.4.1.1.5): of frames, instances, series, studies; thumbnails of all.

One frame is a picture; several are parts of a multipart message, an animated GIF, or a video. A picture is 8 bits a
sample and JPEG is lossy: it is for looking around, never for reading. Diagnostic viewing uses frames.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import IMMUTABLE, Answer, Chunked
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, tag_of
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import MULTIPART, Offer, choose
from gateway.dicomweb.http.ranges import ranged
from gateway.dicomweb.retrieve.documents import is_document, rendered_document
from gateway.dicomweb.retrieve.drawing import animation, draw, draw_remembered
from gateway.dicomweb.retrieve.frame_source import FrameSource, opened
from gateway.dicomweb.retrieve.frames import frame_numbers, source_of
from gateway.dicomweb.retrieve.instances import VARY, sending
from gateway.dicomweb.retrieve.rendering import Rendering, rendering_of
from gateway.dicomweb.retrieve.slide_thumbnails import SlidePicture, drawn_slide, slide_of
from gateway.dicomweb.retrieve.videos import (
    MP4,
    MP4_OFFER,
    STREAM_TYPES,
    is_mp4,
    is_stream,
    made,
    offered,
    stream_of,
)
from kernel.archive.records import Located
from kernel.dicom.pictures.viewport import Viewport
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.errors import MalformedInstance, NotAcceptable, NotFound, Refused

THUMBNAIL_SIDE: Final = 128
CACHED: Final = "private, max-age=3600"  # not for ever: a later version may draw the same frame better
DRAWN: Final = "3"  # changes with how pictures are drawn, so that no old one is taken for the same
GLIMPSE: Final = "The slide is being made ready: a first look, from a part of its tiles. Ask again."
GIF: Final = "image/gif"
_KINDS: Final = ("image/jpeg", "image/png", GIF, "image/jp2")
ALONE: Final = tuple(Offer(kind) for kind in _KINDS)
PARTS: Final = tuple(Offer(kind, is_multipart=True) for kind in _KINDS)


def rendered(call: Call) -> ASGIApp:
    """Answer GET .../instances/{instance}[/frames/{frames}]/rendered.

    Alone comes one frame, the first of an instance unless some are named; a GIF or a video has all of them.
    """
    located, source = _located(call)
    if is_document(located):
        return rendered_document(call, located)
    numbers = frame_numbers(call.params["frames"]) if "frames" in call.params else None
    if is_stream(located):
        return _stream(call, located)
    offer = _chosen(call.accept, None if numbers is None else len(numbers))
    how = rendering_of(call.query)
    headers = _headers(call, [located], offer)
    if known := not_modified(call.headers, headers):
        return known
    if offer.is_multipart:
        return _parts(call, headers, offer, _pictures(call, located, numbers, offer, how))
    if offer == MP4_OFFER:
        return made(call, located, numbers, how, headers)
    if offer.media_type == GIF and (numbers is None or len(numbers) > 1):
        with opened(call.services.blobs.path(located.blob_key)) as pixels:
            return Answer(200, {**headers, "Content-Type": GIF}, animation(pixels, numbers, how))
    number = (numbers or [1])[0]
    picture = None if source is None else draw_remembered(source, number - 1, offer.media_type, how)
    if picture is not None:
        return Answer(200, {**headers, "Content-Type": offer.media_type}, picture)
    return _picture(call, located, number, (offer, how, headers))


def _chosen(accept: str, frames: int | None) -> Offer:
    """Choose; whoever wants a picture does not wait until it is known whether videos can be had."""
    is_several = frames not in (None, 1)
    if frames == 1 or "video/" not in accept.lower():
        picture = _picture_chosen(accept, is_several=is_several)
        if picture is not None:
            return picture
    return choose(accept, (*_pictures_offered(is_several=is_several), *(() if frames == 1 else offered())))


@lru_cache(maxsize=1024)  # clients send a handful of values, thousands of times
def _picture_chosen(accept: str, *, is_several: bool) -> Offer | None:
    with suppress(NotAcceptable):
        return choose(accept, _pictures_offered(is_several=is_several))
    return None


def _pictures_offered(*, is_several: bool) -> tuple[Offer, ...]:
    return (*PARTS, Offer(GIF)) if is_several else (*ALONE, *PARTS)


def _stream(call: Call, located: Located) -> ASGIApp:
    """Give what is stored as a video as it is, if players know its container; its frames are drawn by nobody here."""
    stream = stream_of(call, located)
    if "frames" in call.params or not is_mp4(stream):
        raise NotAcceptable(offered=f"bulk data as {STREAM_TYPES[located.transfer_syntax_uid]}")
    choose(call.accept, [MP4_OFFER])
    headers = {"ETag": tag_of(located.sha256, MP4), "Content-Type": MP4, "Cache-Control": IMMUTABLE, "Vary": VARY}
    return not_modified(call.headers, headers) or ranged(call.headers, headers, stream, sending(call))


def rendered_study(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/rendered: every frame of every instance that has any, a part each."""
    return _rendered_all(call)


def rendered_series(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}/rendered."""
    return _rendered_all(call)


def thumbnail(call: Call) -> ASGIApp:
    """Answer GET .../thumbnail of a study, series, instance or frame: of several instances, one in the middle.

    A slide is shown as a whole, and no label of one unless its instance is named.
    """
    offer = choose(call.accept, ALONE)
    how = rendering_of(call.query, may_enlarge=False)
    viewport = how.viewport or Viewport(THUMBNAIL_SIDE, THUMBNAIL_SIDE, may_enlarge=False)
    if how.viewport is None:
        how = Rendering(how.window, viewport, how.quality, (), "no")
    numbers = frame_numbers(call.params.get("frames", "1"))
    if "instance" in call.params:
        located, slide = [source_of(call).located], None
    else:
        grant = call.open_study(call.params["study"])
        shown = [one for one in call.locate_all(grant) if not one.shows_label]
        if not shown:
            raise NotFound(what="picture but a label")
        located, slide = _middle_first(shown), slide_of(call, grant, shown, viewport)
    if slide is not None:
        headers = _headers(call, slide.opened.located, offer)
        return not_modified(call.headers, headers) or _whole_slide(call, slide, offer, headers)
    headers = _headers(call, located[:1], offer)
    if known := not_modified(call.headers, headers):
        return known
    for one in located[:-1]:
        try:
            return _picture(call, one, numbers[0], (offer, how, headers))
        except Refused:  # a report among images, or an image that cannot be drawn: another stands for the study
            continue
    return _picture(call, located[-1], numbers[0], (offer, how, headers))


def _whole_slide(call: Call, slide: SlidePicture, offer: Offer, headers: dict[str, str]) -> Answer:
    drawn = drawn_slide(call, slide, offer.media_type)
    if drawn.is_glimpse:  # nobody keeps it
        headers = {"Cache-Control": "no-store", "Warning": f'299 {call.address.base_url} "{GLIMPSE}"', "Vary": VARY}
    return Answer(200, {**headers, "Content-Type": offer.media_type}, drawn.content)


def _located(call: Call) -> tuple[Located, FrameSource | None]:
    try:
        source = source_of(call)
    except (NotFound, MalformedInstance):  # no pixels, or a video; or not there at all
        return call.locate(call.open_study(call.params["study"])), None
    return source.located, source


def _rendered_all(call: Call) -> ASGIApp:
    grant = call.open_study(call.params["study"])
    located = call.locate_all(grant)
    offer = choose(call.accept, PARTS)
    call.tell_labels(grant, *located)
    how = rendering_of(call.query)
    headers = _headers(call, located, offer)
    if known := not_modified(call.headers, headers):
        return known
    return _parts(call, headers, offer, _every_picture(call, located, offer, how))


def _middle_first(located: list[Located]) -> list[Located]:
    """Return some instances to try for a thumbnail: the one in the middle, then one of each series.

    Of a slide that is its coarsest level, which has the fewest tiles.
    """
    by_series = {one.series_instance_uid: one for one in located}
    middle = located[len(located) // 2]
    if middle.sop_class_uid == WHOLE_SLIDE:
        levels = [one for one in located if one.series_instance_uid == middle.series_instance_uid]
        middle = min(levels, key=lambda one: one.number_of_frames)
    return [middle, *by_series.values()]


def _headers(call: Call, located: Sequence[Located], offer: Offer) -> dict[str, str]:
    frames = call.params.get("frames", "")
    digests = (one.sha256 for one in located)
    etag = tag_of(DRAWN, str(offer), frames, str(sorted(call.query.items())), *digests)
    return {"ETag": f"W/{etag}" if offer.is_multipart else etag, "Cache-Control": CACHED, "Vary": VARY}


def _picture(call: Call, located: Located, number: int, asked: tuple[Offer, Rendering, dict[str, str]]) -> Answer:
    offer, how, headers = asked
    with opened(call.services.blobs.path(located.blob_key)) as pixels:
        body = draw(pixels, number - 1, offer.media_type, how)
    return Answer(200, {**headers, "Content-Type": offer.media_type}, body)


def _pictures(
    call: Call, located: Located, numbers: Sequence[int] | None, offer: Offer, how: Rendering
) -> Iterator[bytes]:
    with opened(call.services.blobs.path(located.blob_key)) as pixels:
        for number in numbers or range(1, pixels.frames.number_of_frames + 1):
            yield draw(pixels, number - 1, offer.media_type, how)


def _every_picture(call: Call, located: Sequence[Located], offer: Offer, how: Rendering) -> Iterator[bytes]:
    for one in located:
        try:
            yield from _pictures(call, one, None, offer, how)
        except Refused:  # no pixels, no codec, damaged: the others are shown
            continue


def _parts(call: Call, headers: dict[str, str], offer: Offer, pictures: Iterator[bytes]) -> ASGIApp:
    first = next(pictures, None)  # what cannot be drawn at all is told before anything is promised
    if first is None:
        raise NotFound(what="picture: nothing here can be drawn")
    boundary = call.room.boundary
    headers["Content-Type"] = f'{MULTIPART}; type="{offer.media_type}"; boundary={boundary.decode()}'
    head = part_head(boundary, {"Content-Type": offer.media_type})

    def chunks() -> Iterator[bytes]:
        for picture in chain([first], pictures):
            yield head + picture + PART_TAIL
        yield body_tail(boundary)

    return Chunked(headers, chunks(), call.room.readers, call.services.config.http.body_timeout_s)
