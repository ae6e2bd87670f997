"""Instances in odd encodings go through the same engine and the same search as any other; what nobody reads is held."""

import struct

import pytest
from pydicom.encaps import encapsulate

from anonymizer.engine.opening import in_little_endian, opened
from anonymizer.profiles.profile import load
from anonymizer.release import Released, release
from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN as EXPLICIT
from kernel.dicom.vocabulary.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN as IMPLICIT
from kernel.dicom.vocabulary.uids import JPEG_BASELINE
from kernel.errors import MalformedInstance
from tests.anonymizer.conftest import read
from tests.dicom.builders import encoded
from tests.support.builders import a_ct, as_dataset_bytes, as_file
from tests.support.odd_files import ODD, bare
from tests.wsi.builders import jpeg, texture

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about what is odd


def patient():
    return a_ct(
        PatientName="Nguyễn^Thị Hương",
        PatientID="BN0012345",
        Manufacturer="of Nguyen Thi Huong",
        ImageComments="BN0012345, gọi 0912345678",
        OperatorsName="Đoàn^Tuấn",
    )


def released(source: bytes, keys, profile: str = "tele-read") -> tuple[Released, bytes]:
    given, _, header = opened(source)
    result = release(given, header, profile=load(profile), keys=keys, issuer="bv-huyen")
    assert isinstance(result, Released)
    return result, result.made.to_bytes(given)


@pytest.mark.parametrize("how", list(ODD))
def test_an_odd_file_becomes_what_the_ordinary_one_becomes(how, keys):
    plain, _ = released(as_file(patient()), keys)

    result, content = released(ODD[how](patient()), keys)

    given = read(content)
    assert given.PixelData == patient().PixelData
    assert result.made.identity == plain.made.identity
    for word in ("Huong", "Hương", "0012345", "0912345678", "Tuấn"):
        assert word.encode() not in content
    assert given.Manufacturer == "of [REMOVED]"


def test_an_ordinary_file_is_not_copied(keys):
    source = as_file(patient())

    assert opened(source).source is source
    assert in_little_endian(source).source is source


def compressed(declared: str) -> bytes:
    """A file with an implicit header before a JPEG frame with words in it."""
    ds = patient()
    del ds.PixelData
    words = b"Nguyen Thi Huong"
    frame = jpeg(texture(64, 64))
    frame = frame[:2] + b"\xff\xfe" + struct.pack(">H", len(words) + 2) + words + frame[2:]
    value = encapsulate([frame + b"\0" * (len(frame) % 2)]) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    pixels = struct.pack("<HHI", 0x7FE0, 0x10, 0xFFFFFFFF) + value
    return file_meta(ds.SOPClassUID, ds.SOPInstanceUID, declared) + encoded(ds, IMPLICIT) + pixels


def as_a_route_does(source: bytes, keys) -> bytes:
    """De-identify what the archive keeps, which scanned it without asking pydicom."""
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    result = release(source, header, profile=load("tele-read"), keys=keys, issuer="bv-huyen")
    assert isinstance(result, Released)
    return result.made.to_bytes(source)


def test_compressed_frames_behind_an_implicit_header_leave_behind_an_explicit_one_on_every_way(keys):
    source = compressed(JPEG_BASELINE)

    content = as_a_route_does(source, keys)

    meta = read_file_meta(content)
    assert meta.transfer_syntax_uid == JPEG_BASELINE
    assert content[meta.dataset_offset + 4 : meta.dataset_offset + 6] == b"CS"  # Specific Character Set
    assert not scan(content, JPEG_BASELINE, offset=meta.dataset_offset).implicit
    assert b"Huong" not in content
    assert released(source, keys)[1] == content


@pytest.mark.parametrize("declared", [IMPLICIT, EXPLICIT])
def test_compressed_frames_of_which_nothing_says_how_do_not_leave(keys, declared):
    with pytest.raises(MalformedInstance, match="its pixel data is compressed, and nothing says how"):
        as_a_route_does(compressed(declared), keys)
    with pytest.raises(MalformedInstance, match="its pixel data is compressed, and nothing says how"):
        released(compressed(declared), keys)


def test_pixels_without_the_frames_that_the_transfer_syntax_says_do_not_leave(keys):
    ds = patient()
    source = file_meta(ds.SOPClassUID, ds.SOPInstanceUID, JPEG_BASELINE) + as_dataset_bytes(ds)

    with pytest.raises(MalformedInstance, match="its pixel data is not compressed, as its transfer syntax says"):
        as_a_route_does(source, keys)


@pytest.mark.parametrize("source", [bare(a_ct())[:-10], b"\x08\0" + b"x" * 400, b"", b"notes"])
def test_what_neither_reads_is_refused_in_the_words_of_the_scanner(source):
    with pytest.raises(MalformedInstance, match="it has no DICM prefix"):
        opened(source)
