"""A study leaves the room: by a link with a one-time code, as a download, into another program; and one is called from outside."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LAPTOP, PASSWORD, PHONE, Language, Room, Scheme
from tests.support.builders import a_ct_series, as_file
from tests.support.iso9660 import Disc
from tests.support.nodes import HUB, NodeProcess

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

SLICES = 3


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node with three studies of two people, a requester and a reader."""
    node = NodeProcess(tmp_path_factory.mktemp("sharing"), HUB).start()
    studies = [
        *a_ct_series(SLICES, seed="one", AccessionNumber="A-1", PatientID="BN-1"),
        *a_ct_series(SLICES, seed="two", AccessionNumber="A-2", PatientID="BN-2"),
        *a_ct_series(SLICES, seed="three", AccessionNumber="A-3", PatientID="BN-2"),
    ]
    node.store(as_file(ds) for ds in studies)
    for name, role in (("chi.yen", "requester"), ("bs.lan", "reader")):
        node.add_user(name, role, PASSWORD)
    yield node
    node.stop()


def study_of(hub: NodeProcess, accession: str) -> str:
    return next(one["studyInstanceUID"] for one in hub.studies() if one["accessionNumber"] == accession)


def entered(browser: Browser, hub: NodeProcess, name: str, language: Language = "en", **more: object) -> Room:
    room = Room.open(browser, hub.url, language=language, **more)  # type: ignore[arg-type] - sizes and schemes
    room.sign_in(name, PASSWORD)
    return room


@pytest.mark.parametrize(
    ("size", "language", "scheme"), [(LAPTOP, "en", "dark"), (PHONE, "vi", "light")], ids=["laptop", "phone"]
)
def test_a_link_and_its_code_open_one_study_for_somebody_without_an_account(
    browser_without_webgl: Browser,
    hub: NodeProcess,
    artifacts: Path,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    study, name = study_of(hub, "A-1"), f"{size[0]}-{language}-{scheme}"
    room = entered(browser_without_webgl, hub, "chi.yen", language, size=size, scheme=scheme)
    room.page.goto(f"{hub.url}/study/{study}")
    room.wait_for_picture()
    room.page.get_by_role("button", name=re.compile("^(Send out|Gửi ra ngoài)$")).click()
    expect(room.page.get_by_role("menuitem")).to_have_count(5)
    assert found_in_the_way(room, artifacts / f"share-menu-{name}.png") == []
    room.page.get_by_role("menuitem", name=re.compile("^(Link|Liên kết)")).click()
    room.page.get_by_role("button", name=re.compile("^(Make a link|Tạo liên kết)$")).click()
    address = room.page.get_by_label(re.compile("^(Address|Địa chỉ)"))
    expect(address).to_have_value(re.compile(rf"^{re.escape(hub.url)}/shared#.+\..+"))
    code = room.page.get_by_label(re.compile("^(Code|Mã)")).input_value()
    expect(room.page.get_by_text(re.compile("^(not opened|chưa mở)$")).first).to_be_visible()
    assert found_in_the_way(room, artifacts / f"share-link-{name}.png") == []

    guest = Room.open(browser_without_webgl, hub.url, size=size, language=language, scheme=scheme)
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url))
    link = address.input_value()
    guest.page.goto(link)
    expect(guest.page).to_have_url(hub.url + "/shared")
    assert found_in_the_way(guest, artifacts / f"shared-{name}.png") == []
    guest.page.fill("input[name=code]", "wrong")
    guest.page.click("button[type=submit]")
    expect(guest.page.get_by_role("alert")).to_be_visible()
    guest.page.fill("input[name=code]", code)
    guest.page.click("button[type=submit]")
    guest.wait_for_picture()

    assert guest.page.url.startswith(f"{hub.url}/study/{study}")
    assert guest.slices() == SLICES
    assert not any(link.partition("#")[2].partition(".")[2] in url for url in asked)
    expect(guest.page.get_by_role("button", name=re.compile("^(Send out|Gửi ra ngoài)$"))).to_have_count(0)
    guest.page.goto(f"{hub.url}/study/{study_of(hub, 'A-2')}")
    guest.wait_for_picture()
    assert study in guest.page.evaluate("() => performance.getEntriesByType('resource').map(one => one.name).join()")
    guest.page.get_by_role("button", name=re.compile("^(Leave|Thôi xem)$")).click()
    expect(guest.page.locator("input[name=password]")).to_be_visible()
    assert room.faults == guest.faults == []
    room.close()
    guest.close()


def test_a_requester_downloads_a_study_as_a_medium(browser_without_webgl: Browser, hub: NodeProcess):
    room = entered(browser_without_webgl, hub, "chi.yen")
    room.page.goto(f"{hub.url}/study/{study_of(hub, 'A-1')}")
    room.wait_for_picture()
    room.page.get_by_role("button", name="Send out").click()
    with room.page.expect_download() as begun:
        room.page.get_by_role("menuitem", name=re.compile("ZIP")).click()

    with zipfile.ZipFile(io.BytesIO(Path(begun.value.path()).read_bytes())) as archive:
        assert {"DICOMDIR", "INDEX.HTM"} <= set(archive.namelist())
    room.close()


def test_a_requester_downloads_a_study_as_a_disc_to_burn(
    browser_without_webgl: Browser, hub: NodeProcess, artifacts: Path
):
    room = entered(browser_without_webgl, hub, "chi.yen")
    room.page.goto(f"{hub.url}/study/{study_of(hub, 'A-1')}")
    room.wait_for_picture()
    room.page.get_by_role("button", name="Send out").click()
    assert found_in_the_way(room, artifacts / "send-out-laptop-en-dark.png") == []
    with room.page.expect_download() as begun:
        room.page.get_by_role("menuitem", name=re.compile("ISO")).click()

    assert begun.value.suggested_filename == "study.iso"
    assert {"DICOMDIR", "INDEX.HTM"} <= Disc(Path(begun.value.path()).read_bytes()).names(long=True).keys()
    room.close()


def test_a_reader_may_open_other_programs_and_take_nothing_away(browser_without_webgl: Browser, hub: NodeProcess):
    room = entered(browser_without_webgl, hub, "bs.lan")
    room.page.goto(f"{hub.url}/study/{study_of(hub, 'A-1')}")
    room.wait_for_picture()
    room.page.get_by_role("button", name="Send out").click()

    expect(room.page.get_by_role("menuitem")).to_have_text(["Open in Weasis", "Open in 3D Slicer"])
    with room.page.expect_response(re.compile("/programs/weasis")) as answered:
        room.page.get_by_role("menuitem", name="Open in Weasis").click()
    address = answered.value.json()["address"]
    assert address.startswith("weasis://%24dicom%3Ars")
    assert set(room.faults) <= {f"asked elsewhere: {address}"}, "the desk was asked for Weasis, and nobody else"
    room.faults.clear()
    room.close()


@pytest.mark.parametrize(
    "asked", ["requestType=STUDY&studyUID={study}", "mrn=BN-2&Accession=A-2", "accessionNumber=A-2"]
)
def test_another_program_calls_a_study_after_signing_in_and_its_patient_leaves_the_address(
    browser_without_webgl: Browser, hub: NodeProcess, asked: str
):
    study = study_of(hub, "A-2")
    room = Room.open(browser_without_webgl, hub.url, language="en")
    urls: list[str] = []
    room.page.on("request", lambda request: urls.append(request.url))
    room.page.goto(f"{hub.url}/launch?{asked.format(study=study)}")
    expect(room.page).to_have_url(hub.url + "/launch")

    room.try_to_sign_in("bs.lan", PASSWORD)
    room.wait_for_picture()

    assert room.page.url.startswith(f"{hub.url}/study/{study}")
    named = {url for url in urls if "BN-2" in url}
    assert named <= {f"{hub.url}/launch?{asked}"}, "only what the other program asked names the patient"
    room.close()


@pytest.mark.parametrize(("size", "scheme"), [(LAPTOP, "dark"), (PHONE, "light")], ids=["laptop", "phone"])
def test_a_call_for_what_is_not_there_says_so(
    browser_without_webgl: Browser, hub: NodeProcess, artifacts: Path, size: tuple[int, int], scheme: Scheme
):
    room = entered(browser_without_webgl, hub, "bs.lan", "vi", size=size, scheme=scheme)
    room.page.goto(f"{hub.url}/launch?accessionNumber=NO")

    expect(room.page.get_by_text("Không có lượt chụp nào như vậy")).to_be_visible()
    assert found_in_the_way(room, artifacts / f"launch-none-{size[0]}-vi-{scheme}.png") == []
    room.page.get_by_role("button", name="Tới danh sách").click()
    expect(room.rows()).to_have_count(3)
    room.close()


@pytest.mark.parametrize(("size", "scheme"), [(LAPTOP, "light"), (PHONE, "dark")], ids=["laptop", "phone"])
def test_a_call_for_a_person_with_several_studies_offers_them(
    browser_without_webgl: Browser, hub: NodeProcess, artifacts: Path, size: tuple[int, int], scheme: Scheme
):
    room = entered(browser_without_webgl, hub, "bs.lan", "en", size=size, scheme=scheme)
    room.page.goto(f"{hub.url}/launch?requestType=PATIENT&patientID=BN-2")

    offered = room.page.get_by_role("listitem").get_by_role("button")
    # They differ in nothing else.
    expect(offered).to_have_text([re.compile(r"Accession A-[23]$")] * 2)
    assert found_in_the_way(room, artifacts / f"launch-several-{size[0]}-en-{scheme}.png") == []
    offered.first.click()
    room.wait_for_picture()
    room.close()
