"""Masks: what is inside of the boxes is gone, and not one pixel outside of them is another."""

import io
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from anonymizer.engine.result import NewPixels, chunks_of, joined
from anonymizer.pixels.masking import masked
from kernel.dicom.pixels import jpeg_masks
from kernel.dicom.pixels.boxes import Box, outside, runs
from kernel.dicom.pixels.reading import Pixels, open_pixels
from kernel.dicom.transcoding.transcode import transcode
from kernel.errors import Refused, UnsupportedTransferSyntax
from tests.support.builders import a_dataset, as_file, with_pixels

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
RNG = np.random.default_rng(7)


def an_image(pixels: np.ndarray, **attributes) -> pydicom.Dataset:
    ds = with_pixels(a_dataset(SECONDARY_CAPTURE, seed="mask"), pixels)
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def opened(source: bytes) -> Pixels:
    with open_pixels(source) as pixels:
        return pixels


def after(source: bytes, new: NewPixels) -> pydicom.Dataset:
    """Return what another reader sees of the source with its new pixel data."""
    ds = pydicom.dcmread(io.BytesIO(source))
    value, encapsulated = joined(chunks_of(new.pieces, source)), new.transfer_syntax_uid != ExplicitVRLittleEndian
    ds.PixelData = value[:-8] if encapsulated else value  # pydicom adds the delimiter
    ds["PixelData"].is_undefined_length = encapsulated
    ds.file_meta.TransferSyntaxUID = new.transfer_syntax_uid
    for tag, change in new.changes.items():
        if change is None:
            ds.pop(tag, None)
        elif change[0] == "US":
            ds[tag].value = int.from_bytes(change[1], "little")
        else:
            ds.add_new(tag, change[0], change[1].decode().strip())
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds)
    return pydicom.dcmread(io.BytesIO(buffer.getvalue()))


def inside(shape: tuple[int, ...], boxes) -> np.ndarray:
    """Return which pixels are in any of the boxes."""
    found = np.zeros(shape[:2], bool)
    for box in boxes:
        found[box.top : box.bottom, box.left : box.right] = True
    return found


@st.composite
def frames_and_boxes(draw):
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(4, 12))
    frames = draw(st.integers(1, 3))
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.int16]))
    color = dtype is np.uint8 and draw(st.booleans())
    pixels = RNG.integers(0, 200, (frames, rows, columns, *((3,) if color else ()))).astype(dtype)
    edge = st.integers(-2, 14)
    boxes = st.lists(st.builds(Box, edge, edge, edge, edge), max_size=4).map(tuple)
    return pixels, draw(st.dictionaries(st.integers(0, frames - 1), boxes)), draw(st.integers(0, 1))


@settings(max_examples=150, deadline=None)
@given(frames_and_boxes())
def test_native_pixels_outside_of_the_boxes_are_the_same_and_those_inside_are_black(case):
    pixels, boxes, planar = case
    color = pixels.shape[-1] == 3 and pixels.ndim == 4
    ds = an_image(pixels)
    if color and planar:
        ds.PixelData, ds.PlanarConfiguration = pixels.transpose(0, 3, 1, 2).tobytes(), 1
        ds.PixelData += b"\0" * (len(ds.PixelData) % 2)
    source = as_file(ds)

    given = opened(source)
    new = masked(given, boxes)

    reread = as_file(after(source, new))
    for index in range(len(pixels)):
        before, now = given.samples(index), opened(reread).samples(index)
        where = inside(before.shape, [box.within(*before.shape[:2]) for box in boxes.get(index, ())])
        assert np.array_equal(before[~where], now[~where])
        assert (now[where] == (0 if color else before.min())).all()


def test_of_the_source_only_the_masked_rows_are_new_bytes():
    source = as_file(an_image(RNG.integers(0, 255, (4, 100, 100)).astype(np.uint8)))

    new = masked(opened(source), {2: (Box(0, 0, 10, 100), Box(50, 20, 60, 30))})

    assert sum(len(piece) for piece in new.pieces if isinstance(piece, bytes)) == 10 * 100 + 10 * 10


def test_black_of_an_inverted_image_is_its_greatest_value():
    pixels = RNG.integers(0, 900, (8, 8)).astype(np.uint16)
    source = as_file(an_image(pixels, PhotometricInterpretation="MONOCHROME1"))

    given = after(source, masked(opened(source), {0: (Box(0, 0, 2, 2),)}))

    assert (given.pixel_array[:2, :2] == pixels.max()).all()


def test_a_native_frame_that_shares_its_color_between_two_pixels_is_masked_by_pairs():
    pairs = RNG.integers(0, 255, (4, 4, 4)).astype(np.uint8)  # rows, pairs, Y Y Cb Cr
    ds = an_image(np.zeros((4, 8, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = pairs.tobytes()
    source = as_file(ds)

    new = masked(opened(source), {0: (Box(1, 3, 3, 5),)})

    given = np.frombuffer(joined(chunks_of(new.pieces, source)), np.uint8).reshape(4, 4, 4)
    assert (given[1:3, 1:3] == (0, 0, 128, 128)).all()
    assert np.array_equal(given[0], pairs[0])
    assert np.array_equal(given[:, ::3], pairs[:, ::3])


def test_pixels_of_one_bit_are_masked_within_their_bytes():
    bits = RNG.integers(0, 2, (3, 5, 7)).astype(np.uint8)
    ds = an_image(np.zeros((3, 5, 7), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0)
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    ds.PixelData = packed + b"\0" * (len(packed) % 2)
    source = as_file(ds)

    new = masked(opened(source), {1: (Box(1, 2, 4, 6),)})

    given = np.unpackbits(np.frombuffer(joined(chunks_of(new.pieces, source)), np.uint8), bitorder="little")
    bits[1, 1:4, 2:6] = 0
    assert np.array_equal(given[: bits.size].reshape(bits.shape), bits)


def test_a_palette_gets_the_index_of_its_darkest_color():
    indices = RNG.integers(0, 4, (6, 6)).astype(np.uint8)
    ds = an_image(indices, PhotometricInterpretation="PALETTE COLOR")
    for keyword in ("Red", "Green", "Blue"):
        setattr(ds, f"{keyword}PaletteColorLookupTableDescriptor", [4, 0, 16])
        table = np.array([65535, 30000, 10, 50000], "<u2").tobytes()
        setattr(ds, f"{keyword}PaletteColorLookupTableData", table)
    source = as_file(ds)

    given = after(source, masked(opened(source), {0: (Box(0, 0, 3, 3),)}))

    assert (given.pixel_array[:3, :3] == 2).all()


# --- encapsulated -----------------------------------------------------------------------------------------------------

COLOR = RNG.integers(0, 255, (3, 40, 48, 3)).astype(np.uint8)
GREY = RNG.integers(0, 4000, (3, 40, 48)).astype(np.uint16)


def encoded(ds, syntax: str) -> bytes:
    made = transcode(as_file(ds), str(syntax))
    data_set = pydicom.dcmread(io.BytesIO(b"".join(made.chunks)), force=True)
    data_set.file_meta = pydicom.dcmread(io.BytesIO(as_file(ds))).file_meta
    data_set.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data_set, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, RLELossless])
@pytest.mark.parametrize("pixels", [COLOR, GREY], ids=["color", "grey"])
def test_lossless_frames_are_masked_without_loss(syntax, pixels):
    source = encoded(an_image(pixels), syntax)
    boxes = (Box(5, 6, 15, 30),)

    given = opened(as_file(after(source, masked(opened(source), {1: boxes})), syntax))

    for index in range(3):
        expected = pixels[index].copy()
        if index == 1:
            expected[5:15, 6:30] = 0 if pixels is COLOR else expected.min()
        assert np.array_equal(given.decode(index), expected)


def a_jpeg(pixels: np.ndarray, subsampling: int = 2, frames: int = 1, **attributes) -> bytes:
    coded: list[bytes] = []
    for _ in range(frames):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=85, subsampling=subsampling)
        coded.append(buffer.getvalue())
    ds = an_image(pixels if frames == 1 else np.stack([pixels] * frames))
    ds.PhotometricInterpretation = "YBR_FULL_422" if pixels.ndim == 3 else "MONOCHROME2"
    ds.LossyImageCompression = "01"
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    ds.PixelData = encapsulate(coded)
    ds["PixelData"].is_undefined_length = True
    return as_file(ds, JPEGBaseline8Bit)


@pytest.mark.peer("libturbojpeg")
@pytest.mark.parametrize("subsampling", [0, 1, 2], ids=["4:4:4", "4:2:2", "4:2:0"])
def test_jpeg_blocks_that_no_mask_touches_keep_their_coefficients(subsampling):
    source = a_jpeg(COLOR[0], subsampling)
    given = opened(source)
    box = Box(17, 20, 22, 28)

    new = masked(given, {0: (box,)})

    now = opened(as_file(after(source, new), JPEGBaseline8Bit))
    (grown,) = jpeg_masks.touched([box], jpeg_masks.components_of(given.read(0)))
    reach = grown.grown(1, 1).within(40, 48)  # decoders smooth color over the edge by a pixel
    where = inside((40, 48), [reach])
    before, masked_frame = given.samples(0), now.samples(0)
    assert np.array_equal(before[~where], masked_frame[~where])
    assert (masked_frame[grown.top + 1 : grown.bottom - 1, grown.left + 1 : grown.right - 1] == 0).all()
    assert new.transfer_syntax_uid == JPEGBaseline8Bit


@pytest.mark.peer("libturbojpeg")
def test_of_a_jpeg_cine_only_masked_frames_are_new():
    source = a_jpeg(COLOR[0], frames=3)
    given = opened(source)

    new = masked(given, {1: (Box(0, 0, 8, 8),)})

    now = opened(as_file(after(source, new), JPEGBaseline8Bit))
    assert [now.read(index) == given.read(index) for index in range(3)] == [True, False, True]


@pytest.mark.peer("libturbojpeg")
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
def test_a_jpeg_frame_without_markers_keeps_the_meaning_of_its_components(photometric):
    source = a_jpeg(COLOR[0], 0, PhotometricInterpretation=photometric)
    bare = source.replace(source[(at := source.index(b"\xff\xe0")) : at + 18], b"")
    bare = as_file(_shortened(source, bare), JPEGBaseline8Bit)
    given = opened(bare)

    now = opened(as_file(after(bare, masked(given, {0: (Box(0, 0, 8, 8),)})), JPEGBaseline8Bit))

    assert np.array_equal(given.samples(0)[20:], now.samples(0)[20:])


def _shortened(source: bytes, bare: bytes) -> pydicom.Dataset:
    ds = pydicom.dcmread(io.BytesIO(source))
    frame = opened(source).read(0)
    at = frame.index(b"\xff\xe0")
    ds.PixelData = encapsulate([frame[:at] + frame[at + 18 :]])
    ds["PixelData"].is_undefined_length = True
    return ds


@pytest.mark.peer("libturbojpeg")
def test_a_comment_in_a_masked_jpeg_frame_is_left_out():
    ds = pydicom.dcmread(io.BytesIO(a_jpeg(COLOR[0])))
    frame = opened(a_jpeg(COLOR[0])).read(0)
    ds.PixelData = encapsulate([frame[:2] + b"\xff\xfe\x00\x08HUONG." + frame[2:]])
    ds["PixelData"].is_undefined_length = True
    source = as_file(ds, JPEGBaseline8Bit)

    assert b"HUONG" not in joined(chunks_of(masked(opened(source), {0: (Box(0, 0, 8, 8),)}).pieces, source))


def test_without_the_library_a_jpeg_frame_is_refused(monkeypatch):
    monkeypatch.setattr("anonymizer.pixels.masking.has_library", lambda: False)

    with pytest.raises(UnsupportedTransferSyntax, match="masking its frames needs libturbojpeg"):
        masked(opened(a_jpeg(COLOR[0])), {0: (Box(0, 0, 8, 8),)})


@pytest.mark.peer("libturbojpeg")
def test_a_damaged_jpeg_frame_is_refused():
    source = bytearray(a_jpeg(COLOR[0]))
    at = source.index(b"\xff\xc0")
    source[at + 4] = 12

    with pytest.raises(Refused):
        masked(opened(bytes(source)), {0: (Box(0, 0, 8, 8),)})


def test_lossy_jpeg_2000_is_encoded_again_without_loss_and_still_says_that_it_had_lost_something():
    lossless = encoded(an_image(COLOR, LossyImageCompression="01"), JPEG2000Lossless)
    ds = pydicom.dcmread(io.BytesIO(lossless))
    ds.PhotometricInterpretation = "YBR_ICT"
    source = as_file(ds, JPEG2000)

    new = masked(opened(source), {0: (Box(0, 0, 8, 8),)})

    given = after(source, new)
    assert (new.transfer_syntax_uid, given.PhotometricInterpretation) == (JPEG2000, "YBR_RCT")
    assert given.LossyImageCompression == "01"
    assert np.array_equal(opened(as_file(given, JPEG2000)).decode(2), COLOR[2])


def test_too_many_patches_are_refused(monkeypatch):
    monkeypatch.setattr("anonymizer.pixels.native.PATCHES_MAX", 9)
    source = as_file(an_image(GREY))

    with pytest.raises(Refused, match="PATCHES_MAX"):
        masked(opened(source), {0: (Box(0, 0, 10, 8),)})


def test_too_many_new_bytes_are_refused(monkeypatch):
    monkeypatch.setattr("anonymizer.pixels.masking.REPLACED_BYTES_MAX", 100)
    source = encoded(an_image(GREY), RLELossless)

    with pytest.raises(Refused, match="REPLACED_BYTES_MAX"):
        masked(opened(source), {0: (Box(0, 0, 10, 8),)})


def test_what_has_no_black_is_refused():
    given = opened(as_file(an_image(COLOR)))
    odd = replace(given, image=replace(given.image, photometric_interpretation="HSV"))

    with pytest.raises(UnsupportedTransferSyntax, match="HSV cannot be masked"):
        masked(odd, {0: (Box(0, 0, 8, 8),)})


# --- boxes ------------------------------------------------------------------------------------------------------------

EDGES = st.integers(-3, 20)


@given(st.lists(st.builds(Box, EDGES, EDGES, EDGES, EDGES), max_size=6))
def test_outside_and_inside_are_the_whole_frame(boxes):
    frame = inside((16, 12), [box.within(16, 12) for box in boxes])

    assert np.array_equal(inside((16, 12), outside(boxes, 16, 12)), ~frame)
    flat = np.zeros(16 * 12, bool)
    for first, end in runs([box.within(16, 12) for box in boxes if not box.within(16, 12).is_empty], 12):
        flat[first:end] = True
    assert np.array_equal(flat.reshape(16, 12), frame)
