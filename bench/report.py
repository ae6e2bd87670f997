"""What every bench prints and writes: one table for people, the same as JSON, the machine and the versions."""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `ratio` says how many times better ours is, whichever way the unit runs."""

    name: str
    ours: float
    peer: float | None
    peer_name: str
    unit: str
    ratio: float | None
    goal: str  # empty: for information
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Peer:
    """What somebody else reached."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Spread:
    """How long one kind of request took, in milliseconds."""

    name: str
    server: str
    requests: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    holds: bool
    cpu_ms: float | None  # of the servers' processors, mean


@dataclass(slots=True)
class Report:
    """Rows, and where they were measured."""

    title: str
    rows: list[Row] = field(default_factory=list)
    spreads: list[Spread] = field(default_factory=list)
    spread_goal: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def rate(self, name: str, unit: str, ours: Sequence[float], peer: "Peer", at_least: float | None = None) -> None:
        """Add a row of medians of which more is better; `at_least` is the ratio to reach, None for information."""
        mine, theirs = statistics.median(ours), statistics.median(peer.values)
        self._compare(Row(name, mine, theirs, peer.name, unit, mine / theirs, "", None), at_least)

    def cost(self, name: str, unit: str, ours: Sequence[float], peer: "Peer", at_least: float | None = None) -> None:
        """Add a row of medians of which less is better; the ratio is the peer's cost to ours."""
        mine, theirs = statistics.median(ours), statistics.median(peer.values)
        self._compare(Row(name, mine, theirs, peer.name, unit, theirs / mine if mine else None, "", None), at_least)

    def bound(self, name: str, unit: str, ours: float, peer: "Peer", at_most: float) -> None:
        """Add a row whose goal is a figure of ours, not a ratio."""
        (theirs,) = peer.values
        ratio = theirs / ours if ours > 0 else None
        self.rows.append(Row(name, ours, theirs, peer.name, unit, ratio, f"< {at_most:g} {unit}", ours < at_most))

    def figure(
        self, name: str, unit: str, ours: float, *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Add a row of ours alone."""
        goal = "" if at_least is None else f">= {at_least:g} {unit}"
        goal = goal if at_most is None else f"<= {at_most:g} {unit}"
        holds = (at_least is None or ours >= at_least) and (at_most is None or ours <= at_most)
        self.rows.append(Row(name, ours, None, "", unit, None, goal, holds if goal else None))

    def spread(
        self,
        name: str,
        server: str,
        spent_ms: Sequence[float],
        *,
        p95_ms: float,
        max_ms: float,
        cpu_ms: float | None = None,
    ) -> None:
        """Add the spread of one kind of request, and what its 95th percentile and its maximum may be."""
        ordered = sorted(spent_ms)
        p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
        holds = p95 <= p95_ms and ordered[-1] <= max_ms
        p50 = statistics.median(ordered)
        self.spreads.append(Spread(name, server, len(ordered), p50, p95, ordered[-1], holds, cpu_ms))
        self.spread_goal = f"p95 <= {p95_ms:g} ms, max <= {max_ms:g} ms"

    def _compare(self, row: Row, at_least: float | None) -> None:
        if at_least is not None:
            row = replace(row, goal=f">= {at_least:g}x", holds=row.ratio is None or row.ratio >= at_least)
        self.rows.append(row)

    def show(self) -> None:
        """Print the table."""
        lines = [("", "ours", "peer", "", "unit", "ratio", "goal", "")]
        lines += [
            (
                row.name,
                f"{row.ours:.4g}",
                "" if row.peer is None else f"{row.peer:.4g}",
                row.peer_name,
                row.unit,
                "" if row.ratio is None else f"{row.ratio:.2f}x",
                row.goal,
                {True: "holds", False: "MISSED", None: ""}[row.holds],
            )
            for row in self.rows
        ]
        print(f"\n{self.title}\n")
        if self.spreads:
            self._show_spreads()
        _print_aligned(lines, right=(1, 2, 5))
        print()
        for note in self.notes:
            print(note)
        print(", ".join(f"{name} {value}" for name, value in self.versions.items()))
        print(", ".join(f"{name}: {value}" for name, value in machine().items()))

    def _show_spreads(self) -> None:
        """Print one line for each kind of request, the servers side by side."""
        servers = list(dict.fromkeys(one.server for one in self.spreads))
        lines = [("milliseconds", *(text for name in servers for text in (f"{name} p50", "p95", "max", "CPU", "")))]
        for kind in dict.fromkeys(one.name for one in self.spreads):
            found = {one.server: one for one in self.spreads if one.name == kind}
            cells: list[str] = [kind]
            for name in servers:
                one = found.get(name)
                cells += (
                    [
                        *(f"{value:.1f}" for value in (one.p50_ms, one.p95_ms, one.max_ms)),
                        "" if one.cpu_ms is None else f"{one.cpu_ms:.1f}",
                        "" if one.holds else "MISSED",
                    ]
                    if one
                    else [""] * 5
                )
            lines.append(tuple(cells))
        _print_aligned(lines, right=range(1, len(lines[0])))
        held = sum(one.holds for one in self.spreads)
        print(f"\n{self.spread_goal}: {held} of {len(self.spreads)} hold\n")

    def write(self, path: Path) -> None:
        """Write the JSON form."""
        content = {
            "title": self.title,
            "rows": [asdict(row) for row in self.rows],
            "spreads": [asdict(one) for one in self.spreads],
            "spread_goal": self.spread_goal,
            "notes": self.notes,
            "machine": machine(),
            "versions": self.versions,
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def finish(self, options: argparse.Namespace) -> int:
        """Show, write when asked, and return the exit code: 0 when every goal holds."""
        self.versions.setdefault("vienanh", version("vienanh"))
        self.versions.setdefault("Python", platform.python_version())
        self.show()
        if options.json:
            self.write(options.json)
        missed = any(row.holds is False for row in self.rows) or not all(one.holds for one in self.spreads)
        return 1 if missed else 0


def _print_aligned(lines: Sequence[Sequence[str]], right: Container[int]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def arguments(description: str) -> argparse.ArgumentParser:
    """Return the parser of the options that every bench takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="less of everything; under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows as JSON")
    return parser


def machine() -> Mapping[str, str]:
    """Describe the machine as far as the figures depend on it."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in _read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _read("/proc/meminfo").splitlines() if "MemTotal" in line), 0)
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "load before": f"{LOAD_BEFORE:.2f}",
    }


def first_line(*command: str) -> str:
    """Return the first line that a program prints, for its version."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return (run.stdout or run.stderr).strip().splitlines()[0] if run.stdout or run.stderr else "?"


def say(text: str) -> None:
    """Tell a person what is going on, apart from the table."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    say(what)
    begun = time.perf_counter()
    yield
    say(f"  {time.perf_counter() - begun:.1f} s")


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


LOAD_BEFORE = os.getloadavg()[0]
