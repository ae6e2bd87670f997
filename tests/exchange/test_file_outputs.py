"""New files get their names once they are on the disk, whole; what does not get one leaves nothing behind."""

from pathlib import Path

import pytest

from exchange import file_outputs
from exchange.file_outputs import Writer


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_files_of_a_group_are_flushed_before_they_have_names(tmp_path, monkeypatch):
    flushed: list[int] = []
    flush = file_outputs.flush_data
    monkeypatch.setattr(file_outputs, "flush_data", lambda handle: (flush(handle), flushed.append(handle)))
    with Writer(tmp_path) as writer:
        begun = [writer.begin(f"study/{number}.dcm", [b"ab", memoryview(b"cd")]) for number in range(5)]
        assert not [name for name in left(tmp_path) if name.endswith(".dcm")]
        for writing in begun:
            assert writer.end(writing)
            assert len(flushed) > 0

    assert len(flushed) == 5
    assert left(tmp_path) == [f"{number}.dcm" for number in range(5)]
    assert (tmp_path / "study" / "3.dcm").read_bytes() == b"abcd"


def test_names_are_durable_when_the_group_is_over(tmp_path, monkeypatch):
    folders: list[Path] = []
    monkeypatch.setattr(file_outputs, "flush_folder", folders.append)
    with Writer(tmp_path) as writer:
        for name in ("a/1.dcm", "a/2.dcm", "b/1.dcm"):
            writer.end(writer.begin(name, [b"x"]))

    assert sorted(folders) == [tmp_path / "a", tmp_path / "b"]


def test_other_bytes_under_a_name_stay_and_the_same_bytes_are_fine(tmp_path):
    with Writer(tmp_path) as writer:
        first, other, same = (writer.begin("1.dcm", [content]) for content in (b"one", b"two", b"one"))
        assert [writer.end(one) for one in (first, other, same)] == [True, False, True]

    assert left(tmp_path) == ["1.dcm"]
    assert (tmp_path / "1.dcm").read_bytes() == b"one"


def test_a_group_that_fails_leaves_nothing_without_a_name(tmp_path):
    def chunks():
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), Writer(tmp_path) as writer:  # noqa: PT012 (the group is what fails)
        writer.begin("1.dcm", [b"whole"])
        writer.begin("2.dcm", chunks())

    assert left(tmp_path) == []


def test_a_file_that_cannot_be_flushed_gets_no_name(tmp_path, monkeypatch):
    def failing(_handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(file_outputs, "flush_data", failing)
    with pytest.raises(OSError, match="Input/output"), Writer(tmp_path) as writer:
        writer.end(writer.begin("1.dcm", [b"x"]))

    assert left(tmp_path) == []
