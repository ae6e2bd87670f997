"""Print the OpenAPI description of the reading room's API, from its code; nothing is started."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI

sys.path.insert(0, str(Path(__file__).parents[3]))

from viewer.server.api import build_api


def describe() -> dict[str, Any]:
    """Return the description; handlers are described, never called, so they need no services."""
    app = FastAPI()
    app.include_router(build_api(cast("Any", SimpleNamespace(access=None, db=None, clock=None, vault=None))))
    return app.openapi()


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
