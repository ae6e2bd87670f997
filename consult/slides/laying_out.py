"""A slide that came as one body, laid out as the files that it is of: a MIRAX slide and its folder, sent as they are or zipped.

Nothing is written but into a private folder: the slide under a name of ours, the others under names that cannot leave
theirs. What a zip says of its sizes is not believed.
"""

import shutil
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from consult.slides.upload_record import Form
from kernel.archive.blobs.stage import WATERMARK_STEP_BYTES, Space, told
from kernel.errors import LimitExceeded, MalformedSlide
from kernel.zips import CHUNK_BYTES, DAMAGED, files_of, is_of_disk, opened_zip
from wsi import mirax

ENTRIES_MAX: Final = 10_000  # of a zip, whatever they are
ZIP: Final = ".zip"
_NAME: Final = f"slide{mirax.SUFFIX}"
_FOLDER: Final = "laid-out"
_MACINTOSH: Final = "__MACOSX"  # where its zips have a shadow of each file


@contextmanager
def laid_out(file: Path, form: Form, space: Space, bytes_max: int, go_on: Callable[[], None]) -> Generator[Path]:
    """Give the slide that came in `file`; files that are made of it stand beside that and are gone afterwards.

    Raises
    ------
    MalformedSlide
        Of a zip: it is none, or damaged, or has no slide, or several.
    LimitExceeded
        More comes out of a zip than `bytes_max`, or its files are too many.
    StorageFull
        There is no space.
    What `go_on` raises, which is called now and then.
    """
    is_zip = Path(form.name).suffix.lower() == ZIP
    if not is_zip and not mirax.is_mirax(form.name):
        yield file
        return
    folder = file.with_name(_FOLDER)
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that the node did not outlive
    slide = folder / _NAME
    slide.with_suffix("").mkdir(mode=0o700, parents=True)
    writer = _Writer(space, bytes_max, go_on)
    try:
        if is_zip:
            _unzip(file, slide, writer)
        else:
            _cut(file, slide, form, writer)
        yield slide
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Writer:
    """Writes files as long as there is space, and no more than so many bytes."""

    def __init__(self, space: Space, bytes_max: int, go_on: Callable[[], None]) -> None:
        self._space = space
        self._bytes_max = bytes_max
        self._go_on = go_on
        self._bytes = 0
        self._looked_at = 0

    def write(self, came: IO[bytes], to: Path, length: int | None = None) -> None:
        """Write what comes, to its end or so many bytes of it."""
        left = self._bytes_max + 1 if length is None else length
        try:
            with to.open("xb") as written:
                while left and (chunk := came.read(min(left, CHUNK_BYTES))):
                    self._go_on()
                    self._count(len(chunk))
                    written.write(chunk)
                    left -= len(chunk)
        except OSError as error:
            raise told(error, self._space, CHUNK_BYTES) from error

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._bytes_max:
            raise LimitExceeded(limit="body_bytes_max, unpacked", value=self._bytes, bound=self._bytes_max)
        if self._bytes > self._looked_at:
            self._space.check_space(WATERMARK_STEP_BYTES)
            self._looked_at = self._bytes + WATERMARK_STEP_BYTES


def _cut(file: Path, slide: Path, form: Form, writer: _Writer) -> None:
    """Cut what came into the slide and the files of its folder, which came behind it in this order."""
    with file.open("rb") as came:
        writer.write(came, slide, form.bytes - sum(one.bytes for one in form.folder))
        for one in form.folder:
            writer.write(came, slide.with_suffix("") / one.name, one.bytes)


def _unzip(file: Path, slide: Path, writer: _Writer) -> None:
    try:
        with opened_zip(file.open("rb", buffering=0)) as archive:
            for entry, path in _chosen(files_of(archive, ENTRIES_MAX, "files in a zip"), slide):
                with archive.open(entry) as member:
                    writer.write(member, path)
    except DAMAGED as error:
        if is_of_disk(error):
            raise
        raise MalformedSlide(reason=f"the zip is damaged, or encrypted ({type(error).__name__})") from None


def _chosen(entries: list[zipfile.ZipInfo], slide: Path) -> list[tuple[zipfile.ZipInfo, Path]]:
    """Return the one slide of a zip and the files of its folder, and where each goes; others are passed over."""
    by_path = {PurePosixPath(entry.filename): entry for entry in entries}
    slides = [path for path in by_path if mirax.is_mirax(path.name) and _MACINTOSH not in path.parts]
    if len(slides) != 1:
        raise MalformedSlide(
            reason=f"the zip has {'several slides' if slides else 'no slide'} (.mrxs), and must have one"
        )
    (found,) = slides
    beside = [one for one in by_path if one.parent == found.with_suffix("") and mirax.is_companion(one.name)]
    if len(beside) > mirax.COMPANIONS_MAX:
        raise LimitExceeded(limit="files of a slide", value=len(beside), bound=mirax.COMPANIONS_MAX)
    return [(by_path[found], slide), *((by_path[one], slide.with_suffix("") / one.name) for one in beside)]
