"""`vienanh slides to-dicom`: its options and their help; `to_dicom` does it."""

from pathlib import Path
from typing import Annotated

import typer

from exchange.commands.to_dicom import PART_GIBIBYTES, PART_GIBIBYTES_MAX, PART_GIBIBYTES_MIN, Request, converted
from exchange.terminal.screen import out, plain_errors


def to_dicom(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A slide: SVS or another tiled TIFF.")],
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the DICOM files go.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID (0010,0020).")] = "",
    patient_name: Annotated[str, typer.Option(help="Patient's Name (0010,0010), as Family^Given.")] = "",
    accession_number: Annotated[str, typer.Option(help="Accession Number (0008,0050).")] = "",
    study_uid: Annotated[str, typer.Option(help="Study Instance UID; one made of the slide otherwise.")] = "",
    container: Annotated[str, typer.Option(help="Container Identifier (0040,0512): the slide's own number.")] = "",
    mpp: Annotated[float, typer.Option(help="Microns a pixel, where the file does not say.")] = 0.0,
    part_gib: Annotated[
        float,
        typer.Option(
            min=PART_GIBIBYTES_MIN, max=PART_GIBIBYTES_MAX, help="Cut levels larger than this into a concatenation."
        ),
    ] = PART_GIBIBYTES,
) -> None:
    """Write a slide as DICOM: every stored tile as it is, one file a level.

    For example: vienanh slides to-dicom K26-1.svs out/ --patient-id 123 --container K26-1. Who the patient is comes from
    the options alone; label and macro pictures are not written, because they show it.
    """
    options = (patient_id, patient_name, accession_number, study_uid, container, mpp, part_gib)
    with plain_errors():
        out.print(converted(Request(file, folder, *options)), markup=False, highlight=False)
