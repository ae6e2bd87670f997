"""Starts and stops what the benches compare: our node as it runs in production, Orthanc, DCMTK's storescp; and measures them.

Processor time and memory are read from /proc for a server's whole tree of processes.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from bench.report import first_line, say

ROOT = Path(__file__).parents[1]
ORTHANC_TOOL = ROOT.parent / "shared" / "tools" / "orthanc-1.12"
TUNING = {"TCP_NODELAY": "1", "TCP_BUFFER_LENGTH": "1048576"}  # DCMTK's sockets, in Orthanc too
MAX_PDU = "131072"
# No copies are made ahead while a peer has its turn.
QUIETLY = {"VIENANH_LOG_LEVEL": "warning", "VIENANH_ARCHIVE_TIERS_BYTES_MAX": "0"}
TOKEN = "bench-only-token"  # noqa: S105 of a node on loopback that lives for minutes
READY_S = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    version: str
    pid: int
    dicom_port: int
    dicomweb: str = ""  # base URL
    token: str = ""

    def cpu_s(self) -> float:
        """Processor seconds of the tree so far, those of ended children included."""
        return cpu_s(self.pid)

    def resident_bytes(self) -> int:
        """Resident memory of the tree now."""
        return sum(_resident(pid) for pid in tree(self.pid))


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- servers ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def our_node(folder: Path, *, data: str = "node", settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run `vienanh serve`, as an operator would, on the data folder `data`; `settings` are VIENANH_... variables."""
    dicom, http = free_port(), free_port()
    command = [sys.executable, "-m", "exchange", "serve", "--data", str(folder / data), "--dicom-port", str(dicom)]
    command += ["--http-port", str(http), "--dev-token", TOKEN]
    environment = os.environ | QUIETLY | dict(settings or {})
    written = folder / f"{data}.log"
    with written.open("wb") as log, _running(command, environment, log) as process:
        base = f"http://127.0.0.1:{http}"
        _await_http(f"{base}/health/ready", process, written)
        yield Server(
            "Viễn Ảnh",
            first_line("git", "describe", "--always", "--dirty"),
            process.pid,
            dicom,
            f"{base}/dicom-web",
            TOKEN,
        )


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[Server]:
    """Run a current Orthanc when the tool that brings one is there, else the distribution's."""
    dicom, http = free_port(), free_port()
    storage = folder / "orthanc"
    base = f"http://127.0.0.1:{http}"
    if ORTHANC_TOOL.exists() and os.geteuid() == 0:
        subprocess.run([ORTHANC_TOOL, "install"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([ORTHANC_TOOL, "start", str(http), str(dicom), storage], check=True, stdout=subprocess.DEVNULL)
        try:
            pid = int((storage / "orthanc.pid").read_text())
            yield Server("Orthanc", _orthanc_version(base), pid, dicom, f"{base}/dicom-web")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            _await_end(pid)
            subprocess.run([ORTHANC_TOOL, "stop", storage], check=False)
        return
    say("No tool for a current Orthanc here: the distribution's Orthanc is measured.")
    storage.mkdir(parents=True)
    settings = storage / "orthanc.json"
    settings.write_text(json.dumps(_orthanc_settings(storage, http, dicom)))
    with (
        (folder / "orthanc.log").open("wb") as log,
        _running(["Orthanc", str(settings)], os.environ | TUNING, log) as process,
    ):
        _await_http(f"{base}/system", process, folder / "orthanc.log")
        yield Server("Orthanc", f"{_orthanc_version(base)} (distribution)", process.pid, dicom, f"{base}/dicom-web")


def _orthanc_settings(storage: Path, http: int, dicom: int) -> dict[str, object]:
    """Return the settings that the tool gives its Orthanc."""
    plugins = [str(path) for path in Path("/usr/share/orthanc/plugins").glob("libOrthancDicomWeb.so*")][:1]
    return {
        "Name": "PEER",
        "StorageDirectory": str(storage / "db"),
        "IndexDirectory": str(storage / "db"),
        "HttpPort": http,
        "DicomPort": dicom,
        "DicomAet": "ORTH",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowStore": True,
        "OverwriteInstances": True,
        "MaximumPduLength": int(MAX_PDU),
        "DefaultEncoding": "Utf8",
        "SaveJobs": False,
        "Plugins": plugins,
    }


def _orthanc_version(base: str) -> str:
    with urllib.request.urlopen(f"{base}/system", timeout=10) as answer:
        return json.load(answer)["Version"]


def post(url: str, body: bytes) -> bytes:
    """Return the answer of Orthanc's own API to a body."""
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
        return answer.read()


def environment(requirement: str) -> Path:
    """Return the folder of programs of a package's own environment (`name==version`), made once in the cache of peers."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    home = cache / "vienanh-peers" / requirement.replace("==", "-")
    if not (home / "ready").exists():
        say(f"installing {requirement}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        install = [home / "bin" / "python", "-m", "pip", "install", "--quiet", requirement]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        (home / "ready").touch()
    return home / "bin"


@contextlib.contextmanager
def openslide_server(folder: Path, slide: Path, tile: int) -> Iterator[Server]:
    """Serve a slide by FastAPI and OpenSlide; one process, as ours is."""
    port = free_port()
    command = [sys.executable, "-m", "bench.slide_peer", str(slide), str(tile), str(port)]
    written = folder / "openslide.log"
    with written.open("wb") as log, _running(command, dict(os.environ), log) as process:
        base = f"http://127.0.0.1:{port}"
        _await_http(f"{base}/", process, written)
        yield Server("FastAPI, OpenSlide", "", process.pid, 0, base)


@contextlib.contextmanager
def storescp(folder: Path, *, keeps: bool = True) -> Iterator[Server]:
    """Run DCMTK's storescp: it writes what it receives or throws it away, and neither syncs nor indexes."""
    port = free_port()
    kept = folder / "storescp"
    kept.mkdir()
    command = [
        "storescp",
        "--fork",
        "--max-pdu",
        MAX_PDU,
        "+xa",
        *(("+B", "-od", str(kept)) if keeps else ("--ignore",)),
        str(port),
    ]
    with (folder / "storescp.log").open("wb") as log, _running(command, os.environ | TUNING, log) as process:
        _await_port(port)
        yield Server("DCMTK storescp", first_line("storescp", "--version").strip("$ "), process.pid, port)


@contextlib.contextmanager
def floor(folder: Path, name: str, *arguments: str, module: str) -> Iterator[Server]:
    """Run what does the least that a receiver must do (floor.py, floor_stow.py); without `--unsafe`, with every flush."""
    port = free_port()
    command = [sys.executable, "-m", module, str(port), str(folder / name), *arguments]
    with (folder / f"{name}.log").open("wb") as log, _running(command, dict(os.environ), log) as process:
        _await_port(port)
        yield Server(name, "", process.pid, port, f"http://127.0.0.1:{port}/dicom-web")


# --- the sender -------------------------------------------------------------------------------------------------------


def send(folders: list[Path], port: int) -> float:
    """Send each folder by a storescu of its own, all at once; return the seconds until the last one ended."""
    command = ["storescu", "--max-pdu", MAX_PDU, "-aec", "ANY", "127.0.0.1", str(port), "+sd"]
    begun = time.perf_counter()
    senders = [subprocess.Popen([*command, str(folder)], env=os.environ | TUNING) for folder in folders]
    codes = [sender.wait() for sender in senders]
    elapsed = time.perf_counter() - begun
    if any(codes):
        raise RuntimeError(f"storescu failed: {codes}")
    return elapsed


class Watch:
    """Looks at a server's resident memory while something happens; `grown_bytes` is the most above the start."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.before_bytes = server.resident_bytes()
        self.grown_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            self.grown_bytes = max(self.grown_bytes, self._server.resident_bytes() - self.before_bytes)


# --- processes --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in reversed(tree(process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def cpu_s(pid: int) -> float:
    """Return the processor seconds of a process and all below it so far, those of ended children included."""
    return sum(_cpu_ticks(one) for one in tree(pid)) / TICKS


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the command's name, state first; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_ticks(pid: int) -> int:
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15])  # user, system, and both of waited-for children


def _resident(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) * PAGE_BYTES if fields else 0


def _await_http(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def _await_port(port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}")


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists():
        time.sleep(0.1)


def room_for(folder: Path, needed_bytes: int) -> None:
    """Refuse to begin on a disk that is too small."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SystemExit(f"{folder} has {free / 2**30:.1f} GiB free, this bench needs {needed_bytes / 2**30:.1f}")
