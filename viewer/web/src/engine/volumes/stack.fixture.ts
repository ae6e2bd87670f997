// Stacks for tests whose value at every place is known: a plane in space, which interpolation gives back exactly.

import type { Frame } from "../frames/frame";
import type { Vector } from "../frames/geometry";
import { gridOf } from "./grid";
import { emptyVolume, fill, type Volume } from "./volume";

const COLUMNS = 12;
const ROWS = 10;

/** The value at a place in the patient. */
export function planted([x, y, z]: Vector): number {
  return 100 + 2 * x - 3 * y + 5 * z;
}

/** A slice of 12 x 10 samples of 2 x 1.5 mm, its first sample at `position`. */
export function slice(position: Vector, more: Partial<Frame> = {}): Frame {
  return {
    imageId: `test:${position.join()}`,
    position,
    orientation: { row: [1, 0, 0], column: [0, 1, 0] },
    spacing: { columnMm: 2, rowMm: 1.5, calibration: "patient" },
    modality: "CT",
    windows: [],
    rescale: { slope: 1, intercept: 0, type: "HU", told: true },
    pixels: { rows: ROWS, columns: COLUMNS, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2" },
    ...more,
  } as Frame;
}

/** Slices at these places along z, each `lean` mm further back for a millimetre up. */
export function stackAt(places: readonly number[], lean = 0): readonly Frame[] {
  return places.map((z) => slice([-10, 20 + lean * z, z]));
}

export function volumeOf(frames: readonly Frame[]): Volume {
  const made = gridOf(frames);
  if ("refusal" in made) throw new Error(made.refusal);
  const { grid } = made;
  const volume = emptyVolume(grid, false);
  for (const [index, frame] of made.frames.entries()) {
    const [px, py, pz] = frame.position ?? [0, 0, 0];
    const { row, column } = grid;
    const values = Array.from({ length: ROWS * COLUMNS }, (_, at) => {
      const [across, down] = [(at % COLUMNS) * grid.columnMm, Math.floor(at / COLUMNS) * grid.rowMm];
      return planted([
        px + row[0] * across + column[0] * down,
        py + row[1] * across + column[1] * down,
        pz + row[2] * across + column[2] * down,
      ]);
    });
    fill(volume, index, values);
  }
  return volume;
}
