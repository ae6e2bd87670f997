"""Every bound of the scanner is reached by a test."""

import struct
import time
import zlib

import pytest

from kernel.dicom.scanning.part10 import META_BYTES_MAX, read_file_meta
from kernel.dicom.scanning.reencode import inflate, to_explicit_little_endian
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import LIMITS, Limits
from kernel.errors import LimitExceeded, MalformedInstance
from tests.dicom.builders import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, JPEG, SEQUENCE_END, UNDEFINED, element, item

NAME = element(0x00100010, "PN", b"NGUYEN^A")


def nested(depth: int) -> bytes:
    data = NAME
    for _ in range(depth):
        data = element(0x00081140, "SQ", item(data))
    return data


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def test_sequences_as_deep_as_the_bound_are_taken_and_one_deeper_is_refused():
    scan(nested(LIMITS.depth_max), EXPLICIT)

    with pytest.raises(LimitExceeded, match="depth_max exceeded: 33 is more than 32"):
        scan(nested(LIMITS.depth_max + 1), EXPLICIT)


def test_a_bottomless_sequence_is_refused_quickly():
    opened = struct.pack("<HH2sHIHHI", 0x0008, 0x1140, b"SQ", 0, UNDEFINED, 0xFFFE, 0xE000, UNDEFINED)

    with pytest.raises(LimitExceeded, match="depth_max"):
        scan(opened * 200_000, EXPLICIT)


@pytest.mark.parametrize("count", [11, 40])
def test_more_elements_than_the_bound_are_refused(count):
    limits = Limits(elements_max=10)
    scan(NAME * 10, EXPLICIT, limits=limits)

    with pytest.raises(LimitExceeded, match="elements_max exceeded: 11 is more than 10"):
        scan(NAME * count, EXPLICIT, limits=limits)


def test_elements_in_items_and_items_themselves_are_counted_together():
    limits = Limits(elements_max=10)
    scan(element(0x00081140, "SQ", item(NAME) * 4) + NAME, EXPLICIT, limits=limits)

    with pytest.raises(LimitExceeded, match="elements_max"):
        scan(element(0x00081140, "SQ", item(NAME) * 4) + NAME * 2, EXPLICIT, limits=limits)
    with pytest.raises(LimitExceeded, match="elements_max"):
        scan(element(0x00081140, "SQ", item(b"") * 11), EXPLICIT, limits=limits)


def test_a_header_of_millions_of_elements_is_refused_within_seconds():
    data = struct.pack("<HHI", 0x0010, 0x0010, 0) * (LIMITS.elements_max + 1)

    begun = time.process_time()
    with pytest.raises(LimitExceeded, match="elements_max"):
        scan(data, IMPLICIT)

    assert time.process_time() - begun < 20


def test_more_header_bytes_than_the_bound_are_refused_but_bulk_values_do_not_count():
    limits = Limits(header_bytes_max=1000)
    scan(NAME + element(0x00420011, "OB", b"%PDF" * 1000), EXPLICIT, limits=limits)

    with pytest.raises(LimitExceeded, match="header_bytes_max exceeded: 4028 is more than 1000"):
        scan(NAME + element(0x00400275, "UT", b"abcd" * 1000), EXPLICIT, limits=limits)


def test_more_fragments_than_the_bound_are_refused():
    limits = Limits(fragments_max=3)
    pixels = element(0x7FE00010, "OB", item(b"") + item(b"ab") * 3 + SEQUENCE_END, length=UNDEFINED)
    scan(pixels, JPEG, limits=limits)

    more = element(0x7FE00010, "OB", item(b"") + item(b"ab") * 5 + SEQUENCE_END, length=UNDEFINED)
    with pytest.raises(LimitExceeded, match="fragments_max"):
        scan(more, JPEG, limits=limits)


def test_more_garbage_after_the_pixels_than_the_bound_is_refused():
    limits = Limits(trailing_bytes_max=100)
    data = NAME + element(0x7FE00010, "OW", b"abcd")
    scan(data + b"x" * 100, EXPLICIT, limits=limits)

    for trailing in (b"x" * 101, b"\0" * 101):
        with pytest.raises(MalformedInstance, match="101 bytes after the pixel data"):
            scan(data + trailing, EXPLICIT, limits=limits)


def test_a_deflated_bomb_is_inflated_no_further_than_the_header_bound():
    bomb = raw_deflate(NAME + element(0x7FE00010, "OW", b"\0" * 50_000_000))
    assert len(bomb) < 100_000

    header = scan(bomb, DEFLATED, limits=Limits(header_bytes_max=1_000_000))

    assert len(header.buffer) == 1_000_000
    assert header.raw(0x00100010) == b"NGUYEN^A"
    assert not header.complete


def test_a_deflated_bomb_in_the_header_is_refused():
    bomb = raw_deflate(element(0x00400275, "UT", b"A" * 50_000_000))

    with pytest.raises(MalformedInstance):
        scan(bomb, DEFLATED, limits=Limits(header_bytes_max=1_000_000))


def test_a_deflated_instance_is_not_re_encoded_beyond_its_bound():
    bomb = raw_deflate(NAME + element(0x7FE00010, "OW", b"\0" * 50_000_000))

    with pytest.raises(LimitExceeded, match="inflated_bytes_max"):
        to_explicit_little_endian(bomb, DEFLATED, limits=Limits(inflated_bytes_max=1_000_000))


def test_a_big_endian_instance_is_not_re_encoded_beyond_its_bound():
    with pytest.raises(LimitExceeded, match="inflated_bytes_max"):
        to_explicit_little_endian(b"\0" * 2000, BIG_ENDIAN, limits=Limits(inflated_bytes_max=1000))


def test_a_damaged_or_cut_deflated_stream_is_refused():
    stream = raw_deflate(NAME * 1000)

    assert inflate(stream, 0, 1_000_000) == (NAME * 1000, True)
    assert inflate(stream, 0, 100) == ((NAME * 1000)[:100], False)
    with pytest.raises(MalformedInstance, match="ends too early"):
        inflate(stream[:-3], 0, 1_000_000)
    with pytest.raises(MalformedInstance, match="is damaged"):
        inflate(b"\xff" + stream, 0, 1_000_000)


def test_file_meta_information_larger_than_its_bound_is_refused():
    meta = b"\0" * 128 + b"DICM" + element(0x00020102, "OB", b"x" * META_BYTES_MAX)

    with pytest.raises(LimitExceeded, match="META_BYTES_MAX"):
        read_file_meta(meta)
