"""POST /uploads/known: which instances are here already, byte for byte, so that a broken upload goes on and does not begin anew.

Who asks shows by a digest that it has the bytes, and is told what storing them again would tell, for the same site and by
the same right. A UID alone is answered as one that is not here: what others sent cannot be asked for.
"""

import json
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.small_body import SmallBody
from gateway.dicomweb.store.stow import announced_bytes
from gateway.dicomweb.store.upload import uploading_site
from kernel.access import Scope
from kernel.archive.index import located_by_uid
from kernel.errors import InvalidRequest

INSTANCES_MAX: Final = 1000  # of one question
BODY_BYTES_MAX: Final = 512 * 1024


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    instance: Annotated[str, Meta(min_length=1, max_length=64)]
    syntax: Annotated[str, Meta(min_length=1, max_length=64)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]  # of the data set, behind the file meta


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    instances: Annotated[list[_Asked], Meta(min_length=1, max_length=INSTANCES_MAX)]


def known(call: Call) -> ASGIApp:
    """Check that the caller may put files in; return what reads the question and answers it.

    Raises
    ------
    Forbidden
        As `upload`.
    """
    site = uploading_site(call)
    announced_bytes(call)

    def answer(body: bytes) -> Answer:
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        results = _results(call, site, _question_of(body).instances)
        return Answer(200, headers, json.dumps({"results": results}, separators=(",", ":")).encode())

    return SmallBody(call, BODY_BYTES_MAX, answer)


def _question_of(body: bytes) -> _Question:
    try:
        return msgspec.json.decode(body, type=_Question)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(reason=f"the body does not ask for instances ({error})") from None


def _results(call: Call, site: str, asked: list[_Asked]) -> list[dict[str, Any]]:
    """Return an object for each instance asked for, in their order, as the answer to an upload has them."""
    sees_labels = Scope.LABELS_READ in call.principal.scopes
    with call.services.db.read() as connection:
        here = {
            (one.sop_instance_uid, one.transfer_syntax_uid, one.sha256): one.study_instance_uid
            for one in located_by_uid(connection, site, sorted({one.instance for one in asked}))
            if sees_labels or not one.shows_label
        }
    results: list[dict[str, Any]] = []
    for part, one in enumerate(asked, 1):
        study = here.get((one.instance, one.syntax, one.sha256))
        told = {"state": "unknown"} if study is None else {"state": "stored", "study": study}
        results.append({"part": part, **told})
    return results
