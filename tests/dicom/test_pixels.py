"""Frames decoded: against pydicom on real samples, and what is refused before a codec sees it."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from kernel.dicom.pixels import reading as module
from kernel.dicom.pixels.codestream import StreamSize, is_stored_as_rgb, stream_size
from kernel.dicom.pixels.decoder_messages import Answer, array_of
from kernel.dicom.pixels.decoders import Decoders, seconds_allowed
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.reading import decode_frame, open_pixels
from kernel.errors import LimitExceeded, MalformedInstance, NotFound, Refused, UnsupportedTransferSyntax
from tests.dicom.builders import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, JPEG, encoded, part10

SAMPLE_BYTES_MAX = 1_000_000  # larger samples add time and no other codec

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

J2K = "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"
RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"


def an_image(array: np.ndarray, *, frames: int = 1, photometric: str | None = None, **changes) -> Dataset:
    """Build a data set around native pixels, shape (frames, rows, columns[, samples]) or without frames."""
    shape = array.shape[1:] if frames > 1 else array.shape
    ds = Dataset()
    ds.SamplesPerPixel = shape[2] if len(shape) > 2 else 1
    ds.PhotometricInterpretation = photometric or ("RGB" if len(shape) > 2 else "MONOCHROME2")
    if len(shape) > 2:
        ds.PlanarConfiguration = 0
    ds.NumberOfFrames = str(frames)
    ds.Rows, ds.Columns = shape[:2]
    ds.BitsAllocated = ds.BitsStored = 8 * array.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(array.dtype.kind == "i")
    data = array.tobytes()
    ds.add_new(0x7FE00010, "OW" if array.dtype.itemsize > 1 else "OB", data + b"\0" * (len(data) % 2))
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def compressed(ds: Dataset, frames: list[bytes], syntax: str) -> bytes:
    ds.add_new(0x7FE00010, "OB", encapsulate(frames))
    ds[0x7FE00010].is_undefined_length = True
    return part10(encoded(ds), syntax)


def image_of(array: np.ndarray) -> ImagePixel:
    rows, columns = array.shape
    bits = 8 * array.dtype.itemsize
    return ImagePixel(0x7FE00010, 1, rows, columns, 1, "MONOCHROME2", bits, bits, bits - 1, 0, 0)


RAMP = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 300


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize("array", [RAMP, RAMP.astype(np.int16), (RAMP % 256).astype(np.uint8)])
def test_native_frames_are_decoded_in_every_encoding(syntax, array):
    ds = an_image(array)
    if syntax == BIG_ENDIAN:
        ds[0x7FE00010].value = array.byteswap().tobytes()
    data = encoded(ds, EXPLICIT if syntax == DEFLATED else syntax)
    if syntax == DEFLATED:
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = stream.compress(data) + stream.flush()

    found = decode_frame(part10(data, syntax), 0)

    assert np.array_equal(found, array)
    assert found.dtype == array.dtype


def test_each_frame_of_many_is_its_own():
    array = np.stack([RAMP, RAMP + 1, RAMP + 2])

    with open_pixels(part10(encoded(an_image(array, frames=3)))) as pixels:
        for n in range(3):
            assert np.array_equal(pixels.decode(n), array[n])
        with pytest.raises(NotFound, match="frame 4"):
            pixels.decode(3)


def test_bit_packed_frames_are_decoded_one_byte_a_pixel():
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (3, 5, 7), dtype=np.uint8)
    ds = an_image(bits[0], BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames="3")
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    ds[0x7FE00010].value = packed + b"\0" * (len(packed) % 2)

    with open_pixels(part10(encoded(ds))) as pixels:
        for n in range(3):
            assert np.array_equal(pixels.decode(n), bits[n])


def test_float_pixel_data_is_decoded():
    array = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    ds = an_image(array)
    del ds[0x7FE00010]
    ds.add_new(0x7FE00008, "OF", array.tobytes())

    assert np.array_equal(decode_frame(part10(encoded(ds)), 0), array)


ENCODERS = {
    "1.2.840.10008.1.2.4.70": lambda array: imagecodecs.jpeg8_encode(array, lossless=True, predictor=1),
    JPEG_LS: imagecodecs.jpegls_encode,
    J2K: lambda array: imagecodecs.jpeg2k_encode(array, reversible=True, codecformat="j2k"),
    "1.2.840.10008.1.2.4.91": lambda array: imagecodecs.jpeg2k_encode(array, reversible=True, codecformat="jp2"),
    "1.2.840.10008.1.2.4.201": lambda array: imagecodecs.htj2k_encode(array, reversible=True),
}


@pytest.mark.parametrize("syntax", ENCODERS)
def test_lossless_frames_are_decoded_bit_for_bit(syntax):
    encode = ENCODERS[syntax]
    data = compressed(an_image(RAMP), [bytes(encode(RAMP))], syntax)

    assert np.array_equal(decode_frame(data, 0), RAMP)


def test_deflated_frames_are_decoded():
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    frame = stream.compress(RAMP.tobytes()) + stream.flush()

    assert np.array_equal(decode_frame(compressed(an_image(RAMP), [frame], DEFLATED_FRAMES), 0), RAMP)


def test_a_deflated_frame_that_is_a_bomb_gives_no_more_than_the_frame():
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    frame = stream.compress(b"\1" * 100_000_000) + stream.flush()

    found = decode_frame(compressed(an_image(RAMP), [frame], DEFLATED_FRAMES), 0)

    assert found.shape == RAMP.shape


def test_ybr_jpeg_is_given_as_rgb():
    picture = Image.new("RGB", (16, 8), (200, 30, 40))
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=95)
    ds = an_image(np.zeros((8, 16, 3), np.uint8), photometric="YBR_FULL_422")

    found = decode_frame(compressed(ds, [output.getvalue()], JPEG), 0)

    assert np.abs(found.astype(int) - [200, 30, 40]).max() <= 3


def jpeg_of(rows: int, columns: int) -> bytes:
    output = io.BytesIO()
    Image.new("L", (columns, rows)).save(output, "JPEG")
    return output.getvalue()


def test_a_codestream_says_its_size():
    assert stream_size(jpeg_of(8, 16)) == StreamSize(8, 16, 1, 8)
    assert stream_size(bytes(imagecodecs.jpegls_encode(RAMP))) == StreamSize(12, 16, 1, 16)
    for codecformat in ("j2k", "jp2"):
        stream = bytes(imagecodecs.jpeg2k_encode(RAMP, codecformat=codecformat))
        assert stream_size(stream) == StreamSize(12, 16, 1, 16)
    for nothing in (b"", b"\xff\xd8", b"\xff\xd8\xff\xff", b"\xff\xd8ab", b"\xff\xd8\xff\xda\0\2", b"\xff\x4f\xff\x51"):
        assert stream_size(nothing) is None


def test_the_search_for_a_frame_header_is_bounded():
    assert stream_size(b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000) is None
    assert stream_size(b"\0" * 10_000_000 + b"\xff\x4f\xff\x51" + b"\0" * 100) is None


@pytest.mark.parametrize("size", [(65535, 65535), (12, 17), (11, 16)])
def test_a_frame_that_claims_another_size_than_the_header_is_refused_before_it_is_decoded(size):
    stream = bytearray(jpeg_of(12, 16))
    position = stream.index(b"\xff\xc0") + 5
    stream[position : position + 4] = struct.pack(">HH", *size)
    data = compressed(an_image((RAMP % 256).astype(np.uint8)), [bytes(stream)], JPEG)

    with pytest.raises(MalformedInstance, match=f"a compressed frame of {size[0]} rows, {size[1]} columns"):
        decode_frame(data, 0)


def test_a_frame_larger_than_the_bound_is_refused(monkeypatch):
    monkeypatch.setattr(module, "DECODED_BYTES_MAX", 100)

    with pytest.raises(LimitExceeded, match="DECODED_BYTES_MAX exceeded: 384 is more than 100"):
        decode_frame(part10(encoded(an_image(RAMP))), 0)


def rle(*segments: bytes) -> bytes:
    encoded_segments = [bytes(imagecodecs.packbits_encode(segment)) for segment in segments]
    offsets = [64 + sum(map(len, encoded_segments[:n])) for n in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(encoded_segments)


@pytest.mark.parametrize(
    "array", [RAMP, RAMP.astype(np.int16), (RAMP % 256).astype(np.uint8), RAMP.astype(np.uint32) << 9]
)
def test_rle_frames_have_a_segment_for_each_byte_the_highest_first(array):
    size = array.dtype.itemsize
    planes = [array.tobytes()[n::size] for n in reversed(range(size))]

    found = decode_frame(compressed(an_image(array), [rle(*planes)], RLE), 0)

    assert np.array_equal(found, array)
    assert found.dtype == array.dtype


def test_rle_frames_of_color_have_a_segment_for_each_plane():
    array = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)

    found = decode_frame(compressed(an_image(array), [rle(*(array[..., n].tobytes() for n in range(3)))], RLE), 0)

    assert np.array_equal(found, array)


def test_rle_frames_of_one_bit_are_packed():
    bits = np.random.default_rng(1).integers(0, 2, (5, 7), dtype=np.uint8)
    ds = an_image(bits, BitsAllocated=1, BitsStored=1, HighBit=0)

    found = decode_frame(compressed(ds, [rle(np.packbits(bits, bitorder="little").tobytes())], RLE), 0)

    assert np.array_equal(found, bits)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (rle(b"\1" * 192), "an RLE frame of 1 segments"),
        (rle(b"\1" * 192, b"\1" * 100), "an RLE segment is shorter than the frame"),
        (struct.pack("<16I", 2, 64, 68, *[0] * 13) + b"\x81\1\xc0\1" + b"\x81\1" * 100_000, "cannot be decoded"),
        (rle(b"\1" * 192, b"")[:60], "cannot be decoded"),
        (struct.pack("<16I", 2**31, *[0] * 15), "an RLE frame of 2147483648 segments"),
    ],
)
def test_an_rle_frame_that_decodes_to_less_or_more_than_the_frame_is_refused(frame, reason):
    with pytest.raises(MalformedInstance, match=reason):
        decode_frame(compressed(an_image(RAMP), [frame], RLE), 0)


@pytest.mark.parametrize("syntax", [JPEG, J2K, JPEG_LS, RLE])
def test_a_frame_that_is_none_is_refused(syntax):
    with pytest.raises(MalformedInstance, match=r"without a frame header|cannot be decoded"):
        decode_frame(compressed(an_image(RAMP), [b"garbage."], syntax), 0)


def test_a_syntax_without_a_codec_is_refused():
    with pytest.raises(UnsupportedTransferSyntax, match=r"1\.2\.840\.10008\.1\.2\.4\.102 is not supported here"):
        decode_frame(compressed(an_image(RAMP), [b"h264"], "1.2.840.10008.1.2.4.102"), 0)


@pytest.mark.parametrize("read_bytes_max", [0, 1 << 20])
def test_a_file_is_the_same_whether_read_or_mapped(tmp_path, monkeypatch, read_bytes_max):
    monkeypatch.setattr(module, "READ_BYTES_MAX", read_bytes_max)
    path = tmp_path / "instance"
    path.write_bytes(part10(encoded(an_image(RAMP))))

    with open_pixels(path) as pixels:
        assert isinstance(pixels.buffer, bytes) == bool(read_bytes_max)
        assert np.array_equal(pixels.decode(0), RAMP)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty"
    path.touch()

    with pytest.raises(MalformedInstance, match="it is empty"):
        decode_frame(path, 0)


@pytest.mark.parametrize(
    ("marker", "photometric", "rgb"),
    [
        (b"", "RGB", True),
        (b"", "YBR_FULL_422", False),
        (b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", "RGB", False),
        (b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0", "YBR_FULL", True),
        (b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\1", "RGB", False),
        (b"\xff\xee\0\x0cAdobe\0\0\0\0\0", "RGB", True),
    ],
)
def test_the_codestream_says_how_color_is_stored_before_the_header_does(marker, photometric, rgb):
    frame = b"\xff\xd8" + marker + b"\xff\xc0\0\x11\x08\0\x08\0\x10\3\1\x11\0\2\x11\1\3\x11\1"

    assert is_stored_as_rgb(frame, photometric) is rgb
    assert is_stored_as_rgb(frame.replace(b"\1\x11\0\2\x11\1\3", b"R\x11\0G\x11\1B"), photometric) is (
        rgb or not marker
    )


def test_a_frame_that_takes_too_long_is_refused_and_the_next_one_is_decoded():
    noise = np.random.default_rng(1).integers(0, 65536, (1000, 1000), dtype=np.uint16)
    stream = bytes(imagecodecs.jpeg2k_encode(noise, reversible=True, codecformat="j2k"))
    large = replace(image_of(RAMP), rows=1000, columns=1000)
    small = bytes(imagecodecs.jpegls_encode(RAMP))
    decoders = Decoders(1, seconds_of=lambda image: 0.02 if image.rows == 1000 else 60.0)
    try:
        decoders.decode(small, image_of(RAMP), JPEG_LS)
        with pytest.raises(LimitExceeded, match="seconds to decode a frame exceeded"):
            decoders.decode(stream, large, J2K)

        assert np.array_equal(decoders.decode(small, image_of(RAMP), JPEG_LS), RAMP)
    finally:
        decoders.close()


def test_a_decoding_process_that_was_ended_is_begun_anew():
    small = bytes(imagecodecs.jpegls_encode(RAMP))
    decoders = Decoders(1)
    try:
        for _ in range(2):
            assert np.array_equal(decoders.decode(small, image_of(RAMP), JPEG_LS), RAMP)
            decoders.close()
    finally:
        decoders.close()


@pytest.mark.parametrize(
    "answer",
    [
        Answer("<u2", (12, 17), b"\0" * 384),
        Answer("<u2", (12, 16), b"\0" * 383),
        Answer("<f8", (12, 16), b"\0" * 1536),
        Answer("|O", (12, 16), b"\0" * 1536),
    ],
)
def test_an_answer_of_a_decoding_process_is_not_trusted(answer):
    with pytest.raises(MalformedInstance):
        array_of(answer, image_of(RAMP))


def test_small_frames_have_less_time_than_large_ones():
    assert seconds_allowed(image_of(RAMP)) < 6
    assert seconds_allowed(replace(image_of(RAMP), rows=10_000, columns=10_000)) > 30


def is_the_same(ours: np.ndarray, theirs: np.ndarray, syntax: str) -> bool:
    """Whether two codecs agree: exactly, or for lossy JPEG, whose arithmetic is not fixed, within a grey level or two."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype.newbyteorder("="):
        return False
    if syntax in {JPEG, "1.2.840.10008.1.2.4.51"}:
        return float(np.abs(ours.astype(int) - theirs).mean()) < 1.5
    return np.array_equal(ours, theirs)


@pytest.mark.slow
def test_frames_of_every_real_sample_are_those_of_pydicom(samples: Path):
    same = 0
    for path in sorted(file for file in samples.rglob("*") if file.is_file()):
        if path.stat().st_size > SAMPLE_BYTES_MAX or path.read_bytes()[128:132] != b"DICM":
            continue
        try:
            ds = pydicom.dcmread(path)
            theirs = ds.pixel_array
        except Exception:  # noqa: BLE001 pydicom's many ways to say that there are no pixels, or no codec
            continue
        frames = int(ds.get("NumberOfFrames") or 1)
        try:
            with open_pixels(path) as pixels:
                for n in {0, frames // 2, frames - 1}:
                    expected = theirs[n] if frames > 1 else theirs
                    assert is_the_same(pixels.decode(n), expected, pixels.transfer_syntax_uid), (path.name, n)
                    same += 1
        except Refused as error:
            raise AssertionError(path.name) from error
    assert same > 350
