"""What transcoding writes, in the eyes of others: DCMTK decodes it, dciodvfy finds nothing new to say."""

import subprocess
from pathlib import Path

import pydicom
import pytest

from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.transcoding.transcode import transcode
from tests.support.builders import a_cr, a_ct, an_us_cine, as_file

JPEG_BASELINE, SV1, JPEG_LS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
J2K, RLE, IMPLICIT = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2"
BUILDERS = (a_ct, a_cr, an_us_cine)


def written(make, target: str, folder: Path) -> Path:
    made = transcode(as_file(make()), target)
    path = folder / "transcoded.dcm"
    path.write_bytes(file_meta(made.sop_class_uid, made.sop_instance_uid, target) + b"".join(made.chunks))
    return path


def errors_of(path: Path) -> set[str]:
    run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    return {line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")}


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize(("target", "program"), [(SV1, "dcmdjpeg"), (JPEG_LS, "dcmdjpls"), (RLE, "dcmdrle")])
@pytest.mark.parametrize("make", BUILDERS)
def test_dcmtk_decodes_the_very_same_pixels(make, target, program, tmp_path):
    path = written(make, target, tmp_path)

    subprocess.run([program, str(path), str(tmp_path / "decoded.dcm")], check=True, capture_output=True)

    decoded = pydicom.dcmread(tmp_path / "decoded.dcm")
    assert decoded.pixel_array.tobytes() == pydicom.dcmread(_native(make, tmp_path)).pixel_array.tobytes()


def _native(make, folder: Path) -> Path:
    path = folder / "native.dcm"
    path.write_bytes(as_file(make()))
    return path


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("target", [IMPLICIT, SV1, JPEG_LS, J2K, RLE])
@pytest.mark.parametrize("make", BUILDERS)
def test_dciodvfy_has_nothing_new_to_say(make, target, tmp_path):
    before = errors_of(_native(make, tmp_path))

    assert errors_of(written(make, target, tmp_path)) <= before


@pytest.mark.peer("dicom3tools")
def test_dciodvfy_has_nothing_new_to_say_of_a_lossy_copy(tmp_path):
    before = errors_of(_native(an_us_cine, tmp_path))

    assert errors_of(written(an_us_cine, JPEG_BASELINE, tmp_path)) <= before
