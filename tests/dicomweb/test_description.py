"""What the service says of itself: capabilities (PS3.18 8.9), OpenAPI, and schemathesis trying it out."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gateway.dicomweb.app import ROUTES
from gateway.dicomweb.description import OPERATIONS, PARAMETERS, WADL, openapi, parameters_of
from tests.dicomweb.conftest import running_node
from tests.support.builders import a_ct

NS = {"w": WADL}
ROOT = Path(__file__).parents[2]
HOOKS = {"SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
ENVIRONMENT = {**os.environ, "NO_PROXY": "*", **HOOKS}
EXAMPLES = 8  # of each operation and phase
SECONDS = 25


def options(node, path="/dicom-web", **headers):
    with node.http() as client:
        return client.request("OPTIONS", path, headers=headers)


@pytest.mark.parametrize("path", ["/dicom-web", "/dicom-web/", "/sites/BV1/dicom-web"])
def test_capabilities_name_every_route_as_wadl(archive, path):
    response = options(archive, path)

    assert response.headers["content-type"] == "application/vnd.sun.wadl+xml"
    root = ET.fromstring(response.content)
    (resources,) = root.findall("w:resources", NS)
    assert resources.get("base") == archive.url + path.removesuffix("/") + "/"
    named = {
        (method.get("name"), "/" + (one.get("path") or ""))
        for one in resources
        for method in one.findall("w:method", NS)
    }
    assert named == {(row.method, "/" + row.path.lstrip("/").replace(":path}", "}")) for row in ROUTES}


def test_capabilities_are_openapi_for_who_wants_json(archive):
    response = options(archive, Accept="application/json")

    assert response.json() == json.loads(json.dumps(openapi(ROUTES, version("vienanh"))))
    assert options(archive, Accept="text/html").status_code == 406


def test_every_stage_and_every_parameter_of_a_route_is_described():
    assert {row.stage for row in ROUTES} - OPERATIONS.keys() == set()
    assert {name for row in ROUTES for name in parameters_of(row.path)} - PARAMETERS.keys() == set()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing_that_fails_or_is_told_otherwise_than_described(tmp_path: Path):
    with running_node(tmp_path / "node", deletion="off") as node:
        node.store(a_ct())
        described = tmp_path / "openapi.json"
        described.write_text(json.dumps(openapi(ROUTES, "1")))
        run = subprocess.run(
            [
                *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
                *("run", described, "--url", node.url),
                *("-H", f"Authorization: Bearer {node.token}", "--seed", "20261122", "--generation-deterministic"),
                *("--phases", "coverage,fuzzing", "-n", str(EXAMPLES), "--no-shrink", "--continue-on-failure"),
                *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
                *("--max-time", str(SECONDS), "--suppress-health-check", "all"),
                *("--request-timeout", "30", "--no-color", "--warnings", "off"),
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280, env=ENVIRONMENT,
        )  # fmt: skip
        whole = node.get("/dicom-web/studies")

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    (tried,) = re.findall(r"(\d+) generated", run.stdout)
    assert int(tried) > len(ROUTES)  # how many more there are in its time is the machine's matter
    assert whole.status_code == 200
    assert len(whole.json()) == 1
