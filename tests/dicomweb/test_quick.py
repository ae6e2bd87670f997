"""Frames answered from memory alone: no thread, no database, and never a wait on the event loop."""

import errno
import os
import threading

import pytest

from gateway.dicomweb.retrieve import frames
from kernel.access.memory import NotRemembered, Recent, about_to_wait, may_wait, remembered_only
from kernel.archive.derived.folded import Folded
from kernel.archive.derived.metadata import Metadata
from kernel.archive.derived.remembered import Remembered
from kernel.clock import ManualClock
from tests.dicomweb.test_wado import parts_of, url_of
from tests.support.builders import a_ct, a_ct_series


@pytest.fixture
def reads(monkeypatch):
    """The threads in which frames were read, in order."""
    seen: list[str] = []
    real = frames._joined

    def joined(pieces, size):
        body = real(pieces, size)
        seen.append(threading.current_thread().name)
        return body

    monkeypatch.setattr(frames, "_joined", joined)
    return seen


def test_a_frame_is_read_by_a_thread_first_and_then_from_memory(node, reads):
    ds = a_ct()
    node.store(ds)

    answers = [node.get(url_of(ds) + "/frames/1").content for _ in range(3)]

    assert len(set(answers)) == 1
    assert [name.startswith("dicomweb-read") for name in reads] == [True, False, False]


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EOPNOTSUPP])
def test_a_frame_that_is_not_in_the_page_cache_is_read_by_a_thread(node, reads, monkeypatch, code):
    ds = a_ct()
    node.store(ds)
    real = os.preadv

    def preadv(descriptor, buffers, offset, flags=0):
        if flags:
            raise OSError(code, "not now")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(frames.os, "preadv", preadv)
    bodies = [parts_of(node.get(url_of(ds) + "/frames/1"))[0][1] for _ in range(2)]

    assert bodies == [ds.PixelData] * 2
    assert [name.startswith("dicomweb-read") for name in reads] == [True, True]


def test_a_frame_of_which_only_a_part_is_in_the_page_cache_is_read_by_a_thread(node, monkeypatch):
    ds = a_ct()
    node.store(ds)
    real = os.preadv

    def preadv(descriptor, buffers, offset, flags=0):
        return real(descriptor, [buffers[0][:100]] if flags else buffers, offset)

    monkeypatch.setattr(frames.os, "preadv", preadv)

    for _ in range(2):
        assert parts_of(node.get(url_of(ds) + "/frames/1"))[0][1] == ds.PixelData


def test_a_missing_blob_is_told_as_ours(node):
    ds = a_ct()
    node.store(ds)
    assert node.get(url_of(ds) + "/frames/1").status_code == 200
    for blob in (node.config.node.data / "blobs").glob("??/*"):
        blob.unlink()

    for path in ("/frames/1", "", "/rendered", "/bulkdata/7FE00010"):
        response = node.get(url_of(ds) + path)
        assert (response.status_code, response.json()["code"]) == (500, "BlobMissing")


@pytest.fixture
def lookups(monkeypatch):
    """How often metadata looked at the database."""
    seen: list[str] = []
    real = Metadata.folded

    def looked(self, granted, series_instance_uid, base_url):
        seen.append("study" if series_instance_uid is None else "series")
        return real(self, granted, series_instance_uid, base_url)

    monkeypatch.setattr(Metadata, "folded", looked)
    return seen


@pytest.mark.parametrize("level", ["series", "study"])
def test_metadata_come_from_memory_until_anything_is_written(node, lookups, level):
    first, second = a_ct_series(2)
    node.store(first)
    url = f"/dicom-web/studies/{first.StudyInstanceUID}"
    url += f"/series/{first.SeriesInstanceUID}/metadata" if level == "series" else "/metadata"

    before = [node.get(url).json() for _ in range(4)]
    asked = len(lookups)
    node.store(second)
    after = node.get(url).json()

    assert before[0] == before[1] == before[2] == before[3]
    assert asked < 4  # the first looks, and so may the next: the audit line of the first was a change
    assert set(lookups) == {level}
    assert (len(before[0]), len(after), len(lookups)) == (1, 2, asked + 1)


def test_metadata_of_a_deleted_series_are_gone_at_once(node):
    ds = a_ct()
    node.store(ds)
    study = f"/dicom-web/studies/{ds.StudyInstanceUID}"
    url = f"{study}/series/{ds.SeriesInstanceUID}/metadata"
    assert [node.get(url).status_code for _ in range(3)] == [200] * 3

    with node.http() as client:
        assert client.delete(f"{study}?reason=test-data&force=true").status_code == 204

    assert node.get(url).status_code == 404


def test_what_must_be_unpacked_is_unpacked_by_a_thread(node, monkeypatch):
    ds = a_ct()
    node.store(ds)
    url = f"/dicom-web/studies/{ds.StudyInstanceUID}/metadata"
    seen: list[str] = []
    real = Folded.json
    monkeypatch.setattr(Folded, "json", lambda self: seen.append(threading.current_thread().name) or real(self))

    for _ in range(3):
        assert len(node.get(url, **{"Accept-Encoding": "identity"}).json()) == 1

    assert len(seen) == 3
    assert all(name.startswith("dicomweb-read") for name in seen)


def test_what_is_not_remembered_is_not_waited_for():
    recent: Recent[str, int] = Recent(ManualClock(), seconds=5, most=10)
    assert recent.get_or("known", lambda: 1) == 1

    with remembered_only():
        assert recent.get_or("known", lambda: 2) == 1
        assert not may_wait()
        with pytest.raises(NotRemembered):
            recent.get_or("unknown", lambda: 3)
        with pytest.raises(NotRemembered):
            about_to_wait()

    assert may_wait()
    assert recent.get_or("unknown", lambda: 3) == 3


def test_memory_keeps_what_was_used_last_up_to_a_weight():
    memory = Remembered[str, int](10)
    for name in "abcde":
        memory.put(name, ord(name), 2)
    assert memory.get("a") == ord("a")

    memory.put("f", 0, 3)
    memory.put("huge", 0, 11)
    memory.put("a", 1, 1)

    kept = {name: memory.get(name) for name in "abcdef"}
    assert kept == {"a": 1, "b": None, "c": None, "d": ord("d"), "e": ord("e"), "f": 0}
    assert memory.weight == 8
