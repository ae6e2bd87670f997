"""What a test needs and the machine lacks."""

import os
from typing import NoReturn

import pytest


def absent(what: str) -> NoReturn:
    """Fail in CI, and skip with a reason elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)
