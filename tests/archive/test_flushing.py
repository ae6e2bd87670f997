"""A blob and its folder are flushed side by side; what that promises when the disk fails, is slow, or the system cannot."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.archive.blobs import durable, flushing
from kernel.archive.blobs.flushing import Flushing
from kernel.archive.records import Outcome
from kernel.archive.tables import instance
from kernel.errors import Busy, StorageFull
from tests.archive.conftest import Archive
from tests.support.builders import a_ct, a_ct_series


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """The descriptor of a folder, which is not the flush's to close."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def opened(tmp_path: Path, folder: int) -> tuple[int, int]:
    """A file with bytes that are not on disk, and its folder."""
    file = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    os.write(file, b"x" * 100_000)
    return file, folder


@pytest.fixture
def flushed_here(monkeypatch) -> list[int]:
    """The descriptors that were flushed by calls that wait."""
    calls: list[int] = []
    for module, name in ((durable, "flush_data"), (os, "fsync")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda fd, real=real: [calls.append(fd), real(fd)][1])
    return calls


def is_open(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").exists()


def test_the_kernel_flushes_both_while_the_thread_goes_on(opened, flushed_here):
    with Flushing(*opened, told=lambda error: error) as flushes:
        flushes.wait()
        flushes.wait()

    assert flushed_here == [], "no call of ours waited for the disk"
    assert [is_open(one) for one in opened] == [False, True]


def test_a_place_of_the_kernels_serves_one_after_another(tmp_path: Path, folder: int):
    def flush(number: int) -> Flushing:
        file = os.open(tmp_path / str(number), os.O_CREAT | os.O_WRONLY)
        return Flushing(file, folder, told=lambda error: error)

    with flush(0) as one, flush(1) as two:
        two.wait()
        one.wait()
    places = list(flushing._idle)
    for number in range(20):
        with flush(number):
            pass

    assert flushing._idle == places


@pytest.mark.parametrize("missing", ["the calls", "a place"])
def test_where_the_kernel_cannot_the_flushes_are_made_before_anybody_goes_on(
    opened, flushed_here, monkeypatch, missing: str
):
    monkeypatch.setattr(flushing, "_idle", [])
    if missing == "the calls":
        monkeypatch.setattr(flushing, "_numbers", None)
    else:
        monkeypatch.setattr(flushing, "_call", _no_place)

    with Flushing(*opened, told=lambda error: error) as flushes:
        assert flushed_here == list(opened)
        flushes.wait()

    assert [is_open(one) for one in opened] == [False, True]
    assert flushing._idle == []


def test_a_forked_process_does_not_use_the_places_of_its_parent(opened, flushed_here, monkeypatch):
    monkeypatch.setattr(flushing, "_idle", [flushing._Queue(flushing._FDATASYNC, flushing._FSYNC)])

    child = os.fork()
    if not child:
        try:
            with Flushing(*opened, told=lambda error: error) as flushes:
                flushes.wait()
        finally:
            os._exit(0 if flushed_here == list(opened) else 1)

    assert os.waitpid(child, 0)[1] == 0
    with Flushing(*opened, told=lambda error: error) as flushes:
        flushes.wait()
    assert flushed_here == []


def _no_place(*_):
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_what_the_disk_says_is_told_to_everybody_who_waits(opened, monkeypatch):
    monkeypatch.setattr(flushing._Queue, "over", _failing(flushing._Queue.over, errno.EIO))

    with Flushing(*opened, told=lambda error: error) as flushes:
        for _ in range(2):
            with pytest.raises(OSError, match="Input/output error"):
                flushes.wait()

    assert [is_open(one) for one in opened] == [False, True]


def test_what_cannot_be_flushed_at_all_is_an_error_at_once():
    reading, writing = os.pipe()

    with pytest.raises(OSError, match="Invalid argument"):
        Flushing(reading, writing, told=lambda error: error)

    assert not is_open(reading)
    os.close(writing)


def test_a_disk_that_is_full_when_it_flushes_leaves_no_row(archive: Archive, monkeypatch):
    first, second, third = a_ct_series(3)
    archive.receives(first)
    with monkeypatch.context() as planted:
        planted.setattr(flushing._Queue, "over", _failing(flushing._Queue.over, errno.ENOSPC))
        with pytest.raises(StorageFull):
            archive.receives(second)
    assert archive.count(instance) == 1

    assert [answer.outcome for answer in archive.receives(second, third)] == [Outcome.STORED] * 2


def test_a_disk_that_is_slow_does_not_hold_up_the_writer(archive: Archive, monkeypatch):
    real = flushing._Queue.over
    monkeypatch.setattr(flushing._Queue, "over", lambda self, count, wait_s: [] if wait_s else real(self, count, None))
    with pytest.raises(Busy, match="not flushed"):
        archive.receives(a_ct())
    monkeypatch.undo()

    assert archive.count(instance) == 0
    assert archive.receives(a_ct())[0].outcome is Outcome.STORED


def _failing(over, code: int):
    """Flush as always, and say that the first of them failed."""
    return lambda self, count, wait_s: [-code, *over(self, count, wait_s)[1:]]


# --- several files ----------------------------------------------------------------------------------------------------


def written_files(folder: Path, count: int) -> list[int]:
    files = [os.open(folder / f"of-{number}", os.O_CREAT | os.O_WRONLY) for number in range(count)]
    for file in files:
        os.write(file, b"x" * 10_000)
    return files


@pytest.mark.parametrize("count", [0, 1, 5, flushing.GROUP_MAX, flushing.GROUP_MAX + 3])
def test_several_files_are_flushed_by_the_kernel_and_stay_open(tmp_path, flushed_here, count: int):
    files = written_files(tmp_path, count)

    flushing.flush_together(files)

    assert flushed_here == []
    for file in files:
        os.close(file)


@pytest.mark.parametrize("missing", ["the calls", "a place"])
def test_where_the_kernel_cannot_several_files_are_flushed_one_after_the_other(
    tmp_path, flushed_here, monkeypatch, missing: str
):
    monkeypatch.setattr(flushing, "_wide", [])
    if missing == "the calls":
        monkeypatch.setattr(flushing, "_numbers", None)
    else:
        monkeypatch.setattr(flushing, "_call", _no_place)
    files = written_files(tmp_path, 3)

    flushing.flush_together(files)

    assert flushed_here == files
    for file in files:
        os.close(file)


def test_one_file_that_cannot_be_flushed_is_told_when_no_flush_is_under_way_any_more(tmp_path):
    files = written_files(tmp_path, 3)
    reader, _writer = pipe = os.pipe()

    with pytest.raises(OSError, match=r"Invalid argument|Operation not supported"):
        flushing.flush_together([files[0], reader, files[2]])

    flushing.flush_together(files)
    for file in (*files, *pipe):
        os.close(file)
