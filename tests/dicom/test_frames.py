"""Where frames are: native, bit-packed, in fragments, by tables and without."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, encapsulate_extended

from kernel.dicom.pixels.frames import FRAMES_MAX, FrameMap, Span, locate_frames
from kernel.dicom.pixels.image import image_pixel
from kernel.dicom.pixels.reading import open_pixels
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import LIMITS, Limits
from kernel.errors import LimitExceeded, MalformedInstance, NotFound
from tests.dicom.builders import EXPLICIT, JPEG, SEQUENCE_END, UNDEFINED, element, item, part10


def header_bytes(frames: int, *, rows: int = 2, columns: int = 2, bits: int = 8, samples: int = 1) -> bytes:
    def word(value: int) -> bytes:
        return struct.pack("<H", value)

    number = str(frames).encode()
    return (
        element(0x00280002, "US", word(samples))
        + element(0x00280004, "CS", b"MONOCHROME2 ")
        + element(0x00280008, "IS", number + b" " * (len(number) % 2))
        + element(0x00280010, "US", word(rows))
        + element(0x00280011, "US", word(columns))
        + element(0x00280100, "US", word(bits))
        + element(0x00280101, "US", word(bits))
    )


def located(data: bytes, syntax: str = JPEG, limits: Limits = LIMITS) -> FrameMap:
    header = scan(data, syntax)
    return locate_frames(data, header, image_pixel(header), limits=limits)


def encapsulated(frames: int, value: bytes, before: bytes = b"") -> bytes:
    return header_bytes(frames) + before + element(0x7FE00010, "OB", value + SEQUENCE_END, length=UNDEFINED)


def test_native_frames_follow_each_other():
    data = header_bytes(3) + element(0x7FE00010, "OB", b"aaaabbbbcccc") + element(0xFFFCFFFC, "OB", b"\0\0")

    frames = located(data, EXPLICIT)

    start = data.index(b"aaaa")
    assert [frames.spans(data, n) for n in range(3)] == [(Span(start + 4 * n, 4),) for n in range(3)]
    assert frames.read(data, 1) == b"bbbb"


def test_bit_packed_frames_share_bytes_and_are_shifted_when_read():
    bits = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0], dtype=np.uint8)  # three frames of five pixels
    packed = np.packbits(bits, bitorder="little").tobytes()
    data = header_bytes(3, rows=1, columns=5, bits=1) + element(0x7FE00010, "OB", packed)

    frames = located(data, EXPLICIT)

    assert [frames.is_aligned(n) for n in range(3)] == [True, False, False]
    start = len(data) - len(packed)
    assert frames.spans(data, 1) == (Span(start, 2),)
    for n in range(3):
        unpacked = np.unpackbits(np.frombuffer(frames.read(data, n), np.uint8), count=5, bitorder="little")
        assert unpacked.tolist() == bits[5 * n : 5 * n + 5].tolist()


def test_pixel_data_shorter_than_its_frames_is_refused():
    with pytest.raises(MalformedInstance, match="3 frames need 12 bytes, the pixel data has 10"):
        located(header_bytes(3) + element(0x7FE00010, "OB", b"x" * 10), EXPLICIT)


@pytest.mark.parametrize("has_bot", [True, False])
@pytest.mark.parametrize("fragments", [1, 3])
def test_frames_are_found_by_the_basic_offset_table_and_without_it(has_bot, fragments):
    streams = [b"\xff\xd8" + bytes([65 + n]) * (10 + 2 * n) for n in range(4)]
    data = encapsulated(4, encapsulate(streams, fragments_per_frame=fragments, has_bot=has_bot))

    frames = located(data)

    assert [frames.read(data, n) for n in range(4)] == streams
    assert {len(frames.spans(data, n)) for n in range(4)} == {fragments}


def test_frames_are_found_by_the_extended_offset_table_with_their_true_length():
    streams = [b"\xff\xd8odd", b"\xff\xd8even", b"\xff\xd8x"]
    value, offsets, _ = encapsulate_extended(streams)
    lengths = struct.pack("<3Q", *map(len, streams))  # pydicom counts the padding too
    tables = element(0x7FE00001, "OV", offsets) + element(0x7FE00002, "OV", lengths)
    data = encapsulated(3, value, tables)

    frames = located(data)

    assert [frames.read(data, n) for n in range(3)] == streams
    assert [len(frames.spans(data, n)) for n in range(3)] == [1, 1, 1]


def test_an_extended_offset_table_that_is_wrong_is_not_used():
    value, offsets, lengths = encapsulate_extended([b"\xff\xd8aa", b"\xff\xd8bb"])
    wrong = struct.pack("<QQ", 0, 2**40)
    for tables in ((wrong, lengths), (offsets, struct.pack("<QQ", 4, 400)), (offsets[:8], lengths)):
        before = element(0x7FE00001, "OV", tables[0]) + element(0x7FE00002, "OV", tables[1])
        data = encapsulated(2, value, before)

        assert located(data).read(data, 1) == b"\xff\xd8bb"


@pytest.mark.parametrize("table", [(0, 0), (4, 12), (0, 2**31), (0, 11), (12, 0)])
def test_a_basic_offset_table_that_is_wrong_is_not_used(table):
    data = encapsulated(2, item(struct.pack("<II", *table)) + item(b"\xff\xd8aa") + item(b"\xff\xd8bb"))

    assert [located(data).read(data, n) for n in range(2)] == [b"\xff\xd8aa", b"\xff\xd8bb"]


def test_a_wrong_entry_that_was_not_looked_at_is_found_when_its_frame_is_read():
    streams = [b"\xff\xd8aa"] * 100
    offsets = [12 * n for n in range(100)]
    offsets[50] += 2
    data = encapsulated(100, item(struct.pack("<100I", *offsets)) + b"".join(map(item, streams)))

    frames = located(data)

    assert frames.read(data, 10) == b"\xff\xd8aa"
    for index in (49, 50):
        with pytest.raises(MalformedInstance, match="the offset table contradicts the fragments"):
            frames.read(data, index)


def test_all_fragments_of_a_single_frame_are_its_own():
    data = encapsulated(1, item(b"") + item(b"\xff\xd8") + item(b"ab") + item(b"cd"))

    frames = located(data)

    assert frames.read(data, 0) == b"\xff\xd8abcd"
    assert len(frames.spans(data, 0)) == 3


@pytest.mark.parametrize("start", [b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "])
def test_frames_in_many_fragments_without_a_table_begin_where_a_codestream_begins(start):
    data = encapsulated(2, item(b"") + item(start + b"aa") + item(b"bb") + item(start) + item(b"cc") + item(b"dd"))

    frames = located(data)

    assert [frames.read(data, n) for n in range(2)] == [start + b"aabb", start + b"ccdd"]


def test_frames_that_cannot_be_told_apart_are_refused():
    data = encapsulated(2, item(b"") + item(b"aa") + item(b"bb") + item(b"cc"))

    with pytest.raises(MalformedInstance, match="2 frames cannot be told apart in 3 fragments"):
        located(data)


def test_a_frame_that_is_not_there_is_not_found():
    data = header_bytes(3) + element(0x7FE00010, "OB", b"aaaabbbbcccc")
    frames = located(data, EXPLICIT)

    for index in (-1, 3):
        with pytest.raises(NotFound, match=f"There is no such frame {index + 1}"):
            frames.spans(data, index)


def test_more_frames_than_the_bound_are_refused():
    with pytest.raises(LimitExceeded, match="FRAMES_MAX"):
        located(header_bytes(FRAMES_MAX + 1) + element(0x7FE00010, "OB", b"ab"), EXPLICIT)


def test_more_fragments_than_the_bound_are_refused():
    data = encapsulated(2, item(b"") + item(b"ab") * 4)

    with pytest.raises(LimitExceeded, match="fragments_max"):
        located(data, limits=Limits(fragments_max=3))


def test_an_instance_without_pixel_data_has_no_frames():
    with pytest.raises(NotFound, match="pixel data in this instance"):
        located(header_bytes(1), EXPLICIT)


@pytest.mark.parametrize("tag", [0x00280010, 0x00280011, 0x00280100])
def test_pixel_data_without_its_arrangement_is_refused(tag):
    data = header_bytes(1).replace(struct.pack("<HH", tag >> 16, tag & 0xFFFF), struct.pack("<HH", 0x28, 0x15))

    with pytest.raises(MalformedInstance, match="Rows, Columns or Bits Allocated are missing"):
        located(data + element(0x7FE00010, "OB", b"abcd"), EXPLICIT)


@settings(max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=12), st.booleans())
def test_whatever_pydicom_encapsulates_is_read_back(payloads, has_bot):
    streams = [b"\xff\xd8" + payload for payload in payloads]
    data = encapsulated(len(streams), encapsulate(streams, has_bot=has_bot))

    frames = located(data)

    for n, stream in enumerate(streams):
        assert frames.read(data, n).rstrip(b"\0") == stream.rstrip(b"\0")


def test_a_file_is_served_by_spans_that_another_reader_of_the_file_can_use(tmp_path):
    path = tmp_path / "two-frames"
    data = encapsulated(2, encapsulate([b"\xff\xd8first!", b"\xff\xd8second"]))
    path.write_bytes(part10(data, JPEG))

    with open_pixels(path) as pixels:
        assert pixels.is_as_stored
        spans = pixels.spans(1)

    with path.open("rb") as file:
        file.seek(spans[0].offset)
        assert file.read(spans[0].length) == b"\xff\xd8second"
