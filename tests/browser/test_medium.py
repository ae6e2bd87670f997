"""The page of a medium in a real browser, opened from a folder as from a CD: no server, no network."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from exchange.commands.exporting import write_folder
from gateway.dicomweb.media.medium import Source, files_of
from kernel.access import Action, system
from kernel.archive.derived.metadata import Metadata
from tests.browser.axe import serious_findings_on
from tests.browser.room import LAPTOP, PHONE
from tests.dicomweb.conftest import running_node
from tests.support.builders import a_ct_series

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]
SLICES = 4


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A medium with two CT series of one patient, as a folder."""
    folder = tmp_path_factory.mktemp("medium")
    with running_node(folder / "node") as node:
        first, second = list(a_ct_series(SLICES)), list(a_ct_series(2, seed="second"))
        for ds in second:
            ds.StudyInstanceUID, ds.PatientID, ds.PatientName = (
                first[0].StudyInstanceUID,
                first[0].PatientID,
                first[0].PatientName,
            )
            ds.SeriesNumber = 7
        assert node.store(*first, *second).status_code == 200
        grant = node.access.open_study(system("test"), first[0].StudyInstanceUID, Action.EXPORT, "")
        _, files = files_of(Source(node.db, node.blobs, Metadata(node.db), lambda size: "ab" * size), grant)
        write_folder(folder / "cd", files)
    return folder / "cd"


@pytest.mark.parametrize(("size", "locale"), [(LAPTOP, "vi-VN"), (PHONE, "en-US")], ids=["laptop", "phone"])
def test_a_folder_shows_its_pictures_without_a_server(
    browser_without_webgl: Browser, medium: Path, artifacts: Path, size: tuple[int, int], locale: str
):
    context = browser_without_webgl.new_context(viewport={"width": size[0], "height": size[1]}, locale=locale)
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((medium / "INDEX.HTM").as_uri())

    expect(page.get_by_role("heading")).to_contain_text("Nguyễn")
    mark = "Không dùng để chẩn đoán" if locale == "vi-VN" else "Not for diagnosis"
    expect(page.get_by_text(mark, exact=True)).to_be_visible()
    _shown(page, "SE000001/00000001.JPG")
    page.keyboard.press("ArrowDown")
    _shown(page, "SE000001/00000002.JPG")
    expect(page.locator("output")).to_have_text(f"2 / {SLICES}")
    page.locator("nav button").nth(1).click()
    _shown(page, "SE000002/00000001.JPG")
    page.get_by_role("button", name=re.compile("^(English|Tiếng Việt)$")).click()
    other = "Not for diagnosis" if locale == "vi-VN" else "Không dùng để chẩn đoán"
    expect(page.get_by_text(other, exact=True)).to_be_visible()

    assert serious_findings_on(page) == []
    page.screenshot(path=artifacts / f"medium-{size[0]}-{locale}.png")
    assert faults == []
    assert {url.split(":")[0] for url in asked} == {"file"}
    context.close()


def _shown(page: Page, name: str) -> None:
    """Wait until a picture of the medium is on screen, decoded."""
    expect(page.locator("img")).to_have_attribute("src", f"VIEW/{name}")
    page.wait_for_function(
        "() => { const one = document.querySelector('img'); return one.complete && one.naturalWidth; }"
    )
