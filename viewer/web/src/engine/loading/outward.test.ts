import { describe, expect, test } from "vitest";
import { outward } from "./outward";

describe("loading outward", () => {
  test("starts at the reader and goes three ahead for one behind", () => {
    expect(outward(5, 12).slice(0, 9)).toEqual([5, 6, 7, 8, 4, 9, 10, 11, 3]);
  });

  test("turns round with the reader", () => {
    expect(outward(5, 12, -1).slice(0, 5)).toEqual([5, 4, 3, 2, 6]);
  });

  test.each([
    [0, 1],
    [0, 7],
    [6, 7],
    [3, 7],
    [99, 200],
  ])("from %i reaches each of %i frames once", (current, count) => {
    for (const direction of [1, -1] as const) {
      expect([...outward(current, count, direction)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, i) => i),
      );
    }
  });

  test("of nothing is nothing", () => {
    expect(outward(0, 0)).toEqual([]);
  });
});
