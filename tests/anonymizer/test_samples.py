"""Real instances of many makers: refused, or de-identified as the Basic Profile says, valid, and clean by the residue check."""

import re
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from anonymizer.profiles.profile import BUILT_IN
from anonymizer.residue.search import find, needles_of
from kernel.dicom.scanning.part10 import open_dataset, read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import Refused
from tests.anonymizer.conftest import read
from tests.anonymizer.oracle import complaints
from tests.support.builders import a_cr, a_ct, an_us_cine, as_file

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about what makers get wrong
WORDS_SWAPPED = (
    "(7FE0,0010) has changed",
    "(0028,1221) has changed",
    "(0028,1222) has changed",
    "(0028,1223) has changed",
)
BYTES_MAX = 4_000_000
# Samples whose patient is called after what the picture shows, so that the name is in Image Type or Body Part too.
NAMED_AFTER_THEIR_CONTENT = {
    "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm",
    "eCT_Supplemental.dcm",
    "explicit_VR-UN.dcm",
    "ELSCINT1_JP2vsJ2K.dcm",
    "reportsi.dcm",  # of "Last Name, First Name"
    "reportsi_with_empty_number_tags.dcm",
}


def sources(folder: Path) -> list[Path]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size < BYTES_MAX]
    return [path for path in files if path.open("rb").read(132)[128:] == b"DICM"]


@pytest.mark.parametrize("profile", ["basic", "tele-read"])
def test_every_sample_is_refused_or_leaves_as_the_profile_says(site, samples, profile):
    wrong: dict[str, list[str]] = {}
    found: set[str] = set()
    taken = refused = 0
    for path in sources(samples):
        source = path.read_bytes()
        try:
            result = site.deidentifies(source, profile)
        except Refused:
            refused += 1
            continue
        taken += 1
        given = read(result.to_bytes(source))
        original = open_dataset(source)
        big_endian = not original.original_encoding[1]
        if big_endian:  # words are swapped: their meaning must be the same
            assert np.array_equal(original.pixel_array, given.pixel_array)
        lines = [line for line in complaints(original, given) if not (big_endian and line.endswith(WORDS_SWAPPED))]
        if profile == "basic" and lines and path.name not in NAMED_AFTER_THEIR_CONTENT:
            wrong[path.name] = lines
        meta = read_file_meta(source)
        needles = needles_of(scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset))
        if find(result.header_bytes, needles):
            found.add(path.name)
        for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
            if keyword in given and not big_endian:
                assert given[keyword].value == original[keyword].value

    assert wrong == {}
    assert found <= NAMED_AFTER_THEIR_CONTENT
    assert taken > 300
    assert refused < taken / 8


def errors_of(path: Path) -> Counter[str]:
    program = shutil.which("dciodvfy")
    assert program is not None
    done = subprocess.run([program, "-new", str(path)], capture_output=True, timeout=60, check=False)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return Counter(re.sub(r"<[^>]*>", "<>", line) for line in lines if line.startswith("Error"))


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("profile", ["basic", "tele-read"])
@pytest.mark.parametrize("make", [a_ct, a_cr, an_us_cine])
def test_a_built_instance_has_no_new_errors_for_dciodvfy(site, make, profile, tmp_path):
    source = as_file(make())

    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(source)
    after.write_bytes(site.deidentifies(source, profile).to_bytes(source))

    assert errors_of(after) - errors_of(before) == Counter()


SELECTED = [
    "dcm_qa_ct/GE/01.dcm",
    "cornerstone3d/CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm",
    "cornerstone3d/CTImage.dcm_LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm",
    "cornerstone3d/US-YBR_FULL_422-EVRLE.dcm",
    "cornerstone3d/no-pixel-data.dcm",
    "cornerstone3d/CT0012.fragmented_no_bot_jpeg_baseline.51.dcm",
]


UNREADABLE = re.compile(
    r"Tag read failed|dataset read failed"
)  # dciodvfy judged nothing: not a measure of what follows


@pytest.fixture(scope="module")
def judged(samples: Path) -> dict[Path, Counter[str]]:
    """The smallest sample of each SOP class and maker, and those selected, with what dciodvfy says of them."""
    kinds: dict[str, Path] = {name: samples / name for name in SELECTED}
    for path in sorted(sources(samples), key=lambda path: path.stat().st_size):
        try:
            meta = read_file_meta(content := path.read_bytes())
            header = scan(content, meta.transfer_syntax_uid, offset=meta.dataset_offset)
        except Refused:
            continue
        kinds.setdefault((header.raw(0x00080016) + header.raw(0x00080070)).decode("latin-1"), path)
    with ThreadPoolExecutor() as pool:
        verdicts = dict(zip(kinds.values(), pool.map(errors_of, kinds.values()), strict=True))
    return {path: errors for path, errors in verdicts.items() if not any(map(UNREADABLE.search, errors))}


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("profile", list(BUILT_IN))
def test_no_kind_of_instance_has_new_errors_for_dciodvfy(site, judged, profile, tmp_path):
    left: dict[Path, Path] = {}
    for number, path in enumerate(judged):
        source = path.read_bytes()
        try:
            made = site.deidentifies(source, profile)
        except Refused:
            continue
        left[path] = tmp_path / f"{number}.dcm"
        left[path].write_bytes(made.to_bytes(source))

    with ThreadPoolExecutor() as pool:
        after = dict(zip(left, pool.map(errors_of, left.values()), strict=True))

    assert {path.name: new for path, errors in after.items() if (new := errors - judged[path])} == {}
    assert len(after) > 30
