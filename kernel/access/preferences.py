"""What a person likes: words of the screens' own, kept with the account and never read here."""

from typing import Final

from sqlalchemy import select

from kernel.access.principal import Principal
from kernel.access.tables import preference
from kernel.clock import Clock
from kernel.database import Database, upsert
from kernel.errors import InvalidRequest

CHARACTERS_MAX: Final = 16_384


class Preferences:
    """The preferences of this node's accounts."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def of(self, principal: Principal) -> str:
        """Return what was kept last; empty for who has no account, or kept nothing."""
        if principal.kind != "account":
            return ""
        wanted = select(preference.c.settings).where(preference.c.account == principal.name)
        with self._db.read() as connection:
            return connection.scalar(wanted) or ""

    def keep(self, principal: Principal, settings: str) -> None:
        """Keep these in place of what was kept.

        Raises
        ------
        Forbidden
            The caller is no account.
        InvalidRequest
            They are longer than CHARACTERS_MAX.
        """
        principal.require_person("keep preferences")
        if len(settings) > CHARACTERS_MAX:
            raise InvalidRequest(reason=f"preferences have {CHARACTERS_MAX} characters at most")
        row = {"account": principal.name, "settings": settings, "kept_at": self._clock.now()}
        changed = ("settings", "kept_at")
        self._db.write(lambda connection: upsert(connection, preference, [row], key=("account",), update=changed))
