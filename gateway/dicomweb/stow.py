"""STOW-RS (PS3.18 10.5): POST /studies and /studies/{study}. The shell around receiver.py: sockets, time, threads.

Nothing is read before the caller may store and there is space. The answer has a result for each instance; one that is
named as stored is durable and indexed.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.dicomweb import manifest as manifests
from gateway.dicomweb.answers import Answer
from gateway.dicomweb.call import Call
from gateway.dicomweb.media import parse_media_type
from gateway.dicomweb.multipart import MultipartParser, boundary_of
from gateway.dicomweb.negotiation import DICOM, MULTIPART
from gateway.dicomweb.problem import problem
from gateway.dicomweb.receiver import Framing, Receiver, Single, Taker
from gateway.dicomweb.results import Result, data_set, headers_of, status_of
from gateway.dicomweb.service import STORES_MAX
from kernel.archive.records import Origin
from kernel.dicom.uids import check_uid
from kernel.errors import Busy, Forbidden, InvalidRequest, LimitExceeded, UnsupportedMediaType
from kernel.telemetry import stage

BATCH_BYTES: Final = 512 * 1024  # of the body handed to a thread at once
OFFERED: Final = 'multipart/related; type="application/dicom", or application/dicom'


def store(call: Call) -> ASGIApp:
    """Check all that can be checked before the body is read; return what receives it."""
    services = call.services
    site = storing_site(call)
    length = _content_length(call.headers.get("content-length", ""))
    if length > services.config.http.body_bytes_max:
        raise LimitExceeded(limit="body_bytes_max", value=length, bound=services.config.http.body_bytes_max)
    if call.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(media_type="with a Content-Encoding", offered=OFFERED)
    framing = _framing(call.headers.get("content-type", ""), services.config.http.parts_max)
    study = call.params.get("study")
    if study is not None:
        check_uid(study, "StudyInstanceUID")
    said = call.headers.get(manifests.HEADER)
    if said is not None:
        services.committer.write_manifest(site, manifests.from_header(said, call.told_trace_id or ""))
    services.blobs.check_space(length)
    origin = Origin(
        site=site,
        channel="dicomweb",
        peer=call.principal.name,
        called="",
        address=call.address.peer,
        session=services.random(8),
        trace_id=call.told_trace_id,
    )
    taker = Taker(
        services.blobs, services.ingest, services.quarantine, origin, study, services.config.http.instance_bytes_max
    )
    return _Storing(call, Receiver(framing, taker, call.room.ingesters), origin)


def storing_site(call: Call) -> str:
    """Return the site for which the caller stores.

    Raises
    ------
    Forbidden
        It may not store, or the URL names another site.
    """
    site = call.services.access.may_store(call.principal)
    if call.address.site not in (None, site):
        raise Forbidden(action="store for this site")
    return site


def _framing(content_type: str, parts_max: int) -> Framing:
    media_type = parse_media_type(content_type) if content_type else None
    name = media_type.name if media_type else "(none)"
    if media_type and name == DICOM:
        return Single()
    if media_type is None or name != MULTIPART:
        raise UnsupportedMediaType(media_type=name, offered=OFFERED)
    kind = media_type.parameters.get("type", DICOM).lower()
    if kind != DICOM:
        raise UnsupportedMediaType(media_type="multipart/related of another type", offered=OFFERED)
    return MultipartParser(boundary_of(media_type), parts_max=parts_max)


def _content_length(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise InvalidRequest(reason="Content-Length is not a number")
    return int(text)


class _Storing:
    """Reads the body, hands it on in batches, answers."""

    def __init__(self, call: Call, receiver: Receiver, origin: Origin) -> None:
        self._call = call
        self._receiver = receiver
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive and answer (ASGI)."""
        room = self._call.room
        if room.stores >= STORES_MAX:
            raise Busy(what="as many bodies are being received as this node takes at once")
        room.stores += 1
        loop = asyncio.get_running_loop()
        results: list[Result] | None = None
        late = False
        try:
            with stage("receive"):
                results = await self._received(loop, receive)
        except TimeoutError:
            late = True
        except asyncio.IncompleteReadError:
            pass  # the client is gone
        finally:
            room.stores -= 1
            await asyncio.shield(loop.run_in_executor(room.receivers, self._settle, results is None))
        if results is not None:
            await self._answer(results)(scope, receive, send)
        elif late:
            silence_s = self._call.services.config.http.body_timeout_s
            silent = InvalidRequest(reason=f"the body was silent for {silence_s:g} s")
            await problem(silent, self._call.address.trace_id, status=408)(scope, receive, send)

    def _answer(self, results: list[Result]) -> Answer:
        if not results:
            raise InvalidRequest(reason="the body has no instance")
        status = status_of(results)
        headers = {"Content-Type": "application/dicom+json", "Cache-Control": "no-store", **headers_of(results, status)}
        return Answer(status, headers, data_set(results, self._call.address.base_url))

    async def _received(self, loop: asyncio.AbstractEventLoop, receive: Receive) -> list[Result]:
        batch: list[bytes] = []
        size, receivers, config = 0, self._call.room.receivers, self._call.services.config.http
        try:
            async for chunk in body_chunks(receive, config.body_timeout_s, config.body_bytes_max):
                batch.append(chunk)
                size += len(chunk)
                if size >= BATCH_BYTES:
                    whole, batch, size = batch, [], 0
                    await loop.run_in_executor(receivers, self._receiver.feed, whole)
        finally:  # also of a body that was cut: whole instances in it stay
            await loop.run_in_executor(receivers, self._receiver.feed, batch)
        return await loop.run_in_executor(receivers, self._receiver.finish)

    def _settle(self, aborted: bool) -> None:  # noqa: FBT001 (called by position, through an executor)
        if aborted:
            self._receiver.abort()
        self._call.services.committer.end_session(self._origin.site, self._origin.session, None)


async def body_chunks(receive: Receive, silence_s: float, bytes_max: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes.

    Raises
    ------
    TimeoutError
        Nothing came for `silence_s`.
    LimitExceeded
        It is longer than `bytes_max`.
    asyncio.IncompleteReadError
        The client went away.
    """
    received = 0
    while True:
        async with asyncio.timeout(silence_s):
            message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.IncompleteReadError(b"", None)
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if received > bytes_max:
            raise LimitExceeded(limit="body_bytes_max", value=received, bound=bytes_max)
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return
