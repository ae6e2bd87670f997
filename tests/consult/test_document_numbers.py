"""Versions of documents are told apart by a number that a stranger may have written."""

import io
import struct

import pytest
from pydicom.dataset import Dataset

from consult.documents import number_of
from consult.findings.others import newest_of_ours
from kernel.dicom.scanning.part10 import file_meta, open_dataset
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_VERSION_NAME

SR = "1.2.840.10008.5.1.4.1.1.88.33"
EXPLICIT = "1.2.840.10008.1.2.1"


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def a_document(instance_number: bytes | None) -> Dataset:
    """Return a report of this program's name, as it is read from a file."""
    numbered = b"" if instance_number is None else element(0x20, 0x13, b"IS", instance_number)
    maker = element(0x08, 0x70, b"LO", IMPLEMENTATION_VERSION_NAME.encode())
    content = maker + element(0x20, 0x0E, b"UI", b"1.2.1") + numbered
    return open_dataset(io.BytesIO(file_meta(SR, "1.2.3", EXPLICIT) + content))


@pytest.mark.parametrize(
    ("told", "number"), [(b"3", 3), (b"", 0), (None, 0), (b"1\\2", 0), (b"abc", 0), (b"99999999999", 99999999999)]
)
def test_a_number_that_is_none_counts_as_the_oldest(told, number):
    odd, first = a_document(told), a_document(b"1")

    assert number_of(odd) == number
    assert newest_of_ours([odd, first]) == [odd if number else first]
