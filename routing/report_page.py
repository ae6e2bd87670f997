"""The report of a de-identification as one HTML page in Vietnamese and English, without scripts or anything from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from routing.described import Report


def page(report: Report) -> str:
    """Return the page of a report."""
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
        *_masked_section(report.get("masked", {})),
        *(_study_section(study) for study in report["studies"]),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _masked_section(masked: Report) -> tuple[str, ...]:
    rows = [
        (one["instance"], _corners(mask["box"]), _because(mask["why"]))
        for one in masked.get("instances", ())
        for mask in one["masks"]
    ]
    hidden = sum(one["masks_not_shown"] for one in masked.get("instances", ()))
    counts = [
        ("Vùng không hiển thị · Masks not shown", hidden),
        ("Ảnh không hiển thị · Instances not shown", masked.get("instances_not_shown", 0)),
    ]
    left = [(name, str(count)) for name, count in counts if count]
    return (
        "<h2>Vùng đã che đen trong mọi khung · Made black in every frame</h2>",
        _table(("Ảnh · Instance", "Hàng × cột · Rows × columns", "Vì · Because"), rows),
        *([_table(("", ""), left)] if left else []),
    )


def _corners(box: Sequence[int]) -> str:
    top, left, bottom, right = box
    return f"{top}–{bottom} × {left}–{right}"


def _because(why: str) -> str:
    return "; ".join(_WHY.get(word, word) for word in why.split())


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
    "labels_kept": "Nhãn tiêu bản ở lại cơ sở · Labels of slides kept at the site",
}
_WHY: Final = {
    "region": "ngoài vùng ảnh của máy · outside the device's regions",
    "zone": "vùng của thiết bị · zone of the device",
    "text": "thấy chữ · text was seen",
    "person": "người duyệt vẽ · a person drew it",
}
_HEAD: Final = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>Khử định danh · De-identification</title>
<style>body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}
td,th{border:1px solid #bbb;padding:.2em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}</style></head><body>
<h1>Khử định danh · De-identification</h1>
<p>Trang này ghi tên tệp gốc: giữ tại cơ sở. Dữ liệu giả danh vẫn là dữ liệu cá nhân.<br>
This page names the inputs: keep it at the site. Pseudonymised data is still personal data.</p>"""
