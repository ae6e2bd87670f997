"""STOW-RS (PS3.18 10.5): POST /studies and /studies/{study}. The shell around receiver.py: sockets, time, threads.

Nothing is read before the caller may store and there is space. The answer has a result for each instance; one that is
named as stored is durable and indexed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.body import RATE_BYTES_S_MIN, body_batches
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.direct_body import direct_body
from gateway.dicomweb.http.media import parse_media_type
from gateway.dicomweb.http.multipart import MultipartParser, boundary_of
from gateway.dicomweb.http.negotiation import DICOM, JSON, MULTIPART, XML, Offer, choose
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.store import manifest as manifests
from gateway.dicomweb.store.assembler import Assembler
from gateway.dicomweb.store.receiver import Framing, Receiver, Single
from gateway.dicomweb.store.results import Result, data_set, headers_of, status_of
from gateway.dicomweb.store.taking import Taker
from kernel.archive.records import Origin
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import Forbidden, InvalidRequest, LimitExceeded, NotAcceptable, UnsupportedMediaType
from kernel.telemetry import stage

OFFERED: Final = "multipart/related of, or one, application/dicom, application/dicom+json, application/dicom+xml"
ANSWERS: Final = (Offer(JSON), Offer(XML), Offer("application/json"))
_METADATA: Final[Mapping[str, str]] = {"application/json": JSON, "application/xml": XML, "text/xml": XML}


def store(call: Call) -> ASGIApp:
    """Check all that can be checked before the body is read; return what receives it."""
    services = call.services
    site = storing_site(call)
    length, framing, kind = announced(call)
    study = call.params.get("study")
    if study is not None:
        check_uid(study, "StudyInstanceUID")
    said = call.headers.get(manifests.HEADER)
    if said is not None:
        services.committer.write_manifest(site, manifests.from_header(said, call.told_trace_id or ""))
    taker = taker_of(call, site, length, study)
    return Storing(call, _taking(framing, kind, taker, call), taker.origin, _answer)


def taker_of(call: Call, site: str, length: int, study_instance_uid: str | None = None) -> Taker:
    """Return what takes the instances of a body of so many bytes, if there is space for it."""
    services = call.services
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
    bytes_max = services.config.http.instance_bytes_max
    return Taker(
        services.blobs,
        services.ingest,
        services.committer,
        services.quarantine,
        services.clock,
        origin,
        study_instance_uid,
        bytes_max,
    )


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


def announced(call: Call) -> tuple[int, Framing, str]:
    """Return how long the body is said to be, how it is taken apart, and of what its instances or their metadata are.

    Raises
    ------
    InvalidRequest, LimitExceeded, UnsupportedMediaType
        It is not worth reading.
    """
    length = announced_bytes(call)
    return length, *_framing(call.headers.get("content-type", ""), call.services.config.http.parts_max)


def announced_bytes(call: Call) -> int:
    """Return how long the body is said to be; errors are those of `announced`."""
    length, bound = _content_length(call.headers.get("content-length", "")), call.services.config.http.body_bytes_max
    if length > bound:
        raise LimitExceeded(limit="body_bytes_max", value=length, bound=bound)
    if call.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(media_type="with a Content-Encoding", offered=OFFERED)
    return length


def _framing(content_type: str, parts_max: int) -> tuple[Framing, str]:
    media_type = parse_media_type(content_type) if content_type else None
    name = media_type.name if media_type else "(none)"
    is_multipart = media_type is not None and name == MULTIPART
    kind = media_type.parameters.get("type", DICOM).lower() if media_type is not None and is_multipart else name
    kind = _METADATA.get(kind, kind)
    if kind not in (DICOM, JSON, XML):
        told = "multipart/related of another type" if is_multipart else name
        raise UnsupportedMediaType(media_type=told, offered=OFFERED)
    if media_type is not None and is_multipart:
        return MultipartParser(boundary_of(media_type), parts_max=parts_max), kind
    return Single(), kind


def _taking(framing: Framing, kind: str, taker: Taker, call: Call) -> Receiver | Assembler:
    ingesters = call.room.ingesters
    if kind == DICOM:
        return Receiver(framing, taker, ingesters)
    most = call.services.config.http.parts_max
    return Assembler(framing, taker, ingesters, default_type=kind, instances_max=most)


def _content_length(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise InvalidRequest(reason="Content-Length is not a number")
    return int(text)


def _answer_type(call: Call) -> str:
    """Return the media type of the response data set; what was stored is told as JSON to who accepts neither."""
    with suppress(NotAcceptable):
        return choose(call.accept, ANSWERS).media_type
    return JSON


def _answer(call: Call, results: list[Result]) -> Answer:
    status = status_of(results)
    media_type, content = _answer_type(call), data_set(results, call.address.base_url)
    headers = {"Content-Type": media_type, "Cache-Control": "no-store", **headers_of(results, status)}
    return Answer(status, headers, to_xml(content) if media_type == XML else content)


class Receiving(Protocol):
    """Takes a body apart; see `receiver.Receiver`."""

    def feed(self, chunks: Sequence[bytes]) -> None:
        """Take the next chunks of the body; none: no more comes for the moment."""
        ...

    def finish(self) -> list[Result]:
        """Say that the body has ended; return one result per instance, in their order."""
        ...

    def abort(self) -> None:
        """Forget what is not whole."""
        ...


class Storing:
    """Reads the body, hands it on in batches, answers."""

    def __init__(
        self, call: Call, receiver: Receiving, origin: Origin, answer: Callable[[Call, list[Result]], Answer]
    ) -> None:
        self._call = call
        self._answer = answer
        self._receiver = receiver
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive and answer (ASGI)."""
        room = self._call.room
        loop = asyncio.get_running_loop()
        results: list[Result] | None = None
        late = False
        with room.stores.taken(self._call.principal):
            try:
                with stage("receive"):
                    results = await self._received(loop, scope, receive)
            except TimeoutError:
                late = True
            except asyncio.IncompleteReadError:
                pass  # the client is gone
            finally:
                if results is None:
                    await asyncio.shield(loop.run_in_executor(room.receivers, self._give_up))
                else:
                    self._end_session()
        if results is not None:
            if not results:
                raise InvalidRequest(reason="the body has no instance")
            await self._answer(self._call, results)(scope, receive, send)
        elif late:
            silence_s = self._call.services.config.http.body_timeout_s
            silent = InvalidRequest(
                reason=f"the body was silent for {silence_s:g} s, or slower than {RATE_BYTES_S_MIN} bytes/s"
            )
            await problem(silent, self._call.address.trace_id, status=408)(scope, receive, send)

    async def _received(self, loop: asyncio.AbstractEventLoop, scope: Scope, receive: Receive) -> list[Result]:
        receivers, config = self._call.room.receivers, self._call.services.config.http
        if body := direct_body(scope, _content_length(self._call.headers.get("content-length", ""))):
            return await body.receive(self._receiver.feed, self._receiver.finish, receivers, config.body_timeout_s)
        # What came of a body that is cut is fed, too: whole instances stay.
        bounds = (config.body_timeout_s, config.body_bytes_max)
        async for batch in body_batches(receive, *bounds, tells_lulls=True):
            await loop.run_in_executor(receivers, self._receiver.feed, batch)
        return await loop.run_in_executor(receivers, self._receiver.finish)

    def _give_up(self) -> None:
        self._receiver.abort()
        self._end_session()

    def _end_session(self) -> None:
        """Forget who sent what; it says nothing about completeness, so that nobody waits for it."""
        self._call.services.committer.end_session(self._origin.site, self._origin.session, None)
