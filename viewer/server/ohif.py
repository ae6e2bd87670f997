"""OHIF as a second viewer under /ohif/, signed in as the reading room is; `vienanh ohif install` lays its build there.

It reads over DICOMweb with the session's cookie, so that it shows what the person may see and each look is in the audit;
it cannot write, as it does not send the session's CSRF value. Its pages have a policy of their own: it makes styles of
text, which the reading room never allows itself.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from viewer.server import pages
from viewer.server.security import DIRECTIVES, policy

FOLDER: Final = "ohif"  # beneath the data folder
PREFIX: Final = "/ohif/"
INDEX: Final = "index.html"
_SOURCE: Final[dict[str, Any]] = {
    "friendlyName": "Viễn Ảnh",
    "qidoRoot": "/dicom-web",
    "wadoRoot": "/dicom-web",
    "wadoUriRoot": "/dicom-web",
    "qidoSupportsIncludeField": True,
    "supportsFuzzyMatching": True,
    "supportsWildcard": True,
    "imageRendering": "wadors",
    "thumbnailRendering": "wadors",
    "enableStudyLazyLoad": True,
    "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
}
CONFIGURATION: Final[dict[str, Any]] = {
    "routerBasename": PREFIX.rstrip("/"),
    "showStudyList": True,
    "extensions": [],
    "modes": [],
    "customizationService": {},
    "maxNumberOfWebWorkers": 2,
    "investigationalUseDialog": {"option": "always"},
    "defaultDataSourceName": "dicomweb",
    "dataSources": [
        {
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "dicomweb",
            "configuration": _SOURCE,
        }
    ],
}
_DIRECTIVES: Final = {
    **DIRECTIVES,
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
    "connect-src": "'self' blob: data:",
    "base-uri": "'self'",
}
# A worker has the policy of its own script: OHIF's decoders make functions of text there, its pages may not.
_IN_WORKERS: Final = {**_DIRECTIVES, "script-src": f"{_DIRECTIVES['script-src']} 'unsafe-eval'"}


def folder_in(data: Path) -> Path:
    """Return where the build lies in a data folder, whether or not it is there."""
    return data / FOLDER


def is_installed(data: Path) -> bool:
    """Whether somebody has installed it here."""
    return (folder_in(data) / INDEX).is_file()


def app_config() -> str:
    """Return the script that tells OHIF where the studies are."""
    return f"window.config = {json.dumps(CONFIGURATION, ensure_ascii=False)};\n"


def routes(data: Path, is_signed_in: Callable[[Request], bool]) -> list[BaseRoute]:
    """Return its routes, 404 while it is not installed.

    Its own addresses are all answered with its one page, which sends who has no session to the reading room's door.
    """
    folder = folder_in(data)

    @lru_cache(maxsize=1)
    def files(_inode: int) -> Mapping[str, pages.Page]:
        return pages.files_of(folder)

    def page(request: Request) -> Response:  # in a thread: it looks at the disk, and asks the database for a session
        if not is_installed(data):
            return Response("OHIF is not installed at this node: vienanh ohif install", status_code=404)
        table = files(folder.stat().st_ino)
        found = table.get(request.path_params["path"])
        if found is None and not is_signed_in(request):
            return RedirectResponse("/")
        found = found or table[INDEX]
        given = pages.answer(found, request.headers.get("accept-encoding", ""))
        given.headers["Content-Security-Policy"] = policy(_IN_WORKERS if found.path.suffix == ".js" else _DIRECTIVES)
        return given

    async def root(_: Request) -> Response:
        return RedirectResponse(PREFIX)

    return [
        Route(PREFIX.rstrip("/"), root, methods=["GET"]),
        Route(PREFIX + "{path:path}", page, methods=["GET"]),
    ]
