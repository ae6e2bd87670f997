"""Who somebody is and what they may do: roles, scopes and the table between them. Pure values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kernel.errors import Forbidden


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"  # looks after the node
    REQUESTER = "requester"  # the district clinician
    READER = "reader"  # the specialist
    INTEGRATOR = "integrator"  # a system: another exchange, a PACS, a report system


class Scope(StrEnum):
    """One thing that a session or token may do."""

    DICOMWEB_READ = "dicomweb:read"
    DICOMWEB_STORE = "dicomweb:store"
    DICOMWEB_DELETE = "dicomweb:delete"  # within the policy of the node (archive.deletion)
    UPLOAD = "dicomweb:upload"  # put files in at a site, as a person does in the browser
    EXPORT = "dicomweb:export"  # take a study away: as a medium, or by a link for somebody without an account
    DEIDENTIFY = "dicomweb:deidentify"  # have instances made pseudonymous with the site's keys
    API_READ = "api:read"
    API_WRITE = "api:write"
    STUDY_READ = "study:read"  # look at the one study that a link or a launch is for; nothing that lists others
    ORDERS_READ = "orders:read"  # what is scheduled at the modalities
    ORDERS_WRITE = "orders:write"
    WORKLIST_READ = "worklist:read"  # UPS work items (PS3.18 11)
    WORKLIST_WRITE = "worklist:write"
    LABELS_READ = "labels:read"  # see the labels of slides, on which the patient's name stands
    VAULT_OPEN = "vault:open"  # know whose a pseudonym is: asked by one person, approved by another
    ADMIN = "admin"


_PERSON = frozenset({Scope.DICOMWEB_READ, Scope.API_READ, Scope.API_WRITE})
ROLE_SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.ADMIN: frozenset(Scope),
    Role.REQUESTER: _PERSON | {Scope.UPLOAD, Scope.EXPORT, Scope.ORDERS_READ, Scope.ORDERS_WRITE, Scope.WORKLIST_READ},
    Role.READER: _PERSON | {Scope.ORDERS_READ, Scope.WORKLIST_READ, Scope.WORKLIST_WRITE},
    Role.INTEGRATOR: frozenset(
        {Scope.DICOMWEB_READ, Scope.DICOMWEB_STORE, Scope.DEIDENTIFY, Scope.API_READ}
        | {Scope.ORDERS_READ, Scope.ORDERS_WRITE, Scope.WORKLIST_READ, Scope.WORKLIST_WRITE}
    ),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose identity was proved."""

    name: str
    kind: Literal["account", "token", "system", "source", "link"]  # source: a DIMSE peer; link: a study's guest
    roles: frozenset[Role]
    scopes: frozenset[Scope]
    sites: frozenset[str] | None = None  # whose studies may be seen; None: every site's
    site: str | None = None  # the site for which a token stores
    display: str = ""  # a person's name on screen
    must_change: bool = False  # signed in with a one-time password: no scopes until it is replaced
    study: str | None = None  # the one Study Instance UID that may be seen, at the one of `sites`; None: all there

    def require(self, scope: Scope) -> None:
        """Check that `scope` is held.

        Raises
        ------
        Forbidden
            It is not; the message names the scope.
        """
        if scope not in self.scopes:
            raise Forbidden(action=f"do this: it needs the right {scope.value}")

    def require_look(self) -> None:
        """Check that one study may be looked at: by who reads here, or was let in to it. Raises Forbidden."""
        if Scope.STUDY_READ not in self.scopes:
            self.require(Scope.API_READ)

    def require_person(self, action: str) -> None:
        """Check that the caller is an account, which people have, and no token or link. Raises Forbidden."""
        if self.kind != "account":
            raise Forbidden(action=f"{action}: only people do")

    def sees(self, site: str) -> bool:
        """Tell whether studies of `site` may be seen."""
        return self.sites is None or site in self.sites


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    """Return every scope that one of `roles` implies."""
    return frozenset[Scope]().union(*(ROLE_SCOPES[role] for role in roles))


def system(name: str) -> Principal:
    """Return the principal of a part of this node that works by itself, such as delivery."""
    return Principal(name, "system", frozenset(), frozenset(Scope))
