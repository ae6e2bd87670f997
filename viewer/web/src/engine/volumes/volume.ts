// The samples of a stack as one block of memory. Pure.

import { minus, type Vector } from "../frames/geometry";
import { between, type Grid, inGrid } from "./grid";

export interface Volume {
  readonly grid: Grid;
  /** Modality values, columns fastest, then rows, then slices. */
  readonly values: Int16Array | Float32Array;
  /** One for each slice that is here; of the others no value counts. */
  readonly filled: Uint8Array;
}

const INT16 = { lowest: -32768, highest: 32767 };

/** How a frame's stored samples become modality values, and the range of what is stored. */
export interface Stored {
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly slope: number;
  readonly intercept: number;
}

/** Whether every modality value of these frames is a whole number that two bytes hold. */
export function fitsInt16(frames: readonly Stored[]): boolean {
  return frames.every(({ bitsStored, signed, slope, intercept }) => {
    const values = 2 ** bitsStored;
    const [lowest, highest] = signed ? [-values / 2, values / 2 - 1] : [0, values - 1];
    const ends = [lowest * slope + intercept, highest * slope + intercept];
    const inside = Math.min(...ends) >= INT16.lowest && Math.max(...ends) <= INT16.highest;
    return inside && Number.isInteger(slope) && Number.isInteger(intercept);
  });
}

/** A volume of which no slice is here yet. */
export function emptyVolume(grid: Grid, short: boolean): Volume {
  const [columns, rows, slices] = grid.size;
  const count = columns * rows * slices;
  return { grid, values: short ? new Int16Array(count) : new Float32Array(count), filled: new Uint8Array(slices) };
}

/** Put a slice's modality values in their place. */
export function fill(volume: Volume, slice: number, values: ArrayLike<number>): void {
  const [columns, rows] = volume.grid.size;
  volume.values.set(values, slice * columns * rows);
  volume.filled[slice] = 1;
}

/** Of a slice no value counts any more. */
export function takeOut(volume: Volume, slice: number): void {
  volume.filled[slice] = 0;
}

/** Columns, rows and slices of the sample nearest to a place in the patient; undefined outside and in gaps. */
function sampleNear({ grid }: Volume, place: Vector): readonly [number, number, number] | undefined {
  const [columns, rows, slices] = grid.size;
  const [across, down, along] = inGrid(grid, minus(place, grid.origin));
  const found = between(grid, along);
  const [column, row] = [Math.round(across / grid.columnMm), Math.round(down / grid.rowMm)];
  if (!found || column < 0 || row < 0 || column >= columns || row >= rows) return undefined;
  return [column, row, Math.min(found.slice + (found.share > 0.5 ? 1 : 0), slices - 1)];
}

/** The value of the nearest sample, as it was stored; undefined where there is none, or none yet. */
export function valueAt(volume: Volume, place: Vector): number | undefined {
  const sample = sampleNear(volume, place);
  if (!sample || !volume.filled[sample[2]]) return undefined;
  const [columns, rows] = volume.grid.size;
  return volume.values[(sample[2] * rows + sample[1]) * columns + sample[0]];
}
