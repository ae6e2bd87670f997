"""Records of the vault are found by their whole key, however many there are; on both engines."""

import contextlib
import shutil
from datetime import UTC, datetime

from anonymizer.pseudonyms.keyring import Keyring
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, blind_index, seal
from kernel.database import Database
from routing import vault
from routing.ways_back import AT_ONCE, of_indexes, opened

KEYS = Keyring.of_secret(b"k" * 32).keys("A")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
COUNT = AT_ONCE + 20


def test_records_are_found_by_kind_and_token(database):
    entries = [VaultEntry(VaultKind.UID, f"2.25.{number}", {"UID": f"1.2.{number}"}) for number in range(COUNT)]
    entries.append(VaultEntry(VaultKind.STUDY, "2.25.1", {"StudyInstanceUID": "1.2.1"}))
    sealed = [seal(one, KEYS, nonce=bytes(12)) for one in entries]
    database.write(lambda connection: vault.store(connection, "A", sealed, NOW))

    found = opened(database, KEYS, [*((one.kind, one.token) for one in entries), (VaultKind.STUDY, "2.25.2")])

    assert {token: entry for token, (entry, _) in found.items()} == {(one.kind, one.token): one for one in entries}


def test_a_look_up_on_sqlite_reads_no_more_than_what_it_looks_for(migrated_sqlite, tmp_path):
    shutil.copyfile(migrated_sqlite, tmp_path / "vienanh.db")
    database = Database.open(tmp_path / "vienanh.db")
    with contextlib.closing(database), database.read() as connection:
        query = of_indexes("A", VaultKind.UID, [blind_index(VaultKind.UID, "2.25.1", KEYS)])
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(compiled.params[name] for name in compiled.positiontup or ())
        (row,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values).all()

    assert "(site=? AND kind=? AND blind_index=?)" in row[-1]
