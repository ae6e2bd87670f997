"""`vienanh slides to-dicom`: a slide written as DICOM."""

from pathlib import Path
from typing import Annotated, Final

import typer

from exchange.terminal.screen import out, plain_errors, progress_bar
from wsi.convert import Converter, parts_of
from wsi.dicom_header import Identity
from wsi.source import opened_source

PART_GIBIBYTES: Final = 16.0  # what a node takes by STOW-RS unless told otherwise


def to_dicom(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A slide: SVS or another tiled TIFF.")],
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the DICOM files go.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID (0010,0020).")] = "",
    patient_name: Annotated[str, typer.Option(help="Patient's Name (0010,0010), as Family^Given.")] = "",
    accession_number: Annotated[str, typer.Option(help="Accession Number (0008,0050).")] = "",
    study_uid: Annotated[str, typer.Option(help="Study Instance UID; one made of the slide otherwise.")] = "",
    container: Annotated[str, typer.Option(help="Container Identifier (0040,0512): the slide's own number.")] = "",
    mpp: Annotated[float, typer.Option(help="Microns a pixel, where the file does not say.")] = 0.0,
    part_gib: Annotated[float, typer.Option(min=0.001, help="Cut levels larger than this into a concatenation.")] = (
        PART_GIBIBYTES
    ),
) -> None:
    """Write a slide as DICOM: every stored tile as it is, one file a level.

    For example: vienanh slides to-dicom K26-1.svs out/ --patient-id 123 --container K26-1. Who the patient is comes from
    the options alone; label and macro pictures are not written, because they show it.
    """
    with plain_errors(), opened_source(file, mpp, folder, None) as source:
        identity = Identity(patient_id, patient_name, accession_number, study_uid, container)
        converter = Converter(source.read, source.slide, identity, source.digest)
        parts = list(parts_of(source.slide, int(part_gib * 2**30)))
        folder.mkdir(parents=True, exist_ok=True)
        with progress_bar() as bar:
            task = bar.add_task("tiles", total=sum(part.frames for part in parts))
            for part in parts:
                converter.write(
                    part,
                    folder / f"{converter.sop_instance_uid(part)}.dcm",
                    lambda frames: bar.advance(task, frames),
                )
    out.print(f"{len(parts)} files were written to {folder}.", markup=False, highlight=False)
