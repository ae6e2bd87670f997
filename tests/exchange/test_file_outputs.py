"""New files get their names once they are on the disk, whole; what does not get one leaves nothing behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.files import outputs as file_outputs
from exchange.files.outputs import CHUNKS_AT_ONCE, Writer, write_chunks


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_files_of_a_group_are_flushed_together_before_they_have_names(tmp_path, monkeypatch):
    flushed: list[int] = []
    flush = file_outputs.flush_together
    monkeypatch.setattr(file_outputs, "flush_together", lambda files: (flush(files), flushed.append(len(files))))
    with Writer(tmp_path) as writer:
        begun = [writer.begin(f"study/{number}.dcm", [b"ab", b"cd"]) for number in range(5)]
        assert not [name for name in left(tmp_path) if name.endswith(".dcm")]
        assert flushed == []
        for writing in begun:
            assert writer.end(writing)
            assert flushed[0] == 5

    assert sum(flushed) == 5
    assert left(tmp_path) == [f"{number}.dcm" for number in range(5)]
    assert (tmp_path / "study" / "3.dcm").read_bytes() == b"abcd"


def test_names_are_durable_when_the_group_is_over_those_of_new_folders_too(tmp_path, monkeypatch):
    folders: list[Path] = []
    monkeypatch.setattr(file_outputs, "flush_folder", folders.append)
    for number in (1, 2):
        with Writer(tmp_path) as writer:
            for name in ("a/x", "a/y", "b/x"):
                writer.end(writer.begin(f"{name}/{number}.dcm", [b"x"]))

    new = [tmp_path / name for name in ("", "a", "a/x", "a/y", "b", "b/x")]
    assert sorted(folders[:6]) == new
    assert sorted(folders[6:]) == [tmp_path / name for name in ("a/x", "a/y", "b/x")]


def test_other_bytes_under_a_name_stay_and_the_same_bytes_are_fine(tmp_path):
    with Writer(tmp_path) as writer:
        first, other, same = (writer.begin("1.dcm", [content]) for content in (b"one", b"two", b"one"))
        assert [writer.end(one) for one in (first, other, same)] == [True, False, True]

    assert left(tmp_path) == ["1.dcm"]
    assert (tmp_path / "1.dcm").read_bytes() == b"one"


def test_a_group_that_fails_leaves_nothing_without_a_name_and_nothing_open(tmp_path, monkeypatch):
    handles: list[int] = []
    closed: list[int] = []
    real_open, real_close = os.open, os.close

    def noted(path: Path, *arguments: int) -> int:
        handle = real_open(path, *arguments)
        if str(path).startswith(str(tmp_path)):
            handles.append(handle)
        return handle

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", noted)
    monkeypatch.setattr(os, "close", lambda handle: (closed.append(handle), real_close(handle)))
    with pytest.raises(OSError, match="No space"), Writer(tmp_path) as writer:  # noqa: PT012 (the group is what fails)
        writer.begin("1.dcm", [b"whole"])
        writer.begin("2.dcm", pieces())

    assert left(tmp_path) == []
    assert len(handles) == 2
    assert set(handles) <= set(closed)


def test_a_file_that_cannot_be_flushed_gets_no_name(tmp_path, monkeypatch):
    def failing(_files: list[int]) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(file_outputs, "flush_together", failing)
    with pytest.raises(OSError, match="Input/output"), Writer(tmp_path) as writer:
        writer.end(writer.begin("1.dcm", [b"x"]))

    assert left(tmp_path) == []


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_chunks_are_written_whole_and_in_order_however_few_bytes_the_system_takes_at_once(
    tmp_path, monkeypatch, at_once
):
    chunks = [
        b"",
        *(bytes([number % 256]) * (number % 5) for number in range(2 * CHUNKS_AT_ONCE + 3)),
        memoryview(b"end"),
    ]
    write = os.write
    monkeypatch.setattr(os, "writev", lambda handle, parts: write(handle, b"".join(parts)[:at_once]))

    with (tmp_path / "new").open("wb") as file:
        write_chunks(file.fileno(), chunks)

    assert (tmp_path / "new").read_bytes() == b"".join(chunks)


def test_no_more_chunks_wait_in_memory_than_are_written_at_once(tmp_path):
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(10 * CHUNKS_AT_ONCE):
            assert number - os.fstat(file.fileno()).st_size < CHUNKS_AT_ONCE
            made.append(number)
            yield b"x"

    with (tmp_path / "new").open("wb", buffering=0) as file:
        write_chunks(file.fileno(), chunks())

    assert len(made) == (tmp_path / "new").stat().st_size
