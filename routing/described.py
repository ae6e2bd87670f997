"""What is left in a de-identified study: read from the new instances, as whoever receives them would.

Each distinct string is told once, so that a person can look at all of them; whether the first instance of each series is
valid is asked of dciodvfy where there is one.
"""

import mmap
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from anonymizer.residue.survivors import Survivor, survivors
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan_every_frame
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF
from kernel.errors import LimitExceeded

TEXTS_MAX: Final = 100_000  # that differ, in one instance
MASKED_MAX: Final = 1_000  # instances whose masks are shown; more are counted
MASKS_MAX: Final = 200  # shown of an instance
STRINGS_MAX: Final = 5_000  # distinct ones shown of a study; more are counted
SERIES_CHECKED_MAX: Final = 200  # whose first instance dciodvfy sees
CHECK_SECONDS_MAX: Final = 30
_PATIENT_ID: Final = 0x00100020
_VALUE = re.compile(r"<[^>]*>")

Report = dict[str, Any]


class Piece(NamedTuple):
    """One new instance: the series that it is of, what it is called in the report, and where it is."""

    series: str
    label: str
    path: Path


def masked(instances: Iterable[tuple[str, Sequence[Sequence[Any]]]]) -> Report:
    """Tell where instances were made black, and why: of each what it is called, and its (box, why)."""
    found = [(label, masks) for label, masks in instances if masks]
    return {
        "instances": [
            {
                "instance": label,
                "masks": [{"box": list(box), "why": why} for box, why in masks[:MASKS_MAX]],
                "masks_not_shown": max(0, len(masks) - MASKS_MAX),
            }
            for label, masks in found[:MASKED_MAX]
        ],
        "instances_not_shown": max(0, len(found) - MASKED_MAX),
    }


def described(
    study_instance_uid: str, pieces: Iterable[Piece], *, series_checked_max: int = SERIES_CHECKED_MAX
) -> Report:
    """Describe one de-identified study by its instances."""
    strings: Counter[tuple[int, str]] = Counter()
    patient_ids: set[str] = set()
    series: dict[str, Piece] = {}
    hidden = instances = 0
    for piece in pieces:
        patient_id, found = _texts(piece.path)
        patient_ids.add(patient_id)
        instances += 1
        for one in found:
            if (one.tag, one.text) in strings or len(strings) < STRINGS_MAX:
                strings[one.tag, one.text] += 1
            else:
                hidden += 1
        series.setdefault(piece.series, piece)
    program = shutil.which("dciodvfy")
    checked = list(series.values())[:series_checked_max] if program else []
    verdicts = [(piece.label, _errors(str(program), piece.path)) for piece in checked]
    return {
        "study_instance_uid": study_instance_uid,
        "patient_id": sorted(patient_ids),
        "series": len(series),
        "instances": instances,
        "validity": {
            "checked": len(checked),
            "invalid": [{"file": file, "errors": errors} for file, errors in verdicts if errors],
        },
        "strings": [
            {
                "tag": f"({tag >> 16:04X},{tag & 0xFFFF:04X})",
                "keyword": KEYWORD_OF.get(tag, ""),
                "text": text,
                "instances": count,
            }
            for (tag, text), count in sorted(strings.items())
        ],
        "strings_not_shown": hidden,
    }


def _texts(file: Path) -> tuple[str, set[Survivor]]:
    """Return the Patient ID and the distinct texts of a file."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as view:
        meta = read_file_meta(view)
        header = scan_every_frame(view, meta.transfer_syntax_uid, offset=meta.dataset_offset)
        texts: set[Survivor] = set()
        for one in survivors(header):
            texts.add(one)
            if len(texts) > TEXTS_MAX:
                raise LimitExceeded(limit="texts that differ", value=len(texts), bound=TEXTS_MAX)
        return header.raw(_PATIENT_ID).decode("ascii", "replace").strip(" \0"), texts


def _errors(program: str, file: Path) -> list[str]:
    """Return dciodvfy's errors about an instance; what it says of values is cut off."""
    command = [program, "-new", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CHECK_SECONDS_MAX, check=False)  # noqa: S603 names of our own making
    except subprocess.TimeoutExpired:
        return ["Error - dciodvfy gave no answer in time"]
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return [_VALUE.sub("<>", line)[:200] for line in lines if line.startswith("Error")]
