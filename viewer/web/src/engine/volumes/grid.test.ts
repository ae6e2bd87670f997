import { describe, expect, test } from "vitest";
import { asStored } from "../frames/damagedTables";
import type { Frame, Rescale } from "../frames/frame";
import { between, gridOf, inGrid, inPatient } from "./grid";
import { slice, stackAt } from "./stack.fixture";

const EVEN = [0, 5, 10, 15, 20];
const HOUNSFIELD: Rescale = { slope: 1, intercept: -1024, type: "HU", told: true };
const STORED: Rescale = { slope: 1, intercept: 0, type: undefined, told: false };

function grid(frames: Parameters<typeof gridOf>[0]) {
  const made = gridOf(frames);
  if ("refusal" in made) throw new Error(made.refusal);
  return made.grid;
}

describe("a stack", () => {
  test("in any order makes a grid along its normal", () => {
    const made = grid([...stackAt(EVEN)].reverse());

    expect(made.size).toEqual([12, 10, 5]);
    expect(made.origin).toEqual([-10, 20, 0]);
    expect([...made.places]).toEqual(EVEN);
  });

  test("of a leaning gantry is followed, not straightened", () => {
    const made = grid(stackAt(EVEN, 0.3));

    expect(made.lean).toEqual([0, 0.3, 1]);
    // Five millimetres up and back along the lean is the next slice's first sample.
    expect(inGrid(made, [0, 1.5, 5])).toEqual([0, 0, 5]);
    expect(inPatient(made, [0, 0, 5])).toEqual([0, 1.5, 5]);
  });

  const refusals = {
    few: stackAt([0, 5]),
    unplaced: [...stackAt(EVEN), slice([0, 0, 30], { position: undefined })],
    mixedOrientation: [...stackAt(EVEN), slice([-10, 20, 25], { orientation: { row: [0, 1, 0], column: [0, 0, -1] } })],
    mixedSize: [...stackAt(EVEN), slice([-10, 20, 25], { spacing: { columnMm: 1, rowMm: 1, calibration: "patient" } })],
    samePlace: [...stackAt(EVEN), slice([-10, 20, 10])],
    crooked: [...stackAt(EVEN), slice([-10, 24, 12])],
    color: EVEN.map((z) => slice([0, 0, z], { pixels: { ...slice([0, 0, 0]).pixels, samplesPerPixel: 3 } })),
    large: EVEN.map((z) => slice([0, 0, z], { pixels: { ...slice([0, 0, 0]).pixels, rows: 20_000, columns: 20_000 } })),
  };

  test.each(Object.entries(refusals))("that cannot be a volume says why: %s", (refusal, frames) => {
    expect(gridOf(frames)).toEqual({ refusal });
  });
});

describe("values of slices", () => {
  /** Five slices, of which the middle one is another one; first as they lie, then with the odd one in front. */
  function withOdd(usual: Partial<Frame>, odd: Partial<Frame>) {
    const frames = EVEN.map((z) => slice([-10, 20, z], z === 10 ? odd : usual));
    const ahead = [...frames.slice(2, 3), ...frames.slice(0, 2), ...frames.slice(3)];
    return [frames, ahead].map((stack) => gridOf(stack)).map((made) => ("refusal" in made ? made.refusal : "a volume"));
  }
  const REFUSED = ["mixedUnits", "mixedUnits"];
  const TAKEN = ["a volume", "a volume"];
  const lookup = { descriptor: [2, 0, 16], data: new Uint8Array(4), url: undefined } as const;

  test("of which some are rescaled and others are as they are stored make no volume, whichever comes first", () => {
    expect(withOdd({ rescale: HOUNSFIELD }, { rescale: STORED })).toEqual(REFUSED);
    expect(withOdd({ rescale: STORED }, { rescale: HOUNSFIELD })).toEqual(REFUSED);
    const unnamed = { ...HOUNSFIELD, slope: 2, intercept: 0, type: undefined };
    expect(withOdd({ modality: "MR", rescale: unnamed }, { modality: "MR", rescale: STORED })).toEqual(REFUSED);
  });

  test("that count in other units, or of which some go through a table, make none either", () => {
    expect(withOdd({ rescale: HOUNSFIELD }, { rescale: { ...HOUNSFIELD, type: "US" } })).toEqual(REFUSED);
    expect(withOdd({ rescale: HOUNSFIELD }, { modalityLookup: lookup })).toEqual(REFUSED);
    expect(withOdd({ modalityLookup: lookup }, { modalityLookup: lookup })).toEqual(TAKEN);
  });

  test("may come by other slopes, and by none where the others change nothing", () => {
    expect(withOdd({ rescale: HOUNSFIELD }, { rescale: { ...HOUNSFIELD, slope: 2 } })).toEqual(TAKEN);
    expect(withOdd({ rescale: { ...HOUNSFIELD, intercept: 0 } }, { rescale: STORED })).toEqual(TAKEN);
  });

  test("whose table is damaged do not speak for the others", () => {
    const damaged = asStored(slice([-10, 20, 10]));

    expect(withOdd({ rescale: HOUNSFIELD }, damaged)).toEqual(TAKEN);
  });
});

describe("between slices", () => {
  test("places are shared by distance", () => {
    expect(between(grid(stackAt(EVEN)), 6)).toEqual({ slice: 1, share: 0.2 });
  });

  test("uneven distances keep their own measure", () => {
    expect(between(grid(stackAt([0, 5, 11, 16])), 8)).toEqual({ slice: 1, share: 0.5 });
  });

  test("nothing is made up where slices are missing, nor beyond the ends", () => {
    const holed = grid(stackAt([0, 5, 10, 30, 35]));

    expect(between(holed, 12)).toEqual({ slice: 2, share: 0 });
    expect(between(holed, 20)).toBeUndefined();
    expect(between(holed, 28)).toEqual({ slice: 3, share: 0 });
    expect(between(holed, -2)).toEqual({ slice: 0, share: 0 });
    expect(between(holed, -3)).toBeUndefined();
    expect(between(holed, 38)).toBeUndefined();
  });
});
