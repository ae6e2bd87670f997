"""People: making accounts, proving who somebody is, changing passwords and rights. Every change is audited."""

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from kernel.access.memory import COUNTERS_MAX, Recent, Throttle
from kernel.access.principal import Principal, Role, Scope, scopes_of
from kernel.access.secrets import Passwords, normalized
from kernel.access.tables import account, session
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.clock import Clock
from kernel.config import AccessConfig
from kernel.database import Database
from kernel.errors import InvalidRequest, NotAuthenticated, NotFound, Throttled

FIRST_ACCOUNT = "admin"
ONE_TIME_BYTES = 15  # twenty letters to type
DISPLAY_CHARACTERS_MAX = 128
SITE_PATTERN = re.compile(r"[\w-]{1,32}")  # \w: letters and digits of every script, as node.site may have
_NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_NOBODY = "(unknown account)"  # what was typed as a name may be a password


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """An account as a list shows it."""

    name: str
    display: str
    roles: frozenset[Role]
    sites: frozenset[str] | None
    disabled: bool
    must_change: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to make."""

    name: str
    roles: Iterable[str]
    sites: Iterable[str] | None = None  # whose studies it sees; None: every site's
    display: str = ""  # the person's name on screen; empty: the account's
    must_change: bool = False  # the password is for one sign-in, after which it must be replaced


class Accounts:
    """The accounts of this node."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        config: AccessConfig,
        passwords: Passwords,
        rights_changed: Callable[[], None],
    ) -> None:
        self._db = db
        self._clock = clock
        self._config = config
        self._passwords = passwords
        self._rights_changed = rights_changed
        self._throttle = Throttle(clock, attempts_max=config.attempts_max, window_s=config.attempts_window_s)
        self._alerts: Recent[tuple[str, str], None] = Recent(clock, seconds=config.attempts_window_s, most=COUNTERS_MAX)

    def authenticate(self, name: str, password: str, address: str) -> Principal:
        """Return who signed in; a known and an unknown name take the same work and get the same answer.

        Raises
        ------
        NotAuthenticated
            The name and password do not go together, or the account is disabled.
        Throttled
            Too many failures of this account, or from this address.
        """
        name = folded(name)
        with self._db.read() as connection:
            row = connection.execute(select(account).where(account.c.name == name)).one_or_none()
        shown = name if row else _NOBODY
        try:
            self._throttle.begin(name, address)
        except Throttled:
            self._alerts.get_or((name, address), lambda: self._alert(shown, address))  # not a line for every attempt
            raise
        matches = self._passwords.matches(password, row.password_hash if row else None)
        if row is None or not matches or row.disabled:
            self._audit(Action.USER_AUTHENTICATION, shown, address, AuditOutcome.MINOR_FAILURE, "sign-in refused")
            raise NotAuthenticated
        self._throttle.succeeded(name, address)
        self._audit(Action.USER_AUTHENTICATION, shown, address, AuditOutcome.SUCCESS, "sign-in")
        return principal_of(row)

    def vouched(self, name: str, address: str) -> Principal | None:
        """Return the account for which another's signed token vouches; None when there is none that may sign in."""
        name = folded(name)
        with self._db.read() as connection:
            row = connection.execute(select(account).where(account.c.name == name)).one_or_none()
        if row is None or row.disabled or row.must_change:
            return None
        self._audit(Action.USER_AUTHENTICATION, name, address, AuditOutcome.SUCCESS, "sign-in by token")
        return principal_of(row)

    def stands(self, who: Principal) -> bool:
        """Whether an account may still do what it might when `who` was proved: neither disabled nor changed since."""
        with self._db.read() as connection:
            row = connection.execute(select(account).where(account.c.name == who.name)).one_or_none()
        return row is not None and not row.disabled and principal_of(row) == who

    def token_refused(self, address: str) -> None:
        """Audit a signed token that proves nothing."""
        self._audit(Action.USER_AUTHENTICATION, _NOBODY, address, AuditOutcome.MINOR_FAILURE, "token refused")

    def create(self, new: "NewAccount", password: str, *, by: str) -> None:
        """Make an account; `by` is who made it, for the audit.

        Raises
        ------
        InvalidRequest
            The name is taken or not allowed, a role is unknown, or the password is too short.
        """
        values: dict[str, Any] = {
            "name": _checked_name(new.name),
            "display": new.display[:DISPLAY_CHARACTERS_MAX] or new.name,
            "password_hash": self._checked_hash(folded(new.name), password),
            "roles": _words(_checked_roles(new.roles)),
            "sites": None if new.sites is None else _words(_checked_sites(new.sites)),
            "disabled": False,
            "must_change": new.must_change,
            "created_at": self._clock.now(),
        }

        def make(connection: Connection) -> None:
            if connection.scalar(select(func.count()).where(account.c.name == values["name"])):
                raise InvalidRequest(reason="there is an account of that name")
            connection.execute(account.insert(), values)
            append(connection, self._changed(by, "account made", values["name"], roles=values["roles"]))

        self._db.write(make)

    def first_administrator(self) -> str | None:
        """On a node without accounts make `admin` and return its one-time password; otherwise return None."""
        with self._db.read() as connection:
            if connection.scalar(select(func.count()).select_from(account)):
                return None
        password = secrets.token_urlsafe(ONE_TIME_BYTES)
        self.create(NewAccount(FIRST_ACCOUNT, (Role.ADMIN,), must_change=True), password, by="first start")
        return password

    def set_password(self, name: str, password: str, *, must_change: bool = False, by: str) -> None:
        """Replace a password and end every session of the account."""
        name = folded(name)
        values = {"password_hash": self._checked_hash(name, password), "must_change": must_change}
        self._change(name, values, by, "password set")

    def change_password(self, name: str, current: str, new: str, address: str) -> None:
        """Replace one's own password, knowing the current one; every session of the account ends."""
        self.authenticate(name, current, address)
        if normalized(current) == normalized(new):
            raise InvalidRequest(reason="the new password must differ from the current one")
        self.set_password(name, new, by=folded(name))

    def set_disabled(self, name: str, *, disabled: bool, by: str) -> None:
        """Let an account sign in no more, or again; every session of the account ends."""
        self._change(folded(name), {"disabled": disabled}, by, "account disabled" if disabled else "account enabled")

    def set_rights(self, name: str, roles: Iterable[str], sites: Iterable[str] | None, *, by: str) -> None:
        """Replace the roles and sites of an account; every session of the account ends."""
        values: dict[str, Any] = {
            "roles": _words(_checked_roles(roles)),
            "sites": None if sites is None else _words(_checked_sites(sites)),
        }
        self._change(folded(name), values, by, "rights set")

    def list(self) -> list[AccountInfo]:
        """Return every account, by name."""
        with self._db.read() as connection:
            return [_info(row) for row in connection.execute(select(account).order_by(account.c.name))]

    def _change(self, name: str, values: dict[str, Any], by: str, what: str) -> None:
        def change(connection: Connection) -> None:
            if not connection.execute(update(account).where(account.c.name == name).values(values)).rowcount:
                raise NotFound(what="account")
            connection.execute(delete(session).where(session.c.account == name))
            append(connection, self._changed(by, what, name, roles=values.get("roles", "")))

        self._db.write(change)
        self._rights_changed()

    def _checked_hash(self, name: str, password: str) -> str:
        password = normalized(password)
        if len(password) < self._config.password_length_min:
            reason = f"a password has at least {self._config.password_length_min} characters"
            raise InvalidRequest(reason=reason)
        if password.casefold() == name:
            raise InvalidRequest(reason="the password must differ from the name")
        return self._passwords.hash(password)

    def _changed(self, by: str, what: str, name: str, roles: str) -> Line:
        detail = {"what": what, "account": name, **({"roles": roles} if roles else {})}
        return Line(self._clock.now(), Action.SECURITY_ALERT, by, detail=detail)

    def _alert(self, who: str, address: str) -> None:
        self._audit(Action.SECURITY_ALERT, who, address, AuditOutcome.SERIOUS_FAILURE, "sign-in throttled")

    def _audit(self, action: Action, who: str, address: str, outcome: AuditOutcome, what: str) -> None:
        line = Line(self._clock.now(), action, who, outcome, address=address, detail={"what": what})
        self._db.write(lambda connection: append(connection, line))


def folded(name: str) -> str:
    """Return the form in which an account's name is kept and compared."""
    return name[:DISPLAY_CHARACTERS_MAX].strip().casefold()


def principal_of(row: Row[Any]) -> Principal:
    """Return the principal of an account's row; with a one-time password it may do nothing but replace it."""
    info = _info(row)
    scopes = frozenset[Scope]() if info.must_change else scopes_of(info.roles)
    return Principal(info.name, "account", info.roles, scopes, info.sites, None, info.display, info.must_change)


def _info(row: Row[Any]) -> AccountInfo:
    return AccountInfo(
        name=row.name,
        display=row.display,
        roles=frozenset(Role(word) for word in row.roles.split()),
        sites=None if row.sites is None else frozenset(row.sites.split()),
        disabled=row.disabled,
        must_change=row.must_change,
        created_at=row.created_at,
    )


def _checked_name(name: str) -> str:
    name = folded(name)
    if not _NAME_PATTERN.fullmatch(name):
        raise InvalidRequest(reason="an account's name has 1 to 64 letters a to z, digits, or . _ @ - inside")
    return name


def _checked_roles(roles: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(str(role) for role in roles)
    if not chosen or not chosen <= set(Role):
        raise InvalidRequest(reason=f"roles are {', '.join(Role)}; give at least one")
    return chosen


def _checked_sites(sites: Iterable[str]) -> frozenset[str]:
    chosen = frozenset(sites)
    if not all(SITE_PATTERN.fullmatch(site) for site in chosen):
        raise InvalidRequest(reason="a site's code has 1 to 32 letters, digits, - or _")
    return chosen


def _words(words: Iterable[str]) -> str:
    return " ".join(sorted(words))
