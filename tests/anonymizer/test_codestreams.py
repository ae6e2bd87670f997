"""Words within compressed frames do not leave; not one byte elsewhere is another, and pixels are what they were."""

import io
import re
import struct
from functools import cache

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    VLWholeSlideMicroscopyImageStorage,
)

from anonymizer.codestreams import comments
from anonymizer.codestreams.comments import LOOKED_AT, without_comments
from anonymizer.codestreams.frame import PROFILE_PARTS_MAX, Frame
from anonymizer.engine.engine import deidentify
from anonymizer.engine.result import chunks_of, joined
from anonymizer.pixels.masking import masked
from anonymizer.profiles.profile import load
from anonymizer.release import Released, release
from anonymizer.words.color_profiles import without_words
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.frames import Span
from kernel.dicom.pixels.jpeg_transform import has_library
from kernel.dicom.pixels.reading import decode_frame, open_pixels
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.transcoding.transcode import transcode
from kernel.errors import LimitExceeded, MalformedInstance, Refused
from tests.anonymizer.color_profiles import CURVE, a_profile, a_text_tag, mluc
from tests.anonymizer.test_samples import errors_of
from tests.support.builders import a_dataset, as_file, with_pixels

NAME = b"LE VAN KHAC"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
RNG = np.random.default_rng(11)
GREY = (RNG.integers(0, 30, (3, 24, 32)) + np.arange(32) * 5).astype(np.uint8)
COLOR = np.repeat(GREY[..., None], 3, axis=3)
KINDS = [JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2K]


REAL = [
    "pydicom-data/JPGLosslessP14SV1_1s_1f_8b.dcm",
    "pydicom-data/693_J2KR.dcm",
    "pydicom-data/HTJ2K_08_RGB.dcm",
    "pydicom-data/emri_small_jpeg_2k_lossless.dcm",
]
LOSSLESS = {JPEG2000: JPEG2000Lossless, HTJ2K: HTJ2KLossless}  # whose frames these may hold, too


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


COM = segment(0xFE, NAME)
EXIF = segment(0xE1, b"Exif\0\0" + NAME)
IPTC = segment(0xED, b"Photoshop 3.0\0" + NAME)
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + NAME)
JPEG_XL = "1.2.840.10008.1.2.4.110"
JXL = b"\xff\x0a" + bytes(range(30))
J2K_COM = struct.pack(">HHH", 0xFF64, 4 + len(NAME), 1) + NAME


@cache
def codestreams(syntax: str) -> list[bytes]:
    """Return three frames of 24 x 32 without words besides those of their encoder."""
    if syntax in (JPEGBaseline8Bit, JPEGExtended12Bit):
        return [a_jpeg(one) for one in GREY]
    made = transcode(
        as_file(with_pixels(a_dataset(SECONDARY_CAPTURE, seed="words"), GREY)), str(LOSSLESS.get(syntax, syntax))
    )
    ds = pydicom.dcmread(io.BytesIO(b"".join(made.chunks)), force=True)
    return list(generate_frames(ds.PixelData, number_of_frames=3))


def is_jpeg_2000(syntax: str) -> bool:
    return syntax in (JPEG2000, JPEG2000Lossless, HTJ2K, HTJ2KLossless)


def a_jpeg(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def planted(data: bytes, *segments: bytes) -> bytes:
    """Put segments behind the first marker, or behind the image size of JPEG 2000."""
    at = 2 if data[:2] == b"\xff\xd8" else 4 + int.from_bytes(data[4:6], "big")
    return data[:at] + b"".join(segments) + data[at:]


def an_instance(frames: list[bytes], syntax: str, *, fragments: int = 1, pixels: np.ndarray = GREY) -> bytes:
    even = [one + b"\0" * (len(one) % 2) for one in frames]
    known = MPEG2MPML if syntax == JPEG_XL else syntax  # one of as many letters, for pydicom knows no JPEG XL
    made = as_file(encapsulated(encapsulate(even, fragments_per_frame=fragments), pixels), known)
    return made.replace(known.encode() + b"\0", syntax.encode() + b"\0") if known != syntax else made


def encapsulated(value: bytes, pixels: np.ndarray = GREY) -> pydicom.Dataset:
    ds = with_pixels(a_dataset(VLWholeSlideMicroscopyImageStorage, seed="words", Modality="SM"), pixels)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.PixelData = value
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return ds


def let_go(source: bytes, keys, profile: str = "tele-read") -> tuple[bytes, int]:
    """Return what leaves, and how many comments it left behind."""
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    released = release(source, header, profile=load(profile), keys=keys, issuer=keys.site)
    assert isinstance(released, Released)
    return released.made.to_bytes(source), released.made.record.comments


def value_of(source: bytes) -> bytes:
    meta = read_file_meta(source)
    pixels = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset).pixel_data
    return source[pixels.value_offset : pixels.end]


def new_value(source: bytes) -> bytes:
    """Return the value of the pixel data with its comments blank."""
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    new = without_comments(source, header, meta.transfer_syntax_uid, None)
    return value_of(source) if new is None else joined(chunks_of(new.pieces, source))


def changed(before: bytes, after: bytes) -> bytes:
    """Return the bytes that are others now."""
    assert len(before) == len(after)
    return bytes(old for old, new in zip(before, after, strict=True) if old != new)


@pytest.mark.parametrize("syntax", KINDS)
@pytest.mark.parametrize("fragments", [1, 3])
def test_words_in_frames_do_not_leave_and_pixels_stay(keys, syntax, fragments):
    words = (J2K_COM,) if is_jpeg_2000(syntax) else (COM, EXIF, IPTC)
    frames = [planted(one, *words) for one in codestreams(syntax)]
    source = an_instance(frames, syntax, fragments=fragments)

    made, count = let_go(source, keys)

    assert NAME in source
    assert NAME not in made
    assert count >= 3 * len(words)
    assert len(value_of(made)) == len(value_of(source))
    for index in range(3):
        assert np.array_equal(decode_frame(made, index), decode_frame(source, index))


@pytest.mark.parametrize("syntax", KINDS)
def test_words_that_two_fragments_share_do_not_leave(syntax):
    data = planted(codestreams(syntax)[0], J2K_COM if is_jpeg_2000(syntax) else COM)
    middle = (data.index(NAME) + 5) // 2 * 2
    parts = [data[:middle], data[middle:] + b"\0" * (len(data) % 2)]
    items = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(one)) + one for one in parts)
    source = as_file(encapsulated(struct.pack("<HHI", 0xFFFE, 0xE000, 0) + items, GREY[0]), syntax)

    before, after = value_of(source), new_value(source)

    assert NAME not in before  # an item stands within it
    assert NAME.replace(b" ", b"") in changed(before, after)


def test_offset_tables_stay_as_they_are(keys):
    value, offsets, lengths = encapsulate_extended([planted(one, COM) for one in codestreams(JPEGBaseline8Bit)])
    ds = encapsulated(value)
    ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = offsets, lengths

    made, _ = let_go(as_file(ds, JPEGBaseline8Bit), keys)

    given = pydicom.dcmread(io.BytesIO(made))
    assert (given.ExtendedOffsetTable, given.ExtendedOffsetTableLengths) == (offsets, lengths)
    assert NAME not in made


@pytest.mark.parametrize("profile", ["basic", "research", "tele-read", "cut-ties"])
def test_they_leave_under_no_profile(keys, profile):
    frames = [planted(one, COM) for one in codestreams(JPEGBaseline8Bit)]

    made, count = let_go(an_instance(frames, JPEGBaseline8Bit), keys, profile)

    assert NAME not in made
    assert count == 3


def test_an_instance_without_words_is_given_out_as_it_is(keys):
    source = an_instance(codestreams(JPEGBaseline8Bit), JPEGBaseline8Bit)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)

    made = deidentify(source, profile=load("basic"), keys=keys, issuer=keys.site)

    assert without_comments(source, header, meta.transfer_syntax_uid, None) is None
    assert value_of(made.to_bytes(source)) == value_of(source)


def test_what_is_blank_already_is_not_counted_again():
    once = an_instance([planted(one, COM) for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)
    twice = once.replace(value_of(once), new_value(once))

    assert new_value(twice) == value_of(twice)


def test_segments_that_change_colors_stay():
    icc = segment(0xE2, b"ICC_PROFILE\0\1\1" + a_profile({b"rTRC": CURVE}))
    spiff = segment(0xE8, b"SPIFF\0" + bytes(range(24)) + NAME)
    entry, ends = segment(0xE8, b"\0\0\0\x0a" + NAME), segment(0xE8, b"\0\0\0\1\xff\xd8")
    color = segment(0xE8, b"mrfx\1")
    false = segment(0xE2, b"ICC_PROFILE\0\1\1" + NAME)
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"RGB")
    data = planted(codestreams(JPEGBaseline8Bit)[0], jfif, false, icc, ADOBE, spiff, entry, ends, color)
    source = an_instance([data], JPEGBaseline8Bit, pixels=GREY[0])

    after = new_value(source)

    assert icc in after
    assert ends in after
    assert color in after
    assert segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + b"   ") in after
    assert ADOBE.replace(NAME, b" " * len(NAME)) in after
    assert changed(value_of(source), after) == (b"RGB" + b"ICC_PROFILE\0\1\1" + NAME + 3 * NAME).replace(b" ", b"")


def test_words_between_scans_and_behind_the_end_do_not_leave():
    data = a_jpeg(COLOR[0], progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    data = data[:second] + COM + data[second:] + NAME
    source = an_instance([data], JPEGBaseline8Bit, pixels=COLOR[0])

    after = new_value(source)

    assert NAME not in after
    assert changed(value_of(source), after).replace(b"\0", b"") == 2 * NAME.replace(b" ", b"")


def test_words_behind_the_end_of_a_single_scan_do_not_leave():
    source = an_instance([one + NAME for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)

    assert NAME not in new_value(source)


def test_a_comment_between_the_only_scan_and_the_end_mark_does_not_leave_from_any_frame(keys):
    frames = [one[:-2] + COM + one[-2:] for one in codestreams(JPEGBaseline8Bit)]
    source = an_instance(frames, JPEGBaseline8Bit)

    made, count = let_go(source, keys)

    assert NAME not in made
    assert count == 3
    assert changed(value_of(source), value_of(made)) == 3 * NAME.replace(b" ", b"")


def test_a_second_end_mark_hides_no_words():
    source = an_instance([one + NAME + b"\xff\xd9" for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)

    assert NAME not in new_value(source)


def test_a_frame_that_begins_as_the_one_before_is_searched_behind_its_beginning():
    data = codestreams(JPEGBaseline8Bit)[0]
    source = an_instance([data, data[:-2] + COM + data[-2:], data + NAME], JPEGBaseline8Bit)

    assert changed(value_of(source), new_value(source)).strip(b"\0") == 2 * NAME.replace(b" ", b"")


def test_frames_that_are_not_each_in_fragments_of_their_own_do_not_leave():
    one, two, three = codestreams(JPEGBaseline8Bit)
    source = an_instance([one + two + three], JPEGBaseline8Bit)

    with pytest.raises(MalformedInstance, match="fewer frames than it says"):
        new_value(source)


def test_words_behind_the_end_of_a_last_tile_part_without_a_length_do_not_leave():
    data = codestreams(JPEG2000Lossless)[0]
    part = data.rindex(b"\xff\x90\0\x0a")
    source = an_instance([data[: part + 6] + bytes(4) + data[part + 10 :] + NAME], JPEG2000Lossless, pixels=GREY[0])

    assert changed(value_of(source), new_value(source)).strip(b"\0").endswith(b"LEVANKHAC")


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_words_of_a_profile_within_frames_do_not_leave_and_its_colors_stay(keys, parts):
    profile = a_profile({b"desc": a_text_tag(b"desc", NAME), b"rTRC": CURVE, b"dmnd": mluc(NAME.decode())})
    size = -(-len(profile) // parts)
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    icc = [segment(0xE2, b"ICC_PROFILE\0" + bytes((at + 1, parts)) + one) for at, one in enumerate(pieces)]
    source = an_instance([planted(one, *reversed(icc)) for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)

    made, count = let_go(source, keys)

    after = next(generate_frames(pydicom.dcmread(io.BytesIO(made)).PixelData, number_of_frames=3))
    assert count >= 6
    assert Image.open(io.BytesIO(after)).info["icc_profile"] == without_words(profile) != profile
    assert NAME not in made
    assert NAME.decode().encode("utf-16-be") not in made


def test_a_profile_in_more_parts_than_have_a_number_is_refused():
    icc = segment(0xE2, b"ICC_PROFILE\0\2\2" + NAME) * (PROFILE_PARTS_MAX + 1)
    source = an_instance([planted(one, icc) for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)

    with pytest.raises(LimitExceeded, match="PROFILE_PARTS_MAX exceeded: 256 is more than 255"):
        new_value(source)


def test_words_of_a_profile_in_boxes_of_jpeg_2000_do_not_leave():
    profile = a_profile({b"cprt": a_text_tag(b"text", NAME), b"rTRC": CURVE})
    header = a_box(b"ihdr", bytes(14)) + a_box(b"colr", b"\2\0\0" + profile) + a_box(b"xml ", NAME)
    data = codestreams(JPEG2000Lossless)[0]
    whole = a_box(b"jP  ", b"\r\n\x87\n") + a_box(b"jp2h", header) + a_box(b"jp2c", data)

    after = new_value(an_instance([whole], JPEG2000Lossless, pixels=GREY[0]))

    assert NAME not in after
    assert without_words(profile) in after


@pytest.mark.parametrize("kind", [b"Exif", b"xml ", b"jumb", b"brob", b"jbrd", b"none"])
def test_words_in_boxes_of_jpeg_xl_do_not_leave(keys, kind):
    frame = a_box(b"JXL ", b"\r\n\x87\n") + a_box(b"ftyp", b"jxl \0\0\0\0jxl ") + a_box(kind, NAME)
    frame += a_box(b"jxlc", bytes(JXL)) + a_box(kind, NAME)
    source = an_instance([frame, frame, frame], JPEG_XL)

    made, count = let_go(source, keys)

    assert changed(value_of(source), value_of(made)) == 6 * NAME.replace(b" ", b"")
    assert count == 6


def test_frames_of_jpeg_xl_decode_as_before(keys):
    imagecodecs = pytest.importorskip("imagecodecs")
    boxed = imagecodecs.jpegxl_encode(GREY[0], lossless=True, usecontainer=True) + a_box(b"xml ", NAME + b".")
    source = an_instance([boxed], JPEG_XL, pixels=GREY[0])

    made, _ = let_go(source, keys)

    (frame,) = generate_frames(pydicom.dcmread(io.BytesIO(made)).PixelData, number_of_frames=1)
    assert NAME not in made
    assert np.array_equal(imagecodecs.jpegxl_decode(frame), GREY[0])


def test_a_bare_codestream_of_jpeg_xl_stays_as_it_is():
    source = an_instance([JXL, JXL, JXL], JPEG_XL)

    assert new_value(source) == value_of(source)


def test_words_in_tile_parts_in_boxes_and_behind_the_end_of_jpeg_2000_do_not_leave():
    data = codestreams(JPEG2000Lossless)[0]
    part = data.index(b"\xff\x90")
    length = struct.pack(">I", int.from_bytes(data[part + 6 : part + 10], "big") + len(J2K_COM))
    data = data[: part + 6] + length + data[part + 10 : part + 12] + J2K_COM + data[part + 12 :]
    whole = a_box(b"jP  ", b"\r\n\x87\n") + a_box(b"xml ", NAME) + a_box(b"jp2c", data + NAME) + a_box(b"uuid", NAME)
    source = an_instance([whole], JPEG2000Lossless, pixels=GREY[0])

    after = new_value(source)

    assert source.count(NAME) == 4
    assert NAME not in after
    assert np.array_equal(decode_frame(source.replace(value_of(source), after), 0), GREY[0])


def a_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"LE VAN KHAC!", "begins as none of its transfer syntax"),
        (b"\xff\xd8LE VAN KHAC!", "no marker where one must be"),
        (b"\xff\xd8\xff\xfe\x7f\xff" + NAME, "an impossible length"),
        (b"\xff\x4f\xff\x51\0\x04\0\0" + NAME, "no marker where one must be"),
        (b"\xff\x4f\xff\x51\0\x04\0\0\xff\x64\x7f\xff" + NAME, "an impossible length"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\x7f\0\0\0xml " + NAME, "an impossible length"),
    ],
)
def test_a_frame_that_is_not_understood_does_not_leave(keys, data, reason):
    with pytest.raises(MalformedInstance, match=reason):
        let_go(an_instance([data], JPEG2000, pixels=GREY[0]), keys)


@pytest.mark.skipif(not has_library(), reason="masks on lossy JPEG need libturbojpeg")
def test_frames_beside_a_masked_one_leave_without_words():
    source = an_instance([planted(one, COM) for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    with open_pixels(source) as pixels:
        masks = masked(pixels, {1: (Box(0, 0, 8, 8),)})

    new = without_comments(source, header, meta.transfer_syntax_uid, masks)

    assert joined(chunks_of(masks.pieces, source)).count(NAME) == 2
    assert NAME not in joined(chunks_of(new.pieces, source))
    assert (new.changes, new.method_codes) == (masks.changes, masks.method_codes)


def test_other_transfer_syntaxes_are_not_looked_at():
    source = an_instance([NAME], RLELossless, pixels=GREY[0])

    assert RLELossless not in LOOKED_AT
    assert new_value(source) == value_of(source)


def test_an_instance_of_too_many_comments_or_segments_is_refused(monkeypatch):
    source = an_instance([planted(one, COM) for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)
    monkeypatch.setattr(comments, "PATCHES_MAX", 2)
    with pytest.raises(LimitExceeded, match="PATCHES_MAX"):
        new_value(source)

    monkeypatch.setattr("anonymizer.codestreams.jpeg.SEGMENTS_MAX", 2)
    with pytest.raises(LimitExceeded, match="SEGMENTS_MAX"):
        new_value(source)


def test_a_comment_in_more_fragments_than_patches_is_refused_before_they_are_made(monkeypatch):
    made, patch = [], comments.Patch
    monkeypatch.setattr(comments, "Patch", lambda *place: made.append(place) or patch(*place))
    monkeypatch.setattr(comments, "PATCHES_MAX", 3)
    data = planted(codestreams(JPEGBaseline8Bit)[0], segment(0xFE, b"x" * 10_000))

    with pytest.raises(LimitExceeded, match="PATCHES_MAX"):
        new_value(an_instance([data], JPEGBaseline8Bit, fragments=1000, pixels=GREY[0]))

    assert len(made) == 4


@pytest.mark.parametrize("pieces", [1, 3, 100])
def test_what_a_frame_has_every_few_bytes_is_found_without_reading_it_over_and_over(monkeypatch, pieces):
    content = (b"\xff\xd9" + b"x" * 18) * 10_000 + b"x" * 200_000 + b"\xff\xd9"
    size = -(-len(content) // pieces)
    frame = Frame(memoryview(content), [Span(at, min(size, len(content) - at)) for at in range(0, len(content), size)])
    read, real = [], Frame.read
    monkeypatch.setattr(Frame, "read", lambda self, *span: read.append(span[1]) or real(self, *span))
    pattern, found, position = re.compile(rb"\xff\xd9"), [], 0

    while (place := frame.find(pattern, position)) is not None:
        found.append(place)
        position = place + 2

    assert found == [one.start() for one in pattern.finditer(content)]
    assert sum(read) < 10 * len(content)


def test_the_comments_of_many_frames_share_their_blanks():
    one = planted(codestreams(JPEGBaseline8Bit)[0], segment(0xE1, b"x" * 60_000))
    source = an_instance([one, one, one], JPEGBaseline8Bit)
    meta = read_file_meta(source)

    new = without_comments(
        source, scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset), meta.transfer_syntax_uid, None
    )

    blanks = [piece for piece in new.pieces if isinstance(piece, memoryview)]
    assert len(blanks) == 3
    assert len({id(piece) for piece in blanks}) == 1


@pytest.mark.peer("dicom3tools")
def test_dciodvfy_has_no_new_errors(tmp_path):
    source = an_instance([planted(one, COM, EXIF) for one in codestreams(JPEGBaseline8Bit)], JPEGBaseline8Bit)
    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(source)
    after.write_bytes(source.replace(value_of(source), new_value(source)))

    assert after.read_bytes() != source
    assert errors_of(after) == errors_of(before)


@pytest.mark.parametrize("name", REAL)
def test_frames_that_others_made_decode_as_before(samples, name):
    source = (samples / name).read_bytes()
    before = value_of(source)
    after = new_value(source)

    assert after != before
    assert np.array_equal(decode_frame(source.replace(before, after), 0), decode_frame(source, 0))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_in_a_frame_nothing_but_blanks_is_put_there(data):
    syntax = data.draw(st.sampled_from([JPEGBaseline8Bit, JPEG2000Lossless]))
    com = J2K_COM if syntax == JPEG2000Lossless else COM + EXIF
    damaged = bytearray(planted(codestreams(syntax)[0], com))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + 1] = data.draw(st.binary(max_size=3))
    source = an_instance([bytes(damaged)], syntax, fragments=data.draw(st.integers(1, 3)), pixels=GREY[0])

    try:
        after = new_value(source)
    except Refused:
        return

    before = value_of(source)
    assert len(after) == len(before)
    assert {new for old, new in zip(before, after, strict=True) if old != new} <= {ord(" ")}
