"""Structured reports, key objects and presentation states keep their tree, their numbers and their references; no names."""

import pytest
from highdicom.sr import ComprehensiveSR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.residue.search import find, needles_of
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.anonymizer.conftest import read
from tests.anonymizer.documents import (
    DIAMETER,
    FINDING,
    OBSERVER,
    a_code,
    a_number,
    a_presentation,
    a_report,
    a_text,
    an_image_item,
    an_item,
    key_objects,
)
from tests.anonymizer.test_samples import errors_of
from tests.support.builders import a_ct, a_uid, as_file

SUBJECT = [
    an_item("PNAME", ("121029", "DCM", "Subject Name"), "HAS OBS CONTEXT", PersonName="Nguyễn^Thị Hương"),
    a_text(("121030", "DCM", "Subject ID"), "BN-998877", "HAS OBS CONTEXT"),
    an_item("DATE", ("121031", "DCM", "Subject Birth Date"), "HAS OBS CONTEXT", Date="19700412"),
    an_item(
        "CODE",
        ("121032", "DCM", "Subject Sex"),
        "HAS OBS CONTEXT",
        ConceptCodeSequence=Sequence([a_code("F", "DCM", "Female")]),
    ),
    an_item("PNAME", OBSERVER, "HAS OBS CONTEXT", PersonName="Trần^Quang"),
    a_text(("121022", "DCM", "Accession Number"), "A-55", "HAS OBS CONTEXT"),
]


def a_full_report() -> Dataset:
    nested = a_number(DIAMETER, "12.5")
    nested.ContentSequence = Sequence([a_text(("121106", "DCM", "Comment"), "đo cho chị Hương", "HAS PROPERTIES")])
    return a_report(
        *SUBJECT,
        a_text(FINDING, "Bệnh nhân Nguyễn Thị Hương: khối 12,5 mm thuỳ trên phổi phải, tổn thương đồng nhất."),
        nested,
        an_image_item(),
        an_item("UIDREF", ("112040", "DCM", "Tracking Unique Identifier"), UID=a_uid("tracking")),
        an_item("DATETIME", ("111526", "DCM", "DateTime Started"), DateTime="20261121013000"),
        an_item("CONTAINER", ("121070", "DCM", "Findings"), ContinuityOfContent="SEPARATE"),
    )


def by_meaning(ds: Dataset) -> dict[str, Dataset]:
    found: dict[str, Dataset] = {}
    for item in ds.get("ContentSequence", []):
        name = item.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in item else item.ValueType
        found |= {name: item} | by_meaning(item)
    return found


def test_the_tree_keeps_its_shape_its_codes_and_its_numbers(site):
    before = a_full_report()

    after = site.gives(before, "tele-read")

    assert [item.ValueType for item in after.ContentSequence] == [item.ValueType for item in before.ContentSequence]
    items = by_meaning(after)
    assert items["Diameter"].MeasuredValueSequence[0].NumericValue == "12.5"
    assert items["Diameter"].MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "mm"
    assert items["Finding"].TextValue.endswith("khối 12,5 mm thuỳ trên phổi phải, tổn thương đồng nhất.")
    assert items["Subject Sex"].ConceptCodeSequence[0].CodeValue == "F"
    assert after.CompletionFlag == "COMPLETE"


def test_names_and_identifying_items_are_replaced(site):
    after = site.gives(a_full_report(), "tele-read")

    items = by_meaning(after)
    assert items["Subject Name"].PersonName == after.PatientName
    assert items["Subject ID"].TextValue not in ("BN-998877", "REMOVED"), "another patient's pseudonym"
    assert items["Subject Birth Date"].Date == "19000101"
    assert items["Person Observer Name"].PersonName == "REMOVED"
    assert items["Accession Number"].TextValue == "REMOVED"
    assert items["Finding"].TextValue.startswith("Bệnh nhân [REMOVED]: khối")
    assert items["Comment"].TextValue == "đo cho chị [REMOVED]"


def test_the_subject_of_the_report_gets_the_pseudonym_of_the_patient(site):
    ds = a_report(a_text(("121030", "DCM", "Subject ID"), a_report().PatientID))

    after = site.gives(ds, "tele-read")

    assert after.ContentSequence[0].TextValue == after.PatientID


def test_references_and_dates_follow_the_images(site):
    image, report = site.gives(a_ct(), "tele-read"), site.gives(a_full_report(), "tele-read")

    items = by_meaning(report)
    assert items["IMAGE"].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.StudyInstanceUID == image.StudyInstanceUID
    assert evidence.ReferencedSeriesSequence[0].SeriesInstanceUID == image.SeriesInstanceUID
    assert items["Tracking Unique Identifier"].UID.startswith("2.25.")
    assert a_uid("tracking") != items["Tracking Unique Identifier"].UID
    assert items["DateTime Started"].DateTime == image.StudyDate + "013000"


@pytest.mark.parametrize("profile", ["tele-read", "research", "cut-ties"])
def test_it_says_that_structured_content_was_cleaned(site, profile):
    after = site.gives(a_full_report(), profile)

    assert "113104" in [code.CodeValue for code in after.DeidentificationMethodCodeSequence]
    assert "113104" not in [code.CodeValue for code in site.gives(a_ct(), profile).DeidentificationMethodCodeSequence]


def test_without_the_option_a_report_is_one_harmless_sentence(site):
    after = site.gives(a_full_report(), "basic")

    assert [item.TextValue for item in after.ContentSequence] == ["REMOVED"]
    assert "113104" not in [code.CodeValue for code in after.DeidentificationMethodCodeSequence]


def test_research_keeps_numbers_and_codes_and_only_known_words(site):
    after = site.gives(
        a_report(*SUBJECT, a_text(FINDING, "chest normal"), a_text(DIAMETER, "khối u"), a_number(DIAMETER, "7")),
        "research",
    )

    texts = [item.TextValue for item in after.ContentSequence if item.ValueType == "TEXT"]
    assert texts[-2:] == ["chest normal", "REMOVED"]
    assert by_meaning(after)["Subject Sex"].ConceptCodeSequence[0].CodeValue == "REMOVED"
    assert by_meaning(after)["Diameter"].MeasuredValueSequence[0].NumericValue == "7"


@pytest.mark.parametrize(("years", "left"), [("89", ["89"]), ("90", []), ("104", [])])
def test_an_age_above_eighty_nine_goes_from_a_report(site, years, left):
    after = site.gives(a_report(a_number(("121033", "DCM", "Subject Age"), years, "a")), "tele-read")

    assert [one.NumericValue for one in after.ContentSequence[0].MeasuredValueSequence] == left


def test_an_item_of_a_private_scheme_that_tells_is_replaced(site):
    after = site.gives(
        a_report(
            a_text(("X1", "99HOSPITAL", "Họ tên người nhà"), "bé Bông"),
            a_text(("X2", "99HOSPITAL", "Kết luận"), "bình thường"),
        ),
        "tele-read",
    )

    assert [item.TextValue for item in after.ContentSequence] == ["REMOVED", "bình thường"]


def test_a_value_type_that_nobody_knows_leaves_nothing_of_the_tree(site):
    after = site.gives(a_report(an_item("SECRET", FINDING, TextValue="x")), "tele-read")

    assert [item.TextValue for item in after.ContentSequence] == ["REMOVED"]
    assert "113104" not in [code.CodeValue for code in after.DeidentificationMethodCodeSequence]


def test_a_key_object_selection_keeps_what_it_selects(site):
    before = key_objects(a_text(("113012", "DCM", "Key Object Description"), "xem u phổi của anh Tuấn"))

    after = site.gives(before, "tele-read")

    image = site.gives(a_ct(), "tele-read")
    assert after.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert after.ContentSequence[1].TextValue == "xem u phổi của anh [REMOVED]"


def test_a_presentation_state_keeps_its_graphics_and_loses_the_name(site):
    before = a_presentation("Nguyen Thi Huong", "u 12 mm", "BN Lan 12/04/1970")

    after = site.gives(before, "tele-read")

    annotation = after.GraphicAnnotationSequence[0]
    assert [text.UnformattedTextValue for text in annotation.TextObjectSequence] == [
        "[REMOVED]",
        "u 12 mm",
        "BN [REMOVED] [REMOVED]",
    ]
    assert annotation.GraphicObjectSequence[0].GraphicData == [10.0, 10.0, 20.0, 10.0]
    image = site.gives(a_ct(), "tele-read")
    reference = after.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert "113103" in [code.CodeValue for code in after.DeidentificationMethodCodeSequence]


def test_a_name_in_the_marks_of_a_curve_of_an_ecg_goes(site):
    note = Dataset()
    note.UnformattedTextValue, note.AnnotationGroupNumber = "NGUYEN VAN BA sinus", 1
    ds = a_ct(WaveformAnnotationSequence=Sequence([note]))

    after = site.gives(ds, "tele-read")

    assert after.WaveformAnnotationSequence[0].UnformattedTextValue == "[REMOVED] sinus"


@pytest.mark.parametrize("make", [a_full_report, key_objects, lambda: a_presentation("Huong", "12 mm")])
@pytest.mark.parametrize("profile", ["tele-read", "research", "cut-ties"])
def test_nothing_is_left_for_the_residue_check(site, make, profile):
    source = as_file(make())
    meta = read_file_meta(source)

    out = site.deidentifies(source, profile)

    assert find(out.header_bytes, needles_of(scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset))) == ()


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("make", [a_full_report, key_objects, lambda: a_presentation("Huong", "12 mm")])
@pytest.mark.parametrize("profile", ["tele-read", "research"])
def test_dciodvfy_finds_no_new_errors(site, make, profile, tmp_path):
    source = as_file(make())
    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(source)
    after.write_bytes(site.deidentifies(source, profile).to_bytes(source))

    assert not errors_of(after) - errors_of(before)


def test_highdicom_reads_the_cleaned_report(site):
    source = as_file(a_full_report())

    given_away = ComprehensiveSR.from_dataset(read(site.deidentifies(source, "tele-read").to_bytes(source)))

    assert given_away.content is not None
