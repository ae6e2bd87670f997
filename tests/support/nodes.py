"""Real nodes as processes on loopback: started, killed and started again, asked only through their own doors."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from exchange.commands.table import app
from tests.support.http import a_client

START_S = 60.0
# Nodes start and end often here: let Python keep what it compiled, outside the checkout.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / f"vienanh-pycache-{os.getuid()}")
TOKEN = "test-token-of-loopback"  # accepted for everything by nodes started with it


def wait_until(condition, *, timeout_s: float = 60.0, every_s: float = 0.05, what: str = "it") -> Any:
    """Return the first true value of `condition()`; fail when none comes in time."""
    pause, deadline_s = threading.Event(), time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if value := condition():
            return value
        pause.wait(every_s)
    pytest.fail(f"{what} did not happen within {timeout_s:.0f} s")


class NodeProcess:
    """One `vienanh serve` in a folder of its own; its ports stay the same when it is started again."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.file = folder / "node.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(settings.replace("DATA", str(self.data)), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self.listening: dict[str, Any] = {}
        self._ports: dict[str, str] = {}

    def start(self) -> "NodeProcess":
        """Start the node and wait until it is ready."""
        (self.data / "listening.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "exchange", "serve", "--config", str(self.file), "--dev-token", TOKEN]
        log = (self.folder / "node.log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**ENVIRONMENT, **self._ports})
        log.close()
        wait_until(self._is_listening, timeout_s=START_S, what=f"start of {self.folder.name}:\n{self.log[-3000:]}")
        self._ports = {"VIENANH_HTTP_PORT": self.listening["http"].rsplit(":", 1)[1]}
        if self.listening["dimse_port"]:
            self._ports["VIENANH_DIMSE_PORT"] = str(self.listening["dimse_port"])
        return self

    def _is_listening(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"{self.folder.name} ended with {self.process.returncode}:\n{self.log[-3000:]}")
        file = self.data / "listening.json"
        if file.exists():
            self.listening = json.loads(file.read_text())
        return bool(self.listening) and file.exists()

    def kill(self) -> None:
        """kill -9 the node's process; its listener processes end by themselves when they notice."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Stop the node in order and return its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)

    @property
    def log(self) -> str:
        """What the node has told so far."""
        file = self.folder / "node.log"
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def url(self) -> str:
        """The node's HTTP address."""
        return self.listening["http"]

    @property
    def dimse_port(self) -> int:
        """The node's DIMSE port."""
        return self.listening["dimse_port"]

    def client(self, token: str = TOKEN) -> httpx.Client:
        """Return an HTTP client with a bearer token."""
        headers = {"Authorization": f"Bearer {token}"}
        return a_client(self.url, headers=headers)

    def studies(self) -> list[dict[str, Any]]:
        """Return the worklist."""
        with self.client() as client:
            return client.get("/api/worklist").raise_for_status().json()["studies"]

    def instances(self, study_uid: str) -> list[str]:
        """Return the SOP Instance UIDs of a study, as QIDO-RS lists them."""
        with self.client() as client:
            answer = client.get(f"/dicom-web/studies/{study_uid}/instances", params={"limit": 1000})
            return [one["00080018"]["Value"][0] for one in answer.raise_for_status().json()]

    def store(self, parts: Iterable[bytes]) -> None:
        """Put instances in, as files, in one request of STOW-RS."""
        body = b"".join(b"--x\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n" for part in parts)
        headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=x'}
        with self.client() as client:
            client.post("/dicom-web/studies", content=body + b"--x--\r\n", headers=headers).raise_for_status()

    def add_user(self, name: str, role: str, password: str, display: str = "") -> None:
        """Give somebody an account."""
        told = ["user", "add", name, "--role", role, "--display", display or name, "--password", password]
        added = CliRunner().invoke(
            app, [*told, "--config", str(self.file)]
        )  # a process of its own takes a second and a half
        assert added.exit_code == 0, added.output

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on this node's configuration."""
        command = [sys.executable, "-m", "exchange", *arguments, "--config", str(self.file)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=ENVIRONMENT)


HUB = """
[node]
role = "hub"
site = "HUB"
data = "DATA"
[dimse]
enabled = false
[http]
port = 0
"""

SITE = """
[node]
role = "site"
site = "SITE1"
data = "DATA"
[dimse]
port = 0
processes = 1
[http]
port = 0
[routing]
backoff_base_s = 0.2
backoff_cap_s = 1.0
lease_s = 5.0
[[destination]]
name = "hub"
kind = "stow"
url = "HUB_URL/dicom-web"
token_file = "hub.token"
profile = "tele-read"
[[rule]]
name = "emergency"
description = ["*cap cuu*"]
to = ["hub"]
priority = "stat"
[[rule]]
name = "everything"
to = ["hub"]
"""


class Network:
    """A hub and a site that sends to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.hub = NodeProcess(folder / "hub", HUB).start()
        made = self.hub.run("token", "create", "SITE1", "--site", "SITE1", "--scope", "dicomweb:store")
        assert made.returncode == 0, made.stderr
        self.site = NodeProcess(folder / "site", SITE.replace("HUB_URL", self.hub.url))
        (folder / "site" / "hub.token").write_text(made.stdout)
        self.site.start()

    def stop(self) -> None:
        """Stop both."""
        self.site.stop()
        self.hub.stop()

    def arrived(self, count: int, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """Wait until the hub has one study with `count` instances that is complete; return it as the worklist shows it."""

        def whole() -> dict[str, Any] | None:
            studies = self.hub.studies()
            return next((one for one in studies if one["have"] == count and one["state"] == "complete"), None)

        return wait_until(whole, timeout_s=timeout_s, what=f"arrival of {count} instances")


@pytest.fixture(scope="module")
def quiet_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A running hub and site that tests share; none of them kills or breaks anything."""
    running = Network(tmp_path_factory.mktemp("network"))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A running hub and site, stopped at the end."""
    running = Network(tmp_path)
    try:
        yield running
    finally:
        running.stop()
