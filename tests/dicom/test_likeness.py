"""A header that is laid out as one before it is found without being walked: exactly as walking it would."""

import functools
import io
from dataclasses import replace

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from kernel.dicom.scanning import likeness
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.likeness import LAYOUTS_MAX, Layouts
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import LIMITS, scan
from kernel.errors import ExchangeError
from tests.support.builders import a_ct, as_file


@functools.cache
def a_slice(syntax: str = ExplicitVRLittleEndian, **more: object) -> bytes:
    """Return a slice with references, private elements and an element whose VR depends on another."""
    ds = a_ct(PixelRepresentation=1, SmallestImagePixelValue=0, **more)
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = ds.SOPClassUID, "1.2.3"
    ds.ReferencedImageSequence = [reference]
    block = ds.private_block(0x0019, "SIEMENS CT VA0  COAD", create=True)
    block.add_new(0x10, "DS", "1.5 ")
    return as_file(ds, syntax)


def walked(source: bytes) -> Header:
    """Return what the scanner finds when it remembers nothing: other bounds are never remembered."""
    meta = read_file_meta(source)
    return scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset, limits=replace(LIMITS, depth_max=31))


def remembering(*sources: bytes) -> tuple[Layouts, str, int]:
    layouts, meta = Layouts(), read_file_meta(sources[0])
    for source in sources:
        layouts.remember(walked(source), meta.transfer_syntax_uid)
    return layouts, meta.transfer_syntax_uid, meta.dataset_offset


def value_of(source: bytes, tag: int) -> int:
    found = walked(source).get(tag)
    assert found is not None
    return found.value_offset


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_slice_with_other_values_is_known_again_and_they_are_its_own(syntax):
    layouts, name, offset = remembering(a_slice(syntax, InstanceNumber="17"))
    other = a_slice(syntax, InstanceNumber="18")

    known = layouts.again(other, offset, name)

    assert known == walked(other)
    assert known.raw(0x00200013) == b"18"


@pytest.mark.parametrize(
    ("tag", "why"),
    [(0x00190010, "a creator says what private elements are"), (0x00280103, "a sign says how words are read")],
)
def test_a_value_that_decides_how_others_are_read_has_it_walked(tag, why):
    source = a_slice(ImplicitVRLittleEndian)
    layouts, name, offset = remembering(source)
    at = value_of(source, tag)
    other = source[:at] + bytes([source[at] ^ 1]) + source[at + 1 :]

    assert layouts.again(source, offset, name) is not None
    assert layouts.again(other, offset, name) is None, why


def test_other_lengths_have_it_walked():
    layouts, name, offset = remembering(a_slice(SeriesDescription="ab", StudyDescription="abcd"))

    other = a_slice(SeriesDescription="abcd", StudyDescription="ab")

    assert layouts.again(other, offset, name) is None


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@given(data=st.data())
def test_whatever_byte_differs_it_is_what_walking_finds(syntax, data):
    source = bytearray(a_slice(syntax))
    layouts, name, offset = remembering(bytes(source))
    last = walked(bytes(source)).pixel_data.value_offset - 1
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(offset, last))
        source[at] = data.draw(st.sampled_from([0, 1, 2, 8, 0x10, 0x20, 0x55, 0xE0, 0xFE, 0xFF, *b"SQUNOBFD"]))

    known = layouts.again(bytes(source), offset, name)

    if known is not None:
        assert known == walked(bytes(source))


@given(data=st.data())
def test_the_scanner_says_the_same_of_what_it_saw_before_and_of_what_it_did_not(data):
    source = bytearray(a_slice())
    meta = read_file_meta(bytes(source))
    scan(bytes(source), meta.transfer_syntax_uid, offset=meta.dataset_offset)
    first = meta.dataset_offset + 2  # after the group: 0002 would be file meta to `walked`, which reads that, too
    at = data.draw(st.integers(first, meta.dataset_offset + 900))
    source[at] = data.draw(st.integers(0, 255))

    def said(of) -> object:
        try:
            return of(bytes(source))
        except ExchangeError as error:
            return str(error)

    assert said(lambda one: scan(one, meta.transfer_syntax_uid, offset=meta.dataset_offset)) == said(walked)


def test_what_can_be_told_by_more_than_the_header_is_walked_each_time():
    plain = a_slice()
    ds = pydicom.dcmread(io.BytesIO(plain))
    ds.DataSetTrailingPadding = b"\0\0"
    compressed = pydicom.dcmread(io.BytesIO(plain))
    compressed.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])

    for source in (plain + b"\0\0", as_file(ds), as_file(compressed, JPEGBaseline8Bit)):
        layouts, name, offset = remembering(source)
        assert layouts.again(source, offset, name) is None


def test_a_long_header_is_walked_each_time(monkeypatch):
    monkeypatch.setattr(likeness, "LAYOUT_BYTES_MAX", 100)
    source = a_slice()
    layouts, name, offset = remembering(source)

    assert layouts.again(source, offset, name) is None


def test_so_many_layouts_are_remembered_and_the_oldest_goes():
    sources = [a_slice(SeriesDescription="ab" * number) for number in range(LAYOUTS_MAX + 1)]
    layouts, name, offset = remembering(*sources)

    assert [layouts.again(source, offset, name) is None for source in sources] == [True] + [False] * LAYOUTS_MAX


def test_what_a_layout_tells_is_asked_for_once():
    source = a_slice()
    layouts, name, offset = remembering(source)
    asked = []

    def count(elements) -> int:
        asked.append(elements)
        return len(elements)

    first, second = layouts.again(source, offset, name), layouts.again(source, offset, name)

    assert first.told_by_layout(count) == second.told_by_layout(count) == len(first.elements)
    assert len(asked) == 1
