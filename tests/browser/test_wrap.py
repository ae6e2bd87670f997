"""A requester puts in a photograph of a film and a PDF, with the patient typed beside them; both carry a mark."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import found_in_the_way
from tests.browser.conftest import a_site_that_holds
from tests.browser.room import LAPTOP, PASSWORD, PHONE, Language, Room, Scheme
from tests.dicom.test_wrapping import PDF, a_photograph
from tests.support.nodes import NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A site with a requester."""
    with a_site_that_holds(tmp_path_factory.mktemp("wrap"), {"chi.yen": "requester"}) as node:
        yield node


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "en", "light"), (PHONE, "vi", "dark")], ids=["laptop", "phone"]
)
def test_a_photograph_and_a_document_are_put_in_with_their_patient(
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
    section = room.page.get_by_role("region", name=re.compile("(Photos of films|Ảnh chụp phim)"))
    put_in = section.get_by_role("button", name=re.compile("^(Put in|Đưa vào)$"))

    put_in.click()
    expect(section.get_by_text(re.compile("^(Needed|Cần điền)$"))).to_have_count(2)
    section.get_by_label(re.compile("^(Patient's name|Họ tên người bệnh)")).fill("Nguyễn Thị Hương")
    section.get_by_label(re.compile("^(Patient ID|Mã người bệnh)")).fill(f"BN-{size[0]}")
    born = section.get_by_label(re.compile("^(Date of birth|Ngày sinh)"))
    expect(born).to_have_attribute("placeholder", {"en": "day/month/year", "vi": "ngày/tháng/năm"}[language])
    born.fill("31/2/1970")
    put_in.click()
    expect(section.get_by_text(re.compile("^(This is no day|Không phải một ngày)"))).to_be_visible()
    born.fill("2-1-1970")
    born.blur()
    expect(born).to_have_value("02/01/1970")
    expect(section.get_by_role("button", name=re.compile("^(Choose files|Chọn tệp)"))).to_be_visible()
    section.locator("input[type=file]").set_input_files(
        [
            {"name": "film.jpg", "mimeType": "image/jpeg", "buffer": a_photograph((600, 400))},
            {"name": "giay.pdf", "mimeType": "application/pdf", "buffer": PDF},
            {"name": "khac.jpg", "mimeType": "image/jpeg", "buffer": b"MZ"},
        ]
    )
    put_in.click()

    expect(section.get_by_text(re.compile("3 (files: 2 stored, 1 not taken|tệp: 2 đã lưu, 1 không)"))).to_be_visible()
    assert found_in_the_way(room, artifacts / f"wrap-{size[0]}-{language}-{scheme}.png") == []
    section.get_by_role("button", name=re.compile("^(Open|Mở)$")).click()
    expect(room.page.get_by_text(re.compile("^(Photo: not for diagnosis|Ảnh chụp: không dùng)"))).to_be_visible()
    room.page.screenshot(path=artifacts / f"wrap-open-{size[0]}-{language}-{scheme}.png")
    room.close()
