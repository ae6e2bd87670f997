"""`vienanh slides describe` tells what a slide holds, and nothing that a scanner wrote in words."""

import json
import subprocess
import sys

import pydicom
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.commands.to_dicom import OPTIONS, Request, plain_request
from exchange.commands.to_dicom import run as run_converter
from tests.wsi.builders import a_strip, a_tiff, an_svs


def run(*arguments: str, command: str = "describe"):
    return CliRunner().invoke(app, ["slides", command, *arguments])


def test_a_slide_is_described_without_its_words(tmp_path):
    (tmp_path / "a.svs").write_bytes(an_svs())

    told = run(str(tmp_path / "a.svs"))
    described = json.loads(run(str(tmp_path / "a.svs"), "--json").stdout)

    assert told.exit_code == 0
    assert "0.2520 x 0.2520 microns a pixel" in told.stdout
    assert "thumbnail, label, macro" in told.stdout
    assert "Tran" not in told.stdout + str(described)
    assert described["served_as_stored"] is True
    assert described["octaves"] == [[500, 380, True], [250, 190, False], [125, 95, True], [63, 48, False]]


def test_what_must_be_decoded_says_so(tmp_path):
    (tmp_path / "a.tif").write_bytes(a_tiff(a_strip("scan", 0)))
    (tmp_path / "b.tif").write_bytes(b"")

    assert "no tiles" in run(str(tmp_path / "a.tif")).stdout
    assert "it is empty" in run(str(tmp_path / "b.tif")).stdout


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path, capsys):
    (tmp_path / "a.svs").write_bytes(an_svs())
    (tmp_path / "file").write_text("")

    with pytest.raises(SystemExit) as ended:
        run_converter([str(tmp_path / "a.svs"), str(tmp_path / "file" / "out")])

    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{tmp_path / 'file' / 'out'}: Not a directory\n"


def test_a_file_that_is_no_slide_gets_one_line(tmp_path):
    (tmp_path / "a.svs").write_bytes(b"GIF89a" * 10)

    told = run(str(tmp_path / "a.svs"))

    assert told.exit_code != 0
    assert "Not a readable slide" in told.output
    assert "Traceback" not in told.output


def test_a_slide_is_written_as_dicom_under_the_patient_that_was_named(tmp_path):
    (tmp_path / "a.svs").write_bytes(an_svs())

    told = run(
        str(tmp_path / "a.svs"),
        str(tmp_path / "out"),
        "--patient-id",
        "BN-1",
        "--container",
        "K26-1",
        command="to-dicom",
    )

    written = [pydicom.dcmread(path) for path in (tmp_path / "out").iterdir()]
    assert (told.exit_code, len(written)) == (0, 2)
    assert {(ds.PatientID, ds.ContainerIdentifier, ds.Modality) for ds in written} == {("BN-1", "K26-1", "SM")}
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {ds.SOPInstanceUID for ds in written}


def test_what_cannot_be_written_as_it_is_says_why(tmp_path):
    (tmp_path / "a.tif").write_bytes(a_tiff(a_strip("scan", 0)))

    told = run(str(tmp_path / "a.tif"), str(tmp_path / "out"), command="to-dicom")

    assert told.exit_code != 0
    assert "has no tiles" in " ".join(told.output.split())


def test_what_needs_no_archive_imports_none(tmp_path):
    (tmp_path / "a.svs").write_bytes(an_svs())
    said = (
        "import sys; from typer.testing import CliRunner; from exchange.commands.table import app\n"
        f"told = [CliRunner().invoke(app, ['slides', *one]) for one in (['describe', {str(tmp_path / 'a.svs')!r}],"
        f" ['to-dicom', {str(tmp_path / 'a.svs')!r}, {str(tmp_path / 'out')!r}])]\n"
        "print([one.exit_code for one in told], sorted(set(sys.modules) & {'sqlalchemy', 'alembic', 'starlette'}))"
    )

    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[0, 0] []"


def to_dicom(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "exchange", "slides", "to-dicom", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_conversion_loads_none_of_what_takes_longer_to_load_than_to_convert(tmp_path):
    (tmp_path / "a.svs").write_bytes(an_svs())

    run = to_dicom(str(tmp_path / "a.svs"), str(tmp_path / "out"), "--patient-id=BN-1", "--mpp", "0.5")

    loaded = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    written = [pydicom.dcmread(path) for path in (tmp_path / "out").iterdir()]
    assert run.stdout == f"2 files were written to {tmp_path / 'out'}.\n"
    assert {ds.PatientID for ds in written} == {"BN-1"}
    assert "numpy" in loaded
    assert loaded & {"pydicom", "typer", "rich", "fastapi", "PIL", "kernel.config"} == set()


def test_a_conversion_that_is_refused_is_one_line_and_a_code(tmp_path):
    (tmp_path / "a.tif").write_bytes(a_tiff(a_strip("scan", 0)))

    run = to_dicom(str(tmp_path / "a.tif"), str(tmp_path / "out"))

    (said,) = [line for line in run.stderr.splitlines() if not line.startswith("import time:")]
    assert run.returncode == 2
    assert said.startswith("MalformedSlide: ")
    assert not (tmp_path / "out").exists()


def test_the_quick_way_has_the_options_of_the_command_and_their_defaults():
    command = get_command(app).commands["slides"].commands["to-dicom"]
    told = {one.opts[0]: (one.name, one.default) for one in command.params if one.opts[0].startswith("--")}
    told.pop("--help", None)
    nothing = Request.__dataclass_fields__

    assert told == {option: (field, nothing[field].default) for option, (field, _) in OPTIONS.items()}


def test_plain_arguments_are_understood_in_any_order(tmp_path):
    (tmp_path / "a.svs").write_bytes(b"x")
    file, folder = str(tmp_path / "a.svs"), str(tmp_path / "out")

    found = plain_request(["--mpp", "0.5", file, "--container=K26=1", folder])

    assert found == Request(tmp_path / "a.svs", tmp_path / "out", mpp=0.5, container="K26=1")


@pytest.mark.parametrize(
    "more",
    [
        ["--help"],
        ["--mpp"],
        ["--mpp", "two"],
        ["--part-gib", "0"],
        ["--part-gib", "nan"],
        ["--part-gib", "inf"],
        ["--unknown", "1"],
        ["third"],
    ],
)
def test_what_takes_more_is_left_to_the_command_line(tmp_path, more):
    (tmp_path / "a.svs").write_bytes(b"x")
    plain = [str(tmp_path / "a.svs"), str(tmp_path / "out")]

    assert plain_request(plain) is not None
    assert plain_request([*plain, *more]) is None
    assert plain_request([str(tmp_path / "none"), plain[1]]) is None
    assert plain_request([plain[0], plain[0]]) is None
