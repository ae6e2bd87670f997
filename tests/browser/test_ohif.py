"""OHIF reads from a node: its study list, its metadata and its pixels, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import ohif
from tests.support.builders import a_ct_series, as_file
from tests.support.nodes import HUB, TOKEN, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

SLICES = 12
PATIENCE_MS = 60_000
# The brightest and darkest of what is drawn; a viewport without a picture is of one colour.
SHADES = """() => {
  const shades = [...document.querySelectorAll(".cornerstone-canvas, canvas")].map((source) => {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [source.width, source.height];
    if (!copy.width || !copy.height) return 0;
    const context = copy.getContext("2d");
    context.drawImage(source, 0, 0);
    return new Set(context.getImageData(0, 0, copy.width, copy.height).data).size;
  });
  return Math.max(0, ...shades);
}"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A hub with one CT of a dozen slices."""
    node = NodeProcess(tmp_path_factory.mktemp("ohif"), HUB).start()
    node.store(as_file(ds) for ds in a_ct_series(SLICES, rows=128, columns=128))
    yield node
    node.stop()


@pytest.fixture
def page(browser_with_software_webgl: Browser) -> Iterator[Page]:
    context = browser_with_software_webgl.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    yield context.new_page()
    context.close()


def test_the_study_list_shows_what_the_node_has(hub: NodeProcess, page: Page):
    with ohif.served(hub.url, TOKEN) as (url, asked):
        page.goto(url + "/")

        expect(page.get_by_text("CT so nao").first).to_be_visible(timeout=PATIENCE_MS)
    assert asked
    assert {status for _, status in asked} <= {200, 204}, asked


def test_the_slices_of_a_study_are_drawn(hub: NodeProcess, page: Page, artifacts: Path):
    study = hub.studies()[0]["studyInstanceUID"]
    with ohif.served(hub.url, TOKEN) as (url, asked):
        page.goto(f"{url}/viewer?StudyInstanceUIDs={study}")

        page.wait_for_function(f"({SHADES})() > 16", timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=artifacts / "ohif.png")
    assert {status for _, status in asked} <= {200, 204}, asked
    assert any(path.endswith("/metadata") for path, _ in asked)
    assert sum("/frames/1" in path for path, _ in asked) >= SLICES
