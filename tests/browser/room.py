"""The reading room as a person works it: what one can do there, and what one sees."""

import base64
import io
import json
import re
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Route, expect

LAPTOP = (1366, 768)
PHONE = (390, 844)
PATIENCE_MS = 30_000
PASSWORD = "mat khau dai du"  # of the accounts that tests make
Language = Literal["vi", "en"]
Scheme = Literal["light", "dark"]
Look = tuple[str, tuple[int, int], Language, Scheme]
# Each width, language and scheme once, in as few visits: how a screen of one's own looks.
LOOKS: tuple[Look, ...] = (("laptop", LAPTOP, "vi", "light"), ("phone", PHONE, "en", "dark"))
# Each width with each language and each scheme, in half as many visits: for the screens that everybody meets.
EVERY_LOOK: tuple[Look, ...] = (*LOOKS, ("laptop", LAPTOP, "en", "dark"), ("phone", PHONE, "vi", "light"))

# The canvas as a picture; evaluated as a function, because the page forbids turning text into code.
PICTURE = """(canvas) => {
  const source = document.querySelector(canvas);
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [source.width, source.height];
  copy.getContext("2d").drawImage(source, 0, 0);
  return copy.toDataURL("image/png");
}"""


def _keep_no_draft(route: Route) -> None:
    """Answer as a node would that has no draft and takes any."""
    sent = route.request.post_data_json if route.request.method == "PUT" else {"version": -1}
    route.fulfill(json={"version": sent["version"] + 1, "content": "", "at": None})


def pixels_of(address: str, mode: Literal["L", "RGB", "RGBA"] = "L") -> NDArray[np.uint8]:
    """Return the pixels, rows by columns, of a picture that is told as a data URL: grey levels, or colors."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1]))).convert(mode))


class Room:
    """One browser window on the reading room."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.base_url = base_url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(f"threw {error}"))
        self.page.on("console", self._note_console)
        self.page.on("request", self._note_request)
        self.page.goto(base_url + "/")

    @classmethod
    def open(
        cls,
        browser: Browser,
        base_url: str,
        *,
        size: tuple[int, int] = LAPTOP,
        language: Language = "vi",
        scheme: Scheme | None = None,
        backend: Literal["cpu", "gpu"] | None = None,
        hanging: bool = False,
        drafts: bool = False,
    ) -> "Room":
        """Open a window as a person has it who chose a language and, for every screen, light or dark.

        Unless `hanging`, a study opens with one picture, whatever it is of; unless `drafts`, with nothing of what
        another test drew and left.
        """
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            has_touch=size == PHONE,
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
        )
        context.set_default_timeout(PATIENCE_MS)
        schemes = {"lists": scheme or "light", "reading": scheme or "dark"}
        kept = {"automatic": hanging, "defaults": {}}
        preferences = {"language": language, "schemes": schemes, "hanging": kept}
        stored = {"vienanh.preferences": json.dumps(preferences)}
        if backend:
            stored["vienanh.backend"] = backend
        context.add_init_script(
            f"for (const [key, value] of Object.entries({json.dumps(stored)})) localStorage[key] ??= value;"
        )
        if not drafts:
            context.route(re.compile(r"/api/studies/[^/]+/draft\?"), _keep_no_draft)
        return cls(context, base_url)

    def close(self) -> None:
        """Leave; what went wrong unseen comes out here."""
        self.context.close()
        assert not self.faults, "\n".join(self.faults)

    # --- doing --------------------------------------------------------------------------------------------------------

    def sign_in(self, account: str, password: str) -> None:
        """Fill in the door's form and wait for the worklist."""
        self.try_to_sign_in(account, password)
        expect(self.page.locator("main#list")).to_be_visible(timeout=PATIENCE_MS)

    def try_to_sign_in(self, account: str, password: str) -> None:
        """Fill in the door's form."""
        self.page.fill("input[name=name]", account)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")

    def rows(self, *having: str) -> Locator:
        """Return the studies of the worklist whose text has all of these words."""
        rows = self.page.locator("[role=row][id^=study-]")
        for words in having:
            rows = rows.filter(has_text=re.compile(words))
        return rows

    def open_study(self, *having: str) -> None:
        """Open the first study with these words and wait for its first picture."""
        self.rows(*having).first.click()
        self.wait_for_picture()

    def wait_for_picture(self) -> None:
        """Wait until the canvas holds the slice that the numbers name."""
        self.page.wait_for_selector("[data-backend]")
        expect(self.readout("bottomRight")).to_contain_text("/", timeout=PATIENCE_MS)
        expect(self.page.locator("[class*=loading]")).to_have_count(0, timeout=PATIENCE_MS)
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Wait until what is shown are the pixels as they are stored, no preview."""
        expect(self.page.locator("[data-tier='0'], [data-tier='1']")).to_have_count(0, timeout=PATIENCE_MS)

    def wait_for_slices_beyond(self, count: int) -> None:
        """Wait until the stack has more slices than these."""
        expect(self.readout("bottomRight")).not_to_contain_text(f"/{count}", timeout=PATIENCE_MS)
        self.settle()

    def press(self, key: str) -> None:
        """Press a key and let the screen follow."""
        self.page.keyboard.press(key)
        self.settle()

    def settle(self) -> None:
        """Let two screen refreshes pass, then wait for a slice that may be on its way."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(self.page.locator("[class*=_loading]")).to_have_count(0, timeout=PATIENCE_MS)
        self.wait_until_whole()

    def drag(self, by: tuple[int, int], button: Literal["left", "middle", "right"] = "left") -> None:
        """Drag from left of the picture's middle by so many pixels to the right and down."""
        x, y = self.middle()
        self.page.mouse.move(x - 100, y)
        self.page.mouse.down(button=button)
        self.page.mouse.move(x - 100 + by[0], y + by[1], steps=8)
        self.page.mouse.up(button=button)
        self.settle()

    def wheel(self, notches: int) -> None:
        """Turn a mouse's wheel over the picture."""
        self.page.mouse.move(*self.middle())
        for _ in range(abs(notches)):
            self.page.mouse.wheel(0, 100 if notches > 0 else -100)
            self.settle()

    # --- seeing -------------------------------------------------------------------------------------------------------

    def middle(self) -> tuple[float, float]:
        """Return the middle of the picture on the page."""
        box = self.page.locator("[data-backend]").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def readout(self, corner: str) -> Locator:
        """Return the text in a corner of the picture."""
        return self.page.locator(f"[class*=overlays] > [class*={corner}]")

    def slice_number(self) -> int:
        """Return which slice the reader is at, from one."""
        return int(self._read("bottomRight", r"(\d+)/\d+"))

    def slices(self) -> int:
        """Return how many slices the stack has."""
        return int(self._read("bottomRight", r"\d+/(\d+)"))

    def window(self) -> tuple[float, float]:
        """Return (width, center) as they are told."""
        text = self.readout("bottomLeft").inner_text()
        found = re.search(r"W ([-\d.,]+) · L ([-\d.,]+)", text)
        assert found is not None, text
        width, center = (float(number.replace(".", "").replace(",", ".")) for number in found.groups())
        return width, center

    def zoom_percent(self) -> int:
        """Return the zoom as it is told."""
        return int(self._read("bottomLeft", r"(\d+)%"))

    def grey(self, canvas: str = "[data-backend] canvas") -> NDArray[np.uint8]:
        """Return the canvas as grey levels, rows by columns."""
        return pixels_of(str(self.page.evaluate(PICTURE, canvas)))

    def marks(self) -> list[str]:
        """Return the texts of what was measured on this slice."""
        texts: list[str] = self.page.evaluate(
            "() => [...document.querySelectorAll('[data-backend] svg text')].map(text => text.textContent)"
        )
        return [text for text in texts if text]

    def get(self, path: str, accept: str) -> Any:
        """Ask the node with the reader's own cookie, as the page does."""
        answer = self.context.request.get(self.base_url + path, headers={"Accept": accept})
        assert answer.ok, f"{answer.status} {path}"
        return answer

    def dicomweb(self) -> str:
        """Return the DICOMweb address of the study that is open, path only."""
        place = urlsplit(self.page.url)
        site = re.search(r"site=([^&]+)", place.query)
        assert site is not None
        return f"/sites/{quote(site[1])}/dicom-web/studies/{place.path.rsplit('/', 1)[1]}"

    # ------------------------------------------------------------------------------------------------------------------

    def _read(self, corner: str, pattern: str) -> str:
        text = self.readout(corner).inner_text()
        found = re.search(pattern, text)
        assert found is not None, text
        return found[1]

    def _note_console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Uncaught" in message.text:
            self.faults.append(message.text)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.base_url + "/", "data:", "blob:")):
            self.faults.append(f"asked elsewhere: {request.url}")
