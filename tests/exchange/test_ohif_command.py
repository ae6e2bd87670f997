"""`vienanh ohif` takes one version of OHIF's package and no other; what a node has of it can be taken away again."""

import pytest
from typer.testing import CliRunner

from exchange.commands.second_viewer import at_home
from exchange.commands.table import app


def ohif(*arguments: str):
    return CliRunner().invoke(app, ["ohif", *arguments])


def test_a_package_with_other_bytes_is_not_installed(tmp_path):
    (tmp_path / "ohif.tgz").write_bytes(b"\x1f\x8b something else")

    told = ohif("install", "--data", str(tmp_path / "data"), "--package", str(tmp_path / "ohif.tgz"))

    assert told.exit_code == 2
    assert "not version" in told.output
    assert list((tmp_path / "data").iterdir()) == []


def test_without_npm_it_says_what_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    told = ohif("install", "--data", str(tmp_path / "data"))

    assert told.exit_code == 2
    assert "--package" in told.output


@pytest.mark.parametrize(
    ("npm", "wait_s", "reason"),
    [
        ("echo no line >&2; exit 1", 60, "no line"),
        ("true", 60, "npm says nothing"),
        ("exec tail -f /dev/null", 0.1, "not here after"),
    ],
)
def test_a_package_that_npm_cannot_fetch_may_be_had_later(tmp_path, monkeypatch, npm, wait_s, reason):
    (tmp_path / "npm").write_text(f"#!/bin/sh\n{npm}\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("exchange.commands.second_viewer.FETCH_S", wait_s)

    told = ohif("install", "--data", str(tmp_path / "data"))

    assert told.exit_code == 75
    assert "npm's registry cannot be reached" in told.output
    assert reason in told.output
    assert list((tmp_path / "data").iterdir()) == []


def test_what_was_installed_is_gone_when_it_is_removed(tmp_path):
    (tmp_path / "ohif").mkdir()
    (tmp_path / "ohif" / "index.html").write_text("<!doctype html>")

    assert "is gone" in ohif("remove", "--data", str(tmp_path)).output
    assert not (tmp_path / "ohif").exists()
    assert "was not installed" in ohif("remove", "--data", str(tmp_path)).output


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ('<link href="/a.css">', '<link href="/ohif/a.css">'),
        ('<script defer src="/a.js"></script>', '<script defer src="/ohif/a.js"></script>'),
        ('<script>console.time("scriptToView"),window.PUBLIC_URL="/"</script>', ""),
    ],
)
def test_their_page_is_at_home_under_our_address(theirs, ours):
    assert at_home(theirs) == ours
