"""Instances in odd encodings go through the same engine and the same search as any other; what nobody reads is held."""

import pytest

from anonymizer.engine.opening import in_little_endian, opened
from anonymizer.profiles.profile import load
from anonymizer.release import Released, release
from kernel.errors import MalformedInstance
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file
from tests.support.odd_files import ODD, bare

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


@pytest.mark.parametrize("source", [bare(a_ct())[:-10], b"\x08\0" + b"x" * 400, b"", b"notes"])
def test_what_neither_reads_is_refused_in_the_words_of_the_scanner(source):
    with pytest.raises(MalformedInstance, match="it has no DICM prefix"):
        opened(source)
