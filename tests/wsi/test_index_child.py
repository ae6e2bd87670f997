"""Indexes are made in a process that has bounds, and says in words what is wrong."""

import errno
import mmap
import os
from pathlib import Path

import pytest

from kernel.dicom.scanning.part10 import read_file_meta
from kernel.errors import BlobMissing, LimitExceeded, MalformedSlide
from tests.wsi.dicom_builders import a_header, a_volume, as_file, index_of
from wsi import index_process
from wsi.index_child import IndexMaker, InstanceFile, Outcome, Question, shared_index_maker
from wsi.index_file import load


def as_question(folder, content: bytes) -> InstanceFile:
    (folder / "one.dcm").write_bytes(content)
    meta = read_file_meta(content)
    return InstanceFile(str(folder / "one.dcm"), meta.transfer_syntax_uid, meta.dataset_offset)


def test_it_is_the_index_that_would_be_made_here(tmp_path):
    slide = a_volume(300, 200, 64)

    shared_index_maker().make([as_question(tmp_path, slide)], tmp_path / "index")

    made, here = load(tmp_path / "index"), index_of(slide)
    assert (made.mpp, made.on_glass, made.optical_paths) == (here.mpp, here.on_glass, here.optical_paths)
    assert made.levels[0].offsets.tolist() == here.levels[0].offsets.tolist()


def test_what_is_wrong_is_told_as_it_would_be_here(tmp_path):
    damaged = as_question(tmp_path, as_file(a_header(300, 200, 64, 2), [b"one", b"two"]))
    gone = InstanceFile(str(tmp_path / "gone"), damaged.transfer_syntax_uid, damaged.dataset_offset)

    with pytest.raises(MalformedSlide, match="it has 2 frames where its matrix asks for 20"):
        shared_index_maker().make([damaged], tmp_path / "index")
    with pytest.raises(BlobMissing, match="gone"):
        shared_index_maker().make([gone], tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_one_that_takes_too_long_is_refused_and_the_next_is_made(tmp_path):
    maker = IndexMaker(seconds_max=0.0)
    asked = as_question(tmp_path, a_volume())

    with pytest.raises(LimitExceeded, match="seconds to find a slide's tiles"):
        maker.make([asked], tmp_path / "index")
    maker.close()

    shared_index_maker().make([asked], tmp_path / "index")
    assert (tmp_path / "index").exists()


def test_one_that_takes_too_much_memory_is_refused_in_words(tmp_path, monkeypatch):
    def swells(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(index_process, "index_dicom", swells)

    told = index_process.answer(Question([as_question(tmp_path, a_volume())], str(tmp_path / "index")))

    assert told == Outcome("MalformedSlide", {"reason": "it takes too much memory"})


def test_a_disk_that_is_full_or_a_file_that_may_not_be_read_is_no_fault_of_the_slide(tmp_path, monkeypatch):
    def full(path: Path, _: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    asked = Question([as_question(tmp_path, a_volume())], str(tmp_path / "index"))
    with monkeypatch.context() as then:
        then.setattr(Path, "write_bytes", full)
        assert index_process.answer(asked) == Outcome(errno=errno.ENOSPC)
    assert not list(tmp_path.glob("index*"))
    monkeypatch.setattr(index_process, "save", lambda *_: no_memory())
    assert index_process.answer(asked).error == "MalformedSlide"

    with pytest.raises(NotADirectoryError):
        shared_index_maker().make(asked.files, tmp_path / "one.dcm" / "index")


def no_memory() -> None:
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


def test_a_mapped_file_does_not_count_as_memory(tmp_path):
    content = a_volume()
    asked = as_question(tmp_path, content)
    with (tmp_path / "one.dcm").open("r+b") as file:
        file.truncate(8 << 30)  # a hole: more than the process may have
        assert len(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) == 8 << 30

    with pytest.raises(Exception, match="after the pixel data"):  # it was read, to its end
        shared_index_maker().make([asked], tmp_path / "index")
