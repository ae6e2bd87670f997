"""The image of a disc with a medium on it: ISO 9660 level 1, names of eight and three as File IDs have them (PS3.12).

Rock Ridge beside it keeps the names in capitals on systems that would show others, so that the page finds its pictures.
The image cannot be written while it is sent, as it begins with where everything lies: files and image are written first,
and want room for the medium twice.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pycdlib import PyCdlib

from gateway.dicomweb.media.medium import File
from kernel.dicom.limits import MEBIBYTE
from kernel.errors import LimitExceeded, StorageFull

BYTES_MAX: Final = 24 * 1024 * MEBIBYTE  # of the files; as a disc of one blue layer holds
FILE_BYTES_MAX: Final = 2**32 - 1  # level 1 has one extent for a file (ECMA-119 10.1)
RESERVE_BYTES: Final = 256 * MEBIBYTE  # that stay free
VOLUME: Final = "DICOM"
CD_BYTES: Final = 700 * MEBIBYTE
DVD_BYTES: Final = 4_700_000_000
_CHUNK_BYTES: Final = MEBIBYTE


def write_disc(image: Path, files: Iterator[File]) -> None:
    """Write the files of a medium as the image of a disc.

    Raises
    ------
    LimitExceeded
        They are more than BYTES_MAX, or one is more than FILE_BYTES_MAX.
    StorageFull
        There is no room for them twice beside `image`.
    """
    with tempfile.TemporaryDirectory(dir=image.parent, prefix=".disc-") as folder:
        disc = PyCdlib()
        disc.new(interchange_level=1, vol_ident=VOLUME, app_ident_str="VIENANH", rock_ridge="1.09")
        try:
            _add_all(disc, Path(folder), files)
            disc.write(str(image))
        finally:
            disc.close()


def disc_chunks(files: Iterator[File]) -> Iterator[bytes]:
    """Yield the image of a disc; the first piece is there when all of it is written. Errors are those of `write_disc`."""
    with tempfile.TemporaryDirectory(prefix="vienanh-disc-") as folder:
        image = Path(folder) / "study.iso"
        write_disc(image, files)
        with image.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                yield chunk


def kind_of_disc(size_bytes: int) -> str:
    """Return the smallest disc that an image fits on."""
    if size_bytes <= CD_BYTES:
        return "CD"
    return "DVD" if size_bytes <= DVD_BYTES else "Blu-ray"


def _add_all(disc: PyCdlib, folder: Path, files: Iterator[File]) -> None:
    total, known = 0, {""}
    for number, (name, _, chunks) in enumerate(files):
        path = folder / str(number)
        with path.open("wb") as target:
            target.writelines(chunks)
        size = path.stat().st_size
        total += size
        if size > FILE_BYTES_MAX:
            raise LimitExceeded(limit="FILE_BYTES_MAX", value=size, bound=FILE_BYTES_MAX)
        if total > BYTES_MAX:
            raise LimitExceeded(limit="BYTES_MAX", value=total, bound=BYTES_MAX)
        free = shutil.disk_usage(folder).free - RESERVE_BYTES
        if free < total:  # the image will be as large again
            raise StorageFull(needed_bytes=total, free_bytes=max(0, free))
        _add_folders(disc, name.rpartition("/")[0], known)
        file = name.rpartition("/")[2]
        disc.add_file(str(path), f"/{name}{'' if '.' in file else '.'};1", rr_name=file)


def _add_folders(disc: PyCdlib, name: str, known: set[str]) -> None:
    if name in known:
        return
    parent, _, last = name.rpartition("/")
    _add_folders(disc, parent, known)
    disc.add_directory(f"/{name}", rr_name=last)
    known.add(name)
