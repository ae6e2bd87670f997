"""What retrieving costs: frames, pictures and whole series over DICOMweb, the same requests to every server.

`measure(server, study, count)` is what bench/dicomweb.py calls; `python -m bench.retrieve` compares our node with Orthanc
by itself. Both have the same slices, sent by storescu, and answer every request once before it counts.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.fetch import get_all
from bench.peers import Server, orthanc, our_node, send
from bench.report import Peer, Report, say
from bench.slices import instance_uid, study_uids, write_slices

STUDY = 300_000
OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
RENDERED = "image/jpeg"
CONNECTIONS = 4
GOALS: Mapping[str, float] = {"frames": 2.0, "rendered": 2.0, "series": 1.5}


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What one run reached."""

    requests_per_s: float
    megabytes_per_s: float
    cpu_ms: float  # of the server for each request


def paths_of(kind: str, study: int, count: int) -> list[str]:
    """Return the requests of one kind, below the base URL."""
    study_uid, series_uid = study_uids(study)
    series = f"/studies/{study_uid}/series/{series_uid}"
    if kind == "series":
        return [series] * max(count // 100, 4)
    leaf = {"frames": "/frames/1", "rendered": "/rendered", "thumbnails": "/thumbnail"}[kind]
    return [f"{series}/instances/{instance_uid(study, index)}{leaf}" for index in range(count)]


def accept_of(kind: str) -> str:
    """Return the Accept header of one kind of requests."""
    return {"series": DICOM, "frames": OCTETS}.get(kind, RENDERED)


def measure(server: Server, kind: str, study: int, count: int, *, connections: int = CONNECTIONS) -> Retrieved:
    """Retrieve everything of one kind once, over some connections at a time."""
    paths = paths_of(kind, study, count)
    before = server.cpu_s()
    elapsed, size = get_all(server, paths, accept_of(kind), connections)
    used = server.cpu_s() - before
    return Retrieved(len(paths) / elapsed, size / elapsed / 1e6, 1000 * used / len(paths))


def compare(servers: tuple[Server, Server], study: int, count: int, runs: int, report: Report) -> None:
    """Measure every kind on both servers in turn, and add rows to a report."""
    ours, peer = servers
    for kind, goal in GOALS.items():
        found: dict[str, list[Retrieved]] = {server.name: [] for server in servers}
        for run in range(runs + 1):
            for server in servers:
                one = measure(server, kind, study, count)
                if run:  # the first is a rehearsal
                    found[server.name].append(one)
                say(
                    f"{kind:10} {server.name:10} {one.requests_per_s:8.1f}/s {one.megabytes_per_s:8.1f} MB/s {one.cpu_ms:6.2f} ms"
                )
        rate: Callable[[Retrieved], float] = _megabytes if kind == "series" else _requests
        unit = "MB/s" if kind == "series" else "requests/s"
        mine, theirs = found[ours.name], found[peer.name]
        report.rate(
            f"{kind}, {CONNECTIONS} connections", unit, [*map(rate, mine)], Peer(peer.name, [*map(rate, theirs)]), goal
        )
        cpu = Peer(peer.name, [one.cpu_ms for one in theirs])
        report.cost(f"{kind}, processor a request", "ms", [one.cpu_ms for one in mine], cpu)


def _requests(one: Retrieved) -> float:
    return one.requests_per_s


def _megabytes(one: Retrieved) -> float:
    return one.megabytes_per_s


def main() -> None:
    """Compare our node with Orthanc."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    report = Report("Retrieving over DICOMweb")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_slices(folder / "slices", options.slices, study=STUDY)
        with our_node(folder) as ours, orthanc(folder) as peer:
            for server in (ours, peer):
                send([folder / "slices"], server.dicom_port)
                report.versions[server.name] = server.version
            time.sleep(1)
            compare((ours, peer), STUDY, options.slices, options.runs, report)
    report.show()


if __name__ == "__main__":
    main()
