"""What a node answers over DICOMweb and C-MOVE, C-GET, against a current Orthanc, in one run.

    python -m bench.dicomweb [--short] [--json FILE] [--studies N] [--floor]

Both have the same CT series, stored by STOW-RS here, and before they are searched the same N invented studies (100,000;
ours loaded in bulk before everything else, Orthanc's sent to it in ZIP archives over four connections, two to five
minutes). Runs of the two alternate, the first round warms caches and counts for nothing, rows are medians. dcm4chee is
no package of PyPI, npm or Debian, so it is not compared. C-MOVE and C-GET, of so many studies that the client's own
start hardly counts, are as fast as the client and the receiver, which are DCMTK's: the notes say what DCMTK's own
sender reaches. `--floor` measures STOW-RS alone, and beside it the least that any receiver must do to promise as much
(stow.py).
"""

import argparse
import contextlib
import functools
import itertools
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench import fetch, peers, slices, stow
from bench.load import load_sqlite
from bench.patterns import Known, known_studies
from bench.peers import Server
from bench.report import Peer, Report, arguments, say
from bench.rest import rest
from bench.studies import Studies
from bench.tiny import metadata_of_one, zipped
from gateway.dimse.upper_layer.commands import ELEMENTS
from kernel.archive.records import Received
from kernel.dicom.vocabulary.dictionary import VR_OF

ROUNDS = 5
ZIP_STUDIES = 100  # in one archive
FILLING = 4  # connections over which Orthanc is given studies
COMPLETED = "Completed Suboperations"  # in what DCMTK's clients print of a response
RETRIEVED = 400  # instances, or more, of one C-MOVE or C-GET: the start of DCMTK's client takes as long as 30 of them
JSON = "application/dicom+json"
FRAME = 'multipart/related; type="application/octet-stream"'
INSTANCES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
AE_TITLE = "BENCH"

Doing = Callable[[Server], tuple[float, float]]  # does something; returns how much of it and in how many seconds


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    studies: int
    slices: int
    questions: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The two that are compared, and where they may send."""

    ours: Server
    orthanc: Server
    report: Report

    def compare(
        self,
        name: str,
        unit: str,
        doing: Doing,
        at_least: float | None,
        *,
        rounds: int = ROUNDS,
        before: Callable[[], None] = os.sync,
    ) -> None:
        """Add a row of what each does a second, and one of the processor time that it takes."""
        say(name)
        rates: dict[str, list[float]] = {self.ours.name: [], self.orthanc.name: []}
        cpus: dict[str, list[float]] = {self.ours.name: [], self.orthanc.name: []}
        for number in range(rounds + 1):
            for server in (self.ours, self.orthanc):
                before()
                before_s = server.cpu_s()
                count, elapsed_s = doing(server)
                if number:
                    rates[server.name].append(count / elapsed_s)
                    cpus[server.name].append((server.cpu_s() - before_s) * 1000 / count)
        ours, theirs = rates[self.ours.name], rates[self.orthanc.name]
        self.report.rate(name, f"{unit}/s", ours, Peer("Orthanc", theirs), at_least)
        ours, theirs = cpus[self.ours.name], cpus[self.orthanc.name]
        self.report.cost("  server CPU", f"ms/{unit.removesuffix('s')}", ours, Peer("Orthanc", theirs))


def main() -> int:
    """Run the bench; exit 0 when every goal holds."""
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, metavar="N", help="search among so many")
    parser.add_argument("--floor", action="store_true", help="STOW-RS alone, beside the least that a receiver must do")
    options = parser.parse_args()
    size = Size(2_000, 40, 3) if options.short else Size(100_000, 200, 5)
    size = Size(options.studies or size.studies, size.slices, size.questions)
    folder = Path(tempfile.mkdtemp(prefix="vienanh-bench-"))
    try:
        if options.floor:
            report = Report(f"STOW-RS of CT slices of 0.5 MB, {stow.INSTANCES_EACH} a request, and the least of it")
            stow.floors(folder, size.slices, ROUNDS, report)
            return report.finish(options)
        return _measure(folder, size, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, size: Size, options: argparse.Namespace) -> int:
    peers.room_for(folder, size.studies * 30_000 + 40 * size.slices * slices.SIDE**2 * 2)
    report = Report(f"DICOMweb among {size.studies:,} studies, CT slices of 0.5 MB")
    with contextlib.ExitStack() as stack:
        say(f"loading {size.studies:,} studies into ours")
        database = folder / "node" / "vienanh.db"
        database.parent.mkdir()
        load_sqlite(database, Studies(size.studies, metadata_of_one()))
        known = known_studies(database, size.studies)
        receiver = stack.enter_context(peers.storescp(folder, keeps=False))
        config = folder / "node.toml"
        config.write_text(
            f'[[destination]]\nname = "receiver"\nkind = "dimse"\nhost = "127.0.0.1"\nport = {receiver.dicom_port}\n'
            f'ae_title = "{AE_TITLE}"\nprofile = "none"\n[[source]]\nname = "bench"\naddress = ["127.0.0.1"]\n'
            'services = ["store", "find", "get", "move"]\nsites = "*"\n'
        )
        ours = stack.enter_context(peers.our_node(folder, settings={"VIENANH_CONFIG": str(config)}))
        orthanc = stack.enter_context(peers.orthanc(folder))
        report.versions |= {server.name: server.version for server in (ours, orthanc)}
        _introduce(orthanc, receiver)
        pair = Pair(ours, orthanc, report)
        studies = _stow(folder, pair, size)
        _retrieve(pair, studies[-1], size)
        _move_and_get(folder, pair, receiver, studies[-math.ceil(RETRIEVED / size.slices) :], size)
        _fill(orthanc, size, report)
        _search(pair, known, size)
    return report.finish(options)


# --- before -----------------------------------------------------------------------------------------------------------


def _introduce(orthanc: Server, receiver: Server) -> None:
    """Tell Orthanc who may move and get, and where to."""
    peer = {"AET": AE_TITLE, "Host": "127.0.0.1", "Port": receiver.dicom_port, "AllowGet": True, "AllowMove": True}
    _rest(orthanc, "PUT", f"/modalities/{AE_TITLE}", json.dumps(peer).encode())


def _fill(orthanc: Server, size: Size, report: Report) -> None:
    """Give Orthanc the studies, an archive of some at a time over each of several connections."""
    say(f"sending {size.studies:,} studies to Orthanc")
    begun, count, each = time.perf_counter(), 0, Studies(size.studies, b"").each()
    with ThreadPoolExecutor(FILLING) as connections:
        while groups := [*_groups(each)]:
            archives = [zipped(group) for group in groups]
            for _ in connections.map(lambda archive: _rest(orthanc, "POST", "/instances", archive), archives):
                pass
            count += sum(len(received) for group in groups for received in group)
            if count % 10_000 < 2 * FILLING * ZIP_STUDIES:
                say(f"  {count:,} instances, {count / (time.perf_counter() - begun):.0f}/s")
    stored = json.loads(_rest(orthanc, "GET", "/statistics"))["CountStudies"]
    assert stored >= size.studies, f"Orthanc has {stored} studies"
    report.notes.append(f"Orthanc took {count:,} tiny instances in {time.perf_counter() - begun:.0f} s.")


def _groups(each: Iterator[tuple[int, Sequence[Received]]]) -> Iterator[list[Sequence[Received]]]:
    """Yield the next studies in as many groups as there are connections, as long as there are any."""
    for _ in range(FILLING):
        if group := [received for _, received in itertools.islice(each, ZIP_STUDIES)]:
            yield group


def _rest(server: Server, method: str, path: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(server.dicomweb.removesuffix("/dicom-web") + path, body, method=method)
    with urllib.request.urlopen(request, timeout=600) as answer:
        return answer.read()


# --- DICOMweb ---------------------------------------------------------------------------------------------------------


def _stow(folder: Path, pair: Pair, size: Size) -> list[int]:
    """Compare storing; return the numbers of the studies that both have."""
    paths = slices.write_slices(folder / "ct", size.slices)

    stored: dict[int, None] = {}
    for connections in (1, 4):
        turns: dict[str, Iterator[int]] = {}  # each server is sent the same studies, one a round

        def store(
            server: Server, connections: int = connections, turns: dict[str, Iterator[int]] = turns
        ) -> tuple[float, float]:
            study = next(turns.setdefault(server.name, itertools.count(100_000 + 1_000 * connections)))
            stored[study] = None
            content = stow.bodies(paths, study)
            return size.slices, fetch.post_all(server, "/studies", stow.CONTENT_TYPE, content, connections)

        doing = f"STOW-RS, {stow.named(connections)}, {stow.INSTANCES_EACH} instances a request"
        pair.compare(doing, "instances", store, 2, before=rest)
    return list(stored)


def _search(pair: Pair, known: list[Known], size: Size) -> None:
    """Compare searches by the keys that both have."""
    questions: dict[str, Callable[[Known], str]] = {
        "Patient ID": lambda at: f"PatientID={at.patient_id}",
        "accession number": lambda at: f"AccessionNumber={at.accession}",
        "name, beginning": lambda at: f"PatientName={quote(at.surname)}*&limit=50",
        "a day": lambda at: f"StudyDate={at.date}&limit=50",
        "a day and a modality": lambda at: f"StudyDate={at.date}&ModalitiesInStudy=CT&limit=50",
        "newest 50": lambda _: "limit=50",
    }
    for name, question in questions.items():
        chance = random.Random(3)

        def ask(
            server: Server, question: Callable[[Known], str] = question, chance: random.Random = chance
        ) -> tuple[float, float]:
            paths = dict.fromkeys(f"/studies?{question(chance.choice(known))}" for _ in range(size.questions))
            elapsed_s, _ = fetch.get_all(server, list(paths), JSON, 1)
            return len(paths), elapsed_s

        # Orthanc looks through everything for a list without keys, for seconds or minutes: asked less often.
        pair.compare(f"QIDO-RS, {name}", "requests", ask, 5, rounds=1 if name.startswith("newest") else ROUNDS)


def _retrieve(pair: Pair, study: int, size: Size) -> None:
    """Compare frames, rendered images, and a whole series."""
    study_uid, series_uid = slices.study_uids(study)
    series = f"/studies/{study_uid}/series/{series_uid}"
    instances = [f"{series}/instances/{slices.instance_uid(study, index)}" for index in range(size.slices)]

    def get(paths: list[str], accept: str, connections: int, *, megabytes: bool = False) -> Doing:
        def doing(server: Server) -> tuple[float, float]:
            elapsed_s, count = fetch.get_all(server, paths, accept, connections)
            return (count / 1e6 if megabytes else len(paths)), elapsed_s

        return doing

    pair.compare("frames of 0.5 MB, 4 connections", "requests", get([f"{i}/frames/1" for i in instances], FRAME, 4), 2)
    rendered = [f"{instance}/rendered" for instance in instances]
    pair.compare("rendered as JPEG, 4 connections", "requests", get(rendered, "image/jpeg", 4), 2)
    pair.compare("a series, 1 connection", "MB", get([series], INSTANCES, 1, megabytes=True), 1.5)


# --- DIMSE ------------------------------------------------------------------------------------------------------------


def _move_and_get(folder: Path, pair: Pair, receiver: Server, studies: Sequence[int], size: Size) -> None:
    """Compare C-MOVE to a storescp, and C-GET by getscu, of studies; both throw away what comes: a disk would decide."""
    uids = "\\".join(slices.study_uids(study)[0] for study in studies)
    keys = ["-S", "-k", "0008,0052=STUDY", "-k", f"0020,000D={uids}"]
    instances = len(studies) * size.slices
    common = ["-aet", AE_TITLE, "-aec", "ANY", "--max-pdu", peers.MAX_PDU]

    def move(server: Server) -> tuple[float, float]:
        command = ["movescu", "-d", *common, "-aem", AE_TITLE, *keys, "127.0.0.1", str(server.dicom_port)]
        return instances, _timed(command, server.name, instances)

    def get(server: Server, tuning: Mapping[str, str] = peers.TUNING) -> tuple[float, float]:
        command = ["getscu", "-v", *common, "--ignore", *keys, "127.0.0.1", str(server.dicom_port)]
        return instances, _timed(command, server.name, instances, tuning)

    dictionary = folder / "asked.dic"  # the clients read DCMTK's whole dictionary else, for longer than they retrieve
    wanted = {tag: VR_OF[tag] for tag in (0x00080052, 0x0020000D)} | {tag: vr for tag, (_, vr) in ELEMENTS.items()}
    lines = (f"({tag >> 16:04X},{tag & 0xFFFF:04X})\t{vr}\tX{tag:08X}\t1-n\tDICOM\n" for tag, vr in wanted.items())
    dictionary.write_text("(0000,0000)\tUL\tX00000000\t1\tDICOM\n" + "".join(lines))
    os.environ["DCMDICTPATH"] = str(dictionary)
    try:
        pair.compare("C-MOVE of studies", "instances", move, 2)
        pair.compare("C-GET of studies", "instances", get, 2)
        # Without TCP_NODELAY a client holds the second write of each response back until the first is acknowledged.
        pair.compare("C-GET by DCMTK as it comes", "instances", functools.partial(get, tuning={}), 2)
        best_s = min(peers.send([folder / "ct"], receiver.dicom_port) for _ in range(ROUNDS))
        best = f"{size.slices / best_s:.0f} instances/s"
        pair.report.notes.append(f"DCMTK's storescu alone sends these slices to the receiver of the C-MOVE at {best}.")
    finally:
        del os.environ["DCMDICTPATH"]


def _timed(command: list[str], name: str, instances: int, tuning: Mapping[str, str] = peers.TUNING) -> float:
    """Run a client of DCMTK that says what it got; return its seconds."""
    begun = time.perf_counter()
    run = subprocess.run(command, env=os.environ | tuning, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{command[0]}: {run.stderr[-500:] or run.stdout[-500:]}")
    elapsed_s = time.perf_counter() - begun
    said = [line.rpartition(":")[2] for line in (run.stdout + run.stderr).splitlines() if COMPLETED in line]
    assert said, f"{name} did not say how many instances it gave"
    assert int(said[-1]) == instances, f"{name} gave {said[-1]} of {instances} instances"
    return elapsed_s


if __name__ == "__main__":
    sys.exit(main())
