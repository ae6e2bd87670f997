// A plane or a slab cut out of a volume: values, not greys. Typed arrays and plain loops, since it runs while a hand moves.
//
// Where the plane follows the volume's own axes, the layers of the slab are reduced on the stored grid first and only then
// brought to the picture's pixels, which costs a fraction of sampling in space; any other plane is sampled in space.

import { minus, times, type Vector } from "../frames/geometry";
import { alignedAxis, cutAligned } from "./cutAligned";
import { cutOblique } from "./cutOblique";
import { inGrid } from "./grid";
import type { Volume } from "./volume";

/** What a slab of some thickness shows of the values one behind the other. Names are keys of the language files. */
export type SlabMode = "highest" | "lowest" | "average";

export interface Slab {
  readonly mode: SlabMode;
  /** Nought: a plane without thickness. */
  readonly thicknessMm: number;
}

/** A rectangle in the patient: unit vectors, millimetres, pixels. */
export interface Cut {
  /** The center of the first pixel. */
  readonly origin: Vector;
  readonly right: Vector;
  readonly down: Vector;
  /** Through the plane; the slab reaches half its thickness to both sides. */
  readonly through: Vector;
  readonly pixelMm: number;
  readonly width: number;
  readonly height: number;
}

/** A cut in the volume's own millimetres: along rows, columns and the normal. */
export interface GridCut {
  readonly origin: Vector;
  /** For one pixel. */
  readonly right: Vector;
  readonly down: Vector;
  /** For one millimetre. */
  readonly through: Vector;
  readonly width: number;
  readonly height: number;
}

/** Fill `out`, row after row, with the values of a cut; NaN where the volume has none, or none yet. */
export function cutInto(out: Float32Array, volume: Volume, cut: Cut, slab: Slab): void {
  const { grid } = volume;
  const inside: GridCut = {
    origin: inGrid(grid, minus(cut.origin, grid.origin)),
    right: times(inGrid(grid, cut.right), cut.pixelMm),
    down: times(inGrid(grid, cut.down), cut.pixelMm),
    through: inGrid(grid, cut.through),
    width: cut.width,
    height: cut.height,
  };
  const across = alignedAxis(inside.right);
  const down = alignedAxis(inside.down);
  const through = alignedAxis(inside.through);
  if (across === undefined || down === undefined || through === undefined) cutOblique(out, volume, inside, slab);
  else cutAligned(out, volume, inside, slab, [across, down, through]);
}
