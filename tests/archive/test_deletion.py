"""Deleting on both engines: rows, counters, what is remembered; and the owner asked from outside."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from anonymizer.pseudonyms.keys import derive
from kernel.archive.blobs import verify
from kernel.archive.deletion.asked import ask_deletion, serve_deletions
from kernel.archive.deletion.deletion import Deletions, Wish
from kernel.archive.deletion.reclaim import reclaim_blobs
from kernel.archive.deletion.removal import Target
from kernel.archive.owner.asking import LocalOwner
from kernel.archive.tables import distinct_name, instance, patient, series, study, study_day
from kernel.config import ArchiveConfig
from kernel.errors import DeletionRefused, NotFound
from routing.deletion import DeliveryDependents
from routing.tables import derived
from tests.archive.conftest import open_archive
from tests.support.builders import a_ct, a_ct_series


def site_keys(site):
    return derive(b"s" * 32, site=site)


NAMED = (*verify.NAMED, derived)


@pytest.fixture
def archive(database, tmp_path):
    return open_archive(tmp_path / "blobs", database)


@pytest.fixture
def deletions(archive):
    return Deletions(
        archive.database, archive.clock, ArchiveConfig(), archive.committer, (DeliveryDependents(site_keys),)
    )


def a_wish(ds, *, series=None, instance=None, force=True):
    target = Target("BVA", str(ds.StudyInstanceUID), series, instance)
    return Wish(target, "admin", "admin", "127.0.0.1", "test-data", is_admin=True, is_forced=force)


def test_a_name_is_known_as_long_as_a_study_has_it(archive, deletions):
    person = {"PatientName": "Nguyễn^An", "PatientID": "A1"}
    first, second = a_ct(seed="first", **person), a_ct(seed="second", **person)
    archive.receives(first, second, a_ct(seed="other", PatientName="Đặng^Bình", PatientID="B2"))

    def names() -> list[str]:
        with archive.database.read() as connection:
            return sorted(connection.scalars(select(distinct_name.c.name_fold)))

    deletions.delete(a_wish(first))
    assert names() == ["dang^binh", "nguyen^an"]
    deletions.delete(a_wish(second))

    assert names() == ["dang^binh"]


def test_the_studies_of_a_day_are_counted(archive, deletions):
    first, second = a_ct(seed="first", StudyDate="20261101"), a_ct(seed="second", StudyDate="20261101")
    archive.receives(first, second, a_ct(seed="other", StudyDate="20261102"), a_ct(seed="none", StudyDate=""))
    archive.receives(first)

    def days() -> dict[str, int]:
        with archive.database.read() as connection:
            return {row.study_date: row.studies for row in connection.execute(select(study_day))}

    assert days() == {"": 1, "20261101": 2, "20261102": 1}
    deletions.delete(a_wish(first))
    assert days() == {"": 1, "20261101": 1, "20261102": 1}
    deletions.delete(a_wish(second))
    assert days() == {"": 1, "20261102": 1}


def test_a_study_goes_and_the_same_instances_make_it_anew(archive, deletions):
    slices = list(a_ct_series(4))
    archive.receives(*slices)

    assert deletions.delete(a_wish(slices[0])) == 4
    assert [archive.count(table) for table in (instance, series, study, patient)] == [0, 0, 0, 0]
    archive.receives(*slices[:2])

    assert [archive.count(table) for table in (instance, series, study, patient)] == [2, 1, 1, 1]
    far = datetime(2100, 1, 1, tzinfo=UTC)
    assert reclaim_blobs(archive.database, archive.blobs, NAMED, far) == 2
    assert verify.check(archive.database, archive.blobs, NAMED).is_whole


def test_an_instance_goes_and_its_neighbours_stay(archive, deletions):
    slices = list(a_ct_series(2))
    archive.receives(*slices)
    first = slices[0]

    deletions.delete(a_wish(first, series=str(first.SeriesInstanceUID), instance=str(first.SOPInstanceUID)))

    row = archive.row(study.select())
    assert (row.number_of_instances, row.number_of_series) == (1, 1)
    assert archive.events()[-1][0] == "InstanceDeleted"


def test_the_owner_deletes_for_who_asks_and_tells_why_not(archive, deletions):
    slices = list(a_ct_series(2))
    archive.receives(*slices)
    owner = LocalOwner()
    serve_deletions(owner, deletions)

    with pytest.raises(DeletionRefused, match="2 of its instances have no receipt"):
        ask_deletion(owner, a_wish(slices[0], force=False))
    assert ask_deletion(owner, a_wish(slices[0])) == 2
    with pytest.raises(NotFound, match="no such study"):
        ask_deletion(owner, a_wish(slices[0]))
