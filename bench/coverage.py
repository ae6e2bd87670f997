"""How much of a planted corpus each tool removes: ours, dicom-anonymizer and Orthanc's /anonymize, judged alike.

    python -m bench.deidentify --corpus [--json FILE]

Counted are the planted strings that can be read in an original and no longer in what a tool wrote of it, the values
that had to stay and are gone, and the instances of which nothing was written. Pixels are not judged here.
"""

import argparse
import contextlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anonymizer.profiles import profile
from anonymizer.pseudonyms import keys
from anonymizer.release import Released, release
from bench import peers
from bench.report import Peer, Report, say
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.errors import ExchangeError
from tests.anonymizer.corpus import Planted, corpus
from tests.anonymizer.scoring import legible, lost

PROFILE = "tele-read"
KEYS = keys.derive(b"\x2a" * keys.SECRET_BYTES, site="BENCH")
PEER_SCRIPT = """
import contextlib, sys, warnings
from pathlib import Path
from dicomanonymizer import anonymize_dicom_file
warnings.simplefilter("ignore")
source, target = map(Path, sys.argv[1:])
for file in sorted(source.iterdir()):
    with contextlib.suppress(Exception):
        anonymize_dicom_file(str(file), str(target / file.name))
"""
Tool = Callable[[Planted], bytes | None]


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the corpus in one tool's hands."""

    removed_percent: float
    values_lost: int
    not_written: int


def score(planted: list[Planted], outputs: list[bytes | None]) -> Score:
    """Judge a tool's outputs; an instance of which nothing was written leaks nothing and is counted."""
    there = left = values = held = 0
    for one, output in zip(planted, outputs, strict=True):
        strings = legible(one.source, one.gone)
        there += len(strings)
        if output is None:
            held += 1
            continue
        left += len(legible(output, tuple(strings)))
        values += len(lost(output, one.stays))
    return Score(100 * (1 - left / there), values, held)


def measure(folder: Path, peer_python: Path, options: argparse.Namespace) -> int:
    """Run every tool over the corpus and print the scores; exit 0 when ours leaks and loses nothing."""
    planted = list(corpus())
    source = folder / "corpus"
    source.mkdir(parents=True)
    for number, one in enumerate(planted):
        (source / f"{number:04}.dcm").write_bytes(one.source)
    report = Report(
        f"De-identifying a planted corpus: {len(planted)} instances, {len({o.kind for o in planted})} kinds"
    )
    report.versions |= {"profile": profile.load(PROFILE).label}
    say("ours")
    ours = score(planted, [_ours(one) for one in planted])
    report.figure("planted strings removed", "%", ours.removed_percent, at_least=100)
    report.figure("values lost that must stay", "values", ours.values_lost, at_most=0)
    report.figure("not written (held)", "instances", ours.not_written)
    for name, outputs in (
        ("dicom-anonymizer", lambda: _dicom_anonymizer(source, folder / "peer", peer_python)),
        ("Orthanc /anonymize", lambda: _orthanc(folder / "orthanc", source)),
    ):
        say(name)
        theirs = score(planted, outputs())
        report.rate("strings removed", "%", [ours.removed_percent], Peer(name, [theirs.removed_percent]))
        report.figure(f"values lost by {name}", "values", theirs.values_lost)
        report.figure(f"not written by {name}", "instances", theirs.not_written)
    return report.finish(options)


def _ours(one: Planted) -> bytes | None:
    try:
        meta = read_file_meta(one.source)
        header = scan(one.source, meta.transfer_syntax_uid, offset=meta.dataset_offset)
        result = release(one.source, header, profile=profile.load(PROFILE), keys=KEYS, issuer="BENCH")
    except ExchangeError:
        return None
    may_leave = isinstance(result, Released) and not result.pixel_review
    return result.made.to_bytes(one.source) if may_leave else None


def _dicom_anonymizer(source: Path, target: Path, python: Path) -> list[bytes | None]:
    target.mkdir()
    subprocess.run([python, "-c", PEER_SCRIPT, source, target], check=True, stderr=subprocess.DEVNULL)
    return [_read(target / file.name) for file in sorted(source.iterdir())]


def _orthanc(folder: Path, source: Path) -> list[bytes | None]:
    folder.mkdir()
    outputs: list[bytes | None] = []
    with peers.orthanc(folder) as server:
        base = server.dicomweb.removesuffix("/dicom-web")
        for file in sorted(source.iterdir()):
            outputs.append(None)
            with contextlib.suppress(OSError, ValueError, KeyError):  # it refuses some of what was planted
                identifier = json.loads(peers.post(f"{base}/instances", file.read_bytes()))["ID"]
                outputs[-1] = peers.post(f"{base}/instances/{identifier}/anonymize", b"{}")
    return outputs


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() and file.stat().st_size else None
