"""DICOM JSON encoded: what a header says as JSON comes back as the same header, and bulk data from where it is."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.dicom.models.json_encoder import encode
from kernel.dicom.models.json_model import to_json
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.models.xml_reader import from_xml
from kernel.dicom.scanning.elements import UNDEFINED
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import Limits, malformed
from kernel.errors import ExchangeError, LimitExceeded, MalformedInstance, Refused
from tests.dicom.builders import EXPLICIT, encoded
from tests.dicom.strategies import data_sets


@dataclass
class Bytes:
    content: bytes

    @property
    def size_bytes(self):
        return len(self.content)

    def chunks(self):
        yield self.content


def nothing(uri):
    raise malformed(f"no {uri}")


def bytes_of(model, bulk=nothing, **options):
    return b"".join(encode(model, bulk, **options))


@settings(max_examples=60)
@given(ds=data_sets())
def test_json_encoded_is_the_same_json_again(ds):
    model = json.loads(to_json(scan(encoded(ds), EXPLICIT)))

    again = json.loads(to_json(scan(bytes_of(model), EXPLICIT)))

    if model:
        assert again.pop("00080005") == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert again == model


def test_every_real_sample_comes_back_from_its_json_and_from_its_xml(samples):
    compared = 0
    for path in sorted(file for file in samples.rglob("*.dcm") if file.is_file())[::3]:
        data = path.read_bytes()
        try:
            meta = read_file_meta(data)
            header = scan(data, meta.transfer_syntax_uid, offset=meta.dataset_offset)
        except Refused:
            continue
        model = json.loads(to_json(header))
        for pixels in ("7FE00010", "7FE00008", "7FE00009"):
            model.pop(pixels, None)

        def stored(uri, header=header):
            element = header.resolve(uri.removeprefix("@/bulkdata/"))
            if element is None or element.length == UNDEFINED:
                raise malformed("an icon that is compressed")
            return [Bytes(header.value(element))]

        try:
            encodings = [bytes_of(model, stored), bytes_of(from_xml(to_xml(model)), stored)]
        except MalformedInstance:  # a number that is none, or a compressed icon: told, not guessed
            continue

        again = [json.loads(to_json(scan(one, EXPLICIT))) for one in encodings]
        for one in again:
            one.pop("00080005", None), model.pop("00080005", None)
            for key, value in one.items():
                if model[key]["vr"] != "SQ":
                    assert value == model[key], (path.name, key)
        compared += 1
    assert compared > 60


def test_compressed_frames_become_fragments_behind_an_empty_offset_table():
    model = {"00280010": {"vr": "US", "Value": [2]}, "7FE00010": {"vr": "OW", "BulkDataURI": "f"}}

    data = bytes_of(model, lambda _: [Bytes(b"abc"), Bytes(b"de")], encapsulated=True)

    assert data.endswith(
        bytes.fromhex("e07f1000 4f420000 ffffffff feff00e0 00000000 feff00e0 04000000")
        + b"abc\0"
        + bytes.fromhex("feff00e0 02000000")
        + b"de"
        + bytes.fromhex("feffdde0 00000000")
    )


def test_bulk_data_of_several_parts_is_one_value_of_even_length():
    data = bytes_of({"7FE00010": {"vr": "OB", "BulkDataURI": "f"}}, lambda _: [Bytes(b"ab"), Bytes(b"c")])

    assert data.endswith(bytes.fromhex("e07f1000 4f420000 04000000") + b"abc\0")


def test_a_decimal_has_sixteen_characters_at_most():
    model = {"00280030": {"vr": "DS", "Value": [0.1234567890123456789, -1.2345678901234567e-300, 2]}}

    again = scan(bytes_of(model), EXPLICIT)

    element = again.resolve("00280030")
    assert element is not None
    texts = again.value(element).decode().strip().split("\\")
    assert all(len(text) <= 16 for text in texts)
    assert [float(text) for text in texts] == pytest.approx([0.123456789012345, -1.23456789e-300, 2], rel=1e-8)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ([], "no object"),
        ({"x": {}}, "no tag"),
        ({"00100010": 1}, "no tag, or its element no object"),
        ({"00280010": {"vr": "US", "Value": [70000]}}, "none of US"),
        ({"00280010": {"vr": "US", "Value": ["many"]}}, "none of US"),
        ({"00280010": {"vr": "US", "Value": 1}}, "no list"),
        ({"00280010": {"vr": "US", "Value": [True]}}, "none of US"),
        ({"00100010": {"vr": "PN", "Value": ["text"]}}, "none of PN"),
        ({"00100020": {"vr": "LO", "Value": [1]}}, "none of LO"),
        ({"00100020": {"vr": "LO", "Value": ["x" * 70000]}}, "too long for LO"),
        ({"00091001": {"vr": "OB", "InlineBinary": "!!"}}, "not base64"),
        ({"00091001": {"vr": "OB", "Value": [1]}}, "a value is none of OB"),
        ({"00091001": {"Value": ["x"]}}, "no known VR"),
        ({"00081140": {"vr": "SQ", "Value": ["x"]}}, "no object"),
        ({"7FE00010": {"vr": "OW", "BulkDataURI": "f"}}, "no f"),
        ({"0020000d": {"vr": "UI"}, "0020000D": {"vr": "UI"}}, "occurs twice"),
    ],
)
def test_what_cannot_be_encoded_is_refused_by_its_tag_and_never_its_value(model, reason):
    with pytest.raises(MalformedInstance, match=reason) as refused:
        bytes_of(model)

    assert "many" not in str(refused.value)


@pytest.mark.parametrize(("limits", "name"), [(Limits(depth_max=3), "depth_max"), (Limits(elements_max=6), "elements")])
def test_depth_and_number_are_bounded(limits, name):
    model = {}
    for _ in range(5):
        model = {"00081140": {"vr": "SQ", "Value": [model]}}

    with pytest.raises(LimitExceeded, match=name):
        bytes_of(model, limits=limits)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["vr", "Value", "00100010"]), inside),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.sampled_from(["00100010", "00280010", "00081140", "00280030", "00091001"]), JSON, JSON, JSON)
def test_any_json_is_encoded_or_refused(key, vr, value, other):
    for model in ({key: {"vr": vr, "Value": value}}, {key: {"Value": [value, other]}}, other, {key: other}):
        try:
            bytes_of(model)
        except ExchangeError as error:
            assert isinstance(error, Refused)  # noqa: PT017 (either it is encoded, or it is refused)
