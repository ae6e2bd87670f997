"""Seats for what is no DICOMweb: the reading room's API, signing in, pages and their files.

Who asks is not known yet where a seat is taken, so an address is a caller. DICOMweb counts its own (`Room.callers`), by
name.
"""

import secrets
from collections.abc import Collection
from contextlib import ExitStack

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.addresses import Network, is_within
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.http.seats import Seats
from kernel.errors import Busy
from kernel.origins import network_of


class Seated:
    """ASGI middleware: of `most` requests at once, one address has half, however slowly it takes its answers."""

    def __init__(self, app: ASGIApp, most: int, trusted_proxies: Collection[Network] = ()) -> None:
        self._app = app
        self._seats = Seats(
            most, most_of_one=max(1, most // 2), what="it serves as many requests of one address as it may"
        )
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on that finds a seat; WebSockets are counted where they listen."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as seat:
            try:
                seat.enter_context(self._seats.taken_by(self._caller_of(scope)))
            except Busy as error:
                await problem(error, secrets.token_hex(16))(scope, receive, send)
                return
            await self._app(scope, receive, send)

    def _caller_of(self, scope: Scope) -> object:
        address = scope["client"][0] if scope.get("client") else ""
        if is_within(address, self._trusted_proxies):
            return object()  # a proxy that does not say for whom it asks: many people, and each somebody else
        return network_of(address)
