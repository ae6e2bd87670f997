import { describe, expect, test } from "vitest";
import { indexAt, luminanceAt, luminanceOf } from "./gsdf";

/** Rows of PS3.14 Table B-1. */
const TABLE = [
  [1, 0.05],
  [2, 0.0547],
  [3, 0.0594],
  [4, 0.0643],
  [5, 0.0695],
  [10, 0.0991],
  [1023, 3993.404],
] as const;

describe("the display function", () => {
  test("has the luminances of the standard's table", () => {
    for (const [index, luminance] of TABLE) expect(luminanceAt(index)).toBeCloseTo(luminance, index > 1000 ? 0 : 3);
  });

  test("is turned round by its inverse", () => {
    for (const index of [1, 10, 100, 500, 900, 1023]) expect(indexAt(luminanceAt(index))).toBeCloseTo(index, 0);
  });

  test("goes from a display's black to its white in steps that look alike", () => {
    expect(luminanceOf(0, 1, 350)).toBeCloseTo(1, 2);
    expect(luminanceOf(255, 1, 350)).toBeCloseTo(350, 0);
    const steps = [0, 85, 170, 255].map((level) => indexAt(luminanceOf(level, 1, 350)));
    const [first = 0, second = 0, third = 0] = steps.slice(1).map((at, index) => at - (steps[index] ?? 0));
    expect(second).toBeCloseTo(first, 0);
    expect(third).toBeCloseTo(first, 0);
  });
});
