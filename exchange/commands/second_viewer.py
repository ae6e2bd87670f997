"""`vienanh ohif`: OHIF's own build out of its npm package, made ready to be served under /ohif/ (viewer/server/ohif.py)."""

import gzip
import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Annotated, Final

import typer

from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import out, plain_errors
from kernel.errors import PeerUnreachable, Refused
from viewer.server import ohif

VERSION: Final = "3.13.2"
INTEGRITY: Final = (
    "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="  # npm's SHA-512
)
FETCH_S: Final = 600  # 50 MB over a thin line
BUILD: Final = "package/dist/"
UNUSED: Final = (  # a neural network's runtime, slides (the reading room's own are better), a worker that keeps old builds
    "ort/",
    "dicom-microscopy-viewer/",
    "sw.js",
)
COMPRESSED: Final = (".js", ".css", ".html", ".wasm", ".json", ".svg")
_ADDRESSES: Final = {  # what stands at / stands under /ohif/: webpack's public path, and fonts
    ".js": (re.compile(rb'\.p ?= ?"/"'), b'.p="/ohif/"'),
    ".css": (re.compile(rb"url\(/(?!/)"), b"url(/ohif/"),
}
_BEGIN: Final = 'window.PUBLIC_URL="/ohif/";\nfunction browserImportFunction(name){return import(name)}\n'
_NO_WORKER: Final = (
    "navigator.serviceWorker?.getRegistrations().then((all) => all.forEach((one) => one.unregister()));\n"
)

app = typer.Typer(no_args_is_help=True, help="OHIF as a second viewer, under /ohif/.")


@app.command("install")
def install(
    package: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help=f"The npm package's file (ohif-app-{VERSION}.tgz) instead of npm."
        ),
    ] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Put OHIF beside this node: fetched by npm, or from a file on a computer without a line."""
    with plain_errors():
        folder = read_config(config, data).node.data
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".ohif-") as work:
            packed = package or fetched(Path(work))
            if not _is_whole(packed):
                raise Refused(reason=f"this is not version {VERSION} of npm's package @ohif/app; nothing was installed")
            built = made_ready(packed, Path(work))
            _remove(folder)
            built.rename(ohif.folder_in(folder))
        out.print(f"OHIF {VERSION} is installed, at /ohif/ of the node.")


@app.command("remove")
def remove(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Take OHIF away again."""
    with plain_errors():
        there = _remove(read_config(config, data).node.data)
        out.print("OHIF is gone." if there else "OHIF was not installed.")


def fetched(folder: Path) -> Path:
    """Fetch the package by npm into a folder and return its file.

    Raises
    ------
    Refused
        There is no npm here.
    PeerUnreachable
        npm could not fetch it, or not within FETCH_S.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Refused(reason=f"npm is missing; fetch ohif-app-{VERSION}.tgz elsewhere and name it with --package")
    command = [npm, "pack", f"@ohif/app@{VERSION}", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=FETCH_S)  # noqa: S603 (npm, arguments of ours)
    except subprocess.TimeoutExpired:
        raise PeerUnreachable(peer="npm's registry", reason=f"the package was not here after {FETCH_S} s") from None
    packed = next(folder.glob("*.tgz"), None)
    if done.returncode or packed is None:
        raise PeerUnreachable(peer="npm's registry", reason=done.stderr.strip()[-300:] or "npm says nothing")
    return packed


def made_ready(packed: Path, work: Path) -> Path:
    """Unpack the build into a new folder of `work`, at home under /ohif/, compressed, with nothing inline; return it."""
    with tarfile.open(packed) as archive:
        unused = tuple(BUILD + name for name in UNUSED)
        wanted = [one for one in archive if one.name.startswith(BUILD) and not one.name.startswith(unused)]
        archive.extractall(work, [*wanted, archive.getmember("package/LICENSE")], filter="data")
    built = work / BUILD
    (work / "package/LICENSE").rename(built / "LICENSE.txt")
    for suffix, (root, ours) in _ADDRESSES.items():
        for file in built.glob(f"*{suffix}"):
            file.write_bytes(root.sub(ours, file.read_bytes()))
    page = built / ohif.INDEX
    page.write_text(at_home(page.read_text("utf-8")), "utf-8")
    (built / "begin.js").write_text(_BEGIN, "utf-8")
    (built / "app-config.js").write_text(ohif.app_config(), "utf-8")
    (built / "init-service-worker.js").write_text(_NO_WORKER, "utf-8")
    for file in [one for one in built.rglob("*") if one.suffix in COMPRESSED]:
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes(), 6, mtime=0))
    return built


def at_home(page: str) -> str:
    """Return OHIF's page with its addresses under /ohif/ and its two inline scripts in a file of their own."""
    for inline in (
        '<script>console.time("scriptToView"),window.PUBLIC_URL="/"</script>',
        '<script>function browserImportFunction(n){return import(n)}window.PUBLIC_URL="/"</script>',
    ):
        page = page.replace(inline, "")
    page = page.replace('href="/', 'href="/ohif/').replace('src="/', 'src="/ohif/')
    return page.replace(
        '<meta charset="UTF-8">', '<meta charset="UTF-8"><base href="/ohif/"><script src="/ohif/begin.js"></script>', 1
    )


def _is_whole(packed: Path) -> bool:
    with packed.open("rb") as file:
        return b64encode(hashlib.file_digest(file, "sha512").digest()).decode("ascii") == INTEGRITY


def _remove(data: Path) -> bool:
    folder = ohif.folder_in(data)
    if not folder.is_dir():
        return False
    gone = data / ".ohif-gone"
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)  # in one step: a node that starts meanwhile finds all of it or none
    shutil.rmtree(gone)
    return True
