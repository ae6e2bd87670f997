"""Files that a person puts in at a site: instances in a multipart body, one zip, or a form with photographs and PDFs.

They go the way of STOW-RS: the same stages, the same ingest, the same rules and de-identification afterwards. Only the
answer differs: JSON with a result for each file in its order, so that a screen can tell about each.
"""

import json
from collections.abc import Callable, Sequence
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.media import parse_media_type
from gateway.dicomweb.http.multipart import MultipartParser, boundary_of
from gateway.dicomweb.http.negotiation import DICOM, MULTIPART
from gateway.dicomweb.http.problem import RETRY_AFTER_S
from gateway.dicomweb.store.receiver import Receiver
from gateway.dicomweb.store.results import Failed, Result, status_of
from gateway.dicomweb.store.stow import Storing, announced_bytes, taker_of
from gateway.dicomweb.store.taking import Takings
from gateway.dicomweb.store.wrapped_body import FORM_DATA, WrappedBody
from gateway.dicomweb.store.zipped_body import ZippedBody
from kernel.access import Scope
from kernel.errors import ExchangeError, Forbidden, UnsupportedMediaType

ZIP: Final = "application/zip"
OFFERED: Final = f"{MULTIPART} of {DICOM}, {ZIP}, or {FORM_DATA} of a form and photographs or PDFs"
NAME_CHARACTERS: Final = 200  # of a file's name in an answer: its end, which tells more


def upload(call: Call) -> ASGIApp:
    """Check all that can be checked before the body is read; return what receives it.

    Raises
    ------
    Forbidden
        The caller may not, or this is a hub: identities are taken off at the site.
    """
    services, config = call.services, call.services.config
    site = uploading_site(call)
    length, content_type = announced_bytes(call), call.headers.get("content-type", "")
    media_type = parse_media_type(content_type) if content_type else None
    name = media_type.name if media_type else "(none)"
    if media_type is not None and name == MULTIPART and media_type.parameters.get("type", DICOM).lower() == DICOM:
        taker = taker_of(call, site, length)
        framing = MultipartParser(boundary_of(media_type), parts_max=config.http.parts_max)
        return Storing(call, Receiver(framing, taker, call.room.ingesters), taker.origin, _answer_of(()))
    if media_type is not None and name == FORM_DATA:
        taker = taker_of(call, site, length)
        form = WrappedBody(boundary_of(media_type), Takings(taker, call.room.ingesters))
        return Storing(call, form, taker.origin, _answer_of(()))
    if name != ZIP:
        raise UnsupportedMediaType(media_type=name, offered=OFFERED)
    taker = taker_of(call, site, 2 * length)  # the zip, and what comes out of it
    body = ZippedBody(
        services.blobs.spool(),
        Takings(taker, call.room.ingesters),
        entries_max=config.http.parts_max,
        unpacked_bytes_max=config.http.body_bytes_max,
    )
    return Storing(call, body, taker.origin, _answer_of(body.names))


def uploading_site(call: Call) -> str:
    """Return the site at which the caller puts files in. Raises Forbidden, as `upload`."""
    site = call.services.access.may_write(call.principal, Scope.UPLOAD)
    if call.address.site not in (None, site):
        raise Forbidden(action="upload for this site")
    if call.services.config.node.role == "hub":
        raise Forbidden(action="upload at a hub: files are put in at the site whose patients they are of")
    return site


def _answer_of(names: Sequence[str]) -> Callable[[Call, list[Result]], Answer]:
    """Return what answers with one object for each file; `names` are those in a zip, filled when it was read."""

    def answer(_: Call, results: list[Result]) -> Answer:
        status = status_of(results)
        told = [
            {"part": number, **({"name": names[number - 1][-NAME_CHARACTERS:]} if names else {}), **_told(result)}
            for number, result in enumerate(results, 1)
        ]
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        if status == 503:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        return Answer(status, headers, json.dumps({"results": told}, separators=(",", ":")).encode())

    return answer


def _told(result: Result) -> dict[str, str]:
    if not isinstance(result, Failed):
        return {"state": "stored", "study": result.study_instance_uid, "instance": result.sop_instance_uid}
    error = result.error
    if isinstance(error, ExchangeError):
        return {"state": "failed", "code": error.code, "reason": str(error)}
    return {"state": "failed", "code": "", "reason": "The node failed."}
