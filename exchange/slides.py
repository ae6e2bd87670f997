"""`vienanh slides`: what a slide holds, and a slide written as DICOM."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from exchange.adding_slides import add
from exchange.screen import out, plain_errors, progress_bar
from exchange.slide_sources import index_of, opened_source
from wsi.convert import Converter, parts_of
from wsi.dicom_header import Identity
from wsi.pyramid import octaves
from wsi.tiff_slide import Decline
from wsi.tile_index import Level, SlideIndex

PART_GIBIBYTES: Final = 16.0  # what a node takes by STOW-RS unless told otherwise

app = typer.Typer(no_args_is_help=True, help="Whole slides.")
app.command("add")(add)


@app.command("describe")
def describe(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A slide: SVS or another tiled TIFF.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell a slide's levels and scale, what is beside the tissue, and whether its tiles are served as they are stored.

    Nothing that a scanner wrote in words is shown: it may name a patient.
    """
    with plain_errors(), file.open("rb") as opened:
        found = index_of(opened)
    described = _described(found)
    if as_json:
        out.print_json(json.dumps(described))
        return
    for line in _lines(described):
        out.print(line, markup=False, highlight=False)


@app.command("to-dicom")
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


def _described(found: SlideIndex | Decline) -> dict[str, Any]:
    if isinstance(found, Decline):
        return {"served_as_stored": False, "reason": found.reason}
    return {
        "served_as_stored": all(level.coding == "jpeg" for level in found.levels),
        "vendor": found.vendor,
        "microns_per_pixel": found.mpp,
        "objective": found.objective,
        "icc_profile_bytes": len(found.icc_profile),
        "levels": [_level(level, found.levels[0]) for level in found.levels],
        "octaves": [[one.width, one.height, one.stored is not None] for one in octaves(found)],
        "beside_the_tissue": [one.kind for one in found.associated],
    }


def _level(level: Level, finest: Level) -> dict[str, Any]:
    return {
        "width": level.width,
        "height": level.height,
        "reduction": round(finest.width / level.width, 2),
        "tile": [level.tile_width, level.tile_height],
        "tiles": len(level.offsets),
        "coding": level.coding,
        "colour": level.colour,
    }


def _lines(described: dict[str, Any]) -> list[str]:
    if "levels" not in described:
        return [f"Its tiles cannot be served as they are stored: {described['reason']}."]
    mpp = described["microns_per_pixel"]
    lines = [
        f"vendor      {described['vendor']}",
        f"scale       {f'{mpp[0]:.4f} x {mpp[1]:.4f} microns a pixel' if mpp else 'not told'}",
        f"objective   {described['objective'] or 'not told'}",
    ]
    for number, level in enumerate(described["levels"]):
        lines.append(
            f"level {number}     {level['width']} x {level['height']}, 1/{level['reduction']:g}, {level['tiles']} tiles of "
            f"{level['tile'][0]} x {level['tile'][1]}, {level['coding']}, {level['colour']}"
        )
    made = sum(not stored for *_, stored in described["octaves"])
    lines.append(f"octaves     {len(described['octaves'])}, of which {made} are made from finer ones")
    lines.append(f"beside      {', '.join(described['beside_the_tissue']) or 'nothing'}")
    return lines
