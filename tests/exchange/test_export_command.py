"""`vienanh export` writes a study as a medium: a ZIP file, or a folder to burn; never over what is there."""

import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.node.beside import own_committer
from exchange.node.stores import opened
from kernel import config_reading
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Origin
from kernel.audit import Action, audit
from tests.support.builders import a_ct_series, as_dataset_bytes
from tests.support.iso9660 import Disc


@pytest.fixture
def study(tmp_path: Path, monkeypatch) -> str:
    """A node's folder with a study of two slices."""
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    with opened(config_reading.load(None, {"VIENANH_NODE_DATA": str(tmp_path / "data")})) as stores:
        committer = own_committer(stores)
        quarantine = Quarantine(stores.blobs, committer, stores.clock)
        ingest = Ingest(stores.blobs, committer, quarantine, stores.clock, lambda _: None)
        for ds in a_ct_series(2, rows=16, columns=16):
            stage = stores.blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, "1.2.840.10008.1.2.1", None)
            stage.write(as_dataset_bytes(ds))
            ingest.ingest(stage.finish(), Origin("LOCAL", "dimse", "CT1", "VIENANH", "127.0.0.1", "a session"))
    return ds.StudyInstanceUID


def export(*arguments: str):
    return CliRunner().invoke(app, ["export", *arguments])


def test_a_zip_and_a_folder_have_the_same_files(study, tmp_path):
    zipped = export(study, "--to", str(tmp_path / "study.zip"))
    folder = export(study, "--to", str(tmp_path / "medium"))

    assert (zipped.exit_code, folder.exit_code) == (0, 0), zipped.output + folder.output
    assert "2 instances" in zipped.output
    with zipfile.ZipFile(tmp_path / "study.zip") as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
    found = {str(path.relative_to(tmp_path / "medium")) for path in (tmp_path / "medium").rglob("*") if path.is_file()}
    assert names == found
    assert {"DICOMDIR", "INDEX.HTM", "DICOM/SE000001/IM000001", "DICOM/SE000001/IM000002"} <= names
    with opened(config_reading.load(None)) as stores, stores.db.read() as connection:
        lines = [row for row in connection.execute(audit.select()) if row.action == Action.EXPORT]
    assert [(row.who, row.study_uid) for row in lines] == [("command line", study)] * 2


def test_a_disc_has_them_too_and_says_what_it_fits_on(study, tmp_path):
    told = export(study, "--to", str(tmp_path / "study.iso"))

    assert told.exit_code == 0, told.output
    assert "fits on a CD" in told.output
    names = Disc((tmp_path / "study.iso").read_bytes()).names(long=True)
    assert {"DICOMDIR", "INDEX.HTM", "DICOM/SE000001/IM000001", "DICOM/SE000001/IM000002"} <= names.keys()
    assert {path.name for path in tmp_path.iterdir()} == {"data", "study.iso"}


def test_what_is_there_already_stays(study, tmp_path):
    (tmp_path / "study.zip").write_bytes(b"mine")

    told = export(study, "--to", str(tmp_path / "study.zip"))

    assert told.exit_code == 2
    assert (tmp_path / "study.zip").read_bytes() == b"mine"


def test_a_study_that_is_not_here_leaves_nothing_behind(study, tmp_path):
    told = export("1.2.3", "--to", str(tmp_path / "study.zip"))

    assert told.exit_code != 0
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_file_in_no_folder_is_told_by_the_folder_and_nothing_is_audited(study, tmp_path):
    told = export(study, "--to", str(tmp_path / "stick" / "study.zip"))

    assert (told.exit_code, told.output) == (2, f"{tmp_path / 'stick'} is no folder; nothing was written.\n")
    with opened(config_reading.load(None)) as stores, stores.db.read() as connection:
        assert [row for row in connection.execute(audit.select()) if row.action == Action.EXPORT] == []
