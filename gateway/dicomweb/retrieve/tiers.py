"""A frame in steps, our own addition to WADO-RS: a quarter of its resolution, what makes it a half, and all the rest.

The three answers, one behind the other, are a lossless HTJ2K codestream; the first alone, or the first two, decode to
the whole image in the same matrix. Each is immutable, so a browser that has the first asks only for what follows.
"""

from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import IMMUTABLE, Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, tag_of
from gateway.dicomweb.retrieve.frames import frame_numbers, source_of
from kernel.errors import InvalidRequest

MEDIA_TYPE: Final = "application/octet-stream"


def retrieve_tier(call: Call) -> ASGIApp:
    """Answer GET .../instances/{instance}/frames/{frames}/tiers/{tier}, of one frame; the first tier is 0."""
    frame, tier = call.params["frames"], call.params["tier"]
    numbers = frame_numbers(frame)
    if len(numbers) != 1 or not (tier.isascii() and tier.isdigit() and len(tier) == 1):
        raise InvalidRequest(reason="a tier is a digit, of one frame")
    located = source_of(call).located
    headers = {"ETag": tag_of(located.sha256, frame, "tier", tier), "Cache-Control": IMMUTABLE}
    if known := not_modified(call.headers, headers):
        return known
    body = call.services.tiers.read(located, numbers[0], int(tier))
    return Answer(200, {**headers, "Content-Type": MEDIA_TYPE}, body)
