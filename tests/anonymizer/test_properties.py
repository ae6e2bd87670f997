"""Whatever a nested data set holds: the same bytes again, no original UID left, one map everywhere, pixels as they were."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from anonymizer.profiles.profile import BUILT_IN
from anonymizer.pseudonyms.identifiers import new_uid
from anonymizer.residue.search import find, needles_of
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file

UIDS = [f"1.2.3.{number}" for number in (77, 770, 7701, 88)]
SEQUENCES = [
    "ReferencedSeriesSequence",
    "SourceImageSequence",
    "SharedFunctionalGroupsSequence",
    "RequestAttributesSequence",
]
TEXTS = st.text("ABĐƯễớ ^=", max_size=12)
SHORTENING = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@st.composite
def items(draw, depth: int = 0) -> Dataset:
    ds = Dataset()
    for keyword in draw(
        st.sets(st.sampled_from(["ReferencedSOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"]))
    ):
        setattr(ds, keyword, draw(st.sampled_from(UIDS)))
    for keyword in draw(st.sets(st.sampled_from(["PatientComments", "Manufacturer", "CodeMeaning"]))):
        setattr(ds, keyword, draw(TEXTS))
    if draw(st.booleans()):
        ds.OperatorsName = draw(st.text("XYZ ^", max_size=12))  # of other letters than what stays
    if draw(st.booleans()):
        ds.private_block(0x0029, "VENDOR", create=True).add_new(1, "LO", "PRIVATE")
    if draw(st.booleans()):
        block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(draw(st.sampled_from([0x0C, 0x0D, 0x99])), "LO", draw(st.sampled_from(["1000", "PRIVATE"])))
    if depth < 3 and draw(st.booleans()):
        nested = Sequence(draw(st.lists(items(depth=depth + 1), max_size=3)))
        for item in nested:
            item.is_undefined_length_sequence_item = draw(st.booleans())
        keyword = draw(st.sampled_from(SEQUENCES))
        setattr(ds, keyword, nested)
        ds[keyword].is_undefined_length = draw(st.booleans())
    return ds


@settings(max_examples=60, suppress_health_check=SHORTENING)
@given(
    item=items(),
    syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]),
    profile=st.sampled_from(list(BUILT_IN)),
)
def test_any_nested_data_set_is_de_identified_whole_and_alike(site, item, syntax, profile):
    ds = a_ct(rows=8, columns=8)
    ds.SharedFunctionalGroupsSequence = Sequence([item])
    source = as_file(ds, syntax)

    first, second = site.deidentifies(source, profile), site.deidentifies(source, profile)

    whole = first.to_bytes(source)
    given_back = read(whole)
    originals = {element.value for element in read(source).iterall() if element.VR == "UI"} - {ds.SOPClassUID}
    remaining = {element.value for element in given_back.iterall() if element.VR == "UI"}
    assert first == second
    assert not originals & remaining
    assert remaining - {ds.SOPClassUID} <= {new_uid(site.keys.uid, uid.encode()).decode() for uid in originals}
    assert given_back.PixelData == ds.PixelData
    assert b"PRIVATE" not in whole
    assert len(given_back.SharedFunctionalGroupsSequence) == 1
    meta = read_file_meta(source)
    assert find(first.head, needles_of(scan(source, meta.transfer_syntax_uid, offset=meta.dataset_offset))) == ()


@settings(max_examples=40, suppress_health_check=SHORTENING)
@given(flips=st.lists(st.tuples(st.integers(132, 1500), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_bytes_are_refused_or_give_an_instance_never_another_error(site, flips):
    from kernel.errors import Refused

    source = bytearray(as_file(a_ct(rows=8, columns=8)))
    for offset, value in flips:
        if offset < len(source):
            source[offset] = value

    try:
        result = site.deidentifies(bytes(source), "tele-read")
    except Refused:
        return

    assert result.head[128:132] == b"DICM"
