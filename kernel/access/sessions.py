"""Browser sessions: opened after a sign-in, looked up by their cookie, ended by time or by hand."""

from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from kernel.access.accounts import principal_of
from kernel.access.memory import Recent
from kernel.access.principal import Principal
from kernel.access.secrets import Signer, sha256_hex
from kernel.access.tables import account, session
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.config import AccessConfig
from kernel.database import Database
from kernel.errors import NotAuthenticated

SESSIONS_MAX = 20  # of one account; the one longest unseen ends
SEEN_EVERY_S = 60.0  # a session's last use is written down at most so often


class Sessions:
    """The sessions of this node. What is stored is the digest of a session's identifier, never the identifier."""

    def __init__(
        self, db: Database, clock: Clock, config: AccessConfig, signer: Signer, recent: Recent[str, Principal]
    ) -> None:
        self._db = db
        self._clock = clock
        self._signer = signer
        self._recent = recent
        self._life = timedelta(hours=config.session_hours)
        self._idle = timedelta(minutes=config.session_idle_minutes)

    def open(self, principal: Principal, address: str) -> str:
        """Begin a session of an account and return its cookie's value."""
        assert principal.kind == "account", "only people have sessions"
        session_id, now = self._signer.new_session_id(), self._clock.now()
        values = {
            "id_sha256": sha256_hex(session_id),
            "account": principal.name,
            "created_at": now,
            "last_seen": now,
            "expires_at": now + self._life,
            "address": address,
        }

        def begin(connection: Connection) -> None:
            connection.execute(delete(session).where(session.c.expires_at <= now))
            others = select(session.c.id_sha256).where(session.c.account == principal.name)
            surplus = connection.scalars(others.order_by(session.c.last_seen.desc()).offset(SESSIONS_MAX - 1)).all()
            if surplus:
                connection.execute(delete(session).where(session.c.id_sha256.in_(surplus)))
            connection.execute(session.insert(), values)

        self._db.write(begin)
        self._recent.forget()
        return self._signer.cookie(session_id)

    def principal_of(self, cookie: str) -> Principal:
        """Return whose session a cookie names.

        Raises
        ------
        NotAuthenticated
            It is no cookie of ours, or its session has ended, or its account is disabled.
        """
        session_id = self._signed(cookie)
        return self._recent.get_or(session_id, lambda: self._look_up(sha256_hex(session_id)))

    def csrf(self, cookie: str) -> str:
        """Return the value that this session's page must send back with unsafe methods."""
        return self._signer.csrf(self._signed(cookie))

    def close(self, cookie: str, address: str) -> None:
        """End a session; one that has ended already is no error."""
        session_id = self._signer.session_id(cookie)
        if session_id is None:
            return
        mine = session.c.id_sha256 == sha256_hex(session_id)

        def end(connection: Connection) -> None:
            name = connection.scalar(select(session.c.account).where(mine))
            if name is not None:
                connection.execute(delete(session).where(mine))
                detail = {"what": "sign-out"}
                line = Line(self._clock.now(), Action.USER_AUTHENTICATION, name, address=address, detail=detail)
                append(connection, line)

        self._db.write(end)
        self._recent.forget()

    def _signed(self, cookie: str) -> str:
        session_id = self._signer.session_id(cookie)
        if session_id is None:
            raise NotAuthenticated
        return session_id

    def _look_up(self, id_sha256: str) -> Principal:
        now = self._clock.now()
        both = select(account, session.c.last_seen, session.c.expires_at).join_from(session, account)
        with self._db.read() as connection:
            row = connection.execute(both.where(session.c.id_sha256 == id_sha256)).one_or_none()
        if row is None or row.disabled or now >= row.expires_at or now >= row.last_seen + self._idle:
            raise NotAuthenticated
        if now >= row.last_seen + timedelta(seconds=SEEN_EVERY_S):
            seen = update(session).where(session.c.id_sha256 == id_sha256).values(last_seen=now)
            self._db.write(lambda connection: connection.execute(seen).rowcount)
        return principal_of(row)
