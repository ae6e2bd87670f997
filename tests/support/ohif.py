"""A real OHIF: the viewer's own build from its npm package, served beside a node as a hospital's proxy would."""

import gzip
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.absent import absent
from tests.support.http import a_client

VERSION = "3.13.2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vienanh-peers" / f"ohif-{VERSION}"
FETCH_S = 120
UNUSED = ("package/dist/ort/", "package/dist/sw.js", "package/dist/dicom-microscopy-viewer/")
NO_WORKER = b"navigator.serviceWorker?.getRegistrations().then((all) => all.forEach((one) => one.unregister()));"
SOURCE = {
    "friendlyName": "Vien Anh",
    "qidoRoot": "/dicom-web",
    "wadoRoot": "/dicom-web",
    "wadoUriRoot": "/dicom-web",
    "qidoSupportsIncludeField": True,
    "supportsFuzzyMatching": True,
    "supportsWildcard": True,
    "imageRendering": "wadors",
    "thumbnailRendering": "wadors",
    "enableStudyLazyLoad": True,
    "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
}
CONFIGURATION = {
    "routerBasename": "/",
    "showStudyList": True,
    "extensions": [],
    "modes": [],
    "customizationService": {},
    "maxNumberOfWebWorkers": 2,
    "investigationalUseDialog": {"option": "never"},
    "defaultDataSourceName": "dicomweb",
    "dataSources": [
        {
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "dicomweb",
            "configuration": SOURCE,
        }
    ],
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".wasm": "application/wasm"}


def built() -> Path:
    """Return the folder of OHIF's build, fetched once; fail in CI and skip elsewhere when it cannot be had."""
    if (CACHE / "index.html").exists():
        return CACHE
    npm = shutil.which("npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm or "npm", "pack", f"@ohif/app@{VERSION}", "--silent", "--pack-destination", folder]
        fetched = npm and subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=FETCH_S)
        packed = next(Path(folder).glob("*.tgz"), None)
        if not fetched or packed is None:
            absent("OHIF's npm package cannot be had")
        with tarfile.open(packed) as archive:
            wanted = [
                one for one in archive if one.name.startswith("package/dist/") and not one.name.startswith(UNUSED)
            ]
            archive.extractall(folder, wanted, filter="data")
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(folder) / "package" / "dist", CACHE)
    return CACHE


@cache
def static(file: Path, *, gzipped: bool) -> tuple[bytes, str, str]:
    """Return a file of the build, what its name ends on and its coding: compressed and cached as a proxy would."""
    body = file.read_bytes()
    return (
        (gzip.compress(body, 6), file.suffix, "gzip") if gzipped and file.suffix in TYPES else (body, file.suffix, "")
    )


@contextmanager
def served(node_url: str, token: str) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Serve OHIF with a node's DICOMweb under the same origin; yield its address and what was asked of the node."""
    folder, asked = built(), list[tuple[str, int]]()
    client = a_client(node_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/dicom-web"):
                self._pass_on()
            elif path == "/app-config.js":
                self._answer(f"window.config = {json.dumps(CONFIGURATION)};".encode(), ".js")
            elif path == "/init-service-worker.js":
                self._answer(NO_WORKER, ".js")
            else:
                file = folder / path.lstrip("/")
                file = file if file.is_file() else folder / "index.html"
                self._answer(*static(file, gzipped="gzip" in self.headers.get("Accept-Encoding", "")))

        def _pass_on(self) -> None:
            headers = {"Authorization": f"Bearer {token}", "Accept": self.headers.get("Accept", "*/*")}
            answer = client.get(self.path, headers=headers)
            asked.append((self.path, answer.status_code))
            self._answer(answer.content, status=answer.status_code, media=answer.headers.get("Content-Type", ""))

        def _answer(
            self, body: bytes, suffix: str = "", coding: str = "", *, status: int = 200, media: str = ""
        ) -> None:
            self.send_response(status)
            if coding:
                self.send_header("Content-Encoding", coding)
                self.send_header("Cache-Control", "max-age=3600")
            self.send_header("Content-Type", media or TYPES.get(suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
        client.close()
