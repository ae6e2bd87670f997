"""`vienanh slides photograph`: photographs of fields into this node's archive, where there is no scanner."""

from itertools import count
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from consult.slides.intake import SlideIntake, Taken
from exchange.commands.adding_slides import add_all
from exchange.terminal.options import ConfigFile, DataFolder, read_config
from exchange.terminal.screen import plain_errors
from kernel.archive.records import Origin
from wsi.dicom_header import Identity


def photograph(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="JPEGs of one patient's case.")],
    patient_id: Annotated[str, typer.Option(help="Patient ID (0010,0020).")],
    patient_name: Annotated[str, typer.Option(help="Patient's Name (0010,0010), as Family^Given.")] = "",
    accession_number: Annotated[str, typer.Option(help="Accession Number (0008,0050): they join its study.")] = "",
    study_uid: Annotated[str, typer.Option(help="Study Instance UID; otherwise of the accession, or a new one.")] = "",
    description: Annotated[str, typer.Option(help="Series Description (0008,103E), such as HE, 40x.")] = "",
    site: Annotated[str, typer.Option(help="Whose patient this is; this node's own site otherwise.")] = "",
    config_file: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Take photographs of fields under the microscope into the archive of this node, running or not.

    For example: vienanh slides photograph 1.jpg 2.jpg --patient-id 123 --accession-number K26 --description "HE, 40x".
    Each becomes a VL Photographic Image; what the camera wrote beside the picture, its place too, is left out.
    """
    numbers = count(1)

    def take(intake: SlideIntake, file: Path, identity: Identity, origin: Origin, _: Progress) -> Taken:
        return intake.take_photograph(file, identity, description, next(numbers), origin)

    with plain_errors():
        identity = Identity(patient_id, patient_name, accession_number, study_uid)
        add_all(read_config(config_file, data), files, site, identity, take)
