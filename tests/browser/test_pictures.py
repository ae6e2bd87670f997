"""What is shown leaves the room as a picture or a film: by right, written down first, without a name unless it is asked."""

import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Download, Locator, expect

from tests.browser.axe import found_in_the_way
from tests.browser.room import LAPTOP, LOOKS, PASSWORD, Language, Room, Scheme
from tests.support.builders import a_ct, as_file, with_pixels
from tests.support.nodes import HUB, NodeProcess
from tests.wsi.dicom_builders import a_volume

pytestmark = [pytest.mark.browser, pytest.mark.peer("chromium"), pytest.mark.slow]

SLICES = 5
SIDE = 128
TAKE = "Lưu ảnh đang xem"


@pytest.fixture(scope="module")
def hub(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node with a CT whose slices are each brighter than the one before, a requester and a reader."""
    node = NodeProcess(tmp_path_factory.mktemp("pictures"), HUB).start()
    for name, role in (("chi.yen", "requester"), ("bs.lan", "reader")):
        node.add_user(name, role, PASSWORD)
    files = []
    for number in range(1, SLICES + 1):
        ds = a_ct(seed="pictures", instance=number, PatientName="Đỗ^Văn Hùng", WindowCenter="100", WindowWidth="200")
        level = int(ds.RescaleIntercept) * -1 + 30 * number
        with_pixels(ds, np.full((SIDE, SIDE), level, "<i2"))
        ds.ImagePositionPatient = ["0", "0", str(5 * number)]
        files.append(as_file(ds))
    node.store([*files, a_volume(600, 400, 200)])
    yield node
    node.stop()


@pytest.fixture
def room(browser_without_webgl: Browser, hub: NodeProcess) -> Iterator[Room]:
    """The study before somebody who may take it away."""
    opened = Room.open(browser_without_webgl, hub.url)
    opened.sign_in("chi.yen", PASSWORD)
    opened.open_study("CT")
    yield opened
    opened.close()


def asked(room: Room) -> Locator:
    """Return the question what to take."""
    room.page.keyboard.press("P")
    dialog = room.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def taken(room: Room, dialog: Locator) -> bytes:
    with room.page.expect_download() as given:
        dialog.get_by_role("button", name="Lưu", exact=True).click()
    expect(dialog).to_have_count(0)
    return content_of(given.value)


def content_of(given: Download) -> bytes:
    assert re.fullmatch(r"(CT|SM)-(\d+|axial)\.(png|mp4)", given.suggested_filename)
    return Path(given.path()).read_bytes()


def grey(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def test_a_picture_is_what_the_pane_shows_with_its_marks_or_without(room: Room):
    room.press("l")
    x, y = room.middle()
    room.page.mouse.move(x - 100, y - 100)
    room.page.mouse.down()
    room.page.mouse.move(x + 100, y - 100, steps=4)
    room.page.mouse.up()
    room.settle()
    shown = room.grey()
    rows = shown.shape[0] * 3 // 4  # below is the bar of the scale

    marked = grey(taken(room, asked(room)))
    dialog = asked(room)
    dialog.get_by_label("Kèm số đo").uncheck()
    plain = grey(taken(room, dialog))

    np.testing.assert_array_equal(plain[:rows, : shown.shape[1]], shown[:rows])
    differing = marked[:rows, : shown.shape[1]] != shown[:rows]
    assert 200 < differing.sum() < differing.size / 10
    assert plain.shape[0] > shown.shape[0]  # its caption
    assert plain[shown.shape[0] :].max() > 200


def test_a_name_is_in_it_only_when_it_is_asked_for_and_the_node_is_told_first(room: Room):
    told: list[dict] = []
    room.page.on("request", lambda request: told.append(request.post_data_json) if "/pictures" in request.url else None)
    without = grey(taken(room, asked(room)))
    dialog = asked(room)
    dialog.get_by_label("Kèm tên").check()
    named = grey(taken(room, dialog))

    assert [one["named"] for one in told] == [False, True]
    assert named.shape[0] > without.shape[0]  # a line more
    np.testing.assert_array_equal(named[: without.shape[0] - 30], without[:-30])


def test_nothing_is_taken_when_it_could_not_be_written_down(room: Room):
    given: list[Download] = []
    room.page.on("download", lambda download: given.append(download))  # noqa: PLW0108 - a builtin takes no mark of Playwright's
    dialog = asked(room)
    room.page.route(re.compile("/pictures"), lambda route: route.abort())

    dialog.get_by_role("button", name="Lưu", exact=True).click()

    expect(dialog.get_by_role("alert")).to_contain_text("chưa ghi được nhật ký")
    assert given == []


CANVAS = """(canvas, ground) => {
  const {width, height} = canvas;
  const over = (color, alpha) => Math.round((color * alpha + ground * (255 - alpha)) / 255);
  const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
  return [width, height, Array.from({length: width * height}, (_, at) => over(data[at * 4], data[at * 4 + 3]))];
}"""


GLASS = 0xE9  # red of the ground that slides lie on


def on_canvas(room: Room, canvas: str, ground: int = 0) -> NDArray[np.uint8]:
    """Return the red of what a canvas shows over a ground."""
    width, height, red = room.page.locator(canvas).first.evaluate(CANVAS, ground)
    return np.array(red, np.uint8).reshape(height, width)


def told_of(room: Room) -> list[dict]:
    """Return what the node is told of from now on."""
    told: list[dict] = []
    room.page.on("request", lambda request: told.append(request.post_data_json) if "/pictures" in request.url else None)
    return told


def red(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[..., 0]


def test_a_plane_of_a_reconstruction_is_taken_as_it_stands_with_its_lines_or_without(room: Room, artifacts: Path):
    told = told_of(room)
    room.press("M")
    expect(room.page.locator("[data-whole=true]")).to_be_visible()
    room.settle()
    shown = on_canvas(room, "[data-mpr=axial] canvas")
    assert shown.max() > 50

    png = taken(room, asked(room))
    (artifacts / "picture-plane.png").write_bytes(png)
    lined = red(png)
    dialog = asked(room)
    dialog.get_by_label("Kèm số đo").uncheck()
    expect(dialog.get_by_label("Phim MP4")).to_have_count(0)
    plain = red(taken(room, dialog))

    rows = shown.shape[0] * 3 // 4  # below is the bar of the scale
    np.testing.assert_array_equal(plain[:rows], shown[:rows])
    assert (lined[:rows] != shown[:rows]).sum() > 100
    assert plain.shape[0] > shown.shape[0]
    assert plain[shown.shape[0] :].max() > 200  # its caption
    assert [(one["kind"], one["images"], one["named"]) for one in told] == [("picture", 1, False)] * 2


def test_a_slide_is_taken_as_it_stands(room: Room, hub: NodeProcess, artifacts: Path):
    told = told_of(room)
    slide = next(one for one in hub.studies() if "SM" in one["modalities"])
    room.page.goto(f"{hub.url}/study/{slide['studyInstanceUID']}")
    expect(room.page.locator("[data-settled=true]")).to_have_count(1)
    room.settle()
    shown = on_canvas(room, "[data-slide] canvas", GLASS)
    assert shown.min() < shown.max()

    png = taken(room, asked(room))

    (artifacts / "picture-slide.png").write_bytes(png)
    picture = red(png)
    rows = shown.shape[0] * 3 // 4
    off = np.abs(picture[:rows, : shown.shape[1]].astype(int) - shown[:rows])
    assert off.max() <= 1  # the slide's edges are translucent
    assert picture[shown.shape[0] :].max() > 200
    (one,) = told
    assert one["sopInstanceUID"] in hub.instances(slide["studyInstanceUID"])


@pytest.mark.peer("ffmpeg")
def test_a_film_has_every_image_of_the_stack_at_its_rate(room: Room, tmp_path: Path):
    room.press("ArrowDown")
    dialog = asked(room)
    dialog.get_by_label("Phim MP4").check()
    file = tmp_path / "film.mp4"

    file.write_bytes(taken(room, dialog))

    what = "stream=codec_name,nb_read_frames,r_frame_rate,width,height"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", what, "-of", "json", str(file)]
    (stream,) = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)["streams"]
    assert (stream["codec_name"], stream["nb_read_frames"], stream["r_frame_rate"]) == ("h264", str(SLICES), "15/1")
    size = (stream["width"], stream["height"])
    decode = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(decode, capture_output=True, check=True, timeout=60).stdout
    frames = np.frombuffer(raw, "u1").reshape(SLICES, size[1], size[0])
    middles = frames[:, size[1] // 2 - 60, size[0] // 2].astype(int)
    expected = np.array([30 * number * 255 / 200 for number in range(1, SLICES + 1)])
    assert np.abs(middles - expected).max() < 12, middles
    assert room.slice_number() == 2  # where the reader was


def test_who_may_not_take_studies_away_has_no_such_command(browser_without_webgl: Browser, hub: NodeProcess):
    room = Room.open(browser_without_webgl, hub.url)
    room.sign_in("bs.lan", PASSWORD)
    room.open_study("CT")

    room.press("P")

    expect(room.page.get_by_role("dialog")).to_have_count(0)
    expect(room.page.get_by_role("button", name=TAKE)).to_have_count(0)
    room.close()


@pytest.mark.parametrize(("width", "size", "language", "scheme"), LOOKS, ids=str)
def test_the_question_stands_in_nobody_s_way(
    browser_without_webgl: Browser,
    hub: NodeProcess,
    artifacts: Path,
    width: str,
    size: tuple[int, int],
    language: Language,
    scheme: Scheme,
):
    room = Room.open(browser_without_webgl, hub.url, size=size, language=language, scheme=scheme)
    room.sign_in("chi.yen", PASSWORD)
    room.open_study("CT")
    if size == LAPTOP:
        (artifacts / f"picture-{language}.png").write_bytes(taken_in(room, language))
    asked(room)

    assert found_in_the_way(room, artifacts / f"pictures-{width}-{language}-{scheme}.png") == []
    room.close()


def taken_in(room: Room, language: Language) -> bytes:
    dialog = asked(room)
    dialog.get_by_role("checkbox").nth(1).check()
    with room.page.expect_download() as given:
        dialog.get_by_role("button", name={"vi": "Lưu", "en": "Save"}[language], exact=True).click()
    return content_of(given.value)
