"""What a read needs survives the profile for reading: uptake values, dose and times between events, geometry, contrast."""

from datetime import UTC, datetime

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.support.builders import a_ct


def a_pet(**changes) -> Dataset:
    """A PET slice whose tracer was injected the evening before, so that a date apart would show."""
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartTime = "233000"
    tracer.RadiopharmaceuticalStartDateTime = "20261120233000"
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = "370000000", "6586.2"
    ds = a_ct(Modality="PT", Units="BQML", DecayCorrection="START", PatientWeight="51", PatientSize="1.58")
    ds.AcquisitionDate, ds.AcquisitionTime = "20261121", "003000"
    ds.CorrectedImage = ["DECY", "ATTN"]
    ds.RadiopharmaceuticalInformationSequence = Sequence([tracer])
    ds.add_new(0x70530010, "LO", "Philips PET Private Group")
    ds.add_new(0x70531000, "DS", "0.00042")
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def uptake_factor(ds: Dataset) -> float:
    """Return what a pixel in Bq/ml is multiplied with for a body weight uptake value (PS3.3 C.8.9.1)."""
    tracer = ds.RadiopharmaceuticalInformationSequence[0]
    acquired = datetime.strptime(ds.AcquisitionDate + ds.AcquisitionTime, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    injected = datetime.strptime(tracer.RadiopharmaceuticalStartDateTime, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    decayed = 2 ** (-(acquired - injected).total_seconds() / float(tracer.RadionuclideHalfLife))
    return float(ds.PatientWeight) * 1000 / (float(tracer.RadionuclideTotalDose) * decayed)


def test_an_uptake_value_is_the_same_though_every_date_has_moved(site):
    ds = a_pet()

    given = site.gives(ds, "tele-read")

    assert uptake_factor(given) == pytest.approx(uptake_factor(ds))
    assert given.AcquisitionDate != ds.AcquisitionDate
    assert given.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime == "233000"
    assert given[0x70531000].value == 0.00042
    assert (given.PatientSize, given.Units, given.DecayCorrection) == (1.58, "BQML", "START")


def test_geometry_contrast_and_the_device_survive(site):
    kept = {
        "PixelSpacing": [0.5, 0.5],
        "ImagePositionPatient": [0, 0, 1],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "RescaleSlope": 1,
        "WindowCenter": 40,
        "KVP": 120,
        "ConvolutionKernel": "H31s",
        "ContrastBolusStartTime": "012900",
        "ContrastBolusVolume": 80,
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "SOMATOM go.Up",
        "SoftwareVersions": "VA30A",
        "BodyPartExamined": "HEAD",
        "PatientPosition": "HFS",
        "ImageLaterality": "L",
    }

    given = site.gives(a_ct(ContrastBolusAgent="contrast", **kept), "tele-read")

    assert {keyword: given.get(keyword) for keyword in kept} == kept
    assert given.ContrastBolusAgent == "contrast"


def test_what_was_asked_for_survives_without_the_numbers_of_the_order(site):
    code, request, ds = Dataset(), Dataset(), a_ct()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "24725-4", "LN", "CT Head"
    request.RequestedProcedureDescription, request.RequestedProcedureID = "CT sọ não", "88112233"
    request.ScheduledProcedureStepDescription = "CT so nao cho chi Huong"
    request.ReasonForTheRequestedProcedure = "Huong bi dau dau"
    request.RequestedProcedureCodeSequence = Sequence([code])
    ds.RequestAttributesSequence = Sequence([request])

    asked, strict = (site.gives(ds, profile).get("RequestAttributesSequence") for profile in ("tele-read", "research"))

    assert strict is None
    assert [element.keyword for element in asked[0]] == [
        "RequestedProcedureDescription",
        "RequestedProcedureCodeSequence",
    ]
    assert asked[0].RequestedProcedureDescription == "CT sọ não"
    assert asked[0].RequestedProcedureCodeSequence[0].CodeMeaning == "CT Head"
