// How long a picture of a reconstruction takes on one core: 512 x 512 x 60 samples, resampled and brought to greys.
// `./dev bench volumes` runs it and says how many pictures a second that is.

import { bench, describe } from "vitest";
import type { Frame } from "../frames/frame";
import { cutInto, type Slab } from "./cut";
import { gridOf } from "./grid";
import { paint } from "./paint";
import { cutThrough, middleOf, PLANE_NAMES, type Planes, UPRIGHT, withTurn } from "./planes";
import { emptyVolume, fill } from "./volume";

const SIDE = 512;
const SLICES = 60;
const WINDOW = { center: 40, width: 400 };

/** The processor's milliseconds, not the clock's: others may be at work on the machine. */
const OPTIONS = { now: () => process.cpuUsage().user / 1000, time: 300, warmupTime: 100 };

const frames = Array.from(
  { length: SLICES },
  (_, index) =>
    ({
      imageId: String(index),
      modality: "CT",
      rescale: { slope: 1, intercept: 0, type: "HU", told: true },
      position: [-180, -180, index * 5],
      orientation: { row: [1, 0, 0], column: [0, 1, 0] },
      spacing: { rowMm: 0.7, columnMm: 0.7, calibration: "patient" },
      pixels: { rows: SIDE, columns: SIDE, samplesPerPixel: 1, photometricInterpretation: "MONOCHROME2" },
    }) as unknown as Frame,
);
const made = gridOf(frames);
if ("refusal" in made) throw new Error(made.refusal);
const volume = emptyVolume(made.grid, true);
for (let slice = 0; slice < SLICES; slice += 1) {
  fill(
    volume,
    slice,
    new Int16Array(SIDE * SIDE).map((_, at) => ((at * 7 + slice * 31) % 1200) - 600),
  );
}

const TURNED = withTurn(withTurn(UPRIGHT, "axial", 25), "sagittal", 15);
const THIN: Slab = { mode: "highest", thicknessMm: 0 };
const THICK: Slab = { mode: "highest", thicknessMm: 20 };
const KINDS: readonly (readonly [string, Planes, Slab])[] = [
  ["plane", UPRIGHT, THIN],
  ["MIP 20 mm", UPRIGHT, THICK],
  ["average 20 mm", UPRIGHT, { mode: "average", thicknessMm: 20 }],
  ["oblique plane", TURNED, THIN],
];

describe.each(KINDS)("%s", (_, planes, slab) => {
  for (const name of PLANE_NAMES) {
    const cut = cutThrough(made.grid, planes[name], middleOf(made.grid));
    const values = new Float32Array(cut.width * cut.height);
    const pixels = new Uint32Array(cut.width * cut.height);
    bench(
      `${name} ${cut.width} x ${cut.height}`,
      () => {
        cutInto(values, volume, cut, slab);
        paint(pixels, values, { window: WINDOW, lookup: undefined }, false);
      },
      OPTIONS,
    );
  }
});
