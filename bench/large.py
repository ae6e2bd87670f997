"""An instance of 2 GB through `vienanh deidentify`, in a process with little memory of its own: rows of `bench.deidentify`.

python -m bench.large [--short] [--json FILE]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import peers
from bench.report import Report, arguments, say
from tests.support.large import a_large_ct, bounded

DATA_BYTES = 256 * 1024**2  # what the process may have of its own (RLIMIT_DATA); the command begins with some 150 MiB
SIDE, SIDE_SHORT = 32_000, 16_000  # 2 GB of pixel data, 0.5 GB


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    options = arguments(__doc__.splitlines()[0]).parse_args()
    report = Report("One large instance, read from holes and written whole, durable")
    add_rows(report, options)
    return report.finish(options)


def add_rows(report: Report, options: argparse.Namespace) -> None:
    """Add the rows to a report: how much was written in how long, under the bound of memory."""
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    try:
        source, out = folder / "large.dcm", folder / "out"
        side = SIDE_SHORT if options.short else SIDE
        peers.room_for(folder, 3 * side * side * 2)
        size = a_large_ct(source, side)
        say(f"de-identifying one instance of {size / 1e9:.1f} GB")
        begun = time.perf_counter()
        done = subprocess.run(bounded(DATA_BYTES, "deidentify", source, out, "--workers", "1"), check=False)
        seconds = time.perf_counter() - begun
        written = sum(file.stat().st_size for file in out.rglob("*.dcm"))
        name = f"one instance of {size / 1e9:.1f} GB in a process of at most {DATA_BYTES >> 20} MiB of its own"
        report.figure(f"{name}: written whole", "", float(done.returncode == 0 and written > size), at_least=1)
        report.figure(f"{name}: with its start", "s", seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
