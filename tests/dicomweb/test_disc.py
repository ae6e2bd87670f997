"""The image of a disc: ISO 9660 level 1, opened by a reader of its own and its directory by pydicom and DCMTK."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.dicomweb.media import disc
from gateway.dicomweb.media.disc import disc_chunks, kind_of_disc, write_disc
from kernel.access import ROLE_SCOPES, Role, Scope
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


def test_what_no_disc_holds_is_refused_and_nothing_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(disc, "BYTES_MAX", 10)
    monkeypatch.setattr(disc, "FILE_BYTES_MAX", 8)

    with pytest.raises(LimitExceeded, match="FILE_BYTES_MAX"):
        write_disc(tmp_path / "a.iso", iter([a_file("DICOMDIR", b"x" * 9)]))
    with pytest.raises(LimitExceeded, match="BYTES_MAX"):
        write_disc(tmp_path / "a.iso", iter([a_file("A", b"x" * 6), a_file("B", b"x" * 6)]))

    assert list(tmp_path.iterdir()) == []


def test_without_room_for_files_and_image_nothing_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(disc.shutil, "disk_usage", lambda _: usage._replace(free=disc.RESERVE_BYTES + 5))

    with pytest.raises(StorageFull, match="6 bytes needed, 5 free"):
        write_disc(tmp_path / "a.iso", iter([a_file("A", b"x" * 6)]))

    assert list(tmp_path.iterdir()) == []


def test_who_leaves_in_the_middle_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.setattr(disc.tempfile, "tempdir", str(tmp_path))
    chunks = disc_chunks(iter([a_file("DICOM/SE000001/IM000001", b"x" * 5 * SECTOR)]))

    assert next(chunks)
    assert list(tmp_path.iterdir()) != []
    chunks.close()

    assert list(tmp_path.iterdir()) == []


def test_the_smallest_disc_that_it_fits_on_is_told():
    assert [kind_of_disc(size) for size in (10**6, 2 * 10**9, 10**10)] == ["CD", "DVD", "Blu-ray"]


def test_a_folder_with_more_files_than_a_sector_has_room_for(tmp_path: Path):
    names = [f"DICOM/SE000001/IM{number:06d}" for number in range(1, 301)]

    write_disc(tmp_path / "a.iso", (a_file(name, name.encode()) for name in names))

    found = Disc((tmp_path / "a.iso").read_bytes()).names(long=True)
    assert found == {name: name.encode() for name in names}
