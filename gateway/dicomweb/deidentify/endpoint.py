"""POST /$deidentify: multipart/related application/dicom in, the same out, with a report of what was held. The shell.

The answer begins when the whole body was read: what is held at its end must be able to change the status.
"""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dicomweb.deidentify.order import Deidentification, Order
from gateway.dicomweb.http.answers import Answer, Chunked
from gateway.dicomweb.http.body import body_batches
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.negotiation import DICOM, MULTIPART, Offer, choose
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.store.stow import announced
from kernel.access import Action
from kernel.access import Scope as Right
from kernel.audit import AuditOutcome, Line, append
from kernel.errors import Forbidden, InvalidRequest, NotFound, UnsupportedMediaType

OFFERED: Final = f'{MULTIPART}; type="{DICOM}"'
OFFERS: Final = (Offer(DICOM, is_multipart=True),)


def deidentify(call: Call) -> ASGIApp:
    """Check all that can be checked before the body is read; return what receives it."""
    services = call.services
    has: Deidentification | None = services.deidentification
    if has is None:
        raise NotFound(what="de-identification on this node")
    site = services.access.may_write(call.principal, Right.DEIDENTIFY)
    if call.address.site not in (None, site):
        raise Forbidden(action="de-identify for this site")
    choose(call.accept, OFFERS)
    name = call.query.get("profile", has.default)
    if name not in has.profiles:
        raise InvalidRequest(reason=f"profile is one of {', '.join(has.profiles)}")
    length, framing, kind = announced(call)
    if kind != DICOM:
        raise UnsupportedMediaType(media_type=kind, offered=OFFERED)
    services.blobs.check_space(2 * length)
    order = Order(
        framing,
        services.blobs,
        services.blobs.spool(length),
        call.room.boundary,
        has.profiles[name],
        has.keys_of(site),
        services.config.http.instance_bytes_max,
        has.cleaner_of(site),
    )
    return _Ordered(call, order, site)


class _Ordered:
    """Reads the body, hands it on in batches, answers."""

    def __init__(self, call: Call, order: Order, site: str) -> None:
        self._call = call
        self._order = order
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive and answer (ASGI)."""
        room, order, loop = self._call.room, self._order, asyncio.get_running_loop()
        try:
            with room.stores.taken(self._call.principal):
                await self._receive(loop, receive)
            await loop.run_in_executor(room.makers, self._audit)
            await self._answer()(scope, receive, send)
        except asyncio.IncompleteReadError:
            pass  # the client is gone
        except TimeoutError:
            silent = InvalidRequest(reason="the body was silent, or slower than it may be")
            await problem(silent, self._call.address.trace_id, status=408)(scope, receive, send)
        finally:
            await asyncio.shield(loop.run_in_executor(room.makers, order.abort))

    async def _receive(self, loop: asyncio.AbstractEventLoop, receive: Receive) -> None:
        makers, config = self._call.room.makers, self._call.services.config.http
        async for batch in body_batches(receive, config.body_timeout_s, config.body_bytes_max):
            await loop.run_in_executor(makers, self._order.feed, batch)
        await loop.run_in_executor(makers, self._order.finish)

    def _answer(self) -> ASGIApp:
        order, room = self._order, self._call.room
        if not order.made and not order.held:
            raise InvalidRequest(reason="the body has no instance")
        if not order.made:
            return Answer(409, {"Content-Type": "application/json", "Cache-Control": "no-store"}, order.report())
        kind = f'{MULTIPART}; type="{DICOM}"; boundary={order.boundary.decode()}'
        headers = {"Content-Type": kind, "Cache-Control": "no-store", "Content-Length": str(order.spool.size_bytes)}
        chunks = order.spool.span(0, order.spool.size_bytes).chunks()
        return Chunked(headers, chunks, room.makers, self._call.services.config.http.body_timeout_s)

    def _audit(self) -> None:
        order, services, call = self._order, self._call.services, self._call
        line = Line(
            services.clock.now(),
            Action.EXPORT,
            call.principal.name,
            AuditOutcome.SUCCESS if order.made else AuditOutcome.MINOR_FAILURE,
            site=self._site,
            address=call.address.peer,
            detail={"deidentified": order.made, "held": len(order.held), "profile": order.profile.label},
        )
        services.db.write(lambda connection: append(connection, line))
