"""A file of each kind among the samples, in the room by either renderer, looks as the node draws it."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from tests.browser.pixels import flat_places
from tests.browser.room import PASSWORD, Room, pixels_of
from tests.support.builders import a_uid
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]
BYTES_MAX = 300_000  # larger files add time and no other kind
KINDS_MIN = {"cpu": 60, "gpu": 15}
OFF_MAX = 3.0  # grey levels, on average, where it is flat
FLAT_MIN = 200
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
PROGRESSIVE = (
    "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.55",
)  # of twelve bits: browsers decode it, the node does not
DAMAGED = {"broken_truncated_pixels.dcm"}
STUDY = a_uid("sweep", "study")
SIZE = (900, 600)  # of the window: most of the time goes to drawing and reading canvases
# Choose a series, wait on the page itself until it stands there (asking from outside takes many times as long), and tell
# the grey levels of the picture; null where the room says why there is none.
SHOWN = """async name => {
  const frame = () => new Promise(requestAnimationFrame);
  const until = async condition => {
    for (const end = performance.now() + 30000; !condition(); await frame())
      if (performance.now() > end) throw new Error(`${name} did not come`);
  };
  const all = what => [...document.querySelectorAll(what)];
  const isRefused = () => all("[role=alert]").length > 0;
  const isWhole = () => all("[data-tier='2']").length > 0 && all("[class*=_loading]").length === 0;
  all("nav button").find(button => button.textContent.includes(name)).click();
  await until(() => all("[class*=overlays] > [class*=topLeft]").some(({ textContent }) => textContent.includes(name)));
  await until(() => isRefused() || isWhole());
  for (let drawing = 0; drawing < 3; drawing += 1) await frame();
  if (isRefused()) return null;
  const source = document.querySelector("[data-backend] canvas");
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [source.width, source.height];
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  return copy.toDataURL("image/png");
}"""


@dataclass(frozen=True)
class Sample:
    """A file of a kind, and where it is in the study."""

    name: str
    content: bytes
    series: str
    instance: str
    is_in_order: bool  # its first frame is the first that a reader sees
    is_drawn: bool  # by the node


def encoded(ds: Dataset) -> tuple[object, ...]:
    """Return what makes pixels be decoded another way."""
    return ds.file_meta.TransferSyntaxUID, ds.get("PlanarConfiguration"), ds.get("BitsAllocated"), *drawn(ds)


def drawn(ds: Dataset) -> tuple[object, ...]:
    """Return what makes decoded pixels be drawn another way."""
    return (
        ds.get("PhotometricInterpretation"),
        ds.get("BitsStored", 32) > 8,
        ds.get("BitsStored", 32) > 16,
        ds.get("PixelRepresentation"),
        *(keyword in ds for keyword in ("ModalityLUTSequence", "VOILUTSequence", "DoseGridScaling", "FloatPixelData")),
    )


@pytest.fixture(scope="module")
def kinds(samples: Path) -> dict[str, list[Sample]]:
    """A file of each kind, by renderer: one for each way of decoding, and one for each way of drawing."""
    found: dict[str, dict[tuple[object, ...], Sample]] = {"cpu": {}, "gpu": {}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, ds in _readable(samples):
            if encoded(ds) not in found["cpu"]:
                sample = _in_the_study(ds, f"{len(found['cpu']):03} {path.name}"[:60])
                found["cpu"][encoded(ds)] = sample
                found["gpu"].setdefault(drawn(ds), sample)
    return {backend: list(of.values()) for backend, of in found.items()}


def _readable(samples: Path) -> Iterator[tuple[Path, Dataset]]:
    for path in sorted(file for file in samples.rglob("*") if file.is_file()):
        if path.stat().st_size > BYTES_MAX or path.read_bytes()[128:132] != b"DICM":
            continue
        try:
            ds = pydicom.dcmread(path)
            is_image = bool(ds.get("Rows")) and any(keyword in ds for keyword in PIXELS) and ds.Modality != "SM"
            pydicom.dcmwrite(io.BytesIO(), ds)
        except Exception:  # noqa: BLE001 pydicom's many ways to say that it reads or writes no such file
            continue
        if is_image:
            yield path, ds


def _in_the_study(ds: Dataset, name: str) -> Sample:
    ds.StudyInstanceUID, ds.PatientID = STUDY, "SWEEP"
    ds.SeriesInstanceUID, ds.SOPInstanceUID = a_uid("sweep", name), a_uid("sweep", name, 1)
    ds.SeriesDescription, ds.SeriesNumber = name, int(name[:3]) + 1
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    file = io.BytesIO()
    pydicom.dcmwrite(file, ds)
    is_drawn = ds.file_meta.TransferSyntaxUID not in PROGRESSIVE
    is_in_order = "PerFrameFunctionalGroupsSequence" not in ds
    return Sample(name, file.getvalue(), ds.SeriesInstanceUID, ds.SOPInstanceUID, is_in_order, is_drawn)


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory, kinds: dict[str, list[Sample]]) -> Iterator[NodeProcess]:
    """A hub with one study that has a series for each of them."""
    node = NodeProcess(tmp_path_factory.mktemp("sweep"), HUB)
    node.start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store([sample.content for sample in kinds["cpu"]])
    yield node
    node.stop()


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_every_kind_of_sample_is_shown_as_the_node_draws_it(
    request: pytest.FixtureRequest, hub: NodeProcess, kinds: dict[str, list[Sample]], backend: str
):
    browser = "browser_without_webgl" if backend == "cpu" else "browser_with_software_webgl"
    room = Room.open(request.getfixturevalue(browser), hub.url, backend=backend, size=SIZE)
    room.sign_in("bs.lan", PASSWORD)
    room.page.goto(f"{hub.url}/study/{STUDY}?site=HUB")
    room.wait_for_picture()

    off = {sample.name: _off(room, sample) for sample in kinds[backend]}

    assert len(off) >= KINDS_MIN[backend]
    assert {name[4:] for name, by in off.items() if by is None} <= DAMAGED
    assert {name: by for name, by in off.items() if by is not None and by > OFF_MAX} == {}
    room.close()


def _off(room: Room, sample: Sample) -> float | None:
    """Show a sample, and return how many grey levels it is off the node's picture; None where the room says why not."""
    told = room.page.evaluate(SHOWN, sample.name)
    if told is None:
        return None
    shown = pixels_of(told).astype(float)
    place = f"{room.dicomweb()}/series/{sample.series}/instances/{sample.instance}/frames/1/rendered"
    if not (sample.is_drawn and sample.is_in_order):
        return 0.0 if shown.max() > 0 else float("inf")
    picture = Image.open(io.BytesIO(room.get(place, "image/png").body())).convert("L")
    height, width = shown.shape
    scale = min(width / picture.width, height / picture.height)
    across, down = round(picture.width * scale), round(picture.height * scale)
    wanted = np.asarray(picture.resize((across, down), Image.Resampling.BILINEAR)).astype(float)
    top, left = (height - down) // 2, (width - across) // 2
    flat = flat_places(wanted)
    differences = np.abs(shown[top : top + down, left : left + across] - wanted)
    assert flat.sum() > FLAT_MIN, f"{sample.name} has nothing to compare"
    return float(differences[flat].mean())
