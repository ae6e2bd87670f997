"""From a granted study to the bytes of its instances."""

from dataclasses import dataclass

import pytest

from kernel.archive.index import locate_instance, locate_series, locate_study, study_row
from kernel.errors import AmbiguousStudy, NotFound
from tests.archive.conftest import Archive, an_origin
from tests.support.builders import a_cr, a_ct, a_ct_series, as_dataset_bytes


@dataclass(frozen=True)
class Granted:
    site: str
    study_instance_uid: str
    labels: bool = False


UID = a_ct(seed="a").StudyInstanceUID


@pytest.fixture
def filled(archive: Archive) -> Archive:
    archive.receives(
        *reversed(list(a_ct_series(3, seed="a", SeriesNumber="2"))), a_ct(seed="a", instance=9, InstanceNumber="")
    )
    archive.receives(a_cr(seed="cr", StudyInstanceUID=UID, SeriesNumber="1"))
    archive.receives(a_ct(seed="a", KVP="140"), origin=an_origin("BVB"))
    return archive


def test_instances_come_by_series_number_and_instance_number_whatever_the_order_of_arrival(filled: Archive):
    with filled.database.read() as connection:
        located = locate_study(connection, Granted("BVA", UID))
        of_series = locate_series(connection, Granted("BVA", UID), a_ct(seed="a").SeriesInstanceUID)

    assert [one.sop_instance_uid for one in located] == [
        a_cr(seed="cr").SOPInstanceUID,
        *(a_ct(seed="a", instance=number).SOPInstanceUID for number in (1, 2, 3, 9)),
    ]
    assert of_series == located[1:]


def test_a_located_instance_says_enough_to_serve_its_bytes(filled: Archive):
    ds = a_ct(seed="a", instance=2, SeriesNumber="2")
    with filled.database.read() as connection:
        one = locate_instance(connection, Granted("BVA", UID), ds.SeriesInstanceUID, ds.SOPInstanceUID)

    content = filled.blobs.path(one.blob_key).read_bytes()
    assert len(content) == one.size_bytes
    assert content[one.dataset_offset :] == as_dataset_bytes(ds)
    assert (one.site, one.study_instance_uid, one.number_of_frames) == ("BVA", UID, 1)
    assert (one.sop_class_uid, one.transfer_syntax_uid) == (ds.SOPClassUID, "1.2.840.10008.1.2.1")


def test_a_grant_for_one_site_never_reaches_another(filled: Archive):
    ds = a_ct(seed="a")
    with filled.database.read() as connection:
        here = locate_instance(connection, Granted("BVA", UID), ds.SeriesInstanceUID, ds.SOPInstanceUID)
        there = locate_instance(connection, Granted("BVB", UID), ds.SeriesInstanceUID, ds.SOPInstanceUID)
        assert len(locate_study(connection, Granted("BVB", UID))) == 1
        with pytest.raises(NotFound, match="no such study"):
            locate_study(connection, Granted("BVC", UID))

    assert (here.site, there.site) == ("BVA", "BVB")
    assert here.blob_key != there.blob_key


def test_what_is_not_in_the_study_is_not_found(filled: Archive):
    ds = a_ct(seed="a")
    with filled.database.read() as connection:
        with pytest.raises(NotFound, match="no such series"):
            locate_series(connection, Granted("BVA", UID), "2.25.1")
        with pytest.raises(NotFound, match="no such instance"):
            locate_instance(connection, Granted("BVA", UID), "2.25.1", ds.SOPInstanceUID)
        with pytest.raises(NotFound, match="no such instance"):
            locate_instance(connection, Granted("BVA", UID), ds.SeriesInstanceUID, "2.25.1")


def test_a_study_that_two_sites_have_must_be_named_with_its_site(filled: Archive):
    with filled.database.read() as connection:
        assert study_row(connection, UID, frozenset({"BVB"})).number_of_instances == 1
        with pytest.raises(AmbiguousStudy, match="more than one site"):
            study_row(connection, UID)
        with pytest.raises(NotFound, match="no such study"):
            study_row(connection, UID, frozenset())
