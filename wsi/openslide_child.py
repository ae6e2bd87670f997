"""Slides that only OpenSlide reads: decoded in a process with bounds of memory and of silence, into tiles and an index.

What it decodes is encoded again, and the result says so: it is DERIVED, and told why.
"""

import os
import selectors
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from wsi.limits import malformed

SILENT_S: Final = 60.0  # without another tile; then the process is ended
LINE_BYTES_MAX: Final = 4096
_PROGRAM: Final = "wsi.openslide_process"


def decoded_slide(path: Path, folder: Path, progress: Callable[[int, int], None]) -> tuple[Path, Path]:
    """Return the files of tiles and of their index, made in `folder`.

    Raises
    ------
    MalformedSlide
        OpenSlide does not read it, or the process crashed, hung, or wanted more memory than it may have.
    OSError
        The disk is full.
    """
    tiles, index = folder / "tiles", folder / "index"
    _run(["tiles", str(path.resolve()), str(tiles), str(index)], progress)
    return tiles, index


def glass_pictures(path: Path, folder: Path) -> None:
    """Write the pictures of a slide's label and of its whole glass into `folder`: `label.jpg` and `macro.jpg`, if it has them.

    They show whose slide it is.

    Raises
    ------
    As `decoded_slide`.
    """
    _run(["glass", str(path.resolve()), str(folder)], lambda *_: None)


def _run(arguments: list[str], progress: Callable[[int, int], None]) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one), "PATH": os.defpath}
    process = subprocess.Popen(  # noqa: S603 (this interpreter, and a module that we name)
        [sys.executable, "-m", _PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        bufsize=0,
    )
    try:
        assert process.stdout is not None
        refusal = _heard(process.stdout, progress)
        status = process.wait(SILENT_S)
    except subprocess.TimeoutExpired:
        refusal, status = "OpenSlide does not come to an end with it", 1
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if refusal or status:
        raise malformed(refusal or "OpenSlide failed on it")


def _heard(stream: IO[bytes], progress: Callable[[int, int], None]) -> str:
    """Listen to `tile N of M` until the process ends; return what it refuses, if it does."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        rest = b""
        while True:
            if not selector.select(SILENT_S):
                return "OpenSlide does not come to an end with it"
            data = os.read(stream.fileno(), LINE_BYTES_MAX)
            if not data:
                return ""
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[:LINE_BYTES_MAX]
            for line in lines:
                word, _, said = line.decode("utf-8", "replace").partition(" ")
                if word == "refused":
                    return said
                if word == "errno" and said.isdecimal():
                    raise OSError(int(said), os.strerror(int(said)))
                done, _, total = said.partition(" of ")
                if done.isdecimal() and total.isdecimal():
                    progress(int(done), int(total))
