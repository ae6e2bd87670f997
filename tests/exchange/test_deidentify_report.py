"""The report of a run: per study what is left, each text once, as JSON and as a page that needs nothing else."""

import re
from pathlib import Path

import pytest

from anonymizer.pseudonyms import keys as site_keys
from exchange.files.inputs import Entry
from exchange.files.release import Order, Outcome, process
from exchange.files.report import studies_of, write_report
from routing import described
from routing.report_page import page
from tests.support.builders import a_cr, a_ct_series, as_file


@pytest.fixture
def outcomes(tmp_path: Path) -> list[Outcome]:
    """Three slices and a radiograph of one patient, de-identified into tmp_path/out; and a file that is none."""
    out = tmp_path / "out"
    out.mkdir()
    sources = [*a_ct_series(3, SeriesDescription="Axial <b> 5mm"), a_cr()]
    for number, ds in enumerate(sources):
        ds.PatientID, ds.StudyInstanceUID = "0123456789", "1.2.3"
        (tmp_path / f"{number}.dcm").write_bytes(as_file(ds))
    (tmp_path / "note<script>").write_text("no DICOM")
    order = Order(out, "tele-read", site_keys.derive(bytes(32), site="bv"), "bv", None, "hold")
    names = ["0.dcm", "1.dcm", "2.dcm", "3.dcm", "note<script>"]
    return process([Entry(tmp_path / name) for name in names], order)


def test_each_text_that_is_left_is_told_once_with_where_and_how_often(outcomes, tmp_path: Path):
    [study] = studies_of(tmp_path / "out", outcomes)

    assert (study["series"], study["instances"]) == (2, 4)
    strings = {(one["keyword"], one["text"]): one["instances"] for one in study["strings"]}
    assert strings["Modality", "CT"] == 3
    assert strings["ImageType", "ORIGINAL\\PRIMARY\\AXIAL"] == 3
    assert strings["PatientIdentityRemoved", "YES"] == 4
    assert strings["PatientID", study["patient_id"][0]] == 4
    assert not any("ương" in text or "0123456789" in text for _, text in strings)


@pytest.mark.peer("dicom3tools")
def test_the_first_instance_of_each_series_is_checked(outcomes, tmp_path: Path):
    [study] = studies_of(tmp_path / "out", outcomes)

    assert study["validity"]["checked"] == 2


def test_no_more_strings_are_shown_than_the_bound(outcomes, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(described, "STRINGS_MAX", 5)

    [study] = studies_of(tmp_path / "out", outcomes)

    assert len(study["strings"]) == 5
    assert study["strings_not_shown"] > 0


def test_no_more_masks_are_shown_than_the_bounds_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr(described, "MASKED_MAX", 1)
    monkeypatch.setattr(described, "MASKS_MAX", 2)
    masks = [((row, 0, row + 1, 9), "text") for row in range(3)]

    told = described.masked([("a.dcm", masks), ("clean.dcm", ()), ("b.dcm", masks)])

    assert told["instances_not_shown"] == 1
    [one] = told["instances"]
    assert (one["instance"], len(one["masks"]), one["masks_not_shown"]) == ("a.dcm", 2, 1)


def test_the_page_is_whole_in_both_languages_and_escapes_what_it_shows(outcomes, tmp_path: Path):
    report = {
        "profile": "tele-read@2026d",
        "profile_digest": "ab" * 32,
        "method_codes": ["113100"],
        "key_id": "k",
        "totals": {"written": 4, "held": 1, "unreadable": 1},
        "actions": {"X": 3},
        "held": [{"input": "<script>alert(1)</script>", "reason": "residue", "tag": "(0008,1030)"}],
        "unreadable": [{"input": "note<script>", "reason": "MalformedInstance"}],
        "masked": described.masked([("<b>us.dcm", [((8, 10, 30, 200), "zone text")])]),
        "studies": studies_of(tmp_path / "out", outcomes),
    }

    write_report(tmp_path / "report.html", report)
    write_report(tmp_path / "report.json", report)

    text = (tmp_path / "report.html").read_text("utf-8")
    assert text == page(report)
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=|url\(", text)
    assert "Giữ lại · Held" in text
    because = "vùng của thiết bị · zone of the device; thấy chữ · text was seen"
    assert f"<td>&lt;b&gt;us.dcm</td><td>8–30 × 10–200</td><td>{because}</td>" in text
    assert "(0008,1030)" in text
    assert report["studies"][0]["study_instance_uid"] in text
    assert '"strings"' in (tmp_path / "report.json").read_text("utf-8")
