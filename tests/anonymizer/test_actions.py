"""Every row of Table E.1-1 at the top level and in a sequence, judged by the second transcription and by planted values."""

import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from anonymizer.profiles.profile import table
from anonymizer.pseudonyms.identifiers import new_uid
from kernel.dicom.vocabulary.dictionary import VR_OF
from tests.anonymizer.conftest import read
from tests.anonymizer.second_transcription import rows
from tests.support.builders import a_ct, as_file

HOLDER = 0x52009229  # Shared Functional Groups Sequence: kept, and no row of the table
OUTSIDE_OF_INSTANCES = {0x0000, 0x0002, 0x0004}
ALWAYS_WRITTEN = {0x00080018, 0x0020000D, 0x0020000E, 0x00100010, 0x00100020}
PLANTED = {
    "DA": "19771231", "TM": "235959.987", "DT": "19771231235959", "AS": "077Y", "DS": "77.777", "IS": "77777",
    "UR": "http://planted.example", "AE": "PLANTED", "CS": "PLANTED", "PN": "PLANTED^NAME",
}  # fmt: skip
PLANTED_BYTES = (b"PLANTED", b"planted", b"19771231", b"235959.987", b"077Y", b"77.777", b"77777")


def vr_of(tag: int) -> str:
    return VR_OF.get(tag, "LO") if len(VR_OF.get(tag, "LO")) == 2 else "OW"


def a_value(tag: int):
    vr = vr_of(tag)
    if vr == "SQ":
        item = Dataset()
        item.ReferencedSOPInstanceUID = f"1.2.3.77777.{tag}"
        item.PatientComments = "PLANTED"
        return Sequence([item])
    if vr == "UI":
        return f"1.2.3.77777.{tag}"
    if vr in {"OB", "OW", "UN"}:
        return b"PLANTED!"
    if vr in {"US", "SS", "UL", "SL", "FL", "FD", "OF", "OD"}:
        return struct.unpack("<H", b"zz")[0] if vr in {"US", "SS"} else 77777
    return PLANTED.get(vr, "PLANTED")


def tags() -> list[int]:
    texts = [row["tag"] for row in table("ps3_15_e_1_1.json")["rows"]]
    found = [int(text, 16) for text in texts if "x" not in text and text != "PRIVATE"]
    repeating = [0x50003000, 0x50040010, 0x60003000, 0x60024000, 0x60000010]
    return [
        tag
        for tag in found + repeating
        if tag >> 16 not in OUTSIDE_OF_INSTANCES and tag not in {0xFFFAFFFA, 0xFFFCFFFC}
    ]


def with_everything_planted(without: set[int]) -> Dataset:
    ds, inner = a_ct(), Dataset()
    for tag in set(tags()) - without:
        inner.add_new(tag, vr_of(tag), a_value(tag))
        if tag not in ALWAYS_WRITTEN:
            ds.add_new(tag, vr_of(tag), a_value(tag))
    ds.add_new(HOLDER, "SQ", Sequence([inner]))
    ds.add_new(0x00091001, "LO", "PLANTED")
    inner.add_new(0x00091001, "LO", "PLANTED")
    return ds


CHARACTERISTICS = {  # that the profile for reading keeps whole, by the option of that name
    int(row["tag"], 16)
    for row in table("ps3_15_e_1_1.json")["rows"]
    if row["options"].get("retain_patient_characteristics") == "K"
}
KEPT_FOR_READING = {b"235959.987"}  # the time of day


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=["explicit", "implicit"])
@pytest.mark.parametrize("profile", ["basic", "tele-read"])
def test_no_planted_value_of_any_row_survives_at_the_top_or_in_a_sequence(site, profile, syntax):
    ds = with_everything_planted(without=CHARACTERISTICS if profile == "tele-read" else set())
    source = as_file(ds, syntax)

    result = site.deidentifies(source, profile)

    survived = {planted for planted in PLANTED_BYTES if planted in result.head}
    assert survived == (KEPT_FOR_READING if profile == "tele-read" else set())
    assert read(result.to_bytes(source)).PatientIdentityRemoved == "YES"


SINGLE = [row for row in rows() if "x" not in row[0] and row[0] != "PRIVATE" and not row[0].startswith("FFF")]


@pytest.mark.parametrize(("text", "code", "options", "name"), SINGLE, ids=[row[0] for row in SINGLE])
@pytest.mark.parametrize("depth", [0, 1], ids=["top", "nested"])
def test_each_transcribed_row_does_what_its_code_says(site, depth, text, code, options, name):
    tag = int(text, 16)
    ds, holder = a_ct(), Dataset()
    if tag in ALWAYS_WRITTEN and not depth:
        planted = ds[tag].value
    else:
        planted = a_value(tag)
        (holder if depth else ds).add_new(tag, vr_of(tag), planted)
    if depth:
        ds.add_new(HOLDER, "SQ", Sequence([holder]))

    given = site.gives(ds)

    element = (given[HOLDER].value[0] if depth else given).get(tag)
    assert "UIDs" not in name or element is not None
    assert outcome(element, planted, site.keys.uid) in allowed(code, tag)


def outcome(element, planted, key: bytes) -> str:
    if element is None:
        return "X"
    if element.value is None or len(element.value) == 0:
        return "Z"
    if isinstance(planted, str) and element.value == new_uid(key, str(planted).encode()).decode():
        return "U"
    if element.VR == "SQ" and "ReferencedSOPInstanceUID" in element.value[0]:
        return "U" if element.value[0].ReferencedSOPInstanceUID.startswith("2.25.") else "K"
    return "K" if element.value == planted else "D"


def allowed(code: str, tag: int) -> set[str]:
    """What a code allows; a Z may also be a dummy (E.1-1a), as it is for the name and number of the patient."""
    if tag == 0x00100010:
        return {"D"}
    if tag in (0x00080082, 0x00081111, 0x00081072):
        return set(code.split("/")) | {"U"}
    return set(code.replace("*", "").split("/"))
