"""`vienanh demo --once`: what a newcomer runs first says of itself that everything arrived."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.nodes import ENVIRONMENT

ROOT = Path(__file__).parents[2]
TITLES = 5  # studies of the demo


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_demo_run_once_ends_well_and_tells_what_became_of_each_study():
    command = [sys.executable, "-m", "exchange", "demo", "--once", "--http-port", "0"]

    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False, env={**ENVIRONMENT, "TERM": "dumb"}
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(": pseudonymised, ") == TITLES
    assert run.stdout.splitlines()[-1] == "Every slice arrived, was pseudonymised and rendered."
