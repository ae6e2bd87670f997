"""How fast a node takes in a CT, and serves it: against Orthanc, with DCMTK's storescp as the limit.

    python -m bench.receive [--short] [--floor] [--json FILE]

`--floor` measures C-STORE alone, and beside it the least that any receiver must do to promise as much (floor.py), with
and without its flushes: what no work on ours can get below.
Every run sends another study, runs of the servers alternate, dirty pages are written back before each run, rows are
medians. Ours and Orthanc serve DICOMweb of what they received; storescp neither syncs nor indexes and cannot.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import fetch, peers, slices
from bench.peers import Server, Watch
from bench.report import Peer, Report, arguments, first_line, say
from bench.rest import rest

ROUNDS = 5
CONNECTIONS = 4
FRAME_BYTES = slices.SIDE * slices.SIDE * 2
FRAME_ACCEPT = 'multipart/related; type="application/octet-stream"'
INSTANCE_ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
MEMORY_BYTES_MAX = 100e6


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent."""

    slices: int
    multiframe_bytes: int


@dataclass(slots=True)
class Figures:
    """One server's measurements, by number of senders."""

    rate: dict[int, list[float]] = field(default_factory=lambda: {1: [], 4: []})
    cpu_ms: dict[int, list[float]] = field(default_factory=lambda: {1: [], 4: []})


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--floor", action="store_true", help="C-STORE alone, beside the least that a receiver must do")
    options = parser.parse_args()
    size = Size(80, 256 << 20) if options.short else Size(400, 2 << 30)
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    try:
        return _measure(folder, size, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, size: Size, options: argparse.Namespace) -> int:
    peers.room_for(folder, ROUNDS * 6 * size.slices * FRAME_BYTES + 4 * size.multiframe_bytes)
    report = Report(f"Receiving {size.slices} CT slices of 0.5 MB by C-STORE, and serving them by DICOMweb")
    with contextlib.ExitStack() as stack:
        say("starting the servers")
        ours = stack.enter_context(peers.our_node(folder))
        orthanc = stack.enter_context(peers.orthanc(folder))
        limit = stack.enter_context(peers.storescp(folder))
        report.versions |= {server.name: server.version for server in (ours, orthanc, limit)}
        report.versions["storescu"] = first_line("storescu", "--version").strip("$ ")
        least = {"the least": (), "without flushes": ("--unsafe",)} if options.floor else {}
        floors = [
            stack.enter_context(peers.floor(folder, name, *arguments, module="bench.floor"))
            for name, arguments in least.items()
        ]
        study = _receive(folder, size, (ours, orthanc, limit, *floors), report)
        if not options.floor:
            _frames(ours, orthanc, study, size, report)
            _metadata(ours, orthanc, study, size, report)
            _memory(folder, ours, orthanc, size, report)
    return report.finish(options)


# --- C-STORE ----------------------------------------------------------------------------------------------------------


def _receive(folder: Path, size: Size, servers: Sequence[Server], report: Report) -> int:
    """Measure receiving: ours, Orthanc, DCMTK's, floors; return the number of a study that ours and Orthanc have."""
    say("writing slices")
    paths = slices.write_slices(folder / "ct", size.slices)
    parts = _part(folder, paths)
    figures = {server.name: Figures() for server in servers}
    study = 100_000
    for number in range(ROUNDS + 1):  # the first warms caches and counts for nothing
        for senders in (1, 4):
            study += 1
            slices.renumber(paths, study)
            for server in servers:
                rate, cpu_ms = _run(server, [folder / "ct"] if senders == 1 else parts, size.slices)
                say(f"round {number}, {senders} sender(s), {server.name}: {rate:.0f}/s, {cpu_ms:.2f} ms")
                if number:
                    figures[server.name].rate[senders].append(rate)
                    figures[server.name].cpu_ms[senders].append(cpu_ms)
    ours, orthanc, limit, *floors = (figures[server.name] for server in servers)
    for peer, at_least in ((orthanc, 2), (limit, None)):
        name = "Orthanc" if peer is orthanc else "storescp, the limit"
        for senders, doing in ((1, "one sender"), (4, "four senders")):
            theirs = Peer(name, peer.rate[senders])
            report.rate(f"C-STORE, {doing}", "instances/s", ours.rate[senders], theirs, at_least)
            theirs = Peer(name, peer.cpu_ms[senders])
            report.cost("  server CPU", "ms/instance", ours.cpu_ms[senders], theirs, at_least)
    for server, figure in zip(servers[3:], floors, strict=True):
        _floor(server.name, figure, orthanc, report)
    return study


def _floor(name: str, floor: Figures, orthanc: Figures, report: Report) -> None:
    """Add rows of what is no receiver, beside Orthanc: the column "ours" is the floor's."""
    for senders, doing in ((1, "one sender"), (4, "four senders")):
        report.rate(f"{name}, {doing}", "instances/s", floor.rate[senders], Peer("Orthanc", orthanc.rate[senders]))
        report.cost("  its CPU", "ms/instance", floor.cpu_ms[senders], Peer("Orthanc", orthanc.cpu_ms[senders]))


def _part(folder: Path, paths: list[Path]) -> list[Path]:
    """Deal the slices out to four folders, as links to the same files."""
    parts = [folder / f"part{number}" for number in range(4)]
    for part in parts:
        part.mkdir()
    for index, path in enumerate(paths):
        os.link(path, parts[index % 4] / path.name)
    return parts


def _run(server: Server, folders: list[Path], count: int) -> tuple[float, float]:
    """Return instances per second and processor milliseconds per instance."""
    rest()
    before_s = server.cpu_s()
    elapsed_s = peers.send(folders, server.dicom_port)
    return count / elapsed_s, (server.cpu_s() - before_s) * 1000 / count


# --- DICOMweb ---------------------------------------------------------------------------------------------------------


def _frames(ours: Server, orthanc: Server, study: int, size: Size, report: Report) -> None:
    say("frames")
    study_uid, series_uid = slices.study_uids(study)
    series = f"/studies/{study_uid}/series/{series_uid}"
    paths = [f"{series}/instances/{slices.instance_uid(study, index)}/frames/1" for index in range(size.slices)]
    rates: dict[str, list[float]] = {ours.name: [], orthanc.name: []}
    cpus: dict[str, list[float]] = {ours.name: [], orthanc.name: []}
    for number in range(ROUNDS + 1):
        for server in (ours, orthanc):
            before_s = server.cpu_s()
            elapsed_s, body_bytes = fetch.get_all(server, paths, FRAME_ACCEPT, CONNECTIONS)
            assert body_bytes > size.slices * FRAME_BYTES, "whole frames were asked for"
            if number:
                rates[server.name].append(size.slices / elapsed_s)
                cpus[server.name].append((server.cpu_s() - before_s) * 1000 / size.slices)
    report.rate("frames of 0.5 MB", "requests/s", rates[ours.name], Peer("Orthanc", rates[orthanc.name]), 2)
    report.cost("  server CPU", "ms/request", cpus[ours.name], Peer("Orthanc", cpus[orthanc.name]))


def _metadata(ours: Server, orthanc: Server, study: int, size: Size, report: Report) -> None:
    say("metadata")
    study_uid, series_uid = slices.study_uids(study)
    path = f"/studies/{study_uid}/series/{series_uid}/metadata"
    spent: dict[str, list[float]] = {ours.name: [], orthanc.name: []}
    for _ in range(ROUNDS + 1):
        for server in (ours, orthanc):
            elapsed_s, _ = fetch.get_all(server, [path], "application/dicom+json", 1)
            spent[server.name].append(elapsed_s * 1000)
    for server in (ours, orthanc):
        assert fetch.count_json(server, path) == size.slices, "metadata of every instance was asked for"
    name = f"/metadata of {size.slices} slices"
    first, later = spent[orthanc.name][:1], spent[orthanc.name][1:]
    report.cost(f"{name}, first time", "ms", spent[ours.name][:1], Peer("Orthanc", first))
    report.cost(name, "ms", spent[ours.name][1:], Peer("Orthanc", later), 10)


# --- memory -----------------------------------------------------------------------------------------------------------


def _memory(folder: Path, ours: Server, orthanc: Server, size: Size, report: Report) -> None:
    say("one large multi-frame instance")
    large = folder / "large"
    large.mkdir()
    frames = size.multiframe_bytes // FRAME_BYTES
    slices.write_multiframe(large / "large.dcm", frames)
    study_uid, series_uid = slices.study_uids(999_999)
    instance = f"/studies/{study_uid}/series/{series_uid}/instances/{slices.instance_uid(999_999, 0)}"
    grown: dict[str, list[float]] = {}
    for server in (ours, orthanc):
        os.sync()
        with Watch(server) as receiving:
            peers.send([large], server.dicom_port)
        with Watch(server) as serving:
            fetch.get_all(server, [f"{instance}/frames/{number}" for number in range(1, frames, 97)], FRAME_ACCEPT, 1)
            _, body_bytes = fetch.get_all(server, [instance], INSTANCE_ACCEPT, 1)
        assert body_bytes > size.multiframe_bytes, "the whole instance was asked for"
        grown[server.name] = [receiving.grown_bytes / 1e6, serving.grown_bytes / 1e6]
    amount = f"{size.multiframe_bytes / 2**30:g} GiB instance"
    for number, doing in enumerate(("receiving", "serving")):
        name = f"memory growth, {doing} a {amount}"
        peer = Peer("Orthanc", [grown[orthanc.name][number]])
        report.bound(name, "MB", grown[ours.name][number], peer, MEMORY_BYTES_MAX / 1e6)


if __name__ == "__main__":
    sys.exit(main())
