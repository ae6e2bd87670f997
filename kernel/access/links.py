"""Links to one study for somebody without an account: made by a person, opened once with a code that is told apart.

The link's secret stands in the fragment of its address, which browsers do not send; the code is told by another way. Of
both only digests are kept, that of the code together with the secret. Whoever has the link may try a code a few times,
then the link is dead; the right code opens one session, which ends with the link. The guest sees that study and lists nothing.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, select, update

from kernel.access.accounts import principal_of
from kernel.access.memory import Recent, Throttle
from kernel.access.principal import Principal, Scope
from kernel.access.secrets import Signer, sha256_hex
from kernel.access.studies import StudyGrant
from kernel.access.tables import account, study_link
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.clock import Clock
from kernel.config import AccessConfig
from kernel.database import Database
from kernel.errors import InvalidRequest, NotAuthenticated, NotFound

HOURS_MAX: Final = 7 * 24
TRIES_MAX: Final = 5  # wrong codes; then the link is dead
LINKS_MAX: Final = 50  # of a study that hold
KEPT: Final = timedelta(days=30)  # after its end, so that the list still tells of it
CODE_DIGITS: Final = 8
ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
TEXT_CHARACTERS_MAX: Final = 200
GUEST: Final = "~"  # how a guest's session begins; an account's has no such letter
_SCOPES: Final = frozenset({Scope.DICOMWEB_READ, Scope.STUDY_READ})


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link as it is told once."""

    link_id: str
    text: str = field(repr=False)  # what stands behind # in its address
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """A link as a list shows it."""

    link_id: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    failures: int
    opened_at: datetime | None
    revoked_at: datetime | None


class Links:
    """The links of this node."""

    def __init__(
        self, db: Database, clock: Clock, config: AccessConfig, signer: Signer, recent: Recent[str, Principal]
    ) -> None:
        self._db = db
        self._clock = clock
        self._signer = signer
        self._recent = recent
        self._throttle = Throttle(clock, attempts_max=config.attempts_max, window_s=config.attempts_window_s)

    def make(self, principal: Principal, grant: StudyGrant, hours: int, address: str) -> NewLink:
        """Make a link to a study that `principal` was granted.

        Raises
        ------
        Forbidden
            The principal has not the right, or is no person.
        InvalidRequest
            It shall hold for too long, or the study has too many that hold.
        """
        principal.require(Scope.EXPORT)
        principal.require_person("make links")
        if not 1 <= hours <= HOURS_MAX:
            raise InvalidRequest(reason=f"a link holds for 1 to {HOURS_MAX} hours")
        link_id, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        code, now = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}", self._clock.now()
        values: dict[str, Any] = {
            "id": link_id,
            "secret_sha256": sha256_hex(secret),
            "code_sha256": sha256_hex(secret + code),
            "site": grant.site,
            "study_uid": grant.study_instance_uid,
            "made_by": principal.name,
            "made_at": now,
            "expires_at": now + timedelta(hours=hours),
            "failures": 0,
        }

        def make(connection: Connection) -> None:
            connection.execute(delete(study_link).where(study_link.c.expires_at < now - KEPT))
            holding = _of(grant) & study_link.c.revoked_at.is_(None) & (study_link.c.expires_at > now)
            if (connection.scalar(select(func.count()).select_from(study_link).where(holding)) or 0) >= LINKS_MAX:
                raise InvalidRequest(reason=f"a study has at most {LINKS_MAX} links that hold")
            connection.execute(study_link.insert(), values)
            line = self._line(Action.EXPORT, principal.name, address, "link made", grant, link=link_id, hours=hours)
            append(connection, line)

        self._db.write(make)
        return NewLink(link_id, f"{link_id}.{secret}", code, values["expires_at"])

    def list(self, grant: StudyGrant) -> list[LinkInfo]:
        """Return the links of a study, newest first; none that ended long ago."""
        newest = select(study_link).where(_of(grant)).order_by(study_link.c.made_at.desc(), study_link.c.id)
        with self._db.read() as connection:
            return [
                LinkInfo(one.id, one.made_by, one.made_at, one.expires_at, one.failures, one.opened_at, one.revoked_at)
                for one in connection.execute(newest)
            ]

    def revoke(self, principal: Principal, grant: StudyGrant, link_id: str, address: str) -> None:
        """End a link and the session that it opened.

        Raises
        ------
        Forbidden
            The principal has not the right.
        NotFound
            The study has no such link that was not revoked.
        """
        principal.require(Scope.EXPORT)
        now = self._clock.now()
        this = _of(grant) & (study_link.c.id == link_id) & study_link.c.revoked_at.is_(None)

        def end(connection: Connection) -> None:
            if not connection.execute(update(study_link).where(this).values(revoked_at=now)).rowcount:
                raise NotFound(what="link")
            append(connection, self._line(Action.EXPORT, principal.name, address, "link revoked", grant, link=link_id))

        self._db.write(end)
        self._recent.forget()

    def open(self, text: str, code: str, address: str) -> str:
        """Open a link with its code and return the cookie of the one session that it gives.

        Raises
        ------
        NotAuthenticated
            It is no link, or not its code, or it was opened, has ended or was revoked: all the same answer.
        Throttled
            Too many attempts, at this link or from this address.
        """
        link_id, _, secret = text[:TEXT_CHARACTERS_MAX].partition(".")
        self._throttle.begin(link_id, address)
        now = self._clock.now()
        session_id = GUEST + self._signer.new_session_id()

        def opened(connection: Connection) -> bool:
            row = connection.execute(_with_maker(study_link.c.id == link_id)).one_or_none()
            if row is None or not hmac.compare_digest(row.secret_sha256, sha256_hex(secret)):
                self._tell_refused(connection, address)
                return False
            this, grant = study_link.c.id == link_id, StudyGrant(row.site, row.study_uid, "", row.made_by)
            if not self._holds(row, now) or row.opened_at is not None or row.failures >= TRIES_MAX:
                self._tell_refused(connection, address, grant, link_id)
                return False
            if not hmac.compare_digest(row.code_sha256, sha256_hex(secret + code)):
                connection.execute(update(study_link).where(this).values(failures=study_link.c.failures + 1))
                self._tell_refused(connection, address, grant, link_id)
                return False
            told = {"opened_at": now, "session_sha256": sha256_hex(session_id)}
            connection.execute(update(study_link).where(this).values(**told))
            line = self._line(Action.USER_AUTHENTICATION, _name(link_id), address, "link opened", grant, link=link_id)
            append(connection, line)
            return True

        if not self._db.write(opened):
            raise NotAuthenticated
        self._throttle.succeeded(link_id, address)
        return self._signer.cookie(session_id)

    def principal_of(self, cookie: str) -> Principal:
        """Return the guest whose session a cookie names. Raises NotAuthenticated."""
        session_id = self._signer.session_id(cookie)
        if session_id is None or not session_id.startswith(GUEST):
            raise NotAuthenticated
        return self._recent.get_or(session_id, lambda: self._look_up(sha256_hex(session_id)))

    def close(self, cookie: str) -> None:
        """End a guest's session: its link is spent, so nobody opens another with it."""
        session_id = self._signer.session_id(cookie) or ""
        mine = study_link.c.session_sha256 == sha256_hex(session_id)
        self._db.write(
            lambda connection: connection.execute(update(study_link).where(mine).values(session_sha256=None)).rowcount
        )
        self._recent.forget()

    def _look_up(self, session_sha256: str) -> Principal:
        with self._db.read() as connection:
            row = connection.execute(_with_maker(study_link.c.session_sha256 == session_sha256)).one_or_none()
        if row is None or not self._holds(row, self._clock.now()):
            raise NotAuthenticated
        sites = frozenset({row.site})
        return Principal(_name(row.link_id), "link", frozenset(), _SCOPES, sites, study=row.study_uid)

    def _holds(self, row: Row[Any], now: datetime) -> bool:
        """Whether a link may be used: not ended, and who made it might still make it."""
        maker = principal_of(row)
        may = not row.disabled and Scope.EXPORT in maker.scopes and maker.sees(row.site)
        return may and row.revoked_at is None and now < row.expires_at

    def _tell_refused(
        self, connection: Connection, address: str, grant: StudyGrant | None = None, link_id: str = ""
    ) -> None:
        what = {"link": link_id} if link_id else {}
        who, failed = _name(link_id) if link_id else "(unknown link)", AuditOutcome.MINOR_FAILURE
        line = self._line(Action.USER_AUTHENTICATION, who, address, "link refused", grant, outcome=failed, **what)
        append(connection, line)

    def _line(
        self,
        action: Action,
        who: str,
        address: str,
        what: str,
        grant: StudyGrant | None,
        *,
        outcome: AuditOutcome = AuditOutcome.SUCCESS,
        **more: object,
    ) -> Line:
        where = {} if grant is None else {"site": grant.site, "study_instance_uid": grant.study_instance_uid}
        return Line(self._clock.now(), action, who, outcome, address=address, detail={"what": what, **more}, **where)


def _of(grant: StudyGrant) -> Any:
    return (study_link.c.site == grant.site) & (study_link.c.study_uid == grant.study_instance_uid)


def _with_maker(which: Any) -> Any:
    columns = [one for one in study_link.c if one.name not in ("id", "site")]
    named = (study_link.c.id.label("link_id"), study_link.c.site.label("site"))
    return select(account, *named, *columns).join_from(study_link, account).where(which)


def _name(link_id: str) -> str:
    return f"link {link_id}"
