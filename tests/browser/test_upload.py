"""A requester puts files in at a site: a folder's instances and a zip, and sees what became of each, in a real browser."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import found_in_the_way
from tests.browser.conftest import a_site_that_holds
from tests.browser.room import LAPTOP, PASSWORD, PHONE, Language, Room, Scheme
from tests.support.builders import a_ct_series, an_us_cine, as_file
from tests.support.nodes import NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A site with a requester, whose cines wait for a person."""
    with a_site_that_holds(tmp_path_factory.mktemp("upload"), {"chi.yen": "requester", "bs.lan": "reader"}) as node:
        yield node


def files_of(seed: str) -> list[dict[str, object]]:
    """Return two CT slices, a program, and a zip with a cine and a text, as a file chooser gives them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("US/1", as_file(an_us_cine(seed=f"us {seed}")))
        archive.writestr("readme.txt", b"read me")
    slices = [as_file(ds) for ds in a_ct_series(2, seed=seed)]
    named = [("IM1", slices[0]), ("IM2", slices[1]), ("viewer.exe", b"MZ" * 100), ("cd.zip", buffer.getvalue())]
    return [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in named]


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "en", "light"), (PHONE, "vi", "dark")], ids=["laptop", "phone"]
)
def test_a_requester_puts_files_in_and_sees_what_became_of_them(
    browser_without_webgl: Browser,
    site: NodeProcess,
    artifacts: Path,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, site.url, size=size, language=language, scheme=scheme)
    room.sign_in("chi.yen", PASSWORD)
    room.page.get_by_role("button", name=re.compile("^(Upload|Tải lên)$")).click()

    room.page.locator("input[type=file]").first.set_input_files(files_of(f"{size}"))

    counted = re.compile("^4 (files: 3 stored, 1 passed over, 0 failed|tệp: 3 đã lưu, 1 bỏ qua, 0 lỗi)$")
    expect(room.page.get_by_role("status")).to_have_text(counted)
    expect(
        room.page.get_by_text(
            re.compile("(instances in it: 1, files not taken: 1|bên trong: 1 ảnh, không nhận: 1 tệp)")
        )
    ).to_be_visible()
    expect(room.page.get_by_text(re.compile("1 (waits for a person|ảnh chờ người xem)"))).to_be_visible(timeout=30_000)
    assert found_in_the_way(room, artifacts / f"upload-{size[0]}-{language}-{scheme}.png") == []
    assert room.faults == []
    room.close()


def test_a_reader_is_offered_no_upload(browser_without_webgl: Browser, site: NodeProcess):
    room = Room.open(browser_without_webgl, site.url, size=LAPTOP, language="en", scheme="light")
    room.sign_in("bs.lan", PASSWORD)

    expect(room.page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    expect(room.page.get_by_role("button", name="Upload")).to_have_count(0)
    room.close()
