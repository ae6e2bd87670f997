"""Tiles of a slide over HTTP: a node, which asks for a token, beside servers that ask for none; eight connections.

FastAPI with OpenSlide has the vendor's file, Orthanc's whole-slide plug-in the same slide as DICOM. All tiles are stored ones,
of the finest level, in random order.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import fetch, peers
from bench.report import Peer, Report, say

CONNECTIONS = 8
OURS, OPENSLIDES, ORTHANCS = 3000, 300, 1500  # tiles a round, as many as take a while
ORTHANC_CACHE_BYTES = 128 * 1024**2  # its MaximumStorageCacheSize, as it comes
READY_S = 120.0
LEVEL = 0  # the finest, of both


@dataclass(frozen=True, slots=True)
class Tiles:
    """The finest level of a slide at a server."""

    server: peers.Server
    path: str  # with fields x and y
    columns: int
    rows: int
    count: int  # asked for in a round


def measure(report: Report, folder: Path, vendor: Path, generic: Path, rounds: int) -> None:
    """Add the rows of two vendor files, and of the first one as DICOM."""
    for path, tile, at_least in ((vendor, 256, 8), (generic, 512, 15)):
        _beside_openslide(report, folder, path, tile, at_least=at_least, rounds=rounds)
    _beside_orthanc(report, folder, vendor, rounds)


def _beside_openslide(report: Report, folder: Path, path: Path, tile: int, *, at_least: float, rounds: int) -> None:
    say(f"serving tiles of {tile} pixels")
    data = f"node-{tile}"
    _run("slides", "add", str(path), "--patient-id", "BENCH", "--data", str(folder / data))
    with ExitStack() as stack:
        node = stack.enter_context(peers.our_node(folder, data=data))
        peer = stack.enter_context(peers.openslide_server(folder, path, tile))
        ours = _ours(node)
        theirs = Tiles(peer, "/tiles/0/{x}_{y}.jpg", ours.columns, ours.rows, OPENSLIDES)
        _compare(report, f"{tile}-px tiles over HTTP", ours, theirs, at_least=at_least, rounds=rounds)


def _beside_orthanc(report: Report, folder: Path, vendor: Path, rounds: int) -> None:
    say("serving the tiles of a DICOM slide")
    dicom = folder / "as-dicom"
    _run("slides", "to-dicom", str(vendor), str(dicom))
    with ExitStack() as stack:
        node = stack.enter_context(peers.our_node(folder, data="node-dicom"))
        peer = stack.enter_context(peers.orthanc(folder))
        for server, title in ((node, "VIENANH"), (peer, "ORTH")):
            _run("send", str(dicom), "--to", f"{title}@127.0.0.1:{server.dicom_port}")
        report.versions[peer.name] = peer.version
        ours, theirs = _ours(node), _orthancs(peer)
        assert (ours.columns, ours.rows) == (theirs.columns, theirs.rows), "both serve the same level"
        is_cached = sum(file.stat().st_size for file in dicom.iterdir()) < ORTHANC_CACHE_BYTES
        goal = None if is_cached else 1.5
        _compare(report, "256-px tiles of a DICOM slide over HTTP", ours, theirs, at_least=goal, rounds=rounds)
        if is_cached:
            report.notes.append("Orthanc, as it comes, holds the whole of a DICOM slide of this size in memory.")


def _run(*command: str) -> None:
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-m", "exchange", *command], check=True, capture_output=True, cwd=root)


def _ours(node: peers.Server) -> Tiles:
    """Return the one slide of a node, when it is there."""
    server = _at_root(node)
    (series,) = _wait_for(server, "/dicom-web/series")
    study, uid = (series[tag]["Value"][0] for tag in ("0020000D", "0020000E"))
    told = _wait_for(server, f"/api/slides/{study}/{uid}")
    finest = told["octaves"][LEVEL]
    return Tiles(server, told["tiles"] + "/0/0/0/{x}_{y}", finest["columns"], finest["rows"], OURS)


def _orthancs(orthanc: peers.Server) -> Tiles:
    server = _at_root(orthanc)
    (series,) = _wait_for(server, "/series")
    told = _wait_for(server, f"/wsi/pyramids/{series}")
    columns, rows = told["TilesCount"][LEVEL]
    return Tiles(server, f"/wsi/tiles/{series}/{LEVEL}/{{x}}/{{y}}", columns, rows, ORTHANCS)


def _at_root(server: peers.Server) -> peers.Server:
    return replace(server, dicomweb=server.dicomweb.removesuffix("/dicom-web"))


def _wait_for(server: peers.Server, path: str) -> Any:
    """Return what a server says as JSON, as soon as it says anything."""
    headers = {"Accept": "application/json, application/dicom+json"}
    headers |= {"Authorization": f"Bearer {server.token}"} if server.token else {}
    request, until = urllib.request.Request(server.dicomweb + path, headers=headers), time.monotonic() + READY_S
    while time.monotonic() < until:
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=READY_S) as answer:
            if answer.status == 200 and (told := json.load(answer)):
                return told
        time.sleep(0.2)
    raise RuntimeError(f"{server.name} has no slide at {path}")


def _compare(report: Report, name: str, ours: Tiles, theirs: Tiles, *, at_least: float | None, rounds: int) -> None:
    rng = np.random.default_rng(11)
    rates: dict[str, list[float]] = {one.server.name: [] for one in (ours, theirs)}
    spent: dict[str, list[float]] = {one.server.name: [] for one in (ours, theirs)}
    for number in range(rounds + 1):
        for tiles in (ours, theirs):
            places = rng.integers(0, (tiles.columns - 1, tiles.rows - 1), (tiles.count, 2)).tolist()
            paths = [tiles.path.format(x=x, y=y) for x, y in places]
            before_s = tiles.server.cpu_s()
            elapsed_s, _ = fetch.get_all(tiles.server, paths, "image/jpeg", CONNECTIONS)
            if number:
                rates[tiles.server.name].append(tiles.count / elapsed_s)
                spent[tiles.server.name].append((tiles.server.cpu_s() - before_s) * 1000 / tiles.count)
    mine, peer = ours.server.name, theirs.server.name
    report.rate(name, "tiles/s", rates[mine], Peer(peer, rates[peer]), at_least)
    report.cost("  server CPU", "ms/tile", spent[mine], Peer(peer, spent[peer]))
