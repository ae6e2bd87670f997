"""Identifiers that a source leaves out are made here, where its table says so; nothing else changes."""

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from gateway.dimse.scp.missing import Identifiers
from gateway.dimse.upper_layer.pdu import ProposedContext
from gateway.peers import Source
from tests.dimse import scripts
from tests.dimse.conftest import Node
from tests.support.builders import a_ct

FILLING = {"name": "old-us", "missing_identifiers": "fill"}
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


def a_ct_without(*keywords: str, **changes) -> Dataset:
    ds = a_ct(PatientID="BN1", StudyDate="20261122", **changes)
    for keyword in keywords:
        del ds[keyword]
    return ds


def stores(node: Node, ds: Dataset, syntax: str = ExplicitVRLittleEndian, uid: str = "1.2.3.4") -> int:
    content = encode(ds, syntax == ImplicitVRLittleEndian, is_little_endian=True)
    with node.call(contexts=(ProposedContext(3, scripts.CT, (syntax,)),)) as peer:
        status = peer.stores(content, sop_instance_uid=uid)["Status"]
        peer.releases()
    return status


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("empty", [False, True], ids=["absent", "empty"])
@pytest.mark.parametrize("pixels", [1000, 2 << 20], ids=["short", "long"])
def test_an_instance_without_any_identifier_is_completed_and_otherwise_the_same(start_node, syntax, empty, pixels):
    node = start_node(sources=[FILLING])
    ds = a_ct_without(PixelData=bytes(pixels))
    for keyword in UIDS:
        ds[keyword].value = ""
        if not empty:
            del ds[keyword]

    assert stores(node, ds, syntax) == 0

    (path,) = node.blob_paths()
    kept = pydicom.dcmread(io.BytesIO(path.read_bytes()))
    assert (kept.SOPInstanceUID, kept.SOPClassUID) == ("1.2.3.4", scripts.CT)
    assert kept.StudyInstanceUID.startswith("2.25.")
    assert kept.SeriesInstanceUID.startswith("2.25.")
    assert [element.tag for element in kept] == sorted(element.tag for element in kept)
    for keyword in UIDS:
        for one in (kept, ds):
            one.pop(keyword, None)
    assert kept == ds


def test_slices_of_one_study_stay_together_and_studies_apart(start_node):
    node = start_node(sources=[FILLING])
    missing = ("StudyInstanceUID", "SeriesInstanceUID")

    assert stores(node, a_ct_without(*missing, SOPInstanceUID="1.1", InstanceNumber=1), uid="1.1") == 0
    assert stores(node, a_ct_without(*missing, SOPInstanceUID="1.2", InstanceNumber=2), uid="1.2") == 0
    other = a_ct_without(*missing, SOPInstanceUID="1.3")
    other.StudyDate = "20261123"
    assert stores(node, other, uid="1.3") == 0

    assert [count for _, _, count in node.studies()] == [2, 1]


@pytest.mark.parametrize("vague", [("PatientID",), ("StudyDate", "AccessionNumber")])
def test_what_does_not_tell_studies_apart_is_refused(start_node, vague):
    node = start_node(sources=[FILLING])
    ds = a_ct_without("StudyInstanceUID")
    for keyword in vague:
        setattr(ds, keyword, "")

    assert stores(node, ds, uid=ds.SOPInstanceUID) == 0xA900
    assert node.quarantined() == ["MissingIdentifier"]


def test_other_sources_are_refused_and_whole_instances_untouched(start_node):
    node = start_node(sources=[{**FILLING, "calling": "OLD"}])
    ds = a_ct()

    assert stores(node, a_ct_without("StudyInstanceUID"), uid=ds.SOPInstanceUID) == 0xA900

    filled = Identifiers(b"k" * 32).filled(
        content := encode(ds, False, True), ExplicitVRLittleEndian, Source("x", "BVA"), ("1.2", "1.3")
    )
    assert filled == content


def test_the_uids_depend_on_a_key_that_only_this_node_has():
    ds = a_ct_without("StudyInstanceUID")
    content, source = encode(ds, False, True), Source("x", "BVA")

    first, second = (
        Identifiers(key * 32).filled(content, ExplicitVRLittleEndian, source, ("1.2", "1.3")) for key in (b"a", b"b")
    )

    assert first != second
    assert len(first) > len(content)


@given(st.binary(max_size=300), st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian]))
def test_whatever_the_bytes_are_nothing_of_them_is_lost(noise, syntax):
    head = encode(a_ct_without(*UIDS), syntax == ImplicitVRLittleEndian, True)
    for data in (noise, head[: len(noise)], head + noise):
        filled = Identifiers(b"k" * 32).filled(data, syntax, Source("x", "BVA"), ("1.2", "1.3"))
        assert len(filled) >= len(data)
