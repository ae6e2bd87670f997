// Finding the slices around a place along the normal without searching: for loops over every pixel. Says what `between` does.

import { GAP_FACTOR } from "../frames/stackOrder";
import type { Grid } from "./grid";

/** Cells of half the smallest step, so that a cell has one boundary of slices at most. */
const CELLS_A_STEP = 2;
const CELLS_MAX = 1 << 18;

export interface SliceTable {
  /** Cells for a millimetre. */
  readonly perMm: number;
  /** For each cell: the slice below its beginning. */
  readonly below: Int32Array;
  /** Where each slice is, and one over the distance to the next; nought where slices are missing between. */
  readonly places: Float64Array;
  readonly inverse: Float64Array;
  readonly end: number;
  /** How far a slice goes beyond itself where no other one is near. */
  readonly reach: number;
}

const tables = new WeakMap<Grid, SliceTable>();

function tableOf({ places, usualMm }: Grid): SliceTable {
  const end = places.at(-1) ?? 0;
  const steps = places.map((place, slice) => (places[slice + 1] ?? Number.POSITIVE_INFINITY) - place);
  const cells = Math.min(Math.ceil((end / Math.min(...steps)) * CELLS_A_STEP) + 1, CELLS_MAX);
  const perMm = (cells - 1) / end;
  const below = new Int32Array(cells);
  for (let cell = 0, slice = 0; cell < cells; cell += 1) {
    while (slice + 2 < places.length && (places[slice + 1] ?? 0) <= cell / perMm) slice += 1;
    below[cell] = slice;
  }
  const inverse = steps.map((step) => (step > usualMm * GAP_FACTOR ? 0 : 1 / step));
  return { perMm, below, places, inverse, end, reach: usualMm / 2 };
}

/** Made once for a grid. */
export function sliceTable(grid: Grid): SliceTable {
  const table = tables.get(grid) ?? tableOf(grid);
  tables.set(grid, table);
  return table;
}
