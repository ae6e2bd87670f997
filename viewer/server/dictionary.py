"""The API of attribute names, for whoever shows a header to a person: one list, the same for everybody, kept by browsers."""

import gzip
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from anonymizer.profiles.profile import table
from kernel.access import Principal
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, NAME_OF
from viewer.server.callers import looker
from viewer.server.models import Model
from viewer.server.services import Services


class AttributeName(Model):
    """An attribute of the standard."""

    tag: str
    keyword: str
    name: str
    profiled: bool  # PS3.15 Table E.1-1 has a rule for it: a pseudonymised instance may not have its own value


class Dictionary(Model):
    """The attributes of PS3.6 that have a keyword, in order of their tags; those of repeating groups are not among them."""

    attributes: list[AttributeName]


def add_dictionary(router: APIRouter, services: Services) -> None:
    """Add the route of attribute names."""
    caller = looker(services)

    @router.get("/dictionary", tags=["reading"], response_model=Dictionary)
    def dictionary(request: Request, _: Annotated[Principal, Depends(caller)]) -> Response:
        """List the names of attributes, and which of them de-identification concerns."""
        headers = {"Cache-Control": "private, max-age=86400", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(_zipped(), media_type="application/json", headers={**headers, "Content-Encoding": "gzip"})
        return Response(gzip.decompress(_zipped()), media_type="application/json", headers=headers)


@cache
def _zipped() -> bytes:
    profiled = {row["tag"] for row in table("ps3_15_e_1_1.json")["rows"]}
    named = ((f"{tag:08X}", keyword, NAME_OF[tag]) for tag, keyword in sorted(KEYWORD_OF.items()))
    attributes = [
        AttributeName(tag=tag, keyword=keyword, name=name, profiled=tag in profiled) for tag, keyword, name in named
    ]
    return gzip.compress(Dictionary(attributes=attributes).model_dump_json(by_alias=True).encode(), mtime=0)
