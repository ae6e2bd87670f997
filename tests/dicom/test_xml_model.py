"""The Native DICOM Model (PS3.19 A.1): JSON to XML to JSON, strangers' XML, bounds, and DCMTK as a foreign reader."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernel.dicom.models.json_model import to_json
from kernel.dicom.models.xml_model import NAMESPACE, to_xml
from kernel.dicom.models.xml_reader import from_xml
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import Limits
from kernel.errors import ExchangeError, LimitExceeded, MalformedInstance, Refused
from tests.dicom.builders import EXPLICIT, encoded
from tests.dicom.strategies import data_sets

NS = {"n": NAMESPACE}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"))
PRINTED = st.builds("".join, st.lists(st.one_of(TEXTS, st.sampled_from(["\r", "\n", "\t", "<&>\"'", "]]>"]))))
WORDS = PRINTED.map(lambda text: text.strip(" \0")).filter(bool)


def document(inside: str) -> bytes:
    return f'<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">{inside}</NativeDicomModel>'.encode()


@settings(max_examples=60)
@given(ds=data_sets())
def test_json_to_xml_to_json_is_the_same(ds):
    model = to_json(scan(encoded(ds), EXPLICIT))

    back = from_xml(to_xml(model))

    assert json.dumps(back) == json.dumps(json.loads(model))


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["00081030", "0010000D", "00091001", "0009FF10", "00100010"]),
        st.one_of(
            st.lists(st.one_of(st.none(), WORDS), min_size=1).map(lambda v: {"vr": "LO", "Value": v}),
            WORDS.map(lambda uri: {"vr": "OW", "BulkDataURI": uri}),
            WORDS.map(lambda t: {"vr": "PN", "Value": [None, {"Alphabetic": t, "Phonetic": "a^b^c^d^e^f"}]}),
        ),
    )
)
@example({"00090010": {"vr": "LO", "Value": ['A "B"']}, "00091001": {"vr": "LO", "Value": ["x"]}})
def test_any_text_comes_back_the_same(model: dict[str, Any]):
    model = dict(sorted(model.items()))

    assert from_xml(to_xml(model)) == model


def test_every_real_sample_comes_back_the_same(samples: Path):
    compared = 0
    for path in sorted(file for file in samples.rglob("*") if file.is_file()):
        data = path.read_bytes()
        try:
            meta = read_file_meta(data)
            model = to_json(scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset))
        except Refused:
            continue
        if b"\\u00" in model:  # a control character, which XML cannot carry
            continue

        back = from_xml(to_xml(model))

        assert json.dumps(back) == json.dumps(json.loads(model)), path.name
        compared += 1
    assert compared > 300


def test_the_xml_is_that_of_the_standard():
    model = {
        "00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]},
        "00080020": {"vr": "DA"},
        "00090010": {"vr": "LO", "Value": ["ACME 1.0"]},
        "00091002": {"vr": "OB", "InlineBinary": "AQI="},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Nguyễn^Văn A^^Dr", "Ideographic": "阮"}]},
        "00280010": {"vr": "US", "Value": [512]},
        "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}, {}]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "https://hub/a?b&c"},
    }

    root = ET.fromstring(to_xml(model))

    assert root.tag == f"{{{NAMESPACE}}}NativeDicomModel"
    assert root.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"
    values = root.findall("n:DicomAttribute[@tag='00080008']/n:Value", NS)
    assert [(one.get("number"), one.text) for one in values] == [("1", "ORIGINAL"), ("2", None), ("3", "AXIAL")]
    private = root.find("n:DicomAttribute[@tag='00090002']", NS)
    assert private is not None
    assert private.attrib == {"tag": "00090002", "vr": "OB", "privateCreator": "ACME 1.0"}
    name = root.find("n:DicomAttribute[@keyword='PatientName']/n:PersonName/n:Alphabetic", NS)
    assert name is not None
    assert [(part.tag.rpartition("}")[2], part.text) for part in name] == [
        ("FamilyName", "Nguyễn"),
        ("GivenName", "Văn A"),
        ("MiddleName", None),
        ("NamePrefix", "Dr"),
    ]
    bulk = root.find("n:DicomAttribute[@tag='7FE00010']/n:BulkData", NS)
    assert bulk is not None
    assert bulk.get("uri") == "https://hub/a?b&c"
    items = root.findall("n:DicomAttribute[@tag='00081140']/n:Item", NS)
    assert [(one.get("number"), len(one)) for one in items] == [("1", 1), ("2", 0)]


def test_two_blocks_of_one_creator_keep_their_whole_tags():
    model = {
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00090011": {"vr": "LO", "Value": ["ACME"]},
        "00091001": {"vr": "LO", "Value": ["a"]},
        "00091101": {"vr": "LO", "Value": ["b"]},
    }

    assert from_xml(to_xml(model)) == model


def test_a_private_element_whose_creator_is_absent_gets_a_block():
    orphan = '<DicomAttribute tag="00090002" vr="SH" privateCreator="{}"><Value number="1">{}</Value></DicomAttribute>'

    model = from_xml(document(orphan.format("A", "x") + orphan.format("B", "y")))

    assert model == {
        "00090010": {"vr": "LO", "Value": ["A"]},
        "00090011": {"vr": "LO", "Value": ["B"]},
        "00091002": {"vr": "SH", "Value": ["x"]},
        "00091102": {"vr": "SH", "Value": ["y"]},
    }


def test_bulk_data_by_uuid_is_a_urn():
    model = from_xml(document('<DicomAttribute tag="7FE00010" vr="OB"><BulkData uuid="3bcf"/></DicomAttribute>'))

    assert model == {"7FE00010": {"vr": "OB", "BulkDataURI": "urn:uuid:3bcf"}}


def test_a_form_feed_that_xml_cannot_carry_is_marked():
    back = from_xml(to_xml({"0040A160": {"vr": "UT", "Value": ["a\fb\x00"]}}))

    assert back == {"0040A160": {"vr": "UT", "Value": ["a\ufffdb\ufffd"]}}


def test_a_missing_number_is_an_empty_value():
    model = from_xml(document('<DicomAttribute tag="00080008" vr="CS"><Value number="2">X</Value></DicomAttribute>'))

    assert model == {"00080008": {"vr": "CS", "Value": [None, "X"]}}


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><NativeDicomModel>&a;</NativeDicomModel>'
OUTSIDE = b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><NativeDicomModel/>'


@pytest.mark.parametrize("bad", [BOMB, OUTSIDE])
def test_a_document_type_is_refused_before_anything_of_it_is_read(bad):
    with pytest.raises(MalformedInstance, match="document type"):
        from_xml(bad)


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<Value number='1'>x</Value>", "where the model has none"),
        ("words", "text where the model has none"),
        ("<DicomAttribute tag='1' vr='LO'/>", "no tag or no known VR"),
        ("<DicomAttribute tag='00100010' vr='XX'/>", "no tag or no known VR"),
        ("<DicomAttribute tag='00100010' vr='LO'/><DicomAttribute tag='00100010' vr='LO'/>", "occurs twice"),
        ("<DicomAttribute tag='00100010' vr='LO'><Value number='0'/></DicomAttribute>", "not numbered"),
        ("<DicomAttribute tag='00100010' vr='LO'><Value/></DicomAttribute>", "not numbered"),
        ("<DicomAttribute tag='7FE00010' vr='OW'><BulkData/></DicomAttribute>", "neither uri nor uuid"),
        ("&unknown;", "well-formed"),
        ("<DicomAttribute", "well-formed"),
    ],
)
def test_what_is_no_native_model_is_refused(inside, reason):
    with pytest.raises(MalformedInstance, match=reason):
        from_xml(document(inside))


@pytest.mark.parametrize(
    ("limits", "inside", "name"),
    [
        (Limits(header_bytes_max=200), "<!--" + 200 * "x" + "-->", "header_bytes_max"),
        (Limits(elements_max=3), "".join(f'<DicomAttribute tag="0010001{i}" vr="LO"/>' for i in range(4)), "elements"),
        (Limits(), '<DicomAttribute tag="00100010" vr="LO"><Value number="99999999"/></DicomAttribute>', "elements"),
        (
            Limits(depth_max=4),
            5 * '<DicomAttribute tag="00081140" vr="SQ"><Item number="1">' + 5 * "</Item></DicomAttribute>",
            "depth_max",
        ),
    ],
)
def test_every_bound_is_kept(limits, inside, name):
    with pytest.raises(LimitExceeded, match=name):
        from_xml(document(inside), limits)


@pytest.mark.parametrize("encoding", ["utf-7", "shift_jis", "gb18030", "klingon"])
def test_an_encoding_that_cannot_be_read_is_refused(encoding: str):
    document = f'<?xml version="1.0" encoding="{encoding}"?><NativeDicomModel/>'.encode()

    with pytest.raises(MalformedInstance, match="no well-formed XML"):
        from_xml(document)


def test_nesting_by_the_thousand_is_refused_and_does_not_exhaust_the_stack():
    deep = 100_000 * '<DicomAttribute tag="00081140" vr="SQ"><Item number="1">'

    with pytest.raises(LimitExceeded, match="depth_max"):
        from_xml(document(deep))


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 400), st.binary(max_size=8))
def test_damaged_documents_are_refused_with_our_own_errors(noise, at, more):
    whole = to_xml({"00081140": {"vr": "SQ", "Value": [{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "a"}]}}]}})

    for damaged in (noise, whole[:at] + more + whole[at:], whole[:at] + more):
        try:
            from_xml(damaged)
        except ExchangeError as error:
            assert isinstance(error, Refused)  # noqa: PT017 (either it is read, or it is refused)


@pytest.mark.peer("dcmtk")
def test_what_dcmtk_writes_is_read_as_what_we_make_of_the_same_file(samples: Path, tmp_path: Path):
    tool = shutil.which("dcm2xml")
    assert tool, "install dcmtk"
    path = next(samples.rglob("CT_small.dcm"))
    written = tmp_path / "native.xml"
    subprocess.run([tool, "--native-format", "--use-xml-namespace", path, written], check=True, capture_output=True)
    data = path.read_bytes()
    meta = read_file_meta(data)

    theirs = from_xml(written.read_bytes())

    ours = json.loads(to_json(scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)))
    shared = [key for key in ours if int(key[3], 16) % 2 == 0 and "Value" in ours[key] and key != "00080005"]
    assert len(shared) > 50
    assert {key: theirs[key] for key in shared} == {key: ours[key] for key in shared}
