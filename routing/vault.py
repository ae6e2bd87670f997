"""The vault's records in their table. Two doors lead back, and both leave an audit line.

`reveal` answers a person about one token; `routing.ways_back` answers the re-identifier about an object that came home.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import Sealed, VaultEntry, VaultKind, blind_index, open_sealed
from kernel.audit import Action, AuditOutcome, Line, append
from kernel.database import Database, upsert
from routing.tables import vault_entry


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants to know whose a pseudonym is, and why; the caller has checked that they may."""

    who: str
    role: str
    address: str
    reason: str  # a word of the code or a case number, never a patient's identity


def store(connection: Connection, site: str, sealed: Sequence[Sealed], now: datetime) -> None:
    """Keep sealed records; one that is there stays as it is."""
    rows = [
        {
            "site": site,
            "kind": one.kind.value,
            "blind_index": one.blind_index,
            "key_id": one.key_id,
            "nonce": one.nonce,
            "ciphertext": one.ciphertext,
            "at": now,
        }
        for one in sealed
    ]
    upsert(connection, vault_entry, rows, key=["site", "kind", "blind_index"])


def sealed_of(row: Row[Any]) -> Sealed:
    """Return a row of `vault_entry` as a sealed record."""
    return Sealed(VaultKind(row.kind), row.blind_index, row.key_id, row.nonce, row.ciphertext)


def reveal(db: Database, keys: Keys, kind: VaultKind, token: str, asker: Asker, *, now: datetime) -> VaultEntry | None:
    """Return what a token of the site stands for, or None; the audit line is durable before anything is opened.

    Raises
    ------
    VaultDamaged
        The record does not open with these keys.
    """
    index = blind_index(kind, token, keys)

    def find(connection: Connection) -> Sealed | None:
        row = connection.execute(
            select(vault_entry)
            .where(vault_entry.c.site == keys.site, vault_entry.c.kind == kind.value)
            .where(vault_entry.c.blind_index == index)
        ).one_or_none()
        append(
            connection,
            Line(
                at=now,
                action=Action.EXPORT,
                who=asker.who,
                outcome=AuditOutcome.MINOR_FAILURE if row is None else AuditOutcome.SUCCESS,
                role=asker.role,
                site=keys.site,
                address=asker.address,
                # A token that was not found may be anything that somebody typed: a name, say. It is not written down.
                detail={"vault": kind.value, "reason": asker.reason} | ({"token": token} if row is not None else {}),
            ),
        )
        return None if row is None else sealed_of(row)

    sealed = db.write(find)
    return None if sealed is None else open_sealed(sealed, keys)
