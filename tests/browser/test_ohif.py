"""OHIF under /ohif/: another viewer's own build reads from a node, in a real browser, with the reading room's session."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from exchange.commands.table import app
from tests.browser.room import PASSWORD, Room
from tests.server.test_marks import a_mark
from tests.support import ohif
from tests.support.builders import a_ct_series, a_uid, as_file
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

SLICES = 12
FIXTURES = Path(__file__).parents[2] / "fixtures" / "dicom"
COMPRESSED = FIXTURES / "ct_jpeg_2000.dcm"
PATIENCE_MS = 60_000
# Whether a picture is drawn: a viewport without one is of one colour.
DRAWN = """() => {
  const shades = [...document.querySelectorAll(".cornerstone-canvas, canvas")].map((source) => {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [source.width, source.height];
    if (!copy.width || !copy.height) return 0;
    const context = copy.getContext("2d");
    context.drawImage(source, 0, 0);
    return new Set(context.getImageData(0, 0, copy.width, copy.height).data).size;
  });
  return Math.max(0, ...shades) > 16;
}"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with OHIF, and one CT of a dozen slices."""
    node = NodeProcess(tmp_path_factory.mktemp("ohif"), HUB).start()
    node.store(as_file(ds) for ds in a_ct_series(SLICES, rows=128, columns=128))
    node.store([COMPRESSED.read_bytes()])
    node.add_user("bs.lan", "reader", PASSWORD)
    told = CliRunner().invoke(app, ["ohif", "install", "--data", str(node.data), "--package", str(ohif.package())])
    assert told.exit_code == 0, told.output
    yield node
    node.stop()


@pytest.fixture
def page(browser_with_software_webgl: Browser, hub: NodeProcess) -> Iterator[Page]:
    """A window of somebody who signed in at the reading room."""
    room = Room.open(browser_with_software_webgl, hub.url, language="en")
    room.sign_in("bs.lan", PASSWORD)
    yield room.page
    room.close()  # fails when anything was asked for from elsewhere, or the page threw


def statuses(page: Page) -> list[tuple[str, int]]:
    """Note what the node answers from now on."""
    answered: list[tuple[str, int]] = []
    page.on("response", lambda answer: answered.append((answer.url, answer.status)))
    return answered


def test_who_has_no_session_is_led_to_the_door(hub: NodeProcess, browser_with_software_webgl: Browser):
    page = browser_with_software_webgl.new_page()
    page.goto(f"{hub.url}/ohif/")

    expect(page.locator("input[name=password]")).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def test_the_study_list_shows_what_the_node_has(hub: NodeProcess, page: Page):
    answered = statuses(page)
    page.goto(f"{hub.url}/ohif/")

    expect(page.get_by_text("CT so nao").first).to_be_visible(timeout=PATIENCE_MS)
    assert [one for one in answered if one[1] >= 400] == []


def test_the_reading_room_opens_a_study_in_it_and_its_slices_are_drawn(hub: NodeProcess, page: Page, artifacts: Path):
    page.goto(f"{hub.url}/study/{a_uid('ct', 'study')}")
    page.get_by_role("button", name="Send out").click()
    with page.expect_popup() as opened:
        page.get_by_role("menuitem", name="Open in OHIF").click()
    viewer = opened.value
    answered = statuses(viewer)

    viewer.wait_for_function(DRAWN, timeout=PATIENCE_MS)
    viewer.wait_for_load_state("networkidle")
    viewer.screenshot(path=artifacts / "ohif.png")
    assert [one for one in answered if one[1] >= 400] == []
    assert sum("/frames/1" in url for url, _ in answered) >= SLICES


def test_what_is_stored_compressed_is_decoded_in_its_workers(hub: NodeProcess, page: Page):
    study = pydicom.dcmread(COMPRESSED, specific_tags=["StudyInstanceUID"]).StudyInstanceUID
    page.goto(f"{hub.url}/ohif/viewer?StudyInstanceUIDs={study}")

    page.wait_for_function(DRAWN, timeout=PATIENCE_MS)


def test_what_was_measured_and_chosen_in_the_reading_room_is_in_the_study_there(
    hub: NodeProcess, page: Page, artifacts: Path
):
    image, *_ = a_ct_series(SLICES, rows=128, columns=128)
    where = {"seriesInstanceUID": image.SeriesInstanceUID, "sopInstanceUID": image.SOPInstanceUID, "frameNumber": None}
    study = f"{hub.url}/api/studies/{image.StudyInstanceUID}"
    csrf = {"X-Vienanh-CSRF": page.request.get(f"{hub.url}/api/session").json()["csrf"]}
    length = a_mark("length", ((20, 20), (60, 20)), ("length", 20.0, "mm"), image=image)
    chosen = {"base": None, "title": "ofInterest", "description": "", "images": [where]}
    for part, content in (("marks", {"base": None, "marks": [length]}), ("key-images", chosen)):
        assert page.request.post(f"{study}/{part}", data=content, headers=csrf).ok

    page.goto(f"{hub.url}/ohif/viewer?StudyInstanceUIDs={image.StudyInstanceUID}")
    page.wait_for_function(DRAWN, timeout=PATIENCE_MS)
    page.get_by_text("Skip all").click()
    page.get_by_role("button", name="Confirm and hide").click()
    page.get_by_text("Measurements", exact=True).first.dblclick()

    expect(page.get_by_text("20.00 mm")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(f"({SLICES}/{SLICES})")).to_be_visible()  # on the slice that was measured
    expect(page.get_by_text("Key images", exact=True)).to_be_visible()
    page.screenshot(path=artifacts / "ohif-measured.png")
