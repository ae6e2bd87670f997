"""The scanner against pydicom on generated data sets, and against bytes that are none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.dicom.models.json_model import to_json
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.syntaxes import SYNTAXES
from kernel.errors import LimitExceeded, MalformedInstance
from tests.dicom.builders import BIG_ENDIAN, EXPLICIT, IMPLICIT, encoded, rows_of, rows_of_pydicom
from tests.dicom.strategies import data_sets

PROFILE = settings(max_examples=40)


def scan_or_refuse(data: bytes, transfer_syntax_uid: str, *, prefix: bool = False) -> Header | None:
    try:
        return scan(data, transfer_syntax_uid, prefix=prefix)
    except (MalformedInstance, LimitExceeded):
        return None


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@PROFILE
@given(ds=data_sets())
def test_the_scanner_finds_what_pydicom_finds(syntax, ds):
    data = encoded(ds, syntax)

    header = scan(data, syntax)

    assert rows_of(header) == rows_of_pydicom(data, syntax)
    assert header.end == len(data)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@PROFILE
@given(ds=data_sets())
def test_the_spans_of_elements_and_items_cover_the_data_set_without_a_gap(syntax, ds):
    data = encoded(ds, syntax)

    header = scan(data, syntax)

    def check(elements, start, end):
        position = start
        for element in elements:
            assert element.start == position
            for item in element.items or ():
                check(item.elements, item.value_offset, item.content_end)
            position = element.end
        assert position == end

    check(header.elements, 0, len(data))
    assert b"".join(data[element.start : element.end] for element in header) == data


@PROFILE
@given(ds=data_sets(words=False))
def test_a_big_endian_header_is_that_of_the_little_endian_one(ds):
    big, little = encoded(ds, BIG_ENDIAN), encoded(ds, EXPLICIT)

    header = scan(big, BIG_ENDIAN)

    assert header.reencoded
    assert rows_of(header) == rows_of(scan(little, EXPLICIT))


@PROFILE
@given(ds=data_sets(depth=1), data=st.data())
def test_a_cut_data_set_is_refused_unless_cut_between_elements(ds, data):
    whole = encoded(ds)
    cut = data.draw(st.integers(0, len(whole)))
    ends = {0} | {element.end for element in scan(whole, EXPLICIT)}

    header = scan_or_refuse(whole[:cut], EXPLICIT)

    assert (header is not None) == (cut in ends)


@settings(max_examples=200)
@given(data=st.binary(max_size=400), syntax=st.sampled_from(sorted(SYNTAXES)), prefix=st.booleans())
def test_any_bytes_are_scanned_or_refused_and_nothing_else(data, syntax, prefix):
    header = scan_or_refuse(data, syntax, prefix=prefix)

    if header is not None:
        assert to_json(header).startswith(b"{")


@settings(max_examples=100)
@given(ds=data_sets(depth=1), syntax=st.sampled_from([EXPLICIT, IMPLICIT, BIG_ENDIAN]), data=st.data())
def test_damaged_data_sets_are_scanned_or_refused_and_nothing_else(ds, syntax, data):
    damaged = bytearray(encoded(ds, syntax) + b"\x10\x00\x10\x00PN\x02\x00AB")
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))

    header = scan_or_refuse(bytes(damaged), syntax)

    if header is not None:
        assert to_json(header).startswith(b"{")
