"""The API of links to one study, for somebody without an account.

The secret of a link stands behind the # of its address and comes here in a body only; so does its code.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kernel.access import LinkInfo, Scope
from kernel.access.links import HOURS_MAX
from kernel.access.request import check_origin
from viewer.server.callers import Visit, holder, visitor
from viewer.server.models import Model, SessionInfo
from viewer.server.services import Services, address_of, origin_of
from viewer.server.session import begin

LINKS = "/studies/{study_uid}/links"
SHARED = "/shared"  # the screen on which a link is opened


class NewLinkOrder(Model):
    """How long a link shall hold."""

    hours: int = Field(24, ge=1, le=HOURS_MAX)


class MadeLink(Model):
    """A link; neither address nor code can be shown again."""

    id: str
    address: str = Field(description="To be sent; what is behind # never reaches a server.")
    code: str = Field(description="To be told by another way, such as the telephone.")
    expires_at: datetime


class LinkItem(Model):
    """A link as a list shows it."""

    id: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    failures: int = Field(description="Wrong codes so far.")
    opened_at: datetime | None
    revoked_at: datetime | None


class OpenLink(Model):
    """What stands behind the # of a link's address, and the code."""

    link: str = Field(max_length=200)
    code: str = Field(max_length=32)


def add_sharing(router: APIRouter, services: Services) -> None:
    """Add the routes of links."""
    access = services.access

    export = visitor(services, holder(services, Scope.EXPORT))

    @router.get(LINKS, tags=["sharing"])
    def links(visit: Annotated[Visit, Depends(export)]) -> list[LinkItem]:
        """List the links to a study, newest first."""
        return [_item(one) for one in access.links.list(visit.grant)]

    @router.post(LINKS, tags=["sharing"], status_code=201)
    def make_link(
        request: Request, response: Response, visit: Annotated[Visit, Depends(export)], order: NewLinkOrder
    ) -> MadeLink:
        """Make a link that opens this study alone, once, with the code, until it expires."""
        made = access.links.make(visit.principal, visit.grant, order.hours, visit.address)
        response.headers["Cache-Control"] = "no-store"
        address = f"{origin_of(request, services.config)}{SHARED}#{made.text}"
        return MadeLink(id=made.link_id, address=address, code=made.code, expires_at=made.expires_at)

    @router.delete(LINKS + "/{link}", tags=["sharing"], status_code=204)
    def revoke_link(visit: Annotated[Visit, Depends(export)], link: str) -> None:
        """Revoke a link; who is in by it is out."""
        access.links.revoke(visit.principal, visit.grant, link, visit.address)

    @router.post("/session/link", tags=["session"])
    def open_link(request: Request, response: Response, body: OpenLink) -> SessionInfo:
        """Open a link with its code; the session is a cookie, and sees the one study."""
        check_origin(request.headers, origin_of(request, services.config))
        return begin(services, request, response, access.links.open(body.link, body.code.strip(), address_of(request)))


def _item(one: LinkInfo) -> LinkItem:
    return LinkItem(
        id=one.link_id,
        made_by=one.made_by,
        made_at=one.made_at,
        expires_at=one.expires_at,
        failures=one.failures,
        opened_at=one.opened_at,
        revoked_at=one.revoked_at,
    )
