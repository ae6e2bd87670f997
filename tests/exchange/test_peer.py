"""The DICOM peer of a command: AE@HOST:PORT, in the clear or over TLS."""

from pathlib import Path

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.terminal.peer import Secure, target_of
from exchange.terminal.screen import EXIT_REFUSED
from kernel.archive.tables import study
from tests.support.builders import a_ct, as_file
from tests.support.certificates import Authority
from tests.support.wired import wired_node


@pytest.mark.parametrize("peer", ["", "PACS", "PACS@host", "@host:104", "PACS@host:", "SEVENTEEN-LETTERS@host:104"])
def test_what_is_no_peer_is_refused(peer):
    with pytest.raises(typer.BadParameter):
        target_of(peer, "--to", "US", 1.0, Secure())


def test_a_certificate_without_its_key_is_refused(tmp_path):
    with pytest.raises(typer.BadParameter):
        target_of("PACS@host:104", "--to", "US", 1.0, Secure(certificate=tmp_path))


@pytest.mark.parametrize(
    ("secure", "tls"), [(Secure(), False), (Secure(tls=True), True), (Secure(ca=Path("ca.pem")), True)]
)
def test_any_option_of_tls_turns_it_on(secure, tls):
    target = target_of("PACS@[::1]:104", "--to", "US", 1.0, secure)

    assert (target.host, target.port, target.called_ae_title) == ("::1", 104, "PACS")
    assert (target.tls is not None) == tls


def test_a_node_that_wants_certificates_is_sent_to_asked_and_read_from(tmp_path, migrated_sqlite):
    authority = Authority(tmp_path)
    ours, theirs = authority.vouches_for("ct-1"), authority.vouches_for("node")
    dimse = {
        "plain": False,
        "tls_port": 0,
        "tls_certificate": theirs.certificate,
        "tls_key": theirs.key,
        "tls_ca": authority.file,
        "tls_clients": "required",
    }
    ds = a_ct()
    (tmp_path / "ct.dcm").write_bytes(as_file(ds))
    with wired_node(tmp_path / "node", migrated_sqlite, dimse=dimse) as node:
        peer = f"VIENANH@127.0.0.1:{node.listener.tls_port}"
        tls = ["--ca", str(authority.file), "--certificate", str(ours.certificate), "--key", str(ours.key)]
        here = ["--data", str(tmp_path / "here")]

        def run(*arguments: str):
            return CliRunner().invoke(app, list(arguments))

        sent = run("send", str(tmp_path / "ct.dcm"), "--to", peer, *tls)
        found = run("find", "--from", peer, "--json", *tls)
        got = run("get", ds.StudyInstanceUID, "--from", peer, *tls, *here)
        refused = run("send", str(tmp_path / "ct.dcm"), "--to", peer, *tls[:2])
        with node.stores.db.read() as connection:
            kept = connection.execute(select(study.c.study_instance_uid)).scalars().all()

    assert (sent.exit_code, found.exit_code, got.exit_code) == (0, 0, 0), sent.output + found.output + got.output
    assert kept == [ds.StudyInstanceUID]
    assert ds.StudyInstanceUID in found.output
    assert "1 of 1 instances are here" in got.output
    assert refused.exit_code == EXIT_REFUSED
