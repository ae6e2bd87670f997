"""Pictures as a video file: MP4 with H.264, by the system's `ffmpeg` where it is installed (PS3.18 table 8.7.4-1).

No encoder is shipped with the exchange. The program gets raw frames on its standard input, never a stranger's file, and
writes into memory of ours; it runs within the bounds below and is ended when it oversteps one.
"""

import os
import resource
import shutil
import subprocess
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from typing import IO, Final

from PIL import Image

from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded, malformed
from kernel.errors import Busy

VIDEO_FRAMES_MAX: Final = 6_000  # four minutes at 25 a second
VIDEO_SIDE_MAX: Final = 4_096  # pixels, as the highest levels of H.264 have; a viewport makes larger ones fit
VIDEO_BYTES_MAX: Final = 64 * MEBIBYTE  # of the file; it is held in memory
VIDEO_SECONDS_MAX: Final = 300.0  # until the file is whole, the drawing of its frames included
PROGRAM_BYTES_MAX: Final = 4096 * MEBIBYTE  # of the program's address space
VIDEOS_AT_ONCE: Final = 2
WAIT_SECONDS_MAX: Final = 60.0  # for a turn
FRAME_MS_RANGE: Final = (5.0, 10_000.0)
QUALITY: Final = 90  # of 100, when nothing is asked for

# The encoders that are tried, best first: those that need no device.
_ENCODERS: Final[Mapping[str, tuple[str, ...]]] = {
    "libx264": ("-preset", "veryfast", "-profile:v", "high", "-crf", "{crf}"),
    "libopenh264": ("-b:v", "8M"),
}
_LISTING_SECONDS_MAX: Final = 20.0
# Sides are made even, as 4:2:0 wants them, by an edge in black; colors are those of high definition.
_FILTER: Final = "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"
_COLORS: Final = ("-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
_REPEATABLE: Final = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact")  # no times, no names
_PIXELS: Final = {"L": "gray", "RGB": "rgb24"}
_turns: Final = threading.BoundedSemaphore(VIDEOS_AT_ONCE)


@lru_cache(maxsize=1)
def video_program() -> tuple[str, str] | None:
    """Return the path of `ffmpeg` and the encoder that it will use; None when there is none. Looked for once."""
    path = shutil.which("ffmpeg")
    if path is None:
        return None
    try:
        listed = subprocess.run(  # noqa: S603 (no shell; the system's program, arguments of ours)
            [path, "-hide_banner", "-loglevel", "error", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LISTING_SECONDS_MAX,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    names = {words[1] for line in listed.stdout.splitlines() if len(words := line.split()) > 1}
    encoder = next((name for name in _ENCODERS if name in names), None)
    return None if encoder is None else (path, encoder)


def encode_mp4(pictures: Iterable[Image.Image], frame_ms: float, quality: int | None = None) -> bytes:
    """Return pictures of one size, grey or RGB, as an MP4 file; `quality` is 1 to 100. The same ones, the same bytes.

    Raises
    ------
    LimitExceeded
        VIDEO_FRAMES_MAX, VIDEO_SIDE_MAX, VIDEO_BYTES_MAX or VIDEO_SECONDS_MAX.
    MalformedInstance
        The encoder fails with these frames.
    Busy
        VIDEOS_AT_ONCE others are being made, and were for WAIT_SECONDS_MAX.
    The errors of the pictures' own iterator.
    """
    if not _turns.acquire(timeout=WAIT_SECONDS_MAX):
        raise Busy(what="making videos")
    try:
        frames = iter(pictures)
        first = next(frames)
        if max(first.size) > VIDEO_SIDE_MAX:
            raise exceeded("VIDEO_SIDE_MAX", max(first.size), VIDEO_SIDE_MAX)
        with os.fdopen(os.memfd_create("video", os.MFD_CLOEXEC), "r+b") as output:
            _encode(chain([first], frames), _command(first, frame_ms, quality or QUALITY, output.fileno()), output)
            output.seek(0)
            return output.read()
    finally:
        _turns.release()


def _command(first: Image.Image, frame_ms: float, quality: int, output: int) -> list[str]:
    program = video_program()
    assert program is not None, "asked only where there is one"
    path, encoder = program
    low, high = FRAME_MS_RANGE
    rate = f"{1000 / min(max(frame_ms, low), high):.6f}"
    size = f"{first.width}x{first.height}"
    source = (
        "-f",
        "rawvideo",
        "-pix_fmt",
        _PIXELS[first.mode],
        "-video_size",
        size,
        "-framerate",
        rate,
        "-i",
        "pipe:0",
    )
    crf = f"{51 - 0.37 * quality:.1f}"  # 17.7 for 90: what nobody tells from the original
    options = [option.format(crf=crf) for option in _ENCODERS[encoder]]
    target = ("-threads", "2", "-movflags", "+faststart", "-f", "mp4", f"/dev/fd/{output}")
    return [
        *(path, "-nostdin", "-hide_banner", "-loglevel", "quiet", "-y", *source, "-an", "-vf", _FILTER),
        *("-c:v", encoder, *options, *_COLORS, *_REPEATABLE, *target),
    ]


def _encode(frames: Iterator[Image.Image], command: list[str], output: IO[bytes]) -> None:
    late = threading.Event()
    with _running(command, output.fileno(), late) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it ended by itself: its return code says enough
            for count, frame in enumerate(frames, 1):
                if count > VIDEO_FRAMES_MAX:
                    raise exceeded("VIDEO_FRAMES_MAX", count, VIDEO_FRAMES_MAX)
                process.stdin.write(frame.tobytes())
            process.stdin.close()
        code = process.wait()
    if late.is_set():
        raise exceeded("VIDEO_SECONDS_MAX", int(VIDEO_SECONDS_MAX) + 1, int(VIDEO_SECONDS_MAX))
    size = os.fstat(output.fileno()).st_size
    if code and size >= VIDEO_BYTES_MAX:
        raise exceeded("VIDEO_BYTES_MAX", size + 1, VIDEO_BYTES_MAX)
    if code:
        raise malformed("its frames cannot be made a video (the encoder failed)")


@contextmanager
def _running(command: list[str], output: int, late: threading.Event) -> Generator["subprocess.Popen[bytes]"]:
    """Run the program within its bounds; it is ended whatever happens."""
    process = subprocess.Popen(  # noqa: S603 (no shell; the system's program, arguments of ours)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(output,),
        cwd="/",
        env={"PATH": os.defpath},
    )

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(VIDEO_SECONDS_MAX, stop)
    timer.daemon = True
    timer.start()
    try:
        # It has read nothing yet. Of what it loads before this, nothing is a stranger's.
        for limit, most in ((resource.RLIMIT_AS, PROGRAM_BYTES_MAX), (resource.RLIMIT_FSIZE, VIDEO_BYTES_MAX)):
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, limit, (most, most))
        yield process
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
