"""Who may do what: accounts, sessions, bearer tokens, and the only functions that hand out a study.

For other rooms::

    access = Access.open(db, clock, config, dev_token=None)
    principal = access.authenticate_password(name, password, address)
    cookie = access.open_session(principal, address)  # set HttpOnly, SameSite=Strict; Secure over HTTPS
    principal = access.principal_of_session(cookie)  # or principal_of_token(bearer); NotAuthenticated
    access.check_csrf(cookie, header_value)  # on unsafe methods of cookie sessions; Forbidden
    principal.require(Scope.DICOMWEB_READ)  # Forbidden
    page = access.search_studies(principal, query, address)
    grant = access.open_study(principal, study_uid, Action.INSTANCES_ACCESSED, address)
    site = access.may_store(principal)

All of it blocks on the database now and then: call it from a thread, not from the event loop. `access.accounts`,
`access.tokens`, `access.sessions`, `access.links` and `access.launches` have the rest (making, changing, revoking).
"""

import hmac
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher

from kernel.access.accounts import AccountInfo, Accounts, NewAccount
from kernel.access.identity import Identities, JwtRules, Proved
from kernel.access.launches import PREFIX as LAUNCH_PREFIX
from kernel.access.launches import Launches
from kernel.access.links import GUEST, LinkInfo, Links, NewLink
from kernel.access.memory import Recent
from kernel.access.preferences import Preferences
from kernel.access.principal import ROLE_SCOPES, Principal, Role, Scope, scopes_of, system
from kernel.access.rights_mark import FileMark, Mark
from kernel.access.secrets import Passwords, Signer, load_or_create_key, sha256_hex
from kernel.access.sessions import Sessions
from kernel.access.studies import Studies, StudyGrant
from kernel.access.tokens import TokenInfo, Tokens
from kernel.archive.search.search import StudyPage, StudyQuery
from kernel.audit import Action
from kernel.clock import Clock
from kernel.config import AccessConfig, Config
from kernel.database import Database
from kernel.errors import Forbidden

__all__ = [
    "Access",
    "AccessKeys",
    "AccountInfo",
    "Action",
    "LinkInfo",
    "NewAccount",
    "NewLink",
    "Principal",
    "ROLE_SCOPES",
    "Role",
    "Scope",
    "StudyGrant",
    "TokenInfo",
    "scopes_of",
    "system",
]

RECENT_S = 5.0  # a looked-up session or token is remembered so long; revoking on this machine forgets it at once
RECENT_MAX = 4_096
KEY_FILE = "session.key"
MARK_FILE = "rights.mark"


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """What access works with beside its database, and nobody may read."""

    session_key: bytes = field(repr=False)
    dev_token: str | None = field(default=None, repr=False)  # accepted for everything; loopback only
    hasher: PasswordHasher | None = None  # None: argon2-cffi's own parameters; tests take cheaper ones
    mark: Mark | None = None  # None: no other process changes anybody's rights


class Access:
    """Access to one node. One object a process; every method may be called from any thread."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        config: AccessConfig,
        *,
        keys: AccessKeys,
        site: str,
        jwt_rules: JwtRules | None = None,
    ) -> None:
        recent: Recent[str, Principal] = Recent(clock, seconds=RECENT_S, most=RECENT_MAX, mark=keys.mark)
        self.accounts = Accounts(db, clock, config, Passwords(keys.hasher), recent.forget)
        self._identities = Identities(self.accounts, clock, jwt_rules)
        self._signer = signer = Signer(keys.session_key)
        self.sessions = Sessions(db, clock, config, signer, recent)
        self.links = Links(db, clock, config, signer, recent)
        self.launches = Launches(db, clock, signer, recent)
        self.tokens = Tokens(db, clock, recent)
        self.preferences = Preferences(db, clock)
        self._studies = Studies(db, clock, site)
        self._dev_token_sha256 = sha256_hex(keys.dev_token) if keys.dev_token else None
        self._dev_principal = Principal("dev-token", "token", frozenset(Role), frozenset(Scope), None, site)

    @classmethod
    def open(
        cls, db: Database, clock: Clock, config: Config, *, dev_token: str | None = None, key_file: Path | None = None
    ) -> "Access":
        """Make the access of a node, whose signing key is `session.key` in the data folder, made once."""
        key = load_or_create_key(key_file or config.node.data / KEY_FILE)
        mark = FileMark(config.node.data / MARK_FILE)
        keys, rules = AccessKeys(key, dev_token, mark=mark), JwtRules.of(config.dimse)
        return cls(db, clock, config.access, keys=keys, site=config.node.site, jwt_rules=rules)

    def authenticate_password(self, name: str, password: str, address: str) -> Principal:
        """Return who signed in. Raises NotAuthenticated, Throttled, Busy; see `Accounts.authenticate`."""
        return self.accounts.authenticate(name, password, address)

    def identify(self, kind: int, primary: bytes, secondary: bytes, address: str) -> Proved:
        """Return who a DICOM user identity is. Raises NotAuthenticated, Throttled; see `Identities.identify`."""
        return self._identities.identify(kind, primary, secondary, address)

    def stands(self, who: Principal) -> bool:
        """Whether who once proved an identity may still do all that: an account may be disabled or changed since."""
        return who.kind != "account" or self.accounts.stands(who)

    def first_administrator(self) -> str | None:
        """On a node without accounts make `admin` and return its one-time password; otherwise return None."""
        return self.accounts.first_administrator()

    def open_session(self, principal: Principal, address: str) -> str:
        """Begin a session and return its cookie's value."""
        return self.sessions.open(principal, address)

    def close_session(self, cookie: str, address: str) -> None:
        """End a session; one that has ended already is no error."""
        if _is_guest(cookie):
            self.links.close(cookie)
        else:
            self.sessions.close(cookie, address)

    def principal_of_session(self, cookie: str) -> Principal:
        """Return whose session a cookie names. Raises NotAuthenticated."""
        return (self.links if _is_guest(cookie) else self.sessions).principal_of(cookie)

    def principal_of_token(self, bearer: str) -> Principal:
        """Return whose token this is (the text after `Bearer `). Raises NotAuthenticated."""
        if self._dev_token_sha256 and hmac.compare_digest(self._dev_token_sha256, sha256_hex(bearer)):
            return self._dev_principal
        return (self.launches if bearer.startswith(LAUNCH_PREFIX) else self.tokens).principal_of(bearer)

    def csrf_of_session(self, cookie: str) -> str:
        """Return the value that a page of this session sends back with unsafe methods."""
        return self.sessions.csrf(cookie)

    def draft_key(self, principal: Principal) -> str:
        """Return the secret with which a browser seals what an account drew there: one for all its sessions.

        A session's own would be gone with it, and with that what was drawn before its end. Raises Forbidden.
        """
        principal.require_person("keep drafts")
        return self._signer.mac_of("draft", principal.name)

    def check_csrf(self, cookie: str, value: str) -> None:
        """Check what an unsafe request of a cookie session sent along.

        Raises
        ------
        Forbidden
            It is not this session's value: the request did not come from our own page.
        """
        if not hmac.compare_digest(self.sessions.csrf(cookie).encode(), value.encode()):
            raise Forbidden(action="do this from another page")

    def search_studies(self, principal: Principal, query: StudyQuery, address: str) -> StudyPage:
        """Search the studies that `principal` may see; audited. Raises Forbidden."""
        return self._studies.search(principal, query, address)

    def open_study(
        self, principal: Principal, study_instance_uid: str, action: Action, address: str, site: str | None = None
    ) -> StudyGrant:
        """Give leave to read one study; audited before it returns. Raises Forbidden, NotFound, AmbiguousStudy."""
        return self._studies.open(principal, study_instance_uid, action, address, site)

    def tell_label(self, principal: Principal, grant: StudyGrant, address: str) -> None:
        """Write down that somebody looks at the label of a slide, before they do."""
        self._studies.tell_label(principal, grant, address)

    def may_search(self, principal: Principal, keywords: list[str], address: str) -> frozenset[str] | None:
        """Audit a search below the study level; return the sites it may cover, None for all. Raises Forbidden."""
        return self._studies.may_search(principal, keywords, address)

    def may_list(
        self, principal: Principal, scope: Scope, what: str, keywords: list[str], address: str
    ) -> frozenset[str] | None:
        """Audit a look at orders or work items; return the sites it may cover, None for all. Raises Forbidden."""
        return self._studies.may_list(principal, scope, what, keywords, address)

    def may_delete(self, principal: Principal, uid: str, address: str, site: str | None = None) -> StudyGrant:
        """Return which study `principal` means to delete. Raises Forbidden, NotFound, AmbiguousStudy."""
        return self._studies.may_delete(principal, uid, address, site)

    def forget_studies(self) -> None:
        """Forget what was granted lately: studies were deleted."""
        self._studies.forget()

    def may_store(self, principal: Principal) -> str:
        """Return the site for which `principal` may store. Raises Forbidden."""
        return self._studies.may_store(principal)

    def may_write(self, principal: Principal, scope: Scope, named: str | None = None) -> str:
        """Return the site for which `principal` may write; `named` when it says which. Raises Forbidden."""
        return self._studies.may_write(principal, scope, named)


def _is_guest(cookie: str) -> bool:
    """Whether a cookie says that it is of somebody whom a link let in; whether it is true, its signature tells."""
    return cookie.startswith(f"v1.{GUEST}")
