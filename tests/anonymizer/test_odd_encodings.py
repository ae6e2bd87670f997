"""Character sets of all kinds, values that are not what their VR says, and encodings that are not what was declared."""

import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from anonymizer.profiles.dummies import encode
from anonymizer.pseudonyms.identifiers import shift_date
from anonymizer.residue.search import find, needles_of
from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file

NAME, DESCRIPTION = "Nguyễn^Thị Hương", "CT sọ não"


def with_bytes(charset: str | None, encoding: str, **changes: str) -> bytes:
    """An instance with text in an encoding, whatever it declares."""
    marks = {keyword: f"{number}" * 60 for number, keyword in enumerate(changes, start=3)}
    ds = a_ct(ReferringPhysicianName="Binh", PatientName="A" * 60, StudyDescription="B" * 60, **marks)
    if charset is None:
        del ds.SpecificCharacterSet
    else:
        ds.SpecificCharacterSet = charset
    source = as_file(ds)
    said = {"A": NAME, "B": DESCRIPTION} | {str(n): text for n, text in enumerate(changes.values(), start=3)}
    for letter, text in said.items():
        source = source.replace(letter.encode() * 60, text.encode(encoding).ljust(60))
    return source


@pytest.mark.parametrize(
    ("charset", "encoding", "fallback"),
    [
        ("ISO_IR 192", "utf-8", None),
        (None, "utf-8", None),
        ("ISO_IR 100", "utf-8", None),  # declared wrongly
        ("ISO_IR 13", "utf-8", None),
        ("GB18030", "gb18030", None),
    ],
)
@pytest.mark.parametrize("profile", ["basic", "tele-read"])
def test_a_name_in_any_character_set_is_gone_from_kept_text(site, charset, encoding, fallback, profile):
    source = with_bytes(charset, encoding, Manufacturer="Máy của Hương", BodyPartExamined="HEAD HƯƠNG")

    result = site.deidentifies(source, profile, fallback_charset=fallback)

    for word in ("Hương", "HƯƠNG", "Nguyễn", "Hương".lower()):
        assert word.encode(encoding) not in result.head
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    assert find(result.header_bytes, needles_of(header, fallback)) == ()


@pytest.mark.parametrize("declared", ["ISO_IR 100", None])
def test_a_name_in_windows_1258_is_found_under_latin_1(site, declared):
    ds = a_ct(ReferringPhysicianName="Binh", PatientName="A" * 12, Manufacturer="B" * 12)
    if declared is None:
        del ds.SpecificCharacterSet
    else:
        ds.SpecificCharacterSet = declared
    name = "Trần^Hào".replace("ầ", "â\u0300").encode("cp1258")
    source = (
        as_file(ds).replace(b"A" * 12, name.ljust(12)).replace(b"B" * 12, ("Hào".encode("cp1258") + b" May").ljust(12))
    )

    result = site.deidentifies(source, "tele-read", fallback_charset="cp1258")

    assert "Hào".encode("cp1258") not in result.head
    assert "Hào".encode() not in result.head


def test_an_item_may_have_a_character_set_of_its_own(site):
    ds, item = a_ct(ReferringPhysicianName="Binh", PatientName="Wang^Xiao", Manufacturer="KEPT"), Dataset()
    item.SpecificCharacterSet, item.CodeMeaning = "GB18030", "A" * 8
    item.ContainerComponentDescription = "B" * 8
    ds.ProcedureCodeSequence = Sequence([item])
    del ds.SpecificCharacterSet
    source = as_file(ds).replace(b"A" * 8, "头部CT".encode("gb18030").ljust(8))

    given = read(site.deidentifies(source, "tele-read").to_bytes(source))

    (kept,) = given.ProcedureCodeSequence
    assert kept.SpecificCharacterSet == "GB18030"
    assert kept.CodeMeaning == "头部CT"


def test_words_in_attributes_of_numbers_and_bytes_go(site):
    source = as_file(a_ct(Manufacturer="HUONG12", PresentationIntentType="HUONG34"))
    for keyword in (b"\x08\x00\x70\x00LO", b"\x08\x00\x68\x00CS"):
        source = source.replace(keyword, keyword[:4] + b"US")

    result = site.deidentifies(source, "tele-read")

    assert b"HUONG" not in result.head


def test_what_is_no_uid_does_not_stay_as_one(site):
    ds, reference = a_ct(), Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.3.4.5.6.7.8", "1.2.3.4"
    ds.ReferencedImageSequence = Sequence([reference])
    source = as_file(ds).replace(b"1.2.3.4.5.6.7.8\0", b"NGUYEN VAN TY  \0")

    given = read(site.deidentifies(source).to_bytes(source))

    assert "ReferencedSOPClassUID" not in given.ReferencedImageSequence[0]
    assert given.ReferencedImageSequence[0].ReferencedSOPInstanceUID.startswith("2.25.")


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        (b"20261121", b"20261120"),
        (b"20261121013010.5+0700", b"20261120013010.5+0700"),
        (b"2026.11.21", b"20261120"),
        (b"20261121 NGUYEN", None),
        (b"20261121013010NGUYEN", None),
        (b"20261121 0912345678", None),
        (b"20261399", None),
    ],
)
def test_what_follows_a_date_is_a_time_or_nothing(value, moved):
    assert shift_date(value, -1) == moved


@pytest.mark.parametrize(
    ("encoded", "declared"),
    [(ImplicitVRLittleEndian, ExplicitVRLittleEndian), (ExplicitVRLittleEndian, ImplicitVRLittleEndian)],
)
def test_an_encoding_that_was_declared_wrongly_is_declared_rightly(site, encoded, declared):
    ds = a_ct()
    right = as_file(ds, encoded)
    wrong = file_meta(ds.SOPClassUID, ds.SOPInstanceUID, declared) + right[read_file_meta(right).dataset_offset :]

    result = site.deidentifies(wrong, "tele-read")

    assert result.identity.transfer_syntax_uid == encoded
    given = read(result.to_bytes(wrong))
    assert given.file_meta.TransferSyntaxUID == encoded
    assert given.PixelData == ds.PixelData


def test_an_icon_and_group_lengths_go(site):
    icon, ds = Dataset(), a_ct()
    icon.Rows = icon.Columns = 8
    icon.add_new(0x7FE00010, "OW", b"HUONG!" * 8)
    ds.IconImageSequence = Sequence([icon])
    source = as_file(ds)
    at = source.index(b"\x08\x00\x05\x00CS")
    source = source[:at] + encode(0x00080000, "UL", struct.pack("<I", 77), implicit=False) + source[at:]

    result = site.deidentifies(source, "tele-read")

    assert b"HUONG" not in result.head
    given = read(result.to_bytes(source))
    assert "IconImageSequence" not in given
    assert not [element.tag for element in given if element.tag.element == 0]
