"""The table of what a node is built from that others wrote, and under which licence, as the packages say themselves."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
TEXT_CHARACTERS_MAX: Final = 60  # of a licence's name; some packages give the whole text
_REQUIREMENT: Final = re.compile(r"(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[\w, -]+)\])?(?P<rest>.*)")
_EXTRA: Final = re.compile(r"extra\s*==\s*['\"](?P<extra>[\w-]+)['\"]")
_ELSEWHERE: Final = re.compile(r"python_version|python_full_version|sys_platform|platform_|os_name")


def licences() -> Iterator[str]:
    """Yield the lines of the table: Python packages that a node needs, then those that its pages are built from."""
    yield "| package | licence | of |"
    yield "|---|---|---|"
    for name, licence in sorted(_python().items()):
        yield f"| {name} | {licence} | node |"
    for name, licence in sorted(_pages().items()):
        yield f"| {name} | {licence} | pages |"


def _python() -> Mapping[str, str]:
    """Return the licence of each package that is needed to run, with what those need; development's are not among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    left: list[str] = list(project["dependencies"])
    found: dict[str, str] = {}
    while left:
        requirement = _REQUIREMENT.match(left.pop())
        assert requirement is not None, "metadata are checked by whoever installs them"
        name = re.sub(r"[-_.]+", "-", requirement["name"]).lower()
        extras = set(re.split(r"[,\s]+", requirement["extras"] or ""))
        if name in found and extras == {""}:
            continue
        try:
            found[name] = _licence(metadata(name).json)
        except PackageNotFoundError:
            continue  # of another system, or an older Python
        left += [one for one in requires(name) or () if _is_wanted(one, extras)]
    return found


def _is_wanted(requirement: str, extras: set[str]) -> bool:
    asked = _EXTRA.search(requirement)
    return not _ELSEWHERE.search(requirement) and (asked is None or asked["extra"] in extras)


def _licence(said: Mapping[str, Any]) -> str:
    """Return the licence that a package's metadata name, by the most exact of their three fields."""
    if expression := said.get("license_expression"):
        return expression
    classified = [one.split(" :: ")[-1] for one in said.get("classifier", ()) if one.startswith("License :: OSI")]
    if classified:
        return ", ".join(classified)
    text = str(said.get("license", "")).strip()
    return text.splitlines()[0][:TEXT_CHARACTERS_MAX] if text else "not said"


def _pages() -> Mapping[str, str]:
    """Return the licence of each package that is not development's, as the lock file says."""
    lock = json.loads((ROOT / "viewer" / "web" / "package-lock.json").read_text(encoding="utf-8"))
    return {
        path.rpartition("node_modules/")[2]: one.get("license", "not said")
        for path, one in lock["packages"].items()
        if path and not (one.get("dev") or one.get("optional") or one.get("devOptional") or one.get("peer"))
    }
