"""A requester puts files in at a site: a folder's instances and a zip, and sees what became of each, in a real browser."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser.axe import found_in_the_way
from tests.browser.conftest import a_site_that_holds
from tests.browser.room import LAPTOP, PASSWORD, PATIENCE_MS, PHONE, Language, Room, Scheme
from tests.support.builders import a_ct_series, an_us_cine, as_file
from tests.support.nodes import NodeProcess
from tests.wsi.builders import an_svs, texture
from tests.wsi.vendor_slides import an_mrxs

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


def test_the_same_folder_after_a_reload_sends_only_what_is_not_there(
    browser_without_webgl: Browser, site: NodeProcess, artifacts: Path
):
    room = Room.open(browser_without_webgl, site.url, size=PHONE, language="vi", scheme="light")
    at_upload(room)
    first, second = files_of("resumed")[:2]
    status = room.page.get_by_role("status")
    room.page.locator("input[type=file]").first.set_input_files([first])
    expect(status).to_have_text("1 tệp: 1 đã lưu, 0 bỏ qua, 0 lỗi")

    room.page.reload()
    with room.page.expect_response(lambda one: one.url.endswith("/dicom-web/uploads")) as sent:
        room.page.locator("input[type=file]").first.set_input_files([first, second])

    expect(status).to_have_text("2 tệp: 2 đã lưu, 0 bỏ qua, 0 lỗi")
    expect(room.page.get_by_text("đã có ở đây, không gửi lại")).to_have_count(1)
    assert len(sent.value.json()["results"]) == 1
    assert found_in_the_way(room, artifacts / "upload-resumed-390-vi-light.png") == []
    room.close()


def a_slide(seed: int) -> dict[str, object]:
    """Return a slide as a file chooser gives it, another one for each seed."""
    return {"name": f"K26-{seed}.svs", "mimeType": "application/octet-stream", "buffer": an_svs() + bytes(seed)}


def at_upload(room: Room) -> None:
    """Go from the door to the page that takes files."""
    room.sign_in("chi.yen", PASSWORD)
    room.page.get_by_role("button", name=re.compile("^(Upload|Tải lên)$")).click()


def patient_id_of_the_slide(room: Room) -> Locator:
    """Return where the patient of the slide in the list is named; the form of photographs has such a place, too."""
    slide = room.page.get_by_role("listitem").filter(has_text=".svs")
    return slide.get_by_role("textbox", name=re.compile("^(Mã người bệnh|Patient ID)"))


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "vi", "dark"), (PHONE, "en", "light")], ids=["laptop", "phone"]
)
def test_a_slide_is_sent_as_the_patient_s_that_is_named_though_the_line_breaks(
    browser_without_webgl: Browser,
    site: NodeProcess,
    artifacts: Path,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, site.url, size=size, language=language, scheme=scheme)
    at_upload(room)
    broken: list[str] = []

    def breaks_once(route: Route) -> None:
        if route.request.method != "PATCH" or broken:
            route.fallback()
        else:
            broken.append(route.request.url)
            route.abort()

    room.page.route("**/uploads/slides/*", breaks_once)
    room.page.locator("input[type=file]").first.set_input_files([a_slide(size[0])])
    assert not found_in_the_way(room, artifacts / f"upload-slide-{size[0]}-{language}-{scheme}.png")
    send = room.page.get_by_role("button", name=re.compile("^(Gửi tiêu bản|Send the slide)$"))
    expect(send).to_be_disabled()

    patient_id_of_the_slide(room).fill("BN-2026-7")
    send.click()

    stored = room.page.get_by_text(re.compile("từng ô ảnh nguyên vẹn|every tile as it was"))
    expect(stored).to_be_visible(timeout=PATIENCE_MS)
    assert len(broken) == 1
    assert any(study["patientID"] == "BN-2026-7" for study in site.studies())
    room.close()


def test_a_slide_goes_on_where_it_was_when_its_page_was_closed(browser_without_webgl: Browser, site: NodeProcess):
    room = Room.open(browser_without_webgl, site.url, size=LAPTOP, language="en")
    at_upload(room)
    room.page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves
    slide = a_slide(3)
    held: list[Route] = []
    closed = False

    def holds(route: Route) -> None:
        if route.request.method == "PATCH" and not closed:
            held.append(route)
        else:
            route.fallback()

    room.page.route("**/uploads/slides/*", holds)
    with room.page.expect_request(lambda request: request.method == "PATCH"):
        room.page.locator("input[type=file]").first.set_input_files([slide])
        patient_id_of_the_slide(room).fill("BN-2026-8")
        room.page.get_by_role("button", name="Send the slide").click()

    room.page.reload()
    closed = True
    room.page.locator("input[type=file]").first.set_input_files([slide])

    expect(room.page.get_by_text("every tile as it was")).to_be_visible(timeout=PATIENCE_MS)
    assert [study["patientID"] for study in site.studies()].count("BN-2026-8") == 1
    room.close()


def test_a_slide_whose_sending_is_cancelled_is_dropped_by_the_node_and_may_be_sent_again(
    browser_without_webgl: Browser, site: NodeProcess, artifacts: Path
):
    room = Room.open(browser_without_webgl, site.url, size=PHONE, language="vi", scheme="dark")
    at_upload(room)
    slide = a_slide(4)
    pieces: list[Route] = []
    room.page.route(
        "**/uploads/slides/*", lambda one: pieces.append(one) if one.request.method == "PATCH" else one.fallback()
    )
    row = room.page.get_by_role("listitem").filter(has_text=".svs")

    def begin() -> None:
        with room.page.expect_request(lambda request: request.method == "PATCH"):
            room.page.locator("input[type=file]").first.set_input_files([slide])
            patient_id_of_the_slide(room).fill("BN-2026-9")
            room.page.get_by_role("button", name="Gửi tiêu bản").click()

    begin()
    assert found_in_the_way(room, artifacts / "upload-slide-sending-390-vi-dark.png") == []
    row.get_by_role("button", name="Huỷ gửi").click()

    expect(row.get_by_role("status")).to_have_text("đã huỷ; máy chủ đã xoá phần đã gửi")
    assert found_in_the_way(room, artifacts / "upload-slide-cancelled-390-vi-dark.png") == []
    known = room.get("/dicom-web/uploads/slides", "application/json").json()
    assert slide["name"] not in [one["name"] for one in known]
    begin()
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Huỷ gửi").click()
    expect(row.get_by_role("status")).to_contain_text("đã huỷ")
    room.close()


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "en", "light"), (PHONE, "vi", "dark")], ids=["laptop", "phone"]
)
def test_a_slide_of_several_files_comes_with_its_folder_and_says_so_when_that_is_missing(
    browser_without_webgl: Browser,
    site: NodeProcess,
    artifacts: Path,
    tmp_path: Path,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    whole = tmp_path / "K26"
    whole.mkdir()
    an_mrxs(texture(384, 256, seed=size[0]), whole / "M26.mrxs")
    described = whole / "M26" / "Slidedat.ini"
    described.write_text(f"{described.read_text()}\n# {size[0]}\n")  # another slide for each size
    room = Room.open(browser_without_webgl, site.url, size=size, language=language, scheme=scheme)
    at_upload(room)
    row = room.page.get_by_role("listitem").filter(has_text=".mrxs")

    room.page.locator("input[type=file]").first.set_input_files([whole / "M26.mrxs"])
    expect(row.get_by_role("alert")).to_have_text(re.compile("folder is missing|thiếu thư mục"))
    assert found_in_the_way(room, artifacts / f"upload-mrxs-alone-{size[0]}-{language}-{scheme}.png") == []
    room.page.locator("input[type=file]").nth(1).set_input_files(whole)
    expect(row).to_have_count(1)
    row.get_by_role("textbox", name=re.compile("^(Mã người bệnh|Patient ID)")).fill(f"BN-M-{size[0]}")
    row.get_by_role("button", name=re.compile("^(Gửi tiêu bản|Send the slide)$")).click()

    expect(row.get_by_text(re.compile("with loss|có mất mát"))).to_be_visible(timeout=PATIENCE_MS)
    assert found_in_the_way(room, artifacts / f"upload-mrxs-{size[0]}-{language}-{scheme}.png") == []
    assert [study["patientID"] for study in site.studies()].count(f"BN-M-{size[0]}") == 1
    room.close()


def test_a_slide_that_nobody_named_is_left_out(browser_without_webgl: Browser, site: NodeProcess):
    room = Room.open(browser_without_webgl, site.url, size=LAPTOP, language="en")
    at_upload(room)
    room.page.locator("input[type=file]").first.set_input_files([a_slide(5)])

    room.page.get_by_role("button", name="Leave it out").click()

    expect(room.page.get_by_text("left out; nothing of it was sent")).to_be_visible()
    room.close()


def test_a_reader_is_offered_no_upload(browser_without_webgl: Browser, site: NodeProcess):
    room = Room.open(browser_without_webgl, site.url, size=LAPTOP, language="en", scheme="light")
    room.sign_in("bs.lan", PASSWORD)

    expect(room.page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    expect(room.page.get_by_role("button", name="Upload")).to_have_count(0)
    room.close()
