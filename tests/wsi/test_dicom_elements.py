"""Headers of slides are written as pydicom would write them, without loading it."""

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat, format_number_as_ds

from kernel.dicom.pixels.srgb import srgb_profile
from kernel.errors import LimitExceeded
from tests.wsi.builders import an_svs
from wsi.dicom_elements import ELEMENTS, VALUE_BYTES_MAX, decimal_string, encoded
from wsi.dicom_header import Identity, header_of
from wsi.tiff_slide import index_tiff


def by_pydicom(values) -> bytes:
    """Return what pydicom writes of the same values."""
    out = io.BytesIO()
    pydicom.dcmwrite(out, data_set(values), implicit_vr=False, little_endian=True, enforce_file_format=False)
    return out.getvalue()


def data_set(values) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value_of(keyword, value))
    return made


def value_of(keyword, value):
    if dictionary_VR(keyword) == "SQ":
        return [data_set(item) for item in value]
    if dictionary_VR(keyword) == "DS":
        several = [
            DSfloat(float(one), auto_format=True) for one in (value if isinstance(value, (list, tuple)) else [value])
        ]
        return several if len(several) > 1 else several[0]
    return value


@pytest.mark.parametrize("keyword", sorted(ELEMENTS))
def test_every_row_is_as_the_dictionary_says(keyword):
    tag, vr = ELEMENTS[keyword]

    assert (tag, vr) == (tag_for_keyword(keyword), dictionary_VR(keyword))


@pytest.mark.parametrize("number", [0, 1])
def test_a_slides_header_is_byte_for_byte_what_pydicom_writes(number):
    identity = Identity("BN-1", "Nguyễn^Văn Ánh", "GPB-7", "1.2.3", "K26-1", "HE")

    header = header_of(index_tiff(an_svs()), number, identity, b"digest")

    assert encoded(header) == by_pydicom(header)


def test_parts_of_a_concatenation_and_grey_slides_are_byte_for_byte_what_pydicom_writes():
    values = {
        "ConcatenationUID": "2.25.1",
        "ConcatenationFrameOffsetNumber": 70_000,
        "InConcatenationNumber": 2,
        "InConcatenationTotalNumber": 3,
        "SOPInstanceUIDOfConcatenationSource": "2.25.22",
        "DerivationDescription": "odd",
        "ICCProfile": b"odd",
        "PresentationLUTShape": "IDENTITY",
        "RescaleIntercept": 0,
        "AcquisitionContextSequence": [],
        "SpecimenDescriptionSequence": [{"SpecimenUID": "2.25.3"}, {"SpecimenUID": "2.25.44"}],
    }

    assert encoded(values) == by_pydicom(values)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_string_is_pydicoms(value):
    assert decimal_string(value) == format_number_as_ds(value)
    assert len(decimal_string(value)) <= 16


def test_a_value_that_its_length_cannot_tell_is_refused():
    assert len(encoded({"ContainerIdentifier": "K" * VALUE_BYTES_MAX})) == 8 + VALUE_BYTES_MAX

    with pytest.raises(LimitExceeded, match="bytes of a value"):
        encoded({"ContainerIdentifier": "K" * (VALUE_BYTES_MAX + 1)})


def test_the_constant_profile_is_little_cms_own_but_for_its_moment():
    theirs = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    ours = srgb_profile()

    assert (ours[:24], ours[36:]) == (theirs[:24], theirs[36:])
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(ours))).strip() == "sRGB built-in"
