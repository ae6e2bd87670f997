"""`vienanh deidentify` is given whatever lies on a disk: each thing that is not read is told in a line, and nothing hangs."""

import errno
import json
import os
import socket
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exchange.commands.table import app
from exchange.files import inputs
from exchange.files.inputs import Entry, content_of, entries
from kernel.errors import InputNotRead, LimitExceeded
from tests.support.builders import a_ct, as_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one instance."""
    made = tmp_path / "in"
    made.mkdir()
    (made / "one.dcm").write_bytes(as_file(a_ct()))
    return made


def run(source: Path, output: Path, *options: object):
    return CliRunner().invoke(app, ["deidentify", *map(str, (source, output, "--workers", 1, *options))])


def told(done) -> str:
    return " ".join(done.output.split())


def written(output: Path) -> int:
    return sum(path.is_file() for path in output.rglob("*"))


def test_what_is_no_file_is_told_and_the_rest_is_written(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "link.dcm").symlink_to(folder / "one.dcm")  # the same bytes once more
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to(folder / "none")
    (folder / "itself").symlink_to("itself")
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)  # a socket has a short name
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")

        done = run(folder, tmp_path / "out", "--report", tmp_path / "report.json")

    report = json.loads((tmp_path / "report.json").read_text())
    assert done.exit_code == 1
    assert {Path(one["input"]).name: one["reason"] for one in report["unreadable"]} == {
        "loop": "link-to-folder",
        "nowhere": "dangling-link",
        "itself": "dangling-link",
        "pipe": "not-a-file",
        "socket": "not-a-file",
    }
    assert "pipe: unreadable: not-a-file" in told(done)
    assert report["totals"]["written"] == 2
    assert written(tmp_path / "out") == 1


def test_a_pipe_alone_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")

    done = run(tmp_path / "pipe", tmp_path / "out")

    assert done.exit_code == 1
    assert "unreadable: not-a-file" in told(done)


def test_folders_and_files_that_may_not_be_read_are_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "closed").mkdir()
    (folder / "gone.dcm").write_bytes(b"")
    scandir, opened = os.scandir, os.open

    def refusing_scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    def refusing_open(path, *arguments, **named):
        if str(path).endswith("gone.dcm"):
            raise FileNotFoundError(errno.ENOENT, "No such file")
        return opened(path, *arguments, **named)

    monkeypatch.setattr(os, "scandir", refusing_scandir)
    monkeypatch.setattr(os, "open", refusing_open)

    done = run(folder, tmp_path / "out")

    assert done.exit_code == 1
    assert "closed: unreadable: no-permission" in told(done)
    assert "gone.dcm: unreadable: gone" in told(done)
    assert written(tmp_path / "out") == 1


def test_a_file_in_a_folder_that_may_be_listed_and_not_entered_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "shut").mkdir()
    (folder / "shut" / "two.dcm").write_bytes(as_file(a_ct()))

    def refusing(real):
        def called(path, *arguments, **named):
            if str(path).endswith("two.dcm"):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, *arguments, **named)

        return called

    monkeypatch.setattr(os, "stat", refusing(os.stat))
    monkeypatch.setattr(os, "open", refusing(os.open))

    done = run(folder, tmp_path / "out")

    assert done.exit_code == 1
    assert "two.dcm: unreadable: no-permission" in told(done)
    assert written(tmp_path / "out") == 1


def test_a_name_that_is_not_utf_8_or_moves_the_cursor_is_told_in_escapes(folder: Path, tmp_path: Path):
    for name in (b"Nguy\xea\xf4n.dcm", b"a\x1b[2Jb\n.dcm"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"nothing")

    done = run(folder, tmp_path / "out", "--report", tmp_path / "report.json")

    names = {Path(one["input"]).name for one in json.loads((tmp_path / "report.json").read_text())["unreadable"]}
    assert done.exit_code == 1
    assert names == {r"Nguy\xea\xf4n.dcm", r"a\x1b[2Jb\n.dcm"}
    assert "\x1b" not in done.output
    assert written(tmp_path / "out") == 1


def test_folders_are_followed_to_a_depth(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inputs, "FOLDERS_MAX", 2)
    (folder / "1" / "2" / "3").mkdir(parents=True)
    (folder / "1" / "2" / "two.dcm").write_bytes(as_file(a_ct(instance=2)))

    done = run(folder, tmp_path / "out")

    assert "3: unreadable: folders-too-deep" in told(done)
    assert written(tmp_path / "out") == 2


def a_zip(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_within_a_zip_is_told_and_its_neighbours_are_written(tmp_path: Path):
    inner = a_zip(tmp_path / "inner.zip", one=as_file(a_ct(instance=3)))
    outer = a_zip(tmp_path / "outer.zip", inner=inner.read_bytes(), two=as_file(a_ct()))

    done = run(outer, tmp_path / "out")

    assert done.exit_code == 1
    assert "outer.zip!inner: unreadable: zip-in-zip" in told(done)
    assert written(tmp_path / "out") == 1


def damaged(packed: bytes) -> bytes:
    at = packed.index(b"PK\x01\x02")
    return packed[: at - 40] + bytes(40) + packed[at:]


def overlapping(packed: bytes) -> bytes:
    """Let the directory say that a member is as long as all of the zip."""
    at = packed.index(b"PK\x01\x02")
    return packed[: at + 20] + (len(packed) + 1).to_bytes(4, "little") + packed[at + 24 :]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damaged, "!one: unreadable: BadZipFile"),
        (overlapping, "study.zip: unreadable: BadZipFile"),
        (lambda packed: packed.replace(b"PK\x01\x02", b"PK\x01\x09"), "study.zip: unreadable: BadZipFile"),
        (
            lambda packed: packed.replace(b"PK\x01\x02\x14\x03\x14\0\0\0\x08", b"PK\x01\x02\x14\x03\x14\0\1\0\x08"),
            "BadZip",
        ),
        (
            lambda packed: packed.replace(b"PK\x01\x02\x14\x03\x14\0\0\0\x08", b"PK\x01\x02\x14\x03\x14\0\0\0\x63"),
            "BadZip",
        ),
        (lambda packed: packed[: len(packed) // 2], "study.zip: unreadable: MalformedInstance"),
    ],
)
def test_a_zip_that_is_damaged_encrypted_or_overlaps_is_told(tmp_path: Path, spoil, reason: str):
    packed = a_zip(tmp_path / "study.zip", one=as_file(a_ct()))
    packed.write_bytes(spoil(packed.read_bytes()))

    done = run(packed, tmp_path / "out")

    assert done.exit_code == 1
    assert reason in told(done)
    assert written(tmp_path / "out") == 0


@pytest.mark.parametrize(("number", "why"), [(errno.ENOSPC, "no-space"), (errno.EIO, "not-read")])
def test_a_disk_that_is_full_or_fails_is_no_damage_of_the_zip(tmp_path: Path, monkeypatch, number: int, why: str):
    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    packed = a_zip(tmp_path / "study.zip", one=as_file(a_ct()))
    with monkeypatch.context() as then:
        then.setattr(inputs, "_unpack", fails)
        with pytest.raises(InputNotRead) as refusal, content_of(Entry(packed, "one")):
            pass
    monkeypatch.setattr(zipfile.ZipFile, "infolist", fails)

    assert refusal.value.fields == {"why": why}
    assert [one.problem for one in entries(packed)] == [why]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_are_told_not_read_twice(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for number in (1, 2):
            archive.writestr("one", as_file(a_ct(instance=number)))

    assert [one.problem for one in entries(tmp_path / "study.zip")] == ["two-of-one-name", "two-of-one-name"]


def test_an_instance_that_ends_as_a_zip_is_an_instance(tmp_path: Path):
    whole = as_file(a_ct()) + a_zip(tmp_path / "tail.zip", one=b"x").read_bytes()
    (tmp_path / "one.dcm").write_bytes(whole)

    assert [one.member for one in entries(tmp_path / "one.dcm")] == [""]


@pytest.mark.parametrize("where", ["", "out", "a/b"])
def test_an_output_that_is_the_input_or_within_it_is_refused_before_anything_is_done(folder: Path, where: str):
    before = sorted(folder.rglob("*"))

    done = run(folder, folder / where)

    assert done.exit_code == 2
    assert "originals and copies would be mixed" in told(done).replace("│ ", "")
    assert sorted(folder.rglob("*")) == before


def test_an_output_that_leads_to_the_input_is_refused(folder: Path, tmp_path: Path):
    (tmp_path / "out").symlink_to(folder)

    assert run(folder, tmp_path / "out").exit_code == 2
    assert written(folder) == 1


def test_an_output_that_is_a_file_or_cannot_be_made_is_refused(folder: Path, tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "none" / "none")

    for output in ("file", "file/out", "dangling"):
        done = run(folder, tmp_path / output)

        assert done.exit_code == 2, done.output
        assert "Traceback" not in done.output
    assert (tmp_path / "file").read_text() == "mine"


def test_an_output_in_which_something_is_keeps_it(folder: Path, tmp_path: Path):
    key, output = tmp_path / "site.key", tmp_path / "out"
    assert run(folder, output, "--key-file", key).exit_code == 0
    (made,) = (path for path in output.rglob("*") if path.is_file())
    content = made.read_bytes()
    assert run(folder, output, "--key-file", key).exit_code == 0  # the same bytes
    (output / "mine.txt").write_text("mine")
    made.write_bytes(b"another's")

    done = run(folder, output, "--key-file", key)

    assert done.exit_code == 1
    assert "held: other-bytes-under-its-uid" in told(done)
    assert (made.read_bytes(), (output / "mine.txt").read_text()) == (b"another's", "mine")
    assert content != b"another's"


def test_a_report_in_place_of_an_input_or_in_no_folder_is_refused(folder: Path, tmp_path: Path):
    source = (folder / "one.dcm").read_bytes()

    for report in (folder / "one.dcm", tmp_path / "none" / "report.json"):
        assert run(folder, tmp_path / "out", "--report", report).exit_code == 2

    assert (folder / "one.dcm").read_bytes() == source
    assert not (tmp_path / "out").exists()


def test_walking_ends_when_there_is_too_much(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inputs, "FILES_MAX", 3)
    for number in range(10):
        (folder / f"{number}.dcm").touch()

    with pytest.raises(LimitExceeded, match="FILES_MAX"):
        list(entries(folder))


def test_a_file_that_becomes_a_folder_is_not_read(folder: Path):
    with pytest.raises(InputNotRead, match="not-a-file"), content_of(Entry(folder)):
        pass
