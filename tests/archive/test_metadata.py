"""/metadata: joined from what ingest made, folded once, right after every change."""

import gzip
import json

import pytest
from sqlalchemy import select

from kernel.archive.derived import metadata as metadata_module
from kernel.archive.derived.metadata import Metadata
from kernel.archive.tables import series_metadata
from kernel.errors import NotFound
from tests.archive.conftest import Archive, an_origin
from tests.archive.test_index import Granted
from tests.support.builders import a_cr, a_ct, a_ct_series

BASE = "https://anh.example.vn/dicom-web"
DS = a_ct(seed="a")
UID, SERIES = DS.StudyInstanceUID, DS.SeriesInstanceUID
GRANTED = Granted("BVA", UID)


@pytest.fixture
def filled(archive: Archive) -> Archive:
    archive.receives(*a_ct_series(5, seed="a"))
    return archive


def test_a_series_is_one_array_whose_bulk_data_are_under_its_instances(filled: Archive):
    folded = Metadata(filled.database).folded(GRANTED, SERIES, BASE)

    found = json.loads(gzip.decompress(folded.gzipped))
    assert folded.json() == gzip.decompress(folded.gzipped)
    assert [one["00200013"]["Value"] for one in found] == [[1], [2], [3], [4], [5]]
    for one in found:
        uid = one["00080018"]["Value"][0]
        uri = f"{BASE}/studies/{UID}/series/{SERIES}/instances/{uid}/bulkdata/7FE00010"
        assert one["7FE00010"] == {"vr": "OW", "BulkDataURI": uri}
    assert found[0]["00100010"]["Value"] == [{"Alphabetic": "Nguyễn^Thị Hương"}]


def test_an_instance_a_series_and_a_study_say_the_same(filled: Archive):
    filled.receives(a_cr(seed="cr", StudyInstanceUID=UID, SeriesNumber="0"))
    metadata = Metadata(filled.database)

    of_study = json.loads(metadata.folded(GRANTED, None, BASE).json())
    of_series = json.loads(metadata.folded(GRANTED, SERIES, BASE).json())
    of_instance = json.loads(metadata.of_instance(GRANTED, SERIES, DS.SOPInstanceUID, BASE))

    assert of_study[1:] == of_series
    assert of_series[0] == of_instance[0]
    assert len(of_instance) == 1
    assert b"".join(metadata.pieces(GRANTED, None, BASE)) == metadata.folded(GRANTED, None, BASE).json()
    assert b"".join(metadata.pieces(GRANTED, SERIES, BASE)) == metadata.folded(GRANTED, SERIES, BASE).json()


def test_pieces_are_small_whatever_the_series(filled: Archive, monkeypatch):
    monkeypatch.setattr(metadata_module, "PIECE_INSTANCES", 2)

    pieces = list(Metadata(filled.database).pieces(GRANTED, SERIES, BASE))

    assert len(pieces) == 4
    assert len(json.loads(b"".join(pieces))) == 5
    assert json.loads(b"".join(Metadata(filled.database).pieces(GRANTED, "2.25.1", BASE))) == []


def test_a_warm_answer_is_the_very_same_bytes_until_an_instance_comes(filled: Archive):
    metadata = Metadata(filled.database)
    first = metadata.folded(GRANTED, SERIES, BASE)
    study = metadata.folded(GRANTED, None, BASE)

    assert metadata.folded(GRANTED, SERIES, BASE) is first
    assert metadata.folded(GRANTED, None, BASE) is study
    assert metadata.folded(GRANTED, SERIES, "http://127.0.0.1:8080/dicom-web") is not first
    filled.receives(a_ct(seed="a", instance=6))
    again = metadata.folded(GRANTED, SERIES, BASE)

    assert len(json.loads(again.json())) == 6
    assert len(json.loads(metadata.folded(GRANTED, None, BASE).json())) == 6
    assert again.etag != first.etag


def test_the_join_of_a_complete_study_outlives_the_process_and_is_not_used_when_it_is_old(filled: Archive):
    Metadata(filled.database).folded(GRANTED, SERIES, BASE)
    assert filled.count(series_metadata) == 0, "the study may still grow"
    filled.committer.end_session("BVA", "s1", "association-released")

    expected = Metadata(filled.database).folded(GRANTED, SERIES, BASE)
    filled.database.write(lambda _: None)
    kept = filled.row(select(series_metadata))
    again = Metadata(filled.database).folded(GRANTED, SERIES, BASE)

    assert (kept.revision, again) == (5, expected)
    assert len(kept.folded) < len(expected.json()) / 5
    filled.receives(a_ct(seed="a", instance=6), origin=an_origin(session="s2"))
    assert len(json.loads(Metadata(filled.database).folded(GRANTED, SERIES, BASE).json())) == 6
    filled.committer.end_session("BVA", "s2", "association-released")
    Metadata(filled.database).folded(GRANTED, SERIES, BASE)
    filled.database.write(lambda _: None)
    assert filled.row(select(series_metadata)).revision == 6


def test_memory_is_bounded(filled: Archive):
    metadata = Metadata(filled.database, memory_bytes_max=1)

    metadata.folded(GRANTED, SERIES, BASE)

    assert metadata._memory.weight == 0
    assert not metadata._memory._kept


@pytest.mark.parametrize("bound", ["FOLD_INSTANCES_MAX", "FOLD_BYTES_MAX"])
def test_what_is_too_large_to_fold_is_given_in_pieces(filled: Archive, monkeypatch, bound):
    monkeypatch.setattr(metadata_module, bound, 4)
    metadata = Metadata(filled.database)

    assert metadata.folded(GRANTED, SERIES, BASE) is None
    assert metadata.folded(GRANTED, None, BASE) is None
    assert len(json.loads(b"".join(metadata.pieces(GRANTED, SERIES, BASE)))) == 5


def test_what_is_not_in_the_study_is_not_found(filled: Archive):
    metadata = Metadata(filled.database)
    with pytest.raises(NotFound, match="no such series"):
        metadata.folded(GRANTED, "2.25.1", BASE)
    with pytest.raises(NotFound, match="no such instance"):
        metadata.of_instance(GRANTED, SERIES, "2.25.1", BASE)
    with pytest.raises(NotFound, match="no such study"):
        metadata.folded(Granted("BVB", UID), None, BASE)
    with pytest.raises(NotFound, match="no such series"):
        metadata.folded(Granted("BVB", UID), SERIES, BASE)
