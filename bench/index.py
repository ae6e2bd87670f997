"""How fast a large archive is searched, and grows while it is: a million studies on SQLite and on PostgreSQL, over HTTP.

    python -m bench.index [--short] [--json FILE] [--engine sqlite|postgresql] [--studies N] [--keep FOLDER]

The rows are loaded in bulk (bench/load.py), everything else goes through a real node: each pattern of bench/patterns.py
is asked many times with different values, all patterns in turn, over one connection. Then instances are indexed through
the kernel's own committer, by a second process as the database sees it, while the node answers the same questions.
`--short` loads 50,000 studies. `--keep` loads into FOLDER and leaves it there: the next run with it begins at once.
"""

import argparse
import contextlib
import dataclasses
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench import peers
from bench.fetch import Client
from bench.growth import Growth
from bench.loaded import loaded
from bench.patterns import PATTERNS, Known, known_studies
from bench.peers import Server
from bench.report import Report, arguments, timed

P95_MS = 60.0
MAX_MS = 300.0
METADATA_MS = 50.0
INSTANCES_PER_S = 2_000.0
COST_REQUESTS = 20  # of each pattern, for its processor time, which the kernel counts in 10 ms
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """How much is loaded and asked."""

    studies: int
    rounds: int
    series: int  # indexed while queries run
    slices: int  # in each of them


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """One of the two, and its database."""

    name: str
    folder: str  # of the node
    target: str
    pid: int | None  # of its own server


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=[*ENGINES], help="only this one")
    parser.add_argument("--studies", type=int, metavar="N", help="load so many")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="load once, and leave what was loaded there")
    options = parser.parse_args()
    size = Size(50_000, 10, 4, 500) if options.short else Size(1_000_000, 60, 10, 2_000)
    size = dataclasses.replace(size, studies=options.studies or size.studies)
    if options.keep is not None:
        folder = options.keep.absolute() / str(size.studies)
        folder.mkdir(parents=True, exist_ok=True)
        return _measure(folder, size, options)
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    try:
        return _measure(folder, size, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, size: Size, options: argparse.Namespace) -> int:
    report = Report(f"Searching {size.studies:,} studies over HTTP, pages of 50")
    engines = [options.engine] if options.engine else [*ENGINES]
    with loaded(folder, size.studies, engines) as databases:
        report.versions |= databases.versions
        known = known_studies(databases.sqlite, size.studies)
        for folder_name in engines:
            pid = databases.pids.get(folder_name)
            engine = Engine(ENGINES[folder_name], folder_name, databases.targets[folder_name], pid)
            _one_engine(folder, engine, known, size, report)
    report.notes.append(
        "Inserting: rows, events and counters of CT slices with their real DICOM JSON through kernel.archive's committer, "
        "64 waiting at a time; no pixels, no routing rules."
    )
    return report.finish(options)


def _one_engine(folder: Path, engine: Engine, known: list[Known], size: Size, report: Report) -> None:
    name = engine.name
    with _node(folder, engine) as server:
        with timed(f"{name}: asking {len(PATTERNS)} patterns {size.rounds} times"):
            spent = _ask(server, known, size.rounds)
            costs = _cost(server, engine, known)
        for pattern, spent_ms in spent.items():
            report.spread(pattern, name, spent_ms, p95_ms=P95_MS, max_ms=MAX_MS, cpu_ms=costs[pattern])
        growth = Growth(folder / "slices", engine.target, size.slices)
        with timed(f"{name}: indexing {size.series} series of {size.slices} slices while queries run"):
            rate, meanwhile = _grow(server, growth, known, size.series)
        report.figure(f"{name}: inserting while queries run", "instances/s", rate, at_least=INSTANCES_PER_S)
        if meanwhile:
            report.spread("any of these, while inserting", name, meanwhile, p95_ms=P95_MS, max_ms=MAX_MS)
        first_ms, warm_ms = _metadata(server, growth)
        label = f"{name}: /metadata of {size.slices:,} slices"
        report.figure(f"{label}, first time", "ms", first_ms)
        report.figure(f"{label}, warm", "ms", warm_ms, at_most=METADATA_MS)


@contextlib.contextmanager
def _node(folder: Path, engine: Engine) -> Iterator[Server]:
    with peers.our_node(folder, data=engine.folder, settings={"VIENANH_DATABASE_URL": engine.target}) as server:
        yield dataclasses.replace(server, dicomweb=server.dicomweb.removesuffix("/dicom-web"))


def _ask(server: Server, known: list[Known], rounds: int) -> dict[str, list[float]]:
    """Ask every pattern `rounds` times, in turn; return the milliseconds of each."""
    client, chance = Client(server), random.Random(3)
    _timed_get(client, "/dicom-web/studies?limit=1")  # the node has answered something before
    _timed_get(client, "/api/worklist?limit=1")
    spent: dict[str, list[float]] = {name: [] for name in PATTERNS}
    for _ in range(rounds):
        for name, pattern in PATTERNS.items():
            spent[name].append(_timed_get(client, pattern(chance.choice(known), chance)))
    client.close()
    return spent


def _cost(server: Server, engine: Engine, known: list[Known]) -> dict[str, float]:
    """Return the processor milliseconds of a request of each pattern, of the node and the database's server together."""

    def cpu_s() -> float:
        return server.cpu_s() + (peers.cpu_s(engine.pid) if engine.pid else 0)

    client, chance, costs = Client(server), random.Random(4), dict[str, float]()
    for name, pattern in PATTERNS.items():
        before_s = cpu_s()
        for _ in range(COST_REQUESTS):
            _timed_get(client, pattern(chance.choice(known), chance))
        costs[name] = (cpu_s() - before_s) * 1000 / COST_REQUESTS
    client.close()
    return costs


def _timed_get(client: Client, path: str, accept: str = "application/dicom+json, application/json") -> float:
    begun = time.perf_counter()
    answer = client.get(path, accept)
    elapsed_ms = (time.perf_counter() - begun) * 1000
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} for {path}: {answer.head[:300]!r}")
    return elapsed_ms


def _grow(server: Server, growth: Growth, known: list[Known], series: int) -> tuple[float, list[float]]:
    """Index instances while somebody asks; return the instances per second and the milliseconds of the answers."""
    spent: list[float] = []
    stopped = threading.Event()

    def ask() -> None:
        client, chance = Client(server), random.Random(5)
        patterns = list(PATTERNS.values())
        while not stopped.wait(0.02):
            spent.append(_timed_get(client, chance.choice(patterns)(chance.choice(known), chance)))
        client.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        rate = growth.insert(series)
    finally:
        stopped.set()
        asking.join()
    return rate, spent


def _metadata(server: Server, growth: Growth) -> tuple[float, float]:
    """Return the milliseconds of the first and of a later answer of /metadata of the last series."""
    client = Client(server)
    study_uid, series_uid = growth.last
    path = f"/dicom-web/studies/{study_uid}/series/{series_uid}/metadata"
    spent = [_timed_get(client, path, "application/dicom+json") for _ in range(21)]
    client.close()
    return spent[0], sorted(spent[1:])[10]


if __name__ == "__main__":
    sys.exit(main())
