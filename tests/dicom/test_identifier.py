"""Identifiers: keys and return attributes as trees over DICOM JSON (PS3.4 C.2.2.2, C.4.1.1.3)."""

import pytest

from kernel.dicom.queries.identifier import DEPTH_MAX, KEYS_MAX, Identifier, chosen, combined, fits, of_model, of_paths
from kernel.dicom.queries.matching import USUAL, AllOf, AnyOf, Combined, Empty, Exact, Range, Rules, Wildcard, Words
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.levels import is_of, level_of
from kernel.errors import InvalidQuery

REQUEST = TAG_OF["RequestAttributesSequence"]
STEP, PROCEDURE = TAG_OF["ScheduledProcedureStepID"], TAG_OF["RequestedProcedureID"]


def one(vr: str, *values) -> dict:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


SERIES = {
    "00080060": one("CS", "CT"),
    "00081070": one("PN", {"Alphabetic": "Lê^Thị Đào"}, {"Alphabetic": "Vũ^An"}),
    "00080023": one("DA", "20260102"),
    "00080033": one("TM", "0900"),
    "00200011": one("IS", 7),
    "00180050": one("DS", 5.0),
    "00080008": one("CS", "ORIGINAL", "PRIMARY", "AXIAL"),
    "00400275": one(
        "SQ",
        {"00400009": one("SH", "S1"), "00401001": one("SH", "R1")},
        {"00400009": one("SH", "S2"), "00401001": one("SH", "R2"), "00400007": one("LO", "sọ não")},
    ),
}


def found(*paths: tuple[object, str], rules: Rules = USUAL) -> bool:
    tags = [(path if isinstance(path, tuple) else (path,), text) for path, text in paths]
    named = [(tuple(TAG_OF.get(name, name) for name in path), text) for path, text in tags]
    return fits(of_paths(named, rules), SERIES)


@pytest.mark.parametrize(
    ("keyword", "text", "expected"),
    [
        ("Modality", "CT", True),
        ("Modality", "MR", False),
        ("OperatorsName", "*dao", True),
        ("OperatorsName", "vu^an", True),
        ("OperatorsName", "dao", False),
        ("SeriesNumber", "07", True),
        ("SeriesNumber", "7.0", True),
        ("SeriesNumber", "70", False),
        ("SliceThickness", "5", True),
        ("ImageType", "PRIMARY", True),
        ("ImageType", "AXIAL\\LOCALIZER", True),
        ("ImageType", "DERIVED", False),
        ("ContentDate", "20260101-20260103", True),
        ("StationName", "*", True),
        ("StationName", "?", False),
    ],
)
def test_any_of_an_attributes_values_matches(keyword, text, expected):
    assert found((keyword, text)) is expected


def test_the_keys_of_a_sequence_match_in_one_item():
    assert found((("RequestAttributesSequence", "ScheduledProcedureStepID"), "S?"))
    assert found(
        (("RequestAttributesSequence", "ScheduledProcedureStepID"), "S2"),
        (("RequestAttributesSequence", "RequestedProcedureID"), "R2"),
    )
    assert not found(
        (("RequestAttributesSequence", "ScheduledProcedureStepID"), "S1"),
        (("RequestAttributesSequence", "RequestedProcedureID"), "R2"),
    )
    assert not found((("RequestedProcedureCodeSequence", "CodeValue"), "x"))


def test_kinds_of_matching_that_must_be_agreed_on():
    assert found(("ImageType", "ORIGINAL\\AXIAL"), rules=Rules(multiple=True))
    assert not found(("ImageType", "ORIGINAL\\DERIVED"), rules=Rules(multiple=True))
    assert found(("StationName", '""'), rules=Rules(empty=True))
    assert not found(("Modality", '""'), rules=Rules(empty=True))
    assert not found(("StationName", '""'))
    assert found(("OperatorsName", "thi le"), rules=Rules(fuzzy=True))
    assert not found(("OperatorsName", "an dao"), rules=Rules(fuzzy=True))


def test_a_request_becomes_keys_and_wanted_attributes():
    request = {
        "00080005": one("CS", "ISO_IR 192"),
        "00100010": one("PN", {"Alphabetic": "NGUYỄN*"}),
        "00100020": one("LO"),
        "00080061": one("CS", "CT", "MR"),
        "0020000D": one("UI", "1.2", "1.3"),
        "00400275": one("SQ", {"00400009": one("SH", "S1"), "00401001": one("SH")}),
        "00321064": one("SQ", {}),
        "00091010": one("UN"),
        "7FE00010": one("OW"),
    }

    identifier = of_model(request)

    assert identifier == Identifier(
        keys={
            0x00080005: Exact("ISO_IR 192"),
            0x00100010: Wildcard("NGUYỄN*"),
            0x00080061: AnyOf(("CT", "MR")),
            0x0020000D: AnyOf(("1.2", "1.3")),
            REQUEST: {STEP: Exact("S1")},
        },
        wanted={
            0x00080005: None, 0x00100010: None, 0x00100020: None, 0x00080061: None, 0x0020000D: None,
            REQUEST: {STEP: None, PROCEDURE: None}, 0x00321064: None,
        },
        unsupported=frozenset({0x00091010, 0x7FE00010}),
    )  # fmt: skip
    assert of_model({"00080061": one("CS", "CT", "MR")}, Rules(multiple=True)).keys == {0x00080061: AllOf(("CT", "MR"))}
    assert of_model({"00080061": one("CS", '""')}, Rules(empty=True)).keys == {0x00080061: Empty()}
    assert of_model({"00100010": one("PN", {"Alphabetic": "Đào^Lê"})}, Rules(fuzzy=True)).keys == {
        0x00100010: Words(("dao", "le"))
    }


def test_an_answer_has_what_was_asked_for_and_of_sequences_the_items_that_match():
    identifier = of_model(
        {
            "00080060": one("CS"),
            "00081010": one("SH"),
            "00400275": one("SQ", {"00400009": one("SH", "S2"), "00401001": one("SH")}),
            "00321064": one("SQ", {"00080100": one("SH")}),
        }
    )

    assert chosen(identifier.wanted, identifier.keys, SERIES) == {
        "00080060": one("CS", "CT"),
        "00081010": one("SH"),
        "00321064": one("SQ"),
        "00400275": one("SQ", {"00400009": one("SH", "S2"), "00401001": one("SH", "R2")}),
    }
    whole = of_model({"00400275": one("SQ", {})})
    assert chosen(whole.wanted, whole.keys, SERIES) == {"00400275": SERIES["00400275"]}


def test_dates_and_their_times_are_put_together_where_that_was_agreed_on():
    keys = of_model({"00080023": one("DA", "20260101-20260102"), "00080033": one("TM", "0800-0930")}).keys

    together = combined(keys)

    assert together == {0x00080023: Combined("ContentTime", Range("2026010108", "20260102093059.999999"))}
    assert fits(together, SERIES)
    assert not fits(together, SERIES | {"00080033": one("TM", "1000")})
    assert fits(together, SERIES | {"00080023": one("DA", "20260101"), "00080033": one("TM", "1000")})
    since = of_model({"00080023": one("DA", "20260101-"), "00080033": one("TM", "0800-")}).keys
    assert combined(since) == {0x00080023: Combined("ContentTime", Range("2026010108", None))}
    alone = {0x00080023: Exact("20260101")}
    assert combined(alone) == alone


@pytest.mark.parametrize(
    ("dates", "times"),
    [
        ("20260101-20260102", "0800-"),
        ("20260101-20260102", "-0930"),
        ("20260101-", "-0930"),
        ("20260101-20260102", "0930"),
        ("20260101", "0800-0930"),
    ],
)
def test_dates_and_times_of_different_forms_are_matched_apart(dates, times):
    keys = of_model({"00080023": one("DA", dates), "00080033": one("TM", times)}).keys

    assert combined(keys) == keys


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([((0x00080060, 0x00080100), "x")], "Modality is no sequence"),
        ([((0x00091010,), "x")], "a private attribute cannot be matched"),
        ([((0x7FE00010,), "x")], "PixelData cannot be matched"),
        ([((REQUEST,), "x")], "a sequence is matched by the attributes in it"),
        ([((REQUEST,) * (DEPTH_MAX + 1), "x")], f"sequences deeper than {DEPTH_MAX}"),
    ],
)
def test_a_path_that_cannot_be_matched_is_refused(paths, message):
    with pytest.raises(InvalidQuery, match=message):
        of_paths(paths)


def test_an_identifier_is_bounded_in_breadth_and_depth():
    deep = one("SH")
    for _ in range(DEPTH_MAX + 1):
        deep = one("SQ", {"00400275": deep})

    with pytest.raises(InvalidQuery, match=f"more than {KEYS_MAX} keys"):
        of_model({"00400275": one("SQ", {f"{0x00090000 + number:08X}": one("LO") for number in range(KEYS_MAX)})})
    with pytest.raises(InvalidQuery, match="sequences deeper than"):
        of_model({"00400275": deep})


def test_an_attribute_is_of_a_level_and_of_those_below():
    assert [level_of(TAG_OF[keyword]) for keyword in ("PatientComments", "StudyDate", "Modality", "ImageType")] == [
        "patient", "study", "series", "instance"
    ]  # fmt: skip
    assert is_of(TAG_OF["PatientName"], "instance")
    assert not is_of(TAG_OF["Modality"], "study")
    assert all(is_of(TAG_OF["InstanceAvailability"], level) for level in ("patient", "study", "series", "instance"))


def test_an_entity_whose_sequence_was_sent_as_a_text_matches_nothing_in_it_and_breaks_nothing():
    keys = of_paths([((REQUEST, STEP), "S1")])

    assert not fits(keys, {"00400275": one("LO", "S1")})
    assert not fits(of_paths([((TAG_OF["PatientName"],), "Lê")]), {"00100010": one("PN", {"Alphabetic": 7})})


def test_a_key_sent_as_a_sequence_that_is_none_is_not_supported():
    asked = of_model({"00080020": one("SQ", {"00080060": one("CS", "CT")}), "00400275": one("LO", "S1")})

    assert asked == Identifier({}, {}, frozenset({0x00080020, 0x00400275}))
