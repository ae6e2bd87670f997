"""All of a vault sealed anew under the newest seal, in small transactions beside a running node."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Integer, Row, bindparam, func, literal, literal_column, select, tuple_, update

from anonymizer.pseudonyms.keys import Keys
from anonymizer.pseudonyms.vault import NONCE_BYTES, Sealed, reseal
from kernel.database import Database, is_sqlite
from routing.tables import vault_entry
from routing.vault import sealed_of

PAGE: Final = 10_000  # records in one transaction: others wait that long, some 0.2 s
_COLUMNS: Final = tuple(
    vault_entry.c[name] for name in ("site", "kind", "blind_index", "key_id", "nonce", "ciphertext")
)
_ROWID: Final = literal_column("vault_entry.rowid", Integer)
_REPLACE: Final = (
    update(vault_entry)
    .where(
        vault_entry.c.site == bindparam("old_site"),
        vault_entry.c.kind == bindparam("old_kind"),
        vault_entry.c.blind_index == bindparam("old_blind_index"),
        vault_entry.c.key_id == bindparam("old_key_id"),
    )
    .values({name: bindparam(f"new_{name}") for name in ("key_id", "nonce", "ciphertext")})
)


def reseal_all(
    db: Database,
    keys_of: Callable[[str], Keys],
    told: Callable[[int], None] = lambda _: None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> int:
    """Seal every record anew that is not under the newest seal; return how many. May be stopped and run again.

    `told` hears the number of records that were looked at after each page.

    Raises
    ------
    VaultDamaged
        A record does not open with any key there is; what came before it is done.
    """
    count = 0
    for page in _pages(db):
        nonces = iter(_cut(random_bytes(NONCE_BYTES * len(page))))
        rows = [
            _row(row, reseal(sealed_of(row), keys, nonce=next(nonces)))
            for row in page
            if (keys := keys_of(row.site)).seal_id != row.key_id
        ]
        if rows:
            db.write(lambda connection, rows=rows: connection.execute(_REPLACE, rows) and None)
        count += len(rows)
        told(len(page))
    return count


def seals_in_use(db: Database) -> dict[str, dict[str, int]]:
    """Return the number of records by site and name of their seal."""
    query = select(vault_entry.c.site, vault_entry.c.key_id, func.count()).group_by(
        vault_entry.c.site, vault_entry.c.key_id
    )
    found: dict[str, dict[str, int]] = {}
    with db.read() as connection:
        for site, key_id, count in connection.execute(query):
            found.setdefault(site, {})[key_id] = count
    return found


def _pages(db: Database) -> Iterator[Sequence[Row[Any]]]:
    """Yield every record, in the order in which the engine keeps them: a page of the disk is then written once."""
    after: tuple[Any, ...] | None = None
    while True:
        with db.read() as connection:
            rows = _page(connection, after)
        if not rows:
            return
        yield rows
        after = tuple(rows[-1])[len(_COLUMNS) :]


def _page(connection: Connection, after: tuple[Any, ...] | None) -> Sequence[Row[Any]]:
    places = (_ROWID,) if is_sqlite(connection) else (vault_entry.c.site, vault_entry.c.kind, vault_entry.c.blind_index)
    query = select(*_COLUMNS, *(place.label(f"place{number}") for number, place in enumerate(places)))
    if after is not None:
        query = query.where(tuple_(*places) > tuple_(*map(literal, after)))
    return connection.execute(query.order_by(*places).limit(PAGE)).all()


def _cut(nonces: bytes) -> Iterator[bytes]:
    return (nonces[at : at + NONCE_BYTES] for at in range(0, len(nonces), NONCE_BYTES))


def _row(row: Row[Any], new: Sealed) -> dict[str, Any]:
    return {
        "old_site": row.site,
        "old_kind": row.kind,
        "old_blind_index": row.blind_index,
        "old_key_id": row.key_id,  # a record that changed meanwhile stays as it is
        "new_key_id": new.key_id,
        "new_nonce": new.nonce,
        "new_ciphertext": new.ciphertext,
    }
