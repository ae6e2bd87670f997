"""What C-GET and C-MOVE cost: DCMTK's getscu and movescu take a series from our node and from Orthanc, in turn.

getscu stores nothing; a C-MOVE goes to DCMTK's storescp, which stores nothing either: what is measured is the server.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Final

from bench.peers import MAX_PDU, TUNING, Server, orthanc, our_node, send, storescp
from bench.report import Peer, Report, say
from bench.slices import study_uids, write_slices

STUDY: Final = 310_000
GOAL: Final = 2.0
TITLE: Final = "STORESCP"
SETTINGS: Final = """
[dimse]
unknown_caller_services = ["store", "find", "get", "move"]
[[destination]]
name = "storescp"
kind = "dimse"
profile = "none"
host = "127.0.0.1"
port = {port}
ae_title = "STORESCP"
"""


def retrieve(server: Server, how: str, study: int) -> float:
    """Retrieve one study; return the seconds it took."""
    uid, _ = study_uids(study)
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}"]
    command = ["getscu", "-S", "--ignore"] if how == "get" else ["movescu", "-S", "-aem", TITLE]
    begun = time.perf_counter()
    subprocess.run(
        [*command, "--max-pdu", MAX_PDU, "-aec", "ANY", *keys, "127.0.0.1", str(server.dicom_port)],
        env=os.environ | TUNING,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun


def compare(servers: tuple[Server, Server], slices: int, runs: int, report: Report) -> None:
    """Measure both operations on both servers in turn, and add rows to a report."""
    ours, peer = servers
    for how in ("get", "move"):
        rates: dict[str, list[float]] = {server.name: [] for server in servers}
        costs: dict[str, list[float]] = {server.name: [] for server in servers}
        for run in range(runs + 1):
            for server in servers:
                before = server.cpu_s()
                elapsed = retrieve(server, how, STUDY)
                used = server.cpu_s() - before
                say(f"C-{how.upper():5} {server.name:12} {slices / elapsed:8.1f}/s {1000 * used / slices:6.2f} ms")
                if run:  # the first is a rehearsal
                    rates[server.name].append(slices / elapsed)
                    costs[server.name].append(1000 * used / slices)
        unit, name = "instances/s", f"C-{how.upper()}"
        report.rate(name, unit, rates[ours.name], Peer(peer.name, rates[peer.name]), GOAL)
        report.cost(f"{name}, processor an instance", "ms", costs[ours.name], Peer(peer.name, costs[peer.name]))


def tell_modalities(peer: Server, port: int) -> None:
    """Let Orthanc know who retrieves and where its moves go: it serves C-GET and C-MOVE to known modalities only."""
    base = peer.dicomweb.removesuffix("/dicom-web")
    for title in (TITLE, "GETSCU", "MOVESCU"):
        body = json.dumps({"AET": title, "Host": "127.0.0.1", "Port": port, "AllowGet": True}).encode()
        request = urllib.request.Request(f"{base}/modalities/{title}", body, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()


def main() -> None:
    """Compare our node with Orthanc."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    report = Report("Retrieving by C-GET and C-MOVE")
    with tempfile.TemporaryDirectory() as name, storescp(Path(name)) as receiver:
        folder = Path(name)
        write_slices(folder / "slices", options.slices, study=STUDY)
        settings = folder / "node.toml"
        settings.write_text(SETTINGS.format(port=receiver.dicom_port))
        with our_node(folder, settings={"VIENANH_CONFIG": str(settings)}) as ours, orthanc(folder) as peer:
            tell_modalities(peer, receiver.dicom_port)
            for server in (ours, peer):
                send([folder / "slices"], server.dicom_port)
                report.versions[server.name] = server.version
            compare((ours, peer), options.slices, options.runs, report)
    report.show()


if __name__ == "__main__":
    main()
