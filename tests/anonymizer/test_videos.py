"""Words within streams of video do not leave; not one byte elsewhere is another, and pictures are what they were."""

import io
import subprocess

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import generate_frames

from anonymizer.codestreams import video
from anonymizer.codestreams.comments import without_comments
from anonymizer.engine.result import chunks_of, joined
from anonymizer.profiles.profile import load
from anonymizer.release import Released, release
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import LimitExceeded, MalformedInstance, Refused
from tests.dicom.test_video import needs_ffmpeg
from tests.dicomweb.test_videos import a_video
from tests.support.absent import absent

MPEG2, H264, HEVC = "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.107"
NAME = b"LE VAN KHAC"
SLICE = {
    MPEG2: b"\0\0\1\xb3" + bytes(range(16, 24)) + b"\0\0\1\0\x10\x20" + b"\0\0\1\x01" + bytes(range(64, 90)),
    H264: b"\0\0\0\1\x67" + bytes(range(16, 24)) + b"\0\0\1\x65" + bytes(range(64, 90)),
    HEVC: b"\0\0\0\1\x42\1" + bytes(range(16, 24)) + b"\0\0\1\x26\1" + bytes(range(64, 90)),
}


def escaped(content: bytes) -> bytes:
    """Put a 3 where a start code would be seen (H.264 7.4.1)."""
    made = bytearray()
    for byte in content:
        if made[-2:] == b"\0\0" and byte <= 3:
            made.append(3)
        made.append(byte)
    return bytes(made)


def a_message(kind: int, payload: bytes) -> bytes:
    size = b"\xff" * (len(payload) // 255) + bytes((len(payload) % 255,))
    return bytes((kind,)) + size + payload


def messages(syntax: str, *parts: bytes) -> bytes:
    head = b"\x06" if syntax == H264 else b"\x4e\1"
    return b"\0\0\1" + head + escaped(b"".join(parts)) + b"\x80"


def units(syntax: str) -> list[bytes]:
    """Return units that hold a name, one of each kind."""
    if syntax == MPEG2:
        return [b"\0\0\1" + bytes((code,)) + NAME for code in (0xB2, 0xB7, 0xB0, 0xFC)]
    told = [
        messages(syntax, a_message(5, bytes(16) + NAME)),
        messages(syntax, a_message(4, NAME), a_message(200, NAME)),
    ]
    kinds = (0x0A, 0x0B, 0x0C, 0x10, 0x18, 0x1E) if syntax == H264 else (36 << 1, 37 << 1, 38 << 1, 41 << 1, 62 << 1)
    rest = b"" if syntax == H264 else b"\1"
    return told + [b"\0\0\1" + bytes((kind,)) + rest + NAME + b"\x80" for kind in kinds]


def stream_of(source: bytes) -> bytes:
    ds = pydicom.dcmread(io.BytesIO(source))
    return next(generate_frames(ds.PixelData, number_of_frames=1))


def cleaned(stream: bytes, syntax: str, fragments: int = 1) -> bytes:
    _, source = a_video(stream + bytes(len(stream) % 2), syntax, seed="words", fragments=fragments)
    meta = read_file_meta(source)
    header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    new = without_comments(source, header, meta.transfer_syntax_uid, None)
    if new is None:
        return stream
    pixels = header.pixel_data
    made = source[: pixels.value_offset] + joined(chunks_of(new.pieces, source)) + source[pixels.end :]
    return stream_of(made)[: len(stream)]


@pytest.mark.parametrize("syntax", [MPEG2, H264, HEVC])
@pytest.mark.parametrize("fragments", [1, 3])
def test_words_in_a_stream_do_not_leave_and_its_pictures_stay(syntax, fragments):
    for unit in units(syntax):
        stream = SLICE[syntax] + unit + SLICE[syntax]

        new = cleaned(stream, syntax, fragments)

        assert NAME not in new
        assert b"VAN" not in new
        assert (new.startswith(SLICE[syntax]), new.endswith(SLICE[syntax])) == (True, True)
        assert len(new) == len(stream)
        assert cleaned(new, syntax) == new


def test_they_leave_under_no_profile(keys):
    for profile in ("tele-read", "basic"):
        _, source = a_video(SLICE[H264] + b"".join(units(H264)), H264, seed="words")
        meta = read_file_meta(source)
        header = scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset)

        released = release(source, header, profile=load(profile), keys=keys, issuer=keys.site)

        assert isinstance(released, Released)
        assert NAME not in released.made.to_bytes(source)
        assert released.made.record.comments == 9


@pytest.mark.parametrize("syntax", [H264, HEVC])
def test_messages_of_numbers_stay_and_sizes_hold(syntax):
    numbers, words = a_message(1, b"\x12\0\0\1\0\0\3\x34"), a_message(5, b"\0\0\1" + NAME + b"\0\0\0\0\2" + NAME * 30)
    stream = SLICE[syntax] + messages(syntax, numbers, words, numbers) + SLICE[syntax]

    new = cleaned(stream, syntax)

    assert b"VAN" not in new
    assert new.replace(b" ", b"") == stream.replace(NAME, b"")
    begin = new.index(SLICE[syntax], 1) - 1 - len(escaped(numbers))
    assert new[begin : begin + len(escaped(numbers)) + 1] == escaped(numbers) + b"\x80"


def test_a_message_may_end_with_its_unit():
    stream = SLICE[H264] + messages(H264, a_message(5, NAME))[:-1] + SLICE[H264]

    assert cleaned(stream, H264) == stream.replace(NAME, b" " * len(NAME))


@pytest.mark.parametrize(
    ("stream", "syntax", "reason"),
    [
        (b"\0\0\0\x18ftypmp42" + NAME, H264, "has not one box moov"),
        (b"\0\0\0\1ftyp" + bytes(7) + b"\x20" + bytes(16), H264, "has not one box moov"),
        (b"\x47\x40\x11\x10" + bytes(184) + SLICE[H264], H264, "a transport stream without tables"),
        (b"\0\0\1\xba" + SLICE[MPEG2], MPEG2, "in a container"),
        (b"\0\0\1\xba" + SLICE[H264], H264, "in a container"),
        (b"\0\0\0\0", H264, "in a container"),
        (SLICE[H264] + b"\0\0\1\6\5\x7f" + NAME, H264, "an impossible length"),
        (SLICE[H264] + b"\0\0\1\6\5\xff\xff", H264, "an impossible length"),
    ],
)
def test_a_video_that_is_not_followed_does_not_leave(stream, syntax, reason):
    with pytest.raises(MalformedInstance, match=reason):
        cleaned(stream, syntax)


def test_a_stream_of_too_many_or_too_long_units_is_refused(monkeypatch):
    monkeypatch.setattr(video, "MESSAGES_BYTES_MAX", 20)
    with pytest.raises(LimitExceeded, match="MESSAGES_BYTES_MAX"):
        cleaned(SLICE[H264] + messages(H264, a_message(5, NAME * 2)), H264)

    monkeypatch.setattr(video, "SEGMENTS_MAX", 3)
    with pytest.raises(LimitExceeded, match="SEGMENTS_MAX"):
        cleaned(SLICE[MPEG2] + b"".join(units(MPEG2)), MPEG2)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("syntax", "encoder", "form"),
    [(MPEG2, "mpeg2video", "mpeg2video"), (H264, "libx264", "h264"), (HEVC, "libx265", "hevc")],
)
def test_what_ffmpeg_made_decodes_as_before_without_what_its_encoder_wrote(syntax, encoder, form):
    stream = made_by_ffmpeg(encoder, form)
    if syntax == MPEG2:
        stream = stream.replace(b"\0\0\1\xb8", b"\0\0\1\xb2" + NAME + b"\0\0\1\xb8")

    new = cleaned(stream, syntax)

    words = {MPEG2: NAME, H264: b"x264 - core", HEVC: b"x265 (build"}[syntax]
    assert words in stream
    assert words not in new
    assert np.array_equal(pictures(new, form), pictures(stream, form))
    assert len(pictures(new, form)) == 8 * 64 * 48


def made_by_ffmpeg(encoder: str, form: str) -> bytes:
    source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25", "-frames:v", "8", "-pix_fmt", "yuv420p"]
    command = ["ffmpeg", "-loglevel", "error", *source, "-c:v", encoder, "-f", form, "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        absent(f"this ffmpeg has no {encoder}")
    return done.stdout


def pictures(stream: bytes, form: str) -> np.ndarray:
    form = "mpegvideo" if form == "mpeg2video" else form
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-f",
        form,
        "-i",
        "pipe:0",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "pipe:1",
    ]
    return np.frombuffer(subprocess.run(command, input=stream, capture_output=True, check=True).stdout, np.uint8)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_in_a_stream_nothing_but_blanks_is_put_there(data):
    syntax = data.draw(st.sampled_from([MPEG2, H264, HEVC]))
    stream = bytearray(SLICE[syntax] + b"".join(units(syntax)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(stream) - 1))
        stream[at : at + 1] = data.draw(st.binary(max_size=4))
    before = bytes(stream)

    try:
        after = cleaned(before, syntax, data.draw(st.integers(1, 3)))
    except Refused:
        return

    assert len(after) == len(before)
    assert {new for old, new in zip(before, after, strict=True) if old != new} <= {ord(" ")}
