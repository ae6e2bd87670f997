"""GET /changes: what happened to the studies that the caller may see, in order, resumable; waits when asked to.

    GET /dicom-web/changes?since=0&limit=100&wait=10
    {"changes": [{"sequence": 7, "at": "...", "change": "study-complete", "site": "BV1", "study": "1.2.3", ...}],
     "next": 7, "more": false}

Ask again with `since` the `next` of the last answer. The standard has no such service; the form is ours.
"""

import asyncio
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.dicomweb.http.answers import Answer, until_gone
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.negotiation import Offer, choose
from kernel.archive.changes import PAGE_MAX, Change, ChangesPage, read_changes
from kernel.errors import InvalidQuery

LIMIT: Final = 100  # when the caller does not say
WAIT_S_MAX: Final = 15.0  # below the time that a stopping node gives its requests
LOOK_EVERY_S: Final = 0.5
WAITING_MAX: Final = 32  # requests that wait at once; further ones are answered without waiting
_OFFERS: Final = (Offer("application/json"),)
_NUMBER_DIGITS_MAX: Final = 18


def changes(call: Call) -> ASGIApp:
    """Answer GET /changes."""
    choose(call.accept, _OFFERS)
    since, limit = _number(call, "since", 0), _number(call, "limit", LIMIT)
    wait_s = min(float(_number(call, "wait", 0)), WAIT_S_MAX)
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidQuery(reason=f"limit is 1 to {PAGE_MAX}")
    sites = call.services.access.may_search(call.principal, ["changes"], call.address.peer)
    if call.address.site is not None:
        only = frozenset({call.address.site})
        sites = only if sites is None else sites & only
    return _Changes(call, since, limit, wait_s, sites)


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX):
        raise InvalidQuery(reason=f"{name} is not a whole number")
    return int(text)


class _Changes:
    """Reads, and reads again while there is nothing and the caller waits."""

    def __init__(self, call: Call, since: int, limit: int, wait_s: float, sites: frozenset[str] | None) -> None:
        self._call = call
        self._since = since
        self._limit = limit
        self._sites = sites
        self._wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        room, loop = self._call.room, asyncio.get_running_loop()
        page = await loop.run_in_executor(room.readers, self._read, self._since)
        if self._wait_s and not _is_worth_telling(page) and room.waiting < WAITING_MAX:
            room.waiting += 1
            try:
                page = await self._later(page, receive)
            finally:
                room.waiting -= 1
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        await Answer(200, headers, msgspec.json.encode(_told(page)))(scope, receive, send)

    async def _later(self, page: ChangesPage, receive: Receive) -> ChangesPage:
        """Return the page once there is something on it, the time is over, or the caller is gone."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._wait_s
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            while not _is_worth_telling(page) and loop.time() < until and not gone.done():
                await asyncio.wait((gone,), timeout=min(LOOK_EVERY_S, until - loop.time()))
                page = await loop.run_in_executor(self._call.room.readers, self._read, page.next)
        finally:
            gone.cancel()
        return page

    def _read(self, sequence: int) -> ChangesPage:
        with self._call.services.db.read() as connection:
            return read_changes(connection, sequence, self._limit, self._sites)


def _is_worth_telling(page: ChangesPage) -> bool:
    """Whether the caller learns something: a change, or that it is to go on further behind at once."""
    return bool(page.changes) or page.more


def _told(page: ChangesPage) -> dict[str, Any]:
    return {"changes": [_item(one) for one in page.changes], "next": page.next, "more": page.more}


def _item(one: Change) -> dict[str, Any]:
    return {
        "sequence": one.sequence,
        "at": one.at.isoformat(timespec="milliseconds"),
        "change": one.change,
        "site": one.site,
        "study": one.study_instance_uid,
        **one.detail,
    }
