"""The trace of a study across exchanges: W3C Trace Context's `traceparent` header, both ways."""

import re
from typing import Final

HEADER: Final = "traceparent"
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_NOBODY: Final = "0" * 32


def trace_of(header: str) -> str | None:
    """Return the trace id of a `traceparent` header; None when it is absent or not one (it is then ignored)."""
    match = _TRACEPARENT.fullmatch(header)
    return match[1] if match and match[1] != _NOBODY else None


def traceparent(trace_id: str, span_id: str) -> str | None:
    """Return the header for a trace; None when the trace id is not the 32 hexadecimal digits that it can carry."""
    return f"00-{trace_id}-{span_id}-01" if _TRACE_ID.fullmatch(trace_id) and trace_id != _NOBODY else None
