"""All of a vault sealed anew: on both engines, page by page, for every site with its own keys."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from anonymizer.pseudonyms.keyring import Keyring
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, open_sealed, seal
from kernel.errors import VaultDamaged
from routing import resealing, vault
from routing.resealing import reseal_all, seals_in_use
from routing.tables import vault_entry

OLD = Keyring.of_secret(b"o" * 32)
NEW = OLD.with_seal(b"n" * 32, "")
COUNT = 25


@pytest.fixture
def filled(database):
    for site in ("A", "B"):
        keys = OLD.keys(site)
        entries = [VaultEntry(VaultKind.UID, f"2.25.{number}", {"UID": f"{site}.{number}"}) for number in range(COUNT)]
        sealed = [seal(one, keys, nonce=bytes(12)) for one in entries]
        database.write(
            lambda connection, site=site, sealed=sealed: vault.store(
                connection, site, sealed, datetime(2026, 11, 22, tzinfo=UTC)
            )
        )
    return database


def test_every_record_of_every_site_is_sealed_anew_once(filled, monkeypatch):
    monkeypatch.setattr(resealing, "PAGE", 7)
    told: list[int] = []

    first = reseal_all(filled, NEW.keys, told.append)
    again = reseal_all(filled, NEW.keys)

    assert (first, again, sum(told), max(told)) == (2 * COUNT, 0, 2 * COUNT, 7)
    assert seals_in_use(filled) == {site: {NEW.keys(site).seal_id: COUNT} for site in ("A", "B")}
    with filled.read() as connection:
        rows = connection.execute(select(vault_entry)).all()
    fresh = NEW.without_old_seals()
    opened = [open_sealed(vault.sealed_of(row), fresh.keys(row.site)) for row in rows]
    assert {one.identity["UID"] for one in opened} == {f"{site}.{n}" for site in ("A", "B") for n in range(COUNT)}


def test_a_damaged_record_stops_the_rotation_and_says_so(filled):
    filled.write(lambda connection: connection.execute(update(vault_entry).values(ciphertext=b"\0" * 64)) and None)

    with pytest.raises(VaultDamaged, match="cannot be opened with key"):
        reseal_all(filled, NEW.keys)
