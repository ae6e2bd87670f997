import { describe, expect, test } from "vitest";
import { levelAt, levelsOf, valueAt } from "./levels";

describe("levels", () => {
  test("of values in steps lose nothing", () => {
    const values = [0, 1, 2, 40_000].map((stored) => stored * 0.684 - 12);

    const { samples, scale, exact } = levelsOf(values, 0.684);

    expect(exact).toBe(true);
    expect([...samples]).toEqual([0, 1, 2, 40_000]);
    expect([...samples].map((level) => valueAt(level, scale))).toEqual(values.map((value) => expect.closeTo(value, 9)));
  });

  test("of other values divide their range, and say that they are for the eye alone", () => {
    const { samples, scale, exact } = levelsOf(Float32Array.of(-1e-3, 0, 1e-3));

    expect(exact).toBe(false);
    expect([...samples]).toEqual([0, 32_768, 65_535]);
    expect(valueAt(65_535, scale)).toBeCloseTo(1e-3, 9);
    expect(levelAt(-1e-3, scale)).toBeCloseTo(0, 2);
  });

  test("of more steps than there are levels divide the range, too", () => {
    expect(levelsOf(Uint32Array.of(0, 65_536), 1)).toMatchObject({ exact: false });
    expect(levelsOf(Uint32Array.of(0, 65_535), 1)).toMatchObject({ exact: true });
  });

  test("of what is not a number, and of nothing but that, are the lowest", () => {
    expect([...levelsOf([Number.NaN, 2, 4, Number.NEGATIVE_INFINITY]).samples]).toEqual([0, 0, 65_535, 0]);
    expect([...levelsOf([Number.NaN]).samples]).toEqual([0]);
  });
});
