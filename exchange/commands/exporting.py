"""`vienanh export`: a study as a DICOM medium, in a ZIP file, the image of a disc, or a folder."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import IO, Annotated

import typer

from exchange.node.stores import begun
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import EXIT_REFUSED, err, out, plain_errors, progress_bar
from gateway.dicomweb.media.disc import kind_of_disc, write_disc
from gateway.dicomweb.media.medium import File, Source, files_of
from gateway.dicomweb.retrieve.zipped import zipped
from kernel.access import Action, system
from kernel.archive.derived.metadata import Metadata

BY = "command line"


def export(
    study_uid: Annotated[str, typer.Argument(help="The Study Instance UID at this node.")],
    to: Annotated[
        Path, typer.Option("--to", help="A new file ending in .zip or .iso (a disc to burn), or a new folder.")
    ],
    site: Annotated[str | None, typer.Option(help="The site, when two sites have the same UID.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Write a study as a medium with DICOMDIR and a page that shows it: vienanh export 1.2.3 --to study.zip."""
    if to.exists():
        err.print("It is there already; nothing was written.")
        raise typer.Exit(EXIT_REFUSED)
    if not to.absolute().parent.is_dir():
        err.print(f"{to.parent} is no folder; nothing was written.", markup=False)
        raise typer.Exit(EXIT_REFUSED)
    with plain_errors(), begun(read_config(config, data)) as stores, progress_bar() as bar:
        grant = stores.access.open_study(system(BY), study_uid, Action.EXPORT, "", site)
        source = Source(stores.db, stores.blobs, Metadata(stores.db), token_hex)
        count, files = files_of(source, replace(grant, labels=False))
        task = bar.add_task("writing", total=count)

        def told() -> Iterator[File]:
            for file in files:
                yield file
                bar.advance(task, file[0].startswith("DICOM/"))

        kind = to.suffix.lower()
        if kind == ".zip":
            _write_file(to, lambda part: part.writelines(zipped(told())))
        elif kind == ".iso":
            _write_file(to, lambda part: write_disc(part, told(), stores.blobs))
        else:
            write_folder(to, told())
        out.print(f"{count} instances are in the medium.")
        if kind == ".iso":
            out.print(f"It fits on a {kind_of_disc(to.stat().st_size)}; burn it as an image.")


def _write_file(file: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write beside it and rename, so that the name is a whole file."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", suffix=".part", delete=False) as part:
        temporary = Path(part.name)
        try:
            write(part)
        except BaseException:
            temporary.unlink()
            raise
    temporary.rename(file)


def write_folder(folder: Path, files: Iterator[File]) -> None:
    """Write the files of a medium into a new folder, which has its name once it is whole."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".", suffix=".part"))
    try:
        for name, _, chunks in files:
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                target.writelines(chunks)
    except BaseException:
        shutil.rmtree(temporary)
        raise
    temporary.rename(folder)
