"""The image of a disc: ISO 9660 level 1, opened by a reader of its own and its directory by pydicom and DCMTK."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.dicomweb.media import disc
from gateway.dicomweb.media.disc import disc_chunks, kind_of_disc
from kernel.access import ROLE_SCOPES, Role, Scope
from kernel.archive.blobs.store import Blobs
from kernel.audit import Action
from kernel.errors import LimitExceeded, StorageFull
from tests.dicomweb.test_medium import listed_on, stored, taken
from tests.support.iso9660 import SECTOR, Disc

__all__ = ["stored"]  # a fixture

NAME = re.compile(r"([A-Z0-9_]{1,8}/){0,7}[A-Z0-9_]{1,8}\.[A-Z0-9_]{0,3};1")  # ECMA-119 10.1


def image_of(node, study: str) -> bytes:
    response = node.get(f"/dicom-web/studies/{study}/medium.iso", node.a_token("dicomweb:export"))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/vnd.efi.iso"
    assert response.headers["content-disposition"] == 'attachment; filename="study.iso"'
    assert response.headers["cache-control"] == "no-store"
    return response.content


class Disk(NamedTuple):
    """As much of os.fstatvfs as is asked."""

    f_bavail: int
    f_frsize: int


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path, 0)


def files_open_in(folder: Path) -> list[str]:
    """Return what this process has open there, with a name or without."""
    found: list[str] = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(one.readlink()))
        except FileNotFoundError:  # that of the listing itself
            continue
    return [one for one in found if one.startswith(f"{folder}/")]


def a_file(name: str, *chunks: bytes) -> disc.File:
    return name, sum(map(len, chunks)), iter(chunks)


@pytest.mark.peer("dcmtk")
def test_the_disc_has_the_files_of_the_medium_and_its_directory_is_read(node, stored, tmp_path):
    study = stored[0].StudyInstanceUID
    image = Disc(image_of(node, study))
    with taken(node, study) as archive:
        zipped = {name: archive.read(name) for name in archive.namelist()}

    assert all(NAME.fullmatch(name) for name in image.names())
    assert image.volume[40:72].rstrip() == b"DICOM"
    long = image.names(long=True)
    assert long.keys() == zipped.keys()
    assert {name for name in long if long[name] != zipped[name]} <= {"DICOMDIR"}  # each has a UID of its own
    image.extract(tmp_path)
    assert listed_on(tmp_path).keys() == {ds.SOPInstanceUID for ds in stored}
    told = subprocess.run(["dcmdump", "+Ep", str(tmp_path / "DICOMDIR")], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert told.stdout.count("DirectoryRecordType") >= len(stored)


def test_it_takes_the_right_of_a_download_and_is_a_line_of_the_audit(node, stored):
    path = f"/dicom-web/studies/{stored[0].StudyInstanceUID}/medium.iso"

    assert node.get(path, node.a_token("dicomweb:read")).status_code == 403
    assert Scope.EXPORT in ROLE_SCOPES[Role.REQUESTER]
    image_of(node, stored[0].StudyInstanceUID)
    assert [line.study_uid for line in node.audited() if line.action == Action.EXPORT] == [stored[0].StudyInstanceUID]


def test_what_no_disc_holds_is_refused_and_nothing_stays(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(disc, "BYTES_MAX", 10)
    monkeypatch.setattr(disc, "FILE_BYTES_MAX", 8)

    with pytest.raises(LimitExceeded, match="FILE_BYTES_MAX"):
        next(disc_chunks(iter([a_file("DICOMDIR", b"x" * 9)]), blobs))
    with pytest.raises(LimitExceeded, match="BYTES_MAX"):
        next(disc_chunks(iter([a_file("A", b"x" * 6), a_file("B", b"x" * 6)]), blobs))

    assert files_open_in(tmp_path) == []


@pytest.mark.parametrize("lacking", ["files", "image"])
def test_without_room_for_files_and_image_nothing_is_written(blobs, tmp_path, monkeypatch, lacking):
    disk = os.statvfs(tmp_path)
    room = disc.RESERVE_BYTES // disk.f_frsize * disk.f_frsize
    if lacking == "files":
        monkeypatch.setattr(Blobs, "free_bytes", -1)
    else:
        monkeypatch.setattr(disc.os, "fstatvfs", lambda _: Disk(f_bavail=room // disk.f_frsize, f_frsize=disk.f_frsize))

    with pytest.raises(StorageFull, match=r"\d bytes needed, 0 free"):
        next(disc_chunks(iter([a_file("A", b"x" * 6)]), blobs))

    assert files_open_in(tmp_path) == []


def test_nothing_has_a_name_while_it_is_written_and_who_leaves_in_the_middle_leaves_nothing(blobs, tmp_path):
    chunks = disc_chunks(iter([a_file("DICOM/SE000001/IM000001", b"x" * 5 * SECTOR)]), blobs)

    assert next(chunks)
    assert files_open_in(tmp_path) != []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    chunks.close()

    assert files_open_in(tmp_path) == []


def test_the_smallest_disc_that_it_fits_on_is_told():
    assert [kind_of_disc(size) for size in (10**6, 2 * 10**9, 10**10)] == ["CD", "DVD", "Blu-ray"]


def test_a_folder_with_more_files_than_a_sector_has_room_for(blobs):
    names = [f"DICOM/SE000001/IM{number:06d}" for number in range(1, 301)]

    image = b"".join(disc_chunks((a_file(name, name.encode()) for name in names), blobs))

    found = Disc(image).names(long=True)
    assert found == {name: name.encode() for name in names}
