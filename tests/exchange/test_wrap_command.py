"""`vienanh wrap` writes photographs and PDFs as DICOM files, under names that tell nothing."""

import pydicom
from typer.testing import CliRunner

from exchange.commands.table import app
from tests.dicom.test_wrapping import PDF, a_photograph

WHO = ["--patient-id", "BN-1", "--patient-name", "Nguyễn^Hương", "--study-date", "20261122"]


def wrap(*arguments: str):
    return CliRunner().invoke(app, ["wrap", *arguments, *WHO])


def test_files_become_instances_of_one_study(tmp_path, monkeypatch):
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    (tmp_path / "Huong.jpg").write_bytes(a_photograph())
    (tmp_path / "Huong.pdf").write_bytes(PDF)

    told = wrap(str(tmp_path / "Huong.jpg"), str(tmp_path / "Huong.pdf"), "--to", str(tmp_path / "out"))

    assert told.exit_code == 0, told.output
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == ["0001.dcm", "0002.dcm"]
    assert len({pydicom.dcmread(path).StudyInstanceUID for path in written}) == 1
    again = wrap(str(tmp_path / "Huong.pdf"), "--to", str(tmp_path / "out"))
    assert again.exit_code == 2


def test_what_is_no_picture_gets_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))
    (tmp_path / "a.jpg").write_bytes(b"MZ")

    told = wrap(str(tmp_path / "a.jpg"), "--to", str(tmp_path / "out"))

    assert told.exit_code == 2
    assert "Traceback" not in told.output
    assert f"{tmp_path / 'a.jpg'}: was not written" in told.output
    assert "send a JPEG or PNG picture, or a PDF" in told.output
    assert not (tmp_path / "out").exists()
