# Every developer command. ./dev NAME runs one in the project's environment.

set shell := ["sh", "-eu", "-c"]
set positional-arguments

export PYTHONDONTWRITEBYTECODE := ""  # nodes start often: let Python keep what it compiled

bin := justfile_directory() / ".venv/bin"  # by its path: pynetdicom has an echoscu and a storescu of its own there
peers := "dcmtk chromium chromium-headless-shell orthanc orthanc-dicomweb postgresql dicom3tools ffmpeg libturbojpeg0 tesseract-ocr tesseract-ocr-vie fonts-dejavu-core"

# List the commands.
default:
    @"{{ just_executable() }}" --justfile "{{ justfile() }}" --list --unsorted

# Start a site and a hub on loopback and send real studies through them.
demo *arguments:
    @exec {{ bin }}/vienanh demo "$@"

# Everything that must hold before a change is taken: peers, lint, types, contracts, front end, tests.
check: peers lint types contracts web tests

# Run the tests, or some of them.
test *arguments:
    {{ bin }}/python -m pytest "$@"

# Run every test: as many at a time as there are processors and one more, because tests wait, too; long files first.
# Of at most ten that failed, each has a second try alone, and both results are printed:
# what depends on how busy the machine is is a fault of the test, to be mended, and no reason to refuse everything else.
[private]
tests:
    #!/bin/sh -u
    cd "{{ justfile_directory() }}"; rm -rf .artifacts/tests
    {{ bin }}/python -m pytest -n $(({{ num_cpus() }} + 1)) --dist loadfile --no-loadscope-reorder --durations 40 && exit 0
    failed=$({{ bin }}/python -c "import json; print(len(json.load(open('.artifacts/tests/v/cache/lastfailed'))))") || exit 1
    [ "$failed" -le 10 ] || exit 1
    echo "$failed failed beside others. Each alone:"
    {{ bin }}/python -m pytest --last-failed --last-failed-no-failures none

# Measure, against a peer where there is one: ./dev bench receive [--floor], dicomweb [--floor], index, deidentify, pixels, slides, slide_room, viewer or volumes [--short] [--json FILE].
bench name *arguments:
    @shift; {{ bin }}/python -m bench.{{ name }} "$@"

# Let a coverage-guided fuzzer loose on every parser of strangers' bytes, or some: ./dev fuzz [NAME...] [--seconds N].
fuzz *arguments:
    @{{ bin }}/python -c "import atheris" 2>/dev/null || {{ bin }}/python -m pip install --quiet "atheris>=3"
    {{ bin }}/python -m tests.fuzz "$@"

# Format and repair what can be repaired.
format:
    {{ bin }}/ruff format .
    {{ bin }}/ruff check --fix .
    cd viewer/web && npx biome check --write .

# Look for mistakes in form: ruff, dead code, spelling, unused dependencies, a stale lock.
lint:
    {{ bin }}/ruff check .
    {{ bin }}/ruff format --check .
    {{ bin }}/vulture
    {{ bin }}/typos
    {{ bin }}/deptry .

# Check types, strictly.
types:
    {{ bin }}/basedpyright

# Check that imports run downwards only.
contracts:
    {{ bin }}/lint-imports

# Check the front end: Biome, tsc, knip, Vitest.
web:
    cd viewer/web && npm run --silent check

# Install the foreign programs that tests need (root on Debian), or say how.
peers:
    #!/bin/sh
    present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' {{ peers }} 2>/dev/null | awk '$1 == "ii" {print $2}')
    for name in {{ peers }}; do echo "$present" | grep -qx "$name" || wanted="${wanted:-} $name"; done
    [ -n "${wanted:-}" ] || exit 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing$wanted"
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted >/dev/null
    else
        echo "Tests that need a foreign program are skipped. To run them: sudo apt-get install$wanted" >&2
    fi

# Resolve the dependencies anew into requirements.lock (hashes, no index address).
lock:
    {{ bin }}/uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header -q -o requirements.lock

# Make the generated tables of the documents anew.
docs:
    {{ bin }}/python -m exchange.documents
