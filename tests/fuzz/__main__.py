"""Lets a coverage-guided fuzzer loose on one parser, or on each in turn.

    python -m tests.fuzz [NAME...] [--seconds N]

Finds are written to `crash-*` files in the folder of `--keep`; put what they teach into a test of the parser. Needs
atheris, which exists for Linux; `./dev fuzz` installs it.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

INPUT_BYTES_MAX = 64 * 1024
SECONDS_OF_ONE_INPUT = 10
MEMORY_MIB = 2048


def main() -> int:
    """Fuzz; exit 1 when something was found."""
    from tests.fuzz.targets import TARGETS  # here, as the process that fuzzes must instrument it before

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(TARGETS)}; all when none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "vienanh-fuzz")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: ./dev fuzz does that")
    codes: dict[str, int] = {}
    for name in options.names or TARGETS:
        if name not in TARGETS:
            parser.error(f"no target {name}")
        call = f"from tests.fuzz.__main__ import fuzz; fuzz({name!r}, {options.seconds}, {str(options.keep)!r})"
        codes[name] = subprocess.run(
            [sys.executable, "-c", call], check=False
        ).returncode  # the fuzzer ends its process
    for name, code in codes.items():
        said = "nothing found" if code == 0 else f"FOUND something: see {options.keep / name}"
        sys.stdout.write(f"{name:14} {said}\n")
    return int(any(codes.values()))


def fuzz(name: str, seconds: int, keep: str) -> None:
    """Fuzz one target in this process; does not return."""
    import atheris  # only who fuzzes has it

    with atheris.instrument_imports(include=["kernel", "gateway", "anonymizer"]):
        from tests.fuzz.targets import TARGETS, holds
    target, folder = TARGETS[name], Path(keep) / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={SECONDS_OF_ONE_INPUT}"]
    limits += [f"-rss_limit_mb={MEMORY_MIB}", f"-artifact_prefix={folder}/", "-verbosity=0", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], lambda data: holds(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
