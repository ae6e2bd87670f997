"""`vienanh keys`: listed without being told, rotated beside a running node, kept from everybody else."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from anonymizer.pseudonyms.keyring import Keyring, parse, text_of
from anonymizer.pseudonyms.vault import Sealed, VaultEntry, VaultKind, open_sealed, seal
from exchange.commands.table import app
from exchange.node import key_files
from exchange.node.key_files import KeyFile, SiteKeys, from_environment, site_keys
from exchange.node.stores import opened
from kernel.access import NewAccount
from kernel.audit import audit
from kernel.config import Config
from kernel.errors import InvalidConfiguration
from routing import resealing, vault
from routing.tables import vault_entry

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RECORDS = 50
PASSWORD = "mat khau dai du"


@pytest.fixture
def node(empty_node) -> Config:
    """A node's folder with a key and some records in its vault."""
    with opened(empty_node) as stores:
        keys = site_keys(empty_node, {})("SITE")
        entries = [VaultEntry(VaultKind.UID, f"2.25.{number}", {"UID": f"1.2.{number}"}) for number in range(RECORDS)]
        sealed = [seal(one, keys, nonce=number.to_bytes(12)) for number, one in enumerate(entries)]
        stores.db.write(lambda connection: vault.store(connection, "SITE", sealed, NOW))
    return empty_node


def run(*arguments: str):
    return CliRunner().invoke(app, ["keys", *arguments])


def file_of(node: Config) -> KeyFile:
    return KeyFile(node.node.data / "site.key")


def records(node: Config) -> list[Sealed]:
    with opened(node) as stores, stores.db.read() as connection:
        rows = connection.execute(select(vault_entry)).all()
    return [vault.sealed_of(row) for row in rows]


def test_a_rotation_seals_everything_anew_and_changes_no_identifier(node, monkeypatch):
    monkeypatch.setattr(resealing, "PAGE", 7)
    before = file_of(node).read()

    rotated = run("rotate")

    after = file_of(node).read()
    assert rotated.exit_code == 0, rotated.output
    assert f"{RECORDS} records were sealed anew" in rotated.output
    assert after.identifiers == before.identifiers
    assert after.seals[:-1] == before.seals
    keys = after.keys("SITE")
    assert {one.key_id for one in records(node)} == {keys.seal_id}
    assert {open_sealed(one, keys).identity["UID"] for one in records(node)} == {f"1.2.{n}" for n in range(RECORDS)}
    assert len({one.nonce for one in records(node)}) == RECORDS


def test_a_rotation_that_was_cut_off_is_finished_by_the_next(node, monkeypatch):
    reseal_all = resealing.reseal_all
    monkeypatch.setattr("exchange.commands.keeping_keys.reseal_all", lambda *_: 0)
    run("rotate")
    keys = file_of(node).read().keys("SITE")
    assert keys.seal_id not in {one.key_id for one in records(node)}
    assert len([open_sealed(one, keys) for one in records(node)]) == RECORDS
    monkeypatch.setattr("exchange.commands.keeping_keys.reseal_all", reseal_all)

    run("rotate")

    assert {one.key_id for one in records(node)} == {file_of(node).read().keys("SITE").seal_id}


def test_keys_are_listed_by_names_and_records_and_never_told(node):
    run("rotate")

    told = run("list").output

    ring = file_of(node).read()
    assert ring.keys("LOCAL").seal_id in told
    assert str(RECORDS) in told
    for secret in (*ring.identifiers, *ring.seals):
        assert secret.value.hex() not in told


def test_old_seals_are_retired_an_hour_after_the_rotation_and_not_before(node):
    run("rotate")
    soon = run("retire")
    ring = file_of(node).read()
    early = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    file_of(node).replace(Keyring.of_secret(ring.seals[0].value).with_seal(ring.seals[1].value, early))

    later = run("retire")

    assert (soon.exit_code, later.exit_code) == (2, 0)
    assert "the newest seal is younger than 1:00:00" in soon.output
    assert [one.epoch for one in file_of(node).read().seals] == [2]
    assert len([open_sealed(one, file_of(node).read().keys("SITE")) for one in records(node)]) == RECORDS


def test_new_identifiers_want_a_yes_and_say_what_they_cost(node):
    asked = run("new-identifiers")
    assert asked.exit_code == 2
    assert "priors at the hub are lost to readers" in asked.output
    assert len(file_of(node).read().identifiers) == 1

    done = run("new-identifiers", "--yes")

    assert done.exit_code == 0, done.output
    assert len(file_of(node).read().identifiers) == 2


def test_every_change_of_keys_is_audited_without_a_key(node):
    run("rotate")
    run("new-identifiers", "--yes")

    with opened(node) as stores, stores.db.read() as connection:
        lines = [json.loads(row.detail) for row in connection.execute(select(audit)) if "keys" in row.detail]
    ring = file_of(node).read()
    assert [line["keys"] for line in lines] == ["seal rotated", "new identifiers"]
    assert not [one for one in (*ring.seals, *ring.identifiers) if one.value.hex() in str(lines)]


def test_a_running_node_uses_a_rotated_file_without_a_restart(tmp_path):
    file = KeyFile(tmp_path / "site.key")
    keys_of = SiteKeys(file)
    before = keys_of("SITE")

    file.replace(file.read().with_seal(b"n" * 32, ""))

    assert keys_of("SITE").seal_id != before.seal_id
    assert keys_of("SITE").key_id == before.key_id
    assert keys_of("SITE") is keys_of("SITE")


def test_a_key_that_others_may_read_is_refused_with_what_to_do(tmp_path):
    file = KeyFile(tmp_path / "site.key")
    file.read_or_create()
    file.path.chmod(0o640)

    with pytest.raises(
        InvalidConfiguration, match="others may read it; chmod 600, and rotate the keys if somebody did"
    ):
        file.read()


def test_a_new_file_is_its_owners_alone_also_after_a_rotation(tmp_path):
    file = KeyFile(tmp_path / "site.key")
    file.replace(file.read_or_create().with_seal(b"n" * 32, ""))

    assert file.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["site.key"]


def test_a_damaged_key_file_is_refused_and_not_made_anew(tmp_path):
    file = KeyFile(tmp_path / "site.key")
    file.path.touch(mode=0o600)

    with pytest.raises(InvalidConfiguration, match="neither 32 bytes nor a keyring of this version; restore it"):
        file.read_or_create()


def test_a_vault_whose_key_is_gone_is_told_and_no_key_is_made_in_its_place(node, tmp_path):
    file = file_of(node)
    file.path.rename(tmp_path / "elsewhere.key")

    told = [
        run("list"),
        run("rotate"),
        run("retire"),
        CliRunner().invoke(app, ["serve"]),
        CliRunner().invoke(app, ["reidentify", str(tmp_path / "elsewhere.key"), str(tmp_path / "out")]),
        CliRunner().invoke(app, ["vault", "list", "--as", "an", "--password", PASSWORD]),
    ]

    assert [one.exit_code for one in told] == [2] * len(told)
    assert all("this node's vault is sealed with it: put it back from its back-up" in one.output for one in told)
    assert f"wrong  site key: {file.path}: key: it is not there" in CliRunner().invoke(app, ["doctor"]).output
    assert not file.path.exists()


def test_who_has_no_back_up_of_a_key_begins_anew_on_purpose(node):
    file_of(node).path.unlink()

    begun = run("new-identifiers", "--yes")

    assert begun.exit_code == 0, begun.output
    assert run("list").exit_code == 0
    assert f"wrong  site key: {RECORDS} records of the vault do not open" in CliRunner().invoke(app, ["doctor"]).output


def test_a_key_that_vanishes_from_under_a_node_is_not_made_anew(tmp_path):
    file = KeyFile(tmp_path / "site.key")
    keys = SiteKeys(file)
    keys("SITE")
    file.path.unlink()

    with pytest.raises(InvalidConfiguration, match="cannot be read: No such file"):
        keys("SITE")

    assert not file.path.exists()


def test_a_node_does_not_start_with_a_key_that_others_may_read(node):
    file_of(node).path.chmod(0o644)

    told = CliRunner().invoke(app, ["serve"])

    assert (told.exit_code, "others may read it; chmod 600" in told.output) == (2, True)


def test_two_commands_do_not_change_the_keys_at_once(tmp_path):
    file = KeyFile(tmp_path / "site.key")

    with (
        file.changing(),
        pytest.raises(InvalidConfiguration, match="another command is changing the keys"),
        KeyFile(tmp_path / "site.key").changing(),
    ):
        pass


def test_the_environment_may_have_the_keys_and_then_no_command_changes_them(node, monkeypatch):
    ring = Keyring.of_secret(b"e" * 32).with_seal(b"f" * 32, "")
    monkeypatch.setenv(key_files.VARIABLE, base64.b64encode(text_of(ring)).decode())

    assert from_environment() == ring
    assert site_keys(node)("SITE") == ring.keys("SITE")
    refused = run("rotate")
    assert refused.exit_code == 2
    assert "put them into a file first" in refused.output


def test_what_is_wrong_with_a_key_of_the_environment_is_said_without_it():
    with pytest.raises(InvalidConfiguration, match="must be base64 of what a key file holds") as refused:
        from_environment({key_files.VARIABLE: "my secret!"})

    assert "secret!" not in str(refused.value)
    assert parse(b"e" * 32) == from_environment({key_files.VARIABLE: base64.b64encode(b"e" * 32).decode()})


def test_the_vault_opens_at_the_command_line_to_two_people(node):
    with opened(node) as stores:
        keys = site_keys(node, {})(node.node.site)
        sealed = [seal(VaultEntry(VaultKind.STUDY, "2.25.4711", {"AccessionNumber": "ACC1"}), keys, nonce=b"n" * 12)]
        stores.db.write(lambda connection: vault.store(connection, node.node.site, sealed, NOW))
        for name in ("an", "binh"):
            stores.access.accounts.create(NewAccount(name, ["admin"]), PASSWORD, by="test")

    def vault_command(*arguments: str, password: str = PASSWORD):
        return CliRunner().invoke(app, ["vault", *arguments], input=f"{password}\n")

    mistyped = vault_command("list", "--as", "an", password="not it")

    asked = vault_command("open", "2.25.4711", "--reason", "emergency", "--as", "an")
    number = re.search(r"Request ([0-9a-f]{12})", asked.output)[1]
    alone = vault_command("approve", number, "--as", "an")
    approved = vault_command("approve", number, "--as", "binh")
    shown = vault_command("show", number, "--as", "an")

    assert (mistyped.exit_code, "Name and password do not go together" in mistyped.output) == (3, True)
    assert (alone.exit_code, approved.exit_code, shown.exit_code) == (2, 0, 0)
    assert "a second person must approve it" in alone.output
    assert "ACC1" in shown.output
    assert PASSWORD not in asked.output + approved.output + shown.output
