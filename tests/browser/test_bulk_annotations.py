"""A hundred thousand outlines on a real slide in Chromium: shown, switched off and on, and each says what it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LOOKS, PASSWORD, PATIENCE_MS, Language, Room, Scheme
from tests.browser.test_slides import HEIGHT, WIDTH, SlideRoom
from tests.support.nodes import HUB, NodeProcess
from tests.wsi.bulk_builders import a_group, a_measurement, an_annotation

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

ACROSS, DOWN = 250, 400  # outlines in a row, rows of them
CORNERS = 8
CPU_S_MAX = 1.0  # of the page's own thread, for opening them and for ten steps over them
COLORED = """() => {
  const canvas = document.querySelector(".va-bulk");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let colored = 0;
  for (let at = 3; at < data.length; at += 4) colored += data[at] > 0;
  return colored;
}"""


def nuclei() -> np.ndarray:
    """Return outlines on a grid over the whole slide, shape (ACROSS * DOWN, CORNERS, 2)."""
    centers = np.stack(
        np.meshgrid((np.arange(ACROSS) + 0.5) * WIDTH / ACROSS, (np.arange(DOWN) + 0.5) * HEIGHT / DOWN), -1
    )
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    return centers.reshape(-1, 1, 2) + 2.5 * np.stack([np.cos(turn), np.sin(turn)], -1)


@pytest.fixture(scope="module")
def node(built: Path, tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[NodeProcess]:
    """A hub that has the sample with two groups of bulk annotations: one of 100,000, one of the tumour."""
    files = sorted((samples / "wsi-cmu1-dicom").glob("*.dcm"))
    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    finest = max(headers, key=lambda one: one.TotalPixelMatrixColumns)
    tumour = [[[600.0, 900.0], [1700.0, 900.0], [1700.0, 2100.0], [600.0, 2100.0]]]
    second = a_group(
        tumour, AnnotationGroupNumber=2, AnnotationGroupLabel="Khối u", MeasurementsSequence=[a_measurement([820.5])]
    )
    annotations = an_annotation(
        a_group(nuclei()),
        second,
        image=str(finest.SOPInstanceUID),
        StudyInstanceUID=finest.StudyInstanceUID,
        PatientID=finest.PatientID,
        PatientName=finest.PatientName,
    )
    node = NodeProcess(tmp_path_factory.mktemp("bulk"), HUB).start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.store([*(file.read_bytes() for file in files), annotations])
    yield node
    node.stop()


def bulk(slide: SlideRoom) -> Locator:
    """Return what bulk annotations are drawn on, when all that one looks at is there."""
    canvas = slide.page.locator(".va-bulk[data-drawn=there]")
    expect(canvas).to_be_attached(timeout=PATIENCE_MS)
    return canvas


def test_a_hundred_thousand_outlines_are_shown_and_the_page_is_handed_pictures(
    browser_without_webgl: Browser, node: NodeProcess, artifacts: Path
):
    room = Room.open(browser_without_webgl, node.url)
    slide = SlideRoom(room)
    slide.press("b")
    panel = room.page.get_by_role("complementary", name="Chú giải hàng loạt")
    expect(panel).to_contain_text("Có 100.001 hình")
    nuclei_on = panel.get_by_role("checkbox").first
    expect(nuclei_on).not_to_be_checked()
    nuclei_on.check()
    slide.press("b")
    expect(bulk(slide)).not_to_have_attribute("data-pictures", "0")
    meter = room.context.new_cdp_session(room.page)
    meter.send("Performance.enable", {"timeDomain": "threadTicks"})

    before = cpu_s(meter)
    slide.press("b", "4")
    bulk(slide)
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "5", "ArrowLeft", "4", "ArrowDown", "f"):
        room.page.keyboard.press(key)
        bulk(slide)

    # All tasks together took less than one may, so none of them took more.
    assert cpu_s(meter) - before < CPU_S_MAX
    slide.press("5")
    bulk(slide)
    room.page.screenshot(path=artifacts / "slide-bulk.png")
    room.close()


def cpu_s(meter) -> float:
    """Return how long scripts of the page's own thread have had a processor."""
    metrics = {one["name"]: one["value"] for one in meter.send("Performance.getMetrics")["metrics"]}
    return metrics["ScriptDuration"]


def test_an_outline_says_what_it_is_and_groups_are_switched_off_and_on(
    browser_without_webgl: Browser, node: NodeProcess
):
    room = Room.open(browser_without_webgl, node.url, language="en")
    slide = SlideRoom(room)
    slide.press("5", "b")
    bulk(slide)
    panel = room.page.get_by_role("complementary", name="Bulk annotations")
    names = panel.get_by_role("checkbox")
    expect(names).to_have_count(2)
    expect(panel).to_contain_text("100,001 shapes")
    expect(names.nth(1)).to_be_checked()
    names.nth(0).check()
    bulk(slide)

    slide.click(0, 0)
    expect(panel.get_by_role("status")).to_contain_text(re.compile("Nhân tế bào number|Khối u number 1"))
    both = room.page.evaluate(COLORED)
    names.nth(0).uncheck()
    slide.click(40, 60)
    expect(panel.get_by_role("status")).to_contain_text("Khối u number 1")
    expect(panel.get_by_role("status")).to_contain_text("Anatomical Structure: Nucleus")
    expect(panel.get_by_label("Measurements")).to_have_text("Area821 µm²")
    expect(room.page.get_by_role("navigation").get_by_role("button").filter(has_text="ANN")).to_have_count(0)
    slide.press("f")
    bulk(slide)
    assert 0 < room.page.evaluate(COLORED) < both

    names.nth(1).uncheck()
    expect(room.page.locator(".va-bulk")).to_have_attribute("data-pictures", "0")
    room.close()


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS, ids=str)
def test_the_groups_stand_in_nobodys_way(
    browser_without_webgl: Browser,
    node: NodeProcess,
    artifacts: Path,
    width: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, node.url, size=size, language=language, scheme=scheme)
    slide = SlideRoom(room)
    bulk(slide)  # before it is known that there are groups, the key is nobody's
    slide.press("b")
    expect(room.page.get_by_role("checkbox").first).to_be_visible()

    findings = found_in_the_way(room, artifacts / f"slide-bulk-{width}-{language}-{scheme}.png")
    room.close()
    assert not findings, "\n".join(findings)
