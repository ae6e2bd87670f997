"""`vienanh deidentify` with a profile of one's own, one that leaves no way back, and the telling of what it does."""

import json
from pathlib import Path

import pydicom
import pytest
from click.testing import Result
from typer.testing import CliRunner

from exchange.commands.table import app
from tests.support.builders import a_ct_series, as_file


def deidentify(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["deidentify", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, ds in enumerate(a_ct_series(3, PatientName="NGUYỄN^VĂN^TÝ", PatientID="0123456789")):
        (folder / f"{number}.dcm").write_bytes(as_file(ds))
    return folder


def written(output: Path) -> list[Path]:
    return sorted(path for path in output.rglob("*") if path.is_file())


def test_a_sites_own_profile_is_a_file_and_its_name_is_in_every_output(study: Path, tmp_path: Path):
    own = tmp_path / "own.toml"
    own.write_text('name = "bv-huyen"\nbase = "research"\n[replace]\nManufacturer = "SOMEBODY"\n')

    done = deidentify(study, tmp_path / "out", "--profile", own, "--report", tmp_path / "report.json", "--workers", "1")

    report = json.loads((tmp_path / "report.json").read_text())
    assert done.exit_code == 0, done.stderr
    assert report["profile"] == "bv-huyen@2026d"
    for file in written(tmp_path / "out"):
        ds = pydicom.dcmread(file)
        assert ds.DeidentificationMethod == f"VIENANH bv-huyen@2026d {report['profile_digest'][:12]}"
        assert ds.Manufacturer == "SOMEBODY"


def test_a_mistake_in_a_profile_is_told_with_its_line_and_nothing_is_written(study: Path, tmp_path: Path):
    own = tmp_path / "own.toml"
    own.write_text('name = "mine"\nbase = "basic"\nkeep = ["PatientName"]\n')

    done = deidentify(study, tmp_path / "out", "--profile", own)

    assert done.exit_code == 2
    assert "own.toml: line 3: keep: what becomes of PatientName is not a profile's to say" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_cuts_ties_takes_no_key_and_is_never_the_same_twice(study: Path, tmp_path: Path):
    refused = deidentify(study, tmp_path / "out", "--profile", "cut-ties", "--key-file", tmp_path / "site.key")
    names = set[str]()
    for run in ("one", "two"):
        assert deidentify(study, tmp_path / run, "--profile", "cut-ties").exit_code == 0
        names |= {file.name for file in written(tmp_path / run)}

    assert refused.exit_code == 2
    assert "a key for one run" in refused.stderr
    assert not (tmp_path / "site.key").exists()
    assert len(names) == 6


def test_a_file_is_explained_without_its_values_unless_they_are_asked_for(study: Path):
    file = min(study.iterdir())

    plain, shown = deidentify("--explain", file), deidentify("--explain", file, "--values")

    assert plain.exit_code == shown.exit_code == 0, plain.stderr
    assert "(0010,0010)" in plain.stdout
    assert "NGUY" not in plain.stdout + plain.stderr
    assert "NGUY" in shown.stdout


def test_the_profiles_are_listed_with_their_options():
    done = deidentify("--profiles")

    assert done.exit_code == 0, done.stderr
    assert [line.split("@")[0] for line in done.stdout.splitlines() if "@" in line] == [
        "basic",
        "tele-read",
        "research",
        "cut-ties",
    ]
    assert "retain_safe_private  (113111, declared always)" in done.stdout
