"""Which instances need a look at their pixels before they leave."""

import pytest

from anonymizer.pixels.gate import needs_pixel_review
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.support.builders import a_cr, a_ct, an_us_cine, as_file

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"


def a_slide(*kind: str, **attributes):
    return a_ct(SOPClassUID=WHOLE_SLIDE, ImageType=["ORIGINAL", "PRIMARY", *kind], **attributes)


def reason(ds) -> str | None:
    source = as_file(ds)
    meta = read_file_meta(source)
    return needs_pixel_review(scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset))


@pytest.mark.parametrize(
    ("ds", "expected"),
    [
        (a_ct(), None),
        (a_cr(), None),
        (a_ct(BurnedInAnnotation="NO"), None),
        (a_ct(BurnedInAnnotation="YES"), "burned-in-annotation"),
        (an_us_cine(), "ultrasound"),
        (an_us_cine(BurnedInAnnotation="NO"), "ultrasound"),
        (a_ct(Modality="US"), "ultrasound"),
        (a_ct(SOPClassUID=SECONDARY_CAPTURE), "secondary-capture"),
        (a_ct(ConversionType="SD"), "secondary-capture"),
        (a_ct(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]), "screen-capture"),
        (a_ct(SOPClassUID=PHOTOGRAPH), "photograph"),
        (a_ct(SOPClassUID=WHOLE_SLIDE, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"]), "slide-label"),
        (a_ct(SOPClassUID=WHOLE_SLIDE, ImageType=["ORIGINAL", "PRIMARY", "MACRO", "NONE"]), "slide-label"),
        (a_ct(SOPClassUID=WHOLE_SLIDE, ImageType=["DERIVED", "PRIMARY", "VOLUME", "LABEL"]), "slide-label"),
        (a_ct(SOPClassUID=WHOLE_SLIDE, ImageType=["DERIVED", "PRIMARY", "THUMBNAIL", "RESAMPLED"]), None),
        (a_slide("OTHER", "VOLUME"), "slide-label"),
        (a_slide("VOLUME", "NONE", SpecimenLabelInImage="YES"), "slide-label"),
        (a_slide("LABEL", "NONE", BurnedInAnnotation="YES"), "slide-label"),
        (a_slide("VOLUME", "NONE", BurnedInAnnotation="YES"), "burned-in-annotation"),
        (a_ct(SOPClassUID=WHOLE_SLIDE, ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]), None),
        (a_ct(RecognizableVisualFeatures="YES"), "visual-features"),
        (a_ct(SOPClassUID=ENCAPSULATED_PDF), "encapsulated-document"),
    ],
    ids=str,
)
def test_the_reason_is_told(ds, expected):
    assert reason(ds) == expected


def test_without_pixels_there_is_nothing_to_look_at():
    ds = a_ct(Modality="US")
    del ds.PixelData

    assert reason(ds) is None
