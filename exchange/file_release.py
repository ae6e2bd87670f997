"""Files de-identified one by one: read, released, written under their new UIDs. Work for processes; no screen.

Nothing is written unless `anonymizer.release` lets it go, and then whole or not at all: under a temporary name first.
"""

import filecmp
import mmap
import os
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal

from anonymizer.keys import Keys
from anonymizer.opening import opened
from anonymizer.pixels.cleaner import Cleaner
from anonymizer.release import Held, release
from anonymizer.result import Buffer, Deidentified
from anonymizer.site_profile import chosen
from kernel.dicom.boxes import Box
from kernel.errors import Busy, LimitExceeded, Refused

FILES_MAX: Final = 1_000_000  # of one run
MEMBER_BYTES_MAX: Final = 8 * 1024**3  # of one file in a zip, as it unpacks
MEMBER_RATIO_MAX: Final = 200  # unpacked to packed; beyond it a zip is an attack
MEMBER_SMALL_BYTES: Final = 1024**2  # below which the ratio means nothing
CHUNK_BYTES: Final = 1024 * 1024
BUFFER_BYTES: Final = 256 * 1024  # of small pieces on their way to the disk
DIRECTORY_NAME: Final = "DICOMDIR"  # names of files and patients; nothing of it is needed in the result

State = Literal["written", "held", "unreadable"]
# Look for text in pixels and mask it; hold kinds that usually show a name; or let all go as they are.
PixelHandling = Literal["clean", "hold", "pass"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: a file, or a member of a zip."""

    path: Path
    member: str = ""

    @property
    def label(self) -> str:
        """How the input is called on screen and in the report, which stay with whoever has the input."""
        return f"{self.path}!{self.member}" if self.member else str(self.path)


@dataclass(frozen=True, slots=True)
class Order:
    """What is done with every input."""

    output: Path
    profile: str  # built in, or of `profile_text`
    keys: Keys = field(repr=False)
    issuer: str
    fallback_charset: str | None
    pixels: PixelHandling
    profile_text: str = ""  # of a site's own profile; TOML


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one input; no value of it."""

    label: str
    state: State
    reason: str = ""
    in_tag: str = ""
    file: str = ""  # written, relative to the output folder
    actions: tuple[tuple[str, int], ...] = ()
    masks: tuple[Box, ...] = ()  # made black in every frame
    proposed: tuple[Box, ...] = ()  # of a held one: where text may be
    mended: bool = False  # its encoding was so odd that only pydicom understood it


def entries(source: Path) -> Iterator[Entry]:
    """Yield what is to be read: a file, every file below a folder, every member of a zip.

    Raises
    ------
    LimitExceeded
        There are more than FILES_MAX.
    """
    for number, entry in enumerate(_entries(source), start=1):
        if number > FILES_MAX:
            raise LimitExceeded(limit="FILES_MAX", value=number, bound=FILES_MAX)
        yield entry


def _entries(source: Path) -> Iterator[Entry]:
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    for file in files:
        if file.name.upper() == DIRECTORY_NAME:
            continue
        if not zipfile.is_zipfile(file):
            yield Entry(file)
            continue
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.is_dir() and Path(info.filename).name.upper() != DIRECTORY_NAME:
                    yield Entry(file, info.filename)


def process(entry: Entry, order: Order) -> Outcome:
    """De-identify one input and write it, or tell why not."""
    try:
        with content_of(entry) as source:
            return _release(entry, source, order)
    except (Refused, Busy) as refusal:
        return Outcome(entry.label, "unreadable", refusal.code)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):  # broken, an odd compression, encrypted
        return Outcome(entry.label, "unreadable", "BadZipFile")


def _release(entry: Entry, content: Buffer, order: Order) -> Outcome:
    source, _, header = opened(content)
    result = release(
        source,
        header,
        profile=chosen(order.profile, order.profile_text),
        keys=order.keys,
        issuer=order.issuer,
        fallback_charset=order.fallback_charset,
        cleaner=Cleaner() if order.pixels == "clean" else None,
    )
    if isinstance(result, Held):
        return Outcome(entry.label, "held", result.because, result.in_tag)
    cleaning = result.cleaning
    if result.pixel_review and order.pixels != "pass":
        proposed = cleaning.proposed if cleaning else ()
        return Outcome(entry.label, "held", result.pixel_review, proposed=proposed)
    file = _write(order.output, result.made, source)
    if file is None:
        return Outcome(entry.label, "held", "other-bytes-under-its-uid", "(0008,0018)")
    actions = tuple(sorted(result.made.record.actions.items()))
    return Outcome(
        entry.label,
        "written",
        file=file,
        actions=actions,
        masks=cleaning.boxes if cleaning else (),
        mended=source is not content,
    )


def _write(output: Path, made: Deidentified, source: Buffer) -> str | None:
    """Write the new file, whole or not at all; return its name, which is made of new UIDs alone.

    None, with nothing written, when other bytes are there under that name: two instances claim one UID.
    """
    identity = made.identity
    name = f"{identity.study_instance_uid}/{identity.series_instance_uid}/{identity.sop_instance_uid}.dcm"
    final = output / name
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=final.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb", buffering=BUFFER_BYTES) as file:
            for chunk in made.chunks(source):
                file.write(chunk)
        os.link(temporary, final)
    except FileExistsError:
        return name if filecmp.cmp(temporary, final, shallow=False) else None
    finally:
        Path(temporary).unlink()
    return name


@contextmanager
def content_of(entry: Entry) -> Generator[Buffer]:
    """Give the input's bytes as a map of its file, or of its unpacked member."""
    if not entry.member:
        with entry.path.open("rb") as file, _mapped(file) as view:
            yield view
        return
    with zipfile.ZipFile(entry.path) as archive, tempfile.TemporaryFile() as unpacked:
        _unpack(archive, archive.getinfo(entry.member), unpacked)
        with _mapped(unpacked) as view:
            yield view


@contextmanager
def _mapped(file: IO[bytes]) -> Generator[Buffer]:
    if os.fstat(file.fileno()).st_size == 0:
        yield b""
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        yield view


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: IO[bytes]) -> None:
    bound = max(MEMBER_SMALL_BYTES, min(MEMBER_BYTES_MAX, info.compress_size * MEMBER_RATIO_MAX))
    size = 0
    with archive.open(info) as member:
        while chunk := member.read(CHUNK_BYTES):
            size += len(chunk)
            if size > bound:
                raise LimitExceeded(limit="a file in the zip, unpacked", value=size, bound=bound)
            file.write(chunk)
    file.flush()
