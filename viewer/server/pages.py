"""The reading room's files: the front end's build, served from memory-mapped metadata, precompressed where it was.

Names with a content hash are cached for ever, `index.html` never. Paths that belong to the reading room's own screens
are answered with `index.html`; anything else that is not a file is 404.
"""

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

IMMUTABLE = "public, max-age=31536000, immutable"
SCREENS = re.compile(r"(worklist|display|reviews|upload|shared|launch|study/[0-9A-Za-z.\-/]+)?")
HASHED = re.compile(r"\.[0-9a-f]{16}\.js$")  # as webpack names a bundle after what is in it
COMPRESSED = (("br", ".br"), ("gzip", ".gz"))

NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>Viễn Ảnh</title>
<p>The reading room was not built. In a checkout, <code>./dev demo</code> builds it; DICOMweb works without it.</p>
<p>Phòng đọc chưa được dựng. Trong thư mục mã nguồn, chạy <code>./dev demo</code>.</p>
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

    async def page(request: Request) -> Response:
        name = request.path_params["path"]
        found = pages.get(name) or (pages.get("index.html") if SCREENS.fullmatch(name) else None)
        if found is None and SCREENS.fullmatch(name):
            return HTMLResponse(NOT_BUILT, status_code=503)
        if found is None:
            return Response(status_code=404)
        return answer(found, request.headers.get("accept-encoding", ""))

    return [Route("/{path:path}", page, methods=["GET"])]


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


def answer(page: Page, accept_encoding: str) -> Response:
    """Return a file in the best coding that lies beside it."""
    headers = {"Cache-Control": IMMUTABLE if page.immutable else "no-cache", "Vary": "Accept-Encoding"}
    accepted = {part.split(";")[0].strip() for part in accept_encoding.split(",")}
    for coding, file in page.encodings:
        if coding in accepted:
            return FileResponse(file, media_type=page.media_type, headers={**headers, "Content-Encoding": coding})
    return FileResponse(page.path, media_type=page.media_type, headers=headers)
