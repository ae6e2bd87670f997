"""Words within videos in containers do not leave, pictures are what they were, and what is not followed is held."""

import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.codestreams import mp4
from kernel.errors import LimitExceeded, MalformedInstance, Refused
from tests.anonymizer.test_videos import H264, HEVC, MPEG2, NAME, cleaned, messages
from tests.dicom.test_video import needs_ffmpeg

SOURCE = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=duration=1")
TELLING = ("-metadata", f"title={NAME.decode()}", "-metadata", f"comment={NAME.decode()}")
TRACK_TELLING = ("-metadata:s:v", f"handler_name={NAME.decode()}", "-metadata", "creation_time=2026-11-20T08:00:00Z")
ENCODED_BY = {"libx264": b"x264 - core", "libx265": b"x265 (build"}


def encoded(path, *arguments: str) -> bytes:
    command = ["ffmpeg", "-loglevel", "error", "-y", *arguments, "-pix_fmt", "yuv420p", str(path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this ffmpeg lacks an encoder")
    return path.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def files(folder) -> dict[tuple[str, str], bytes]:
    """Return eight pictures by encoder and container, which name somebody where ffmpeg writes texts."""
    made = {}
    for encoder in ENCODED_BY:
        for kind in ("mp4", "mov"):
            told = ["-frames:v", "8", "-c:v", encoder, *TELLING, *TRACK_TELLING]
            made[encoder, kind] = encoded(folder / f"{encoder}.{kind}", *SOURCE, *told)
    return made


def pictures(folder, stream: bytes) -> np.ndarray:
    path = folder / "decoded"
    path.write_bytes(stream)
    command = ["ffmpeg", "-loglevel", "error", "-i", str(path), "-map", "0:v", "-f", "rawvideo", "pipe:1"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)


# --- MP4 --------------------------------------------------------------------------------------------------------------


def a_box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def a_movie(*, unit: bytes = b"", handler: bytes = b"vide", beside: bytes = b"", gap: bytes = b"", **changed) -> bytes:
    """Return an MP4 of one sample of H.264: a slice and a unit, with boxes beside it in each box of boxes."""
    units = [b"\x65" + bytes(range(64, 90)), *([unit] if unit else [])]
    sample = b"".join(len(one).to_bytes(4, "big") + one for one in units)
    begins = a_box(b"ftyp", b"isom", bytes(4), b"avc1") + a_box(b"mdat", gap, sample)
    words = changed.get
    configuration = words("configuration", b"\1\x42\0\x0a\xff\xe1\0\4\x67\x42\0\x0a\1\0\2\x68\1")
    entry = a_box(words("entry", b"avc1"), bytes(7), b"\1", bytes(70), a_box(b"avcC", configuration), beside)
    place = words("place", len(begins) - len(sample))
    table = a_box(
        b"stbl",
        a_box(b"stsd", struct.pack(">II", 0, words("entries", 1)), entry),
        a_box(b"stts", struct.pack(">IIII", 0, 1, 1, 1)),
        a_box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
        a_box(b"stsz", struct.pack(">III", 0, len(sample), words("samples", 1))),
        a_box(b"stco", struct.pack(">III", 0, 1, place)),
        beside,
    )
    references = a_box(b"dref", struct.pack(">II", 0, 1), a_box(b"url ", struct.pack(">I", words("within", 1)), NAME))
    information = a_box(b"minf", a_box(b"vmhd", bytes(12)), a_box(b"dinf", references), table, beside)
    told = a_box(b"hdlr", bytes(8), handler, bytes(12), NAME)
    media = a_box(b"mdia", a_box(b"mdhd", bytes(24)), told, information, beside)
    track = a_box(b"trak", a_box(b"tkhd", bytes(84)), media, beside)
    movie = a_box(b"moov", a_box(b"mvhd", bytes(100), NAME), track * words("tracks", 1), beside)
    return begins + movie + beside


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["mp4", "mov"])
@pytest.mark.parametrize("encoder", ENCODED_BY)
def test_an_mp4_file_shows_the_same_pictures_without_its_words(files, folder, encoder, kind):
    told = files[encoder, kind] + a_box(b"uuid", bytes(16), NAME)
    assert (told.count(NAME) >= 3, ENCODED_BY[encoder] in told) == (True, True)

    for fragments in (1, 3):
        new = cleaned(told, {"libx264": H264, "libx265": HEVC}[encoder], fragments)

        assert (NAME in new, ENCODED_BY[encoder] in new, b"Lavf" in new, b"Lavc" in new) == (False,) * 4
        assert len(new) == len(told)
        assert cleaned(new, {"libx264": H264, "libx265": HEVC}[encoder]) == new
    before, after = pictures(folder, files[encoder, kind]), pictures(folder, new)
    assert len(before) == 8 * 64 * 48 * 3 // 2
    assert np.array_equal(before, after)


@needs_ffmpeg
def test_when_it_was_made_does_not_leave(files):
    told = files["libx264", "mp4"]
    at = told.index(b"mvhd") + 8
    assert told[at : at + 8] != bytes(8)

    new = cleaned(told, H264)

    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        at = new.index(kind) + 8
        assert new[at : at + 8] == bytes(8)


@needs_ffmpeg
def test_an_mp4_file_with_sound_is_held(folder):
    made = encoded(folder / "sound.mp4", *SOURCE, *SOUND, "-frames:v", "8", "-c:v", "libx264", "-shortest")

    with pytest.raises(MalformedInstance, match="has a track of sound, which nobody here can look at: send it without"):
        cleaned(made, H264)


@needs_ffmpeg
def test_a_fragmented_mp4_file_is_held(folder):
    how = ("-frames:v", "8", "-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov")

    with pytest.raises(MalformedInstance, match="is a fragmented MP4"):
        cleaned(encoded(folder / "fragmented.mp4", *SOURCE, *how), H264)


@pytest.mark.parametrize(
    "kind", [b"udta", b"meta", b"uuid", b"free", b"skip", b"LE V", b"\xa9nam", b"sgpd", b"mdia"[::-1]]
)
def test_boxes_that_pictures_do_not_need_become_blank(kind):
    told = a_movie(beside=a_box(kind, NAME))

    new = cleaned(told, H264)

    assert b"VAN" not in new
    assert new.count(kind) == (told.count(kind) if kind in {b"free", b"skip"} else 0)
    assert cleaned(new, H264) == new


def test_words_between_and_within_samples_are_blank():
    told = a_movie(unit=messages(H264, b"\5" + bytes((16 + len(NAME),)) + bytes(16) + NAME)[3:], gap=NAME)
    assert told.count(NAME) == 5

    new = cleaned(told, H264)

    assert NAME not in new
    assert b"\x65" + bytes(range(64, 90)) in new


def test_a_track_without_samples_becomes_blank():
    empty = a_movie(handler=b"soun", samples=0)
    track = empty[empty.index(b"trak") - 4 :]

    new = cleaned(a_movie_with(track), H264)

    assert NAME not in new
    assert b"soun" not in new


def a_movie_with(track: bytes) -> bytes:
    """Return an MP4 with another track behind its own."""
    told = a_movie()
    at = told.index(b"moov") - 4
    (size,) = struct.unpack_from(">I", told, at)
    return told[:at] + struct.pack(">I", size + len(track)) + told[at + 4 :] + track


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"handler": b"soun"}, "has a track of sound"),
        ({"handler": b"sbtl"}, "has a track of text"),
        ({"handler": b"tmcd"}, "has a track of time codes"),
        ({"handler": b"KHAC"}, "has a track of something that is no picture"),
        ({"handler": b"vide", "samples": 0}, "impossible tables|no track of pictures"),
        ({"entry": b"hvc1"}, "of another coding than its transfer syntax says"),
        ({"entries": 2}, "describes its pictures in several ways"),
        ({"samples": 2}, "has impossible tables of samples"),
        ({"place": 0}, "has samples that are not in its media data"),
        ({"tracks": 2}, "has samples that overlap"),
        ({"within": 0}, "has samples in another file"),
        ({"unit": b"\6\5\x7f"}, "an impossible length"),
        ({"configuration": b"\1\x42\0\x0a\xff\xe1\0\x44\x67"}, "a damaged configuration"),
        ({"beside": a_box(b"mvex")}, "is a fragmented MP4"),
        ({"beside": a_box(b"stbl")}, "has not one box stbl"),
        ({"beside": b"\0\0\1\0udta"}, "an impossible length"),
    ],
)
def test_an_mp4_that_is_not_followed_does_not_leave(changed, reason):
    with pytest.raises(MalformedInstance, match=reason):
        cleaned(a_movie(**changed), H264)


def test_an_mp4_is_none_of_mpeg_2():
    with pytest.raises(MalformedInstance, match="send it as a bare stream"):
        cleaned(a_movie(), MPEG2)


@pytest.mark.parametrize(
    ("limit", "bound", "changed"),
    [
        ("BOXES_MAX", 10, {"beside": a_box(b"free") * 10}),
        ("TRACKS_MAX", 2, {"tracks": 3}),
        ("SAMPLES_MAX", 0, {}),
        ("UNITS_MAX", 1, {"unit": b"\x65\1"}),
        ("CONFIGURATION_BYTES_MAX", 10, {}),
    ],
)
def test_an_mp4_that_costs_too_much_is_refused(monkeypatch, limit, bound, changed):
    monkeypatch.setattr(mp4, limit, bound)

    with pytest.raises(LimitExceeded, match=limit):
        cleaned(a_movie(**changed), H264)


@settings(max_examples=150, deadline=2_000)
@given(data=st.data())
def test_whatever_is_in_an_mp4_it_is_followed_or_refused(data):
    told = bytearray(a_movie(unit=messages(H264, b"\5\x0b" + NAME)[3:], beside=a_box(b"udta", NAME)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(told) - 1))
        told[at : at + 1] = data.draw(st.binary(max_size=4))

    try:
        after = cleaned(bytes(told), H264, data.draw(st.integers(1, 3)))
    except Refused:
        return

    assert len(after) == len(told)
    assert cleaned(after, H264) == after
