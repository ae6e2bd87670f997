"""Vendors' slides that a person puts in at a site, in the browser: in pieces, going on where the line broke.

    POST   /uploads/slides             a form in JSON: what comes, and whose it is; 201 with its state
    GET    /uploads/slides             the caller's slides on their way
    GET    /uploads/slides/{upload}    one of them
    PATCH  /uploads/slides/{upload}    the bytes from Upload-Offset on; 409 when the next byte is another one
    DELETE /uploads/slides/{upload}    forget it

What came of a body that was cut stays. A slide that is whole is taken as `vienanh slides add` takes it; GET tells how far.
"""

import asyncio
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from consult.slides.upload_files import Turn
from consult.slides.upload_record import Owner, Record, form_of
from consult.slides.uploads import Uploads
from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.body import RATE_BYTES_S_MIN, body_batches
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.http.small_body import SmallBody
from gateway.dicomweb.store.stow import announced_bytes
from gateway.dicomweb.store.upload import uploading_site
from kernel.errors import InvalidRequest, NotFound, UploadMoved

FORM_BYTES_MAX: Final = 256 * 1024  # with the files of a slide's folder
OFFSET: Final = "Upload-Offset"
_OFFSET_DIGITS: Final = 15


def begin(call: Call) -> ASGIApp:
    """Check that the caller may; return what reads the form."""
    uploads, owner = _uploads(call), _owner(call)
    return SmallBody(call, FORM_BYTES_MAX, lambda body: _answer(uploads.begin(owner, form_of(body)), 201))


def find(call: Call) -> Answer:
    """Answer with the caller's slides on their way, the newest first."""
    return _json([_told(one) for one in _uploads(call).of(_owner(call))])


def look(call: Call) -> Answer:
    """Answer with how one slide is."""
    return _answer(_uploads(call).get(_owner(call), call.params["upload"]))


def forget(call: Call) -> Answer:
    """Forget a slide on its way."""
    _uploads(call).forget(_owner(call), call.params["upload"])
    return Answer(204, {"Cache-Control": "no-store"})


def go_on(call: Call) -> ASGIApp:
    """Take the turn to send a slide's next bytes; return what receives them."""
    owner, offset = _owner(call), call.headers.get(OFFSET, "")
    announced_bytes(call)
    if not (offset.isascii() and offset.isdigit() and len(offset) <= _OFFSET_DIGITS):
        raise InvalidRequest(reason=f"{OFFSET} is not a number")
    return _Receiving(call, _uploads(call).turn(owner, call.params["upload"], int(offset)))


class _Receiving:
    """Reads a body into a slide, in batches; what came before it was cut stays."""

    def __init__(self, call: Call, turn: Turn) -> None:
        self._call = call
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive and answer (ASGI)."""
        room, loop = self._call.room, asyncio.get_running_loop()
        config, record = self._call.services.config.http, None
        late = False
        with room.stores.taken(self._call.principal):
            try:
                async for batch in body_batches(receive, config.body_timeout_s, config.body_bytes_max):
                    await loop.run_in_executor(room.receivers, self._turn.write, batch)
            except TimeoutError:
                late = True
            except asyncio.IncompleteReadError:
                pass  # the client is gone
            finally:
                record = await asyncio.shield(loop.run_in_executor(room.receivers, self._ended))
        if late:
            silent = InvalidRequest(
                reason=f"the body was silent for {config.body_timeout_s:g} s, or slower than {RATE_BYTES_S_MIN} bytes/s"
            )
            await problem(silent, self._call.address.trace_id, status=408)(scope, receive, send)
        elif record is None:
            raise UploadMoved(offset="another one: somebody else sends now")
        else:
            await _answer(record)(scope, receive, send)

    def _ended(self) -> Record | None:
        try:
            return self._turn.end()
        except UploadMoved:
            return None


def _uploads(call: Call) -> Uploads:
    uploads: Uploads | None = call.services.slide_uploads
    if uploads is None:
        raise NotFound(what="place for slides on this node")
    return uploads


def _owner(call: Call) -> Owner:
    site = uploading_site(call)
    return Owner(call.principal.kind, call.principal.name, site, call.address.peer)


def _answer(record: Record, status: int = 200) -> Answer:
    return _json(_told(record), status)


def _json(content: Any, status: int = 200) -> Answer:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(status, headers, msgspec.json.encode(content))


def _told(record: Record) -> dict[str, Any]:
    """Return what a screen shows of a slide; of whose it is only what the sender's file is called."""
    return {
        "upload": record.upload,
        "name": record.form.name,
        "bytes": record.form.bytes,
        "offset": record.offset,
        "state": record.state,
        "done": record.done,
        "total": record.total,
        "study": record.study,
        "series": record.series,
        "instances": record.instances,
        "here": record.here,
        "lossy": record.lossy,
        "code": record.code,
        "reason": record.reason,
    }
