"""WADO-RS: studies, series and instances (PS3.18 10.4.1), streamed from disk in bounded memory.

As multipart/related, alone, or in a ZIP file; in the transfer syntax that the client asks for, see `representations`.
Bytes are never changed otherwise, so an instance is immutable under its URL and Accept.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import IMMUTABLE, Made, Piece, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, tag_of, weak_tag_of
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import DICOM, MULTIPART, Offer, choose
from gateway.dicomweb.http.ranges import Sending, ranged
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.representations import (
    ZIP,
    Instance,
    bytes_of,
    given,
    offers,
    stored_syntaxes,
    syntax_of,
    zip_offers,
)
from gateway.dicomweb.retrieve.zipped import ENTRIES_MAX, zipped
from kernel.archive.records import Located
from kernel.errors import LimitExceeded

if TYPE_CHECKING:
    from concurrent.futures import Future

VARY: Final = "Accept, Authorization, Cookie"
AHEAD: Final = 2  # instances begun before their turn; each keeps PRIMED_BYTES of itself, and its next frames
_GROWTH: Final = 16  # how much larger than stored an instance may become in a ZIP file, to choose its form


def retrieve_several(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}[/series/{series}]."""
    grant = call.open_study(call.params["study"])
    located = call.locate_all(grant)
    stored = stored_syntaxes(located)
    offer = choose(call.accept, [*offers(stored), *zip_offers(stored)])
    call.tell_labels(grant, *located)
    return _given(call, located, offer)


def retrieve_instance(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}/instances/{instance}."""
    located = call.locate(call.open_study(call.params["study"]))
    stored = stored_syntaxes([located])
    offer = choose(call.accept, [*offers(stored, (True, False)), *zip_offers(stored)])
    if offer.is_multipart or offer.media_type == ZIP:
        return _given(call, [located], offer)
    target = syntax_of(located, offer.transfer_syntax_uid)
    headers = {"ETag": tag_of(located.sha256, target), "Cache-Control": IMMUTABLE, "Vary": VARY}
    if known := not_modified(call.headers, headers):
        return known
    instance = given(located, call.services.blobs, target)
    headers["Content-Type"] = f"{DICOM}; transfer-syntax={instance.transfer_syntax_uid}"
    chunks = instance.chunks
    piece = chunks if isinstance(chunks, FileSpan) else Made(lambda: chunks)
    return ranged(call.headers, headers, [piece], sending(call))


def sending(call: Call) -> Sending:
    """Return with what the answer of a call is streamed."""
    return Sending(call.room.readers, call.services.config.http.body_timeout_s, call.room.boundary)


def _given(call: Call, located: Sequence[Located], offer: Offer) -> ASGIApp:
    wanted = offer.transfer_syntax_uid
    parts = (text for one in located for text in (one.sop_instance_uid, one.sha256))
    headers = {"ETag": weak_tag_of((offer.media_type, wanted, *parts)), "Vary": VARY}
    if known := not_modified(call.headers, headers):
        return known
    if offer.media_type == ZIP:
        if len(located) > ENTRIES_MAX:
            raise LimitExceeded(limit="ENTRIES_MAX", value=len(located), bound=ENTRIES_MAX)
        headers |= {"Content-Type": ZIP, "Content-Disposition": 'attachment; filename="study.zip"'}
        return _streamed(call, headers, [Made(lambda: zipped(_entries(call, located, wanted)))])
    boundary = call.services.random(16).encode()
    headers["Content-Type"] = f'{MULTIPART}; type="{DICOM}"; boundary={boundary.decode()}'
    ahead = _Ahead(call, [one for one in located if syntax_of(one, wanted) != one.transfer_syntax_uid], wanted)
    pieces = [piece for one in located for piece in _part(call, one, wanted, (boundary, ahead))]
    return _streamed(call, headers, [*pieces, body_tail(boundary)])


class _Ahead:
    """Instances that have to be made, begun before their turn: as many at once as there are decoding processes."""

    def __init__(self, call: Call, located: Sequence[Located], wanted: str) -> None:
        self._call = call
        self._wanted = wanted
        self._waiting = iter(located)
        self._begun: deque[Future[Instance]] = deque()

    def next(self) -> Instance:
        """Return the next one; asked for in their order."""
        while len(self._begun) <= AHEAD and (one := next(self._waiting, None)) is not None:
            self._begun.append(self._call.room.makers.submit(given, one, self._call.services.blobs, self._wanted))
        return self._begun.popleft().result()


def _part(call: Call, located: Located, wanted: str, how: tuple[bytes, _Ahead]) -> Sequence[Piece]:
    boundary, ahead = how
    if syntax_of(located, wanted) == located.transfer_syntax_uid:
        head = part_head(boundary, _part_headers(located.transfer_syntax_uid))
        return head, FileSpan(call.services.blobs.path(located.blob_key), 0, located.size_bytes), PART_TAIL

    def made() -> Iterator[bytes]:
        instance = ahead.next()
        yield part_head(boundary, _part_headers(instance.transfer_syntax_uid))
        yield from bytes_of(instance)
        yield PART_TAIL

    return (Made(made),)


def _part_headers(transfer_syntax_uid: str) -> dict[str, str]:
    return {"Content-Type": f"{DICOM}; transfer-syntax={transfer_syntax_uid}"}


def _entries(call: Call, located: Sequence[Located], wanted: str) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    for one in located:
        instance = given(one, call.services.blobs, wanted)
        name = f"{one.series_instance_uid}/{one.sop_instance_uid}.dcm"
        yield name, one.size_bytes * _GROWTH, bytes_of(instance)


def _streamed(call: Call, headers: dict[str, str], pieces: Sequence[Piece]) -> ASGIApp:
    return streamed(headers, pieces, call.room.readers, call.services.config.http.body_timeout_s)
