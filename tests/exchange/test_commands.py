"""The command line: what it says when all is well, and one plain line when it is not."""

import dataclasses
import os
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import typer

from exchange.node.assemble import assembled
from exchange.node.stores import LOCK_FILE, opened, reserved
from exchange.terminal.screen import plain_errors
from kernel import config_reading, errors
from kernel.archive.records import Origin
from kernel.events import Event, EventName, record
from tests.exchange.conftest import PASSWORD, a_fresh_node
from tests.support.builders import a_cr, as_dataset_bytes, as_file


def test_every_command_teaches_with_help(run):
    told = run("--help").output
    names = re.findall(r"^│ ([a-z]+) ", told, flags=re.MULTILINE)

    assert {"serve", "demo", "send", "trace", "doctor", "rules", "user", "token"} <= set(names)
    for name in names:
        assert run(name, "--help").exit_code == 0, name


def test_an_account_is_made_listed_disabled_and_never_shows_its_password(run):
    made = run("user", "add", "lan", "--role", "reader", "--display", "BS Lan", given=f"{PASSWORD}\n{PASSWORD}\n")
    run("user", "disable", "lan")
    listed = run("user", "list")

    assert made.exit_code == 0, made.output
    assert "disabled" in listed.output
    assert PASSWORD not in made.output + listed.output


def test_an_account_is_given_other_rights_in_place_of_those_it_had(run):
    run("user", "add", "lan", "--role", "reader", "--password", PASSWORD)

    changed = run("user", "rights", "lan", "--role", "requester", "--role", "admin", "--site", "BV1")
    unknown = run("user", "rights", "minh", "--role", "reader")
    listed = run("user", "list").output.splitlines()[-1]

    assert (changed.exit_code, unknown.exit_code) == (0, 2), changed.output + unknown.output
    assert listed.split() == ["lan", "lan", "admin", "requester", "BV1"]


def test_a_short_password_is_refused_with_a_reason(run):
    made = run("user", "add", "lan", "--role", "reader", "--password", "short")

    assert made.exit_code == 2
    assert "at least 12 characters" in made.output


def test_a_token_is_printed_once_and_can_be_revoked(run):
    made = run("token", "create", "mk01", "--site", "MK01", "--scope", "dicomweb:store")
    token = made.output.strip()
    number = token.split("_")[1]

    listed = run("token", "list").output
    revoked = run("token", "revoke", number)

    assert re.fullmatch(r"vat_\w+_[\w-]{20,}", token)
    assert token not in listed
    assert "MK01" in listed
    assert revoked.exit_code == 0


def test_rules_are_explained_in_words(run, tmp_path):
    file = tmp_path / "node.toml"
    file.write_text(
        '[[destination]]\nname = "hub"\nkind = "stow"\nurl = "http://127.0.0.1:9"\nprofile = "tele-read"\n'
        '[[rule]]\nname = "heads"\nmodality = ["CT"]\nbody_part = ["HEAD"]\nto = ["hub"]\npriority = "stat"\n'
    )

    yes = run("rules", "explain", "--modality", "CT", "--body-part", "HEAD", "--config", str(file)).output
    no = run("rules", "explain", "--modality", "MR", "--config", str(file)).output

    assert "to hub: de-identified with profile tele-read" in yes
    assert "stat" in yes
    assert "nowhere: the study stays here" in no


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[dimse]\nport = 70000", "dimse.port: must be 0 to 65535"),
        ("[dimse]\nporrt = 1", "dimse.porrt: no such key"),
        ("[[rule]]\nto = ['nobody']", "no destination is called 'nobody'"),
        ("not toml", "not TOML"),
    ],
)
def test_a_wrong_configuration_is_one_line_that_names_the_file_and_the_key(run, tmp_path, content, expected):
    file = tmp_path / "node.toml"
    file.write_text(content)

    told = run("rules", "check", "--config", str(file))

    assert told.exit_code == 2
    assert "node.toml" in told.output
    assert expected in told.output
    assert "Traceback" not in told.output


def test_a_development_token_refuses_anything_but_loopback(run, tmp_path):
    file = tmp_path / "node.toml"
    file.write_text('[http]\nhost = "0.0.0.0"\n')

    told = run("serve", "--config", str(file), "--dev-token", "t")

    assert told.exit_code == 2
    assert "a development token is for loopback only" in told.output


def test_sending_to_nobody_says_so_and_fails(run, tmp_path):
    file = tmp_path / "cr.dcm"
    file.write_bytes(as_file(a_cr()))

    told = run("send", str(file), "--to", "ANY@127.0.0.1:1")

    assert told.exit_code == 2
    assert "0 of 1 instances were taken" in told.output
    assert "link" in told.output


def test_a_peer_that_is_not_written_as_one_is_refused(run, tmp_path):
    file = tmp_path / "cr.dcm"
    file.write_bytes(as_file(a_cr()))

    assert "must be AE@HOST:PORT" in run("send", str(file), "--to", "127.0.0.1").output


def test_the_audit_is_verified_against_a_head_noted_before(run):
    run("token", "create", "one", "--scope", "api:read")
    head = re.search(r"Head: (\d+:[0-9a-f]{64})", run("audit", "verify").output)[1]
    run("token", "create", "two", "--scope", "api:read")

    assert run("audit", "verify", "--head", head).exit_code == 0
    forged = run("audit", "verify", "--head", head[:-1] + ("0" if head[-1] != "0" else "1"))
    assert forged.exit_code == 4
    assert "AuditChainBroken" in forged.output


@pytest.mark.parametrize(
    "command",
    [
        ("user", "add", "lan", "--role", "reader", "--password", PASSWORD),
        ("token", "create", "mk01", "--site", "MK01", "--scope", "dicomweb:store"),
        ("orders", "add", "ACC1", "--patient-id", "BN1", "--patient-name", "NGUYEN^THI", "--modality", "CT"),
    ],
)
def test_a_forgotten_configuration_begins_no_node_where_a_command_happens_to_be_started(
    run, tmp_path, monkeypatch, command
):
    monkeypatch.delenv("VIENANH_NODE_DATA")
    monkeypatch.chdir(tmp_path)

    told = run(*command)

    assert told.exit_code == 2
    assert f"no node was begun in {tmp_path / 'data'}; --config or --data names the one that is meant" in told.output
    assert list(tmp_path.iterdir()) == []


def test_what_nothing_waits_for_is_not_said_to_be_set_going(run):
    a_fresh_node(run)

    unknown = run("retry", "hubb")

    assert (unknown.exit_code, "no such lane; `vienanh lanes` lists them" in unknown.output) == (2, True)
    assert "Nothing of the study waits for a release" in run("release", "1.2.3").output
    assert "local is tried again" in run("retry", "local").output


def test_root_is_told_to_be_the_node_s_account_as_its_files_would_be_shut_to_the_node(run, tmp_path, monkeypatch):
    a_fresh_node(run)
    if os.geteuid() == 0:
        os.chown(tmp_path / "data" / LOCK_FILE, 61234, -1)
    else:
        monkeypatch.setattr("exchange.node.stores.os.geteuid", lambda: 0)

    told = run("token", "create", "mk01", "--scope", "dicomweb:store")

    assert told.exit_code == 2
    assert re.search(r"its node is of the account \S+: run this as it \(`runuser -u \S+ --`\)", told.output)


@pytest.mark.parametrize(
    "question",
    [
        ("lanes",),
        ("held",),
        ("trace", "1.2.3"),
        ("user", "list"),
        ("keys", "list"),
        ("audit", "verify"),
        ("review", "list"),
        ("archive", "hold", "1.2.3", "--reason", "case-1"),
    ],
    ids=" ".join,
)
def test_a_question_about_a_node_that_was_never_begun_is_refused_and_begins_none(run, tmp_path, question):
    asked = run(*question)

    assert asked.exit_code == 2
    assert f"no node was begun in {tmp_path / 'data'}; --config or --data names the one that is meant" in asked.output
    assert not (tmp_path / "data").exists()


def test_a_second_node_on_a_folder_is_refused_and_told_who_runs_there(run, tmp_path):
    (tmp_path / "data").mkdir()
    locks = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print('locked', flush=True)"
    holds = [sys.executable, "-c", f"{locks}; file.write('4711'); file.flush(); print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(
        [*holds, str(tmp_path / "data" / LOCK_FILE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as node:
        assert node.stdout is not None
        assert [node.stdout.readline(), node.stdout.readline()] == [b"locked\n", b"\n"]

        refused = run("serve", "--http-port", "0", "--dicom-port", "0")

        assert node.stdin is not None
        node.stdin.close()
    assert refused.exit_code == 2
    assert "node.data: another node runs on it (process 4711); a folder is one node's" in refused.output
    assert not (tmp_path / "data" / "vienanh.db").exists()


def test_a_port_that_another_program_has_is_told_in_words_with_what_to_do(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        for port, free in (("dimse", "--http-port"), ("http", "--dicom-port")):
            option = {"dimse": "--dicom-port", "http": "--http-port"}[port]

            refused = run("serve", option, str(taken), free, "0")

            assert refused.exit_code == 2
            assert refused.output.strip().endswith(
                f"InvalidConfiguration: {port}: 127.0.0.1:{taken}: cannot listen there: another program listens there"
                f" (`ss -ltnp` names it): end it, or set another {port}.port"
            )


def test_a_start_that_cannot_listen_leaves_the_first_administrator_to_the_next(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = run("serve", "--http-port", str(other.getsockname()[1]), "--dicom-port", "0")

    assert refused.exit_code == 2
    assert "cannot listen there" in refused.output
    with opened(config_reading.load(None, {"VIENANH_NODE_DATA": str(tmp_path / "data")})) as stores:
        assert stores.access.first_administrator() is not None


def test_a_folder_is_free_again_when_its_node_ended(run, tmp_path):
    config = config_reading.load(None, {"VIENANH_NODE_DATA": str(tmp_path / "data")})

    for _ in range(2):
        with reserved(config):
            assert (tmp_path / "data" / LOCK_FILE).read_text() == str(os.getpid())


def test_a_study_that_nobody_sent_has_no_trace(run):
    a_fresh_node(run)

    assert "no such study" in run("trace", "1.2.3").output


def test_a_trace_says_where_the_clock_was_set_back(run, tmp_path):
    a_fresh_node(run)
    begun = datetime(2026, 11, 23, 12, tzinfo=UTC)
    told = [(EventName.INSTANCE_RECEIVED, begun), (EventName.STUDY_COMPLETE, begun - timedelta(days=1))]
    with opened(config_reading.load(None, {"VIENANH_NODE_DATA": str(tmp_path / "data")})) as stores:
        for name, at in told:
            stores.db.write(partial(record, happened=Event(name, at, "LOCAL", "1.2.3", "a" * 32)))

    lines = run("trace", "1.2.3").output.splitlines()

    assert "  +0.000 s " in lines[2]
    assert "  -86400.000 s: the clock was set back  " in lines[3]


def test_the_settings_are_listed_with_their_variables(run):
    assert "VIENANH_DIMSE_PORT" in run("config").output


def test_stores_that_cannot_be_made_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    config = config_reading.load(None, {"VIENANH_NODE_DATA": str(tmp_path / "file" / "data")})

    with pytest.raises(errors.InvalidConfiguration, match=r"node\.data: .+ cannot be made"), opened(config):
        pass


def test_every_family_of_errors_has_an_exit_code_of_its_own(capsys):
    expected = {
        errors.NotFound(what="study"): 2,
        errors.Denied(): 3,
        errors.Busy(what="x"): 75,
        errors.BlobMissing(key="k"): 4,
    }
    for error, code in expected.items():
        with pytest.raises(typer.Exit) as ended, plain_errors():
            raise error
        assert ended.value.exit_code == code
    assert "NotFound: There is no such study." in capsys.readouterr().err


def test_an_order_is_added_listed_and_canceled(run):
    add = ("orders", "add", "ACC1", "--patient-id", "BN1", "--patient-name", "NGUYỄN^THỊ", "--modality", "CT")

    made = run(*add, "--date", "20261122")
    again = run("orders", "cancel", "ACC1")
    listed = run("orders", "list").output
    refused = run(*add, "--date", "tomorrow")

    assert "the Study Instance UID is 2.25." in made.output
    assert "1 steps are canceled" in again.output
    assert "NGUYỄN^THỊ" in listed
    assert "CANCELED" in listed
    assert refused.exit_code == 2
    assert "start_date must be YYYYMMDD" in refused.output


def test_a_study_is_deleted_only_by_force_and_not_while_it_is_held(run, tmp_path):
    ds = a_cr()
    stored_here(tmp_path / "data", ds)
    uid = ds.StudyInstanceUID

    refused = run("archive", "delete", uid, "--reason", "test-data")
    held = run("archive", "hold", uid, "--reason", "case-7")
    still = run("archive", "delete", uid, "--reason", "test-data", "--force")
    run("archive", "unhold", uid)
    gone = run("archive", "delete", uid, "--reason", "test-data", "--force")
    again = run("archive", "delete", uid, "--reason", "test-data", "--force")

    assert "may be the only copy" in refused.output
    assert (held.exit_code, "legal hold" in still.output) == (0, True)
    assert (gone.exit_code, "1 instances were deleted" in gone.output) == (0, True), gone.output
    assert (again.exit_code, "no such study" in again.output) == (2, True)


def stored_here(data: Path, ds) -> None:
    config = dataclasses.replace(
        config_reading.load(), archive=dataclasses.replace(config_reading.load().archive, free_bytes_min=1)
    )
    with assembled(config) as node:
        content = as_dataset_bytes(ds)
        stage = node.stores.blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, "1.2.840.10008.1.2.1")
        stage.write(content)
        node.ingest.ingest(stage.finish(), Origin("HERE", "dimse", "CT1", "VIENANH", "127.0.0.1", "s"))
