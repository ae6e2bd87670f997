"""`vienanh deidentify` on files, folders and zips: what is written, what is held, and that nothing slips through."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from exchange.files import inputs as file_inputs
from tests.support.builders import a_ct, a_ct_series, as_file, with_pixels
from tests.support.large import a_large_ct, bounded
from tests.support.nodes import ENVIRONMENT
from tests.support.odd_files import bare
from tests.support.written import tissue, write

ZONE = """[[zone]]
manufacturer = "ACME"
model = "Sono 5"
rows = 300
columns = 400
boxes = [[0, 100, 20, 300]]
"""
NAME = "NGUYỄN^VĂN^TÝ"
DATA_BYTES = 256 * 1024**2  # of memory that a process may have of its own; the command begins with some 150 MiB


def deidentify(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "exchange", "deidentify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, env=ENVIRONMENT)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with three slices of one patient, in files named after him."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, ds in enumerate(a_ct_series(3, PatientName=NAME, PatientID="0123456789")):
        (folder / f"NGUYEN_VAN_TY_{number}.dcm").write_bytes(as_file(ds))
    return folder


def written(output: Path) -> list[Path]:
    return sorted(path for path in output.rglob("*") if path.is_file())


def test_a_folder_is_written_under_new_uids_and_nothing_of_the_patient_is_left(study: Path, tmp_path: Path):
    done = deidentify(study, tmp_path / "out", "--report", tmp_path / "report.json")

    assert done.returncode == 0, done.stderr
    assert "3 of 3 files" in done.stdout
    files = written(tmp_path / "out")
    assert len(files) == 3
    for file in files:
        ds = pydicom.dcmread(file)
        assert file.relative_to(tmp_path / "out").parts == (
            ds.StudyInstanceUID,
            ds.SeriesInstanceUID,
            f"{ds.SOPInstanceUID}.dcm",
        )
        assert ds.PatientIdentityRemoved == "YES"
        assert not any(word.encode() in file.read_bytes() for word in ("NGUYỄN", "NGUYEN", "0123456789"))
    originals = sorted(pydicom.dcmread(file).PixelData for file in study.iterdir())
    assert sorted(pydicom.dcmread(file).PixelData for file in files) == originals


def test_a_photograph_or_a_pdf_by_itself_is_not_written_and_is_told_what_makes_an_instance_of_it(tmp_path: Path):
    (tmp_path / "in").mkdir()
    for name, begin in (
        ("film.jpg", b"\xff\xd8\xff\xe0"),
        ("film.png", b"\x89PNG\r\n\x1a\n"),
        ("note.pdf", b"%PDF-1.7"),
    ):
        (tmp_path / "in" / name).write_bytes(begin + b"Nguyen Van An")

    done = deidentify(tmp_path / "in", tmp_path / "out")

    assert done.returncode == 1
    assert "note.pdf: unreadable: vienanh wrap" in done.stderr
    assert done.stderr.count("unreadable: vienanh wrap") == 3
    assert written(tmp_path / "out") == []


def test_the_report_tells_what_was_done_and_by_which_profile(study: Path, tmp_path: Path):
    (study / "notes.txt").write_text("no DICOM")
    (study / "us.dcm").write_bytes(as_file(a_ct(seed="us", Modality="US")))

    done = deidentify(study, tmp_path / "out", "--profile", "basic", "--report", tmp_path / "report.json")

    report = json.loads((tmp_path / "report.json").read_text())
    assert done.returncode == 1
    assert report["profile"].startswith("basic@")
    assert report["totals"] == {"written": 3, "held": 1, "unreadable": 1}
    assert report["actions"]["U"] > 0
    assert report["held"] == [{"input": str(study / "us.dcm"), "reason": "ultrasound", "tag": "", "proposed_masks": []}]
    assert report["unreadable"] == [{"input": str(study / "notes.txt"), "reason": "MalformedInstance"}]
    assert f"{study / 'us.dcm'}: held: ultrasound" in done.stderr
    assert len(written(tmp_path / "out")) == 3


@pytest.mark.peer("pixels")
def test_a_name_in_the_pixels_is_masked_and_the_report_says_where(tmp_path: Path):
    ds = with_pixels(a_ct(seed="us", Modality="US"), write(tissue(300, 400), "NGUYỄN THỊ HƯƠNG", (8, 10)))
    source = tmp_path / "us.dcm"
    source.write_bytes(as_file(ds))

    done = deidentify(source, tmp_path / "out", "--report", tmp_path / "report.json")

    assert done.returncode == 0
    ((top, left, bottom, right),) = json.loads((tmp_path / "report.json").read_text())["written"][0]["masks"]
    given = pydicom.dcmread(written(tmp_path / "out")[0])
    assert top < 12 < bottom
    assert (given.pixel_array[top:bottom, left:right] == 0).all()
    assert given.BurnedInAnnotation == "NO"
    assert "113101" in [item.CodeValue for item in given.DeidentificationMethodCodeSequence]


@pytest.mark.peer("pixels")
def test_where_a_device_writes_is_masked_whatever_is_found(tmp_path: Path):
    before = tissue(300, 400) + np.uint8(1)
    ds = with_pixels(a_ct(seed="us", Modality="US"), before)
    ds.Manufacturer, ds.ManufacturerModelName = "ACME", "Sono 5"
    (tmp_path / "us.dcm").write_bytes(as_file(ds))
    zones = tmp_path / "zones.toml"
    zones.write_text(ZONE)

    done = deidentify(tmp_path / "us.dcm", tmp_path / "out", "--zones", zones)

    assert done.returncode == 0, done.stderr
    pixels = pydicom.dcmread(written(tmp_path / "out")[0]).pixel_array
    assert (pixels[0:20, 100:300] == pixels.min()).all()
    assert np.array_equal(pixels[20:], before[20:])


def test_a_mistake_in_the_zones_is_told_before_anything_is_read(study: Path, tmp_path: Path):
    zones = tmp_path / "zones.toml"
    zones.write_text(ZONE.replace("300]]", "401]]"))

    done = deidentify(study, tmp_path / "out", "--zones", zones)

    assert done.returncode != 0
    assert "not within its frames" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_what_was_held_for_its_pixels_goes_when_a_person_says_so(study: Path, tmp_path: Path):
    (study / "us.dcm").write_bytes(as_file(a_ct(seed="us", Modality="US")))

    assert deidentify(study, tmp_path / "out", "--pixels", "pass").returncode == 0
    assert len(written(tmp_path / "out")) == 4


def test_the_same_key_file_gives_the_same_bytes_and_another_key_others(study: Path, tmp_path: Path):
    key = tmp_path / "site.key"
    first = deidentify(study, tmp_path / "one", "--key-file", key)
    again = deidentify(study, tmp_path / "two", "--key-file", key, "--workers", "1")
    without = deidentify(study, tmp_path / "three")

    def content(folder: str) -> dict[str, bytes]:
        return {str(path.relative_to(tmp_path / folder)): path.read_bytes() for path in written(tmp_path / folder)}

    assert "is new" in first.stderr
    assert "is new" not in again.stderr
    assert "made for this run alone" in without.stderr
    assert content("one") == content("two")
    assert not content("one").keys() & content("three").keys()
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_zip_is_read_member_by_member(study: Path, tmp_path: Path):
    packed = tmp_path / "study.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("DICOMDIR", b"names of everybody")
        for file in study.iterdir():
            archive.write(file, f"../../{file.name}")  # a path that would lead out is only a label

    done = deidentify(packed, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert len(written(tmp_path / "out")) == 3


def test_a_member_that_unpacks_to_more_than_its_bound_is_not_unpacked(tmp_path: Path):
    packed = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.dcm", b"\0" * (file_inputs.MEMBER_SMALL_BYTES * 4))

    done = deidentify(packed, tmp_path / "out")

    assert done.returncode == 1
    assert "zeros.dcm: unreadable: LimitExceeded" in done.stderr


def test_two_instances_under_one_uid_do_not_replace_each_other(study: Path, tmp_path: Path):
    twin = a_ct(instance=1, PatientName=NAME, PatientID="0123456789", SeriesDescription="another")
    (study / "twin.dcm").write_bytes(as_file(twin))

    done = deidentify(study, tmp_path / "out")

    assert done.returncode == 1
    assert "held: other-bytes-under-its-uid" in done.stderr
    assert len(written(tmp_path / "out")) == 3


def test_a_damaged_file_leaves_nothing_behind(study: Path, tmp_path: Path):
    whole = next(study.iterdir())
    whole.write_bytes(whole.read_bytes()[:-100])

    done = deidentify(study, tmp_path / "out")

    assert done.returncode == 1
    assert "unreadable: MalformedInstance" in done.stderr
    assert len(written(tmp_path / "out")) == 2


def test_the_report_tells_how_many_comments_in_frames_were_made_blank(tmp_path: Path):
    ds = a_ct(rows=8, columns=8, BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0)
    frame = io.BytesIO()
    Image.new("L", (8, 8)).save(frame, "JPEG", comment=b"LE VAN KHAC")
    ds.PixelData = encapsulate([frame.getvalue()])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one").write_bytes(as_file(ds, JPEGBaseline8Bit))

    done = deidentify(tmp_path / "in", tmp_path / "out", "--report", tmp_path / "report.json")

    report = json.loads((tmp_path / "report.json").read_text())
    assert done.returncode == 0, done.stderr
    assert (report["comments"], [one["comments"] for one in report["written"]]) == (1, [1])
    assert [b"KHAC" in file.read_bytes() for file in written(tmp_path / "out")] == [False]


def test_an_odd_file_is_written_as_any_other_and_the_report_says_so(study: Path, tmp_path: Path):
    (study / "odd").write_bytes(bare(a_ct(instance=9, PatientName=NAME, PatientID="0123456789")))

    done = deidentify(study, tmp_path / "out", "--report", tmp_path / "report.json", "--workers", "1")

    report = json.loads((tmp_path / "report.json").read_text())
    assert done.returncode == 0, done.stderr
    assert [Path(one["input"]).name for one in report["written"] if one["mended"]] == ["odd"]
    assert len({pydicom.dcmread(file).SeriesInstanceUID for file in written(tmp_path / "out")}) == 1


def test_an_instance_that_is_larger_than_the_memory_of_its_own_is_written_whole(tmp_path: Path):
    source = tmp_path / "large.dcm"
    size = a_large_ct(source, side=11_700)
    assert size > DATA_BYTES
    arguments = ("deidentify", source, tmp_path / "out", "--workers", "1")

    done = subprocess.run(
        bounded(DATA_BYTES, *arguments), capture_output=True, text=True, check=False, timeout=100, env=ENVIRONMENT
    )

    assert done.returncode == 0, done.stderr
    (file,) = written(tmp_path / "out")
    ds = pydicom.dcmread(file, stop_before_pixels=True)
    assert (ds.Rows, ds.PatientIdentityRemoved) == (11_700, "YES")
    assert file.stat().st_size > size


def test_an_empty_folder_is_no_success(tmp_path: Path):
    (tmp_path / "in").mkdir()

    assert deidentify(tmp_path / "in", tmp_path / "out").returncode == 1


def test_more_files_than_the_bound_are_refused_before_any_is_read(study: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(file_inputs, "FILES_MAX", 2)

    with pytest.raises(file_inputs.LimitExceeded, match="FILES_MAX"):
        list(file_inputs.entries(study))


@pytest.mark.parametrize("option", [("--profile", "none-such"), ("--charset", "klingon"), ("--pixels", "burn")])
def test_an_unknown_choice_is_told_with_what_there_is(study: Path, tmp_path: Path, option: tuple[str, str]):
    done = deidentify(study, tmp_path / "out", *option)

    assert done.returncode == 2
    assert not written(tmp_path / "out")
