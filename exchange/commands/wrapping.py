"""`vienanh wrap`: photographs of films and PDFs as DICOM files, to be looked at, sent or put in."""

from pathlib import Path
from typing import Annotated

import typer

from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import EXIT_REFUSED, err, out, plain_errors
from kernel.dicom.objects.wrapping import FILE_BYTES_MAX, Bearer, wrapped
from kernel.errors import InvalidRequest, LimitExceeded, UnsupportedMediaType


def wrap(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or PDF.")],
    to: Annotated[Path, typer.Option("--to", file_okay=False, help="The folder to write to.")],
    patient_id: Annotated[str, typer.Option(help="The patient's ID at the site.")],
    patient_name: Annotated[str, typer.Option(help="family^given.")],
    study_date: Annotated[str, typer.Option(help="YYYYMMDD.")],
    birth_date: Annotated[str, typer.Option(help="YYYYMMDD.")] = "",
    sex: Annotated[str, typer.Option(help="F, M or O.")] = "",
    description: Annotated[str, typer.Option(help="What the study is.")] = "",
    accession: Annotated[str, typer.Option(help="The accession number.")] = "",
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Write photographs or PDFs as DICOM, marked as not for diagnosis; the same file gives the same instance."""
    bearer = Bearer(patient_name, patient_id, study_date, birth_date, sex, description, accession)
    with plain_errors():
        site = read_config(config, data).node.site
        for number, file in enumerate(files, 1):
            if file.stat().st_size > FILE_BYTES_MAX:
                raise LimitExceeded(limit="FILE_BYTES_MAX", value=file.stat().st_size, bound=FILE_BYTES_MAX)
            try:
                content = wrapped(file.read_bytes(), bearer, site)
            except (InvalidRequest, UnsupportedMediaType):
                err.print(f"{file}: was not written, nor what is named behind it", markup=False)
                raise
            to.mkdir(parents=True, exist_ok=True)
            target = to / f"{number:04d}.dcm"  # names of files may tell whose they are
            if target.exists():
                err.print(f"{target} is there already.", markup=False)
                raise typer.Exit(EXIT_REFUSED)
            target.write_bytes(content)
    out.print(f"{len(files)} files were written.")
