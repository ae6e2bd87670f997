"""A real Orthanc for tests: the distribution's, with DICOMweb, on free ports of loopback, one for the whole run."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLUGIN_FOLDERS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc/plugins"))
READY_S = 60.0


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc."""

    http: str  # base URL of its REST API
    dicom_port: int
    ae_title: str = "ORTHANC"

    @property
    def dicomweb(self) -> str:
        """Base URL of its DICOMweb services."""
        return f"{self.http}/dicom-web"

    def call(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """Call the REST API; `body` is sent as JSON, the answer is read as JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.http + path, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def knows(self, name: str, ae_title: str, port: int) -> None:
        """Tell it about a modality on loopback."""
        self.call(f"/modalities/{name}", {"AET": ae_title, "Host": "127.0.0.1", "Port": port}, method="PUT")

    def instances(self) -> dict[str, str]:
        """Return SOP Instance UID and Orthanc's own identifier of everything it has."""
        found = self.call("/instances?expand")
        return {one["MainDicomTags"]["SOPInstanceUID"]: one["ID"] for one in found}

    def file(self, identifier: str) -> bytes:
        """Return the stored Part 10 file of an instance."""
        with urllib.request.urlopen(f"{self.http}/instances/{identifier}/file", timeout=60) as answer:
            return answer.read()

    def clear(self) -> None:
        """Delete every patient."""
        for patient in self.call("/patients"):
            self.call(f"/patients/{patient}", method="DELETE")


@pytest.fixture(scope="session")
def orthanc_server(tmp_path_factory) -> Iterator[Orthanc]:
    """Start Orthanc once."""
    folder = tmp_path_factory.mktemp("orthanc")
    http, dicom = _free_ports(2)
    settings = folder / "orthanc.json"
    settings.write_text(json.dumps(_settings(folder, http, dicom)))
    with (folder / "orthanc.log").open("wb") as log:
        server = subprocess.Popen(["Orthanc", str(settings)], stdout=log, stderr=subprocess.STDOUT)
    try:
        orthanc = Orthanc(f"http://127.0.0.1:{http}", dicom)
        _await(orthanc, server, folder / "orthanc.log")
        yield orthanc
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def orthanc(orthanc_server: Orthanc) -> Orthanc:
    """Give an Orthanc without any instance. Mark the test `@pytest.mark.peer("orthanc")`."""
    orthanc_server.clear()
    return orthanc_server


def _settings(folder: Path, http: int, dicom: int) -> dict[str, Any]:
    plugins = [str(path) for place in PLUGIN_FOLDERS for path in place.glob("libOrthancDicomWeb.so*")][:1]
    return {
        "Name": "TEST",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http,
        "DicomPort": dicom,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowStore": True,
        "OverwriteInstances": False,
        "DefaultEncoding": "Utf8",
        "SaveJobs": False,
        "StableAge": 1,
        "DicomModalitiesInDatabase": True,
        "Plugins": plugins,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _await(orthanc: Orthanc, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            orthanc.call("/system")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"Orthanc does not answer: {log.read_text(errors='replace')[-1000:]}")
