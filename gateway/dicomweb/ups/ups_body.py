"""Bodies of UPS-RS requests: one data set as DICOM JSON or XML, read within bounds, then handled in a thread."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp

from consult.workitem_model import DEPTH_MAX, ELEMENTS_MAX, checked
from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.media import parse_media_type
from gateway.dicomweb.http.negotiation import JSON, XML
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.http.small_body import SmallBody
from kernel.dicom.models.xml_reader import from_xml
from kernel.dicom.vocabulary.limits import Limits
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


def with_body(call: Call, handle: Callable[[Model], Answer], *, may_be_empty: bool = False) -> SmallBody:
    """Return what reads the body of a request and answers with what `handle` makes of its data set."""

    def answer(body: bytes) -> ASGIApp:
        return answered(call, lambda: handle(_read(call, body, may_be_empty=may_be_empty)))

    return SmallBody(call, BODY_BYTES_MAX, answer)


def _read(call: Call, body: bytes, *, may_be_empty: bool) -> Model:
    if not body.strip() and may_be_empty:
        return {}
    media_type = parse_media_type(call.headers.get("content-type", "")).name
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
