"""C-FIND on real instances: what a scanner wrote is found by it and told as pydicom reads it."""

from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.errors import InvalidDicomError

from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.find_scu import Question, find
from gateway.dimse.scu.sender import send_files
from kernel.dicom.queries.identifier import texts
from tests.dimse.conftest import PATIENCE_S
from tests.support.wired import wired_node

BYTES_MAX = 2_000_000
FILES_MAX = 30
KEYWORDS = (
    "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyID", "StudyDescription", "AccessionNumber",
    "Modality", "SeriesDescription", "SeriesNumber", "Manufacturer", "StationName", "BodyPartExamined", "ProtocolName",
    "InstanceNumber", "Rows", "Columns", "BitsStored", "SOPClassUID", "PhotometricInterpretation",
)  # fmt: skip


def readable(folder: Path) -> list[Path]:
    """One small file of each folder's kinds, with the UIDs that make it an instance of a study."""
    found: list[Path] = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and 200 < one.stat().st_size < BYTES_MAX):
        try:
            ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID", "SeriesInstanceUID"])
        except (InvalidDicomError, OSError, ValueError, KeyError, AttributeError, NotImplementedError):
            continue
        if ds.get("StudyInstanceUID") and ds.get("SeriesInstanceUID"):
            found.append(path)
    return found[:: max(1, len(found) // FILES_MAX)]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, about what real files do
def test_real_instances_are_found_by_their_uids_and_told_as_they_are(samples: Path, tmp_path, migrated_sqlite):
    with wired_node(tmp_path / "node", migrated_sqlite) as node:
        target = Target("127.0.0.1", node.listener.port, "VIENANH", "SCU", PATIENCE_S)
        sent = send_files(readable(samples), target)
        taken = [one.path for one in sent if one.receipt.is_success]
        assert len(taken) > 10

        for path in taken:
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            uids = {
                keyword: str(ds[keyword].value)
                for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            }
            keys = {(tag_for_keyword(keyword),): "" for keyword in KEYWORDS} | {
                (tag_for_keyword(keyword),): uid for keyword, uid in uids.items()
            }
            (answer,) = find(target, Question("IMAGE", keys), most=2)
            for keyword in KEYWORDS:
                told = "\\".join(texts(answer[f"{tag_for_keyword(keyword):08X}"]))
                assert same(told, ds.get(keyword), dictionary_VR(keyword)), (path.name, keyword)


def same(told: str, value: object, vr: str) -> bool:
    """Whether an answer says what pydicom reads; what is no number, and texts of doubtful characters, aside."""
    text = (
        ""
        if value is None
        else "\\".join(map(str, value))
        if isinstance(value, pydicom.multival.MultiValue)
        else str(value)
    )
    if vr in ("IS", "US", "DS"):
        return not text or not told or float(told) == float(text)
    return told.strip() == text.strip() or not text.isascii()
