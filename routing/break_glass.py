"""The vault opened for people: one asks, with a reason; another approves in time; the first opens, once.

For an emergency in which the re-identifier does not help: a telephone call about a pseudonym, a patient who wants to
know. Both are accounts, not programs; every step and every refusal is an audit line, and none names anybody: the
reason is a word of a list, and a token that is none is not written down.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from sqlalchemy import Connection, Row, func, select, update

from anonymizer.pseudonyms.identifiers import PSEUDONYM_GROUP, is_pseudonym
from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import VaultKind, blind_index
from kernel.access import Principal, Scope
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import ExchangeError, Forbidden, InvalidRequest, NotFound, VaultShut
from routing.tables import vault_entry, vault_request
from routing.vault import Asker, reveal

REASONS: Final = ("emergency", "report-by-telephone", "wrong-patient", "patient-asks", "legal")
OPEN_FOR: Final = timedelta(minutes=30)  # from the asking to the opening
PENDING_MAX: Final = 100  # that wait at a time
ID_BYTES: Final = 6
TOKEN_CHARACTERS_MAX: Final = 64
_UID: Final = re.compile(r"2\.25\.[1-9][0-9]{0,38}")


@dataclass(frozen=True, slots=True)
class VaultRequest:
    """A request as both people see it; the token is a pseudonym or a new Study Instance UID."""

    id: str
    site: str
    token: str
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    approved_by: str  # empty: nobody yet
    opened: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """Who does a step, and from where."""

    principal: Principal
    address: str


class BreakGlass:
    """Requests to open the vault. Every method may be called from any thread, and blocks on the database."""

    def __init__(
        self,
        db: Database,
        keys_of: Callable[[str], Keys],
        clock: Clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._db = db
        self._keys_of = keys_of
        self._clock = clock
        self._random_bytes = random_bytes

    def ask(self, caller: Caller, site: str, token: str, reason: str) -> VaultRequest:
        """Ask to know what a token of a site's vault stands for.

        Raises
        ------
        Forbidden
            The caller is no person, has not the right, or may not see the site.
        InvalidRequest
            The reason is not of `REASONS`, or the token is neither a pseudonym nor a new Study Instance UID.
        NotFound
            The site's vault has no such token.
        VaultShut
            Too many requests wait.
        """
        kind, known = _token_of(token)
        if reason not in REASONS:
            raise InvalidRequest(reason=f"the reason is one of {', '.join(REASONS)}")
        self._require(caller, site)
        keys, now = self._keys_of(site), self._clock.now()
        index = blind_index(kind, known, keys)
        request_id = self._random_bytes(ID_BYTES).hex()
        row = {
            "id": request_id,
            "site": site,
            "kind": kind.value,
            "token": known,
            "reason": reason,
            "asked_by": caller.principal.name,
            "asked_at": now,
            "expires_at": now + OPEN_FOR,
            "approved_by": "",
        }

        def change(connection: Connection) -> ExchangeError | None:
            refusal = _cannot_ask(connection, site, kind, index, now)
            if refusal is None:
                connection.execute(vault_request.insert(), row)
            detail = {"break_glass": request_id, "vault": kind.value, "step": "asked", "reason": reason}
            _note(connection, caller, site, detail, now=now, refusal=refusal)
            return refusal

        _raise(self._db.write(change))
        return self._request(request_id)

    def approve(self, caller: Caller, request_id: str) -> VaultRequest:
        """Approve what somebody else asked.

        Raises
        ------
        Forbidden, NotFound, VaultShut
            Not the caller's to approve, not there, or asked by the caller, too late or done already.
        """
        asked = self._seen(caller, request_id)
        now, name = self._clock.now(), caller.principal.name

        def change(connection: Connection) -> ExchangeError | None:
            waiting = (vault_request.c.id == request_id, vault_request.c.approved_by == "")
            in_time = (vault_request.c.expires_at > now, vault_request.c.opened_at.is_(None))
            approved = update(vault_request).where(*waiting, *in_time, vault_request.c.asked_by != name)
            done = connection.execute(approved.values(approved_by=name)).rowcount == 1
            refusal = None if done else VaultShut(reason=_why_not_approved(asked, name, now))
            detail = {"break_glass": request_id, "step": "approved"}
            _note(connection, caller, asked.site, detail, now=now, refusal=refusal)
            return refusal

        _raise(self._db.write(change))
        return self._request(request_id)

    def open(self, caller: Caller, request_id: str) -> Mapping[str, str]:
        """Return whom the token stands for, by keyword: once, to the one who asked, in time, when it was approved.

        Raises
        ------
        Forbidden, NotFound, VaultShut, VaultDamaged
            Not the caller's to open, not there, not approved, too late, opened already, or damaged.
        """
        asked = self._seen(caller, request_id)
        now, name = self._clock.now(), caller.principal.name

        def change(connection: Connection) -> ExchangeError | None:
            approved = (vault_request.c.id == request_id, vault_request.c.approved_by != "")
            in_time = (vault_request.c.expires_at > now, vault_request.c.opened_at.is_(None))
            opened = update(vault_request).where(*approved, *in_time, vault_request.c.asked_by == name)
            if connection.execute(opened.values(opened_at=now)).rowcount == 1:
                return None
            refusal = VaultShut(reason=_why_not_opened(asked, name, now))
            detail = {"break_glass": request_id, "step": "opened"}
            _note(connection, caller, asked.site, detail, now=now, refusal=refusal)
            return refusal

        _raise(self._db.write(change))
        asker = Asker(name, "two people", caller.address, f"{asked.reason}, request {request_id}")
        kind, token = _token_of(asked.token)
        entry = reveal(self._db, self._keys_of(asked.site), kind, token, asker, now=now)
        if entry is None:
            raise NotFound(what="record of that token; it was erased")
        return {keyword: text for keyword, text in entry.identity.items() if keyword not in ("Pseudonym", "ShiftDays")}

    def pending(self, caller: Caller) -> list[VaultRequest]:
        """Return what still waits to be approved or opened, of the sites that the caller may see."""
        self._require(caller, None)
        query = select(vault_request).where(
            vault_request.c.expires_at > self._clock.now(), vault_request.c.opened_at.is_(None)
        )
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(vault_request.c.asked_at).limit(PENDING_MAX)).all()
        return [_request(row) for row in rows if caller.principal.sees(row.site)]

    def _seen(self, caller: Caller, request_id: str) -> VaultRequest:
        self._require(caller, None)
        found = self._request(request_id)
        self._require(caller, found.site)
        return found

    def _request(self, request_id: str) -> VaultRequest:
        with self._db.read() as connection:
            row = connection.execute(select(vault_request).where(vault_request.c.id == request_id)).one_or_none()
        if row is None:
            raise NotFound(what="request")
        return _request(row)

    def _require(self, caller: Caller, site: str | None) -> None:
        principal = caller.principal
        try:
            principal.require(Scope.VAULT_OPEN)
            if principal.kind != "account":
                _forbid("open the vault: only people with accounts may")
            if site is not None and not principal.sees(site):
                _forbid("open the vault of that site")
        except Forbidden as refusal:
            refused, now, detail = refusal, self._clock.now(), {"break_glass": "", "step": "tried"}
            self._db.write(lambda c: _note(c, caller, site or "", detail, now=now, refusal=refused))
            raise


def _token_of(text: str) -> tuple[VaultKind, str]:
    """Return what kind of token a person typed, in its usual form. Raises InvalidRequest, without the text."""
    typed = text.strip()
    if len(typed) <= TOKEN_CHARACTERS_MAX:
        if _UID.fullmatch(typed):
            return VaultKind.STUDY, typed
        if is_pseudonym(typed):
            bare = re.sub(r"[\s-]", "", typed.upper())
            return VaultKind.PATIENT, "-".join(re.findall("." * PSEUDONYM_GROUP, bare))
    raise InvalidRequest(reason="neither a pseudonym nor a pseudonymous Study Instance UID; listen again")


def _cannot_ask(
    connection: Connection, site: str, kind: VaultKind, index: bytes, now: datetime
) -> ExchangeError | None:
    known = select(vault_entry.c.site).where(
        vault_entry.c.site == site, vault_entry.c.kind == kind.value, vault_entry.c.blind_index == index
    )
    if connection.execute(known).first() is None:
        return NotFound(what="token in this site's vault")
    waiting = select(func.count()).where(vault_request.c.expires_at > now, vault_request.c.opened_at.is_(None))
    if connection.execute(waiting).scalar_one() >= PENDING_MAX:
        return VaultShut(reason=f"{PENDING_MAX} requests wait already")
    return None


def _why_not_approved(asked: VaultRequest, name: str, now: datetime) -> str:
    if asked.asked_by == name:
        return "a second person must approve it"
    if asked.expires_at <= now:
        return "the request is too old; ask again"
    return "it was approved already"


def _why_not_opened(asked: VaultRequest, name: str, now: datetime) -> str:
    if asked.asked_by != name:
        return "only the one who asked may open it"
    if asked.expires_at <= now:
        return "the request is too old; ask again"
    return "it was opened already" if asked.opened else "nobody has approved it yet"


def _note(
    connection: Connection,
    caller: Caller,
    site: str,
    detail: Mapping[str, str],
    *,
    now: datetime,
    refusal: ExchangeError | None,
) -> None:
    why = {"refused": refusal.code} if refusal else {}
    line = Line(
        at=now,
        action=Action.SECURITY_ALERT,
        who=caller.principal.name,
        outcome=AuditOutcome.MINOR_FAILURE if refusal else AuditOutcome.SUCCESS,
        role=" ".join(sorted(caller.principal.roles)),
        site=site,
        address=caller.address,
        detail={**detail, **why},
    )
    append(connection, line)


def _forbid(action: str) -> NoReturn:
    raise Forbidden(action=action)


def _raise(refusal: ExchangeError | None) -> None:
    if refusal is not None:
        raise refusal


def _request(row: Row[Any]) -> VaultRequest:
    return VaultRequest(
        row.id, row.site, row.token, row.reason, row.asked_by, row.asked_at, row.expires_at, row.approved_by,
        opened=row.opened_at is not None,
    )  # fmt: skip
