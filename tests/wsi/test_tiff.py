"""TIFF directories are read whatever their order and width, and nothing in them is believed."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import ExchangeError, LimitExceeded, MalformedSlide
from tests.wsi.builders import ASCII, LONG, RATIONAL, SHORT, Field, Picture, a_tiff, an_svs
from wsi.limits import DIRECTORIES_MAX, ENTRIES_MAX
from wsi.tiff import Tag, directories, sub_directories

PICTURE = Picture(
    {
        Tag.IMAGE_WIDTH: Field(LONG, [300]),
        Tag.IMAGE_LENGTH: Field(SHORT, [200]),
        Tag.BITS_PER_SAMPLE: Field(SHORT, [8, 8, 8]),
        Tag.IMAGE_DESCRIPTION: Field(ASCII, "Bệnh viện\0rest".encode()),
        Tag.X_RESOLUTION: Field(RATIONAL, [(80000, 2)]),
    }
)


@pytest.mark.parametrize("big", [False, True], ids=["classic", "Big"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big endian"])
def test_both_widths_and_orders_say_the_same(big, order):
    first, second = directories(a_tiff(PICTURE, PICTURE, big=big, order=order))

    for directory in (first, second):
        assert directory.integer(Tag.IMAGE_WIDTH) == 300
        assert directory.integer(Tag.IMAGE_LENGTH) == 200
        assert directory.integers(Tag.BITS_PER_SAMPLE, count_max=3).tolist() == [8, 8, 8]
        assert directory.text(Tag.IMAGE_DESCRIPTION, bytes_max=100) == "Bệnh viện"
        assert directory.rational(Tag.X_RESOLUTION) == 40000
        assert directory.rational(Tag.Y_RESOLUTION) is None
        assert Tag.TILE_OFFSETS not in directory


def test_a_text_that_is_no_utf_8_is_read_as_latin_1():
    picture = Picture({Tag.SOFTWARE: Field(ASCII, b"\xb5m scanner\0")})

    assert directories(a_tiff(picture))[0].text(Tag.SOFTWARE, bytes_max=100) == "µm scanner"


def test_directories_in_a_circle_are_refused():
    with pytest.raises(MalformedSlide, match="circle"):
        directories(a_tiff(PICTURE, PICTURE, loop=True))


def test_as_many_directories_as_may_be_are_read_and_one_more_is_not():
    assert len(directories(a_tiff(*[PICTURE] * DIRECTORIES_MAX))) == DIRECTORIES_MAX
    with pytest.raises(LimitExceeded):
        directories(a_tiff(*[PICTURE] * (DIRECTORIES_MAX + 1)))


def test_as_many_fields_as_may_be_are_read_and_one_more_is_not():
    def fields(count: int) -> Picture:
        return Picture({40_000 + number: Field(SHORT, [1]) for number in range(count)})

    assert len(directories(a_tiff(fields(ENTRIES_MAX)))) == 1
    with pytest.raises(LimitExceeded):
        directories(a_tiff(fields(ENTRIES_MAX + 1)))


def test_values_past_the_end_of_the_file_are_refused():
    whole = a_tiff(Picture({Tag.IMAGE_DESCRIPTION: Field(ASCII, b"x" * 100)}))
    lying = whole.replace(struct.pack("<HHI", 270, 2, 100), struct.pack("<HHI", 270, 2, 0xFFFFFFF0))

    with pytest.raises(MalformedSlide, match="past the end"):
        directories(lying)


@pytest.mark.parametrize("missing", range(1, 72, 7))
def test_a_file_cut_off_in_its_directory_is_refused(missing):
    with pytest.raises(MalformedSlide, match="past the end"):
        directories(a_tiff(PICTURE)[:-missing])


def test_a_description_longer_than_its_bound_is_refused():
    directory = directories(a_tiff(Picture({Tag.IMAGE_DESCRIPTION: Field(ASCII, b"x" * 100)})))[0]

    assert len(directory.octets(Tag.IMAGE_DESCRIPTION, bytes_max=100)) == 100
    with pytest.raises(LimitExceeded):
        directory.octets(Tag.IMAGE_DESCRIPTION, bytes_max=99)


def test_reduced_images_are_found_where_a_directory_names_them():
    whole = a_tiff(PICTURE, Picture({Tag.IMAGE_WIDTH: Field(LONG, [150])}))
    second = directories(whole)[1].offset
    parent = Picture({**PICTURE.fields, Tag.SUB_IFDS: Field(LONG, [second])})
    moved = a_tiff(Picture({}), Picture({Tag.IMAGE_WIDTH: Field(LONG, [150])}), parent)
    offset = directories(moved)[1].offset
    named = moved.replace(struct.pack("<HHII", 330, 4, 1, second), struct.pack("<HHII", 330, 4, 1, offset))

    (sub,) = sub_directories(named, directories(named)[2])

    assert sub.integer(Tag.IMAGE_WIDTH) == 150


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_our_errors(noise):
    with contextlib.suppress(ExchangeError):
        directories(b"II*\0" + noise)


SVS = an_svs()


@given(st.integers(0, len(SVS) - 1), st.integers(0, 255), st.integers(1, len(SVS)))
def test_a_damaged_slide_raises_nothing_but_our_errors(position, value, size):
    damaged = bytearray(SVS)
    damaged[position] = value
    try:
        for directory in directories(bytes(damaged[:size])):
            directory.integers(Tag.TILE_OFFSETS, count_max=1000)
            directory.text(Tag.IMAGE_DESCRIPTION, bytes_max=1000)
    except ExchangeError:
        pass


def test_an_offset_beyond_every_address_is_refused():
    lying = bytearray(a_tiff(PICTURE, big=True))
    lying[8:16] = b"\xf0" + b"\xff" * 7

    with pytest.raises(MalformedSlide, match="past the end"):
        directories(bytes(lying))
