"""A pathologist reads a whole slide in Chromium: a real one, sent by STOW-RS, on a machine without a graphics card."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openslide
import pydicom
import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LOOKS, PASSWORD, PATIENCE_MS, Language, Room, Scheme, pixels_of
from tests.support.nodes import HUB, NodeProcess, wait_until
from tests.wsi.segment_builders import by_highdicom
from wsi.jpeg import segments

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

WIDTH, HEIGHT = 2220, 2967  # of the sample, in pixels
IN_FLIGHT_MAX = 8  # requests for tiles
PATCH = 120  # pixels on a side that are compared
TILES = re.compile(r"/t/[0-9a-f]+/\d+/\d+/\d+/\d+_\d+$")
DESCRIPTION = re.compile(r"/api/slides/[0-9.]+/[0-9.]+(\?.*)?$")
FINE_TILES = re.compile(r"/t/[0-9a-f]+/0/0/0/\d+_\d+$")

# Whether a picture lies within its frame, across and down, and how it is turned.
SIDES = """one => {
  const [box, frame] = [one, one.parentElement].map(element => element.getBoundingClientRect());
  return [box.width <= frame.width, box.height <= frame.height, one.style.rotate];
}"""

# The drawing as a picture; evaluated as a function, because the page forbids turning text into code.
DRAWING = """number => {
  const source = document.querySelectorAll("[data-slide]")[number].querySelector(".openseadragon-canvas canvas");
  return source.toDataURL("image/png");
}"""

# Whether the drawing of every slide is there, stays the same over some frames, and lacks no tile.
AT_REST = """async () => {
  const slides = () => [...document.querySelectorAll("[data-slide]")];
  const canvases = () => slides().map(slide => slide.querySelector(".openseadragon-canvas canvas"));
  const drawn = () => canvases().map(canvas => canvas?.toDataURL()).join();
  const frames = async count => {
    for (let done = 0; done < count; done += 1) await new Promise(next => requestAnimationFrame(next));
  };
  await frames(3);
  const before = drawn();
  await frames(6);
  return slides().length > 0 && before === drawn() && canvases().every(Boolean)
    && slides().every(slide => slide.parentElement.querySelector("[data-settled=true]") !== null);
}"""


@pytest.fixture(scope="module")
def sample(samples: Path) -> list[Path]:
    """CMU-1's small region: five octaves, a thumbnail, an overview and a label, turned by 180 degrees."""
    return sorted((samples / "wsi-cmu1-dicom").glob("*.dcm"))


@pytest.fixture(scope="module")
def node(built: Path, tmp_path_factory: pytest.TempPathFactory, sample: list[Path]) -> Iterator[NodeProcess]:
    """A hub that has the sample."""
    node = NodeProcess(tmp_path_factory.mktemp("slides"), HUB).start()
    node.add_user("bs.lan", "reader", PASSWORD)
    node.add_user("qt.hoa", "admin", PASSWORD)
    node.store(file.read_bytes() for file in sample)
    yield node
    node.stop()


def middle_of(shown: np.ndarray) -> np.ndarray:
    """Return the part of a picture that is compared."""
    top, left = (shown.shape[0] - PATCH) // 2, (shown.shape[1] - PATCH) // 2
    return shown[top : top + PATCH, left : left + PATCH]


class SlideRoom:
    """The reading room with the slide open."""

    def __init__(self, room: Room, account: str = "bs.lan") -> None:
        self.room = room
        self.page = room.page
        room.sign_in(account, PASSWORD)
        room.rows().first.click()
        self.settle()

    def settle(self) -> None:
        """Wait until every tile of what one looks at is there and nothing moves."""
        wait_until(lambda: self.page.evaluate(AT_REST), timeout_s=PATIENCE_MS / 1000, what="rest")

    def press(self, *keys: str) -> None:
        """Press keys, each when the one before has had its effect."""
        for key in keys:
            self.page.keyboard.press(key)
            self.settle()

    def text(self, what: str | re.Pattern[str]) -> Locator:
        """Return what is written on the slide."""
        return self.page.locator("[class*=overlays]").get_by_text(what)

    def middle(self) -> tuple[float, float]:
        """Return the middle of the slide's part of the page."""
        box = self.page.locator("[data-slide]").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def click(self, right: float, down: float) -> None:
        """Click beside the middle."""
        x, y = self.middle()
        self.page.mouse.click(x + right, y + down)

    def size(self) -> tuple[int, int]:
        """Return columns and rows of the screen that the slide has."""
        box = self.page.locator("[data-slide]").bounding_box()
        assert box is not None
        return round(box["width"]), round(box["height"])

    def colors(self, number: int) -> np.ndarray:
        """Return a drawing, rows by columns by three colors."""
        return pixels_of(str(self.page.evaluate(DRAWING, number)), "RGB").astype(int)

    def patch(self, number: int = 0) -> np.ndarray:
        """Return the middle of a drawing, of several slides the one counted from the left."""
        return middle_of(self.colors(number))

    def write(self, text: str) -> Locator:
        """Write on the slide, save nothing, and return the mark."""
        self.press("k", "x")
        self.click(-150, -150)
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")
        mark = self.page.locator(".va-mark-label").filter(has_text=text)
        expect(mark).to_be_visible()
        return mark

    def labels(self) -> list[str]:
        """Return what is written beside marks."""
        return [text for text in self.page.locator(".va-mark-label text").all_text_contents() if text]


@pytest.fixture
def slide(browser_without_webgl: Browser, node: NodeProcess) -> Iterator[SlideRoom]:
    room = Room.open(browser_without_webgl, node.url)
    yield SlideRoom(room)
    room.close()


def stored(sample: list[Path], center: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
    """Return OpenSlide's pixels of the middle of a screen that looks at `center`, turned by 180 degrees."""
    columns, rows = size
    # The screen's pixel (left, top) shows the slide's pixel center + half the screen - (left, top) - 1.
    left, top = (columns - PATCH) // 2, (rows - PATCH) // 2
    x, y = center[0] + columns / 2 - left - PATCH, center[1] + rows / 2 - top - PATCH
    assert x.is_integer()
    assert y.is_integer()
    with openslide.OpenSlide(sample[0]) as slide:
        region = np.asarray(slide.read_region((int(x), int(y)), 0, (PATCH, PATCH)).convert("RGB")).astype(int)
    return region[::-1, ::-1]


def snapped(at: float, side: int) -> float:
    """Return the place nearest to `at` where slide pixels and screen pixels lie on each other."""
    return math.floor(at - side / 2 + 0.5) + side / 2  # the half upwards, as the room does: any height may come up


def test_the_slide_opens_whole_and_its_pixels_are_those_of_openslide(
    slide: SlideRoom, sample: list[Path], artifacts: Path
):
    expect(slide.text("Nhãn: bên phải →")).to_be_visible()
    slide.page.screenshot(path=artifacts / "slide-home.png")
    columns, rows = slide.size()

    slide.press("p", "0")

    center = (snapped(WIDTH / 2, columns), snapped(HEIGHT / 2, rows))
    assert np.array_equal(slide.patch(), stored(sample, center, (columns, rows)))


def test_panning_goes_where_one_wants_to_look(slide: SlideRoom, sample: list[Path]):
    columns, rows = slide.size()
    slide.press("p", "0")

    slide.press("ArrowRight", "ArrowDown", "0")

    x, y = snapped(WIDTH / 2, columns), snapped(HEIGHT / 2, rows)
    moved = (snapped(x - 0.15 * columns, columns), snapped(y - 0.15 * rows, rows))
    assert np.array_equal(slide.patch(), stored(sample, moved, (columns, rows)))


def test_mouse_and_wheel_move_and_magnify(slide: SlideRoom):
    slide.press("4")
    expect(slide.text(re.compile("^10x$"))).to_be_visible()
    before = slide.patch()
    x, y = slide.middle()

    slide.page.mouse.move(x, y)
    slide.page.mouse.down()
    slide.page.mouse.move(x + 60, y + 40, steps=4)
    slide.page.mouse.up()
    slide.settle()
    assert not np.array_equal(slide.patch(), before)

    slide.page.mouse.wheel(0, -100)
    expect(slide.text(re.compile("^1[1-9]x$"))).to_be_visible()
    slide.settle()


def test_objectives_make_the_scale_bar_as_long_as_it_says(slide: SlideRoom):
    for key, power, microns in (("4", "10x", 1.0), ("5", "20x", 0.5)):
        slide.press(key)

        expect(slide.text(re.compile(f"^{power}$"))).to_be_visible()
        bar = slide.page.locator("[data-scale-bar]")
        length = float(bar.inner_text().removesuffix(" µm"))
        box = bar.bounding_box()
        assert box is not None
        assert box["width"] == pytest.approx(length / microns, rel=0.005)


def test_turning_and_mirroring_tell_where_the_label_went(slide: SlideRoom):
    slide.press("r")
    expect(slide.text("Nhãn: phía dưới ↓")).to_be_visible()
    expect(slide.text("Xoay 90°")).to_be_visible()

    slide.press("Shift+R", "m")
    expect(slide.text("Nhãn: bên trái ←")).to_be_visible()
    expect(slide.text("Lật gương")).to_be_visible()

    slide.press("f")
    expect(slide.text("Nhãn: bên phải →")).to_be_visible()


def test_the_attributes_of_a_slide_are_listed(slide: SlideRoom):
    slide.page.keyboard.press("Shift+T")

    drawer = slide.page.get_by_role("dialog", name="Thông tin DICOM của ảnh")
    drawer.get_by_role("searchbox").fill("total pixel matrix columns")
    expect(drawer.locator("tbody tr")).to_have_count(1)


def test_a_mirrored_slide_is_the_picture_from_right_to_left(slide: SlideRoom):
    slide.press("0")
    straight = slide.patch()

    slide.press("m")

    assert np.abs(slide.patch() - straight[:, ::-1]).mean() < 1


def test_colors_are_those_of_the_profile_until_it_is_switched_off(slide: SlideRoom):
    slide.page.route(TILES, with_red_and_blue_changed_over)
    slide.press("0")
    managed = slide.patch()

    slide.press("p")

    plain = slide.patch()
    assert np.abs(managed - plain).mean() > 5
    expect(slide.page.get_by_role("button", name=re.compile("ICC"))).to_have_attribute("aria-pressed", "false")
    slide.press("p")
    assert np.array_equal(slide.patch(), managed)


def test_a_profile_that_is_too_long_for_every_tile_shows_the_same_colors(slide: SlideRoom, sample: list[Path]):
    slide.page.route(TILES, with_red_and_blue_changed_over)
    slide.press("0")
    short = slide.patch()
    own: bytes = pydicom.dcmread(sample[0], stop_before_pixels=True).OpticalPathSequence[0].ICCProfile
    long = (150_000).to_bytes(4, "big") + changed_over(own)[4:].ljust(150_000 - 4, b"\0")
    slide.page.unroute(TILES)
    slide.page.route(TILES, without_a_profile)
    slide.page.route(DESCRIPTION, with_a_profile_elsewhere)
    slide.page.route("**/profile.icc", lambda route: route.fulfill(body=long))

    slide.page.reload()
    slide.settle()
    slide.press("0")

    assert np.array_equal(slide.patch(), short)


def changed_over(data: bytes) -> bytes:
    return data.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")


def with_red_and_blue_changed_over(route: Route) -> None:
    """Answer a tile with a profile whose primaries have changed their places; the sample's own is sRGB."""
    answer = route.fetch()
    route.fulfill(response=answer, body=changed_over(answer.body()))


def without_a_profile(route: Route) -> None:
    answer = route.fetch()
    body = answer.body()
    for one in reversed(list(segments(body))):
        if body[one.start + 4 : one.end].startswith(b"ICC_PROFILE"):
            body = body[: one.start] + body[one.end :]
    route.fulfill(response=answer, body=body)


def with_a_profile_elsewhere(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, json=answer.json() | {"icc": "/profile.icc"})


def test_what_was_flown_past_is_not_waited_for(slide: SlideRoom):
    held: list[str] = []
    given_up: list[str] = []
    slide.page.route(FINE_TILES, lambda route: held.append(route.request.url))
    slide.page.on("requestfailed", lambda request: given_up.append(request.url))
    slide.page.keyboard.press("6")
    wait_until(lambda: slide.page.wait_for_timeout(50) or held, what="the first fine tile's request")

    slide.press("f")

    assert len(held) <= IN_FLIGHT_MAX
    assert set(given_up) == set(held)


def test_a_line_and_an_area_are_as_large_as_the_slide_says(slide: SlideRoom):
    slide.press("4")  # a micron on each screen pixel

    slide.press("l")
    slide.click(-100, -80)
    slide.click(60, -80)
    slide.press("a")
    for right, down in ((-120, 20), (-20, 20), (-20, 120), (-120, 120)):
        slide.click(right, down)
    slide.press("Enter")

    length, area = slide.labels()
    assert float(length.removesuffix(" µm").replace(",", ".")) == pytest.approx(160, abs=0.5)
    assert float(area.removesuffix(" µm²").replace(".", "")) == pytest.approx(10_000, rel=0.01)


def test_points_are_counted_named_and_removed(slide: SlideRoom):
    slide.press("k", "c")
    for right in (-80, 0, 80):
        slide.click(right, 0)
        slide.page.wait_for_timeout(50)
    panel = slide.page.get_by_role("complementary", name="Dấu vẽ")
    expect(panel.get_by_role("status").first).to_have_text("3 điểm đếm")

    panel.get_by_role("textbox").nth(1).fill("phân bào")
    assert slide.labels() == ["1", "2 · phân bào", "3"]
    panel.get_by_role("textbox").nth(1).press("Enter")
    slide.press("Delete")

    assert slide.labels() == ["1", "2"]
    expect(panel.get_by_role("status").first).to_have_text("2 điểm đếm")


def test_two_slides_side_by_side_move_as_one_until_they_are_let_go(slide: SlideRoom, artifacts: Path):
    powers = slide.text(re.compile(r"^[\d,]+x$"))
    slide.page.keyboard.press("v")
    slide.page.keyboard.press("4")  # before the second slide is there, or after
    expect(powers).to_have_text(["10x", "10x"], timeout=PATIENCE_MS)
    slide.settle()

    slide.press("r", "ArrowDown")

    slide.page.screenshot(path=artifacts / "slide-side-by-side.png")
    assert np.abs(slide.patch(0) - slide.patch(1)).mean() < 1
    slide.press("j", "5")
    expect(powers).to_have_text(["20x", "10x"], timeout=PATIENCE_MS)


def test_what_was_drawn_is_saved_into_the_study_and_there_again_also_after_somebody_else_was_faster(
    browser_without_webgl: Browser, node: NodeProcess, slide: SlideRoom
):
    slide.press("k", "4", "l")
    slide.click(-100, -80)
    slide.click(60, -80)
    slide.press("c")
    slide.click(10, 40)
    panel = slide.page.get_by_role("complementary", name="Dấu vẽ")
    panel.get_by_role("textbox").nth(1).fill("phân bào")
    drawn = slide.labels()
    expect(panel.get_by_text("Có thay đổi chưa lưu")).to_be_visible()

    panel.get_by_role("button", name="Lưu vào ca").click()

    expect(panel.get_by_text("bs.lan lưu")).to_be_visible()
    room = Room.open(browser_without_webgl, node.url)
    again = SlideRoom(room)
    again.press("k", "4")
    expect(again.page.get_by_text("bs.lan lưu")).to_be_visible()
    assert again.labels() == drawn

    panel.get_by_role("button", name="Xoá dấu").first.click()
    panel.get_by_role("button", name="Lưu vào ca").click()
    expect(panel.get_by_text("bs.lan lưu")).to_be_visible()
    again.press("c")
    again.click(-60, 70)
    behind = again.page.get_by_role("complementary", name="Dấu vẽ")
    behind.get_by_role("button", name="Lưu vào ca").click()

    expect(behind.get_by_role("listitem")).to_have_count(2)  # what neither took away
    expect(behind.get_by_text("bs.lan lưu")).to_be_visible()
    expect(behind.get_by_role("alert")).to_have_count(0)
    room.close()
    with node.client() as client:
        study = node.studies()[0]["studyInstanceUID"]
        series = client.get(f"/api/studies/{study}/series").raise_for_status().json()
    assert sorted(one["modality"] for one in series) == ["SM", "SR"]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_nobody_leaves_marks_that_are_not_saved_without_being_asked(
    browser_without_webgl: Browser, node: NodeProcess, artifacts: Path, language: Language
):
    room = Room.open(browser_without_webgl, node.url, language=language)
    slide = SlideRoom(room)
    page = slide.page
    mark = slide.write("chưa lưu")
    question = page.get_by_role("dialog", name=re.compile("^(Có dấu vẽ chưa lưu|Marks are not saved)$"))

    page.keyboard.press("q")
    expect(question).to_be_visible()
    assert found_in_the_way(room, artifacts / f"slide-leaving-{language}.png") == []
    question.get_by_role("button", name=re.compile("^(Ở lại|Stay)$")).click()
    expect(question).to_be_hidden()
    expect(mark).to_be_visible()

    with page.expect_event("dialog") as asked:
        page.evaluate("() => { setTimeout(() => location.reload()); }")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()

    where = page.url
    page.go_back()
    expect(question).to_be_visible()
    expect(page).to_have_url(where)
    question.get_by_role("button", name=re.compile("^(Ở lại|Stay)$")).click()
    expect(question).to_be_hidden()
    expect(mark).to_be_attached()

    page.go_back()
    question.get_by_role("button", name=re.compile("^(Bỏ dấu rồi đi|Leave without the marks)$")).click()
    expect(room.rows().first).to_be_visible()
    room.rows().first.click()
    slide.settle()
    with page.expect_response(re.compile("/annotations")):
        page.reload()
    slide.settle()
    expect(mark).to_have_count(0)
    room.close()


def test_marks_are_saved_on_the_way_out(slide: SlideRoom):
    mark = slide.write("lưu khi đi")

    slide.page.keyboard.press("q")
    slide.page.get_by_role("button", name="Lưu rồi đi").click()
    slide.room.rows().first.click()
    slide.settle()
    slide.press("k")

    expect(slide.page.get_by_text("bs.lan lưu")).to_be_visible(timeout=PATIENCE_MS)
    expect(mark).to_be_attached()


def test_a_reader_is_not_told_that_there_is_a_label(slide: SlideRoom):
    slide.press("i")

    expect(slide.page.get_by_role("button", name="Nhãn lam kính")).to_have_count(0)
    expect(slide.page.get_by_role("complementary")).to_have_count(0)


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS, ids=str)
def test_who_has_the_right_looks_at_the_label_and_takes_the_scanner_s_file(
    browser_without_webgl: Browser,
    node: NodeProcess,
    artifacts: Path,
    width: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, node.url, size=size, language=language, scheme=scheme)

    def with_a_file(route: Route) -> None:  # as a node that keeps scanners' files tells it
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "vendorFile": "/api/slides/1/2/vendor-file"})

    room.page.route(DESCRIPTION, with_a_file)
    pictures: list[str] = []
    room.page.on("request", lambda asked: pictures.append(asked.url) if "/thumbnail?" in asked.url else None)
    slide = SlideRoom(room, "qt.hoa")
    assert pictures == []  # nobody looks at a label who did not ask for it
    slide.page.keyboard.press("i")

    panel = slide.page.get_by_role("complementary", name=re.compile("Nhãn lam kính|Label of the glass"))
    expect(panel.locator("img")).to_have_count(2)
    for picture in panel.locator("img").all():
        wait_until(lambda shown=picture: shown.evaluate("one => one.naturalWidth > 100"), what="the picture")
    panel.get_by_role("button", name=re.compile("Xoay hình: Nhãn|Turn the picture: Label")).click()
    assert panel.locator("img").first.evaluate(SIDES) == [True, True, "90deg"]
    link = panel.get_by_role("link", name=re.compile("tệp gốc|scanner's file"))
    expect(link).to_have_attribute("href", "/api/slides/1/2/vendor-file")
    findings = found_in_the_way(room, artifacts / f"label-{width}-{language}-{scheme}.png")
    panel.get_by_role("button", name=re.compile("Đóng|Close")).click()
    expect(panel).to_have_count(0)
    room.close()
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS, ids=str)
def test_nothing_serious_stands_in_anybodys_way_at_a_slide(
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
    slide.press("4", "k", "x")
    slide.click(-40, -60)
    slide.page.keyboard.type("ổ hoại tử")

    findings = found_in_the_way(room, artifacts / f"slide-{width}-{language}-{scheme}.png")
    room.close()
    assert not findings, "\n".join(findings)


SEGMENTS = """number => {
  const source = document.querySelectorAll("[data-slide]")[number].querySelector(".va-segments");
  return source.toDataURL("image/png");
}"""


@pytest.fixture(scope="module")
def masks(node: NodeProcess, sample: list[Path]) -> np.ndarray:
    """Two segments on the sample, shape (2, rows, columns), sent as highdicom writes them; of the module's last tests."""
    masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    masks[0, 1440:1500, 1090:1140] = 1  # about the middle, and of no symmetry
    masks[0, 1480:1520, 1060:1100] = 1
    masks[1, 1490:2400, 1100:1900] = 1
    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in sample]
    finest = max(headers, key=lambda one: one.get("TotalPixelMatrixColumns", 0))
    elsewhere = by_highdicom(finest, masks[:1], ("Elsewhere",), space="1.2.3.4")
    node.store([by_highdicom(finest, masks, ("Tumor", "Stroma")), elsewhere])
    return masks


def over(slide: SlideRoom) -> np.ndarray:
    """Return what lies over the middle of a slide, rows by columns by color and alpha."""
    expect(slide.page.locator(".va-segments[data-drawn=there]")).to_be_attached(timeout=PATIENCE_MS)
    return middle_of(pixels_of(str(slide.page.evaluate(SEGMENTS, 0)), "RGBA").astype(int))


def seen(mask: np.ndarray, center: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
    """Return the middle of a screen that looks at `center` of a mask, turned by 180 degrees, as `stored` of the slide."""
    columns, rows = size
    left, top = (columns - PATCH) // 2, (rows - PATCH) // 2
    x, y = int(center[0] + columns / 2 - left - PATCH), int(center[1] + rows / 2 - top - PATCH)
    return mask[y : y + PATCH, x : x + PATCH][::-1, ::-1] > 0


def test_segments_lie_where_they_are_and_are_switched_and_made_more_opaque(slide: SlideRoom, masks: np.ndarray):
    columns, rows = slide.size()
    center = (snapped(WIDTH / 2, columns), snapped(HEIGHT / 2, rows))
    tumor, stroma = (seen(mask, center, (columns, rows)) for mask in masks)
    slide.press("0", "s")
    panel = slide.page.get_by_role("complementary", name="Phân vùng")
    expect(panel).to_contain_text("Không hiện được: toạ độ của nó thuộc hệ khác với tiêu bản này.")

    both = over(slide)
    assert np.array_equal(both[..., 3] > 0, tumor | stroma)
    assert np.abs(both[tumor & ~stroma] - [230, 159, 0, 115]).max() <= 2

    panel.get_by_role("checkbox", name="Stroma").uncheck()
    assert np.array_equal(over(slide)[..., 3] > 0, tumor)

    panel.get_by_role("slider", name="Độ đậm của Tumor").fill("1")
    assert np.abs(over(slide)[tumor] - [230, 159, 0, 255]).max() <= 1

    slide.press("r", "m")
    assert np.array_equal(over(slide)[..., 3] > 0, np.rot90(tumor, -1)[:, ::-1])

    slide.press("O")
    assert not over(slide)[..., 3].any()
    expect(slide.page.get_by_role("navigation").get_by_role("button").filter(has_text="SEG")).to_have_count(0)


@pytest.mark.usefixtures("masks")
@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS, ids=str)
def test_segments_stand_in_nobodys_way(
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
    over(slide)  # before it is known that there are segments, the key is nobody's
    slide.press("s")
    expect(room.page.get_by_role("checkbox").first).to_be_visible()

    findings = found_in_the_way(room, artifacts / f"slide-segments-{width}-{language}-{scheme}.png")
    room.close()
    assert not findings, "\n".join(findings)
