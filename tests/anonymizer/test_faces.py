"""From which series a face could be made, by the header; and that such a series is held where faces must not leave."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.engine.faces import face_risk
from anonymizer.profiles.profile import load
from anonymizer.release import Held, Released, release
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.support.builders import a_cr, a_ct, as_file


def header_of(ds: Dataset):
    source = as_file(ds)
    meta = read_file_meta(source)
    return source, scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)


def a_thin_head(**changes) -> Dataset:
    return a_ct(**({"SliceThickness": "1", "PixelSpacing": ["4", "4"], "BodyPartExamined": "HEAD"} | changes))


@pytest.mark.parametrize(
    ("changes", "risk"),
    [
        ({}, "face"),
        ({"Modality": "MR"}, "face"),
        ({"Modality": "PT"}, ""),
        ({"SliceThickness": "3"}, "face"),
        ({"SliceThickness": "3.1"}, ""),
        ({"SliceThickness": "5", "SpacingBetweenSlices": "1"}, "face"),
        ({"SliceThickness": ""}, "face"),  # unknown
        ({"PixelSpacing": ["0.5", "0.5"]}, ""),  # 64 pixels: 32 mm
        ({"PixelSpacing": None}, "face"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, ""),
        ({"BodyPartExamined": "CHEST"}, ""),
        ({"BodyPartExamined": "HEADNECK"}, "face"),
        ({"BodyPartExamined": "WHOLEBODY"}, "face"),
        ({"BodyPartExamined": "", "StudyDescription": "CT sọ não"}, "face"),
        ({"BodyPartExamined": "", "StudyDescription": "CT ngực", "SeriesDescription": ""}, ""),
        ({"BodyPartExamined": "", "StudyDescription": "", "SeriesDescription": ""}, "face"),  # unknown
    ],
)
def test_a_face_can_be_made_of_thin_slices_of_a_head(changes, risk):
    ds = a_thin_head(**changes)

    assert face_risk(header_of(ds)[1]) == risk


def test_an_enhanced_image_says_it_in_its_functional_groups():
    ds, group, measures, region = a_thin_head(), Dataset(), Dataset(), Dataset()
    del ds.SliceThickness, ds.PixelSpacing, ds.BodyPartExamined
    region.CodeMeaning = "Head"
    ds.AnatomicRegionSequence = Sequence([region])
    measures.SliceThickness, measures.PixelSpacing = "6", ["4", "4"]
    group.PixelMeasuresSequence = Sequence([measures])
    ds.SharedFunctionalGroupsSequence = Sequence([group])
    thick = face_risk(header_of(ds)[1])
    measures.SliceThickness = "0.6"

    assert (thick, face_risk(header_of(ds)[1])) == ("", "face")


def test_a_radiograph_has_no_face_and_neither_has_a_report():
    report = a_thin_head()
    del report.PixelData

    assert face_risk(header_of(a_cr())[1]) == face_risk(header_of(report)[1]) == ""


@pytest.mark.parametrize(
    ("profile", "held"), [("research", True), ("cut-ties", True), ("tele-read", False), ("basic", False)]
)
def test_a_series_with_a_face_is_held_where_faces_must_not_leave_and_never_for_a_diagnosis(site, profile, held):
    source, header = header_of(a_thin_head())

    result = release(source, header, profile=load(profile), keys=site.keys, issuer="x")

    assert result == Held("face", "(7FE0,0010)") if held else isinstance(result, Released)
