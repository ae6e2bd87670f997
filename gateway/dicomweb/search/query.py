"""A QIDO-RS query string as matching keys, wanted attributes and a page (PS3.18 8.3.4, 10.6.1). Pure.

Keys are keywords or eight hexadecimal digits, dotted into sequences. One that cannot be searched is refused: to ignore
it would answer with studies that were not asked for. Dates and times are matched together (PS3.18 8.3.4.1).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kernel.dicom.queries.identifier import DEPTH_MAX, Tree, Wanted, combined, of_paths
from kernel.dicom.queries.matching import Rules
from kernel.dicom.queries.timezone import in_zone, parse_offset
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, TAG_OF, VR_OF
from kernel.dicom.vocabulary.levels import NOT_KEPT, Level, is_of
from kernel.errors import InvalidQuery

OFFSET_MAX: Final = 1_000_000
KEYS_MAX: Final = 64
_CONTROL: Final = (
    "limit", "offset", "fuzzymatching", "emptyvaluematching", "multiplevaluematching", "includefield", "accept",
    "charset",
)  # fmt: skip
_UNMATCHED: Final = ("SpecificCharacterSet", "QueryRetrieveLevel")  # they say how, not what
_ENTITY: Final = {"study": "a study", "series": "a series", "instance": "an instance"}
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    keys: Tree
    limit: int
    offset: int
    wanted: Wanted  # asked for beside the usual attributes
    includes_all: bool
    zone_minutes: int | None  # east of UTC, in which dates and times are asked for and told; None: the archive's own


def parse(
    parameters: Iterable[tuple[str, str]], level: Level, results_max: int, archive_zone_minutes: int = 0
) -> Query:
    """Read a query string's parameters.

    Raises
    ------
    InvalidQuery
        Names the keyword, never the value: it may be a patient's name.
    """
    keys: defaultdict[Path, list[str]] = defaultdict(list)
    control: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in parameters:
        if name.lower() in _CONTROL:
            control[name.lower()].append(value)
        elif name not in _UNMATCHED:
            keys[_key(name, level)].append(value)
    if len(keys) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} keys")
    zone_minutes = parse_offset(keys.pop((TAG_OF["TimezoneOffsetFromUTC"],), [""])[-1])
    rules = Rules(
        fuzzy=_is_true(control, "fuzzymatching"),
        empty=_is_true(control, "emptyvaluematching"),
        multiple=_is_true(control, "multiplevaluematching"),
    )
    tree = combined(of_paths([(path, _text(path, values)) for path, values in keys.items()], rules))
    if zone_minutes is not None:
        tree = in_zone(tree, zone_minutes - archive_zone_minutes)
    wanted, includes_all = _included(control["includefield"], level)
    return Query(
        keys=tree,
        limit=_count(control, "limit", results_max, results_max),
        offset=_count(control, "offset", 0, OFFSET_MAX),
        wanted=wanted,
        includes_all=includes_all,
        zone_minutes=zone_minutes,
    )


def tag_of(name: str) -> int | None:
    """Return the tag of a keyword or of eight hexadecimal digits; None when it is neither."""
    if name in TAG_OF:
        return TAG_OF[name]
    try:
        return int(name, 16) if len(name) == 8 and name.isalnum() else None
    except ValueError:
        return None


def path_of(name: str) -> Path | None:
    """Return the tags of a dotted name; None when one of its parts is none."""
    tags = [tag_of(part) for part in name.split(".", DEPTH_MAX + 1)]
    return None if None in tags else tuple(tag for tag in tags if tag is not None)


def _key(name: str, level: Level) -> Path:
    path = path_of(name)
    if path is None or any(tag not in VR_OF for tag in path):
        raise InvalidQuery(reason="one of the keys is no attribute of PS3.6; use keywords or eight hexadecimal digits")
    if path[0] in NOT_KEPT:
        raise InvalidQuery(reason=f"{KEYWORD_OF.get(path[0])} is not searched by")
    if not is_of(path[0], level):
        raise InvalidQuery(reason=f"{KEYWORD_OF.get(path[0])} is no attribute of {_ENTITY[level]}: search below it")
    return path


def _text(path: Path, values: list[str]) -> str:
    text = "\\".join(values)
    # No comma occurs in a CS, and viewers join modalities with it.
    return text.replace(",", "\\") if VR_OF[path[-1]] == "CS" else text


def _last(control: Mapping[str, list[str]], name: str) -> str:
    return control[name][-1].strip() if control.get(name) else ""


def _is_true(control: Mapping[str, list[str]], name: str) -> bool:
    text = _last(control, name).lower()
    if text not in ("", "true", "false"):
        raise InvalidQuery(reason=f"{name} is true or false")
    return text == "true"


def _count(control: Mapping[str, list[str]], name: str, default: int, most: int) -> int:
    text = _last(control, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise InvalidQuery(reason=f"{name} is a whole number from zero")
    number = int(text[:12])
    if name == "offset" and number > most:
        raise InvalidQuery(reason=f"offset is more than {most}; narrow the search by date")
    return min(number, most)


def _included(values: list[str], level: Level) -> tuple[Wanted, bool]:
    """Return the tree of `includefield`; attributes of a lower level are not given (PS3.18 10.6.3.3)."""
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if len(names) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} includefield")
    wanted: dict[int, Wanted | None] = {}
    for name in names:
        path = path_of(name)
        if path is None:
            if name != "all":
                raise InvalidQuery(reason="includefield is a keyword, a tag of eight hexadecimal digits, or all")
        elif len(path) > DEPTH_MAX:
            raise InvalidQuery(reason=f"sequences deeper than {DEPTH_MAX}")
        elif is_of(path[0], level) or path[0] >> 16 & 1:
            _add(wanted, path)
    return wanted, "all" in names


def _add(wanted: dict[int, Wanted | None], path: Path) -> None:
    """Add a path to a tree; the whole of a sequence wins over parts of it."""
    first, rest = path[0], path[1:]
    if not rest:
        wanted[first] = None
        return
    inner = wanted.setdefault(first, {})
    if isinstance(inner, dict):
        _add(inner, rest)
