"""The reading room believes what the server says of itself: the types of the API are generated from its description."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.absent import absent

WEB = Path(__file__).parents[2] / "viewer" / "web"


def test_the_types_of_the_reading_room_are_those_of_the_server():
    node = shutil.which("node")
    if node is None:
        absent("node is missing")
    described = subprocess.run([sys.executable, WEB / "scripts" / "describe.py"], check=True, capture_output=True)

    checked = subprocess.run(
        [node, WEB / "scripts" / "types.mjs", "--check"], input=described.stdout, capture_output=True, check=False
    )

    assert checked.returncode == 0, checked.stderr.decode()
