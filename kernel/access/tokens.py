"""Bearer tokens of other systems: shown once, stored as a digest, ended by time or by hand."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from kernel.access.accounts import DISPLAY_CHARACTERS_MAX, SITE_PATTERN
from kernel.access.memory import Recent
from kernel.access.principal import Principal, Role, Scope
from kernel.access.secrets import new_token, parse_token, sha256_hex
from kernel.access.tables import token
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import InvalidRequest, NotAuthenticated, NotFound


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token as a list shows it: everything but the secret."""

    token_id: str
    name: str
    scopes: frozenset[Scope]
    site: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Tokens:
    """The bearer tokens of this node."""

    def __init__(self, db: Database, clock: Clock, recent: Recent[str, Principal]) -> None:
        self._db = db
        self._clock = clock
        self._recent = recent

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        site: str | None = None,
        lifetime: timedelta | None = None,
        by: str,
    ) -> str:
        """Make a token and return its text, which nothing can show again.

        A token with a site stores for that site and sees only its studies.

        Raises
        ------
        InvalidRequest
            A scope is unknown, or there is none; the name is empty; the site is no site code.
        """
        chosen = frozenset(str(scope) for scope in scopes)
        if not chosen or not chosen <= set(Scope):
            raise InvalidRequest(reason=f"scopes are {', '.join(Scope)}; give at least one")
        if not name.strip() or len(name) > DISPLAY_CHARACTERS_MAX or not name.isprintable():
            raise InvalidRequest(reason=f"a token's name has 1 to {DISPLAY_CHARACTERS_MAX} characters")
        if site is not None and not SITE_PATTERN.fullmatch(site):
            raise InvalidRequest(reason="a site's code has 1 to 32 letters, digits, - or _")
        parts, now = new_token(), self._clock.now()
        values: dict[str, Any] = {
            "id": parts.token_id,
            "name": name,
            "secret_sha256": sha256_hex(parts.secret),
            "scopes": " ".join(sorted(chosen)),
            "site": site,
            "created_at": now,
            "expires_at": None if lifetime is None else now + lifetime,
        }
        line = self._changed(by, "token made", parts.token_id, scopes=values["scopes"])

        def make(connection: Connection) -> None:
            connection.execute(token.insert(), values)
            append(connection, line)

        self._db.write(make)
        return parts.text()

    def principal_of(self, bearer: str) -> Principal:
        """Return the principal of a token's text (what follows `Bearer `).

        Raises
        ------
        NotAuthenticated
            It is no token of this node, or has expired, or was revoked.
        """
        parts = parse_token(bearer)
        if parts is None:
            raise NotAuthenticated
        return self._recent.get_or(sha256_hex(bearer), lambda: self._look_up(parts.token_id, sha256_hex(parts.secret)))

    def revoke(self, token_id: str, *, by: str) -> None:
        """End a token; on this machine at once, on others within `RECENT_S`.

        Raises
        ------
        NotFound
            There is no such token that still holds.
        """
        now = self._clock.now()
        holds = (token.c.id == token_id) & token.c.revoked_at.is_(None)

        def end(connection: Connection) -> None:
            if not connection.execute(update(token).where(holds).values(revoked_at=now)).rowcount:
                raise NotFound(what="token")
            append(connection, self._changed(by, "token revoked", token_id))

        self._db.write(end)
        self._recent.forget()

    def list(self) -> list[TokenInfo]:
        """Return every token, oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(select(token).order_by(token.c.created_at, token.c.id))
            return [_info(row) for row in rows]

    def _look_up(self, token_id: str, secret_sha256: str) -> Principal:
        with self._db.read() as connection:
            row = connection.execute(select(token).where(token.c.id == token_id)).one_or_none()
        if row is None or not hmac.compare_digest(row.secret_sha256, secret_sha256):
            raise NotAuthenticated
        if row.revoked_at is not None or (row.expires_at is not None and self._clock.now() >= row.expires_at):
            raise NotAuthenticated
        info = _info(row)
        sites = None if info.site is None else frozenset({info.site})
        return Principal(info.name, "token", frozenset({Role.INTEGRATOR}), info.scopes, sites, info.site)

    def _changed(self, by: str, what: str, token_id: str, **more: str) -> Line:
        detail = {"what": what, "token": token_id, **more}
        return Line(self._clock.now(), Action.SECURITY_ALERT, by, detail=detail)


def _info(row: Row[Any]) -> TokenInfo:
    return TokenInfo(
        token_id=row.id,
        name=row.name,
        scopes=frozenset(Scope(word) for word in row.scopes.split()),
        site=row.site,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
