# Every developer command. ./dev NAME runs one in the project's environment.

set shell := ["sh", "-eu", "-c"]

# List the commands.
default:
    @just --list --unsorted

# Resolve the dependencies anew into requirements.lock (hashes, no index address).
lock:
    uv pip compile pyproject.toml --extra dev --python-version 3.11 --universal --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header -q -o requirements.lock
