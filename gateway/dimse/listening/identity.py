"""User identity of an association (PS3.7 D.3.3.7): what the policy makes of it, and what it opens.

Who cannot prove what he says is rejected whatever the policy, unless identities are `off`. A user name alone proves
nothing; it is passed over where no identity is required. What was proved is good for a time (`Leave`), however long the
association lasts.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from gateway.dimse.upper_layer.pdu import Identity
from gateway.peers import SERVICES, ServiceName, Source
from kernel.access import Principal, Scope
from kernel.access.identity import IdentityKind, Proved
from kernel.clock import Clock
from kernel.errors import NotAuthenticated, Retriable

UserIdentity = Literal["off", "accepted", "required"]
PROOF_S_MAX: Final = 4 * 3600.0  # how long one proof lets its association ask; a token may say less
LOOK_EVERY_S: Final = 30.0  # how often it is asked whether the account still stands

GRANTED: Final[dict[Scope, frozenset[ServiceName]]] = {  # to callers without a table, by the scopes of who they are
    Scope.DICOMWEB_READ: frozenset(("find", "move", "get")),
    Scope.ORDERS_READ: frozenset(("worklist",)),
    Scope.DICOMWEB_STORE: frozenset(("store", "commit", "mpps")),
    Scope.ADMIN: SERVICES,
}
OF_ONE_SITE: Final = frozenset[ServiceName](("store", "commit", "mpps", "worklist"))


class Prover(Protocol):
    """Who knows the identities; `kernel.access` is one, and what asks it from another process."""

    def identify(self, kind: int, primary: bytes, secondary: bytes, address: str) -> Proved:
        """Return who somebody is. Raises NotAuthenticated, Throttled, Busy."""
        ...

    def stands(self, who: Principal) -> bool:
        """Whether the account is as it was. Raises Busy."""
        ...


@dataclass(slots=True)
class Leave:
    """For how long who proved an identity may go on. One thread asks."""

    proved: Proved
    prover: Prover = field(repr=False)
    clock: Clock = field(repr=False)
    ends_at: datetime = field(init=False)
    _stands: bool = field(init=False, default=True)
    _looked_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        longest = self.clock.now() + timedelta(seconds=PROOF_S_MAX)
        self.ends_at = min(longest, self.proved.until or longest)
        self._looked_s = self.clock.monotonic_s()

    def may_ask(self) -> bool:
        """Whether one more request may begin."""
        return self.clock.now() < self.ends_at and self.may_go_on()

    def may_go_on(self) -> bool:
        """Whether a request may go on: a token that ended meanwhile does not end it, a disabled account does."""
        now_s = self.clock.monotonic_s()
        if self._stands and now_s - self._looked_s >= LOOK_EVERY_S:
            try:
                self._stands = self.prover.stands(self.proved.who)
            except Retriable:  # nobody to ask: next time
                return True
            self._looked_s = now_s
        return self._stands


@dataclass(frozen=True, slots=True)
class Identification:
    """How this node treats user identities."""

    policy: UserIdentity
    prover: Prover

    def of(self, identity: Identity | None, address: str) -> Proved | None:
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
        return self.prover.identify(identity.kind, identity.primary, identity.secondary, address)


class _Nobody:
    def identify(self, kind: int, primary: bytes, secondary: bytes, address: str) -> Proved:
        del kind, primary, secondary, address
        raise NotAuthenticated

    def stands(self, who: Principal) -> bool:
        del who
        return False


OFF: Final = Identification("off", _Nobody())


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
