"""Blobs: durable, named by digest, bounded by the disk's reserve."""

import errno
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kernel.archive.blobs import store as blobs_module
from kernel.archive.blobs.durable import rename_new
from kernel.archive.blobs.flushing import Flushing
from kernel.archive.blobs.folders import Folders
from kernel.archive.blobs.stage import HEAD_BYTES
from kernel.archive.blobs.store import Blobs, discard
from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.errors import BlobMissing, DigestMismatch, StorageFull

CT, UID, EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1"


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs", free_bytes_min=0)


def staged(blobs: Blobs, content: bytes, uid: str = UID, syntax: str = EXPLICIT):
    stage = blobs.stage(CT, uid, syntax)
    for start in range(0, len(content), 100_000):
        stage.write(content[start : start + 100_000])
    return stage.finish()


def incoming(blobs: Blobs) -> list[str]:
    return [path.name for path in (blobs._root / "incoming").iterdir()]


def test_a_promoted_blob_is_the_canonical_meta_and_the_data_set_as_sent(blobs: Blobs):
    content = os.urandom(300_001)

    instance = staged(blobs, content)
    key = blobs.promote(instance)

    digest = hashlib.sha256(content).hexdigest()
    assert key == f"{digest[:2]}/{digest}-{EXPLICIT}"
    assert blobs.path(key).read_bytes() == file_meta(CT, UID, EXPLICIT) + content
    assert instance.sha256 == digest
    assert instance.size_bytes == blobs.path(key).stat().st_size
    assert instance.head == content[:HEAD_BYTES]
    assert read_file_meta(blobs.path(key).read_bytes()).dataset_offset == instance.dataset_offset
    assert incoming(blobs) == []
    blobs.verify(key, digest, instance.dataset_offset)


@pytest.mark.parametrize("most", [1, 7, 300, 1 << 20])
def test_bytes_are_whole_however_many_of_them_one_call_takes(blobs: Blobs, monkeypatch, most: int):
    content, write = os.urandom(5_000), os.write
    monkeypatch.setattr(os, "writev", lambda file, buffers: write(file, b"".join(buffers)[:most]))
    monkeypatch.setattr(os, "write", lambda file, buffer: write(file, buffer[:most]))

    stage = blobs.stage(CT, UID, EXPLICIT)
    stage.write(content[:10], memoryview(content)[10:3000], bytearray(content[3000:3001]))
    stage.write(content[3001:])
    instance = stage.finish()

    assert instance.path.read_bytes() == file_meta(CT, UID, EXPLICIT) + content
    assert instance.size_bytes == instance.path.stat().st_size
    assert instance.sha256 == hashlib.sha256(content).hexdigest()
    assert instance.head == content


def test_an_instance_without_a_data_set_has_its_file_meta(blobs: Blobs):
    instance = blobs.stage(CT, UID, EXPLICIT).finish()

    assert instance.path.read_bytes() == file_meta(CT, UID, EXPLICIT)
    assert instance.size_bytes == instance.dataset_offset


def test_the_file_of_a_stage_is_closed_whatever_becomes_of_it(blobs: Blobs):
    folder = blobs._root / "incoming"

    def open_stages() -> int:
        links = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return sum(link.startswith(f"{blobs._root}/") and link.count("/") > str(folder).count("/") for link in links)

    kept = staged(blobs, b"kept")
    assert open_stages() == 1
    blobs.promote(kept)
    blobs.promote(staged(blobs, b"kept"))  # the same once more
    blobs.set_apart(staged(blobs, b"refused"))
    discard(staged(blobs, b"discarded"))
    with blobs.begin(staged(blobs, b"begun")) as flushing:
        flushing.wait()
    forgotten = staged(blobs, b"forgotten")
    assert open_stages() == 1
    del forgotten

    assert open_stages() == 0


def test_folders_are_opened_once_for_all_threads_and_closed_with_the_store(tmp_path: Path):
    (tmp_path / "ab").mkdir()
    folders, together = Folders(tmp_path), threading.Barrier(8)

    def ask(folders: Folders) -> int:
        together.wait()
        return folders.descriptor("ab")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, [folders] * 8))
    here = [path for path in Path("/proc/self/fd").iterdir() if os.path.realpath(path) == str(tmp_path / "ab")]
    assert (len(found), len(set(found)), len(here)) == (8, 1, 1)

    del folders
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(found[0])


def test_the_name_depends_on_every_byte_that_the_file_meta_does_not_repeat(blobs: Blobs):
    # Equal names must mean equal files; the file meta is a function of UIDs that the data set repeats, and the syntax.
    assert blobs.promote(staged(blobs, b"x")) != blobs.promote(staged(blobs, b"x", syntax="1.2.840.10008.1.2"))
    assert hashlib.sha256(file_meta(CT, UID, EXPLICIT)).hexdigest() == (
        "de548fd9c278e98539e792f7a871343c3e04a78c9a134271e52915f7bc9a98f7"
    ), "a new form of file meta needs a new form of blob name"


def test_a_damaged_or_missing_blob_is_told(blobs: Blobs):
    instance = staged(blobs, b"a data set")
    key = blobs.promote(instance)
    with blobs.path(key).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")

    with pytest.raises(DigestMismatch, match="does not match its digest"):
        blobs.verify(key, instance.sha256, instance.dataset_offset)
    blobs.delete(key)
    with pytest.raises(BlobMissing, match="is missing"):
        blobs.verify(key, instance.sha256, instance.dataset_offset)
    with pytest.raises(BlobMissing):
        blobs.open(key)


def test_a_torn_blob_of_a_crash_is_replaced_by_the_same_instance_sent_again(blobs: Blobs):
    first = staged(blobs, b"a data set")
    key = blobs.promote(first)
    blobs.path(key).write_bytes(b"")  # what a power cut may leave of a blob that nobody was promised

    again = staged(blobs, b"a data set")

    assert blobs.promote(again) == key
    blobs.verify(key, again.sha256, again.dataset_offset)
    assert incoming(blobs) == []


def test_the_same_bytes_promoted_by_many_threads_at_once_are_one_blob(blobs: Blobs):
    content = os.urandom(200_000)
    start, keys = threading.Barrier(8), []

    def receive():
        instance = staged(blobs, content)
        start.wait()
        keys.append(blobs.promote(instance))

    threads = [threading.Thread(target=receive) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [key for key, _ in blobs.walk()] == keys[:1]
    blobs.verify(keys[0], hashlib.sha256(content).hexdigest(), len(file_meta(CT, UID, EXPLICIT)))


@pytest.mark.parametrize("supported", [True, False], ids=["renameat2", "link"])
def test_of_two_renames_to_one_name_exactly_one_succeeds(tmp_path: Path, monkeypatch, supported):
    if not supported:
        monkeypatch.setattr("kernel.archive.blobs.durable._renameat2", None)
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")

    assert rename_new(tmp_path / "a", tmp_path / "target")
    assert not rename_new(tmp_path / "b", tmp_path / "target")
    with pytest.raises(FileNotFoundError):
        rename_new(tmp_path / "gone", tmp_path / "other")

    assert (tmp_path / "target").read_text() == "a"
    assert {path.name for path in tmp_path.iterdir()} == {"b", "target"}


def test_file_and_folder_are_flushed_before_the_key_is_returned(blobs: Blobs, monkeypatch):
    steps: list[str] = []
    real_rename, real_begin, real_wait = rename_new, Flushing.__init__, Flushing.wait
    monkeypatch.setattr(blobs_module, "rename_new", lambda a, b: [steps.append("rename"), real_rename(a, b)][1])
    monkeypatch.setattr(blobs_module, "flush_data", lambda _: steps.append("data"))

    def begin(self, file, folder, told):
        steps.append(f"begin {Path(f'/proc/self/fd/{file}').readlink().parent.name}")
        steps.append(f"of {Path(f'/proc/self/fd/{folder}').readlink().name}")
        real_begin(self, file, folder, told)

    monkeypatch.setattr(Flushing, "__init__", begin)
    monkeypatch.setattr(Flushing, "wait", lambda self: [real_wait(self), steps.append("over")][0])

    key = blobs.promote(staged(blobs, b"a data set"))
    first, steps[:] = list(steps), []
    blobs.promote(staged(blobs, b"a data set"))

    assert first == ["rename", f"begin {key[:2]}", f"of {key[:2]}", "over"]
    assert steps == ["rename", "data", f"begin {key[:2]}", f"of {key[:2]}", "over"], "flushed before it replaces"


def test_nothing_is_taken_below_the_reserve(tmp_path: Path):
    blobs = Blobs(tmp_path / "blobs", free_bytes_min=1 << 60)

    with pytest.raises(StorageFull, match="0 bytes needed, 0 free above the reserve"):
        blobs.stage(CT, UID, EXPLICIT)

    assert incoming(blobs) == []


def test_an_instance_larger_than_what_is_free_is_refused_before_it_is_taken(tmp_path: Path):
    blobs = Blobs(tmp_path / "blobs", free_bytes_min=0)

    with pytest.raises(StorageFull, match="free above the reserve"):
        blobs.stage(CT, UID, EXPLICIT, expected_bytes=1 << 60)

    assert incoming(blobs) == []


def test_a_large_instance_that_reaches_the_reserve_on_its_way_is_discarded(blobs: Blobs, monkeypatch):
    monkeypatch.setattr("kernel.archive.blobs.stage.WATERMARK_STEP_BYTES", 1000)
    stage = blobs.stage(CT, UID, EXPLICIT)
    stage.write(b"x" * 900)
    blobs._free_bytes_min = 1 << 60  # something else took the space

    with pytest.raises(StorageFull):
        stage.write(b"x" * 2000)

    assert incoming(blobs) == []


def test_a_disk_that_fills_while_an_instance_arrives_discards_the_stage(blobs: Blobs, monkeypatch):
    stage = blobs.stage(CT, UID, EXPLICIT)

    def full(descriptor, buffers):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(StorageFull):
        stage.write(b"x" * 900)

    assert incoming(blobs) == []
    stage.discard()


def test_a_really_full_file_system_refuses_and_keeps_what_it_had(small_disk: Path):
    blobs = Blobs(small_disk / "blobs", free_bytes_min=0)
    kept = staged(blobs, b"k" * 3_000_000)
    key = blobs.promote(kept)
    stage = blobs.stage(CT, UID, EXPLICIT)

    with pytest.raises(StorageFull):
        stage.write(os.urandom(18_000_000))

    assert incoming(blobs) == []
    blobs.verify(key, kept.sha256, kept.dataset_offset)
    blobs.promote(staged(blobs, b"n" * 1_500_000))


def test_stages_of_a_run_that_ended_are_swept_and_blobs_stay(blobs: Blobs, tmp_path: Path):
    key = blobs.promote(staged(blobs, b"kept"))
    staged(blobs, b"complete, but nothing was promised")
    blobs.stage(CT, UID, EXPLICIT).write(b"half of it")

    again = Blobs(tmp_path / "blobs", free_bytes_min=0)

    assert again.sweep() == 2
    assert incoming(again) == []
    assert [found for found, _ in again.walk()] == [key]


def test_a_discarded_stage_leaves_nothing(blobs: Blobs):
    stage = blobs.stage(CT, UID, EXPLICIT)
    stage.write(b"half of it")
    stage.discard()
    stage.discard()
    discard(staged(blobs, b"complete"))

    assert incoming(blobs) == []


def test_identifiers_that_are_none_do_not_reach_the_file_system(blobs: Blobs):
    stage = blobs.stage("Nguyễn", "../../etc/passwd" * 50, "../../x")
    stage.write(b"<html>")

    key = blobs.set_apart(stage.finish())

    assert key == f"quarantine/{hashlib.sha256(b'<html>').hexdigest()}-0"
    assert blobs.path(key).read_bytes().endswith(b"<html>")


def test_a_key_from_elsewhere_is_our_own_mistake(blobs: Blobs):
    with pytest.raises(AssertionError):
        blobs.path("../vienanh.db")


def test_only_the_owner_may_read_blobs(blobs: Blobs):
    key = blobs.promote(staged(blobs, b"a data set"))

    assert blobs.path(key).stat().st_mode & 0o077 == 0
    assert blobs.path(key).parent.stat().st_mode & 0o077 == 0
