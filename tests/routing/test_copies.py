"""The report of a study at a node: what was made of it, what is held and why, and each text that is left."""

import json

from typer.testing import CliRunner

from exchange.commands.table import app
from routing.report_page import page
from routing.study_reports import StudyReports
from tests.support.builders import a_ct_series, an_us_cine


def report(hospital, study_instance_uid: str):
    return StudyReports(hospital.database, hospital.blobs).of("BVA", study_instance_uid)


def test_a_study_that_left_is_reported_with_its_profile_and_each_text_once(hospital_on_each):
    slices = list(a_ct_series(3))
    hospital_on_each.receives(*slices, *a_ct_series(1, seed="another"))
    hospital_on_each.settles()

    told = report(hospital_on_each, slices[0].StudyInstanceUID)

    assert told["profile"].startswith("tele-read@")
    assert "113100" in told["method_codes"]
    assert told["totals"] == {"written": 3, "held": 0, "unreadable": 0, "labels_kept": 0}
    [study] = told["studies"]
    assert (study["series"], study["instances"]) == (1, 3)
    assert study["study_instance_uid"] in hospital_on_each.hub.studies
    strings = {(one["keyword"], one["text"]): one["instances"] for one in study["strings"]}
    assert strings["Modality", "CT"] == 3
    assert not any("ương" in text for _, text in strings)


def test_what_is_held_is_told_with_its_reason_and_no_value(hospital):
    slices = list(a_ct_series(1))
    cine = an_us_cine(StudyInstanceUID=slices[0].StudyInstanceUID)

    hospital.receives(*slices, cine)
    hospital.settles()
    told = report(hospital, slices[0].StudyInstanceUID)

    assert [one["input"] for one in told["held"]] == [cine.SOPInstanceUID]
    assert told["held"][0]["reason"] != ""
    text = json.dumps(told, ensure_ascii=False) + page(told)
    assert "Nguyễn" not in text
    assert slices[0].PatientID not in text


def test_a_study_without_a_copy_is_not_found(tmp_path, monkeypatch):
    monkeypatch.setenv("VIENANH_NODE_DATA", str(tmp_path / "data"))

    done = CliRunner().invoke(app, ["archive", "report", "1.2.3", str(tmp_path / "report.html")])

    assert done.exit_code != 0
    assert not (tmp_path / "report.html").exists()
