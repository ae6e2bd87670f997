"""What the scanner refuses and pydicom reads whole is written again; what pydicom reads in part stays refused."""

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian

from kernel.dicom.scanning import menders, mending
from kernel.dicom.scanning.menders import Menders, may_be_mended
from kernel.dicom.scanning.mending import mended
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import Limits
from kernel.errors import LimitExceeded, MalformedInstance, Refused
from tests.support.builders import a_ct, as_file
from tests.support.odd_files import ODD, bare

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about what is odd


@pytest.fixture(scope="module")
def one_mender():
    menders = Menders()
    yield menders
    menders.close()


def scanned(content: bytes):
    meta = read_file_meta(content)
    return scan(content, meta.transfer_syntax_uid, offset=meta.dataset_offset)


@pytest.mark.parametrize("how", list(ODD))
def test_what_is_odd_is_refused_by_the_scanner_and_mended_whole(how, one_mender):
    source = ODD[how](a_ct(PatientName="Nguyễn^Thị Hương", PatientComments=""))

    with pytest.raises(MalformedInstance):
        scanned(source)
    assert may_be_mended(source)
    content = one_mender.mend(source)

    plain = pydicom.dcmread(io.BytesIO(as_file(a_ct(PatientName="Nguyễn^Thị Hương", PatientComments=""))))
    given = pydicom.dcmread(io.BytesIO(content))
    assert given.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert {tag: given[tag].value for tag in plain.keys()} == {tag: plain[tag].value for tag in plain.keys()}  # noqa: SIM118 (tags)
    assert not [element.tag for element in given if element.tag.group in {0, 2}]
    assert scanned(content).complete


def test_text_is_copied_as_it_was_encoded_whatever_is_declared():
    source = as_file(a_ct(PatientName="A" * 8, Manufacturer="B" * 8)).replace(b"B" * 8, b"H\xad\xacng  .")

    assert b"H\xad\xacng  ." in mended(source)


@pytest.mark.parametrize("keyword", ["PatientName", "PatientID"])
def test_where_no_patient_is_named_names_may_be_elsewhere(keyword):
    ds = a_ct()
    del ds[keyword]

    with pytest.raises(MalformedInstance, match="no patient is where it should be"):
        mended(bare(ds))


def test_elements_in_no_order_were_misread():
    content = as_file(a_ct())
    name, number, born = (content.index(b"\x10\0" + one) for one in (b"\x10\0PN", b"\x20\0LO", b"\x30\0DA"))

    with pytest.raises(MalformedInstance, match="in no order"):
        mended(content[:name] + content[number:born] + content[name:number] + content[born:])


def test_what_pydicom_reads_in_part_stays_refused():
    content = bare(a_ct())
    at = content.index(b"\x10\0\x10\0PN")

    with pytest.raises(MalformedInstance, match="ends inside an element"):
        mended(content[:-10])
    with pytest.raises(MalformedInstance, match="reads only its beginning"):
        mended(content[:at] + b"\xfe\xff\x0d\xe0\0\0\0\0" + content[at:])


def test_pixel_data_that_nobody_can_decode_stays_refused():
    ds = a_ct()
    content = bare(ds)
    at = content.index(b"\xe0\x7f\x10\0OW")
    pixels = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"

    with pytest.raises(MalformedInstance, match="compressed, and nothing says how"):
        mended(content[:at] + pixels)


def test_nesting_is_bounded(monkeypatch):
    innermost = outer = pydicom.Dataset()
    for _ in range(5):
        outer = pydicom.Dataset()
        outer.ReferencedImageSequence = [innermost]
        innermost = outer
    monkeypatch.setattr(mending, "LIMITS", Limits(depth_max=3))

    with pytest.raises(LimitExceeded, match="depth_max"):
        mended(bare(a_ct(ReferencedImageSequence=outer.ReferencedImageSequence)))


def test_size_and_time_are_bounded(monkeypatch):
    source = bare(a_ct())
    hasty = Menders(seconds_max=0.0)
    with pytest.raises(LimitExceeded, match="seconds to read an odd instance"):
        hasty.mend(source)
    hasty.close()
    monkeypatch.setattr(menders, "MENDED_BYTES_MAX", len(source) - 1)
    with pytest.raises(LimitExceeded, match="MENDED_BYTES_MAX"):
        Menders().mend(source)


def test_a_refusal_of_the_process_is_ours(one_mender):
    with pytest.raises(MalformedInstance, match="ends inside an element"):
        one_mender.mend(bare(a_ct())[:-10])


@pytest.mark.parametrize("content", [b"", b"notes about patients", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"PK\3\4"])
def test_what_is_no_data_set_is_not_even_looked_at(content):
    assert not may_be_mended(content)


@given(st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), max_size=6), st.integers(0, 3000))
def test_damage_is_refused_or_gives_what_the_scanner_can_judge(flips, cut):
    source = bytearray(bare(a_ct(rows=8, columns=8)))
    for at, value in flips:
        source[at % len(source)] = value
    try:
        content = mended(bytes(source[: len(source) - cut % 40]))
        scanned(content)
    except Refused:
        pass


def test_what_pydicom_leaves_out_with_a_warning_stays_refused():
    """An undefined length without its delimiter, in an item: what follows it there is lost to pydicom, and it goes on."""
    lost = b"\x09\0\x10\0LO\4\0MADE" + b"\x09\0\x01\x10OB\0\0\xff\xff\xff\xff" + b"\x10\0\x20\0LO\6\0BN0001"
    item = b"\xfe\xff\0\xe0" + len(lost).to_bytes(4, "little") + lost
    sequence = b"\x08\0\x40\x11SQ\0\0" + len(item).to_bytes(4, "little") + item
    content = as_file(a_ct())
    at = content.index(b"\x10\0\x10\0PN")

    with pytest.raises(MalformedInstance, match="End of file reached before delimiter"):
        mended(content[:at] + sequence + content[at:])
