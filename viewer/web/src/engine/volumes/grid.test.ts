import { describe, expect, test } from "vitest";
import { between, gridOf, inGrid, inPatient } from "./grid";
import { slice, stackAt } from "./stack.fixture";

const EVEN = [0, 5, 10, 15, 20];

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
