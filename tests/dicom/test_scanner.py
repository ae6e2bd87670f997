"""What the scanner finds, and what it takes although it is not quite right."""

import mmap

import pytest

from kernel.dicom.scanning.elements import UNDEFINED
from kernel.dicom.scanning.scanner import scan
from kernel.errors import MalformedInstance
from tests.dicom.builders import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    SEQUENCE_END,
    element,
    implicit_element,
    item,
    rows_of,
)

NAME = element(0x00100010, "PN", b"NGUYEN^A")
ROWS = element(0x00280010, "US", b"\x02\x00")
PIXELS = element(0x7FE00010, "OW", b"\1\2\3\4\5\6\7\x08")
ENCAPSULATED = element(0x7FE00010, "OB", item(b"") + item(b"\xff\xd8abcd") + SEQUENCE_END, length=UNDEFINED)


def test_an_element_says_where_it_begins_where_its_value_is_and_where_it_ends():
    data = b"preamble" + NAME + ROWS

    header = scan(data, EXPLICIT, offset=8)

    name, rows = header
    assert (name.tag, name.vr, name.start, name.value_offset, name.length, name.end) == (0x00100010, "PN", 8, 16, 8, 24)
    assert (rows.tag, rows.start, rows.end, rows.depth, rows.items) == (0x00280010, 24, 34, 0, None)
    assert header.value(name) == b"NGUYEN^A"
    assert header.raw(0x00280010) == b"\x02\x00"
    assert header.get(0x00280011) is None
    assert header.raw(0x00280011) == b""


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_scanned(kind):
    header = scan(kind(NAME + PIXELS), EXPLICIT)

    assert header.raw(0x00100010) == b"NGUYEN^A"


def test_a_mapped_file_is_scanned_without_reading_its_pixels(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(NAME + element(0x7FE00010, "OW", b"", length=2_000_000_000))
        file.truncate(len(NAME) + 12 + 2_000_000_000)

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        header = scan(mapped, EXPLICIT)

    assert header.pixel_data is not None
    assert header.pixel_data.length == 2_000_000_000
    assert path.stat().st_blocks * 512 < 1_000_000


def test_items_of_a_sequence_are_spans_with_elements():
    data = element(0x00081140, "SQ", item(NAME) + item(ROWS, undefined=True) + SEQUENCE_END, length=UNDEFINED) + ROWS

    header = scan(data, EXPLICIT)

    sequence, rows = header
    assert sequence.items is not None
    first, second = sequence.items
    assert (first.start, first.value_offset, first.length, first.content_end, first.end) == (12, 20, 16, 36, 36)
    assert (second.start, second.length, second.content_end, second.end) == (36, UNDEFINED, 54, 62)
    assert (sequence.length, sequence.end, rows.start) == (UNDEFINED, 70, 70)
    assert [one.depth for one in header.walk()] == [0, 1, 1, 0]


def test_an_empty_sequence_has_no_items():
    header = scan(element(0x00081140, "SQ", b"") + element(0x00081150, "SQ", SEQUENCE_END, length=UNDEFINED), EXPLICIT)

    assert [one.items for one in header] == [(), ()]


def test_pixel_data_is_located_apart_from_the_elements():
    after = element(0xFFFCFFFC, "OB", b"\0\0")
    header = scan(NAME + PIXELS + after, EXPLICIT)

    assert [one.tag for one in header] == [0x00100010, 0xFFFCFFFC]
    pixels = header.pixel_data
    assert pixels is not None
    assert (pixels.vr, pixels.start, pixels.value_offset, pixels.length, pixels.end) == ("OW", 16, 28, 8, 36)
    assert header.complete


def test_encapsulated_pixel_data_ends_after_its_delimiter_and_what_follows_is_found():
    header = scan(NAME + ENCAPSULATED + element(0xFFFCFFFC, "OB", b"\0\0"), JPEG)

    pixels = header.pixel_data
    assert pixels is not None
    assert pixels.is_encapsulated
    assert pixels.end == len(NAME + ENCAPSULATED)
    assert header.elements[-1].tag == 0xFFFCFFFC


def test_encapsulated_pixels_of_an_icon_are_an_element_of_their_item():
    icon = element(0x00880200, "SQ", item(ROWS + ENCAPSULATED))

    header = scan(NAME + icon + PIXELS, EXPLICIT)

    inside = list(header.walk())[-1]
    assert (inside.tag, inside.length, inside.items) == (0x7FE00010, UNDEFINED, None)
    assert header.pixel_data is not None
    assert header.pixel_data.vr == "OW"


@pytest.mark.parametrize("pixels", [PIXELS, ENCAPSULATED])
def test_a_prefix_may_end_inside_the_pixel_data(pixels):
    for length in range(len(NAME) + 12, len(NAME + pixels)):
        header = scan((NAME + pixels)[:length], JPEG, prefix=True)

        assert not header.complete
        assert header.pixel_data is not None
        assert header.raw(0x00100010) == b"NGUYEN^A"


@pytest.mark.parametrize("pixels", [PIXELS, ENCAPSULATED])
def test_an_instance_cut_inside_its_pixel_data_is_refused(pixels):
    for length in range(len(NAME) + 1, len(NAME + pixels)):
        with pytest.raises(MalformedInstance):
            scan((NAME + pixels)[:length], JPEG)


def test_a_prefix_that_ends_before_the_pixel_data_is_refused():
    with pytest.raises(MalformedInstance, match=r"\(0010,0010\) is longer than what holds it"):
        scan(NAME[:-2], EXPLICIT, prefix=True)


@pytest.mark.parametrize("after", [b"\0", b"\0" * 7, b"\0" * 8, b"\0" * 1000])
def test_zeros_after_the_last_element_are_padding(after):
    assert scan(NAME + after, EXPLICIT).end == len(NAME)
    assert scan(implicit_element(0x00100010, b"A^") + after, IMPLICIT).end == 10
    assert scan(NAME + PIXELS + after, EXPLICIT).end == len(NAME + PIXELS)


@pytest.mark.parametrize("after", [b"x", b"garbage", b"more than eight bytes of garbage"])
def test_garbage_after_the_pixel_data_is_overlooked_and_garbage_after_a_header_is_not(after):
    assert scan(NAME + PIXELS + after, EXPLICIT).end == len(NAME + PIXELS)
    with pytest.raises(MalformedInstance):
        scan(NAME + after, EXPLICIT)


def test_an_un_of_undefined_length_is_a_sequence_of_implicit_items():
    inner = implicit_element(0x00081150, b"1.2\0") + implicit_element(0x00100010, b"A^B ")
    data = element(0x00091010, "UN", item(inner, undefined=True) + SEQUENCE_END, length=UNDEFINED) + NAME

    header = scan(data, EXPLICIT)

    assert rows_of(header) == [
        (0x00091010, "SQ", 1, 0),
        (0x00081150, "UI", b"1.2\0", 1),
        (0x00100010, "PN", b"A^B ", 1),
        (0x00100010, "PN", b"NGUYEN^A", 0),
    ]
    assert [one.implicit for one in header.walk()] == [False, True, True, False]


def test_a_sequence_that_somebody_encoded_as_un_is_walked_and_one_that_is_none_is_left_alone():
    inner = item(implicit_element(0x00100010, b"A^B "))
    sequence = element(0x00081120, "UN", inner)
    opaque = element(0x00081140, "UN", b"\xfe\xff\x00\xe0\xff\xff\x00\x00")

    header = scan(sequence + opaque, EXPLICIT)

    assert rows_of(header) == [
        (0x00081120, "SQ", 1, 0),
        (0x00100010, "PN", b"A^B ", 1),
        (0x00081140, "UN", b"\xfe\xff\x00\xe0\xff\xff\x00\x00", 0),
    ]


def test_a_known_attribute_that_somebody_encoded_as_un_has_its_own_vr():
    header = scan(element(0x00100010, "UN", b"A^B "), EXPLICIT)

    assert rows_of(header) == [(0x00100010, "PN", b"A^B ", 0)]


def test_private_attributes_of_published_creators_have_their_vr_and_others_are_unknown():
    header = scan(
        implicit_element(0x00190010, b"GEMS_ACQU_01")
        + implicit_element(0x00191002, b"\x10\x00\x00\x00")
        + implicit_element(0x00210010, b"NOBODY")
        + implicit_element(0x00211002, b"\x10\x00"),
        IMPLICIT,
    )

    assert [one.vr for one in header] == ["LO", "SL", "LO", "UN"]


def test_values_that_are_signed_by_pixel_representation_are_known_in_implicit_data_sets():
    smallest = implicit_element(0x00280106, b"\xff\xff")

    unsigned = scan(implicit_element(0x00280103, b"\0\0") + smallest, IMPLICIT)
    signed = scan(implicit_element(0x00280103, b"\1\0") + smallest, IMPLICIT)

    assert [one.vr for one in unsigned] == ["US", "US"]
    assert [one.vr for one in signed] == ["US", "SS"]


def test_repeating_groups_and_group_lengths_have_their_vr_in_implicit_data_sets():
    header = scan(
        implicit_element(0x00080000, b"\0\0\0\0")
        + implicit_element(0x60020010, b"\x10\0")
        + implicit_element(0x60023000, b"\0\0"),
        IMPLICIT,
    )

    assert [one.vr for one in header] == ["UL", "US", "OW"]


def test_a_data_set_declared_implicit_that_is_explicit_is_read_as_it_is():
    assert rows_of(scan(NAME + ROWS, IMPLICIT)) == rows_of(scan(NAME + ROWS, EXPLICIT))


def test_a_data_set_declared_explicit_that_is_implicit_is_read_as_it_is():
    header = scan(implicit_element(0x00100010, b"A^B ") + implicit_element(0x00280010, b"\2\0"), EXPLICIT)

    assert header.implicit
    assert rows_of(header) == [(0x00100010, "PN", b"A^B ", 0), (0x00280010, "US", b"\2\0", 0)]


def test_an_implicit_item_in_an_explicit_sequence_is_read_as_it_is():
    header = scan(element(0x00081140, "SQ", item(implicit_element(0x00100010, b"A^B "))) + NAME, EXPLICIT)

    assert [(one.tag, one.implicit) for one in header.walk()][1:] == [(0x00100010, True), (0x00100010, False)]


def test_a_vr_of_a_later_edition_is_unknown_with_a_long_length():
    later = element(0x00100010, "UN", b"ABCD").replace(b"UN", b"ZZ")

    assert rows_of(scan(later + ROWS, EXPLICIT))[0] == (0x00100010, "UN", b"ABCD", 0)


@pytest.mark.parametrize("vr", [b"??", b"  ", b"\0\0"])
def test_a_vr_that_is_none_has_a_short_length(vr):
    strange = NAME.replace(b"PN", vr)

    assert rows_of(scan(ROWS + strange + ROWS, EXPLICIT))[1] == (0x00100010, "UN", b"NGUYEN^A", 0)


def test_odd_lengths_and_empty_values_are_taken():
    header = scan(element(0x00100010, "PN", b"ABC") + element(0x00100020, "LO", b"") + ROWS, EXPLICIT)

    assert [one.length for one in header] == [3, 0, 2]


def test_group_two_inside_the_data_set_is_found():
    assert scan(element(0x00020010, "UI", b"1.2\0") + NAME, EXPLICIT).get(0x00020010) is not None


def test_of_a_repeated_element_the_last_one_is_got_and_both_are_seen():
    header = scan(NAME + element(0x00100010, "PN", b"B^"), EXPLICIT)

    assert header.raw(0x00100010) == b"B^"
    assert len(header.elements) == 2


def test_an_item_delimiter_at_the_end_of_an_item_of_known_length_is_harmless():
    closed = item(NAME + b"\xfe\xff\x0d\xe0\0\0\0\0")

    header = scan(element(0x00081140, "SQ", closed) + ROWS, EXPLICIT)

    assert [one.tag for one in header.walk()] == [0x00081140, 0x00100010, 0x00280010]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (element(0x00081140, "SQ", item(NAME), length=UNDEFINED), "ends without its delimiter"),
        (element(0x00081140, "SQ", NAME), "where an item of"),
        (element(0x00081140, "SQ", item(NAME), length=100), "longer than what holds it"),
        (element(0x00081140, "SQ", item(NAME)[:-1]), "an item is longer than its sequence"),
        (element(0x00081140, "SQ", item(NAME + b"\0\0\0")), "3 bytes that are no element"),
        (
            element(0x00081140, "SQ", item(NAME + b"\xfe\xff\x0d\xe0\0\0\0\0" + ROWS)),
            "an item delimiter without its item",
        ),
        (b"\xfe\xff\x0d\xe0\0\0\0\0" + NAME, "an item delimiter without its item"),
        (b"\xfe\xff\x00\xe0\0\0\0\0" + NAME, "where an element should be"),
        (element(0x00100010, "UT", b"abc", length=UNDEFINED), "longer than what holds it"),
        (b"\0\0\x02\0\x04\0\0\0abcd" + NAME, "where an element should be"),
        (NAME + element(0x7FE00010, "OB", NAME, length=UNDEFINED), "among the fragments"),
        (b"<!DOCTYPE html><html>", "Not a readable DICOM data set"),
    ],
)
def test_what_is_no_data_set_is_refused_with_the_reason(data, reason):
    with pytest.raises(MalformedInstance, match=reason):
        scan(data, EXPLICIT)


def test_an_empty_data_set_has_no_elements():
    assert scan(b"", EXPLICIT).elements == ()


def test_elements_are_found_by_their_path():
    data = element(0x00081140, "SQ", item(ROWS) + item(NAME)) + ROWS
    header = scan(data, EXPLICIT)

    found = header.resolve("00081140/1/00100010")

    assert found is not None
    assert header.value(found) == b"NGUYEN^A"
    assert header.resolve("00280010") == header.get(0x00280010)
    for wrong in (
        "",
        "00081140/2/00100010",
        "00081140/x/00100010",
        "00081140/-1/00100010",
        "00081140/0",
        "zz",
        "00280010/0/00100010",
    ):
        assert header.resolve(wrong) is None


def test_a_big_endian_header_is_explicit_little_endian_and_its_pixels_are_located_in_the_source():
    data = b"\x00\x28\x00\x10US\x00\x02\x00\x05" + b"\x7f\xe0\x00\x10OW\0\0\0\0\0\x04\1\2\3\4"

    header = scan(data, BIG_ENDIAN)

    assert header.reencoded
    assert header.raw(0x00280010) == b"\x05\x00"
    assert header.pixel_data is not None
    assert data[header.pixel_data.value_offset :][: header.pixel_data.length] == b"\1\2\3\4"
