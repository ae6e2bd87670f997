"""One part of a STOW-RS body is staged alike in whatever pieces it comes."""

import hashlib
from pathlib import Path

import pytest

from gateway.dicomweb.store.part import Part
from kernel.archive.blobs.store import Blobs
from kernel.dicom.scanning.part10 import META_BYTES_MAX, read_file_meta
from kernel.errors import LimitExceeded
from tests.support.builders import a_ct, as_file

PIECES = [1000, META_BYTES_MAX - 1, META_BYTES_MAX, META_BYTES_MAX + 1, 1 << 20]


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs", free_bytes_min=0)


def received(blobs: Blobs, content: bytes, piece: int, *, bytes_max: int = 1 << 30) -> Part:
    part = Part(blobs, {"content-type": "application/dicom"}, bytes_max)
    for start in range(0, len(content), piece):
        part.write(memoryview(content)[start : start + piece])
    return part


@pytest.mark.parametrize("piece", PIECES)
def test_an_instance_is_its_data_set_behind_our_file_meta(blobs: Blobs, piece: int):
    content = as_file(a_ct(rows=256, columns=256))
    meta = read_file_meta(content)

    part = received(blobs, content, piece)
    staged = part.finish()

    assert part.refusal is None
    assert staged.path.read_bytes()[staged.dataset_offset :] == content[meta.dataset_offset :]
    assert staged.sha256 == hashlib.sha256(content[meta.dataset_offset :]).hexdigest()
    assert (staged.sop_instance_uid, staged.sop_class_uid) == (meta.sop_instance_uid, meta.sop_class_uid)


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_no_instance_is_staged_as_it_came(blobs: Blobs, piece: int):
    content = b"no DICOM" * 20_000

    part = received(blobs, content, piece)

    assert part.refusal is not None
    staged = part.finish()
    assert staged.path.read_bytes()[staged.dataset_offset :] == content


@pytest.mark.parametrize("piece", PIECES)
def test_a_part_beyond_the_bound_leaves_nothing(blobs: Blobs, tmp_path: Path, piece: int):
    with pytest.raises(LimitExceeded):
        received(blobs, bytes(300_000), piece, bytes_max=200_000)

    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []
