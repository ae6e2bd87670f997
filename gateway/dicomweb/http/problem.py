"""Errors as a client sees them: application/problem+json (RFC 9457) with our code, and no identity.

`detail` is the error's own text, which says what to do; of an exception that is not ours nothing is told but that it
happened and the trace under which the log has it.
"""

import json
from typing import Final

from starlette.responses import Response

from gateway.status import http_status
from kernel.errors import ExchangeError, MethodNotAllowed, NotAuthenticated, Retriable, Throttled

RETRY_AFTER_S: Final = 10  # what a peer is asked to wait when nothing better is known
_UNEXPECTED: Final = "The node failed; its log has the reason under this trace. Try again, then tell its operator."


def problem(error: BaseException, trace_id: str, *, status: int | None = None) -> Response:
    """Return the response that tells a client of an error; `status` when it is not that of the error's class."""
    status = status or http_status(error)
    ours = isinstance(error, ExchangeError)
    body = {
        "type": "about:blank",
        "title": error.code if ours else "ProcessingFailure",
        "status": status,
        "detail": str(error) if ours else _UNEXPECTED,
        "code": error.code if ours else "ProcessingFailure",
        "trace": trace_id,
    }
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not waited for
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="DICOMweb"'
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = str(error.fields["allowed"])
    if isinstance(error, Throttled | Retriable):
        headers["Retry-After"] = str(error.fields.get("retry_after_s", RETRY_AFTER_S))
    return Response(json.dumps(body, ensure_ascii=False), status, headers, "application/problem+json")
