"""Bodies of UPS-RS requests: one data set as DICOM JSON or XML, read within bounds, then handled in a thread."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from consult.workitem_model import DEPTH_MAX, ELEMENTS_MAX, checked
from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.body import body_chunks
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.media import parse_media_type
from gateway.dicomweb.http.negotiation import JSON, XML
from gateway.dicomweb.http.problem import problem
from kernel.dicom.limits import Limits
from kernel.dicom.xml_reader import from_xml
from kernel.errors import (
    ExchangeError,
    InvalidRequest,
    Refused,
    TransactionRefused,
    UnsupportedMediaType,
    WorkitemConflict,
)

BODY_BYTES_MAX: Final = 1024 * 1024
_LIMITS: Final = Limits(header_bytes_max=BODY_BYTES_MAX, elements_max=ELEMENTS_MAX, depth_max=DEPTH_MAX)

Model = dict[str, Any]


class WithBody:
    """Reads the body of a request and answers with what `handle` makes of its data set."""

    def __init__(self, call: Call, handle: Callable[[Model], Answer], *, may_be_empty: bool = False) -> None:
        self._call = call
        self._handle = handle
        self._may_be_empty = may_be_empty

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, handle, answer (ASGI)."""
        silence_s = self._call.services.config.http.body_timeout_s
        try:
            chunks = [chunk async for chunk in body_chunks(receive, silence_s, BODY_BYTES_MAX)]
        except asyncio.IncompleteReadError:
            return  # the client is gone
        except TimeoutError:
            late = InvalidRequest(reason=f"the body was silent for {silence_s:g} s")
            await problem(late, self._call.address.trace_id, status=408)(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._call.room.receivers, self._answer, b"".join(chunks))
        await answer(scope, receive, send)

    def _answer(self, body: bytes) -> ASGIApp:
        return answered(self._call, lambda: self._handle(self._read(body)))

    def _read(self, body: bytes) -> Model:
        if not body.strip() and self._may_be_empty:
            return {}
        media_type = parse_media_type(self._call.headers.get("content-type", "")).name
        if media_type == XML:
            try:
                return checked(from_xml(body, _LIMITS))
            except Refused as error:
                raise InvalidRequest(reason=f"the body cannot be read as {XML}") from error
        if media_type not in (JSON, "application/json"):
            raise UnsupportedMediaType(media_type=media_type[:64], offered=f"{JSON} or {XML}")
        try:
            content = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest(reason=f"the body cannot be read as {JSON}") from None
        if isinstance(content, list) and len(content) == 1:  # clients send an array of one as well
            content = content[0]
        return checked(content)


def answered(call: Call, handle: Callable[[], Answer]) -> ASGIApp:
    """Return what `handle` answers; a refusal of the standard carries its Warning header (PS3.18 11.6.3.2)."""
    try:
        return handle()
    except (WorkitemConflict, TransactionRefused) as error:
        answer = problem(error, call.address.trace_id)
        answer.headers["Warning"] = warning(call, str(error))
        return answer
    except ExchangeError as error:
        return problem(error, call.address.trace_id)


def warning(call: Call, text: str) -> str:
    """Return the value of a Warning header (RFC 7234 5.5)."""
    return f'299 {call.address.base_url} "{text}"'
