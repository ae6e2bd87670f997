"""Stored tiles are completed without changing a pixel, and leave without what a scanner wrote beside them."""

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kernel.errors import ExchangeError, MalformedSlide
from tests.wsi.builders import jpeg, pixels_of, texture
from wsi.jpeg import ICC_SPLICED_BYTES_MAX, completion, frame_of, segments, tables_of

TILE = jpeg(texture(64, 48))


def parted(stream: bytes) -> tuple[bytes, bytes]:
    """Take a JPEG's tables away, as TIFF keeps it: (tables, tile)."""
    tables = [segment for segment in segments(stream) if segment.marker in (0xDB, 0xC4)]
    bare = stream
    for segment in reversed(tables):
        bare = bare[: segment.start] + bare[segment.end :]
    return b"\xff\xd8" + b"".join(stream[one.start : one.end] for one in tables) + b"\xff\xd9", bare


def test_a_tile_with_its_tables_back_shows_the_same_pixels():
    tables, bare = parted(TILE)

    whole = completion(tables_of(tables), "YCbCr", b"", 64, 48).complete(bare)

    assert np.array_equal(pixels_of(whole), pixels_of(TILE))


def test_unmarked_rgb_is_shown_as_rgb():
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    stored = jpeg(red, keep_rgb=True, subsampling=0, quality=95)
    unmarked = b"\xff\xd8" + b"".join(
        stored[one.start : one.end] for one in segments(stored) if not 0xE0 <= one.marker <= 0xEF
    )
    unmarked = (
        unmarked.replace(b"R\x11\0", b"\x01\x11\0")
        .replace(b"G\x11\0", b"\x02\x11\0")
        .replace(b"B\x11\0", b"\x03\x11\0")
    )
    scan = next(one for one in segments(stored) if one.marker == 0xDA)
    head = unmarked[: -(scan.end - scan.start)]
    unmarked = (
        head
        + stored[scan.start : scan.end].replace(b"R\0", b"\x01\0").replace(b"G\0", b"\x02\0").replace(b"B\0", b"\x03\0")
        + stored[scan.end :]
    )

    naive, ours = pixels_of(unmarked), pixels_of(completion(b"", "RGB", b"", 64, 48).complete(unmarked))

    assert abs(naive.astype(int) - red).mean() > 40  # what every decoder makes of it that is not told
    assert abs(ours.astype(int) - red).max() <= 2


def test_comments_and_application_segments_stay_behind():
    spoken = jpeg(texture(64, 48), comment=b"TRAN VAN A", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0TRAN VAN A")

    whole = completion(b"", "YCbCr", b"", 64, 48).complete(spoken)

    assert b"TRAN VAN A" in spoken
    assert b"TRAN VAN A" not in whole
    assert np.array_equal(pixels_of(whole), pixels_of(spoken))


def test_a_tile_that_begins_otherwise_than_the_one_before_is_looked_at_anew():
    complete = completion(b"", "YCbCr", b"", 64, 48).complete
    other = jpeg(texture(64, 48), quality=30, comment=b"TRAN VAN A")

    made = [complete(tile) for tile in (TILE, TILE, other, TILE)]

    assert made[0] == made[1] == made[3]
    assert np.array_equal(pixels_of(made[2]), pixels_of(other))
    assert b"TRAN" not in made[2]
    with pytest.raises(MalformedSlide):
        complete(jpeg(texture(80, 48)))


def test_a_tile_at_the_edge_that_nobody_padded_is_served_as_it_is():
    complete = completion(b"", "YCbCr", b"", 64, 48).complete

    assert pixels_of(complete(jpeg(texture(64, 20)))).shape == (20, 64, 3)


def test_a_small_profile_travels_in_the_tile_and_a_large_one_does_not():
    def profile_in(size: int) -> bytes | None:
        whole = completion(b"", "YCbCr", b"p" * size, 64, 48).complete(TILE)
        return Image.open(io.BytesIO(whole)).info.get("icc_profile")

    assert profile_in(ICC_SPLICED_BYTES_MAX) == b"p" * ICC_SPLICED_BYTES_MAX
    assert profile_in(ICC_SPLICED_BYTES_MAX + 1) is None
    assert profile_in(0) is None


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (jpeg(texture(64, 64)), "size"),
        (jpeg(texture(64, 48), progressive=True), "kind"),
        (TILE.replace(b"\xff\xc0", b"\xff\xc1", 1), "kind"),
        (TILE.replace(struct.pack(">BHH", 8, 48, 64), struct.pack(">BHH", 8, 65000, 65000)), "size"),
        (TILE.replace(struct.pack(">BHH", 8, 48, 64), struct.pack(">BHH", 12, 48, 64)), "kind"),
        (TILE[:30], "headers"),
        (b"\xff\xd8\xff\xd9", "size"),
        (b"BM", "no JPEG"),
    ],
    ids=["another size", "progressive", "extended", "65000 x 65000", "12 bits", "cut off", "no frame", "no JPEG"],
)
def test_a_tile_that_is_not_what_its_level_says_is_refused(stored, why):
    with pytest.raises(MalformedSlide, match=why):
        completion(b"", "YCbCr", b"", 64, 48).complete(stored)


def test_tables_that_hold_a_picture_are_refused():
    with pytest.raises(MalformedSlide):
        tables_of(TILE)


def test_a_frame_header_says_size_and_bits():
    frame = frame_of(jpeg(texture(64, 48), subsampling="4:2:0"))

    assert (frame.width, frame.height, frame.precision, frame.is_baseline) == (64, 48, 8, True)


@given(st.integers(0, len(TILE) - 1), st.integers(0, 255), st.integers(0, len(TILE)))
def test_a_damaged_tile_raises_nothing_but_our_errors(position, value, size):
    damaged = bytearray(TILE)
    damaged[position] = value
    with contextlib.suppress(ExchangeError):
        completion(b"", "YCbCr", b"", 64, 48).complete(bytes(damaged[:size]))
