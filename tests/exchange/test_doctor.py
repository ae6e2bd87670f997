"""`vienanh doctor`: what is wrong with a configuration or a node, in words."""

import io
import re
import socket

import pytest
from rich.console import Console

from exchange.node.assemble import transports
from tests.exchange.conftest import a_fresh_node


def test_the_doctor_finds_a_fresh_node_in_order(run, monkeypatch):
    a_fresh_node(run)
    for port in ("VIENANH_HTTP_PORT", "VIENANH_DIMSE_PORT"):
        monkeypatch.setenv(port, "0")  # the usual ones may be taken here

    told = run("doctor", "--deep")

    wrong = [line for line in told.output.splitlines() if "wrong" in line and "front end" not in line]
    assert wrong == []
    assert "0 match their digests" in told.output


def test_the_doctor_names_readers_that_prove_nothing_and_tls_files_that_cannot_be_used(run, tmp_path):
    file = tmp_path / "node.toml"
    file.write_text(
        '[dimse]\ntls_port = 0\ntls_certificate = "none.crt"\ntls_key = "none.key"\n'
        '[[source]]\nname = "PACS"\ncalling = "P"\nservices = ["find"]\n'
        '[[source]]\nname = "CT"\ncalling = "C"\n'
    )

    told = run("doctor", "--config", str(file))

    assert told.exit_code == 1
    assert re.search(r"wrong  sources: .*: PACS$", told.output, re.MULTILINE)
    assert re.search(r"wrong  DICOM TLS: \S+none\.crt: dimse\.tls_certificate: .*none\.crt: No such file", told.output)


def test_the_doctor_names_the_file_of_https_that_is_not_there_or_is_no_key(run, tmp_path):
    file = tmp_path / "node.toml"
    file.write_text('[http]\ntls_certificate = "node.crt"\ntls_key = "node.key"\n')

    assert f"wrong  TLS: {tmp_path / 'node.crt'}: No such file" in run("doctor", "--config", str(file)).output
    for name in ("node.crt", "node.key"):
        (tmp_path / name).write_text("nothing of the kind")

    told = run("doctor", "--config", str(file)).output
    assert re.search(r"wrong  TLS: \S+node\.crt and \S+node\.key: the certificate file has no readable", told)


def test_the_doctor_says_that_no_node_was_begun_and_begins_none(run, tmp_path):
    told = run("doctor")

    assert f"stores: no node was begun in {tmp_path / 'data'} yet: `vienanh serve`" in told.output
    assert not (tmp_path / "data").exists()


def test_the_doctor_names_a_token_that_every_account_may_read(run, tmp_path):
    (tmp_path / "hub.token").write_text("vat_x")
    destination = (
        '[[destination]]\nname = "hub"\nkind = "stow"\nurl = "http://127.0.0.1:1/x"\ntoken_file = "hub.token"\n'
    )
    (tmp_path / "node.toml").write_text(destination)
    told = {}

    for mode in (0o644, 0o640):
        (tmp_path / "hub.token").chmod(mode)
        told[mode] = run("doctor", "--config", str(tmp_path / "node.toml")).output

    assert (
        f"wrong  secrets: every account of this machine may read it; `chmod o=`: {tmp_path / 'hub.token'}"
        in told[0o644]
    )
    assert "ok   secrets\n" in told[0o640]


def test_the_doctor_does_not_wait_long_for_a_destination_that_is_silent_and_tells_the_rest_first(
    run, tmp_path, monkeypatch
):
    told = io.StringIO()
    monkeypatch.setattr("exchange.commands.doctor.out", Console(file=told, soft_wrap=True))
    monkeypatch.setattr("exchange.commands.doctor.PROBE_S", 0.2)
    known_before = []

    def asked(*wired):
        known_before.append(told.getvalue())
        return transports(*wired)

    monkeypatch.setattr("exchange.commands.doctor.transports", asked)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, and never says a word
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (tmp_path / "hub.token").write_text("token")
        (tmp_path / "node.toml").write_text(
            f'[[destination]]\nname = "hub"\nkind = "stow"\nurl = "{url}"\ntoken_file = "hub.token"\n'
        )

        ended = run("doctor", "--config", str(tmp_path / "node.toml"))

    assert ended.exit_code == 1
    assert "MiB free" in known_before[0]
    assert re.search(r"wrong  destination hub: link no answer: \w+Timeout ", told.getvalue())


def test_authorities_of_a_destination_that_are_not_there_are_told_by_the_doctor_and_the_start(run, tmp_path):
    file = tmp_path / "node.toml"
    file.write_text(
        '[[destination]]\nname = "hub"\nkind = "stow"\nurl = "https://127.0.0.1:9"\nca_file = "hub-ca.crt"\n'
    )
    told = f"destination hub: ca_file: {tmp_path / 'hub-ca.crt'} cannot be read: No such file or directory"

    looked, started = (
        run(*command, "--config", str(file))
        for command in (("doctor",), ("serve", "--http-port", "0", "--dicom-port", "0"))
    )

    assert (looked.exit_code, started.exit_code) == (1, 2)
    assert f"wrong  configuration: {told}\n" in looked.output
    assert f"InvalidConfiguration: {told}\n" in started.output


@pytest.mark.parametrize(
    ("clean", "missing", "expected"),
    [
        ("true", "", "found and masked"),
        ("true", "tesseract-ocr-vie", "pictures that may show a name wait for a person: tesseract-ocr-vie is missing"),
        ("false", "", "not looked for, as anonymizer.clean_pixels is false"),
    ],
)
def test_the_doctor_says_what_becomes_of_text_in_pixels(run, monkeypatch, clean, missing, expected):
    monkeypatch.setenv("VIENANH_ANONYMIZER_CLEAN_PIXELS", clean)
    monkeypatch.setattr("exchange.commands.doctor.missing", lambda: missing)

    assert f"ok   text in pixels: {expected}\n" in run("doctor").output
