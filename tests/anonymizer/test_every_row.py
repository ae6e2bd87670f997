"""Every row of Table E.1-1, for every option, at the top and in a sequence: what the engine does, judged by other hands.

And the judge is judged: a table with changed rows must be found out, row by row.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from anonymizer.engine.engine import deidentify
from anonymizer.profiles.options import OPTIONS
from anonymizer.profiles.profile import Profile, Rule, merge, table
from anonymizer.pseudonyms.identifiers import new_uid
from kernel.dicom.vocabulary.dictionary import VR_OF
from tests.anonymizer import second_transcription
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file

HOLDER = 0x52009229  # Shared Functional Groups Sequence: kept, and no row of the table
WRITTEN = {0x00080018, 0x0020000D, 0x0020000E, 0x00100010, 0x00100020}  # at the top, of every instance
DATES = {"DA": "19771231", "TM": "235959.987", "DT": "19771231235959"}
NUMBERS = {"AS": "077Y", "DS": "77.777", "IS": "77777"}
EDITION_OF_THE_SECOND = "2025b"


@dataclass(frozen=True)
class Row:
    basic: str
    options: Mapping[str, str]


@cache
def second_table() -> dict[int, Row]:
    """The rows of single attributes that may stand in an instance."""
    found: dict[int, Row] = {}
    for line in (Path(__file__).parent / "second_table.txt").read_text().splitlines():
        if not line.startswith("#"):
            tag, basic, letters = line.split()
            named = {
                second_transcription.OPTIONS[one.lower()]: "K" if one.isupper() else "C"
                for one in letters
                if one != "-"
            }
            found |= {int(tag, 16): Row(basic, named)} if "x" not in tag else {}
    for tag, basic, named, _ in second_transcription.rows():
        found |= {int(tag, 16): Row(basic, named)} if "x" not in tag and tag != "PRIVATE" else {}
    return {tag: row for tag, row in found.items() if 8 <= tag >> 16 < 0xFFFA}


def test_the_second_table_is_whole_and_says_the_same():
    ours = {row["tag"]: row for row in table("ps3_15_e_1_1.json")["rows"]}
    second = {f"{tag:08X}": row for tag, row in second_table().items()}

    assert {tag: (row.basic, dict(row.options)) for tag, row in second.items()} == {
        tag: (ours[tag]["basic"], ours[tag]["options"]) for tag in second
    }
    named = {tag for tag in ours if "x" not in tag and tag != "PRIVATE" and 8 <= int(tag[:4], 16) < 0xFFFA}
    assert named == set(second)


def vr_of(tag: int) -> str:
    vr = VR_OF.get(tag, "LO")
    return vr if len(vr) == 2 else "OW"


def planted(tag: int):
    """A value of its own for each attribute, of letters alone where its VR allows."""
    vr, word = vr_of(tag), "".join("GHIJKLMNOPQRSTUV"[int(digit, 16)] for digit in f"{tag:08X}")
    if vr == "SQ":
        item = Dataset()
        item.ReferencedSOPInstanceUID = f"1.2.3.77777.{tag}"
        return Sequence([item])
    if vr == "UI":
        return f"1.2.3.77777.{tag}"
    if vr in {"OB", "OW", "UN"}:
        return word.encode()
    if vr in {"US", "SS", "UL", "SL", "FL", "FD", "OF", "OD"}:
        return struct.unpack("<H", b"zz")[0]
    return {**DATES, **NUMBERS, "UR": f"http://{word}"}.get(vr, word)


@cache
def source() -> bytes:
    """An instance with every row at the top and in a sequence."""
    ds, inner = a_ct(), Dataset()
    for tag in second_table():
        inner.add_new(tag, vr_of(tag), planted(tag))
        if tag not in WRITTEN:
            ds.add_new(tag, vr_of(tag), planted(tag))
    ds.add_new(HOLDER, "SQ", Sequence([inner]))
    return as_file(ds)


def outcome(element, tag: int, key: bytes) -> str:
    """What became of a planted element: X, Z, U, K, or D for anything else."""
    value = planted(tag)
    if element is None:
        return "X"
    if element.value is None or len(str(element.value)) == 0 or (element.VR == "SQ" and len(element.value) == 0):
        return "Z"
    if element.VR == "SQ":
        inner = element.value[0].get("ReferencedSOPInstanceUID", "")
        return "K" if inner == value[0].ReferencedSOPInstanceUID else "U" if inner.startswith("2.25.") else "D"
    if vr_of(tag) == "UI" and element.value == new_uid(key, value.encode()).decode():
        return "U"
    return "K" if str(element.value) == str(value) else "D"


def allowed(tag: int, row: Row, option: str) -> set[str]:
    """What the row allows with one option (E.1-1a): a kept sequence has its UIDs replaced; a Z may be a dummy."""
    basic = set(row.basic.replace("*", "").split("/"))
    basic |= {"D"} if tag == 0x00100010 else set()
    basic |= {"U"} if vr_of(tag) in {"SQ", "UI"} and "D" in basic else set()
    code = row.options.get(option)
    if code == "K":
        kept = {"U"} if vr_of(tag) == "SQ" and option != "retain_uids" else {"K"}
        return kept | ({"K"} if tag == 0x00101010 else set())
    if code == "C":
        return basic | {"DA": {"D"}, "DT": {"D"}, "TM": {"K"}, "SH": {"K"}, "SQ": {"U", "D"}}.get(vr_of(tag), set())
    return basic


def misjudged(profile: Profile, option: str, keys) -> set[int]:
    """The tags with which the engine does what the second table does not allow."""
    content = source()
    given = read(deidentify(content, profile=profile, keys=keys, issuer="x").to_bytes(content))
    wrong: set[int] = set()
    for tag, row in second_table().items():
        may = allowed(tag, row, option)
        if tag not in WRITTEN and outcome(given.get(tag), tag, keys.uid) not in may:
            wrong.add(tag)
        if outcome(given[HOLDER].value[0].get(tag), tag, keys.uid) not in may:
            wrong.add(tag)
    return wrong


@pytest.mark.parametrize("option", ["", *OPTIONS])
def test_every_row_is_treated_as_its_codes_say(keys, option):
    profile = merge("mine", (option,) if option else ())

    assert {f"{tag:08X}" for tag in misjudged(profile, option, keys)} == set()


@pytest.mark.parametrize("option", ["", "retain_uids", "retain_modified_dates", "retain_patient_characteristics"])
@pytest.mark.parametrize("code", ["K", "X", "Z", "D", "U"])
def test_a_changed_row_is_found_out(keys, code, option):
    honest = merge("mine", (option,) if option else ())
    mutated = {f"{tag:08X}": Rule(code, code, None) for tag in second_table()}

    found = misjudged(replace(honest, rules={**honest.rules, **mutated}), option, keys)

    unlike = {tag for tag, row in second_table().items() if _differs(tag, row, option, code)}
    assert {f"{tag:08X}" for tag in unlike - found} == set()
    assert len(unlike) >= {"U": 8, "X": 80}.get(code, 200)


CODES = "KXZDU"
# Rows of which no change shows in what is given: name and ID, which the engine writes itself; and X/Z/D of what may also
# stay (a time, with moved dates) or never does (a name): the row allows whatever any code would do.
UNSEEN = {
    "": {0x00100010, 0x00100020, 0x00081070},
    "retain_modified_dates": {0x00080013},
}


@cache
def found_out(option: str, code: str, keys) -> frozenset[int]:
    """The rows whose change to a code is seen, all of them changed at once: no row decides about another."""
    honest = merge("mine", (option,) if option else ())
    mutated = {f"{tag:08X}": Rule(code, code, None) for tag in second_table()}
    return frozenset(misjudged(replace(honest, rules={**honest.rules, **mutated}), option, keys))


def test_no_row_can_be_changed_unseen(keys):
    seen = frozenset[int]().union(*(found_out("", code, keys) for code in CODES))

    assert {f"{tag:08X}" for tag in second_table() if tag not in seen} == {f"{tag:08X}" for tag in UNSEEN[""]}


@pytest.mark.parametrize("option", sorted(set(second_transcription.OPTIONS.values())))
def test_no_cell_of_an_option_can_be_changed_unseen(keys, option):
    seen = frozenset[int]().union(*(found_out(option, code, keys) for code in CODES))

    cells = {tag for tag, row in second_table().items() if option in row.options}
    assert {f"{tag:08X}" for tag in cells - seen} == {f"{tag:08X}" for tag in UNSEEN.get(option, set())}


def _differs(tag: int, row: Row, option: str, code: str) -> bool:
    """Whether a row with this code instead would do what the true one does not allow."""
    vr = vr_of(tag)
    if code in row.basic.split("/") and option not in row.options:
        return False
    of_items = "K" if option == "retain_uids" else "U"
    does = {
        "K": {"SQ": of_items, "PN": "X"}.get(vr, "K"),
        "D": {"SQ": of_items, "UI": "U"}.get(vr, "D"),
        "U": "X" if vr == "SQ" else code,
    }
    if tag in {0x00100010, 0x00100020, 0x00120040, 0x00120042} or (code == "U" and vr not in {"UI", "SQ"}):
        return False  # written whatever the row says, or found by the second net; U of what is no UID
    return does.get(code, code) not in allowed(tag, row, option)
