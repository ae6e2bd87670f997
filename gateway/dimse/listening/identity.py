"""User identity of an association (PS3.7 D.3.3.7): what the policy makes of it, and what it opens.

Who cannot prove what he says is rejected whatever the policy, unless identities are `off`. A user name alone proves
nothing; it is passed over where no identity is required.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from gateway.dimse.upper_layer.pdu import Identity
from gateway.peers import SERVICES, ServiceName, Source
from kernel.access import Principal, Scope
from kernel.access.identity import IdentityKind
from kernel.errors import NotAuthenticated

UserIdentity = Literal["off", "accepted", "required"]
Identify = Callable[[int, bytes, bytes, str], Principal]  # kind, primary and secondary field, address

GRANTED: Final[dict[Scope, frozenset[ServiceName]]] = {  # to callers without a table, by the scopes of who they are
    Scope.DICOMWEB_READ: frozenset(("find", "move", "get")),
    Scope.ORDERS_READ: frozenset(("worklist",)),
    Scope.DICOMWEB_STORE: frozenset(("store", "commit", "mpps")),
    Scope.ADMIN: SERVICES,
}
OF_ONE_SITE: Final = frozenset[ServiceName](("store", "commit", "mpps", "worklist"))


@dataclass(frozen=True, slots=True)
class Identification:
    """How this node treats user identities."""

    policy: UserIdentity
    identify: Identify

    def of(self, identity: Identity | None, address: str) -> Principal | None:
        """Return who calls, None when nobody in particular does.

        Raises
        ------
        NotAuthenticated, Throttled, Busy
            The association is to be rejected.
        """
        if self.policy == "off":
            return None
        if identity is None or identity.kind == IdentityKind.USERNAME:
            if self.policy == "required":
                raise NotAuthenticated
            return None
        return self.identify(identity.kind, identity.primary, identity.secondary, address)


def _nobody(kind: int, primary: bytes, secondary: bytes, address: str) -> Principal:
    del kind, primary, secondary, address
    raise NotAuthenticated


OFF: Final = Identification("off", _nobody)


def widened(source: Source, who: Principal | None) -> Source:
    """Return a source with what the user's own rights add, for the user's own site; one with a table keeps to the table."""
    if who is None or source.name:
        return source
    granted = frozenset[ServiceName]().union(*(GRANTED.get(scope, frozenset()) for scope in who.scopes))
    services, site = source.services | granted, _site_of(source, who)
    if site is None:
        return replace(source, services=services - OF_ONE_SITE)
    return replace(source, services=services, site=site)


def _site_of(source: Source, who: Principal) -> str | None:
    """Return for which site a user stores and sees the worklist, None for no single one (`Studies.may_write`)."""
    if who.site is not None:
        return who.site
    if who.sees(source.site):
        return source.site
    return next(iter(who.sites)) if who.sites and len(who.sites) == 1 else None
