"""Blobs against the index: what is missing, what is damaged, what nobody names."""

import pytest

from kernel.archive.blobs.verify import NAMED, check, reclaim
from kernel.errors import MalformedInstance
from tests.archive.conftest import Archive, an_origin
from tests.support.builders import a_ct, a_ct_series


@pytest.fixture
def filled(archive: Archive) -> Archive:
    archive.receives(*a_ct_series(3), a_ct(KVP="140"))
    archive.receives(a_ct(), origin=an_origin("BVB"))
    with pytest.raises(MalformedInstance):
        archive.ingest.ingest(archive.stage(b"<html>"), an_origin())
    return archive


def test_a_whole_archive_has_no_problems(filled: Archive, monkeypatch):
    monkeypatch.setattr("kernel.archive.blobs.verify.PAGE", 2)

    report = check(filled.database, filled.blobs)

    assert report.is_whole
    assert report.problems() == []
    assert (report.checked, report.orphans, report.orphan_bytes) == (6, [], 0)


def test_missing_damaged_and_unnamed_blobs_are_told_by_their_keys(filled: Archive):
    first, second, third = (stored.received.blob_key for stored in filled.stored[:3])
    filled.blobs.delete(first)
    with filled.blobs.path(second).open("r+b") as file:
        file.seek(500)
        file.write(b"\xff\xff")
    left = filled.blobs.promote(filled.stage(a_ct(instance=9)))

    report = check(filled.database, filled.blobs)

    assert (report.missing, report.damaged, report.orphans) == ([first], [second], [left])
    assert not report.is_whole
    assert report.problems() == [f"1 missing: {first}", f"1 damaged: {second}"]
    quick = check(filled.database, filled.blobs, digests=False)
    assert (quick.missing, quick.damaged) == ([first], [])
    assert third not in report.orphans


def test_only_what_nobody_names_is_reclaimed(filled: Archive):
    left = filled.blobs.promote(filled.stage(a_ct(instance=9)))
    size = filled.blobs.path(left).stat().st_size

    freed = reclaim(filled.database, filled.blobs, NAMED)

    assert freed == size
    assert check(filled.database, filled.blobs).orphans == []
    assert check(filled.database, filled.blobs).checked == 6
    assert filled.receives(a_ct(instance=9))[0].outcome == "stored"
