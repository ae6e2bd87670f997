"""What `vienanh deidentify --report` tells of each study: read from the new files, as whoever receives them would.

Each distinct string that is left is shown once, so that a person can look at all of them; whether the first instance of
each series is valid is asked of dciodvfy where there is one. The report stays at the site: it names the inputs.
"""

import json
import mmap
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

from anonymizer.survivors import Survivor, survivors
from exchange.file_release import Outcome
from kernel.dicom.dictionary import KEYWORD_OF
from kernel.dicom.part10 import read_file_meta
from kernel.dicom.scanner import scan

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


def studies_of(output: Path, outcomes: Iterable[Outcome]) -> list[Report]:
    """Describe each study that was written, by its new UID."""
    files: dict[str, list[str]] = defaultdict(list)
    for file in sorted({one.file for one in outcomes if one.file}):
        files[file.partition("/")[0]].append(file)
    return [
        described(uid, [Piece(file.rpartition("/")[0], file, output / file) for file in found])
        for uid, found in sorted(files.items())
    ]


def described(study_instance_uid: str, pieces: Iterable[Piece]) -> Report:
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
    checked = list(series.values())[:SERIES_CHECKED_MAX] if program else []
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
        header = scan(view, meta.transfer_syntax_uid, offset=meta.dataset_offset)
        return header.raw(_PATIENT_ID).decode("ascii", "replace").strip(" \0"), set(survivors(header))


def _errors(program: str, file: Path) -> list[str]:
    """Return dciodvfy's errors about an instance; what it says of values is cut off."""
    command = [program, "-new", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CHECK_SECONDS_MAX, check=False)  # noqa: S603 names of our own making
    except subprocess.TimeoutExpired:
        return ["Error - dciodvfy gave no answer in time"]
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return [_VALUE.sub("<>", line)[:200] for line in lines if line.startswith("Error")]


# --- the page ---------------------------------------------------------------------------------------------------------


def write_report(file: Path, report: Report) -> None:
    """Write the report as a page when the file is called .html, else as JSON."""
    if file.suffix.lower() in {".html", ".htm"}:
        file.write_text(page(report), "utf-8")
    else:
        file.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")


def page(report: Report) -> str:
    """Return the report as one HTML page in Vietnamese and English, without scripts or anything from elsewhere."""
    rows = [
        ("Hồ sơ xử lý · Profile", f"{report['profile']} · {report['profile_digest']}"),
        ("Mã phương pháp · Method codes (CID 7050)", " ".join(report["method_codes"])),
        ("Khóa · Key", report["key_id"]),
        *((_STATES[state], str(count)) for state, count in report["totals"].items()),
        ("Thao tác · Actions", " ".join(f"{letter}:{count}" for letter, count in report["actions"].items())),
    ]
    parts = [
        _HEAD,
        _table(("", ""), rows),
        "<h2>Giữ lại · Held</h2>",
        _table(
            ("Tệp · Input", "Lý do · Reason", "Thẻ · Tag"),
            [(o["input"], o["reason"], o["tag"]) for o in report["held"]],
        ),
        "<h2>Không đọc được · Unreadable</h2>",
        _table(("Tệp · Input", "Lý do · Reason"), [(o["input"], o["reason"]) for o in report["unreadable"]]),
        *(_study_section(study) for study in report["studies"]),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _study_section(study: Report) -> str:
    validity = study["validity"]
    verdict = f"{validity['checked']} · {len(validity['invalid'])}"
    facts = [
        ("Mã giả danh · Pseudonym", " ".join(study["patient_id"])),
        ("Chuỗi ảnh, ảnh · Series, instances", f"{study['series']}, {study['instances']}"),
        ("Đã kiểm bằng dciodvfy, có lỗi · Checked by dciodvfy, with errors", verdict),
        *((one["file"], "; ".join(one["errors"])) for one in validity["invalid"]),
        ("Chuỗi không hiển thị · Strings not shown", str(study["strings_not_shown"])),
    ]
    strings = [(f"{one['tag']} {one['keyword']}", one["text"], str(one["instances"])) for one in study["strings"]]
    return "\n".join((
        f"<h2>{escape(study['study_instance_uid'])}</h2>",
        _table(("", ""), facts),
        "<h3>Mọi chuỗi còn lại, mỗi chuỗi một lần · Every string that is left, once</h3>",
        _table(("Thuộc tính · Attribute", "Giá trị · Value", "Số ảnh · Instances"), strings),
    ))  # fmt: skip


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    names = "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>\n" if any(head) else ""
    return f"<table>\n{names}{body}</table>" if body else "<p>0</p>"


_STATES: Final = {
    "written": "Đã ghi · Written",
    "held": "Giữ lại · Held",
    "unreadable": "Không đọc được · Unreadable",
}
_HEAD: Final = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>Khử định danh · De-identification</title>
<style>body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}
td,th{border:1px solid #bbb;padding:.2em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}</style></head><body>
<h1>Khử định danh · De-identification</h1>
<p>Trang này ghi tên tệp gốc: giữ tại cơ sở. Dữ liệu giả danh vẫn là dữ liệu cá nhân.<br>
This page names the inputs: keep it at the site. Pseudonymised data is still personal data.</p>"""
