"""WADO-RS: studies, series and instances as they are stored (PS3.18 10.4.1), streamed from disk in bounded memory.

Always in the transfer syntax in which they came: `transfer-syntax=*`, none at all, or that very one. Bytes are never
changed, so an instance is immutable under its URL.
"""

from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.answers import IMMUTABLE, Chunked, FileSpan, Piece, streamed
from gateway.dicomweb.call import Call
from gateway.dicomweb.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.negotiation import DICOM, MULTIPART, Offer, choose
from kernel.archive import index
from kernel.archive.records import Located

VARY: Final = "Accept, Authorization, Cookie"


def retrieve_study(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}."""
    grant = call.open_study(call.params["study"])
    with call.services.db.read() as connection:
        located = index.locate_study(connection, grant)
    return _multipart(call, located)


def retrieve_series(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}."""
    grant = call.open_study(call.params["study"])
    with call.services.db.read() as connection:
        located = index.locate_series(connection, grant, call.params["series"])
    return _multipart(call, located)


def retrieve_instance(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}/instances/{instance}."""
    located = call.locate(call.open_study(call.params["study"]))
    stored = located.transfer_syntax_uid
    asked = frozenset({"", "*", stored})
    offers = [Offer(DICOM, True, asked, stored), Offer(DICOM, False, asked, stored)]  # noqa: FBT003 (a row)
    if choose(call.accept, offers).is_multipart:
        return _multipart(call, [located])
    headers = {"Content-Type": f"{DICOM}; transfer-syntax={stored}", "Cache-Control": IMMUTABLE, "Vary": VARY}
    return _streamed(call, headers, [_span(call, located)])


def _multipart(call: Call, located: Sequence[Located]) -> ASGIApp:
    stored = {one.transfer_syntax_uid for one in located}
    asked = frozenset({"", "*", *(stored if len(stored) == 1 else ())})
    one = next(iter(stored)) if len(stored) == 1 else ""
    choose(call.accept, [Offer(DICOM, True, asked, one)])  # noqa: FBT003 (a row)
    boundary = call.services.random(16).encode()
    pieces: list[Piece] = []
    for instance in located:
        head = {"Content-Type": f"{DICOM}; transfer-syntax={instance.transfer_syntax_uid}"}
        pieces += [part_head(boundary, head), _span(call, instance), PART_TAIL]
    pieces.append(body_tail(boundary))
    kind = f'{MULTIPART}; type="{DICOM}"; boundary={boundary.decode()}'
    return _streamed(call, {"Content-Type": kind, "Vary": VARY}, pieces)


def _span(call: Call, located: Located) -> FileSpan:
    return FileSpan(call.services.blobs.path(located.blob_key), 0, located.size_bytes)


def _streamed(call: Call, headers: dict[str, str], pieces: Sequence[Piece]) -> Chunked:
    return streamed(headers, pieces, call.room.readers, call.services.config.http.body_timeout_s)
