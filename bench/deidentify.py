"""How fast files are de-identified, on one core: against dicom-anonymizer, Orthanc's /anonymize and a plain copy.

    python -m bench.deidentify [--short | --corpus] [--without PEER] [--json FILE]

All take the same CT slices, with headers as scanners write them (`bench.headers`), and write new files; runs alternate,
rows are medians. dicom-anonymizer runs in an environment of its own, warm: its start and imports are not counted, nor are
ours. Both are held to one core; Orthanc may have all, and its row is its median request.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from anonymizer.engine.engine import deidentify
from anonymizer.engine.opening import opened
from anonymizer.engine.result import Buffer, Deidentified
from anonymizer.profiles import profile
from anonymizer.pseudonyms import keys
from anonymizer.release import Released, release
from bench import coverage, large, peers, slices, vault
from bench.headers import as_scanners_write
from bench.report import Peer, Report, arguments, say
from exchange.commands.deidentifying import AT_ONCE
from exchange.files.inputs import Entry, content_of
from exchange.files.outputs import write_chunks
from exchange.files.release import Order, process

ROUNDS = 5
PEER = "dicom-anonymizer==2.1.0"
DICOM_ANONYMIZER, ORTHANC = PEERS = ("dicom-anonymizer", "Orthanc /anonymize")
PEER_SCRIPT = """
import sys, time
from pathlib import Path
from dicomanonymizer import anonymize_dicom_file
source, target = map(Path, sys.argv[1:])
files = sorted(source.iterdir())
anonymize_dicom_file(str(files[0]), str(target / "warm.dcm"))
print("ready", flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    for file in files:
        anonymize_dicom_file(str(file), str(target / file.name))
    print(time.perf_counter() - begun, flush=True)
"""
KEYS = keys.derive(b"\x2a" * keys.SECRET_BYTES, site="BENCH")


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--corpus", action="store_true", help="coverage of a planted corpus, not speed")
    parser.add_argument(
        "--without", action="append", default=[], choices=PEERS, help="a peer to leave out, while tuning"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    try:
        if options.corpus:
            return coverage.measure(folder, peers.environment(PEER) / "python", options)
        return _measure(folder, 80 if options.short else 240, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, count: int, options: argparse.Namespace) -> int:
    peers.room_for(folder, 8 * count * slices.SIDE * slices.SIDE * 2)
    say("writing slices")
    paths = slices.write_slices(folder / "in", count, finish=as_scanners_write)
    out = folder / "out"
    with contextlib.ExitStack() as stack:
        if ORTHANC not in options.without:
            ask_orthanc = stack.enter_context(_orthanc(folder, paths))
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # children inherit it
        runs: dict[str, Callable[[], float]] = {
            "copy": partial(_copied, paths, out, sync=False),
            "synced copy": partial(_copied, paths, out, sync=True),
            "engine": partial(_timed, paths, out, _engine),
            "engine and search": partial(_timed, paths, out, _released),
            "engine and search, synced": partial(_command, paths, out),
        }
        if DICOM_ANONYMIZER not in options.without:
            runs[DICOM_ANONYMIZER] = stack.enter_context(_dicom_anonymizer(folder / "in", folder / "peer"))
        if ORTHANC not in options.without:
            runs[ORTHANC] = ask_orthanc
        spent: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(ROUNDS + 1):  # the first warms caches and counts for nothing
            for name, run in runs.items():
                os.sync()
                seconds = run()
                say(f"round {number}, {name}: {count / seconds:.0f}/s")
                if number:
                    spent[name].append(count / seconds)
    report = Report(f"De-identifying {count} CT slices of 0.5 MB and some 170 elements, one core, files written")
    report.versions |= {"dicom-anonymizer": PEER.partition("==")[2], "profile": profile.load("tele-read").label}
    unit = "instances/s"

    def row(name: str, ours: str, peer: str, at_least: float) -> None:
        if peer in spent:
            report.rate(name, unit, spent[ours], Peer(peer, spent[peer]), at_least)

    row("engine", "engine", DICOM_ANONYMIZER, 15)
    row("engine", "engine", ORTHANC, 3)
    row("engine", "engine", "copy", 0.5)
    row("engine and independent search", "engine and search", "engine", 0.5)
    row("the command's work: both, synced", "engine and search, synced", "synced copy", 0.8)
    for name, make in (("engine", _engine), ("engine and independent search", _released)):
        report.figure(f"processor time: {name}", "ms", _processor_ms(paths, make))
    large.add_rows(report, options)
    vault.add_rows(report, options)
    return report.finish(options)


# --- ours -------------------------------------------------------------------------------------------------------------


def _timed(paths: list[Path], out: Path, make: Callable[[Buffer], Deidentified]) -> float:
    """Return the seconds of reading, making and writing every file."""
    _empty(out)
    begun = time.perf_counter()
    for path in paths:
        with content_of(Entry(path)) as content:
            file = os.open(out / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            write_chunks(file, make(content).chunks(content))
            os.close(file)
    return time.perf_counter() - begun


def _copied(paths: list[Path], out: Path, *, sync: bool) -> float:
    """Return the seconds of copying every file, one after the other."""
    _empty(out)
    begun = time.perf_counter()
    for path in paths:
        shutil.copyfile(path, out / path.name)
        if sync:
            with (out / path.name).open("rb") as file:
                os.fdatasync(file.fileno())
    return time.perf_counter() - begun


def _command(paths: list[Path], out: Path) -> float:
    """Return the seconds of what one worker of `vienanh deidentify` does, every file durable under its new name."""
    _empty(out)
    order = Order(out, "tele-read", KEYS, "BENCH", None, "hold")
    begun = time.perf_counter()
    for start in range(0, len(paths), AT_ONCE):
        outcomes = process([Entry(path) for path in paths[start : start + AT_ONCE]], order)
        assert all(one.state == "written" for one in outcomes), "these slices may leave"
    return time.perf_counter() - begun


def _processor_ms(paths: list[Path], make: Callable[[Buffer], Deidentified]) -> float:
    """Return the least processor time of one instance in memory, of ROUNDS: others on the machine only add to it."""
    contents = [path.read_bytes() for path in paths]
    spent: list[float] = []
    for _ in range(ROUNDS + 1):
        begun = time.process_time()
        for content in contents:
            make(content)
        spent.append((time.process_time() - begun) * 1000 / len(contents))
    return min(spent)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _engine(content: Buffer) -> Deidentified:
    return deidentify(content, profile=profile.load("tele-read"), keys=KEYS, issuer="BENCH")


def _released(content: Buffer) -> Deidentified:
    source, _, header = opened(content)
    result = release(source, header, profile=profile.load("tele-read"), keys=KEYS, issuer="BENCH")
    assert isinstance(result, Released), "these slices may leave"
    return result.made


# --- peers ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _dicom_anonymizer(source: Path, target: Path) -> Iterator[Callable[[], float]]:
    """Give a run of dicom-anonymizer over the folder."""
    target.mkdir()
    command = [peers.environment(PEER) / "python", "-c", PEER_SCRIPT, source, target]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", "dicom-anonymizer does not run"

        def run() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield run
        process.stdin.close()


@contextlib.contextmanager
def _orthanc(folder: Path, paths: list[Path]) -> Iterator[Callable[[], float]]:
    """Give a run of Orthanc's /anonymize over the same instances, which it has stored; one request at a time."""
    with peers.orthanc(folder) as server:
        base = server.dicomweb.removesuffix("/dicom-web")
        stored = [json.loads(peers.post(f"{base}/instances", path.read_bytes()))["ID"] for path in paths]
        target = folder / "orthanc-out"
        target.mkdir()

        def run() -> float:
            spent: list[float] = []
            for identifier in stored:
                begun = time.perf_counter()
                (target / identifier).write_bytes(peers.post(f"{base}/instances/{identifier}/anonymize", b"{}"))
                spent.append(time.perf_counter() - begun)
            return statistics.median(spent) * len(spent)  # one now and then waits 30 s and does nothing

        yield run


if __name__ == "__main__":
    sys.exit(main())
