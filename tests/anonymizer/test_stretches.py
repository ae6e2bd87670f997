"""Slices of a series: what is the same in each is known again as a whole, and nothing comes out otherwise for it."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from anonymizer.elements import memory, stretches
from anonymizer.engine.result import Deidentified
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.scanner import scan
from tests.anonymizer.conftest import Site
from tests.support.builders import a_ct, a_uid, as_file

SAFE_CREATOR = "SIEMENS MR HEADER"  # of PS3.15 Table E.3.10-1: elements 0C and 0D of its block stay
VALUES = {
    "PatientAge": ["056Y", "095Y"],
    "PatientComments": ["cap cuu", "Nguyen"],
    "InstanceNumber": ["1", "2", "3"],
    "AcquisitionTime": ["081500", "0815", "noon"],
    "ImageComments": ["", "anh Huong"],
    "KVP": ["120", "80"],
    "SeriesDescription": ["CT HEAD", "CT for Nguyen", "A" * 40],
    "StationName": ["CT1", "CT2"],
    "FrameOfReferenceUID": [a_uid("frame", 1), a_uid("frame", 2)],
    "OperatorsName": ["KTV^Hoa", "X^Y"],
    "ProtocolName": ["Head", "KTV Hoa"],
}


@st.composite
def slices(draw) -> Dataset:
    ds = a_ct(seed="stretch")
    ds.SOPInstanceUID = a_uid("slice", draw(st.integers(0, 3)))
    for keyword, values in VALUES.items():
        value = draw(st.sampled_from([*values, values[0], values[0], None]))
        if value is None:
            ds.pop(keyword, None)
        else:
            setattr(ds, keyword, value)
    if draw(st.booleans()):
        item = Dataset()
        item.ReferencedSOPInstanceUID = a_uid("image", draw(st.integers(0, 1)))
        ds.SourceImageSequence = [item]
        ds["SourceImageSequence"].is_undefined_length = draw(st.booleans())
    block = ds.private_block(0x0019, draw(st.sampled_from([SAFE_CREATOR, SAFE_CREATOR, "OTHER"])), create=True)
    for number in draw(st.sets(st.sampled_from([0x05, 0x0C, 0x0D, 0x99]))):
        block.add_new(number, "IS", draw(st.sampled_from(["1", "1", "2"])))
    return ds


@contextlib.contextmanager
def forgetting() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "_memory", lambda of: memory.Memory(implicit=of.implicit))
        yield


def said(made: Deidentified) -> object:
    """Return all that an instance's release comes to; the vault's records are a set."""
    return made.head, made.trailer, made.record, made.identity, {entry.token: entry for entry in made.vault_entries}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    series=st.lists(slices(), min_size=3, max_size=7),
    syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]),
    profile=st.sampled_from(["tele-read", "basic"]),
)
def test_a_slice_gives_the_same_after_others_as_it_gives_alone(site, series, syntax, profile):
    sources = [as_file(ds, syntax) for ds in series]
    with forgetting():
        alone = [said(site.deidentifies(source, profile)) for source in sources]
    memory._memory.cache_clear()

    after_others = [said(site.deidentifies(source, profile)) for source in sources]

    assert after_others == alone


@pytest.fixture
def remembered(monkeypatch) -> memory.Memory:
    """The memory of all that is treated in a test."""
    only = memory.Memory(implicit=False)
    monkeypatch.setattr(memory, "_memory", lambda _: only)
    return only


def a_series(site: Site, count: int, **same: str) -> list[Deidentified]:
    made: list[Deidentified] = []
    for number in range(count):
        ds = a_ct(seed="stretch", InstanceNumber=str(number), **same)
        ds.SOPInstanceUID = a_uid("slice", number)
        made.append(site.deidentifies(as_file(ds), "tele-read"))
    return made


def test_what_is_the_same_in_each_slice_is_treated_no_more_from_the_fourth_on(site, remembered):
    a_series(site, 3)
    known = dict(remembered.stretches)
    source = as_file(a_ct(seed="stretch", InstanceNumber="77"))
    header = scan(source, ExplicitVRLittleEndian, offset=read_file_meta(source).dataset_offset)

    site.deidentifies(source, "tele-read")

    assert remembered.stretches == known
    held = sum(stretch.elements for stretch in known.values())
    assert len(header.elements) - held <= 5  # SOP Instance UID, Instance Number and what stands alone between


def test_a_value_that_changes_parts_its_stretch(site, remembered):
    a_series(site, 4)
    before = remembered.stretches.copy()

    (made,) = a_series(site, 1, KVP="77")
    a_series(site, 3, KVP="77")

    assert b"77" in made.head
    assert remembered.stretches != before
    assert {said(one)[0] for one in a_series(site, 2, KVP="77")} == {
        said(one)[0] for one in _forgotten(site, 2, KVP="77")
    }


def _forgotten(site: Site, count: int, **same: str) -> list[Deidentified]:
    with forgetting():
        return a_series(site, count, **same)


def test_a_private_element_that_joins_its_group_decides_about_the_others_again(site, remembered):
    """A creator goes with a block of which nothing is safe, and stays for the sake of one that is."""

    def of_numbers(study: int, *numbers: int) -> Deidentified:
        ds = a_ct(seed="stretch", StudyInstanceUID=a_uid("study", study))  # it follows the group, and ends its stretch
        block = ds.private_block(0x0019, SAFE_CREATOR, create=True)
        for number in numbers:
            block.add_new(number, "IS", "1000")
        return site.deidentifies(as_file(ds), "tele-read")

    alike = [of_numbers(study, 0x05) for study in range(4)]

    joined = of_numbers(5, 0x05, 0x0C)

    assert SAFE_CREATOR.encode() not in alike[-1].head
    assert SAFE_CREATOR.encode() in joined.head


def test_elements_that_do_not_ascend_are_treated_one_by_one(site, remembered):
    """Only in order are the elements of a private group neighbours, so that one look tells that they are all."""
    ds = a_ct(seed="stretch")
    source = as_file(ds)
    header = scan(source, ExplicitVRLittleEndian, offset=read_file_meta(source).dataset_offset)
    first, last = header.elements[0], header.elements[1]
    swapped = source[: first.start] + source[last.start : last.end] + source[first.start : first.end]
    swapped += source[last.end :]

    for _ in range(4):
        site.deidentifies(swapped, "tele-read")

    assert remembered.stretches == {}


def test_what_is_remembered_of_stretches_is_bounded(site, remembered, monkeypatch):
    monkeypatch.setattr(stretches, "STRETCHES_MAX", 2)
    monkeypatch.setattr(stretches, "STRETCH_BYTES_MAX", 300)

    a_series(site, 6, PatientComments="A" * 500)

    assert 0 < len(remembered.stretches) <= 2
    assert all(len(stretch.content) <= 300 for stretch in remembered.stretches.values())


def test_what_stood_where_is_noted_for_few_tags(site, remembered, monkeypatch):
    monkeypatch.setattr(stretches, "SEEN_MAX", 10)

    a_series(site, 3)

    assert 0 < len(remembered.seen) <= 10
