"""What a tile and a conversion of a whole slide cost: against OpenSlide's DeepZoom with Pillow, and wsidicomizer.

    python -m bench.slides [--short] [--json FILE]

The slide is 40,960 x 30,720 pixels (10,240 x 7,680 with --short), made by the bench. Tiles are counted in processor
time of one process, conversions by the clock as whole programs, each with its start and its imports. Over HTTP a node with
a token is compared with FastAPI and OpenSlide without any, one process each, over eight connections.
"""

import argparse
import hashlib
import io
import json
import mmap
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import openslide
import pydicom
from openslide.deepzoom import DeepZoomGenerator
from PIL import Image

from bench import peers, slide_files, slide_serving
from bench.report import Peer, Report, arguments, say
from kernel.dicom.pixels.jpeg_crops import cropped_jpeg
from kernel.dicom.pixels.jpeg_transform import Extent
from wsi.index_file import load, save
from wsi.jpeg import segments
from wsi.octave import reduced_tile
from wsi.pyramid import octaves
from wsi.tiff_slide import index_tiff
from wsi.tile_index import Level, SlideIndex

ROUNDS = 5
ROOT = Path(__file__).parents[1]
PEER, PEER_VERSION = "wsidicomizer", "0.26.1"
OPEN_SLIDES = 50
TILES_EACH = 40
FRAMES = 180_000  # of the slide that is opened again
# Starts programs: a small process, because the memory of whoever starts one counts as its own.
RUNNER = """
import json, os, sys, time
for line in sys.stdin:
    command = json.loads(line)
    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(command[0], command)
    _, status, usage = os.wait4(child, 0)
    spent = usage.ru_utime + usage.ru_stime
    print(json.dumps([status, time.perf_counter() - begun, spent, usage.ru_maxrss]), flush=True)
"""
OPENSLIDE = "OpenSlide DeepZoom, Pillow q75"


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    options = arguments(__doc__.splitlines()[0]).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    command = [sys.executable, "-S", "-c", RUNNER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=_installed(folder)) as runner:
        try:
            return _measure(folder, runner, options)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _installed(folder: Path) -> dict[str, str]:
    """Return an environment in which a second run finds its bytecode, as that of an installed program does."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _measure(folder: Path, runner: subprocess.Popen[str], options: argparse.Namespace) -> int:
    peers.room_for(folder, 3 * 2**30)
    size = slide_files.Size(10_240, 7_680) if options.short else slide_files.Size(40_960, 30_720)
    rounds = 3 if options.short else ROUNDS
    say("making slides")
    vendor, generic = slide_files.svs(folder / "a.svs", size), slide_files.generic(folder / "b.tif", size)
    report = Report(f"A slide of {size.width} x {size.height} pixels")
    report.versions |= {"OpenSlide": openslide.__library_version__, PEER: PEER_VERSION}
    _tiles(report, vendor, rounds)
    for name, path, at_least in (("SVS", vendor, 4), ("generic TIFF", generic, 10)):
        _conversion(report, name, path, runner, at_least=at_least, rounds=rounds)
    slide_serving.measure(report, folder, vendor, generic, rounds)
    _memory(report, folder, vendor)
    _reopening(report, folder)
    return report.finish(options)


# --- tiles ------------------------------------------------------------------------------------------------------------


def _tiles(report: Report, path: Path, rounds: int) -> None:
    with path.open("rb") as file, openslide.OpenSlide(path) as slide:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        index = index_tiff(memoryview(content))
        assert isinstance(index, SlideIndex), "the bench's own slide has tiles"
        steps, completion, descriptor = octaves(index), index.completion(0), file.fileno()
        peer = DeepZoomGenerator(slide, index.levels[0].tile_width, 0)
        rng = np.random.default_rng(3)

        def stored(column: int, row: int) -> bytes:
            span = index.levels[0].span(index.levels[0].number(column, row))
            return completion.complete(os.pread(descriptor, span.length, span.offset))

        def made(column: int, row: int) -> bytes:
            return reduced_tile(steps[1], steps[0], column, row, stored, icc_profile=b"")

        edge = stored(0, 0)
        kept = Extent(steps[0].tile_width * 5 // 8, steps[0].tile_height * 3 // 8)

        def cut(_column: int, _row: int) -> bytes:
            return cropped_jpeg(edge, kept)

        def cut_anew(_column: int, _row: int) -> None:
            part = Image.open(io.BytesIO(edge)).crop((0, 0, *kept))
            part.save(io.BytesIO(), "JPEG", quality=90)

        def theirs(below: int) -> Callable[[int, int], None]:
            level = peer.level_count - 1 - below
            return lambda column, row: peer.get_tile(level, (column, row)).save(io.BytesIO(), "JPEG", quality=75)

        spent: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            for name, make, below, count in (
                ("stored", stored, 0, 4000),
                ("octave", made, 1, 100),
                ("cut", cut, 0, 100),
                ("cut, anew", cut_anew, 0, 100),
                ("stored, peer", theirs(0), 0, 100),
                ("octave, peer", theirs(1), 1, 50),
            ):
                columns = rng.integers(0, steps[below].columns - 1, count)
                rows = rng.integers(0, steps[below].rows - 1, count)
                begun = time.process_time()
                for column, row in zip(columns.tolist(), rows.tolist(), strict=True):
                    make(column, row)
                if number:
                    spent.setdefault(name, []).append((time.process_time() - begun) / count * 1000)
    unit = "CPU ms"
    report.cost("stored 256-px tile", unit, spent["stored"], Peer(OPENSLIDE, spent["stored, peer"]), 100)
    anew = Peer("Pillow, decoded and encoded q90", spent["cut, anew"])
    report.cost("padding cut from a tile, without loss", unit, spent["cut"], anew)
    report.cost("tile of a missing octave", unit, spent["octave"], Peer(OPENSLIDE, spent["octave, peer"]), 6)


# --- conversions ------------------------------------------------------------------------------------------------------


def _conversion(
    report: Report, name: str, path: Path, runner: subprocess.Popen[str], *, at_least: float, rounds: int
) -> None:
    seconds: dict[str, list[float]] = {"ours": [], PEER: []}
    processor: dict[str, list[float]] = {"ours": [], PEER: []}
    mebibytes: dict[str, list[float]] = {"ours": [], PEER: []}
    ours, theirs = path.parent / "ours", path.parent / "theirs"
    commands = {
        "ours": [sys.executable, "-m", "exchange", "slides", "to-dicom", str(path), str(ours)],
        PEER: [str(peers.environment(f"{PEER}=={PEER_VERSION}") / PEER), "-i", str(path), "-o", str(theirs)],
    }
    for number in range(rounds + 1):
        say(f"round {number}: {name} to DICOM")
        for who, command in commands.items():
            for old in (ours, theirs):
                shutil.rmtree(old, ignore_errors=True)
            theirs.mkdir()
            os.sync()
            elapsed_s, spent_s, peak_mib = _run(runner, command)
            if number:
                seconds[who].append(elapsed_s)
                processor[who].append(spent_s)
                mebibytes[who].append(peak_mib)
            elif who == "ours":
                _assert_same_scans(path, ours)
    report.cost(f"{name} to DICOM", "s", seconds["ours"], Peer(PEER, seconds[PEER]), at_least)
    report.cost("  processor time", "s", processor["ours"], Peer(PEER, processor[PEER]))
    report.cost(f"{name} to DICOM, peak memory", "MiB", mebibytes["ours"], Peer(PEER, mebibytes[PEER]), 2)


def _run(runner: subprocess.Popen[str], command: Sequence[str]) -> tuple[float, float, float]:
    """Return the seconds that a program took by the clock and of the processor, and its largest memory in MiB."""
    assert runner.stdin is not None
    assert runner.stdout is not None
    runner.stdin.write(json.dumps(command) + "\n")
    runner.stdin.flush()
    status, elapsed_s, spent_s, peak = json.loads(runner.stdout.readline())
    assert status == 0, f"{command[0]} failed"
    return elapsed_s, spent_s, peak / 1024


def _assert_same_scans(path: Path, folder: Path) -> None:
    """Compare what was ever encoded: the scans of all tiles, by a digest."""
    content = path.read_bytes()
    index = index_tiff(content)
    assert isinstance(index, SlideIndex), "the bench's own slide has tiles"
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        level = next(one for one in index.levels if one.width == ds.TotalPixelMatrixColumns)
        frames = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=ds.NumberOfFrames)
        assert _digest(_stored(content, level)) == _digest(frames), "a tile was changed"


def _stored(content: bytes, level: Level) -> Iterator[bytes]:
    for number in range(len(level.offsets)):
        span = level.span(number)
        yield content[span.offset : span.offset + span.length]


def _digest(tiles: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for tile in tiles:
        *_, scan = segments(tile)
        digest.update(tile[scan.start :].rstrip(b"\0"))
    return digest.hexdigest()


# --- memory and opening -----------------------------------------------------------------------------------------------


def _memory(report: Report, folder: Path, path: Path) -> None:
    """Open many slides by their indexes and read some tiles of each."""
    index = index_tiff(path.read_bytes())
    assert isinstance(index, SlideIndex), "the bench's own slide has tiles"
    for number in range(OPEN_SLIDES):
        save(index, folder / f"{number}.tiles")
    before = _resident_mib()
    with path.open("rb") as file:
        held: list[SlideIndex] = []
        for number in range(OPEN_SLIDES):
            one = load(folder / f"{number}.tiles")
            held.append(one)
            completion = one.completion(0)
            for tile in range(TILES_EACH):
                span = one.levels[0].span(tile * 7)
                completion.complete(os.pread(file.fileno(), span.length, span.offset))
        grown = _resident_mib() - before
    report.figure(f"{OPEN_SLIDES} slides open and read, memory", "MiB", max(0.0, grown), at_most=150)


def _reopening(report: Report, folder: Path) -> None:
    """Open an index of many tiles."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(8_000, 20_000, FRAMES).astype(np.uint32)
    offsets = np.cumsum(lengths, dtype=np.uint64)
    shape = {"width": 600 * 256, "height": 300 * 256, "tile_width": 256, "tile_height": 256, "planes": 1, "paths": 1}
    files = np.zeros(FRAMES, np.uint16)
    level = Level(**shape, coding="jpeg", colour="YCbCr", tables=b"", offsets=offsets, lengths=lengths, files=files)
    save(SlideIndex("aperio", (0.25, 0.25), 40.0, b"", (level,)), folder / "large.tiles")
    spent: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        load(folder / "large.tiles").levels[0].span(FRAMES - 1)
        spent.append((time.perf_counter() - begun) * 1000)
    report.figure(f"reopening a slide of {FRAMES:,} tiles", "ms", sorted(spent)[ROUNDS // 2], at_most=50)


def _resident_mib() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit(main())
