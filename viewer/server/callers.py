"""Who calls a route, and the study that it is about: what handlers depend on (`Depends`), before a body is looked at."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from consult.documents import Author
from kernel.access import Action, Principal, Scope, StudyGrant
from viewer.server.services import Services, address_of, principal_of

Caller = Callable[[Request], Principal]


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a study that they may see; the audit line of it is written."""

    principal: Principal
    grant: StudyGrant
    address: str

    @property
    def author(self) -> Author:
        """Who saves, when they save something."""
        return Author(self.principal.name, self.principal.display, self.address)


Visitor = Callable[[Request, str, str | None], Visit]


def holder(services: Services, scope: Scope) -> Caller:
    """Return what gives a request's caller, who must hold a right. It raises NotAuthenticated, Forbidden."""

    def caller(request: Request) -> Principal:
        principal = principal_of(services, request)
        principal.require(scope)
        return principal

    return caller


def person(services: Services, scope: Scope, action: str) -> Caller:
    """Return what gives a caller as `holder`, who must be a person: no token does `action`."""
    holds = holder(services, scope)

    def caller(request: Request) -> Principal:
        principal = holds(request)
        principal.require_person(action)
        return principal

    return caller


def looker(services: Services) -> Caller:
    """Return what gives a caller who may look at studies, or at one. It raises NotAuthenticated, Forbidden."""

    def caller(request: Request) -> Principal:
        principal = principal_of(services, request)
        principal.require_look()
        return principal

    return caller


def visitor(services: Services, caller: Caller) -> Visitor:
    """Return what opens the study of an address for its caller. It raises as `caller`, NotFound, AmbiguousStudy."""

    def visit(request: Request, study_uid: str, site: str | None = None) -> Visit:
        principal, address = caller(request), address_of(request)
        grant = services.access.open_study(principal, study_uid, Action.INSTANCES_ACCESSED, address, site)
        return Visit(principal, grant, address)

    return visit
