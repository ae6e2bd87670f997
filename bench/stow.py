"""STOW-RS bodies of invented slices, and what no receiver of them with the same promise can get below, beside Orthanc.

`floors` is `bench.dicomweb --floor`: of what does the least (floor_stow.py) in one process, in two more, and without its
flushes; all servers are given the same studies in turn, by the same client, whose processor time is told. While the cores
are full, a server's rate beside another's is as their processor times, each with the client's.
"""

import contextlib
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import fetch, peers, slices
from bench.peers import Server
from bench.report import Peer, Report, say
from bench.rest import rest

INSTANCES_EACH = 8  # in one STOW-RS request
BOUNDARY = b"vienanh-bench-boundary"
CONTENT_TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY.decode()}'
FLOOR = "bench.floor_stow"


def bodies(paths: Sequence[Path], study: int) -> list[list[bytes]]:
    """Return the bodies of one study, each in pieces; the slices are given its number."""
    slices.renumber(list(paths), study)
    parts = [_part(path.read_bytes()) for path in paths]
    groups = [parts[start : start + INSTANCES_EACH] for start in range(0, len(parts), INSTANCES_EACH)]
    return [[*itertools.chain.from_iterable(group), b"--" + BOUNDARY + b"--\r\n"] for group in groups]


def _part(content: bytes) -> tuple[bytes, bytes, bytes]:
    return b"--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n", content, b"\r\n"


def named(connections: int) -> str:
    """Return how many connections in words."""
    return "one connection" if connections == 1 else f"{connections} connections"


# --- the least --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Figures:
    """What one server did over some connections, a value for each round."""

    rate: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    client_ms: list[float] = field(default_factory=list)


def floors(folder: Path, count: int, rounds: int, report: Report) -> None:
    """Measure ours, Orthanc and the floors; `count` slices a study."""
    peers.room_for(folder, 2 * 5 * (rounds + 1) * count * slices.SIDE**2 * 2)
    with contextlib.ExitStack() as stack:
        ours, orthanc = (stack.enter_context(start(folder)) for start in (peers.our_node, peers.orthanc))
        report.versions |= {server.name: server.version for server in (ours, orthanc)}
        least = [
            stack.enter_context(peers.floor(folder, name, *arguments, module=FLOOR))
            for name, arguments in {
                "the least": (),
                "in two more processes": ("--processes", "2"),
                "without flushes": ("--unsafe",),
            }.items()
        ]
        figures = _measured((ours, orthanc, *least), slices.write_slices(folder / "ct", count), rounds)
    for connections in (1, 4):
        theirs = figures[orthanc.name, connections]
        for server in (ours, *least):
            _add(server.name, connections, figures[server.name, connections], theirs, report)


def _measured(servers: Sequence[Server], paths: list[Path], rounds: int) -> dict[tuple[str, int], _Figures]:
    """Send every server the same studies, in turn; the first round warms caches and counts for nothing."""
    figures = {(server.name, connections): _Figures() for server in servers for connections in (1, 4)}
    study = 100_000
    for number in range(rounds + 1):
        for connections in (1, 4):
            study += 1
            content = bodies(paths, study)
            for server in servers:
                rest()
                before_s, client_before_s = server.cpu_s(), time.process_time()
                elapsed_s = fetch.post_all(server, "/studies", CONTENT_TYPE, content, connections)
                client_ms = (time.process_time() - client_before_s) * 1000 / len(paths)
                cpu_ms, rate = (server.cpu_s() - before_s) * 1000 / len(paths), len(paths) / elapsed_s
                say(f"round {number}, {named(connections)}, {server.name}: {rate:.0f}/s, {cpu_ms:.2f} ms")
                if number:
                    one = figures[server.name, connections]
                    one.rate.append(rate)
                    one.cpu_ms.append(cpu_ms)
                    one.client_ms.append(client_ms)
    return figures


def _add(name: str, connections: int, one: _Figures, orthanc: _Figures, report: Report) -> None:
    """Add rows of ours, or of what is no receiver, beside Orthanc: the column "ours" is its."""
    is_ours = report.versions.get(name) is not None
    goal = 2 if is_ours else None
    report.rate(f"{name}, {named(connections)}", "instances/s", one.rate, Peer("Orthanc", orthanc.rate), goal)
    report.cost("  its CPU", "ms/instance", one.cpu_ms, Peer("Orthanc", orthanc.cpu_ms))
    mine, theirs = (
        [cpu + client for cpu, client in zip(each.cpu_ms, each.client_ms, strict=True)] for each in (one, orthanc)
    )
    report.cost("  and the client's", "ms/instance", mine, Peer("Orthanc", theirs))
    if is_ours:
        client_ms = statistics.median(one.client_ms)
        report.notes.append(f"The client takes {client_ms:.2f} ms an instance over {named(connections)}.")
