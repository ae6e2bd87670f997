"""The API of drafts: what a person drew and has not saved, there again after a crash and at another computer."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from consult.drafts import CHARACTERS_MAX
from kernel.access import Principal, Scope
from viewer.server.callers import Visit, person, visitor
from viewer.server.models import Model
from viewer.server.services import Services

ONE = "/studies/{study_uid}/draft"
PART = r"^(marks|key-images|slide-[0-9.]{1,64})$"


class DraftKey(Model):
    """What a browser seals drafts with while the line is gone."""

    key: str = Field(description="32 bytes, base64url. The page keeps what it makes of them in memory alone.")


class DraftItem(Model):
    """A draft as the screens wrote it; version 0 when none was kept."""

    version: int
    content: str = Field(description="Empty: there is nothing that was not saved.")
    at: datetime | None


class NewDraft(Model):
    """A state to keep."""

    version: int = Field(ge=0, description="That of the draft that it goes on from; 0 when there was none.")
    content: str = Field(max_length=CHARACTERS_MAX, description="Empty when it was saved or dropped.")


def add_drafts(router: APIRouter, services: Services) -> None:
    """Add the routes of drafts."""
    writer = person(services, Scope.API_WRITE, "keep drafts")
    work = visitor(services, writer)
    named = Query(pattern=PART)

    @router.get("/session/draft-key", tags=["session"])
    def draft_key(principal: Annotated[Principal, Depends(writer)], response: Response) -> DraftKey:
        """Return the key of one's own drafts, for the session's page alone."""
        response.headers["Cache-Control"] = "no-store"
        return DraftKey(key=services.access.draft_key(principal))

    @router.get(ONE, tags=["findings"])
    def draft(visit: Annotated[Visit, Depends(work)], part: Annotated[str, named]) -> DraftItem:
        """Return one's own draft of a study's marks, key images, or one slide."""
        kept = services.drafts.of(visit.grant, visit.principal.name, part)
        return DraftItem(version=kept.version, content=kept.content, at=kept.at)

    @router.put(ONE, tags=["findings"])
    def keep(visit: Annotated[Visit, Depends(work)], part: Annotated[str, named], new: NewDraft) -> DraftItem:
        """Keep one's own draft; 409 if another window kept one since. `access.draft_days` says for how long."""
        name = visit.principal.name
        kept = services.drafts.keep(visit.grant, name, part, version=new.version, content=new.content)
        return DraftItem(version=kept.version, content="", at=kept.at)
