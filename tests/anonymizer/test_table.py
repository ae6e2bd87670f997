"""Table E.1-1 as data: whole, equal to a second transcription, and made again from the standard's own form."""

import json
from collections import Counter
from importlib.resources import files

import pytest

from anonymizer.profiles.profile import table
from anonymizer.tables import generate
from tests.anonymizer.second_transcription import rows

TABLE = {row["tag"]: row for row in table("ps3_15_e_1_1.json")["rows"]}


@pytest.mark.parametrize(
    ("tag", "basic", "options", "name"), list(rows()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_row_is_what_the_second_transcription_says(tag, basic, options, name):
    row = TABLE[tag]

    assert (row["basic"], row["options"], row["name"]) == (basic, options, name)


def test_the_second_transcription_has_at_least_sixty_rows():
    assert len(list(rows())) >= 60


def test_the_table_is_whole():
    codes = Counter(row["basic"] for row in TABLE.values())
    options = Counter(option for row in TABLE.values() for option in row["options"])

    assert table("ps3_15_e_1_1.json")["edition"] == "2026d"
    assert codes == {
        "X": 417, "D": 93, "U": 55, "Z": 42, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6, "X/Z/U*": 2,
    }  # fmt: skip
    assert options == {
        "retain_safe_private": 1,
        "retain_uids": 60,
        "retain_device_identity": 59,
        "retain_institution_identity": 10,
        "retain_patient_characteristics": 19,
        "retain_full_dates": 169,
        "retain_modified_dates": 169,
        "clean_descriptors": 141,
        "clean_structured_content": 4,
        "clean_graphics": 4,
    }


def test_each_table_names_its_source_and_edition():
    for name in ("ps3_15_e_1_1.json", "iod_types.json"):
        assert table(name)["source"]
        assert table(name)["edition"] == "2026d"
        assert table(name)["generator"].startswith("anonymizer/tables/generate.py")


def test_the_types_are_those_that_the_generator_makes_from_the_profile_table():
    committed = files("anonymizer.tables").joinpath("iod_types.json").read_text(encoding="utf-8")

    assert generate.types_table(table("ps3_15_e_1_1.json")) == committed


def test_the_three_forms_of_the_table_give_the_same_rows(tmp_path):
    forms = {"part15.xml": DOCBOOK, "attributes.json": INNOLITICS, "rules.json": RULES}

    read = []
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        read.append(generate.read(tmp_path / name))

    assert read[0] == read[1] == read[2]
    assert [row["tag"] for row in read[0]] == ["00081140", "50xxxxxx", "PRIVATE"]
    assert read[0][0]["options"] == {"retain_uids": "K"}
    assert json.loads(generate.profile_table(read[0], "2099a", "a test"))["rows"] == read[0]


def test_a_code_that_the_standard_does_not_define_stops_the_generator():
    with pytest.raises(ValueError, match="codes that the table does not define"):
        generate.row("Name", "(0008,0050)", ("N", "Y"), "Q", {})


def _docbook_row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td><para>{cell}</para></td>" for cell in cells) + "</tr>"


DOCBOOK = f"""<book xmlns="http://docbook.org/ns/docbook"><table xml:id="table_E.1-1"><tbody>
{_docbook_row("Referenced Image Sequence", "(0008,1140)", "N", "Y", "X/Z/U*", "", "K", "", "", "", "", "", "", "", "")}
{_docbook_row("Curve Data", "(50xx,xxxx)", "Y", "N", "X", "", "", "", "", "", "", "", "", "", "C")}
{_docbook_row("Private Attributes", "(gggg,eeee) where gggg is odd", "N", "N", "X", "C", *[""] * 9)}
</tbody></table></book>"""

INNOLITICS = json.dumps([
    {"name": "Referenced Image Sequence\n\n(see Note 8)", "tag": "(0008,1140)", "stdCompIOD": "Y", "basicProfile": "X/Z/U*", "rtnUIDsOpt": "K"},
    {"name": "Curve Data", "tag": "(50XX,XXXX)", "retired": "Y", "stdCompIOD": "N", "basicProfile": "X", "cleanGraphOpt": "C"},
    {"name": "Private Attributes", "tag": "(GGGG,EEEE) WHERE GGGG IS ODD", "stdCompIOD": "N", "basicProfile": "X", "rtnSafePrivOpt": "C"},
])  # fmt: skip

RULES = json.dumps({"source": {}, "rules": [
    {"tag": "00081140", "name": "Referenced Image Sequence", "retired": False, "in_std_iod": True, "basic": "X/Z/U*", "options": {"retain_uids": "K"}},
    {"tag": "50xxxxxx", "name": "Curve Data", "retired": True, "in_std_iod": False, "basic": "X", "options": {"clean_graphics": "C"}},
    {"tag": "PRIVATE", "name": "Private Attributes", "retired": False, "in_std_iod": False, "basic": "X", "options": {"retain_safe_private": "C"}},
]})  # fmt: skip
