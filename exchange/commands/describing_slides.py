"""`vienanh slides describe`: what a slide holds."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from exchange.terminal.screen import out, plain_errors
from wsi.pyramid import octaves
from wsi.source import index_of
from wsi.tiff_slide import Decline
from wsi.tile_index import Level, SlideIndex


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
