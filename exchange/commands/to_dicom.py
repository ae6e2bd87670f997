"""`vienanh slides to-dicom` without the command line's tree: what it imports takes longer than a slide's conversion.

Only plain arguments are understood here, a slide, a folder and options with their values. All else, a mistake too,
is for `exchange.commands.converting_slides`, which has the same options with their help; a test compares them.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kernel.errors import ExchangeError
from wsi.convert import Converter, parts_of
from wsi.dicom_header import Identity
from wsi.source import opened_source

PART_GIBIBYTES: Final = 16.0  # what a node takes by STOW-RS unless told otherwise
PART_GIBIBYTES_MIN: Final = 0.001
PART_GIBIBYTES_MAX: Final = 1024.0

OPTIONS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "--patient-id": ("patient_id", str),
    "--patient-name": ("patient_name", str),
    "--accession-number": ("accession_number", str),
    "--study-uid": ("study_uid", str),
    "--container": ("container", str),
    "--mpp": ("mpp", float),
    "--part-gib": ("part_gib", float),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; `converting_slides` says what each means."""

    file: Path
    folder: Path
    patient_id: str = ""
    patient_name: str = ""
    accession_number: str = ""
    study_uid: str = ""
    container: str = ""
    mpp: float = 0.0
    part_gib: float = PART_GIBIBYTES


def plain_request(arguments: Sequence[str]) -> Request | None:
    """Return what the arguments after the command's name ask for; None if it takes more to understand them."""
    given: dict[str, Any] = {}
    places: list[str] = []
    left = iter(arguments)
    for argument in left:
        if not argument.startswith("-"):
            places.append(argument)
            continue
        name, is_joined, joined = argument.partition("=")
        value = joined if is_joined else next(left, None)
        if name not in OPTIONS or value is None:
            return None
        field, kind = OPTIONS[name]
        try:
            given[field] = kind(value)
        except ValueError:
            return None
    if len(places) != 2 or not PART_GIBIBYTES_MIN <= given.get("part_gib", PART_GIBIBYTES) <= PART_GIBIBYTES_MAX:
        return None
    file, folder = map(Path, places)
    return Request(file, folder, **given) if file.is_file() and (folder.is_dir() or not folder.exists()) else None


def run(arguments: Sequence[str]) -> bool:
    """Convert what plain arguments ask for; False: they are not plain, nothing was done.

    An error of ours is one line and an exit code, as of every command.
    """
    request = plain_request(arguments)
    if request is None:
        return False
    try:
        sys.stdout.write(converted(request) + "\n")
    except (ExchangeError, OSError) as error:
        from exchange.terminal.screen import MENDED_BY_HAND, told

        if isinstance(error, OSError) and error.errno not in MENDED_BY_HAND:
            raise
        sys.exit(told(error))
    return True


def converted(request: Request) -> str:
    """Write a slide as DICOM; return what is said of it.

    Raises
    ------
    MalformedSlide, LimitExceeded
        It cannot be read, or its tiles cannot be taken over.
    """
    folder = request.folder
    identity = Identity(
        request.patient_id, request.patient_name, request.accession_number, request.study_uid, request.container
    )
    with opened_source(request.file, request.mpp, folder, None) as source, ExitStack() as stack:
        converter = Converter(source.read, source.slide, identity, source.digest)
        parts = list(parts_of(source.slide, int(request.part_gib * 2**30)))
        folder.mkdir(parents=True, exist_ok=True)
        progress = _progress(stack, sum(part.frames for part in parts))
        for part in parts:
            converter.write(part, folder / f"{converter.sop_instance_uid(part)}.dcm", progress)
    return f"{len(parts)} files were written to {folder}."


def _progress(stack: ExitStack, tiles: int) -> Callable[[int], None]:
    """Return what shows how many tiles were written, to whom can see it."""
    if not sys.stderr.isatty():
        return lambda _: None
    from exchange.terminal.screen import progress_bar

    bar = stack.enter_context(progress_bar())
    task = bar.add_task("tiles", total=tiles)
    return lambda frames: bar.advance(task, frames)
