"""The reading room's files: the front end's build, served from memory-mapped metadata, precompressed where it was.

Names with a content hash are cached for ever, `index.html` never. Paths that belong to the reading room's own screens
are answered with `index.html`; anything else that is not a file is 404: to a browser the same page, which says so in the
reader's language, to a program JSON.
"""

import mimetypes
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from kernel.errors import NotFound

IMMUTABLE = "public, max-age=31536000, immutable"
SCREENS = re.compile(
    r"(worklist|display|reviews|zones|upload|shared|launch|IHEInvokeImageDisplay|study/[0-9A-Za-z.]{1,64})?"
)
HASHED = re.compile(r"\.[0-9a-f]{16}\.js$")  # as webpack names a bundle after what is in it
COMPRESSED = (("br", ".br"), ("gzip", ".gz"))

NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>Viễn Ảnh</title>
<p>The reading room was not built. In a checkout, <code>./dev demo</code> builds it; DICOMweb works without it.</p>
<p>Phòng đọc chưa được dựng. Trong thư mục mã nguồn, chạy <code>./dev demo</code>.</p>
"""


NOTHING = """<!doctype html><meta charset="utf-8"><title>Viễn Ảnh</title>
<p>Không có trang này. <a href="/">Tới danh sách</a></p>
<p lang="en">There is no such page. <a href="/">To the list</a></p>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the build and the encodings in which it lies beside."""

    path: Path
    media_type: str
    encodings: tuple[tuple[str, Path], ...]
    immutable: bool


def build_folder() -> Path:
    """Return the folder of the front end's build, whether or not it is there."""
    return Path(str(files("viewer"))) / "static"


def routes(folder: Path) -> list[BaseRoute]:
    """Return the routes of the screens and their files; they come last, after every other route."""
    pages = files_of(folder)

    def is_page(name: str) -> bool:
        return name in pages or SCREENS.fullmatch(name) is not None

    async def page(request: Request) -> Response:
        name = request.path_params["path"]
        found = pages.get(name) or (pages.get("index.html") if SCREENS.fullmatch(name) else None)
        if found is None and SCREENS.fullmatch(name):
            return HTMLResponse(NOT_BUILT, status_code=503)
        if found is None:
            return _nothing(request, pages.get("index.html"))
        return answer(found, request.headers.get("accept-encoding", ""))

    return [_Pages(page, is_page)]


class _Pages(Route):
    """Every address, to look at. For anything else only pages have addresses: the others are not found, whoever asks how."""

    def __init__(self, page: Callable[[Request], Awaitable[Response]], is_page: Callable[[str], bool]) -> None:
        super().__init__("/{path:path}", page, methods=["GET"])
        self._is_page = is_page

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that no other route took (ASGI)."""
        if scope["method"] not in ("GET", "HEAD") and not self._is_page(scope["path_params"]["path"]):
            raise NotFound(what="address")
        await super().handle(scope, receive, send)


def _nothing(request: Request, room: Page | None) -> Response:
    """Say that nothing has this address, to a person in words. Raises NotFound, which is told to a program as JSON."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        raise NotFound(what="address")
    if room is None:
        return HTMLResponse(NOTHING, status_code=404)
    return answer(room, request.headers.get("accept-encoding", ""), status=404)


def files_of(folder: Path) -> Mapping[str, Page]:
    """Return every file of a build by its path; nothing outside this table can be asked for."""
    if not folder.is_dir():
        return {}
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".br", ".gz")]
    return {str(path.relative_to(folder)): _page(path, folder) for path in found if not path.name.startswith(".")}


def _page(path: Path, folder: Path) -> Page:
    media_type = {".wasm": "application/wasm", ".js": "text/javascript", ".mjs": "text/javascript"}.get(path.suffix)
    beside = ((coding, path.with_name(path.name + suffix)) for coding, suffix in COMPRESSED)
    return Page(
        path=path,
        media_type=media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        encodings=tuple((coding, file) for coding, file in beside if file.exists()),
        immutable=path.relative_to(folder).parts[0] == "assets" or HASHED.search(path.name) is not None,
    )


def answer(page: Page, accept_encoding: str, *, status: int = 200) -> Response:
    """Return a file in the best coding that lies beside it."""
    headers = {"Cache-Control": IMMUTABLE if page.immutable else "no-cache", "Vary": "Accept-Encoding"}
    accepted = {part.split(";")[0].strip() for part in accept_encoding.split(",")}
    for coding, file in page.encodings:
        if coding in accepted:
            return FileResponse(file, status, {**headers, "Content-Encoding": coding}, page.media_type)
    return FileResponse(page.path, status, headers, page.media_type)
