"""Words within videos in containers do not leave, pictures are what they were, and what is not followed is held."""

import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.codestreams import mp4, transport
from kernel.errors import LimitExceeded, MalformedInstance, Refused
from tests.anonymizer.test_videos import H264, HEVC, MPEG2, NAME, SLICE, a_message, cleaned, messages
from tests.dicom.test_video import needs_ffmpeg
from tests.support.absent import absent

SOURCE = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25")
SOUND = ("-f", "lavfi", "-i", "sine=duration=1")
TELLING = ("-metadata", f"title={NAME.decode()}", "-metadata", f"comment={NAME.decode()}")
TRACK_TELLING = ("-metadata:s:v", f"handler_name={NAME.decode()}", "-metadata", "creation_time=2026-11-20T08:00:00Z")
ENCODED_BY = {"libx264": b"x264 - core", "libx265": b"x265 (build"}


def encoded(path, *arguments: str) -> bytes:
    command = ["ffmpeg", "-loglevel", "error", "-y", *arguments, "-pix_fmt", "yuv420p", str(path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        absent("this ffmpeg lacks an encoder")
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
    told = a_movie(unit=messages(H264, a_message(5, bytes(16) + NAME))[3:], gap=NAME)
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
    told = bytearray(a_movie(unit=messages(H264, a_message(5, NAME))[3:], beside=a_box(b"udta", NAME)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(told) - 1))
        told[at : at + 1] = data.draw(st.binary(max_size=4))

    try:
        after = cleaned(bytes(told), H264, data.draw(st.integers(1, 3)))
    except Refused:
        return

    assert len(after) == len(told)
    assert cleaned(after, H264) == after


# --- transport streams ------------------------------------------------------------------------------------------------

PROGRAM_PID, PICTURES_PID, OTHER_PID = 0x1000, 0x100, 0x11
STREAM_TYPE = {MPEG2: 0x02, H264: 0x1B, HEVC: 0x24}


def a_packet(pid: int, payload: bytes, *, counter: int = 0, start: bool = False, adaptation: bytes = b"") -> bytes:
    """Return a packet; what its payload does not fill is stuffing of its adaptation field."""
    room = 184 - len(payload)
    assert room >= (1 + len(adaptation) if adaptation else 0)
    field = b""
    if room:
        stuffed = (adaptation or (b"\0" if room > 1 else b"")).ljust(room - 1, b"\xff")
        field = bytes((room - 1,)) + stuffed
    control = (0x20 if field else 0) | (0x10 if payload else 0) | counter & 15
    return b"\x47" + struct.pack(">H", pid | (0x4000 if start else 0)) + bytes((control,)) + field + payload


def a_section(table: int, content: bytes) -> bytes:
    head = bytes((table,)) + struct.pack(">H", 0xB000 | len(content) + 9) + b"\0\1\xc1\0\0" + content
    return b"\0" + head + mpeg_crc(head).to_bytes(4, "big")


def mpeg_crc(content: bytes) -> int:
    """Return the checksum by the long division of ISO/IEC 13818-1 annex A, a bit at a time."""
    rest = 0xFFFFFFFF
    for byte in content:
        for bit in range(7, -1, -1):
            is_set = (rest >> 31) ^ (byte >> bit & 1)
            rest = (rest << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 * is_set)
    return rest


def descriptor(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def tables(
    *types: int, clock: int = PICTURES_PID, programs: int = 1, told: bytes = b"", of_stream: bytes = b""
) -> list[bytes]:
    streams = b"".join(
        struct.pack(">BHH", one, 0xE000 | PICTURES_PID + at, 0xF000 | len(of_stream)) + of_stream
        for at, one in enumerate(types)
    )
    program = struct.pack(">HH", 0xE000 | clock, 0xF000 | len(told)) + told + streams
    entries = b"".join(struct.pack(">HH", one + 1, 0xE000 | PROGRAM_PID) for one in range(programs))
    return [
        a_packet(0, a_section(0, entries).ljust(184, b"\xff"), start=True),
        a_packet(PROGRAM_PID, a_section(2, program).ljust(184, b"\xff")[:184], start=True),
    ]


def a_header(flags: int = 0x80, optional: bytes = b"\x21\0\1\0\1", length: int = 0) -> bytes:
    return b"\0\0\1\xe0" + struct.pack(">HBBB", length, 0x80, flags, len(optional)) + optional


def a_stream(stream: bytes, *, header: bytes | None = None, adaptation: bytes = b"\0", step: int = 20) -> list[bytes]:
    """Return the packets of one PES packet, with so few bytes in each that units lie across them."""
    whole = (a_header() if header is None else header) + stream
    size = max(step, len(whole) - len(stream))
    pieces = [whole[:size], *(whole[at : at + step] for at in range(size, len(whole), step))]
    return [
        a_packet(PICTURES_PID, piece, counter=at, start=not at, adaptation=adaptation)
        for at, piece in enumerate(pieces)
    ]


@pytest.fixture(scope="module")
def transports(folder) -> dict[str, bytes]:
    services = ("-metadata", f"service_name={NAME.decode()}", "-metadata", f"service_provider={NAME.decode()}")
    kinds = {MPEG2: "mpeg2video", H264: "libx264", HEVC: "libx265"}
    return {
        syntax: encoded(folder / f"{one}.ts", *SOURCE, "-frames:v", "8", "-c:v", one, *services)
        for syntax, one in kinds.items()
    }


@needs_ffmpeg
@pytest.mark.parametrize("syntax", [MPEG2, H264, HEVC])
def test_a_transport_stream_shows_the_same_pictures_without_its_words(transports, folder, syntax):
    told, wrote = transports[syntax], {MPEG2: NAME, H264: b"x264 - core", HEVC: b"x265 (build"}[syntax]
    assert (NAME in told, wrote in told) == (True, True)

    for fragments in (1, 3):
        new = cleaned(told, syntax, fragments)

        assert (NAME in new, wrote in new, b"options:" in new, b"cabac=" in new) == (False,) * 4
        assert len(new) == len(told)
        assert cleaned(new, syntax) == new
    before, after = pictures(folder, told), pictures(folder, new)
    assert len(before) == 8 * 64 * 48 * 3 // 2
    assert np.array_equal(before, after)


@pytest.mark.parametrize("syntax", [MPEG2, H264, HEVC])
def test_words_of_units_across_packets_are_blank(syntax):
    unit = b"\0\0\1\xb2" + NAME * 9 if syntax == MPEG2 else messages(syntax, a_message(5, b" " * 16 + NAME * 9))
    stream = SLICE[syntax] + unit + SLICE[syntax]
    packets = [*tables(STREAM_TYPE[syntax]), *a_stream(stream)]

    new = cleaned(b"".join(packets), syntax)

    pieces = [new[at : at + 188] for at in range(0, len(new), 188)][2:]
    carried = b"".join(piece[5 + piece[4] :] for piece in pieces)[len(a_header()) :]
    assert carried == stream.replace(NAME, b" " * len(NAME))


@pytest.mark.parametrize(
    "packets",
    [
        [a_packet(OTHER_PID, a_section(0x42, NAME).ljust(184, b"\xff"), start=True)],
        [a_packet(0x1FFF, NAME.ljust(184, b"\xff"))],
        [a_packet(PICTURES_PID, NAME * 3, counter=15)],
        tables(0x1B, told=descriptor(0x05, NAME), of_stream=descriptor(0x28, NAME) + descriptor(0x0A, NAME)),
        [a_packet(0x1234, NAME)],
    ],
)
def test_packets_and_descriptors_that_pictures_do_not_need_become_blank(packets):
    is_table = packets[-1][1:3] == b"\x50\x00"
    told = [*([] if is_table else tables(0x1B)), *packets, *a_stream(SLICE[H264])]
    assert any(NAME in one for one in told)

    new = cleaned(b"".join(told), H264)

    assert b"VAN" not in new
    assert new.endswith(b"".join(a_stream(SLICE[H264])))
    assert cleaned(new, H264) == new
    program = new[188:376]
    assert mpeg_crc(program[5 : 5 + 3 + (struct.unpack_from(">H", program, 6)[0] & 0xFFF)]) == 0


def test_descriptors_of_numbers_stay():
    told = b"".join([*tables(0x1B, of_stream=descriptor(0x28, b"\x42\0\x0a\x3f")), *a_stream(SLICE[H264])])

    assert cleaned(told, H264) == told


def test_of_headers_stay_clocks_and_times_alone():
    clock = b"\x12\x34\x56\x78\x7e\x9a"
    adaptation = b"\x52" + clock + bytes((len(NAME),)) + NAME
    header = a_header(0x81, b"\x21\0\1\0\1" + b"\x80" + NAME.ljust(16))
    told = b"".join([*tables(0x1B), *a_stream(SLICE[H264], header=header, adaptation=adaptation)])

    new = cleaned(told, H264)

    assert (b"VAN" in told, b"VAN" in new) == (True, False)
    assert b"\x50" + clock + b"\xff" * (1 + len(NAME)) in new
    assert a_header(0x80, b"\x21\0\1\0\1" + b"\xff" * 17) in new


def a_transport(*, beside: bytes = b"", **changed) -> bytes:
    return b"".join([*tables(0x1B, **changed), beside, *a_stream(SLICE[H264])])


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (b"".join([*tables(0x1B, 0x0F), *a_stream(SLICE[H264])]), "with sound, which nobody here can look at"),
        (b"".join([*tables(0x1B, 0x06), *a_stream(SLICE[H264])]), "with something that is not of its transfer syntax"),
        (b"".join([*tables(0x02), *a_stream(SLICE[MPEG2])]), "with something that is not of its transfer syntax"),
        (b"".join([*tables(0x1B, 0x1B), *a_stream(SLICE[H264])]), "not one stream of pictures"),
        (a_transport(clock=0x50), "its clock elsewhere"),
        (a_transport(programs=2), "of not one program"),
        (b"".join(a_stream(SLICE[H264])), "without tables"),
        (b"".join(tables(0x1B)), "without pictures"),
        (a_transport(beside=tables(0x24)[1]), "whose tables change"),
        (a_transport(beside=a_packet(PICTURES_PID, NAME * 10, start=True)), "headers that are not of pictures"),
        (a_transport(beside=a_packet(PICTURES_PID, NAME, start=True)), "headers longer than a packet"),
        (a_transport(beside=a_stream(SLICE[H264])[0]), "packets are missing or double"),
        (a_transport(beside=b"\x47\1\0\xd0" + bytes(184)), "damaged or scrambled"),
        (a_transport(beside=b"\x47\1\0\x30\xff" + bytes(183)), "damaged packets"),
        (a_transport(beside=(b"\x47\0\0\0" + NAME).ljust(188, b"\xff")), "damaged packets"),  # of a table, with neither
        (a_transport(beside=(b"\x47\x10\0\x20\0" + NAME).ljust(188, b"\xff")), "damaged packets"),
        (a_transport(beside=bytes(188)), "bytes between its packets"),
        (a_transport(told=descriptor(5, NAME * 16)), "tables longer than a packet"),
        (a_transport().replace(b"\0\1\xc1", b"\0\2\xc1", 1), "damaged tables"),
        (b"".join([*tables(0x1B), *a_stream(SLICE[H264], header=a_header(length=9))]), "bytes behind a packet"),
        ((b"\x47" + bytes(203)) * 4, "in packets of 204 bytes"),
        ((bytes(4) + b"\x47" + bytes(187)) * 4, "in packets of 192 bytes"),
        (b"".join([*tables(0x1B), *a_stream(b"\0\0\1\xba" + NAME)]), "in a container that is not followed"),
    ],
)
def test_a_transport_stream_that_is_not_followed_does_not_leave(told, reason):
    with pytest.raises(MalformedInstance, match=reason):
        cleaned(told, H264)


def test_a_transport_stream_of_too_many_packets_is_refused(monkeypatch):
    monkeypatch.setattr(transport, "PACKETS_MAX", 3)

    with pytest.raises(LimitExceeded, match="PACKETS_MAX"):
        cleaned(a_transport(), H264)


@settings(max_examples=150, deadline=2_000)
@given(data=st.data())
def test_whatever_is_in_a_transport_stream_it_is_followed_or_refused(data):
    unit = messages(H264, a_message(5, NAME * 4))
    told = bytearray(b"".join([*tables(0x1B, told=descriptor(5, NAME)), *a_stream(SLICE[H264] + unit)]))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(told) // 188 - 1)) * 188 + data.draw(st.integers(0, 40))
        told[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))

    try:
        after = cleaned(bytes(told), H264, data.draw(st.integers(1, 3)))
    except Refused:
        return

    assert len(after) == len(told)
    assert cleaned(after, H264) == after
