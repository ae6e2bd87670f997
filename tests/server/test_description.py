"""What the API says of itself, and schemathesis trying it out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.access import Scope

ENVIRONMENT = {**os.environ, "NO_PROXY": "*"}
EXAMPLES = 2  # of each operation and phase
SECONDS = 15


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_schemathesis_finds_nothing_in_the_api_that_fails_or_is_told_otherwise_than_described(room, tmp_path: Path):
    study = room.add_study(seed="tried")
    token = room.stores.access.tokens.create("tries", tuple(Scope), site="LOCAL", by="test")
    with room.client() as client:
        described = client.get("/api/openapi.json").json()
    described["paths"] = {path: one for path, one in described["paths"].items() if path.startswith("/api")}
    operations = [operation for methods in described["paths"].values() for operation in methods.values()]
    for parameter in (one for operation in operations for one in operation.get("parameters", ())):
        if parameter["name"] == "study_uid":
            parameter["schema"] = {"enum": [study]}  # so that what is tried is seldom refused at the first door
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(described))

    run = subprocess.run(
        [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("run", file, "--url", room.url),
            *("-H", f"Authorization: Bearer {token}", "--seed", "20261122", "--generation-deterministic"),
            *("--phases", "coverage,fuzzing", "-n", str(EXAMPLES), "--no-shrink", "--continue-on-failure"),
            *("--checks", "not_a_server_error,status_code_conformance"),
            *("--max-time", str(SECONDS), "--suppress-health-check", "all"),
            *("--request-timeout", "30", "--no-color", "--warnings", "off"),
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100, env=ENVIRONMENT,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    (tried,) = re.findall(r"(\d+) generated", run.stdout)
    assert int(tried) > len(operations)
    with room.client(Authorization=f"Bearer {token}") as client:
        assert client.get(f"/api/studies/{study}").status_code == 200
