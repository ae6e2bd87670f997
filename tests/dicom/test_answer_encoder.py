"""The fast encoder of answers: what pydicom reads back is what was written, in every native transfer syntax."""

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from kernel.dicom.models import plain
from kernel.dicom.models.answer_encoder import CARRYING, encode

SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)


def read(data: bytes, syntax: str) -> pydicom.Dataset:
    uid = pydicom.uid.UID(syntax)
    return pydicom.dcmread(io.BytesIO(with_meta(syntax) + data), force=True) if uid else None


def with_meta(syntax: str) -> bytes:
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO(b"\0" * 128 + b"DICM")
    buffer.seek(132)
    pydicom.filewriter.write_file_meta_info(buffer, meta, enforce_standard=False)
    return buffer.getvalue()


MODEL = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
    "00080018": {"vr": "UI", "Value": ["1.2.3"]},
    "00080020": {"vr": "DA", "Value": ["20261101"]},
    "00080061": {"vr": "CS", "Value": ["CT", "MR"]},
    "00081030": {"vr": "LO"},
    "00081199": {"vr": "SQ", "Value": [{"00081150": {"vr": "UI", "Value": ["1.2"]}}, {}]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Nguyễn^Thị", "Ideographic": "阮^氏"}]},
    "00180050": {"vr": "DS", "Value": [5.25, None]},
    "00200013": {"vr": "IS", "Value": [7]},
    "00280009": {"vr": "AT", "Value": ["00181063"]},
    "00280010": {"vr": "US", "Value": [512]},
    "00289110": {"vr": "SQ"},
    "00720072": {"vr": "DS", "Value": [1 / 3]},
    "00189073": {"vr": "FD", "Value": [0.1]},
    "00420011": {"vr": "OB", "InlineBinary": "AQID"},
    "00420012": {"vr": "LO", "BulkDataURI": "@/bulkdata/00420012"},
}


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_is_written_is_what_pydicom_reads(syntax):
    data = encode(MODEL, syntax, "ISO_IR 192")
    ds, back = read(data, syntax), plain.read(data, syntax)

    assert (ds.PatientName, ds.ModalitiesInStudy, ds.Rows) == ("Nguyễn^Thị=阮^氏", ["CT", "MR"], 512)
    assert (ds[0x00280009].value, ds[0x00189073].value) == (0x00181063, 0.1)
    assert [item.get("ReferencedSOPClassUID") for item in ds.ReferencedSOPSequence] == ["1.2", None]
    assert back == MODEL | {
        "00420011": {"vr": "OB", "InlineBinary": "AQIDAA=="},
        "00420012": {"vr": "LO"},
        "00720072": {"vr": "DS", "Value": [0.33333333333333]},
    }


@pytest.mark.parametrize(
    ("charset", "name", "told"),
    [
        ("", "Tran", None),
        ("", "Trần", "ISO_IR 192"),
        ("ISO_IR 100", "Tran", "ISO_IR 100"),
        ("ISO_IR 100", "José", "ISO_IR 100"),
        ("ISO_IR 100", "Trần", "ISO_IR 192"),
        ("ISO_IR 144", "Иванов", "ISO_IR 144"),
        ("GB18030", "Trần", "GB18030"),
        ("ISO_IR 13", "Tran", None),
        ("ISO_IR 13", "Trần", "ISO_IR 192"),
        ("nonsense", "Trần", "ISO_IR 192"),
    ],
)
def test_the_character_set_is_the_first_that_can_carry_the_texts(charset, name, told):
    data = encode({"00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]}}, ExplicitVRLittleEndian, charset)

    ds = read(data, ExplicitVRLittleEndian)
    assert (ds.get("SpecificCharacterSet"), str(ds.PatientName)) == (told, name)


def test_a_value_that_its_vr_cannot_hold_is_left_out():
    model = {"00080061": {"vr": "CS", "Value": ["A" * 70_000]}, "00081030": {"vr": "LO", "Value": ["x"]}}

    ds = read(encode(model, ExplicitVRLittleEndian), ExplicitVRLittleEndian)

    assert (ds.ModalitiesInStudy or None, ds.StudyDescription) == (None, "x")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\\^=\0\x1b", exclude_categories=("Cc",)), max_size=20)


@given(text=TEXT, charset=st.sampled_from([*sorted(CARRYING), "", "ISO 2022 IR 87"]), syntax=st.sampled_from(SYNTAXES))
def test_every_text_comes_back_whatever_set_was_asked_for(text, charset, syntax):
    data = encode(
        {"00081030": {"vr": "LO", "Value": [text]}, "0020000D": {"vr": "UI", "Value": ["1"]}}, syntax, charset
    )

    ds = read(data, syntax)
    assert (ds.StudyDescription or "").rstrip(" ") == text.rstrip(" ")
    assert ds.StudyInstanceUID == "1"
