// A cut at any angle, or through slices that lean: each pixel is sampled between its eight neighbours.
//
// One function and local numbers only: called for half a million samples a picture, anything nicer costs half the speed.

import type { GridCut, Slab } from "./cut";
import type { Grid } from "./grid";
import { sliceTable } from "./sliceTable";
import type { Volume } from "./volume";

/** How many samples a slab has behind each pixel. Extremes are met between samples, so they are looked for more finely. */
function depthOf(grid: Grid, slab: Slab): number {
  const sampleMm = Math.min(grid.columnMm, grid.rowMm, grid.usualMm);
  return Math.max(Math.round((slab.thicknessMm / sampleMm) * (slab.mode === "average" ? 1 : 2)), 1);
}

export function cutOblique(out: Float32Array, volume: Volume, cut: GridCut, slab: Slab): void {
  const { grid, filled } = volume;
  const values = volume.values as Int16Array;
  const { perMm, below, places, inverse, end, reach } = sliceTable(grid);
  const [columns, rows, slices] = grid.size;
  const [toColumns, toRows, layer] = [1 / grid.columnMm, 1 / grid.rowMm, columns * rows];
  const [lastColumn, lastRow, lastPair] = [columns - 1, rows - 1, slices - 2];
  const depth = depthOf(grid, slab);
  const [averages, seeks] = [slab.mode === "average" || depth === 1, slab.mode === "highest" ? 1 : -1];
  const apart = slab.thicknessMm / depth;
  const [tu, tv, tw] = [cut.through[0] * toColumns * apart, cut.through[1] * toRows * apart, cut.through[2] * apart];
  const [ru, rv, rw] = [cut.right[0] * toColumns, cut.right[1] * toRows, cut.right[2]];
  const back = (depth - 1) / 2;
  for (let line = 0, to = 0; line < cut.height; line += 1) {
    const lineU = (cut.origin[0] + cut.down[0] * line) * toColumns - tu * back;
    const lineV = (cut.origin[1] + cut.down[1] * line) * toRows - tv * back;
    const lineW = cut.origin[2] + cut.down[2] * line - tw * back;
    for (let pixel = 0; pixel < cut.width; pixel += 1, to += 1) {
      let u = lineU + ru * pixel;
      let v = lineV + rv * pixel;
      let w = lineW + rw * pixel;
      let count = 0;
      let sum = 0;
      let best = Number.NEGATIVE_INFINITY;
      for (let sample = 0; sample < depth; sample += 1, u += tu, v += tv, w += tw) {
        if (u < -0.5 || v < -0.5 || u > lastColumn + 0.5 || v > lastRow + 0.5 || w < -reach || w > end + reach)
          continue;
        let slice = 0;
        let share = 0;
        if (w >= end) {
          slice = lastPair;
          share = 1;
        } else if (w > 0) {
          slice = below[(w * perMm) | 0] as number;
          if (slice < lastPair && (places[slice + 1] as number) <= w) slice += 1;
          share = (w - (places[slice] as number)) * (inverse[slice] as number);
          if (inverse[slice] === 0 && w - (places[slice] as number) > reach) {
            if ((places[slice + 1] as number) - w > reach) continue;
            share = 1;
          }
        }
        if ((share < 1 && filled[slice] === 0) || (share > 0 && filled[slice + 1] === 0)) continue;
        const x = Math.min(Math.max(u, 0), lastColumn);
        const y = Math.min(Math.max(v, 0), lastRow);
        const column = x | 0;
        const row = y | 0;
        const p = x - column;
        const q = y - row;
        const right = column < lastColumn ? 1 : 0;
        const down = row < lastRow ? columns : 0;
        const at = slice * layer + row * columns + column;
        const far = at + layer;
        const a = values[at] as number;
        const b = values[at + down] as number;
        const c = values[far] as number;
        const d = values[far + down] as number;
        const ab = a + ((values[at + right] as number) - a) * p;
        const bb = b + ((values[at + down + right] as number) - b) * p;
        const cb = c + ((values[far + right] as number) - c) * p;
        const db = d + ((values[far + down + right] as number) - d) * p;
        const near = ab + (bb - ab) * q;
        const value = near + (cb + (db - cb) * q - near) * share;
        count += 1;
        if (averages) sum += value;
        else if (value * seeks > best) best = value * seeks;
      }
      if (averages) out[to] = count === 0 ? Number.NaN : sum / count;
      else out[to] = best === Number.NEGATIVE_INFINITY ? Number.NaN : best * seeks;
    }
  }
}
