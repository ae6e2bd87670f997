"""A real OHIF: the npm package that `vienanh ohif install` installs, fetched once."""

import os
import shutil
import tempfile
from pathlib import Path

from exchange.commands.second_viewer import VERSION, fetched
from kernel.errors import ExchangeError
from tests.support.absent import absent

PACKAGE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vienanh-peers" / f"ohif-app-{VERSION}.tgz"


def package() -> Path:
    """Return the package's file; fail in CI and skip elsewhere when it cannot be had."""
    if not PACKAGE.exists():
        PACKAGE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PACKAGE.parent) as folder:
            try:
                shutil.move(fetched(Path(folder)), PACKAGE)
            except ExchangeError:
                absent("OHIF's npm package cannot be had")
    return PACKAGE
