"""The API of opening the vault: two people, one question, one answer."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from kernel.access import Scope
from routing.break_glass import BreakGlass, Caller, VaultRequest
from viewer.server.models import Model
from viewer.server.services import Services, address_of, principal_of

ONE = "/vault/requests/{request_id}"


class Question(Model):
    """What a person wants to know, and why (a word of the list in the operating manual)."""

    token: Annotated[str, Field(max_length=64)]
    reason: Annotated[str, Field(max_length=32)]
    site: Annotated[str, Field(max_length=32)] | None = None


class Asked(Model):
    """A request as it stands; it names nobody's patient."""

    id: str
    site: str
    token: str
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    approved_by: str


class Answer(Model):
    """Whom a token stands for, by DICOM keyword."""

    identity: dict[str, str]


def add_vault(router: APIRouter, services: Services) -> None:
    """Add the routes of opening the vault."""
    vault: BreakGlass = services.vault

    def caller(request: Request) -> Caller:
        principal = principal_of(services, request)
        principal.require(Scope.VAULT_OPEN)
        return Caller(principal, address_of(request))

    @router.get("/vault/requests", tags=["vault"])
    def pending(who: Annotated[Caller, Depends(caller)]) -> list[Asked]:
        """List what waits to be approved or opened."""
        return [_asked(one) for one in vault.pending(who)]

    @router.post("/vault/requests", tags=["vault"], status_code=201)
    def ask(who: Annotated[Caller, Depends(caller)], question: Question) -> Asked:
        """Ask whose a pseudonym, or a pseudonymous study, is."""
        site = question.site or services.config.node.site
        return _asked(vault.ask(who, site, question.token, question.reason))

    @router.post(ONE + "/approval", tags=["vault"])
    def approve(who: Annotated[Caller, Depends(caller)], request_id: str) -> Asked:
        """Approve what somebody else asked."""
        return _asked(vault.approve(who, request_id))

    @router.post(ONE + "/opening", tags=["vault"])
    def opening(who: Annotated[Caller, Depends(caller)], request_id: str, response: Response) -> Answer:
        """Have the answer, once."""
        response.headers["Cache-Control"] = "no-store"
        return Answer(identity=dict(vault.open(who, request_id)))


def _asked(one: VaultRequest) -> Asked:
    return Asked(
        id=one.id, site=one.site, token=one.token, reason=one.reason, asked_by=one.asked_by,
        asked_at=one.asked_at, expires_at=one.expires_at, approved_by=one.approved_by,
    )  # fmt: skip
