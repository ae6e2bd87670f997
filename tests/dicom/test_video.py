"""Pictures as MP4 by the system's ffmpeg, read back by ffprobe and ffmpeg; and every bound that ends it."""

import json
import subprocess
import threading

import numpy as np
import pytest
from PIL import Image

from kernel.dicom.pictures import video
from kernel.dicom.pictures.video import encode_mp4, video_program
from kernel.errors import Busy, LimitExceeded, MalformedInstance

needs_ffmpeg = pytest.mark.peer("ffmpeg")


def a_moving_bar(count: int, columns: int = 64, rows: int = 48, mode: str = "L") -> list[Image.Image]:
    """Frames in which a bright bar moves right, 4 pixels a frame."""
    frames = []
    for index in range(count):
        array = np.full((rows, columns), 16, np.uint8)
        array[:, 4 * index : 4 * index + 4] = 235
        frames.append(Image.fromarray(array).convert(mode))
    return frames


def probed(content: bytes) -> dict:
    """What ffprobe says of the one stream of a file, its frames counted."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", "pipe:0"]
    found = json.loads(subprocess.run(command, input=content, capture_output=True, check=True).stdout)
    (stream,) = found["streams"]
    return {**stream, "tags_of_file": found["format"].get("tags", {})}


def decoded(content: bytes, columns: int, rows: int) -> np.ndarray:
    """The frames of a file as grey, shape (frames, rows, columns)."""
    command = ["ffmpeg", "-loglevel", "error", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    raw = subprocess.run(command, input=content, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, rows, columns)


@needs_ffmpeg
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_frame_is_in_the_file_at_its_size_and_rate(mode):
    content = encode_mp4(a_moving_bar(12, mode=mode), frame_ms=80)

    stream = probed(content)
    frames = decoded(content, 64, 48)
    assert (stream["codec_name"], stream["pix_fmt"], stream["width"], stream["height"]) == ("h264", "yuv420p", 64, 48)
    assert (stream["nb_read_frames"], stream["avg_frame_rate"]) == ("12", "25/2")
    bars = frames.mean(axis=1).argmax(axis=1)
    assert [int(bar) // 4 for bar in bars] == list(range(12))
    assert content.index(b"moov") < content.index(b"mdat")  # players begin before they have all of it


@needs_ffmpeg
def test_odd_sides_are_made_even_and_the_picture_stays_where_it_was():
    content = encode_mp4(a_moving_bar(2, columns=63, rows=47), 40)

    stream = probed(content)
    first = decoded(content, 64, 48)[0].astype(int)
    assert (stream["width"], stream["height"]) == (64, 48)
    assert first[:47, :4].min() > 200


@needs_ffmpeg
def test_the_same_frames_give_the_same_bytes_and_tell_nothing_of_when_they_were_made():
    first, second = (encode_mp4(a_moving_bar(5), 40) for _ in range(2))

    assert first == second
    assert not {"creation_time", "title", "encoder"} & probed(first)["tags_of_file"].keys()


@needs_ffmpeg
def test_less_quality_makes_a_smaller_file():
    noise = [Image.fromarray(np.random.default_rng(n).integers(0, 256, (96, 96), np.uint8)) for n in range(4)]

    sizes = [len(encode_mp4(noise, 40, quality)) for quality in (100, 50, 10)]

    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2]


@needs_ffmpeg
@pytest.mark.parametrize(("frame_ms", "rate"), [(0.001, "200/1"), (1e9, "1/10"), (1000 / 15, "15/1")])
def test_a_rate_that_no_player_shows_is_brought_to_one_that_it_does(frame_ms, rate):
    assert probed(encode_mp4(a_moving_bar(3), frame_ms))["avg_frame_rate"] == rate


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "most", "frames"),
    [
        ("VIDEO_FRAMES_MAX", 4, lambda: a_moving_bar(5)),
        ("VIDEO_SIDE_MAX", 60, lambda: a_moving_bar(1)),
        (
            "VIDEO_BYTES_MAX",
            20_000,
            lambda: [Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8))] * 3,
        ),
    ],
)
def test_every_bound_of_a_video_is_told_by_its_name(monkeypatch, name, most, frames):
    monkeypatch.setattr(video, name, most)

    with pytest.raises(LimitExceeded, match=name):
        encode_mp4(frames(), 40)


@needs_ffmpeg
def test_a_video_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(video, "VIDEO_SECONDS_MAX", 0.3)
    frame, never = a_moving_bar(1)[0], threading.Event()

    def slowly():
        for _ in range(1000):
            never.wait(0.05)
            yield frame

    with pytest.raises(LimitExceeded, match="VIDEO_SECONDS_MAX"):
        encode_mp4(slowly(), 40)


@needs_ffmpeg
def test_a_program_without_memory_fails_as_a_codec_does(monkeypatch):
    monkeypatch.setattr(video, "PROGRAM_BYTES_MAX", 64 * 1024 * 1024)

    with pytest.raises(MalformedInstance, match="the encoder failed"):
        encode_mp4(a_moving_bar(8, columns=1024, rows=1024), 40)


@needs_ffmpeg
def test_what_fails_while_frames_are_drawn_is_told_and_leaves_no_process(monkeypatch):
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(video.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])

    def frames():
        yield a_moving_bar(1)[0]
        raise MalformedInstance(reason="a frame cannot be decoded")

    with pytest.raises(MalformedInstance, match="a frame cannot be decoded"):
        encode_mp4(frames(), 40)

    assert [process.returncode for process in started] == [-9]
    assert len(encode_mp4(a_moving_bar(2), 40)) > 0  # its turn was given back


@needs_ffmpeg
def test_a_few_videos_are_made_at_once_and_no_more(monkeypatch):
    monkeypatch.setattr(video, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(video, "WAIT_SECONDS_MAX", 0.05)

    def frames():
        with pytest.raises(Busy, match="making videos"):
            encode_mp4(a_moving_bar(1), 40)
        yield a_moving_bar(1)[0]

    assert len(encode_mp4(frames(), 40)) > 0


@pytest.mark.parametrize(
    ("listed", "encoder"),
    [
        (" V..... libopenh264 OpenH264\n V....D libx264 x264", "libx264"),
        (" V..... libopenh264 OpenH264\n V....D libvpx VP8", "libopenh264"),
        (" V....D libvpx VP8", None),
        (None, None),
    ],
)
def test_the_best_encoder_that_the_program_has_is_used(tmp_path, monkeypatch, listed, encoder):
    if listed is not None:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\ncat <<END\nEncoders:\n ------\n{listed}\nEND\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + ":/bin" if listed is not None else str(tmp_path))
    video_program.cache_clear()
    try:
        found = video_program()
    finally:
        video_program.cache_clear()

    assert found == (None if encoder is None else (str(tmp_path / "ffmpeg"), encoder))
