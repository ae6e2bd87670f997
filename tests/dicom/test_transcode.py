"""Instances in another transfer syntax: bit for bit the same pixels, and a header that says what is true of them."""

import zlib

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID

from kernel.dicom.pixels import encapsulate as encapsulate_module
from kernel.dicom.pixels.codestream import stream_size
from kernel.dicom.pixels.reading import open_pixels
from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.transcoding.transcode import transcode
from kernel.errors import UnsupportedTransferSyntax
from tests.dicom.builders import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, encoded, part10
from tests.dicom.images import (
    COMPRESSED,
    HTJ2K,
    J2K,
    JPEG,
    JPEG_LS,
    KINDS,
    RLE,
    RPCL,
    an_image,
    changed,
    file_of,
    noise,
    read,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_again_gives_the_very_same_bytes(kind, syntax):
    ds = KINDS[kind]

    there = changed(file_of(ds), syntax)
    back = read(changed(there, EXPLICIT))

    assert back.PixelData == ds.PixelData
    assert back.file_meta.TransferSyntaxUID == EXPLICIT
    for keyword in ("PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit", "NumberOfFrames"):
        assert back[keyword].value == ds[keyword].value
    assert back.SOPInstanceUID == "1.2.3.4.5"
    assert "LossyImageCompression" not in back


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("kind", ["12 of 16 bits", "12 of 16 bits, signed", "16 bits, signed", "RGB", "YBR_FULL"])
def test_pydicom_reads_the_same_pixels(kind, syntax):
    ds = KINDS[kind]

    theirs = read(changed(file_of(ds), syntax))

    ours = np.frombuffer(ds.PixelData, theirs.pixel_array.dtype)
    plugin = pydicom.pixels.pixel_array(theirs, raw=True)
    assert np.array_equal(plugin.reshape(-1), ours[: plugin.size])


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize(
    ("kind", "photometric"), [("RGB", "RGB"), ("YBR_FULL", "YBR_FULL"), ("MONOCHROME1", "MONOCHROME1")]
)
def test_photometric_interpretation_is_that_of_the_codestream(kind, photometric, syntax):
    there = read(changed(file_of(KINDS[kind]), syntax))

    expected = "YBR_RCT" if photometric == "RGB" and syntax in (J2K, HTJ2K, RPCL) else photometric
    assert there.PhotometricInterpretation == expected


def test_color_by_plane_becomes_color_by_pixel():
    array = noise(0, 256, "u1", (13, 18, 3))
    ds = an_image(array, PlanarConfiguration=1)
    ds.PixelData = array.transpose(2, 0, 1).tobytes()

    back = read(changed(changed(file_of(ds), JPEG_LS), EXPLICIT))

    assert back.PlanarConfiguration == 0
    assert back.PixelData == array.tobytes()


def test_native_color_keeps_its_planes_when_only_the_header_is_written_anew():
    array = noise(0, 256, "u1", (12, 18, 3))
    ds = an_image(array, PlanarConfiguration=1)
    ds.PixelData = array.transpose(2, 0, 1).tobytes()

    there = read(changed(file_of(ds), IMPLICIT))

    assert (there.PlanarConfiguration, there.PixelData) == (1, ds.PixelData)


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_subsampled_color_is_given_to_every_pixel(syntax):
    pairs = noise(0, 256, "u1", (4, 3, 4))  # Y Y Cb Cr
    ds = an_image(np.zeros((4, 6, 3), "u1"), PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = pairs.tobytes()

    back = read(changed(changed(file_of(ds), syntax), EXPLICIT))

    assert back.PhotometricInterpretation == "YBR_FULL"
    pixels = np.frombuffer(back.PixelData, "u1").reshape(4, 3, 2, 3)
    assert np.array_equal(pixels[..., 0], pairs[..., :2])
    assert np.array_equal(pixels[:, :, 0, 1:], pairs[..., 2:])
    assert np.array_equal(pixels[:, :, 1, 1:], pairs[..., 2:])


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_frames_are_found_by_the_offset_table(syntax):
    array = noise(0, 4096, "u2", (5, 13, 18))
    there = read(changed(file_of(an_image(array, frames=5)), syntax))

    offsets = pydicom.encaps.parse_basic_offsets(there.PixelData)
    frames = list(generate_frames(there.PixelData, number_of_frames=5))

    assert len(offsets) == 5
    assert offsets[0] == 0
    assert len(frames) == 5
    assert all(len(frame) % 2 == 0 for frame in frames)


def test_where_a_basic_offset_table_does_not_suffice_there_is_an_extended_one(monkeypatch):
    monkeypatch.setattr(encapsulate_module, "BASIC_OFFSETS_MAX", 100)
    array = noise(0, 4096, "u2", (5, 13, 18))

    data = changed(file_of(an_image(array, frames=5)), JPEG_LS)

    there = read(data)
    assert pydicom.encaps.parse_basic_offsets(there.PixelData) == []
    assert len(there.ExtendedOffsetTable) == len(there.ExtendedOffsetTableLengths) == 40
    with open_pixels(data) as pixels:
        assert len(pixels.frames.lengths) == 5  # it was believed
        assert all(np.array_equal(pixels.decode(n), array[n]) for n in range(5))


def test_an_extended_offset_table_goes_with_what_it_described():
    array = noise(0, 4096, "u2", (5, 13, 18))
    there = read(changed(file_of(an_image(array, frames=5)), JPEG_LS))
    there.ExtendedOffsetTable, there.ExtendedOffsetTableLengths = b"\0" * 40, b"\0" * 40
    there[0x7FE00010].is_undefined_length = True

    back = read(changed(part10(encoded(there), JPEG_LS), EXPLICIT))

    assert "ExtendedOffsetTable" not in back
    assert back.PixelData == array.tobytes()


def test_the_codestream_has_as_many_bits_as_are_stored():
    with open_pixels(changed(file_of(KINDS["12 of 16 bits"]), JPEG_LS)) as pixels:
        assert stream_size(pixels.read(0)).precision == 12
    with open_pixels(changed(file_of(KINDS["12 bits, and more above them"]), JPEG_LS)) as pixels:
        assert stream_size(pixels.read(0)).precision == 16


def test_htj2k_can_be_cut_after_any_resolution():
    with open_pixels(changed(file_of(an_image(noise(0, 4096, "u2", (256, 256)))), RPCL)) as pixels:
        stream = pixels.read(0)
    assert b"\xff\x55" in stream[:200]  # TLM
    assert stream[stream.index(b"\xff\x52") + 5] == 2  # progression order RPCL
    assert stream.count(b"\xff\x90") == 6  # a tile-part for each resolution


@pytest.mark.parametrize("source", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize("target", [EXPLICIT, IMPLICIT, JPEG_LS])
def test_every_encoding_of_a_header_becomes_every_other(source, target):
    ds = an_image(noise(0, 256, "u1", (12, 18)))
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName = "Nguyễn^Thị Hương"
    inner = Dataset()
    inner.CodeValue, inner.LongCodeValue = "1", "x" * 70_000
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = [inner, Dataset()]
    ds.ReferencedImageSequence = [outer]
    ds.add_new(0x00090010, "LO", "VIEN ANH")
    ds.add_new(0x00091001, "UN", b"unknown!")
    ds.add_new(0x00280030, "DS", ["0.5", "0.5"])
    ds.SmallestImagePixelValue = 3
    data = encoded(ds, EXPLICIT if source == DEFLATED else source)
    if source == DEFLATED:
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = stream.compress(data) + stream.flush()

    there = read(changed(part10(data, source), target))

    assert there.file_meta.TransferSyntaxUID == target
    del there[0x7FE00010], ds[0x7FE00010]
    assert there.to_json() == ds.to_json()


def test_what_has_no_pixels_changes_between_native_encodings_only():
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.3"
    ds.TextValue = "x"

    assert read(changed(file_of(ds), IMPLICIT)).TextValue == "x"
    with pytest.raises(UnsupportedTransferSyntax, match="no pixel data"):
        transcode(file_of(ds), JPEG_LS)


def test_what_follows_the_pixel_data_is_kept():
    ds = an_image(noise(0, 256, "u1", (12, 18)))
    ds.add_new(0xFFFCFFFC, "OB", b"\0" * 8)

    for target in (IMPLICIT, JPEG_LS):
        assert read(changed(file_of(ds), target))[0xFFFCFFFC].value == b"\0" * 8


def test_frames_of_single_bits_are_packed_without_gaps():
    bits = np.random.default_rng(1).integers(0, 2, (3, 5, 7), dtype=np.uint8)
    ds = an_image(bits[0], BitsAllocated=1, BitsStored=1, HighBit=0, NumberOfFrames="3")
    rows = [np.packbits(frame.reshape(-1), bitorder="little").tobytes() for frame in bits]
    frames = []
    for row in rows:
        segment = bytes(imagecodecs.packbits_encode(row))
        frames.append((1).to_bytes(4, "little") + (64).to_bytes(4, "little") + b"\0" * 56 + segment)
    ds.add_new(0x7FE00010, "OB", encapsulate(frames))
    ds[0x7FE00010].is_undefined_length = True

    back = read(changed(part10(encoded(ds), RLE), EXPLICIT))

    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    assert back.PixelData == packed + b"\0" * (len(packed) % 2)


def test_what_a_lossy_copy_says_of_itself():
    gradient = np.add.outer(np.arange(64), np.arange(64)).astype("u1")
    ds = an_image(np.stack([gradient] * 3, axis=-1))

    made = transcode(file_of(ds), JPEG, quality=80)
    there = read(file_meta(made.sop_class_uid, made.sop_instance_uid, JPEG) + b"".join(made.chunks))

    assert there.SOPInstanceUID == made.sop_instance_uid != "1.2.3.4.5"
    assert UID(there.SOPInstanceUID).is_valid
    assert transcode(file_of(ds), JPEG, quality=80).sop_instance_uid == made.sop_instance_uid
    assert transcode(file_of(ds), JPEG, quality=81).sop_instance_uid != made.sop_instance_uid
    assert list(there.ImageType) == ["DERIVED", "PRIMARY"]
    assert there.LossyImageCompression == "01"
    assert there.LossyImageCompressionMethod == "ISO_10918_1"
    assert float(there.LossyImageCompressionRatio) > 2
    assert there.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4.5"
    assert there.DerivationCodeSequence[0].CodeValue == "113040"
    assert there.PhotometricInterpretation == "YBR_FULL_422"
    assert np.abs(there.pixel_array.astype(int) - gradient[..., None]).max() < 130


def test_what_was_lost_before_stays_said_after_decoding():
    ds = an_image(np.full((16, 16, 3), 90, "u1"))
    lossy = read(changed(file_of(ds), JPEG))
    del lossy.LossyImageCompression
    lossy[0x7FE00010].is_undefined_length = True

    back = read(changed(part10(encoded(lossy), JPEG), EXPLICIT))

    assert back.LossyImageCompression == "01"
    assert back.PhotometricInterpretation == "RGB"
    assert np.abs(np.frombuffer(back.PixelData, "u1").astype(int) - 90).max() <= 2


def test_rle_holds_32_bits():
    ds = an_image(noise(0, 2**31, "u4"))

    assert read(changed(changed(file_of(ds), RLE), EXPLICIT)).PixelData == ds.PixelData


@settings(max_examples=60)
@example(target=JPEG_LS, rows=1, columns=2, bits=9, signed=True, samples=3, frames=1, seed=0)
@example(target=RLE, rows=1, columns=1, bits=16, signed=False, samples=3, frames=2, seed=0)
@given(
    target=st.sampled_from(COMPRESSED),
    rows=st.integers(1, 24),
    columns=st.integers(1, 24),
    bits=st.integers(1, 16),
    signed=st.booleans(),
    samples=st.sampled_from([1, 3]),
    frames=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_image_comes_back_bit_for_bit(target, rows, columns, bits, signed, samples, frames, seed):
    allocated = 8 if bits <= 8 else 16
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    shape = (*((frames,) if frames > 1 else ()), rows, columns, *((3,) if samples == 3 else ()))
    array = np.random.default_rng(seed).integers(low, high, shape).astype(f"{'i' if signed else 'u'}{allocated // 8}")
    ds = an_image(array, frames=frames, BitsStored=bits, HighBit=bits - 1)

    assert read(changed(changed(file_of(ds), target), EXPLICIT)).PixelData == ds.PixelData


@pytest.mark.parametrize("target", [EXPLICIT, HTJ2K])
def test_real_samples_are_the_same_after_transcoding(samples, target):
    names = (
        "MR_small_RLE.dcm",
        "JPEG-LL.dcm",
        "JPGLosslessP14SV1_1s_1f_8b.dcm",
        "SC_rgb_rle_2frame.dcm",
        "CT_small.dcm",
    )
    found = [path for path in samples.rglob("*.dcm") if path.name in names]
    assert found
    for path in found:
        with open_pixels(path) as before, open_pixels(changed(path, target)) as after:
            for n in range(before.frames.number_of_frames):
                assert np.array_equal(before.decode(n), after.decode(n)), path.name
