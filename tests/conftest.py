"""Fixtures for every room: real parts on loopback and temporary folders, and the rule that a missing peer is no silent skip."""

import io
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from kernel.config import LogConfig
from kernel.telemetry import configure
from tests.support.absent import absent

pytest_plugins = ["tests.support.postgresql", "tests.support.orthanc", "tests.support.nodes", "tests.support.dead"]

# pynetdicom puts an echoscu, a storescu and more beside Python; the peers are DCMTK's.
_beside = Path(sys.executable).parent
os.environ["PATH"] = os.pathsep.join(
    folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder).resolve() != _beside.resolve()
)

# How fast a machine is, and what else it does, decides no test.
settings.register_profile("check", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("check")

os.environ["COLUMNS"] = "250"  # of what is said of wrong options; a worker of xdist has a terminal's

SAMPLES = Path(os.environ.get("VIENANH_SAMPLES", Path(__file__).parents[2] / "shared" / "samples"))
PIXELS = ("onnxruntime", "rapidocr_onnxruntime", "zxingcpp", "pypdfium2")  # modules of vienanh[pixels]
PEERS = {
    "dcmtk": ("storescu", "dcmdump"),
    "orthanc": ("Orthanc",),
    "dicom3tools": ("dciodvfy",),
    "chromium": ("chromium", "chromium-headless-shell"),
    "ffmpeg": ("ffmpeg", "ffprobe"),
    "libturbojpeg": ("turbojpeg",),
    "pixels": ("tesseract", *PIXELS),
    "postgresql": (),  # tests/support/postgresql.py looks for the server itself
}
LOOKS = {"turbojpeg": find_library, **dict.fromkeys(PIXELS, find_spec)}  # what is no program


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail in CI, and skip with a reason elsewhere, when a foreign program that a test needs is absent."""
    for marker in item.iter_markers("peer"):
        (name,) = marker.args
        missing = [one for one in PEERS[name] if LOOKS.get(one, shutil.which)(one) is None]
        if missing:
            absent(f"peer {name} is missing: {', '.join(missing)}; ./dev check says how to install it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that none of them is worked on alone at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB."""
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(mount)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        absent(f"cannot mount a small file system, which needs root: {mounted.stderr.strip()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real DICOM that is not part of the repository; tests that use it are extra to those on fixtures/dicom."""
    if not SAMPLES.is_dir():
        pytest.skip("no folder of real samples (set VIENANH_SAMPLES)")
    return SAMPLES


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What is logged during a test, as JSON lines; afterwards logging and warnings are as before."""
    root, handlers, level = logging.getLogger(), list(logging.getLogger().handlers), logging.getLogger().level
    with warnings.catch_warnings():
        stream = io.StringIO()
        configure(LogConfig(format="json", level="info"), stream)
        yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("pydicom", "pynetdicom", "uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)
