"""The tree keeps its promises: documents are current, contracts bite, nothing is a grab bag, nothing leaks."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from exchange.documents import tables as documents
from kernel.events import EventName
from routing.rules import Rule

ROOT = Path(__file__).parents[1]
ROOMS = ("exchange", "gateway", "viewer", "consult", "routing", "anonymizer", "wsi", "kernel")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]


def sources(*suffixes: str) -> list[Path]:
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / line for line in run.stdout.splitlines()]
    return [path for path in files if path.suffix in suffixes and path.exists()]


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_generated_tables_of_a_document_are_current(path):
    text = path.read_text()

    assert documents.renewed(text) == text, "run: ./dev docs"


def test_every_table_that_can_be_generated_is_in_a_document():
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))

    assert [name for name in documents.TABLES if f"<!-- begin {name} -->" not in text] == []


def test_every_error_is_in_the_one_table_of_errors():
    families = re.findall(r"^class (\w+)\(", (ROOT / "kernel" / "errors.py").read_text(), flags=re.MULTILINE)
    child = re.compile(rf"^ *class \w+\((?:{'|'.join(families)})\)", flags=re.MULTILINE)
    elsewhere = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if child.search(path.read_text())]

    # Otherwise which statuses the document lists would hang on which modules are imported.
    assert elsewhere == [ROOT / "kernel" / "errors.py"]


def test_the_journey_in_the_architecture_names_every_event():
    text = (ROOT / "docs" / "architecture.md").read_text()

    assert [name.value for name in EventName if f"`{name.value}`" not in text] == []


def test_every_command_that_the_readme_names_exists():
    readme = (ROOT / "README.md").read_text()
    named = set(re.findall(r"^\.venv/bin/vienanh ([a-z]+)", readme, flags=re.MULTILINE))
    recipes = set(re.findall(r"\./dev ([a-z]+)", readme))
    known = {line.split("`")[1].split()[1] for line in documents.commands() if "`vienanh" in line}
    justfile = (ROOT / "justfile").read_text()

    assert named
    assert named <= known
    assert not re.search(r"^vienanh ", readme, flags=re.MULTILINE)  # it is not on the PATH
    assert all(re.search(rf"^{recipe}\b.*:", justfile, flags=re.MULTILINE) for recipe in recipes)


def test_every_command_that_a_document_names_exists():
    known = {tuple(line.split("`")[1].split()[1:]) for line in documents.commands() if "`vienanh" in line}
    groups = {words[0] for words in known if len(words) > 1}
    named = re.compile(r"(?:`|^ {4}|bin/)vienanh\s+([a-z][a-z-]*)(?:\s+([a-z][a-z-]*)\b(?![/.:]))?", re.MULTILINE)
    written = [(path.name, *words) for path in sources(".md") for words in named.findall(path.read_text())]

    assert len(written) > 100
    assert [
        (document, first, second)
        for document, first, second in written
        if not ({(first,), (first, second)} & known or (first in groups and not second))
    ] == []


def test_every_example_of_settings_in_a_document_can_be_read_and_shows_every_key_of_a_rule():
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    read = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)]

    shown = {key for block in read for rule in block.get("rule", ()) for key in rule}

    assert shown == {field.name for field in dataclasses.fields(Rule)} - {"number"}


def test_an_old_node_is_told_before_anything_is_installed(tmp_path):
    (tmp_path / "node").write_text('#!/bin/sh\n[ "$1" = --version ] && echo v18.20.4 || exit 1\n')
    (tmp_path / "npm").write_text("#!/bin/sh\n")
    for program in ("node", "npm"):
        (tmp_path / program).chmod(0o755)

    told = subprocess.run(
        [ROOT / "dev"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )

    assert told.returncode == 1
    assert told.stderr == "Node 20.19 or newer is needed, this is v18.20.4: see https://nodejs.org.\n"


def test_the_commands_are_listed_where_only_the_environment_has_just():
    command = [Path(sys.executable).parent / "just"]
    listed = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )

    assert "check" in listed.stdout


def test_no_merge_left_its_marks():
    marks = re.compile(r"^(<{7} |={7}$|>{7} )", flags=re.MULTILINE)

    assert [path for path in sources(".py", ".md", ".ts", ".tsx", ".toml", "") if marks.search(path.read_text())] == []


def test_links_between_documents_lead_somewhere():
    broken = [
        f"{path.name}: {target}"
        for path in sources(".md")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert broken == []


def test_no_module_is_a_grab_bag():
    bags = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [str(path) for path in sources(".py", ".ts", ".tsx") if path.stem in bags or path.parent.name in bags] == []


def test_no_dicom_or_slide_lies_outside_the_fixtures():
    kinds = (".dcm", ".svs", ".ndpi", ".tif", ".tiff", ".mrxs")

    assert [str(path) for path in sources(*kinds) if ROOT / "fixtures" not in path.parents] == []


def test_no_file_names_an_index_or_a_home_folder():
    pattern = re.compile(
        r"--(extra-)?index-url |\"resolved\": *\"http|files\.pythonhosted|registry\.npmjs|/(root|home)/\w"
    )
    texts = sources(".py", ".ts", ".tsx", ".md", ".toml", ".json", ".lock", ".yaml", ".yml", "")
    own = Path(__file__)

    assert [str(path) for path in texts if path != own and pattern.search(path.read_text(errors="replace"))] == []


def test_a_generated_table_names_its_source_and_edition():
    table = (ROOT / "anonymizer" / "tables" / "ps3_15_e_1_1.json").read_text()[:2000]

    assert re.search(r'"edition": *"20\d\d[a-e]"', table)
    assert '"source"' in table


def test_the_lock_file_is_hashed_and_covers_every_dependency():
    lock = (ROOT / "requirements.lock").read_text()
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
    names = [re.split(r"[\[<>=,]", entry)[0].lower() for entry in wanted]

    assert [name for name in names if not re.search(rf"^{re.escape(name)}(\[\w+\])?==", lock, re.MULTILINE)] == []
    assert len(re.findall(r"^\S+==", lock, re.MULTILINE)) <= lock.count("--hash=sha256:")


def test_nothing_that_a_node_needs_obliges_whoever_passes_it_on_to_more_than_its_own_text():
    lines = (ROOT / "docs" / "licences.md").read_text().splitlines()
    licences = [line.split(" | ")[1] for line in lines if line.endswith(("| node |", "| pages |"))]

    assert len(licences) > 100
    assert [one for one in licences if re.search(r"(?<!L)GPL|AGPL|GNU (Affero )?General|SSPL", one)] == []


FAULTS = {
    "Rooms import downwards only": ("kernel/clock.py", "import gateway.status"),
    "Inside the kernel, too": ("kernel/errors.py", "import kernel.archive.records"),
    "Inside the anonymizer, and the search after it shares no code with it": (
        "anonymizer/residue/search.py",
        "import anonymizer.elements.second_net",
    ),
    "Inside the archive": ("kernel/archive/records.py", "import kernel.archive.deletion"),
    "Inside the DICOM primitives": ("kernel/dicom/scanning/scanner.py", "import kernel.dicom.pixels.frames"),
    "Inside the composition root": ("exchange/node/assemble.py", "import exchange.commands.table"),
    "Transformations know no database, archive, socket or web framework": ("wsi/__init__.py", "import sqlalchemy"),
    "SQLAlchemy has its doors": ("gateway/status.py", "import sqlalchemy"),
    "highdicom has one door, which threads pass one by one": ("consult/findings/marks.py", "from highdicom import sr"),
    "pynetdicom is a peer in tests": ("gateway/status.py", "import pynetdicom"),
    "The web framework stays at the edge": ("routing/rules.py", "import fastapi"),
    "Codecs live in kernel.dicom.pixels and wsi": ("gateway/status.py", "import imagecodecs"),
}


def test_every_import_contract_has_a_planted_fault():
    assert {contract["name"] for contract in CONTRACTS} == set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_an_import_contract_breaks_when_a_fault_is_planted(name, tmp_path):
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("web", "static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module, fault = FAULTS[name]
    content = (tmp_path / module).read_text()
    (tmp_path / module).write_text(content + f"\n{fault}  # planted\n")
    program = Path(sys.executable).with_name("lint-imports")

    run = subprocess.run(
        [program, "--no-cache"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert run.returncode != 0
    assert f"{name} BROKEN" in run.stdout
