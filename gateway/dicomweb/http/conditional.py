"""What a client has already: ETag, If-None-Match and If-Range (RFC 9110 8.8.3, 13.1.2, 13.1.5)."""

import hashlib
from collections.abc import Iterable, Mapping

from gateway.dicomweb.http.answers import Answer

_TAG_CHARS = 32


def tag_of(*parts: str) -> str:
    """Return an entity tag of what decides about the bytes of an answer: digests of instances, transfer syntax, ..."""
    return '"' + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_TAG_CHARS] + '"'


def weak_tag_of(parts: Iterable[str]) -> str:
    """Return a weak entity tag: the same content, other boundaries."""
    return "W/" + tag_of(*parts)


def is_known(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names this ETag (compared weakly)."""
    bare = etag.removeprefix("W/")
    return header.strip() == "*" or bare in (one.strip().removeprefix("W/") for one in header.split(","))


def not_modified(request: Mapping[str, str], answered: Mapping[str, str]) -> Answer | None:
    """Return 304 if the client has what `answered`, the headers of the answer, would bring; else None."""
    known = request.get("if-none-match", "")
    if not known or not is_known(known, answered["ETag"]):
        return None
    kept = ("ETag", "Vary", "Cache-Control")
    return Answer(304, {name: answered[name] for name in kept if name in answered})
